// SPDX-License-Identifier: GPL-2.0-or-later
//! The entries of a providers file, and what each value may be.

use std::fmt;
use std::net::Ipv6Addr;

use ipnet::{Ipv4Net, Ipv6Net};
use serde::Deserialize;
use serde_json::Value;

use super::known::{Carrier, Confidence, EncapLimit, KnownRule, OtherLine, Provider};
use super::problem::Problem;
use crate::endpoint::Endpoint;
use crate::map::{Border, Dialect, Dmr, MapType};
use crate::members::{FromMembers, MemberError, Members};
use crate::sanitize::{is_control, one_line, quoted};

/// Smallest MTU an IPv6 link may have (RFC 8200 section 5): no provider's
/// tunnel has less.
const MIN_MTU: u16 = 1280;

/// A provider as a file describes it. Members that are missing leave what is
/// known of the provider as it is.
#[derive(Debug)]
pub(super) struct ProviderEntry {
    name: Option<Title>,
    map_type: Option<ProviderType>,
    dialect: Option<Dialect>,
    psid_offset: Option<Bits<16>>,
    psid_len: Option<Bits<16>>,
    br: Option<Br>,
    dmr: Option<Dmr>,
    mtu: Option<Mtu>,
    encaplimit: Option<EncapLimit>,
    mesh: Option<bool>,
    confidence: Option<Confidence>,
    /// Each is a [`RuleEntry`], read by itself: a broken one is left out.
    pub(super) rules: Vec<Value>,
}

/// A rule as a file describes it.
#[derive(Debug)]
pub(super) struct RuleEntry {
    ipv6: RuleIpv6,
    ipv4: RuleIpv4,
    ea_len: Bits<48>,
    psid_offset: Option<Bits<16>>,
    psid_len: Option<Bits<16>>,
    br: Option<Br>,
    dmr: Option<Dmr>,
    confidence: Option<Confidence>,
}

/// A kind of line without MAP as a file describes it.
#[derive(Debug)]
pub(super) struct LineEntry {
    name: Option<Title>,
    mechanism: Option<LineMechanism>,
    aftr: Option<Endpoint>,
    br: Option<Br>,
    update: Option<Title>,
    mtu: Option<Mtu>,
    confidence: Option<Confidence>,
    advice: Title,
    prefixes: Vec<RuleIpv6>,
}

/// Mechanisms of lines without MAP.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum LineMechanism {
    DsLite,
    #[serde(rename = "ipip")]
    IpIp,
}

/// What a file says of all rules of a provider together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common {
    pub(super) psid_len: Option<u8>,
    pub(super) confidence: Confidence,
}

/// Types that providers have.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ProviderType {
    MapE,
    MapT,
}

/// A number of bits, at most `MAX`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u64")]
struct Bits<const MAX: u8>(u8);

impl<const MAX: u8> TryFrom<u64> for Bits<MAX> {
    type Error = String;

    fn try_from(number: u64) -> Result<Self, String> {
        match u8::try_from(number) {
            Ok(bits) if bits <= MAX => Ok(Bits(bits)),
            _ => Err(format!("must be a number from 0 to {MAX}, not {number}")),
        }
    }
}

/// An MTU in bytes.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u64")]
struct Mtu(u16);

impl TryFrom<u64> for Mtu {
    type Error = String;

    fn try_from(number: u64) -> Result<Self, String> {
        match u16::try_from(number) {
            Ok(mtu) if mtu >= MIN_MTU => Ok(Mtu(mtu)),
            _ => Err(format!(
                "must be a number from {MIN_MTU} to {}, not {number}",
                u16::MAX
            )),
        }
    }
}

/// A line of text that is shown to people and logged.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Title(String);

impl TryFrom<String> for Title {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.len() {
            1..=200 if !text.contains(is_control) => Ok(Title(text)),
            _ => Err("must be a line of text of 1 to 200 bytes"),
        }
    }
}

/// A rule IPv6 prefix without bits beyond its length: those are the mark of a
/// rule that was copied wrongly.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct RuleIpv6(Ipv6Net);

impl TryFrom<String> for RuleIpv6 {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.parse::<Ipv6Net>() {
            Ok(net) if net == net.trunc() && (1..=64).contains(&net.prefix_len()) => {
                Ok(RuleIpv6(net))
            }
            Ok(net) if net != net.trunc() => Err(host_bits(&text, &net.trunc())),
            _ => Err(format!(
                "must be an IPv6 prefix of 1 to 64 bits, not {}",
                quoted(&text)
            )),
        }
    }
}

