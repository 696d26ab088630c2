// SPDX-License-Identifier: GPL-2.0-or-later
//! The answers of `status` and `ports` as `docs/bus.md` describes them.

use serde_json::Value;

use crate::json::{self, object};
use crate::map::{Border, PortRange};
use crate::nat::Protocol;

use super::netifd::Phase;
use super::usage::HostUse;
use super::world::{Dropped, Interface, LineUp, Traffic};

/// Most internal hosts that `ports` lists.
pub const MAX_HOSTS: usize = 10;

/// Most reserved and most forwarded ports that `ports` lists of one range: an
/// address that is not shared is one range of 65,536.
const MAX_MARKS: usize = 256;

/// The answer of `status`.
pub fn status(interfaces: &[Interface<'_>]) -> Value {
    let all: Vec<Value> = interfaces.iter().map(interface).collect();
    object(&[("interfaces", &all)])
}

fn interface(interface: &Interface<'_>) -> Value {
    let error = interface
        .error
        .as_ref()
        .filter(|_| interface.phase != Phase::Up);
    let mut object = object(&[
        ("interface", &interface.name),
        ("proto", &interface.proto),
        ("state", &interface.phase.as_str()),
        (
            "error",
            &error.map(|(code, detail)| object(&[("code", &code), ("detail", &detail)])),
        ),
        ("uptime", &interface.uptime),
    ]);
    let more = match &interface.line {
        Some(line) => up(line),
        None => not_up(interface),
    };
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}

fn up(line: &LineUp<'_>) -> Value {
    let state = line.state;
    let mapping = &state.mapping;
    let rule = mapping.bmr();
    let params = rule.port_params();
    let ports = mapping.ports();
    let border = mapping.border();
    object(&[
        ("device", &state.device),
        ("type", &mapping.map_type().as_str()),
        ("dialect", &mapping.dialect().as_str()),
        ("provider", &state.provider.as_ref().map(|(id, _)| id)),
        (
            "provider_name",
            &state.provider.as_ref().map(|(_, name)| name),
        ),
        ("uplink", &state.uplink),
        ("prefix_source", &state.prefix_source),
        ("end_user_prefix", &mapping.end_user()),
        (
            "bmr",
            &object(&[
                ("ipv6_prefix", &rule.ipv6()),
                ("ipv4_prefix", &rule.ipv4()),
                ("ea_len", &rule.ea_len()),
                ("psid_offset", &params.offset()),
                ("psid_len", &params.psid_len()),
            ]),
        ),
        ("fmrs", &mapping.fmrs().len()),
        ("mesh", &state.mesh),
        ("ipv4_address", &mapping.ipv4().addr()),
        ("ipv4_prefix_len", &mapping.ipv4().prefix_len()),
        ("psid", &ports.is_shared().then(|| ports.psid().value())),
        ("sharing_ratio", &ports.params().sharing_ratio()),
        ("ce_address", &mapping.ce_address()),
        ("br", &border.and_then(Border::br)),
        ("dmr", &border.and_then(Border::dmr)),
        ("mtu", &state.mtu),
        ("encaplimit", &state.encaplimit),
        (
            "nat",
            &object(&[
                ("configured", &state.nat.as_str()),
                ("mode", &state.technique.0),
                ("reason", &state.technique.1),
                ("conntrack", &state.timeouts.as_str()),
            ]),
        ),
        ("ports", &totals(line)),
        ("traffic", &line.traffic.map(traffic)),
        ("dropped", &line.dropped.map(dropped)),
    ])
}

/// What is known without a mapping: the configuration, and what the uplink
/// offers.
fn not_up(interface: &Interface<'_>) -> Value {
    let (uplink, candidate) = interface.uplink();
    let word = |key, default| interface.option(key).unwrap_or(default).to_owned();
    let mut object = object(&[
        ("uplink", &uplink),
        ("prefix_source", &candidate.map(|c| c.source.as_str())),
        ("end_user_prefix", &candidate.map(|c| c.prefix)),
        ("fmrs", &0u8),
        (
            "mesh",
            &interface
                .config
                .and_then(|config| config.flag("mesh"))
                .unwrap_or(false),
        ),
        (
            "nat",
            &object(&[
                ("configured", &word("nat", "auto")),
                ("mode", &Value::Null),
                ("reason", &Value::Null),
                ("conntrack", &word("conntrack", "normal")),
            ]),
        ),
    ]);
    let unknown = [
        "device",
        "type",
        "dialect",
        "provider",
        "provider_name",
        "bmr",
        "ipv4_address",
        "ipv4_prefix_len",
        "psid",
        "sharing_ratio",
        "ce_address",
        "br",
        "dmr",
        "mtu",
        "encaplimit",
        "ports",
        "traffic",
        "dropped",
    ];
    if let Some(object) = object.as_object_mut() {
        object.extend(unknown.map(|key| (key.to_owned(), Value::Null)));
    }
    object
}

fn totals(line: &LineUp<'_>) -> Value {
    let usage = line.usage.as_ref();
    let used = usage.map(|usage| {
        let [tcp, udp, icmp] = Protocol::ALL.map(|protocol| usage.of(protocol));
        object(&[("tcp", &tcp), ("udp", &udp), ("icmp", &icmp)])
    });
    object(&[
        ("total", &line.total()),
        ("reserved", &line.reserved.count()),
        ("forwarded", &line.forwarded().count()),
        ("pool", &line.free()),
        ("used", &used),
        ("used_max", &usage.map(|usage| usage.max())),
    ])
}

fn traffic(traffic: Traffic) -> Value {
    object(&[
        ("rx_bytes", &traffic.rx_bytes),
        ("rx_packets", &traffic.rx_packets),
        ("tx_bytes", &traffic.tx_bytes),
        ("tx_packets", &traffic.tx_packets),
    ])
}

fn dropped(dropped: Dropped) -> Value {
    object(&[
        ("not_ours", &dropped.not_ours),
        ("not_br", &dropped.not_br),
        ("pool_number", &dropped.pool_number),
        ("no_ports", &dropped.no_ports),
        ("guard", &dropped.guard),
        ("exhausted", &dropped.exhausted),
    ])
}

/// The answer of `ports` for one interface.
pub fn ports(interface: &Interface<'_>) -> Value {
    let Some(line) = &interface.line else {
        return object(&[
            ("interface", &interface.name),
            ("ipv4_address", &Value::Null),
            ("total", &0u8),
            ("ranges", &Vec::<Value>::new()),
            ("hosts", &Vec::<Value>::new()),
        ]);
    };
    let ranges: Vec<Value> = line.ranges().map(|r| range(line, r)).collect();
    let hosts = line.usage.as_ref().map_or(&[][..], |usage| usage.hosts());
    let named = |use_: &HostUse| {
        let [tcp, udp, icmp] = use_.ports;
        object(&[
            ("address", &use_.address),
            ("name", &interface.world().name_of(use_.address)),
            ("tcp", &tcp),
            ("udp", &udp),
            ("icmp", &icmp),
        ])
    };
    let hosts: Vec<Value> = hosts.iter().take(MAX_HOSTS).map(named).collect();
    let mut answer = json::map(&[
        ("interface", &interface.name),
        ("ipv4_address", &line.state.mapping.ipv4().addr()),
        ("total", &line.total()),
    ]);
    answer.insert("ranges".into(), ranges.into());
    answer.insert("hosts".into(), hosts.into());
    answer.into()
}

fn range(line: &LineUp<'_>, range: PortRange) -> Value {
    let used = |protocol| line.usage.as_ref().map(|u| u.of_range(protocol, range));
    let [tcp, udp, icmp] = Protocol::ALL.map(used);
    let reserved = line.reserved.ports().filter(|port| range.contains(*port));
    let reserved: Vec<u16> = reserved.take(MAX_MARKS).collect();
    let forwarded: Vec<Value> = line
        .forwards
        .iter()
        .flat_map(|forward| {
            let ours = forward.ports.ports().filter(|port| range.contains(*port));
            ours.map(move |port| {
                object(&[
                    ("port", &port),
                    ("proto", &forward.protocol.name()),
                    ("to", &forward.target(port)),
                    ("name", &forward.name),
                ])
            })
        })
        .take(MAX_MARKS)
        .collect();
    object(&[
        ("first", &range.first()),
        ("last", &range.last()),
        ("tcp", &tcp),
        ("udp", &udp),
        ("icmp", &icmp),
        ("reserved", &reserved),
        ("forwarded", &forwarded),
    ])
}
