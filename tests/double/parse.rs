// SPDX-License-Identifier: GPL-2.0-or-later
//! Arguments as netifd reads them. Types are strict: a member of the wrong type is as good as
//! absent.

use super::blobmsg::Value;
use super::effects::{EncapLimit, Fmr, Tunnel};
use super::interface::{Address, Interface, Route};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The first member of that name and type, as netifd's parser picks it.
fn first<'a, T>(
    table: &'a Value,
    name: &str,
    of_type: impl Fn(&'a Value) -> Option<T>,
) -> Option<T> {
    table
        .as_table()?
        .iter()
        .filter(|(n, _)| n == name)
        .find_map(|(_, value)| of_type(value))
}

pub(super) fn text<'a>(table: &'a Value, name: &str) -> Option<&'a str> {
    first(table, name, Value::as_str)
}

pub(super) fn int(table: &Value, name: &str) -> Option<i32> {
    first(table, name, |value| match value {
        Value::Int32(n) => Some(*n),
        _ => None,
    })
}

pub(super) fn flag(table: &Value, name: &str) -> Option<bool> {
    first(table, name, Value::as_bool)
}

pub(super) fn array<'a>(table: &'a Value, name: &str) -> Option<&'a [Value]> {
    first(table, name, Value::as_array)
}

pub(super) fn subtable<'a>(table: &'a Value, name: &str) -> Option<&'a Value> {
    first(table, name, |value| value.as_table().map(|_| value))
}

pub(super) fn texts<'a>(table: &'a Value, name: &str) -> Vec<&'a str> {
    let items = array(table, name).unwrap_or_default();
    items.iter().map_while(Value::as_str).collect()
}

/// Strings only, or none of it.
pub(super) fn strict_texts<'a>(table: &'a Value, name: &str) -> Option<Vec<&'a str>> {
    array(table, name)?.iter().map(Value::as_str).collect()
}

/// The tunnel, if the attributes make one over one of the interfaces.
pub(super) fn tunnel(
    attributes: &Value,
    interfaces: &BTreeMap<String, Interface>,
) -> Option<Tunnel> {
    let mode = text(attributes, "mode").filter(|mode| *mode == "ipip6")?;
    let ttl = int(attributes, "ttl").unwrap_or(0);
    let link = text(attributes, "link").map(str::to_owned);
    if !(0..=255).contains(&ttl) || link.as_ref().is_some_and(|l| !interfaces.contains_key(l)) {
        return None;
    }
    let end = |name| match text(attributes, name) {
        None => Some(None),
        Some(address) => address
            .parse::<Ipv6Addr>()
            .ok()
            .map(|_| Some(address.to_owned())),
    };
    let data = subtable(attributes, "data");
    let encap = match data.map(|d| text(d, "encaplimit")) {
        None => EncapLimit::Default,
        Some(None | Some("ignore")) => EncapLimit::Ignore,
        Some(Some(limit)) => EncapLimit::Limit(limit.parse().ok()?),
    };
    let fmrs = data.and_then(|d| array(d, "fmrs")).unwrap_or_default();
    Some(Tunnel {
        mode: mode.to_owned(),
        local: end("local")?,
        remote: end("remote")?,
        mtu: int(attributes, "mtu"),
        ttl: if ttl == 0 { 64 } else { ttl },
        link,
        encap,
        fmrs: fmrs.iter().map(fmr).collect::<Option<_>>()?,
    })
}

fn fmr(attributes: &Value) -> Option<Fmr> {
    let prefix6 = text(attributes, "prefix6")?;
    let prefix4 = text(attributes, "prefix4")?;
    let (address6, _) = prefix6.split_once('/').unwrap_or((prefix6, ""));
    let (address4, _) = prefix4.split_once('/').unwrap_or((prefix4, ""));
    address6.parse::<Ipv6Addr>().ok()?;
    address4.parse::<Ipv4Addr>().ok()?;
    Some(Fmr {
        prefix6: prefix6.to_owned(),
        prefix4: prefix4.to_owned(),
        ealen: u8::try_from(int(attributes, "ealen")?).ok()?,
        offset: u8::try_from(int(attributes, "offset")?).ok()?,
    })
}

pub(super) fn address(item: &Value, v6: bool) -> Option<Address> {
    item.as_table()?;
    let text_address = text(item, "ipaddr")?;
    let full = if v6 {
        text_address.parse::<Ipv6Addr>().ok()?;
        128
    } else {
        text_address.parse::<Ipv4Addr>().ok()?;
        32
    };
    let mask = text(item, "mask").map_or(Some(full), |m| mask_length(m, full))?;
    Some(Address::new(text_address, mask))
}

pub(super) fn route(item: &Value, v6: bool) -> Option<Route> {
    item.as_table()?;
    if flag(item, "disabled") == Some(true) {
        return None;
    }
    let full = if v6 { 128 } else { 32 };
    let mut mask = text(item, "netmask").map_or(Some(full), |m| mask_length(m, full))?;
    let any = if v6 { "::" } else { "0.0.0.0" };
    let mut target = text(item, "target").unwrap_or(any);
    if let Some((address, length)) = target.split_once('/') {
        target = address;
        mask = mask_length(length, full)?;
    }
    let readable = |address: &str| match v6 {
        true => address.parse::<Ipv6Addr>().is_ok(),
        false => address.parse::<Ipv4Addr>().is_ok(),
    };
    let nexthop = text(item, "gateway").unwrap_or(any);
    if !readable(target) || !readable(nexthop) {
        return None;
    }
    Some(Route {
        metric: int(item, "metric"),
        mtu: int(item, "mtu"),
        table: text(item, "table").map(str::to_owned),
        ..Route::via(target, mask, nexthop)
    })
}

/// `24` or, for IPv4, `255.255.255.0`.
fn mask_length(text: &str, full: u8) -> Option<u8> {
    let length = match text.parse::<Ipv4Addr>() {
        Ok(mask) if full == 32 => u8::try_from(u32::from(mask).leading_ones()).ok()?,
        _ => text.parse().ok()?,
    };
    (length <= full).then_some(length)
}
