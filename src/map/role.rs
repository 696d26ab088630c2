// SPDX-License-Identifier: GPL-2.0-or-later
//! What an address or prefix cannot be, whatever a user or server says: the one
//! place that knows what can be a BR, a CE's IPv4 address, a rule IPv4 prefix
//! or an end-user prefix.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::map_type::MapType;
use crate::reason::{Reason, Tell, said, sentence};

/// Why an address or prefix cannot play its part.
///
/// ```
/// use mape::map::check_br;
///
/// let error = check_br("::1".parse()?).unwrap_err();
/// assert_eq!(error.to_string(), "br ::1: loopback, so no border relay has it");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// Not the address of a BR or AFTR.
    Br {
        /// The address.
        address: Ipv6Addr,
        /// What it is instead.
        kind: Kind,
    },
    /// The BR is the CE itself.
    OwnBr(Ipv6Addr),
    /// Not a prefix CEs can have addresses of.
    RuleIpv4 {
        /// The rule IPv4 prefix.
        prefix: Ipv4Net,
        /// What it is instead.
        kind: Kind,
    },
    /// Not an address a CE can have.
    CeIpv4 {
        /// The address.
        address: Ipv4Addr,
        /// What it is instead.
        kind: Kind,
    },
    /// Not a prefix of a subscriber.
    EndUser {
        /// The prefix.
        prefix: Ipv6Net,
        /// What it is instead.
        kind: Kind,
    },
    /// A single address without a binding.
    Host(Ipv6Net),
}

impl Tell for RoleError {
    fn reason(&self) -> Reason {
        match self {
            Self::Br { address, kind } => said!(
                "role_br",
                "br {address}: {reason}, so no border relay has it",
                address,
                kind
            ),
            Self::OwnBr(address) => said!(
                "role_own_br",
                "br {address}: that is this router's own address on the line",
                address
            ),
            Self::RuleIpv4 { prefix, kind } => said!(
                "role_rule_ipv4",
                "ipv4prefix {prefix}: {reason}, so no subscriber can have an address of it",
                prefix,
                kind
            ),
            Self::CeIpv4 { address, kind } => said!(
                "role_ce_ipv4",
                "the rule makes this line's IPv4 address {address}: {reason}; it cannot be right",
                address,
                kind
            ),
            Self::EndUser { prefix, kind } => said!(
                "role_end_user",
                "end-user prefix {prefix}: {reason}, so no line has it",
                prefix,
                kind
            ),
            Self::Host(prefix) => said!(
                "role_host",
                "end-user prefix {prefix}: a single address; only lw4o6 binds one, MAP needs the prefix of the line",
                prefix
            ),
        }
    }
}

sentence!(RoleError);

/// What kind of address or prefix it is instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `::` or `::/LENGTH`.
    Unspecified,
    /// `::1`.
    Loopback,
    /// `ff00::/8`.
    Multicast,
    /// `fe80::/10`.
    LinkLocal,
    /// `::ffff:0:0/96`.
    Mapped,
    /// `::/0`.
    All,
    /// `0.0.0.0/8`.
    ThisNetwork,
    /// `127.0.0.0/8`.
    LoopbackIpv4,
    /// `224.0.0.0/4`.
    MulticastIpv4,
    /// `240.0.0.0/4`.
    Reserved,
}

impl Tell for Kind {
    fn reason(&self) -> Reason {
        match self {
            Self::Unspecified => said!("is_unspecified", "unspecified"),
            Self::Loopback => said!("is_loopback", "loopback"),
            Self::Multicast => said!("is_multicast", "multicast"),
            Self::LinkLocal => said!("is_link_local", "link-local"),
            Self::Mapped => said!("is_mapped", "an IPv4 address in IPv6 notation"),
            Self::All => said!("is_all", "all of IPv6"),
            Self::ThisNetwork => {
                said!("is_this_network", "in 0.0.0.0/8, which is \"this network\"")
            }
            Self::LoopbackIpv4 => said!("is_loopback_ipv4", "in 127.0.0.0/8, which is loopback"),
            Self::MulticastIpv4 => said!("is_multicast_ipv4", "in 224.0.0.0/4, which is multicast"),
            Self::Reserved => said!("is_reserved", "in 240.0.0.0/4, which is reserved"),
        }
    }
}

fn kind_of_ipv4(address: Ipv4Addr) -> Option<Kind> {
    match address.octets() {
        [0, ..] => Some(Kind::ThisNetwork),
        [127, ..] => Some(Kind::LoopbackIpv4),
        [224..=239, ..] => Some(Kind::MulticastIpv4),
        [240..=255, ..] => Some(Kind::Reserved),
        _ => None,
    }
}

