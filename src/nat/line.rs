// SPDX-License-Identifier: GPL-2.0-or-later
//! A line: what the mechanism says about one interface.

use std::net::Ipv6Addr;

use ipnet::{Ipv4Net, Ipv6Net};

use crate::map::{PortSet, Rule};
use crate::mechanism::Mechanism;

use super::error::NatError;
use super::names::{MAX_DEVICE, MAX_INTERFACE};

/// A line as its mechanism describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Logical interface, `[A-Za-z0-9_.-]`: names the tables.
    pub interface: String,
    /// Tunnel device.
    pub device: String,
    /// The CE's IPv4 address, or the prefix assigned to it.
    pub ipv4: Ipv4Net,
    /// The ports of that address that are ours; `None` if the other end of the
    /// tunnel translates (DS-Lite).
    pub ports: Option<PortSet>,
    /// Encapsulation, if there is one.
    pub outer: Option<Outer>,
}

/// Who may send us IPv4 in IPv6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outer {
    /// Our end of the tunnel.
    pub ce: Ipv6Addr,
    /// BR or AFTR and, in mesh mode, the IPv6 prefixes of the FMRs.
    pub sources: Vec<Ipv6Net>,
}

impl Line {
    /// The line of a mechanism. With `mesh`, other CEs may send to us directly.
    pub fn new(interface: &str, device: &str, mechanism: &Mechanism, mesh: bool) -> Self {
        let outer = mechanism.remote().map(|remote| {
            let fmrs = if mesh { mechanism.fmrs() } else { &[] };
            let meshed = fmrs.iter().map(Rule::ipv6);
            Outer {
                ce: mechanism.ce_address(),
                sources: std::iter::once(remote.into()).chain(meshed).collect(),
            }
        });
        Line {
            interface: interface.into(),
            device: device.into(),
            ipv4: mechanism.ipv4(),
            ports: mechanism.ports(),
            outer,
        }
    }

    pub(super) fn check(&self) -> Result<(), NatError> {
        check_interface(&self.interface)?;
        if !fits(&self.device, MAX_DEVICE, b"_.@-") {
            return Err(NatError::Device(self.device.clone()));
        }
        Ok(())
    }
}

/// Whether a name may stand in rules: nothing in it means anything to nft.
fn fits(name: &str, longest: usize, also: &[u8]) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || also.contains(&b);
    (1..=longest).contains(&name.len()) && name.bytes().all(fine)
}

/// Refuses what cannot be part of a table's name.
pub(super) fn check_interface(name: &str) -> Result<(), NatError> {
    if fits(name, MAX_INTERFACE, b"_.-") {
        return Ok(());
    }
    Err(NatError::Interface(name.chars().take(80).collect()))
}
