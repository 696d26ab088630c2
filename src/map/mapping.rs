// SPDX-License-Identifier: GPL-2.0-or-later
//! What one CE gets out of a domain.

use std::net::Ipv6Addr;

use ipnet::{Ipv4Net, Ipv6Net};

use super::address::Dialect;
use super::bits::extract;
use super::border::Border;
use super::map_type::MapType;
use super::ports::PortSet;
use super::role::{RoleError, check_br, check_ce_ipv4, check_end_user};
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
    /// The rule contradicts itself or the prefix once that is known.
    #[error(transparent)]
    Rule(Box<SpecError>),
    /// An address or prefix cannot be what it would be used for.
    #[error(transparent)]
    Role(#[from] RoleError),
}

fn no_rule(prefixes: &[Ipv6Net]) -> String {
    if prefixes.is_empty() {
        return "there is no IPv6 prefix yet".into();
    }
    let names: Vec<String> = prefixes.iter().map(Ipv6Net::to_string).collect();
    format!("no rule matches {}", names.join(", "))
}

/// What a mapping is made of.
pub(super) struct MappingParts {
    pub(super) map_type: MapType,
    pub(super) dialect: Dialect,
    pub(super) end_user: Ipv6Net,
    pub(super) bmr: Rule,
    pub(super) fmrs: Vec<Rule>,
    pub(super) border: Option<Border>,
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
    /// The mapping of `parts`.
    ///
    /// # Errors
    /// The end-user prefix, our IPv4 address or the border cannot be right.
    pub(super) fn new(parts: MappingParts) -> Result<Self, MapError> {
        check_end_user(parts.end_user, Some(parts.map_type))?;
        let mapping = Mapping {
            map_type: parts.map_type,
            dialect: parts.dialect,
            end_user: parts.end_user,
            bmr: parts.bmr,
            fmrs: parts.fmrs,
            border: None,
        };
        check_ce_ipv4(mapping.ipv4().addr())?;
        match parts.border {
            Some(border) => mapping.with_border(border),
            None => Ok(mapping),
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
    ///
    /// # Errors
    /// The address cannot be a BR's, or it is our own.
    pub fn with_border(self, border: Border) -> Result<Self, MapError> {
        if let Border::Br(br) = border {
            check_br(br)?;
            if br == self.ce_address() {
                return Err(RoleError::OwnBr(br).into());
            }
        }
        Ok(Mapping {
            border: Some(border),
            ..self
        })
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
