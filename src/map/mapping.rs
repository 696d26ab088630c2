// SPDX-License-Identifier: GPL-2.0-or-later
//! What one CE gets out of a domain.

use std::fmt::Write;
use std::net::Ipv6Addr;

use ipnet::{Ipv4Net, Ipv6Net};

use super::MapType;
use super::address::Dialect;
use super::bits::extract;
use super::domain::{Border, Domain};
use super::ports::PortSet;
use super::rule::Rule;
use super::spec::SpecError;

/// Why an end-user prefix has no mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// No rule's IPv6 prefix contains any of them.
    #[error("{}", no_rule(.0))]
    NoRule(Vec<Ipv6Net>),
    /// A rule matches, but its EA bits reach past the prefix.
    #[error("the end-user prefix {prefix} is too short: rule {rule} needs /{needed}")]
    PrefixTooShort {
        /// The prefix at hand.
        prefix: Ipv6Net,
        /// Length the rule needs, in bits.
        needed: u8,
        /// Rule IPv6 prefix.
        rule: Ipv6Net,
    },
    /// The rule contradicts itself once the prefix length is known.
    #[error(transparent)]
    Rule(Box<SpecError>),
}

fn no_rule(prefixes: &[Ipv6Net]) -> String {
    if prefixes.is_empty() {
        return "there is no IPv6 prefix yet".into();
    }
    let mut text = String::from("no rule matches");
    let mut before = " ";
    for prefix in prefixes {
        let _ = write!(text, "{before}{prefix}");
        before = ", ";
    }
    text
}

/// The mapping of one CE: its addresses, ports and rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    map_type: MapType,
    dialect: Dialect,
    end_user: Ipv6Net,
    bmr: Rule,
    fmrs: Vec<Rule>,
    border: Option<Border>,
}

impl Mapping {
    pub(super) fn new(
        domain: &Domain,
        bmr: Rule,
        end_user: Ipv6Net,
        border: Option<Border>,
    ) -> Self {
        Mapping {
            map_type: domain.map_type(),
            dialect: domain.dialect(),
            end_user,
            bmr,
            fmrs: domain.fmrs(end_user),
            border,
        }
    }

    /// Protocol.
    pub fn map_type(&self) -> MapType {
        self.map_type
    }

    /// Layout of the interface identifier.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The end-user prefix the mapping was computed from.
    pub fn end_user(&self) -> Ipv6Net {
        self.end_user
    }

    /// The basic mapping rule; for lw4o6 the binding.
    pub fn bmr(&self) -> &Rule {
        &self.bmr
    }

    /// The forwarding mapping rules, longest IPv6 prefix first.
    pub fn fmrs(&self) -> &[Rule] {
        &self.fmrs
    }

    /// Our public IPv4 address, or the prefix assigned to us.
    pub fn ipv4(&self) -> Ipv4Net {
        self.bmr.ipv4_of(self.end_user)
    }

    /// The ports of that address that are ours.
    pub fn ports(&self) -> PortSet {
        self.bmr.ports_of(self.end_user)
    }

    /// Our end of the tunnel (MAP-E, lw4o6) or the address our packets are
    /// translated from (MAP-T).
    pub fn ce_address(&self) -> Ipv6Addr {
        self.bmr.ce_address_of(self.dialect, self.end_user)
    }

    /// Where everything else goes: BR or DMR.
    pub fn border(&self) -> Option<Border> {
        self.border
    }

    /// The same mapping with another BR or DMR.
    #[must_use]
    pub fn with_border(self, border: Border) -> Self {
        Mapping {
            border: Some(border),
            ..self
        }
    }

    /// Bits of the end-user prefix beyond rule prefix and EA bits. A BR knows
    /// the rule alone and sends to subnet 0 (RFC 7597 section 5.2): anything
    /// but 0 here never receives a packet.
    pub fn subnet_id(&self) -> u32 {
        let from = self.bmr.end_user_len();
        let len = self.end_user.prefix_len().min(64).saturating_sub(from);
        extract(&self.end_user.addr().octets(), from, len)
    }
}
