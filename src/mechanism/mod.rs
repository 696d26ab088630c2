// SPDX-License-Identifier: GPL-2.0-or-later
//! How a line carries IPv4: MAP-E, MAP-T, lw4o6, DS-Lite or a fixed address in
//! a tunnel, each with the values it has on one line.
//!
//! ```
//! use mape::mechanism::{DsLite, Kind, Mechanism};
//!
//! let prefix = "2409:10:a040:1c00::/56".parse()?;
//! let line = DsLite::new(prefix, "2404:8e00::feed:101".parse()?)?;
//! let line = Mechanism::from(line);
//! assert_eq!(line.kind(), Kind::DsLite);
//! // The AFTR translates: no port is ours.
//! assert_eq!(line.ports(), None);
//! assert_eq!(line.ce_address().to_string(), "2409:10:a040:1c00:0:c000:2:0");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ds_lite;
mod error;
mod identifier;
mod ipip;
mod kind;

use std::net::Ipv6Addr;

use ipnet::{Ipv4Net, Ipv6Net};

use crate::map::{Border, Mapping, PortSet, Rule};

pub use ds_lite::DsLite;
pub use error::MechanismError;
pub use identifier::{InterfaceId, InterfaceIdError};
pub use ipip::IpIp;
pub use kind::{Kind, KindError};

/// How one line carries IPv4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mechanism {
    /// MAP-E, MAP-T or lw4o6.
    Map(Mapping),
    /// DS-Lite.
    DsLite(DsLite),
    /// A fixed address or block in a tunnel of IPv4 in IPv6.
    IpIp(IpIp),
}

impl Mechanism {
    /// Which one it is.
    pub fn kind(&self) -> Kind {
        match self {
            Mechanism::Map(mapping) => mapping.map_type().into(),
            Mechanism::DsLite(_) => Kind::DsLite,
            Mechanism::IpIp(_) => Kind::IpIp,
        }
    }

    /// The mapping; `None` without MAP.
    pub fn mapping(&self) -> Option<&Mapping> {
        match self {
            Mechanism::Map(mapping) => Some(mapping),
            Mechanism::DsLite(_) | Mechanism::IpIp(_) => None,
        }
    }

    /// The end-user prefix that our address on the line is in.
    pub fn end_user(&self) -> Ipv6Net {
        match self {
            Mechanism::Map(mapping) => mapping.end_user(),
            Mechanism::DsLite(line) => line.end_user(),
            Mechanism::IpIp(line) => line.end_user(),
        }
    }

    /// The IPv4 address, or the prefix assigned to us. With DS-Lite it is that
    /// of the B4, which only the AFTR can reach.
    pub fn ipv4(&self) -> Ipv4Net {
        match self {
            Mechanism::Map(mapping) => mapping.ipv4(),
            Mechanism::DsLite(_) => DsLite::B4.into(),
            Mechanism::IpIp(line) => line.ipv4(),
        }
    }

    /// The ports of that address that are ours; `None` if the other end
    /// translates, and no port of a public address is.
    pub fn ports(&self) -> Option<PortSet> {
        match self {
            Mechanism::Map(mapping) => Some(mapping.ports()),
            Mechanism::DsLite(_) => None,
            Mechanism::IpIp(_) => Some(PortSet::ALL),
        }
    }

    /// Our end of the tunnel, or the address that packets are translated from
    /// (MAP-T).
    pub fn ce_address(&self) -> Ipv6Addr {
        match self {
            Mechanism::Map(mapping) => mapping.ce_address(),
            Mechanism::DsLite(line) => line.ce_address(),
            Mechanism::IpIp(line) => line.ce_address(),
        }
    }

    /// Where everything goes: BR, AFTR or DMR.
    pub fn border(&self) -> Option<Border> {
        match self {
            Mechanism::Map(mapping) => mapping.border(),
            Mechanism::DsLite(line) => Some(Border::Br(line.aftr())),
            Mechanism::IpIp(line) => Some(Border::Br(line.br())),
        }
    }

    /// The far end of the tunnel; `None` for MAP-T, which has no tunnel.
    pub fn remote(&self) -> Option<Ipv6Addr> {
        self.border().and_then(Border::br)
    }

    /// The forwarding mapping rules; none without MAP.
    pub fn fmrs(&self) -> &[Rule] {
        self.mapping().map_or(&[], Mapping::fmrs)
    }
}

impl From<Mapping> for Mechanism {
    fn from(mapping: Mapping) -> Self {
        Mechanism::Map(mapping)
    }
}

impl From<DsLite> for Mechanism {
    fn from(line: DsLite) -> Self {
        Mechanism::DsLite(line)
    }
}

impl From<IpIp> for Mechanism {
    fn from(line: IpIp) -> Self {
        Mechanism::IpIp(line)
    }
}
