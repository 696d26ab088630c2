// SPDX-License-Identifier: GPL-2.0-or-later
//! The far end of a tunnel or of a request: a DNS name or an IPv6 address that
//! packets can be sent to.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::reason::{Reason, Tell, named, said, sentence};
use serde::Deserialize;

/// Why an address cannot be the end of a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// `::` or 0.0.0.0.
    Unspecified,
    /// `::1` or 127.0.0.0/8.
    Loopback,
    /// ff00::/8 or 224.0.0.0/4.
    Multicast,
    /// fe80::/10 or 169.254.0.0/16.
    LinkLocal,
    /// ::ffff:0:0/96 (RFC 4291 section 2.5.5.2): never on the wire.
    Mapped,
    /// 255.255.255.255.
    Broadcast,
}

impl Tell for AddressError {
    fn reason(&self) -> Reason {
        match self {
            Self::Unspecified => said!(
                "address_unspecified",
                "the unspecified address cannot be used"
            ),
            Self::Loopback => said!("address_loopback", "a loopback address cannot be used"),
            Self::Multicast => said!("address_multicast", "a multicast address cannot be used"),
            Self::LinkLocal => said!("address_link_local", "a link-local address cannot be used"),
            Self::Mapped => said!(
                "address_mapped",
                "an IPv4-mapped IPv6 address cannot be used"
            ),
            Self::Broadcast => said!("address_broadcast", "the broadcast address cannot be used"),
        }
    }
}

sentence!(AddressError);

/// Checks that packets can be sent to and from `address` across a network.
///
/// # Errors
/// The kind of address that it is instead.
pub fn check_ipv6(address: Ipv6Addr) -> Result<(), AddressError> {
    match address {
        a if a.is_unspecified() => Err(AddressError::Unspecified),
        a if a.is_loopback() => Err(AddressError::Loopback),
        a if a.is_multicast() => Err(AddressError::Multicast),
        a if a.is_unicast_link_local() => Err(AddressError::LinkLocal),
        a if a.to_ipv4_mapped().is_some() => Err(AddressError::Mapped),
        _ => Ok(()),
    }
}

/// Checks that a CE can have `address`. Private addresses pass: operators use
/// them behind their own NAT.
///
/// # Errors
/// The kind of address that it is instead.
pub fn check_ipv4(address: Ipv4Addr) -> Result<(), AddressError> {
    match address {
        a if a.is_unspecified() => Err(AddressError::Unspecified),
        a if a.is_loopback() => Err(AddressError::Loopback),
        a if a.is_multicast() => Err(AddressError::Multicast),
        a if a.is_link_local() => Err(AddressError::LinkLocal),
        a if a.is_broadcast() => Err(AddressError::Broadcast),
        _ => Ok(()),
    }
}

/// A DNS name of letters, digits, hyphens and underscores, in lower case and
/// without a final dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DnsName(String);

/// Why a text is no DNS name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DnsNameError {
    /// Nothing at all, or only a dot.
    Empty,
    /// More than fits into a message (RFC 1035 section 2.3.4).
    TooLong,
    /// A label that is empty, too long or begins or ends with a hyphen.
    Label,
    /// A character that names of hosts do not have.
    Character,
    /// The last label is a number, as in an IPv4 address.
    Numeric,
}

impl Tell for DnsNameError {
    fn reason(&self) -> Reason {
        match self {
            Self::Empty => said!("dns_name_empty", "a DNS name cannot be empty"),
            Self::TooLong => said!("dns_name_too_long", "a DNS name has at most 253 characters"),
            Self::Label => said!(
                "dns_name_label",
                "each part of a DNS name has 1 to 63 characters and no hyphen at either end"
            ),
            Self::Character => said!(
                "dns_name_character",
                "a DNS name consists of letters, digits, hyphens and underscores"
            ),
            Self::Numeric => said!(
                "dns_name_numeric",
                "a DNS name cannot end in a number; an IPv4 address cannot be used"
            ),
        }
    }
}

sentence!(DnsNameError);

impl DnsName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DnsName {
    type Err = DnsNameError;

