// SPDX-License-Identifier: GPL-2.0-or-later
//! The objects of an answer, one for each mechanism: every value within its
//! own range, and [`Offer::check`] for what must hold between them.

use std::fmt::Display;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{Ipv4Net, Ipv6Net};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::read::{flag, number, up_to};
use super::values;
use crate::endpoint::{AddressError, Endpoint, check_ipv4, check_ipv6};
use crate::map::Dialect;
use crate::members::{FromMembers, MemberError, Members};
use crate::sanitize::excerpt;

/// An offer that contradicts itself: the key that is wrong, below the offer's
/// own, and why.
pub(super) type Contradiction = (String, String);

/// What an object for a mechanism has in common with the others.
pub(super) trait Offer {
    /// Checks the values against each other.
    fn check(&self) -> Result<(), Contradiction>;
}

/// `map_e`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapE {
    /// `version`: 0 is draft-ietf-softwire-map-03, 1 is RFC 7597.
    pub dialect: Dialect,
    /// `mesh`: CEs reach each other without the BR.
    pub mesh: bool,
    /// Address of the BR.
    pub br: Ipv6Addr,
    /// The rules; which of them is the BMR follows from the CE's prefix.
    pub rules: Vec<Rule>,
}

/// `map_t`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapT {
    /// Default mapping rule.
    pub dmr: Ipv6Net,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// One of `rules`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Rule IPv6 prefix, without host bits.
    pub ipv6: Ipv6Net,
    /// Rule IPv4 prefix, without host bits.
    pub ipv4: Ipv4Net,
    /// EA-bits length in bits.
    pub ea_length: u8,
    /// PSID offset in bits.
    pub psid_offset: u8,
}

/// `lw4o6`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lw4o6 {
    /// The lwAFTR.
    pub lwaftr: Endpoint,
    /// Binding prefix, without host bits.
    pub ipv6: Ipv6Net,
    /// The shared address.
    pub ipv4: Ipv4Addr,
    /// PSID, right-justified.
    pub psid: u16,
    /// PSID length in bits.
    pub psid_length: u8,
    /// PSID offset in bits.
    pub psid_offset: u8,
}

/// `dslite`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DsLite {
    /// The AFTR.
    pub aftr: Endpoint,
}

/// One of `ipip`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpIp {
    /// Address of the CE.
    pub local: Ipv6Addr,
    /// Address of the BR.
    pub remote: Ipv6Addr,
    /// The fixed address or block, as written.
    pub ipv4: Ipv4Net,
}

/// `464xlat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xlat464 {
    /// Prefix of the NAT64.
    pub nat64_prefix: Ipv6Net,
}

impl FromMembers for MapE {
    fn from_members(mut members: Members) -> Result<Self, MemberError> {
        Ok(MapE {
            dialect: members
                .optional_with("version", dialect)?
                .unwrap_or(Dialect::Draft03),
            mesh: members.optional_with("mesh", flag)?.unwrap_or(false),
            br: members.required_with("br", ipv6_address)?,
            rules: members.required_objects("rules")?,
        })
    }
}

impl FromMembers for MapT {
    fn from_members(mut members: Members) -> Result<Self, MemberError> {
        Ok(MapT {
            dmr: members.required_with("dmr", ipv6_prefix)?,
            rules: members.required_objects("rules")?,
        })
    }
}

impl FromMembers for Rule {
    fn from_members(mut members: Members) -> Result<Self, MemberError> {
        Ok(Rule {
            ipv6: members.required_with("ipv6", ipv6_prefix)?,
            ipv4: members.required_with("ipv4", ipv4_prefix)?,
            ea_length: members.required_with("ea_length", up_to::<48, _>)?,
            psid_offset: members.required_with("psid_offset", up_to::<15, _>)?,
        })
    }
}

impl FromMembers for Lw4o6 {
    fn from_members(mut members: Members) -> Result<Self, MemberError> {
        Ok(Lw4o6 {
            lwaftr: members.required("lwaftr")?,
            ipv6: members.required_with("ipv6", ipv6_prefix)?,
            ipv4: members.required_with("ipv4", ipv4_address)?,
            psid: members.required_with("psid", psid)?,
            psid_length: members.required_with("psid_length", up_to::<16, _>)?,
            psid_offset: members.required_with("psid_offset", up_to::<15, _>)?,
        })
    }
}

impl FromMembers for DsLite {
    fn from_members(mut members: Members) -> Result<Self, MemberError> {
        Ok(DsLite {
            aftr: members.required("aftr")?,
        })
    }
}

impl FromMembers for IpIp {
    fn from_members(mut members: Members) -> Result<Self, MemberError> {
        Ok(IpIp {
            local: members.required_with("ipv6_local", ipv6_address)?,
            remote: members.required_with("ipv6_remote", ipv6_address)?,
            ipv4: members.required_with("ipv4", ipv4_block)?,
        })
    }
}

