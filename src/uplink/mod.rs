// SPDX-License-Identifier: GPL-2.0-or-later
//! The uplink as netifd describes it, and the end-user IPv6 prefixes it
//! offers.
//!
//! Input is the answer of `network.interface dump`; nothing is asked for here.
//! A line that gets a delegated prefix, one whose prefix was typed into the
//! configuration, and one that only hears router advertisements all come out
//! as [`Candidate`]s, best first.

mod dump;
mod find;

use std::fmt;
use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use crate::netifd::Dump;

pub use find::find;

/// Where an end-user prefix was found. The order is the order in which they
/// are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// `option enduserprefix`.
    Option,
    /// DHCPv6 prefix delegation.
    Delegated,
    /// `option ip6prefix` of the uplink: a prefix that never expires.
    Ip6Prefix,
    /// The /64 of an address of the uplink: all there is on a line without
    /// prefix delegation.
    OnLink,
}

impl Source {
    /// A short word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Option => "option",
            Source::Delegated => "delegated",
            Source::Ip6Prefix => "ip6prefix",
            Source::OnLink => "on-link",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A prefix that may be the end-user prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// The prefix, without host bits.
    pub prefix: Ipv6Net,
    /// Where it was found.
    pub source: Source,
    /// Its preferred lifetime is over (RFC 4862 section 5.5.4): a renumbering
    /// is under way.
    pub deprecated: bool,
    /// It was typed into the configuration, and the line says something else.
    pub stale: bool,
}

/// An interface of netifd that is up and can carry the tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uplink {
    /// Its logical name: the `link` of a tunnel.
    pub interface: String,
    /// The network device, such as `eth0` or `pppoe-wan`.
    pub l3_device: Option<String>,
    /// The firewall zone the interface itself names (`data.zone`).
    pub zone: Option<String>,
    /// What may be the end-user prefix: preferred ones first, then by
    /// [`Source`].
    pub candidates: Vec<Candidate>,
    /// Its own global addresses, preferred ones first: what the binding of a
    /// lw4o6 subscriber may be made for.
    pub addresses: Vec<Ipv6Addr>,
}

impl Uplink {
    /// The prefixes to look for a rule with, in order. A deprecated prefix is
    /// only among them while there is no preferred one.
    pub fn prefixes(&self) -> Vec<Ipv6Net> {
        let any_preferred = self.candidates.iter().any(|c| !c.deprecated);
        let usable = |c: &&Candidate| c.deprecated != any_preferred;
        self.candidates
            .iter()
            .filter(usable)
            .map(|c| c.prefix)
            .collect()
    }

    /// The prefix that `option ip6prefix` names although the line has another
    /// one, namely `used`.
    pub fn stale_besides(&self, used: &Ipv6Net) -> Option<Ipv6Net> {
        let mut others = self.candidates.iter().filter(|c| c.prefix != *used);
        others.find(|c| c.stale).map(|c| c.prefix)
    }

    /// Where a prefix came from.
    pub fn source_of(&self, prefix: &Ipv6Net) -> Option<Source> {
        let found = self.candidates.iter().find(|c| c.prefix == *prefix);
        found.map(|c| c.source)
    }
}

/// Whether interface `name` is there with `address`.
pub fn has_address(dump: &Dump, name: &str, address: Ipv6Addr) -> bool {
    let found = dump.find(name);
    found.is_some_and(|found| found.ipv6.iter().any(|entry| entry.address == address))
}

/// Why there is no uplink to use. Waiting can help with all of it: interfaces
/// come up, appear (`wan_6`) and get their prefixes without anybody changing
/// the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UplinkError {
    /// No interface has that name.
    #[error("tunlink {name}: there is no such interface; there are {known}")]
    NotFound {
        /// The name asked for.
        name: String,
        /// All names, separated by commas.
        known: String,
    },
    /// The interface is not up.
    #[error("{0} is not up yet")]
    Down(String),
    /// The interface is up but has no prefix to offer.
    #[error("{0} is up but has no IPv6 prefix yet")]
    NoPrefix(String),
    /// `tunlink` is not given, and no interface that is up has a prefix.
    #[error(
        "no interface that is up has an IPv6 prefix yet; option tunlink names the one to wait for"
    )]
    NoUplink,
}
