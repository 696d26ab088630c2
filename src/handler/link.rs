// SPDX-License-Identifier: GPL-2.0-or-later
//! What a link is: planned from the network, then on record as set up.

use std::net::Ipv6Addr;

use crate::firewall::Member;
use crate::map::Mapping;
use crate::mechanism::Mechanism;

/// What stands in place of a provider's id if the line itself said what to set
/// up (HB46PP).
pub const PROVISIONED: &str = "hb46pp";

/// One link.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Network device of the tunnel.
    pub device: String,
    /// How it carries IPv4: addresses, ports and rules.
    pub mechanism: Mechanism,
    /// Why it was chosen: half a sentence.
    pub why: String,
    /// Id and name of the provider that is known to do so.
    pub provider: Option<(String, String)>,
    /// Logical interface of the uplink.
    pub uplink: String,
    /// Where the end-user prefix comes from.
    pub prefix_source: String,
    /// MTU of the tunnel in bytes.
    pub mtu: u16,
    /// What netifd is told of the encapsulation limit: `ignore`, a number, or
    /// nothing. See [`Link::encapsulation_limit`] for what is in force.
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

    /// The tunnel's far end, BR or AFTR; `None` for MAP-T.
    pub fn remote(&self) -> Option<Ipv6Addr> {
        self.mechanism.remote()
    }

    /// The mapping; `None` without MAP.
    pub fn mapping(&self) -> Option<&Mapping> {
        self.mechanism.mapping()
    }

    /// The encapsulation limit that tunnel packets carry (RFC 2473); `None` if
    /// they carry none, or there is no tunnel.
    pub fn encapsulation_limit(&self) -> Option<&str> {
        self.remote()?;
        // If netifd is told nothing, it switches the limit off.
        self.encaplimit
            .as_deref()
            .filter(|limit| *limit != "ignore")
    }

    /// `interface`, whose link this is, as a member of firewall zones.
    pub fn member<'a>(&'a self, interface: &'a str) -> Member<'a> {
        Member {
            interface,
            device: &self.device,
            reported: self.zone.as_deref(),
        }
    }
}

/// Name of the network device of an interface.
pub fn device_of(interface: &str) -> String {
    format!("map-{interface}")
}

/// The option of the interface that carries the address: the address.
pub const ADDRESS_OPTION: &str = "ip6addr";

/// Name of the dynamic interface that carries the address; the stock package calls it the same.
pub fn address_interface(interface: &str) -> String {
    format!("{interface}_")
}

/// The interface whose address the dynamic interface of that name carries.
pub fn address_owner(name: &str) -> Option<&str> {
    name.strip_suffix('_')
}