fn host_bits(text: &str, meant: &dyn fmt::Display) -> String {
    format!("{text} has bits set beyond its length: is {meant} meant?")
}

/// A rule IPv4 prefix, of which the same holds.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct RuleIpv4(Ipv4Net);

impl TryFrom<String> for RuleIpv4 {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.parse::<Ipv4Net>() {
            Ok(net) if net == net.trunc() && net.prefix_len() >= 1 => Ok(RuleIpv4(net)),
            Ok(net) if net != net.trunc() => Err(host_bits(&text, &net.trunc())),
            _ => Err(format!(
                "must be an IPv4 prefix of 1 to 32 bits, not {}",
                quoted(&text)
            )),
        }
    }
}

/// The address of a BR.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Br(Ipv6Addr);

impl TryFrom<String> for Br {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.parse::<Ipv6Addr>() {
            Ok(br) if !br.is_unspecified() && !br.is_multicast() => Ok(Br(br)),
            _ => Err(format!("must be an IPv6 address, not {}", quoted(&text))),
        }
    }
}

/// Reads an entry of a file.
///
/// # Errors
/// It is no object, or the key and what is wrong with its value.
pub(super) fn entry<T: FromMembers>(value: Value) -> Result<T, Problem> {
    T::from_value(value).map_err(|MemberError { path, reason }| {
        // The file may hold anything; the log line stays readable.
        let reason = one_line(&reason, 160);
        match path.as_str() {
            "" => Problem::Entry(reason),
            key => Problem::Value {
                key: one_line(key, 40),
                reason,
            },
        }
    })
}

impl FromMembers for ProviderEntry {
    fn from_members(mut members: Members) -> Result<Self, MemberError> {
        members.only(&[
            "name",
            "type",
            "dialect",
            "psid_offset",
            "psid_len",
            "br",
            "dmr",
            "mtu",
            "encaplimit",
            "mesh",
            "confidence",
            "sources",
            "note",
            "rules",
        ])?;
        Ok(ProviderEntry {
            name: members.optional("name")?,
            map_type: members.optional("type")?,
            dialect: members.optional("dialect")?,
            psid_offset: members.optional("psid_offset")?,
            psid_len: members.optional("psid_len")?,
            br: members.optional("br")?,
            dmr: members.optional("dmr")?,
            mtu: members.optional("mtu")?,
            encaplimit: members.optional("encaplimit")?,
            mesh: members.optional("mesh")?,
            confidence: members.optional("confidence")?,
            rules: members
                .optional_with("rules", serde_json::from_value)?
                .unwrap_or_default(),
        })
    }
}

impl FromMembers for RuleEntry {
    fn from_members(mut members: Members) -> Result<Self, MemberError> {
        members.only(&[
            "ipv6",
            "ipv4",
            "ea_len",
            "psid_offset",
            "psid_len",
            "br",
            "dmr",
            "confidence",
            "note",
        ])?;
        Ok(RuleEntry {
            ipv6: members.required("ipv6")?,
            ipv4: members.required("ipv4")?,
            ea_len: members.required("ea_len")?,
            psid_offset: members.optional("psid_offset")?,
            psid_len: members.optional("psid_len")?,
            br: members.optional("br")?,
            dmr: members.optional("dmr")?,
            confidence: members.optional("confidence")?,
        })
    }
}

impl FromMembers for LineEntry {
    fn from_members(mut members: Members) -> Result<Self, MemberError> {
        Ok(LineEntry {
            name: members.optional("name")?,
            mechanism: members.optional("mechanism")?,
            aftr: members.optional("aftr")?,
            br: members.optional("br")?,
            update: members.optional("update")?,
            mtu: members.optional("mtu")?,
            confidence: members.optional("confidence")?,
            advice: members.required("advice")?,
            prefixes: members
                .optional_with("prefixes", serde_json::from_value)?
                .unwrap_or_default(),
        })
    }
}

/// An id of a provider: what fits into `option provider` without quotes.
pub(super) fn is_id(id: &str) -> bool {
    let legal = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_';
    // These have a meaning of their own.
    let is_taken = ["auto", "none", "hb46pp"].contains(&id);
    (1..=32).contains(&id.len()) && id.bytes().all(legal) && !is_taken
}

