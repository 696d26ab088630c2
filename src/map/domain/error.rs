// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be wrong with the rules of a domain.

use super::super::map_type::MapType;
use super::super::spec::SpecError;
use crate::reason::{Reason, Tell, said, sentence};

/// Most rules a domain may have: several times what any operator is known to
/// send, and few enough that nothing can make a router search for long.
///
/// ```
/// use mape::map::{Dialect, Domain, MAX_RULES, MapType, RuleSpec};
///
/// let specs = vec![RuleSpec::default(); MAX_RULES + 1];
/// let error = Domain::from_specs(&specs, MapType::MapE, Dialect::Rfc7597).unwrap_err();
/// assert_eq!(error.to_string(), "rule: 4097 rules are given, at most 4096");
/// ```
pub const MAX_RULES: usize = 4096;

/// Why a domain was refused.
///
/// ```
/// use mape::map::{Dialect, Domain, MapType};
///
/// let error = Domain::from_specs(&[], MapType::MapE, Dialect::Rfc7597).unwrap_err();
/// assert_eq!(error.to_string(), "rule: none is given");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// No rule at all.
    Empty,
    /// More rules than [`MAX_RULES`].
    TooMany(usize),
    /// A rule is of another type than the domain.
    Type {
        /// Number of the rule, counted from 1.
        index: usize,
        /// Type the rule names.
        found: MapType,
        /// Type of the domain.
        expected: MapType,
    },
    /// `dmr` outside MAP-T or `br` in MAP-T.
    Border {
        /// Number of the rule, counted from 1.
        index: usize,
        /// The option that does not belong.
        option: &'static str,
        /// Type of the domain.
        map_type: MapType,
    },
    /// A rule is incomplete or contradicts itself.
    Rule {
        /// Number of the rule, counted from 1.
        index: usize,
        /// What is wrong with it.
        error: Box<SpecError>,
    },
}

impl Tell for DomainError {
    fn reason(&self) -> Reason {
        match self {
            Self::Empty => said!("domain_empty", "rule: none is given"),
            Self::TooMany(count) => said!(
                "domain_too_many",
                "rule: {count} rules are given, at most {max}",
                count,
                MAX_RULES
            ),
            Self::Type {
                index,
                found,
                expected,
            } => said!(
                "domain_type",
                "rule {rule}: type {found} in a {expected} interface",
                index,
                found,
                expected
            ),
            Self::Border {
                index,
                option,
                map_type,
            } => said!(
                "domain_border",
                "rule {rule}: {option} does not belong to {type}",
                index,
                option,
                map_type
            ),
            Self::Rule { index, error } => {
                let reason = said!("domain_rule", "rule {rule}: {reason}", index, error);
                let text = format!("rule {index}: {}", in_keys(error));
                Reason::kept(text, reason.coded())
            }
        }
    }
}

sentence!(DomainError);

/// The error in the words of a rule string, which names some things otherwise
/// than the options do.
fn in_keys(error: &SpecError) -> String {
    let mut text = error.to_string();
    for (option, key) in [
        ("ip6prefixlen", "prefix6len"),
        ("ip4prefixlen", "prefix4len"),
        ("ip6prefix", "ipv6prefix"),
        ("ipaddr", "ipv4prefix"),
    ] {
        text = text.replace(option, key);
    }
    text
}
