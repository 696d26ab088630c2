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
use crate::reason::{Reason, Tell, said, sentence};

/// Why an end-user prefix has no mapping.
///
/// ```
/// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
/// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
/// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
/// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
/// let error = domain.map(&["2001:db8:12::/48".parse()?]).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the end-user prefix 2001:db8:12::/48 is too short: rule 2001:db8::/40 needs /56"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// No rule's IPv6 prefix contains any of them.
    NoRule(Vec<Ipv6Net>),
    /// A rule matches, but its EA bits reach past the prefix.
    PrefixTooShort {
        /// The prefix at hand.
        prefix: Ipv6Net,
        /// Length the rule needs, in bits.
        needed: u8,
        /// Rule IPv6 prefix.
        rule: Ipv6Net,
    },
    /// The rule contradicts itself or the prefix once that is known.
    Rule(Box<SpecError>),
    /// An address or prefix cannot be what it would be used for.
    Role(#[from] RoleError),
}

impl Tell for MapError {
    fn reason(&self) -> Reason {
        match self {
            Self::NoRule(prefixes) if prefixes.is_empty() => {
                said!("map_no_prefix", "there is no IPv6 prefix yet")
            }
            Self::NoRule(prefixes) => said!(
                "map_no_rule",
                "no rule matches {prefixes}",
                listed(prefixes)
            ),
            Self::PrefixTooShort {
                prefix,
                needed,
                rule,
            } => said!(
                "map_prefix_too_short",
                "the end-user prefix {prefix} is too short: rule {rule} needs /{length}",
                prefix,
                rule,
                needed
            ),
            Self::Rule(error) => error.reason(),
            Self::Role(error) => error.reason(),
        }
    }
}

sentence!(MapError);

fn listed(prefixes: &[Ipv6Net]) -> String {
    let names: Vec<String> = prefixes.iter().map(Ipv6Net::to_string).collect();
    names.join(", ")
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
///
/// ```
/// use mape::map::{Dialect, Domain, MapType};
///
/// let rule = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,\
///     ealen=16,br=2001:db8:ffff::1";
/// let domain = Domain::from_specs(&[rule.parse()?], MapType::MapE, Dialect::Rfc7597)?;
/// let mapping = domain.map(&["2001:db8:12:3400::/56".parse()?])?;
/// assert_eq!(mapping.ipv4().to_string(), "192.0.2.18/32");
/// assert_eq!(mapping.ports().count(), 252);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let mapping = domain.map(&["2001:db8:12:3400::/56".parse()?])?;
    /// assert_eq!(mapping.map_type(), MapType::MapE);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map_type(&self) -> MapType {
        self.map_type
    }

    /// Layout of the interface identifier.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let mapping = domain.map(&["2001:db8:12:3400::/56".parse()?])?;
    /// assert_eq!(mapping.dialect(), Dialect::Rfc7597);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The end-user prefix the mapping was computed from.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let mapping = domain.map(&["2001:db8:12:3400::/56".parse()?])?;
    /// assert_eq!(mapping.end_user(), "2001:db8:12:3400::/56".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end_user(&self) -> Ipv6Net {
        self.end_user
    }

    /// The basic mapping rule; for lw4o6 the binding.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let mapping = domain.map(&["2001:db8:12:3400::/56".parse()?])?;
    /// assert_eq!(mapping.bmr().ipv6(), "2001:db8::/40".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn bmr(&self) -> &Rule {
        &self.bmr
    }

    /// The forwarding mapping rules, longest IPv6 prefix first.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let mapping = domain.map(&["2001:db8:12:3400::/56".parse()?])?;
    /// assert!(mapping.fmrs().is_empty(), "the rule has no flag for it");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fmrs(&self) -> &[Rule] {
        &self.fmrs
    }

    /// Our public IPv4 address, or the prefix assigned to us.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let mapping = domain.map(&["2001:db8:12:3400::/56".parse()?])?;
    /// assert_eq!(mapping.ipv4(), "192.0.2.18/32".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ipv4(&self) -> Ipv4Net {
        self.bmr.ipv4_of(self.end_user)
    }

    /// The ports of that address that are ours.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let mapping = domain.map(&["2001:db8:12:3400::/56".parse()?])?;
    /// assert_eq!(mapping.ports().psid().value(), 0x34);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ports(&self) -> PortSet {
        self.bmr.ports_of(self.end_user)
    }

    /// Our end of the tunnel (MAP-E, lw4o6) or the address our packets are
    /// translated from (MAP-T).
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let mapping = domain.map(&["2001:db8:12:3400::/56".parse()?])?;
    /// assert_eq!(mapping.ce_address(), "2001:db8:12:3400:0:c000:212:34".parse::<std::net::Ipv6Addr>()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ce_address(&self) -> Ipv6Addr {
        self.bmr.ce_address_of(self.dialect, self.end_user)
    }

    /// Where everything else goes: BR or DMR.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let mapping = domain.map(&["2001:db8:12:3400::/56".parse()?])?;
    /// use mape::map::Border;
    ///
    /// assert_eq!(mapping.border(), Some(Border::Br("2001:db8:ffff::1".parse()?)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn border(&self) -> Option<Border> {
        self.border
    }

    /// The same mapping with another BR or DMR.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let mapping = domain.map(&["2001:db8:12:3400::/56".parse()?])?;
    /// use mape::map::Border;
    ///
    /// let other = Border::Br("2001:db8:ffff::2".parse()?);
    /// assert_eq!(mapping.clone().with_border(other)?.border(), Some(other));
    /// assert!(mapping.with_border(Border::Br("ff02::1".parse()?)).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// # let mapping = domain.map(&["2001:db8:12:3400::/56".parse()?])?;
    /// assert_eq!(mapping.subnet_id(), 0);
    /// let inner = domain.map(&["2001:db8:12:3401::/64".parse()?])?;
    /// assert_eq!(inner.subnet_id(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn subnet_id(&self) -> u32 {
        let from = self.bmr.end_user_len();
        let len = self.end_user.prefix_len().min(64).saturating_sub(from);
        extract(&self.end_user.addr().octets(), from, len)
    }
}
