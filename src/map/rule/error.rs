// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be wrong with a complete rule.

use super::super::psid::PsidError;
use super::super::role::RoleError;
use crate::reason::{Reason, Tell, said, sentence};

/// Why a rule was refused. Names are those of the options.
///
/// ```
/// # use mape::map::{Dialect, MapType, RuleSpec};
/// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
/// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
/// let spec = RuleSpec { ea_len: Some(25), ..spec };
/// let error = spec.rule(MapType::MapE, Dialect::Rfc7597, None).unwrap_err();
/// assert_eq!(error.to_string(), "ip6prefixlen 40 and ealen 25: together at most 64");
/// # Ok::<(), Box<mape::map::SpecError>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// More EA bits than RFC 7597 section 5 allows.
    EaLen(u8),
    /// The end-user prefix would reach into the interface identifier.
    PrefixAndEa {
        /// Length of the rule IPv6 prefix in bits.
        prefix_len: u8,
        /// EA-bits length in bits.
        ea_len: u8,
    },
    /// The EA bits hold a PSID, and another one is provisioned.
    TwoPsids {
        /// EA-bits length in bits.
        ea_len: u8,
        /// Length of the rule IPv4 prefix in bits.
        ip4_len: u8,
    },
    /// A PSID for a whole IPv4 prefix.
    PsidWithoutAddress,
    /// Offset, PSID length or PSID out of range.
    Psid(#[from] PsidError),
    /// No CE can have an address of the rule IPv4 prefix.
    Ipv4(#[from] RoleError),
}

impl Tell for RuleError {
    fn reason(&self) -> Reason {
        match self {
            Self::EaLen(value) => said!("rule_ea_len", "ealen {value}: at most 48", value),
            Self::PrefixAndEa { prefix_len, ea_len } => said!(
                "rule_prefix_and_ea",
                "ip6prefixlen {prefix} and ealen {ea}: together at most 64",
                prefix_len,
                ea_len
            ),
            Self::TwoPsids { ea_len, ip4_len } => said!(
                "rule_two_psids",
                "psid: ealen {ea} and ip4prefixlen {prefix} already have the PSID in the prefix",
                ea_len,
                ip4_len
            ),
            Self::PsidWithoutAddress => said!(
                "rule_psid_without_address",
                "psid: an address is only shared when ip4prefixlen and ealen together reach 32"
            ),
            Self::Psid(error) => error.reason(),
            Self::Ipv4(error) => error.reason(),
        }
    }
}

sentence!(RuleError);
