// SPDX-License-Identifier: GPL-2.0-or-later
//! What the configuration asks for.

use ipnet::Ipv4Net;

use crate::endpoint::Endpoint;
use crate::map::Domain;
use crate::mechanism::{InterfaceId, Kind};

/// What the configuration says of the mechanism.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// MAP with these rules.
    Rules(Domain),
    /// What the provider table knows.
    Known {
        /// Of this provider, or of whichever the prefix belongs to.
        provider: Option<String>,
        /// Any mechanism, or only MAP or DS-Lite.
        only: Option<Kind>,
    },
    /// DS-Lite with this AFTR.
    DsLite(Endpoint),
    /// A fixed address.
    IpIp(FixedAddress),
}

/// A fixed IPv4 address as the provider's letter describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedAddress {
    /// The address, or the block with the address that other hosts leave with.
    pub ipv4: Ipv4Net,
    /// What makes the CE's address.
    pub id: InterfaceId,
    /// The BR; `None` if it is the one of the provider.
    pub br: Option<Endpoint>,
    /// The provider whose line it is.
    pub provider: Option<String>,
}