    fn from_str(text: &str) -> Result<Self, DnsNameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(DnsNameError::Empty);
        }
        if text.len() > 253 {
            return Err(DnsNameError::TooLong);
        }
        for label in text.split('.') {
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            if !label.bytes().all(is_plain) {
                return Err(DnsNameError::Character);
            }
            if label.is_empty()
                || label.len() > 63
                || label.starts_with('-')
                || label.ends_with('-')
            {
                return Err(DnsNameError::Label);
            }
        }
        let last = text.rsplit('.').next().unwrap_or_default();
        if last.bytes().all(|b| b.is_ascii_digit()) {
            return Err(DnsNameError::Numeric);
        }
        Ok(DnsName(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

named!(DnsName);

/// A tunnel's far end as it is provisioned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum Endpoint {
    /// An address that needs no resolver.
    Address(Ipv6Addr),
    /// A name, to be resolved at the uplink's own resolvers.
    Name(DnsName),
}

/// Why a text is neither a usable IPv6 address nor a DNS name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// An IPv4 address: it cannot be reached over an IPv6-only line.
    Ipv4,
    /// An IPv6 address that cannot be the end of a tunnel.
    Address(#[from] AddressError),
    /// Neither address nor name.
    Name(#[from] DnsNameError),
}

impl Tell for EndpointError {
    fn reason(&self) -> Reason {
        match self {
            Self::Ipv4 => said!(
                "endpoint_ipv4",
                "must be an IPv6 address or a DNS name, not an IPv4 address"
            ),
            Self::Address(error) => error.reason(),
            Self::Name(reason) => said!(
                "endpoint_name",
                "must be an IPv6 address or a DNS name: {reason}",
                reason
            ),
        }
    }
}

sentence!(EndpointError);

impl Endpoint {
    /// The address; `None` while only a name is known.
    pub fn address(&self) -> Option<Ipv6Addr> {
        match self {
            Endpoint::Address(address) => Some(*address),
            Endpoint::Name(_) => None,
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        if text.parse::<Ipv4Addr>().is_ok() {
            return Err(EndpointError::Ipv4);
        }
        let Ok(address) = text.parse() else {
            return Ok(Endpoint::Name(text.parse()?));
        };
        check_ipv6(address)?;
        Ok(Endpoint::Address(address))
    }
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;

    fn try_from(text: String) -> Result<Self, EndpointError> {
        text.parse()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Address(address) => address.fmt(f),
            Endpoint::Name(name) => name.fmt(f),
        }
    }
}

named!(Endpoint);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_and_lowered() {
        let name = |text: &str| text.parse::<DnsName>();
        assert_eq!(name("GW.Transix.JP.").unwrap().as_str(), "gw.transix.jp");
        assert!(name("_dns.resolver-1.arpa").is_ok());
        assert_eq!(name(""), Err(DnsNameError::Empty));
        assert_eq!(name("."), Err(DnsNameError::Empty));
        assert_eq!(name("a..b"), Err(DnsNameError::Label));
        assert_eq!(name("-a.example"), Err(DnsNameError::Label));
        assert_eq!(name(&"a".repeat(64)), Err(DnsNameError::Label));
        assert_eq!(
            name(&"a.".repeat(127)),
            Ok(DnsName("a.".repeat(127).trim_end_matches('.').into()))
        );
        assert_eq!(name(&"ab.".repeat(127)), Err(DnsNameError::TooLong));
        assert_eq!(name("<b>aftr</b>"), Err(DnsNameError::Character));
        assert_eq!(name("日本.example"), Err(DnsNameError::Character));
        assert_eq!(name("192.0.2.1"), Err(DnsNameError::Numeric));
    }

    #[test]
    fn addresses_that_lead_nowhere_are_refused() {
        for (text, why) in [
            ("::", AddressError::Unspecified),
            ("::1", AddressError::Loopback),
            ("ff02::1", AddressError::Multicast),
            ("fe80::1", AddressError::LinkLocal),
            ("::ffff:192.0.2.1", AddressError::Mapped),
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(EndpointError::Address(why)));
        }
        assert_eq!("192.0.2.1".parse::<Endpoint>(), Err(EndpointError::Ipv4));
        let address = "2001:db8::1".parse::<Endpoint>().unwrap();
        assert_eq!(address.address(), "2001:db8::1".parse().ok());
        for (text, why) in [
            ("0.0.0.0", AddressError::Unspecified),
            ("127.1.2.3", AddressError::Loopback),
            ("224.0.0.1", AddressError::Multicast),
            ("169.254.1.1", AddressError::LinkLocal),
            ("255.255.255.255", AddressError::Broadcast),
        ] {
            assert_eq!(check_ipv4(text.parse().unwrap()), Err(why));
        }
        assert_eq!(check_ipv4(Ipv4Addr::new(10, 0, 0, 1)), Ok(()));
    }
}
