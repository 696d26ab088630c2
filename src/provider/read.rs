// SPDX-License-Identifier: GPL-2.0-or-later
//! Single values of a providers file, each checked where it is read.

use std::net::Ipv6Addr;
use std::str::FromStr;

use ipnet::{Ipv4Net, Ipv6Net};

use crate::map::{Border, MapType};
use crate::value::Value;

use super::known::{Confidence, EncapLimit, KnownRule, OtherLine, Provider};
use super::parse::Problem;
use crate::json::line;
use crate::sanitize::one_line;

/// Smallest MTU an IPv6 link may have (RFC 8200 section 5), below which no
/// provider's tunnel goes; the largest is what 16 bits hold.
const MIN_MTU: u16 = 1280;

/// The members of an object, each checked where it is taken. The first problem
/// is kept; what has one reads as if it were missing.
pub(super) struct Members<'a> {
    object: &'a Value,
    problem: Option<Problem>,
}

impl<'a> Members<'a> {
    /// Those of `object`, which may have no other `keys`.
    ///
    /// # Errors
    /// It is no object.
    pub(super) fn of(object: &'a Value, keys: &[&str]) -> Result<Self, Problem> {
        let mut members = Members {
            object,
            problem: None,
        };
        for (key, _) in object.as_table().ok_or(Problem::NotObject)? {
            if !keys.contains(&key.as_str()) {
                members.fail(Problem::Key(shown_name(key)));
            }
        }
        Ok(members)
    }

    /// Nothing, or the first problem.
    pub(super) fn finish(self) -> Result<(), Problem> {
        self.problem.map_or(Ok(()), Err)
    }

    fn fail(&mut self, problem: Problem) {
        self.problem.get_or_insert(problem);
    }

    /// Notes a value that is not what it may be; one that is missing may be.
    fn refuse(&mut self, key: &'static str, allowed: String) {
        let Some(value) = self.object.get(key) else {
            return;
        };
        let whole = line(value);
        // The file may hold anything; the log line stays readable.
        let mut shown = one_line(&whole, 60);
        if shown.len() < whole.len() {
            shown.push('…');
        }
        self.fail(Problem::Value {
            key,
            value: shown,
            allowed,
        });
    }

    /// What was made of the value of `key`, which is refused where that is
    /// nothing.
    fn keep<T>(&mut self, key: &'static str, allowed: &str, made: Option<T>) -> Option<T> {
        if made.is_none() {
            self.refuse(key, allowed.into());
        }
        made
    }

    fn need(&mut self, key: &'static str) {
        if self.object.get(key).is_none() {
            self.fail(Problem::Missing(key));
        }
    }

    fn str(&self, key: &str) -> Option<&'a str> {
        self.object.get(key)?.as_str()
    }

    /// A text that says a `T`.
    fn parsed<T: FromStr>(&mut self, key: &'static str, allowed: &str) -> Option<T> {
        let parsed = self.str(key).and_then(|text| text.parse().ok());
        self.keep(key, allowed, parsed)
    }

    fn number(&mut self, key: &'static str, min: u16, max: u16) -> Option<u16> {
        let number = self.object.get(key).and_then(Value::as_u64);
        let fits = number.filter(|n| (min.into()..=max.into()).contains(n));
        if fits.is_none() {
            self.refuse(key, format!("a number from {min} to {max}"));
        }
        fits.map(|n| n as u16)
    }

    /// A number of bits.
    fn bits(&mut self, key: &'static str, max: u8) -> Option<u8> {
        self.number(key, 0, max.into()).map(|n| n as u8)
    }

    /// A string without line breaks or other control characters: it is shown
    /// to people and logged.
    pub(super) fn text(&mut self, key: &'static str) -> Option<&'a str> {
        let plain = |text: &&str| {
            !text.is_empty() && text.len() <= 200 && !text.chars().any(char::is_control)
        };
        let text = self.str(key).filter(plain);
        self.keep(key, "a line of text", text)
    }

    fn border(&mut self, map_type: MapType) -> Option<Border> {
        let is_map_t = map_type == MapType::MapT;
        let foreign = if is_map_t { "br" } else { "dmr" };
        if self.object.get(foreign).is_some() {
            self.fail(Problem::Foreign {
                key: foreign,
                map_type,
            });
        }
        if is_map_t {
            let allowed = "an IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits";
            return self.parsed("dmr", allowed).map(Border::Dmr);
        }
        let address = self.str("br").and_then(|text| text.parse().ok());
        let usable = |address: &Ipv6Addr| !address.is_unspecified() && !address.is_multicast();
        let br = address.filter(usable);
        self.keep("br", "an IPv6 address", br).map(Border::Br)
    }

    fn confidence(&mut self) -> Option<Confidence> {
        let all = [
            Confidence::High,
            Confidence::Medium,
            Confidence::Unverified,
            Confidence::Local,
        ];
        let word = self.str("confidence");
        let known = all.into_iter().find(|c| Some(c.as_str()) == word);
        self.keep("confidence", "high, medium, unverified or local", known)
    }
}

/// `address/length` without bits beyond the length: those are the mark of a
/// rule that was copied wrongly.
pub(super) fn ipv6_net(value: &Value) -> Option<Ipv6Net> {
    let net: Ipv6Net = value.as_str()?.parse().ok()?;
    (net == net.trunc() && (1..=64).contains(&net.prefix_len())).then_some(net)
}

