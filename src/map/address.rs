// SPDX-License-Identifier: GPL-2.0-or-later
//! IPv6 addresses that carry IPv4: the CE's interface identifier in both
//! dialects, and the default mapping prefix of MAP-T.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::Ipv6Net;
use serde::{Deserialize, Serialize};

use super::bits::{covers, extract, overlay, place};
use super::psid::Psid;
use crate::reason::{Reason, Tell, said, sentence};

/// How the CE's interface identifier is laid out.
///
/// ```
/// use mape::map::Dialect;
///
/// assert_eq!("draft-03".parse(), Ok(Dialect::Draft03));
/// assert!("rfc6333".parse::<Dialect>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Dialect {
    /// RFC 7597 section 6: 16 zero bits, IPv4, PSID in 16 bits.
    #[serde(rename = "rfc7597")]
    Rfc7597,
    /// draft-ietf-softwire-map-03: 8 zero bits, IPv4, PSID in 16 bits, 8 zero
    /// bits. What the Japanese VNEs run; UCI's `legacymap`.
    #[serde(rename = "draft-03")]
    Draft03,
}

impl Dialect {
    /// The name shown to people.
    ///
    /// ```
    /// use mape::map::Dialect;
    ///
    /// assert_eq!(Dialect::Rfc7597.as_str(), "rfc7597");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Dialect::Rfc7597 => "rfc7597",
            Dialect::Draft03 => "draft-03",
        }
    }

    /// Bit at which the IPv4 address starts.
    fn ipv4_bit(self) -> u8 {
        match self {
            Dialect::Rfc7597 => 80,
            Dialect::Draft03 => 72,
        }
    }

    /// The address of a CE: the interface identifier of `ipv4` and `psid`
    /// under `prefix`. If the prefix is longer than 64 bits, it overwrites
    /// the identifier's first bits (RFC 7597 section 6).
    ///
    /// An IPv4 prefix goes in with its host bits zero.
    ///
    /// ```
    /// use mape::map::{Dialect, Psid};
    ///
    /// let (prefix, ipv4) = ("2001:db8:12:3400::/56".parse()?, "192.0.2.18".parse()?);
    /// let psid = Psid::new(0x34, 8)?;
    /// let rfc = Dialect::Rfc7597.ce_address(prefix, ipv4, psid);
    /// assert_eq!(rfc.to_string(), "2001:db8:12:3400:0:c000:212:34");
    /// let draft = Dialect::Draft03.ce_address(prefix, ipv4, psid);
    /// assert_eq!(draft.to_string(), "2001:db8:12:3400:c0:2:1200:3400");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ce_address(self, prefix: Ipv6Net, ipv4: Ipv4Addr, psid: Psid) -> Ipv6Addr {
        let at = self.ipv4_bit();
        let mut octets = [0; 16];
        place(&mut octets, ipv4.to_bits(), at, 32);
        place(&mut octets, psid.value().into(), at + 32, 16);
        overlay(&mut octets, &prefix.addr().octets(), prefix.prefix_len());
        octets.into()
    }

    /// The IPv4 address and PSID an interface identifier claims.
    ///
    /// ```
    /// use mape::map::Dialect;
    ///
    /// let (ipv4, psid) = Dialect::Rfc7597.claimed("2001:db8:12:3400:0:c000:212:34".parse()?);
    /// assert_eq!((ipv4.to_string().as_str(), psid), ("192.0.2.18", 0x34));
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    pub fn claimed(self, address: Ipv6Addr) -> (Ipv4Addr, u16) {
        let at = self.ipv4_bit();
        let octets = address.octets();
        let psid = extract(&octets, at + 32, 16) as u16;
        (Ipv4Addr::from_bits(extract(&octets, at, 32)), psid)
    }
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "rfc7597" => Ok(Dialect::Rfc7597),
            "draft-03" => Ok(Dialect::Draft03),
            other => Err(format!("dialect {other}: must be rfc7597 or draft-03")),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The default mapping rule of MAP-T (RFC 7599 section 5.1): a prefix under
