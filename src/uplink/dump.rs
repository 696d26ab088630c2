// SPDX-License-Identifier: GPL-2.0-or-later
//! One interface of `network.interface dump`, as far as it matters here.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;

use super::{Candidate, Source, UplinkError};
use crate::value::Value;

pub(super) struct Interface<'a> {
    pub(super) name: &'a str,
    pub(super) up: bool,
    pub(super) proto: &'a str,
    pub(super) l3_device: Option<&'a str>,
    pub(super) zone: Option<&'a str>,
    pub(super) metric: u64,
    pub(super) has_default_route: bool,
    pub(super) candidates: Vec<Candidate>,
    pub(super) addresses: Vec<Ipv6Addr>,
}

/// All interfaces of a dump; entries without a name are none.
pub(super) fn interfaces(dump: &Value) -> Result<Vec<Interface<'_>>, UplinkError> {
    let list = dump.get("interface").and_then(Value::as_array);
    let list = list.ok_or(UplinkError::Dump)?;
    let mut all = Vec::new();
    for entry in list {
        if let Some(interface) = Interface::read(entry) {
            all.push(interface);
        }
    }
    Ok(all)
}

fn rows<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    match value.get(key).and_then(Value::as_array) {
        Some(rows) => rows,
        None => &[],
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    let text = value.get(key)?.as_str()?;
    (!text.is_empty()).then_some(text)
}

/// `address` and `mask` of an entry; host bits stay.
fn net(entry: &Value) -> Option<Ipv6Net> {
    let address: Ipv6Addr = text(entry, "address")?.parse().ok()?;
    let mask = u8::try_from(entry.get("mask")?.as_u64()?).ok()?;
    let unusable = address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address.is_unicast_link_local();
    match unusable {
        true => None,
        false => Ipv6Net::new(address, mask).ok(),
    }
}

/// netifd leaves out what never ends.
fn is_deprecated(entry: &Value) -> bool {
    entry.get("preferred").and_then(Value::as_u64) == Some(0)
}

fn is_default_route(route: &Value) -> bool {
    text(route, "target") == Some("::") && route.get("mask").and_then(Value::as_u64) == Some(0)
}

impl<'a> Interface<'a> {
    fn read(value: &'a Value) -> Option<Self> {
        let mut interface = Interface {
            name: text(value, "interface")?,
            up: value.get("up").and_then(Value::as_bool) == Some(true),
            proto: text(value, "proto").unwrap_or_default(),
            l3_device: text(value, "l3_device"),
            zone: value.get("data").and_then(|data| text(data, "zone")),
            metric: value.get("metric").and_then(Value::as_u64).unwrap_or(0),
            has_default_route: rows(value, "route").iter().any(is_default_route),
            candidates: Vec::new(),
            addresses: Vec::new(),
        };
        for entry in rows(value, "ipv6-prefix") {
            let source = interface.source_of(entry);
            if let Some(net) = net(entry).filter(|net| net.prefix_len() <= 64) {
                interface.offer(net, source, is_deprecated(entry));
            }
        }
        let mut deprecated_addresses = Vec::new();
        for entry in rows(value, "ipv6-address") {
            let Some(net) = net(entry) else { continue };
            let deprecated = is_deprecated(entry);
            match deprecated {
                true => deprecated_addresses.push(net.addr()),
                false => interface.addresses.push(net.addr()),
            }
            // An address of its own (/128, as DHCPv6 assigns them) says
            // nothing about the prefix it was taken from.
            if net.prefix_len() <= 64
                && let Ok(on_link) = Ipv6Net::new(net.addr(), 64)
            {
                interface.offer(on_link, Source::OnLink, deprecated);
            }
        }
        interface.addresses.extend(deprecated_addresses);
        let mut sorted = Vec::new();
        for deprecated in [false, true] {
            for source in [Source::Delegated, Source::Ip6Prefix, Source::OnLink] {
                for candidate in &interface.candidates {
                    if candidate.deprecated == deprecated && candidate.source == source {
                        sorted.push(*candidate);
                    }
                }
            }
        }
        interface.candidates = sorted;
        Some(interface)
    }

    /// netifd lists delegated and configured prefixes alike; only the
    /// configured ones live forever.
    fn source_of(&self, entry: &Value) -> Source {
        let lives_forever = entry.get("valid").is_none() && entry.get("preferred").is_none();
        match lives_forever || self.proto == "static" {
            true => Source::Ip6Prefix,
            false => Source::Delegated,
        }
    }

    fn offer(&mut self, net: Ipv6Net, source: Source, deprecated: bool) {
        let prefix = net.trunc();
        // Several addresses may share a prefix: it is as good as the best.
        match self.candidates.iter_mut().find(|c| c.prefix == prefix) {
            Some(known) => known.deprecated &= deprecated,
            None => self.candidates.push(Candidate {
                prefix,
                source,
                deprecated,
            }),
        }
    }

    /// Whether it may be an uplink at all when nobody names one: not the
    /// loopback, and not what runs over an uplink itself.
    pub(super) fn may_be_uplink(&self) -> bool {
        let tunnels = [
            "map",
            "mape",
            "mapeaddr",
            "dslite",
            "464xlat",
            "6in4",
            "6rd",
            "6to4",
            "wireguard",
        ];
        self.name != "loopback" && !tunnels.contains(&self.proto)
    }
}