fn kind_of_ipv6(address: Ipv6Addr) -> Option<Kind> {
    if address.is_unspecified() {
        Some(Kind::Unspecified)
    } else if address.is_loopback() {
        Some(Kind::Loopback)
    } else if address.is_multicast() {
        Some(Kind::Multicast)
    } else if address.is_unicast_link_local() {
        Some(Kind::LinkLocal)
    } else if address.to_ipv4_mapped().is_some() {
        Some(Kind::Mapped)
    } else {
        None
    }
}

/// Whether `address` can be that of a BR or AFTR.
///
/// ```
/// use mape::map::check_br;
///
/// assert!(check_br("2001:db8:ffff::1".parse()?).is_ok());
/// let error = check_br("ff02::1".parse()?).unwrap_err();
/// assert_eq!(error.to_string(), "br ff02::1: multicast, so no border relay has it");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
///
/// # Errors
/// It is not global unicast.
pub fn check_br(address: Ipv6Addr) -> Result<(), RoleError> {
    match kind_of_ipv6(address) {
        Some(kind) => Err(RoleError::Br { address, kind }),
        None => Ok(()),
    }
}

/// Whether CEs can have addresses of `prefix`. One that merely contains
/// addresses nobody can have is fine: [`check_ce_ipv4`] looks at each.
pub(super) fn check_rule_ipv4(prefix: Ipv4Net) -> Result<(), RoleError> {
    let is_within = |first: Option<Kind>| first.is_some() && prefix.prefix_len() >= 4;
    let (first, last) = (prefix.network(), prefix.broadcast());
    match kind_of_ipv4(first).filter(|_| is_within(kind_of_ipv4(last))) {
        Some(kind) => Err(RoleError::RuleIpv4 { prefix, kind }),
        None => Ok(()),
    }
}

/// Whether a CE can have that address.
pub(super) fn check_ce_ipv4(address: Ipv4Addr) -> Result<(), RoleError> {
    match kind_of_ipv4(address) {
        Some(kind) => Err(RoleError::CeIpv4 { address, kind }),
        None => Ok(()),
    }
}

/// Whether `prefix` can be the end-user prefix of a line of that type; of any
/// line, if the type is not known yet.
///
/// ```
/// use mape::map::{MapType, check_end_user};
///
/// let single = "2001:db8:12:3400::1/128".parse()?;
/// assert!(check_end_user(single, Some(MapType::Lw4o6)).is_ok());
/// assert!(check_end_user(single, Some(MapType::MapE)).is_err());
/// assert!(check_end_user("::/0".parse()?, None).is_err());
/// # Ok::<(), ipnet::AddrParseError>(())
/// ```
///
/// # Errors
/// It is no global unicast prefix, or a single address without a binding.
pub fn check_end_user(prefix: Ipv6Net, map_type: Option<MapType>) -> Result<(), RoleError> {
    let kind = match prefix.prefix_len() {
        0 => Some(Kind::All),
        len if len < 128 && prefix.network().is_unspecified() => Some(Kind::Unspecified),
        _ => kind_of_ipv6(prefix.network()),
    };
    if let Some(kind) = kind {
        return Err(RoleError::EndUser { prefix, kind });
    }
    let binds = map_type.is_none_or(|map_type| map_type == MapType::Lw4o6);
    match prefix.prefix_len() == 128 && !binds {
        true => Err(RoleError::Host(prefix)),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn border_relays() {
        for bad in ["::", "::1", "ff02::1", "fe80::1", "::ffff:192.0.2.1"] {
            assert!(check_br(bad.parse().unwrap()).is_err(), "{bad}");
        }
        for good in ["2001:db8::1", "fd00::1", "64:ff9b::1"] {
            assert_eq!(check_br(good.parse().unwrap()), Ok(()), "{good}");
        }
    }

    #[test]
    fn rule_ipv4_prefixes() {
        for bad in [
            "0.0.0.0/8",
            "0.1.2.3/32",
            "127.0.0.0/8",
            "127.0.0.1/32",
            "224.0.0.0/4",
            "239.1.2.0/24",
            "240.0.0.0/4",
            "255.255.255.255/32",
        ] {
            assert!(check_rule_ipv4(bad.parse().unwrap()).is_err(), "{bad}");
        }
        for good in ["0.0.0.0/0", "10.0.0.0/8", "126.0.0.0/7", "106.72.0.0/15"] {
            assert_eq!(check_rule_ipv4(good.parse().unwrap()), Ok(()), "{good}");
        }
        assert!(check_ce_ipv4("127.0.0.1".parse().unwrap()).is_err());
    }

    #[test]
    fn end_user_prefixes() {
        for bad in ["::/0", "::/64", "::1/128", "ff00::/16", "fe80::/64"] {
            assert!(check_end_user(bad.parse().unwrap(), None).is_err(), "{bad}");
        }
        for good in ["240b:10:1:200::/56", "2001:db8::1/128"] {
            assert_eq!(check_end_user(good.parse().unwrap(), None), Ok(()));
        }
    }
}