/// which all of IPv4 stands as RFC 6052 says.
///
/// ```
/// use mape::map::Dmr;
///
/// let dmr: Dmr = "2001:db8:ffff::/64".parse()?;
/// assert_eq!(dmr.to_string(), "2001:db8:ffff::/64");
/// # Ok::<(), mape::map::DmrError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "Ipv6Net")]
pub struct Dmr(Ipv6Net);

/// Why a DMR was refused.
///
/// ```
/// use mape::map::Dmr;
///
/// let error = "2001:db8:ffff::/72".parse::<Dmr>().unwrap_err();
/// assert!(error.to_string().contains("32, 40, 48, 56, 64 or 96"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DmrError {
    /// Not `address/length`.
    Syntax(String),
    /// A length RFC 6052 section 2.2 does not know.
    Length(Ipv6Net),
}

impl Tell for DmrError {
    fn reason(&self) -> Reason {
        match self {
            Self::Syntax(value) => said!(
                "dmr_syntax",
                "dmr {value}: must be an IPv6 prefix such as 2001:db8:ffff::/64",
                value
            ),
            Self::Length(value) => said!(
                "dmr_length",
                "dmr {value}: the length must be 32, 40, 48, 56, 64 or 96 (RFC 6052)",
                value
            ),
        }
    }
}

sentence!(DmrError);

impl Dmr {
    /// A DMR from a prefix; host bits are dropped.
    ///
    /// ```
    /// use mape::map::Dmr;
    ///
    /// assert!(Dmr::new("2001:db8::/32".parse()?).is_ok());
    /// assert!(Dmr::new("2001:db8::/33".parse()?).is_err());
    /// # Ok::<(), ipnet::AddrParseError>(())
    /// ```
    ///
    /// # Errors
    /// A length RFC 6052 does not define.
    pub fn new(prefix: Ipv6Net) -> Result<Self, DmrError> {
        match prefix.prefix_len() {
            32 | 40 | 48 | 56 | 64 | 96 => Ok(Dmr(prefix.trunc())),
            _ => Err(DmrError::Length(prefix)),
        }
    }

    /// The prefix itself.
    ///
    /// ```
    /// use mape::map::Dmr;
    ///
    /// let dmr: Dmr = "2001:db8:ffff::1/64".parse()?;
    /// assert_eq!(dmr.prefix().to_string(), "2001:db8:ffff::/64");
    /// # Ok::<(), mape::map::DmrError>(())
    /// ```
    pub fn prefix(self) -> Ipv6Net {
        self.0
    }

    /// The IPv6 address that stands for `ipv4` (RFC 6052 section 2.2): bits 64
    /// to 71 stay zero, the address continues after them.
    ///
    /// ```
    /// use mape::map::Dmr;
    ///
    /// let dmr: Dmr = "2001:db8:ffff::/64".parse()?;
    /// let address = dmr.embed("192.0.2.33".parse()?);
    /// assert_eq!(address.to_string(), "2001:db8:ffff:0:c0:2:2100:0");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn embed(self, ipv4: Ipv4Addr) -> Ipv6Addr {
        let mut octets = self.0.addr().octets();
        let (before, v4) = (self.bits_before_gap(), ipv4.octets());
        let head = extract(&v4, 0, before);
        place(&mut octets, head, self.0.prefix_len(), before);
        let tail = extract(&v4, before, 32 - before);
        place(&mut octets, tail, self.tail_at(), 32 - before);
        octets.into()
    }

    /// Bits of an IPv4 address that stand before the gap.
    fn bits_before_gap(self) -> u8 {
        64u8.saturating_sub(self.0.prefix_len())
    }

    /// Bit at which the rest of it begins.
    fn tail_at(self) -> u8 {
        self.0.prefix_len().max(72)
    }

    /// The IPv4 address that `address` stands for, if it lies in this prefix.
    ///
    /// ```
    /// use mape::map::Dmr;
    ///
    /// let dmr: Dmr = "2001:db8:ffff::/64".parse()?;
    /// let ipv4 = dmr.extract("2001:db8:ffff:0:c0:2:2100:0".parse()?);
    /// assert_eq!(ipv4, Some("192.0.2.33".parse()?));
    /// assert_eq!(dmr.extract("2001:db8::1".parse()?), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn extract(self, address: Ipv6Addr) -> Option<Ipv4Addr> {
        if !covers(self.0, address.into()) {
            return None;
        }
        let (before, from) = (self.bits_before_gap(), address.octets());
        let mut octets = [0; 4];
        let head = extract(&from, self.0.prefix_len(), before);
        place(&mut octets, head, 0, before);
        let tail = extract(&from, self.tail_at(), 32 - before);
        place(&mut octets, tail, before, 32 - before);
        Some(octets.into())
    }
}

