// SPDX-License-Identifier: GPL-2.0-or-later
//! Single values of a providers file, each checked where it is read.

use std::net::Ipv6Addr;

use ipnet::{Ipv4Net, Ipv6Net};
use serde_json::{Map, Value};

use crate::map::{Border, Dialect, MapType};

use super::known::{Confidence, EncapLimit, KnownRule, Provider};
use super::parse::Problem;
use crate::text::one_line;

type Object = Map<String, Value>;

/// Smallest MTU an IPv6 link may have (RFC 8200 section 5), below which no
/// provider's tunnel goes; the largest is what 16 bits hold.
const MIN_MTU: u64 = 1280;

fn refused(key: &'static str, value: &Value, allowed: &'static str) -> Problem {
    let whole = value.to_string();
    // The file may hold anything; the log line stays readable.
    let mut shown = one_line(&whole, 60);
    if shown.len() < whole.len() {
        shown.push('…');
    }
    Problem::Value {
        key,
        value: shown,
        allowed,
    }
}

/// Calls `read` with the value of `key`, if there is one.
fn optional<T>(
    object: &Object,
    key: &'static str,
    allowed: &'static str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<Option<T>, Problem> {
    match object.get(key) {
        None => Ok(None),
        Some(value) => read(value)
            .map(Some)
            .ok_or_else(|| refused(key, value, allowed)),
    }
}

fn number(object: &Object, key: &'static str, max: u8) -> Result<Option<u8>, Problem> {
    let allowed = match max {
        16 => "a number from 0 to 16",
        _ => "a number from 0 to 48",
    };
    optional(object, key, allowed, |value| {
        u8::try_from(value.as_u64()?).ok().filter(|&n| n <= max)
    })
}

/// A string without line breaks or other control characters: it is shown to
/// people and logged.
pub(super) fn text(object: &Object, key: &'static str) -> Result<Option<String>, Problem> {
    optional(object, key, "a line of text", |value| {
        let text = value.as_str()?;
        let plain = !text.is_empty() && text.len() <= 200 && !text.chars().any(char::is_control);
        plain.then(|| text.to_owned())
    })
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

fn border(object: &Object, map_type: MapType) -> Result<Option<Border>, Problem> {
    let (key, foreign) = match map_type {
        MapType::MapT => ("dmr", "br"),
        _ => ("br", "dmr"),
    };
    if object.contains_key(foreign) {
        return Err(Problem::Foreign {
            key: foreign,
            map_type,
        });
    }
    match map_type {
        MapType::MapT => optional(
            object,
            key,
            "an IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits",
            |value| Some(Border::Dmr(value.as_str()?.parse().ok()?)),
        ),
        _ => optional(object, key, "an IPv6 address", |value| {
            let address: Ipv6Addr = value.as_str()?.parse().ok()?;
            let usable = !address.is_unspecified() && !address.is_multicast();
            usable.then_some(Border::Br(address))
        }),
    }
}

fn confidence(object: &Object) -> Result<Option<Confidence>, Problem> {
    let all = [
        Confidence::High,
        Confidence::Medium,
        Confidence::Unverified,
        Confidence::Local,
    ];
    optional(
        object,
        "confidence",
        "high, medium, unverified or local",
        |value| {
            let word = value.as_str()?;
            all.into_iter().find(|c| c.as_str() == word)
        },
    )
}

/// A key or id as it may be quoted.
pub(super) fn shown_name(name: &str) -> String {
    one_line(name, 40)
}

fn known_keys(object: &Object, keys: &[&str]) -> Result<(), Problem> {
    match object.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(Problem::Key(shown_name(key))),
        None => Ok(()),
    }
}

/// What a file says of all rules of a provider together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common {
    pub(super) psid_len: Option<u8>,
    pub(super) confidence: Confidence,
}

/// An id of a provider: what fits into `option provider` without quotes.
pub(super) fn is_id(id: &str) -> bool {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    // These two have a meaning of their own in the option.
    !id.is_empty() && id.len() <= 32 && id.chars().all(legal) && id != "auto" && id != "none"
}

/// Reads the values of a provider over those in `provider`, all but its
/// rules.
pub(super) fn provider(object: &Object, provider: &mut Provider) -> Result<Common, Problem> {
    known_keys(
        object,
        &[
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
        ],
    )?;
    if let Some(name) = text(object, "name")? {
        provider.name = name;
    }
    if let Some(map_type) = optional(object, "type", "map-e or map-t", |value| {
        let map_type: MapType = value.as_str()?.parse().ok()?;
        (map_type != MapType::Lw4o6).then_some(map_type)
    })? {
        provider.map_type = map_type;
    }
    if let Some(dialect) = optional(object, "dialect", "rfc7597 or draft-03", |value| {
        let all = [Dialect::Rfc7597, Dialect::Draft03];
        all.into_iter().find(|d| Some(d.as_str()) == value.as_str())
    })? {
        provider.dialect = dialect;
    }
    provider.offset = number(object, "psid_offset", 16)?.or(provider.offset);
    provider.border = border(object, provider.map_type)?.or(provider.border);
    provider.mtu = optional(object, "mtu", "a number from 1280 to 65535", |value| {
        let mtu = value.as_u64().filter(|&mtu| mtu >= MIN_MTU)?;
        u16::try_from(mtu).ok()
    })?
    .or(provider.mtu);
    provider.encap_limit = optional(
        object,
        "encaplimit",
        "\"ignore\" or a number from 0 to 255",
        |value| match value.as_str() {
            Some("ignore") => Some(EncapLimit::Ignore),
            Some(_) => None,
            None => Some(EncapLimit::Limit(value.as_u64()?.try_into().ok()?)),
        },
    )?
    .unwrap_or(provider.encap_limit);
    provider.mesh =
        optional(object, "mesh", "true or false", Value::as_bool)?.unwrap_or(provider.mesh);
    Ok(Common {
        psid_len: number(object, "psid_len", 16)?,
        confidence: confidence(object)?.unwrap_or(Confidence::Local),
    })
}

/// Reads one rule of `provider` and checks it as a whole.
pub(super) fn rule(
    value: &Value,
    provider: &Provider,
    common: Common,
) -> Result<KnownRule, Problem> {
    let object = value.as_object().ok_or(Problem::NotObject)?;
    known_keys(
        object,
        &[
            "ipv6",
            "ipv4",
            "ea_len",
            "psid_offset",
            "psid_len",
            "br",
            "dmr",
            "confidence",
            "note",
        ],
    )?;
    let ipv6 = optional(object, "ipv6", "an IPv6 prefix of 1 to 64 bits", ipv6_net)?;
    let ipv4 = optional(object, "ipv4", "an IPv4 prefix of 1 to 32 bits", ipv4_net)?;
    let rule = KnownRule {
        ipv6: ipv6.ok_or(Problem::Missing("ipv6"))?,
        ipv4: ipv4.ok_or(Problem::Missing("ipv4"))?,
        ea_len: number(object, "ea_len", 48)?.ok_or(Problem::Missing("ea_len"))?,
        offset: number(object, "psid_offset", 16)?,
        border: border(object, provider.map_type)?,
        confidence: confidence(object)?.unwrap_or(common.confidence),
    };
    check(
        &rule,
        provider,
        number(object, "psid_len", 16)?.or(common.psid_len),
    )?;
    Ok(rule)
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
