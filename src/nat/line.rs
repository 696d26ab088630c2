// SPDX-License-Identifier: GPL-2.0-or-later
//! A line: what the mapping says about one interface.

use std::net::Ipv6Addr;

use ipnet::{Ipv4Net, Ipv6Net};

use crate::map::{Border, MapType, Mapping, PortSet};

use super::error::NatError;
use super::names::{MAX_DEVICE, MAX_INTERFACE};

/// A line as the mapping describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Logical interface, `[A-Za-z0-9_.-]`: names the tables.
    pub interface: String,
    /// Tunnel device.
    pub device: String,
    /// The CE's IPv4 address, or the prefix assigned to it.
    pub ipv4: Ipv4Net,
    /// The ports of that address that are ours.
    pub ports: PortSet,
    /// Encapsulation, where there is one.
    pub outer: Option<Outer>,
}

/// Who may send us IPv4 in IPv6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outer {
    /// Our end of the tunnel.
    pub ce: Ipv6Addr,
    /// The BR and, in mesh mode, the IPv6 prefixes of the FMRs.
    pub sources: Vec<Ipv6Net>,
}

impl Line {
    /// The line of a mapping. With `mesh`, other CEs may send to us directly.
    pub fn new(interface: &str, device: &str, mapping: &Mapping, mesh: bool) -> Self {
        let mut sources: Vec<Ipv6Net> = Vec::new();
        if let Some(Border::Br(br)) = mapping.border() {
            sources.push(br.into());
        }
        if mesh {
            for rule in mapping.fmrs() {
                sources.push(rule.ipv6());
            }
        }
        let encapsulated = mapping.map_type() != MapType::MapT && !sources.is_empty();
        Line {
            interface: interface.into(),
            device: device.into(),
            ipv4: mapping.ipv4(),
            ports: mapping.ports(),
            outer: encapsulated.then(|| Outer {
                ce: mapping.ce_address(),
                sources,
            }),
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
