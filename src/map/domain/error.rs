// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be wrong with the rules of a domain.

use super::super::map_type::MapType;
use super::super::spec::SpecError;

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
    #[error("rule: none is given")]
    Empty,
    /// More rules than [`MAX_RULES`].
    #[error("rule: {0} rules are given, at most {MAX_RULES}")]
    TooMany(usize),
    /// A rule is of another type than the domain.
    #[error("rule {index}: type {found} in a {expected} interface")]
    Type {
        /// Number of the rule, counted from 1.
        index: usize,
        /// Type the rule names.
        found: MapType,
        /// Type of the domain.
        expected: MapType,
    },
    /// `dmr` outside MAP-T or `br` in MAP-T.
    #[error("rule {index}: {option} does not belong to {map_type}")]
    Border {
        /// Number of the rule, counted from 1.
        index: usize,
        /// The option that does not belong.
        option: &'static str,
        /// Type of the domain.
        map_type: MapType,
    },
    /// A rule is incomplete or contradicts itself.
    #[error("rule {index}: {}", in_keys(error))]
    Rule {
        /// Number of the rule, counted from 1.
        index: usize,
        /// What is wrong with it.
        error: Box<SpecError>,
    },
}

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