fn ipv4_net(value: &Value) -> Option<Ipv4Net> {
    let net: Ipv4Net = value.as_str()?.parse().ok()?;
    (net == net.trunc() && net.prefix_len() >= 1).then_some(net)
}

/// A key or id as it may be quoted.
pub(super) fn shown_name(name: &str) -> String {
    one_line(name, 40)
}

/// What a file says of all rules of a provider together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common {
    pub(super) psid_len: Option<u8>,
    pub(super) confidence: Confidence,
}

/// An id of a provider: what fits into `option provider` without quotes.
pub(super) fn is_id(id: &str) -> bool {
    let legal = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_';
    // These two have a meaning of their own in the option.
    (1..=32).contains(&id.len()) && id.bytes().all(legal) && id != "auto" && id != "none"
}

/// Keys of a provider.
const PROVIDER: &[&str] = &[
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
];

/// Reads the values of a provider over those in `provider`, all but its
/// rules.
pub(super) fn provider(object: &Value, provider: &mut Provider) -> Result<Common, Problem> {
    let mut members = Members::of(object, PROVIDER)?;
    if let Some(name) = members.text("name") {
        provider.name = name.into();
    }
    let map_type = match members.str("type") {
        Some("map-e") => Some(MapType::MapE),
        Some("map-t") => Some(MapType::MapT),
        _ => None,
    };
    let map_type = members.keep("type", "map-e or map-t", map_type);
    provider.map_type = map_type.unwrap_or(provider.map_type);
    let dialect = members.parsed("dialect", "rfc7597 or draft-03");
    provider.dialect = dialect.unwrap_or(provider.dialect);
    provider.offset = members.bits("psid_offset", 16).or(provider.offset);
    provider.border = members.border(provider.map_type).or(provider.border);
    let mtu = members.number("mtu", MIN_MTU, u16::MAX);
    provider.mtu = mtu.or(provider.mtu);
    let limit = match object.get("encaplimit") {
        Some(Value::String(word)) if word == "ignore" => Some(EncapLimit::Ignore),
        Some(value) => {
            let limit = value.as_u64().and_then(|limit| limit.try_into().ok());
            limit.map(EncapLimit::Limit)
        }
        None => None,
    };
    let limit = members.keep("encaplimit", "\"ignore\" or a number from 0 to 255", limit);
    provider.encap_limit = limit.unwrap_or(provider.encap_limit);
    let mesh = object.get("mesh").and_then(Value::as_bool);
    let mesh = members.keep("mesh", "true or false", mesh);
    provider.mesh = mesh.unwrap_or(provider.mesh);
    let common = Common {
        psid_len: members.bits("psid_len", 16),
        confidence: members.confidence().unwrap_or(Confidence::Local),
    };
    members.finish().map(|()| common)
}

/// Keys of a rule.
const RULE: &[&str] = &[
    "ipv6",
    "ipv4",
    "ea_len",
    "psid_offset",
    "psid_len",
    "br",
    "dmr",
    "confidence",
    "note",
];

/// Reads one rule of `provider` and checks it as a whole.
pub(super) fn rule(
    object: &Value,
    provider: &Provider,
    common: Common,
) -> Result<KnownRule, Problem> {
    let mut members = Members::of(object, RULE)?;
    members.need("ipv6");
    let ipv6 = object.get("ipv6").and_then(ipv6_net);
    let ipv6 = members.keep("ipv6", "an IPv6 prefix of 1 to 64 bits", ipv6);
    members.need("ipv4");
    let ipv4 = object.get("ipv4").and_then(ipv4_net);
    let ipv4 = members.keep("ipv4", "an IPv4 prefix of 1 to 32 bits", ipv4);
    members.need("ea_len");
    let ea_len = members.bits("ea_len", 48);
    let rule = KnownRule {
        ipv6: ipv6.unwrap_or_default(),
        ipv4: ipv4.unwrap_or_default(),
        ea_len: ea_len.unwrap_or_default(),
        offset: members.bits("psid_offset", 16),
        border: members.border(provider.map_type),
        confidence: members.confidence().unwrap_or(common.confidence),
    };
    let psid_len = members.bits("psid_len", 16).or(common.psid_len);
    members.finish()?;
    check(&rule, provider, psid_len)?;
    Ok(rule)
}

/// Reads a kind of line without MAP.
pub(super) fn other_line(id: &str, object: &Value) -> Result<OtherLine, Problem> {
    if !is_id(id) {
        return Err(Problem::Id);
    }
    object.as_table().ok_or(Problem::NotObject)?;
    let list = object.get("prefixes").ok_or(Problem::Missing("prefixes"))?;
    let list = list.as_array().ok_or(Problem::NotArray("prefixes"))?;
    let mut prefixes = Vec::with_capacity(list.len());
    for value in list {
        prefixes.push(ipv6_net(value).ok_or(Problem::Value {
            key: "prefixes",
            value: String::new(),
            allowed: "IPv6 prefixes of 1 to 64 bits".into(),
        })?);
    }
    let mut members = Members {
        object,
        problem: None,
    };
    let (name, advice) = (members.text("name"), members.text("advice"));
    members.finish()?;
    Ok(OtherLine {
        id: id.into(),
        name: name.unwrap_or(id).into(),
        advice: advice.ok_or(Problem::Missing("advice"))?.into(),
        prefixes,
    })
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