impl FromMembers for Xlat464 {
    fn from_members(mut members: Members) -> Result<Self, MemberError> {
        Ok(Xlat464 {
            nat64_prefix: members.required_with("nat64prefix", ipv6_prefix)?,
        })
    }
}

impl Rule {
    /// PSID length that the EA bits leave, in bits.
    pub fn psid_length(&self) -> u8 {
        let suffix = 32 - self.ipv4.prefix_len();
        self.ea_length.saturating_sub(suffix)
    }

    fn check(&self) -> Result<(), String> {
        let (len, ea) = (self.ipv6.prefix_len(), self.ea_length);
        if len + ea > 128 {
            return Err(format!(
                "ipv6 /{len} and ea_length {ea}: together at most 128"
            ));
        }
        let (offset, psid) = (self.psid_offset, self.psid_length());
        if offset + psid > 16 {
            return Err(format!(
                "psid_offset {offset} and {psid} bits of PSID: together at most 16"
            ));
        }
        Ok(())
    }
}

fn check_rules(rules: &[Rule], most: usize) -> Result<(), Contradiction> {
    if rules.is_empty() || rules.len() > most {
        let reason = format!("{} rules: must be 1 to {most}", rules.len());
        return Err(("rules".into(), reason));
    }
    for (at, rule) in rules.iter().enumerate() {
        rule.check()
            .map_err(|reason| (format!("rules[{at}]"), reason))?;
    }
    Ok(())
}

impl Offer for MapE {
    fn check(&self) -> Result<(), Contradiction> {
        check_rules(&self.rules, 256)
    }
}

impl Offer for MapT {
    fn check(&self) -> Result<(), Contradiction> {
        if self.dmr.prefix_len() > 96 {
            let reason = format!("{}: the length must be at most 96", self.dmr);
            return Err(("dmr".into(), reason));
        }
        check_rules(&self.rules, 200)
    }
}

impl Offer for Lw4o6 {
    fn check(&self) -> Result<(), Contradiction> {
        let (length, offset) = (self.psid_length, self.psid_offset);
        if offset + length > 16 {
            let reason = format!(
                "{length}: with psid_offset {offset} at most {}",
                16 - offset
            );
            return Err(("psid_length".into(), reason));
        }
        if u32::from(self.psid) >> length != 0 {
            let most = (1u32 << length) - 1;
            let reason = format!("{}: with psid_length {length} at most {most}", self.psid);
            return Err(("psid".into(), reason));
        }
        Ok(())
    }
}

impl Offer for Xlat464 {
    fn check(&self) -> Result<(), Contradiction> {
        match self.nat64_prefix.prefix_len() {
            32 | 40 | 48 | 56 | 64 | 96 => Ok(()),
            _ => {
                let reason = format!(
                    "{}: the length must be 32, 40, 48, 56, 64 or 96",
                    self.nat64_prefix
                );
                Err(("nat64prefix".into(), reason))
            }
        }
    }
}

fn dialect<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Dialect, D::Error> {
    values::dialect(number(deserializer)?).map_err(D::Error::custom)
}

fn psid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let number = number(deserializer)?;
    u16::try_from(number).map_err(|_| D::Error::custom(format_args!("{number}: at most 65535")))
}

/// A string that is read as `T`, which is `wanted`, and then checked.
fn text<'de, T: FromStr, D: Deserializer<'de>>(
    deserializer: D,
    wanted: &str,
    check: impl Fn(&T) -> Result<(), AddressError>,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    let refuse =
        |reason: &dyn Display| D::Error::custom(format_args!("{}: {reason}", excerpt(&text)));
    let value = text.parse().map_err(|_| refuse(&wanted))?;
    check(&value).map_err(|reason| refuse(&reason))?;
    Ok(value)
}

fn ipv6_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ipv6Addr, D::Error> {
    text(deserializer, "must be an IPv6 address", |address| {
        check_ipv6(*address)
    })
}

fn ipv4_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ipv4Addr, D::Error> {
    text(deserializer, "must be an IPv4 address", |address| {
        check_ipv4(*address)
    })
}

fn ipv6_prefix<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ipv6Net, D::Error> {
    const WANTED: &str = "must be an IPv6 prefix such as 2001:db8::/32";
    let net = text(deserializer, WANTED, |net: &Ipv6Net| check_ipv6(net.addr()))?;
    Ok(net.trunc())
}

fn ipv4_prefix<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ipv4Net, D::Error> {
    Ok(ipv4_block(deserializer)?.trunc())
}

fn ipv4_block<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ipv4Net, D::Error> {
    const WANTED: &str = "must be an IPv4 address with its prefix length, such as 192.0.2.1/32";
    text(deserializer, WANTED, |net: &Ipv4Net| check_ipv4(net.addr()))
}
