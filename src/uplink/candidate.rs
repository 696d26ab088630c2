// SPDX-License-Identifier: GPL-2.0-or-later
//! Candidates for the end-user prefix, and the interfaces that offer them.

use std::fmt;
use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

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
    /// Metric of its routes.
    pub metric: u32,
    /// What may be the end-user prefix: preferred ones first, then by
    /// [`Source`].
    pub candidates: Vec<Candidate>,
    /// Its own global addresses, preferred ones first: what the binding of a
    /// lw4o6 subscriber may be made for.
    pub addresses: Vec<Ipv6Addr>,
    /// Its own resolvers, the only ones that know what is provisioned on it.
    pub resolvers: Vec<Ipv6Addr>,
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

    /// The prefix, or single address, for a tunnel that needs no rule.
    pub fn any(&self) -> Option<Ipv6Net> {
        let prefix = self.prefixes().into_iter().next();
        prefix.or_else(|| self.addresses.first().copied().map(Ipv6Net::from))
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
