// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be wrong with a rule.

use super::super::PsidError;
use super::super::address::DmrError;
use super::super::rule::RuleError;
use crate::sanitize::excerpt;

/// Why a rule string, or a rule made of options, was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// An unknown protocol.
    #[error("type {}: must be map-e, map-t or lw4o6", excerpt(.0))]
    Type(String),
    /// An unknown key in a rule string.
    #[error(
        "rule: {} is not known; a rule has type, ipv6prefix, prefix6len, ipv4prefix, \
             prefix4len, ealen, psidlen, offset, psid, br, dmr and fmr",
        excerpt(.0)
    )]
    Key(String),
    /// A value that is not a number, or out of range.
    #[error("{key} {}: must be a number, at most {max}", excerpt(value))]
    Number {
        /// The option.
        key: &'static str,
        /// What it was set to.
        value: String,
        /// Largest value allowed.
        max: u16,
    },
    /// A number above its limit.
    #[error("{key} {value}: at most {max}")]
    TooLarge {
        /// The option.
        key: &'static str,
        /// What it was set to.
        value: u64,
        /// Largest value allowed.
        max: u16,
    },
    /// Not an IPv6 address.
    #[error("{key} {}: must be an IPv6 address", excerpt(value))]
    Ipv6 {
        /// The option.
        key: &'static str,
        /// What it was set to.
        value: String,
    },
    /// Not an IPv4 address.
    #[error("{key} {}: must be an IPv4 address", excerpt(value))]
    Ipv4 {
        /// The option.
        key: &'static str,
        /// What it was set to.
        value: String,
    },
    /// A part that every rule needs.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The DMR is no RFC 6052 prefix.
    #[error(transparent)]
    Dmr(#[from] DmrError),
    /// The values contradict each other.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

impl From<PsidError> for SpecError {
    fn from(error: PsidError) -> Self {
        SpecError::Rule(RuleError::Psid(error))
    }
}