/// The BR or DMR of an entry, whichever belongs to its type.
fn border(map_type: MapType, br: Option<Br>, dmr: Option<Dmr>) -> Result<Option<Border>, Problem> {
    let foreign = |key| Problem::Foreign { key, map_type };
    match (map_type, br, dmr) {
        (MapType::MapT, Some(_), _) => Err(foreign("br")),
        (MapType::MapT, None, dmr) => Ok(dmr.map(Border::Dmr)),
        (_, _, Some(_)) => Err(foreign("dmr")),
        (_, br, None) => Ok(br.map(|br| Border::Br(br.0))),
    }
}

impl ProviderEntry {
    /// Puts the values over those in `provider`, all but the rules.
    ///
    /// # Errors
    /// A BR instead of a DMR, or the other way round.
    pub(super) fn put_over(&self, provider: &mut Provider) -> Result<Common, Problem> {
        if let Some(Title(name)) = &self.name {
            provider.name.clone_from(name);
        }
        if let Some(map_type) = self.map_type {
            provider.map_type = match map_type {
                ProviderType::MapE => MapType::MapE,
                ProviderType::MapT => MapType::MapT,
            };
        }
        let border = border(provider.map_type, self.br, self.dmr)?;
        provider.border = border.or(provider.border);
        provider.dialect = self.dialect.unwrap_or(provider.dialect);
        provider.offset = self.psid_offset.map(|bits| bits.0).or(provider.offset);
        provider.mtu = self.mtu.map(|mtu| mtu.0).or(provider.mtu);
        provider.encap_limit = self.encaplimit.unwrap_or(provider.encap_limit);
        provider.mesh = self.mesh.unwrap_or(provider.mesh);
        Ok(Common {
            psid_len: self.psid_len.map(|bits| bits.0),
            confidence: self.confidence.unwrap_or(Confidence::Local),
        })
    }
}

impl RuleEntry {
    /// The rule of `provider`, checked as a whole.
    ///
    /// # Errors
    /// Its parts do not go together, or one is missing.
    pub(super) fn rule(self, provider: &Provider, common: Common) -> Result<KnownRule, Problem> {
        let rule = KnownRule {
            ipv6: self.ipv6.0,
            ipv4: self.ipv4.0,
            ea_len: self.ea_len.0,
            offset: self.psid_offset.map(|bits| bits.0),
            border: border(provider.map_type, self.br, self.dmr)?,
            confidence: self.confidence.unwrap_or(common.confidence),
        };
        let psid_len = self.psid_len.map(|bits| bits.0).or(common.psid_len);
        check(&rule, provider, psid_len)?;
        Ok(rule)
    }
}

impl LineEntry {
    /// The line with that id.
    ///
    /// # Errors
    /// Something that its mechanism needs is missing.
    pub(super) fn line(self, id: &str) -> Result<OtherLine, Problem> {
        let carrier = match self.mechanism {
            Some(LineMechanism::DsLite) => Carrier::DsLite {
                aftr: self.aftr.ok_or(Problem::Missing("aftr"))?,
            },
            Some(LineMechanism::IpIp) => Carrier::IpIp {
                br: self.br.map(|br| br.0),
                update: self.update.map(|update| update.0),
            },
            None => Carrier::Other,
        };
        Ok(OtherLine {
            id: id.into(),
            name: self.name.map_or_else(|| id.into(), |name| name.0),
            carrier,
            mtu: self.mtu.map(|mtu| mtu.0),
            confidence: self.confidence.unwrap_or(Confidence::Local),
            advice: self.advice.0,
            prefixes: self.prefixes.iter().map(|prefix| prefix.0).collect(),
        })
    }
}

/// Whether the rule is legal with what its provider adds to it.
pub(super) fn check(
    rule: &KnownRule,
    provider: &Provider,
    psid_len: Option<u8>,
) -> Result<(), Problem> {
    let mut spec = provider.spec(rule, false);
    spec.psid_len = psid_len;
    spec.rule(provider.map_type, provider.dialect, None)?;
    match (provider.map_type, provider.border_of(rule)) {
        (MapType::MapT, Some(Border::Dmr(_))) | (MapType::MapE, Some(Border::Br(_))) => Ok(()),
        (MapType::MapT, _) => Err(Problem::Missing("dmr")),
        _ => Err(Problem::Missing("br")),
    }
}