impl TryFrom<Ipv6Net> for Dmr {
    type Error = DmrError;

    fn try_from(prefix: Ipv6Net) -> Result<Self, DmrError> {
        Dmr::new(prefix)
    }
}

impl fmt::Display for Dmr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Dmr {
    type Err = DmrError;

    fn from_str(s: &str) -> Result<Self, DmrError> {
        let prefix = s.parse().map_err(|_| DmrError::Syntax(s.into()))?;
        Dmr::new(prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6052_section_2_4_table() {
        let v4: Ipv4Addr = "192.0.2.33".parse().unwrap();
        for (prefix, expected) in [
            ("2001:db8::/32", "2001:db8:c000:221::"),
            ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
            ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
            ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
            ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
            ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
        ] {
            let dmr: Dmr = prefix.parse().unwrap();
            let expected: Ipv6Addr = expected.parse().unwrap();
            assert_eq!(dmr.embed(v4), expected, "{prefix}");
            assert_eq!(dmr.extract(expected), Some(v4), "{prefix}");
        }
    }

    #[test]
    fn dmr_outside_and_illegal() {
        let dmr: Dmr = "2001:db8::/32".parse().unwrap();
        assert_eq!(dmr.extract("2001:db9::1".parse().unwrap()), None);
        assert!("2001:db8::/33".parse::<Dmr>().is_err());
        assert!("2001:db8::1".parse::<Dmr>().is_err());
    }

    #[test]
    fn identifiers_in_both_dialects() {
        let net: Ipv6Net = "2001:db8:12:3400::/56".parse().unwrap();
        let v4 = Ipv4Addr::new(192, 0, 2, 18);
        let psid = Psid::new(0x34, 8).unwrap();
        let rfc = Dialect::Rfc7597.ce_address(net, v4, psid);
        assert_eq!(rfc.to_string(), "2001:db8:12:3400:0:c000:212:34");
        assert_eq!(Dialect::Rfc7597.claimed(rfc), (v4, 0x34));
        let draft = Dialect::Draft03.ce_address(net, v4, psid);
        assert_eq!(draft.to_string(), "2001:db8:12:3400:c0:2:1200:3400");
        assert_eq!(Dialect::Draft03.claimed(draft), (v4, 0x34));
    }

    #[test]
    fn a_long_prefix_overwrites_the_identifier() {
        let net: Ipv6Net = "2001:db8:0:0:1234::/80".parse().unwrap();
        let psid = Psid::new(0, 0).unwrap();
        let ce = Dialect::Draft03.ce_address(net, Ipv4Addr::new(192, 0, 2, 1), psid);
        assert_eq!(ce.to_string(), "2001:db8::1234:2:100:0");
        let host: Ipv6Net = "2001:db8::5/128".parse().unwrap();
        let ce = Dialect::Rfc7597.ce_address(host, Ipv4Addr::new(192, 0, 2, 1), psid);
        assert_eq!(ce, host.addr());
    }
}
