// SPDX-License-Identifier: GPL-2.0-or-later
//! What a link is: planned from the network, then on record as set up.

use std::net::Ipv6Addr;

use crate::map::{Border, Mapping};

/// What stands in place of a provider's id if the line itself said what to set
/// up (HB46PP).
pub const PROVISIONED: &str = "hb46pp";

/// One link.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Network device of the tunnel.
    pub device: String,
    /// Addresses, ports and rules.
    pub mapping: Mapping,
    /// Id and name of the provider whose rules these are.
    pub provider: Option<(String, String)>,
    /// Logical interface of the uplink.
    pub uplink: String,
    /// Where the end-user prefix comes from.
    pub prefix_source: String,
    /// MTU of the tunnel in bytes.
    pub mtu: u16,
    /// Encapsulation limit, `ignore` or a number; `None` is the kernel's.
    pub encaplimit: Option<String>,
    /// Firewall zone we report for the interface.
    pub zone: Option<String>,
    /// Whether packets for other CEs go to them directly.
    pub mesh: bool,
}

impl Link {
    /// Whether the line itself said what to set up.
    pub fn is_provisioned(&self) -> bool {
        matches!(&self.provider, Some((id, _)) if id == PROVISIONED)
    }

    /// The tunnel's other end; `None` for MAP-T.
    pub fn br(&self) -> Option<Ipv6Addr> {
        self.mapping.border().and_then(Border::br)
    }
}

/// The option of the interface that carries the address: the address.
pub const ADDRESS_OPTION: &str = "ip6addr";

/// Name of the dynamic interface that carries the address; the stock package calls it the same.
pub fn address_interface(interface: &str) -> String {
    format!("{interface}_")
}
