// SPDX-License-Identifier: GPL-2.0-or-later
//! The answers of `status` and `ports` as `docs/bus.md` describes them.

use crate::map::{Border, Mapping, PortRange, Rule};
use crate::nat::Protocol;
use crate::value::{Members, Value};

use super::netifd::Phase;
use super::world::{Dropped, Interface, LineUp, Traffic};

/// Most internal hosts that `ports` lists.
pub const MAX_HOSTS: usize = 10;

/// Most reserved and most forwarded ports that `ports` lists of one range: an
/// address that is not shared is one range of 65,536.
const MAX_MARKS: usize = 256;

/// The answer of `status`.
pub fn status(interfaces: &[Interface<'_>]) -> Value {
    let all: Vec<Value> = interfaces.iter().map(interface).collect();
    object!["interfaces": &all]
}

/// The member of `interfaces` for one.
pub(super) fn interface(interface: &Interface<'_>) -> Value {
    let error = match &interface.error {
        Some((code, detail)) if interface.phase != Phase::Up => {
            object!["code": code, "detail": detail]
        }
        _ => Value::Null,
    };
    let mut members = match &interface.line {
        Some(line) => up(line),
        None => not_up(interface),
    };
    members.extend(members![
        "interface": &interface.name,
        "proto": &interface.proto,
        "state": &interface.phase.as_str(),
        "error": &error,
        "uptime": &interface.uptime,
    ]);
    members.into()
}

/// What every answer shows of a mapping.
pub fn mapping(mapping: &Mapping) -> Members {
    let ports = mapping.ports();
    let border = mapping.border();
    let ipv4 = mapping.ipv4();
    members![
        "type": &mapping.map_type().as_str(),
        "dialect": &mapping.dialect().as_str(),
        "end_user_prefix": &mapping.end_user(),
        "bmr": &rule(mapping.bmr()),
        "ipv4_address": &ipv4.addr(),
        "ipv4_prefix_len": &ipv4.prefix_len(),
        "psid": &ports.is_shared().then(|| ports.psid().value()),
        "sharing_ratio": &ports.params().sharing_ratio(),
        "ce_address": &mapping.ce_address(),
        "br": &border.and_then(Border::br),
        "dmr": &border.and_then(Border::dmr),
    ]
}

/// A rule as every answer shows it.
pub fn rule(rule: &Rule) -> Value {
    let params = rule.port_params();
    object![
        "ipv6_prefix": &rule.ipv6(),
        "ipv4_prefix": &rule.ipv4(),
        "ea_len": &rule.ea_len(),
        "psid_offset": &params.offset(),
        "psid_len": &params.psid_len(),
    ]
}

fn up(line: &LineUp<'_>) -> Members {
    let state = line.state;
    let (mode, reason) = &state.technique;
    let provider = state.provider.as_ref();
    let nat = object![
        "configured": &state.nat.as_str(),
        "mode": mode,
        "reason": reason,
        "conntrack": &state.timeouts.as_str(),
    ];
    let mut members = mapping(&state.mapping);
    members.extend(members![
        "device": &state.device,
        "provider": &provider.map(|(id, _)| id),
        "provider_name": &provider.map(|(_, name)| name),
        "uplink": &state.uplink,
        "prefix_source": &state.prefix_source,
        "fmrs": &state.mapping.fmrs().len(),
        "mesh": &state.mesh,
        "mtu": &state.mtu,
        "encaplimit": &state.encaplimit,
        "nat": &nat,
        "ports": &totals(line),
        "traffic": &line.traffic.as_ref().map(traffic),
        "dropped": &line.dropped.as_ref().map(dropped),
    ]);
    members
}

/// What is known without a mapping: the configuration, and what the uplink
/// offers.
fn not_up(interface: &Interface<'_>) -> Members {
    let (uplink, candidate) = interface.uplink();
    let mesh = interface.config.and_then(|config| config.flag("mesh"));
    let nat = object![
        "configured": &interface.option("nat").unwrap_or("auto"),
        "mode": &Value::Null,
        "reason": &Value::Null,
        "conntrack": &interface.option("conntrack").unwrap_or("normal"),
    ];
    let mut members = members![
        "uplink": &uplink,
        "prefix_source": &candidate.map(|c| c.source.as_str()),
        "end_user_prefix": &candidate.map(|c| c.prefix),
        "fmrs": &0u8,
        "mesh": &mesh.unwrap_or(false),
        "nat": &nat,
    ];
    for unknown in &[
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
    ] {
        members.push(((*unknown).into(), Value::Null));
    }
    members
}

/// How many ports there are, and how many of them are in use.
pub(super) fn totals(line: &LineUp<'_>) -> Value {
    let usage = line.usage.as_ref();
    let used = usage.map(|usage| {
        let [tcp, udp, icmp] = Protocol::ALL.map(|protocol| usage.of(protocol));
        object![
            "tcp": &tcp,
            "udp": &udp,
            "icmp": &icmp,
        ]
    });
    object![
        "total": &line.total(),
        "reserved": &line.reserved.count(),
        "forwarded": &line.forwarded().count(),
        "pool": &line.free(),
        "used": &used,
        "used_max": &usage.map(|usage| usage.max()),
    ]
}

fn traffic(traffic: &Traffic) -> Value {
    object![
        "rx_bytes": &traffic.rx_bytes,
        "rx_packets": &traffic.rx_packets,
        "tx_bytes": &traffic.tx_bytes,
        "tx_packets": &traffic.tx_packets,
    ]
}

fn dropped(dropped: &Dropped) -> Value {
    object![
        "not_ours": &dropped.not_ours,
        "not_br": &dropped.not_br,
        "pool_number": &dropped.pool_number,
        "no_ports": &dropped.no_ports,
        "guard": &dropped.guard,
        "exhausted": &dropped.exhausted,
    ]
}

/// The answer of `ports` for one interface.
pub fn ports(interface: &Interface<'_>) -> Value {
    let (mut address, mut total) = (None, 0);
    let (mut ranges, mut hosts) = (Vec::new(), Vec::new());
    if let Some(line) = &interface.line {
        address = Some(line.state.mapping.ipv4().addr());
        total = line.total();
        for one in line.ranges() {
            ranges.push(range(line, one));
        }
        let used = line.usage.as_ref().map_or(&[][..], |usage| usage.hosts());
        for host in used.iter().take(MAX_HOSTS) {
            let [tcp, udp, icmp] = host.ports;
            hosts.push(object![
                "address": &host.address,
                "name": &interface.world().name_of(host.address),
                "tcp": &tcp,
                "udp": &udp,
                "icmp": &icmp,
            ]);
        }
    }
    object![
        "interface": &interface.name,
        "ipv4_address": &address,
        "total": &total,
        "ranges": &Value::Array(ranges),
        "hosts": &Value::Array(hosts),
    ]
}

fn range(line: &LineUp<'_>, range: PortRange) -> Value {
    let used = |protocol| line.usage.as_ref().map(|u| u.of_range(protocol, range));
    let [tcp, udp, icmp] = Protocol::ALL.map(used);
    let (mut reserved, mut forwarded) = (Vec::new(), Vec::new());
    for port in range.ports() {
        if line.reserved.contains(port) && reserved.len() < MAX_MARKS {
            reserved.push(port);
        }
    }
    for forward in &line.forwards {
        for port in forward.ports.ports() {
            if range.contains(port) && forwarded.len() < MAX_MARKS {
                forwarded.push(object![
                    "port": &port,
                    "proto": &forward.protocol.name(),
                    "to": &forward.target(port),
                    "name": &forward.name,
                ]);
            }
        }
    }
    object![
        "first": &range.first(),
        "last": &range.last(),
        "tcp": &tcp,
        "udp": &udp,
        "icmp": &icmp,
        "reserved": &reserved,
        "forwarded": &Value::Array(forwarded),
    ]
}
