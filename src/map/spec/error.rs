// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be wrong with a rule.

use ipnet::Ipv6Net;

use super::super::address::DmrError;
use super::super::psid::{PsidError, PsidReadings};
use super::super::role::RoleError;
use super::super::rule::RuleError;
use crate::reason::{Reason, Tell, said, sentence};
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
    Type(String),
    /// An unknown key in a rule string.
    Key(String),
    /// A value that is not a number, or out of range.
    Number {
        /// The option.
        key: &'static str,
        /// What it was set to.
        value: String,
        /// Largest value allowed.
        max: u16,
    },
    /// A number above its limit.
    TooLarge {
        /// The option.
        key: &'static str,
        /// What it was set to.
        value: u64,
        /// Largest value allowed.
        max: u16,
    },
    /// Not an IPv6 address.
    Ipv6 {
        /// The option.
        key: &'static str,
        /// What it was set to.
        value: String,
    },
    /// Not an IPv4 address.
    Ipv4 {
        /// The option.
        key: &'static str,
        /// What it was set to.
        value: String,
    },
    /// A part that every rule needs.
    Missing(&'static str),
    /// The PSID length exceeds the EA bits and no PSID is given.
    PsidLenOverEa {
        /// PSID length in bits.
        psid_len: u8,
        /// EA-bits length in bits.
        ea_len: u8,
    },
    /// The PSID length is not what the EA bits leave.
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
    OtherPsid {
        /// What was written down.
        stated: PsidReadings,
        /// The PSID in the end-user prefix.
        found: u16,
        /// The end-user prefix.
        end_user: Ipv6Net,
    },
    /// The end-user prefix that a rule names is none of its own.
    ForeignPd {
        /// The end-user prefix.
        pd: Ipv6Net,
        /// Rule IPv6 prefix.
        rule: Ipv6Net,
    },
    /// The DMR is no RFC 6052 prefix.
    Dmr(#[from] DmrError),
    /// The values contradict each other.
    Rule(#[from] RuleError),
    /// The EA length was left out, and what follows makes no rule.
    Derived {
        /// The EA length that follows, in bits.
        ea_len: u8,
        /// What is wrong then.
        error: RuleError,
    },
    /// An address that cannot be what it is given for.
    Role(#[from] RoleError),
}

impl Tell for SpecError {
    fn reason(&self) -> Reason {
        match self {
            Self::Type(value) => said!(
                "spec_type",
                "type {value}: must be map-e, map-t or lw4o6",
                excerpt(value)
            ),
            Self::Key(name) => said!(
                "spec_key",
                "{name} is not known; a rule has type, ipv6prefix, prefix6len, ipv4prefix, prefix4len, ealen, psidlen, offset, psid, pd, pdlen, br, dmr and fmr",
                excerpt(name)
            ),
            Self::Number { key, value, max } => said!(
                "spec_number",
                "{option} {value}: must be a number, at most {max}",
                key,
                excerpt(value),
                max
            ),
            Self::TooLarge { key, value, max } => said!(
                "spec_too_large",
                "{option} {value}: at most {max}",
                key,
                value,
                max
            ),
            Self::Ipv6 { key, value } => said!(
                "spec_ipv6",
                "{option} {value}: must be an IPv6 address",
                key,
                excerpt(value)
            ),
            Self::Ipv4 { key, value } => said!(
                "spec_ipv4",
                "{option} {value}: must be an IPv4 address",
                key,
                excerpt(value)
            ),
            Self::Missing(option) => said!("spec_missing", "{option} is missing", option),
            Self::PsidLenOverEa { psid_len, ea_len } => said!(
                "spec_psid_len_over_ea",
                "psidlen {length}: at most ealen, which is {ea}, unless psid is given too",
                psid_len,
                ea_len
            ),
            Self::PsidLen {
                psid_len,
                ea_len,
                ip4_len,
                left,
            } => said!(
                "spec_psid_len",
                "psidlen {length}: ealen {ea} and ip4prefixlen {prefix} leave {left} bits for the PSID",
                psid_len,
                ea_len,
                ip4_len,
                left
            ),
            Self::OtherPsid {
                stated,
                found,
                end_user,
            } => said!(
                "spec_other_psid",
                "psid {value}: the EA bits of {prefix} say {found}; leave psid out, or check ealen, psidlen and the prefix",
                stated,
                end_user,
                found
            ),
            Self::ForeignPd { pd, rule } => said!(
                "spec_foreign_pd",
                "pd {prefix}: not within the rule's ipv6prefix {rule}",
                pd,
                rule
            ),
            Self::Dmr(error) => error.reason(),
            Self::Rule(error) => error.reason(),
            Self::Derived { ea_len, error } => said!(
                "spec_derived",
                "ealen is missing, and the {ea} bits that follow from the rest do not fit: {reason}",
                ea_len,
                error
            ),
            Self::Role(error) => error.reason(),
        }
    }
}

sentence!(SpecError);

impl From<PsidError> for SpecError {
    fn from(error: PsidError) -> Self {
        SpecError::Rule(RuleError::Psid(error))
    }
}
