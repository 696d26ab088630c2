// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be wrong with a rule.

use ipnet::Ipv6Net;

use super::super::address::DmrError;
use super::super::psid::{PsidError, PsidReadings};
use super::super::role::RoleError;
use super::super::rule::RuleError;
use crate::sanitize::excerpt;

/// Why a rule string, or a rule made of options, was refused.
///
/// ```
/// use mape::map::RuleSpec;
///
/// let error = "ealen=99".parse::<RuleSpec>().unwrap_err();
/// assert_eq!(error.to_string(), "ealen 99: at most 48");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// An unknown protocol.
    #[error("type {}: must be map-e, map-t or lw4o6", excerpt(.0))]
    Type(String),
    /// An unknown key in a rule string.
    #[error(
        "{} is not known; a rule has type, ipv6prefix, prefix6len, ipv4prefix, \
             prefix4len, ealen, psidlen, offset, psid, pd, pdlen, br, dmr and fmr",
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
    /// The PSID length exceeds the EA bits and no PSID is given.
    #[error("psidlen {psid_len}: at most ealen, which is {ea_len}, unless psid is given too")]
    PsidLenOverEa {
        /// PSID length in bits.
        psid_len: u8,
        /// EA-bits length in bits.
        ea_len: u8,
    },
    /// The PSID length is not what the EA bits leave.
    #[error(
        "psidlen {psid_len}: ealen {ea_len} and ip4prefixlen {ip4_len} leave {left} bits for the PSID"
    )]
    PsidLen {
        /// PSID length that was asked for, in bits.
        psid_len: u8,
        /// EA-bits length in bits.
        ea_len: u8,
        /// Length of the rule IPv4 prefix in bits.
        ip4_len: u8,
        /// What remains after the IPv4 suffix, in bits.
        left: u8,
    },
    /// The EA bits say another PSID than the one that was written down.
    #[error(
        "psid {stated}: the EA bits of {end_user} say {found}; leave psid out, or check ealen, \
         psidlen and the prefix"
    )]
    OtherPsid {
        /// What was written down.
        stated: PsidReadings,
        /// The PSID in the end-user prefix.
        found: u16,
        /// The end-user prefix.
        end_user: Ipv6Net,
    },
    /// The end-user prefix that a rule names is none of its own.
    #[error("pd {pd}: not within the rule's ipv6prefix {rule}")]
    ForeignPd {
        /// The end-user prefix.
        pd: Ipv6Net,
        /// Rule IPv6 prefix.
        rule: Ipv6Net,
    },
    /// The DMR is no RFC 6052 prefix.
    #[error(transparent)]
    Dmr(#[from] DmrError),
    /// The values contradict each other.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The EA length was left out, and what follows makes no rule.
    #[error(
        "ealen is missing, and the {ea_len} bits that follow from the rest do not fit: {error}"
    )]
    Derived {
        /// The EA length that follows, in bits.
        ea_len: u8,
        /// What is wrong then.
        error: RuleError,
    },
    /// An address that cannot be what it is given for.
    #[error(transparent)]
    Role(#[from] RoleError),
}

impl From<PsidError> for SpecError {
    fn from(error: PsidError) -> Self {
        SpecError::Rule(RuleError::Psid(error))
    }
}
