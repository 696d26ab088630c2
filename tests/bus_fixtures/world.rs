// SPDX-License-Identifier: GPL-2.0-or-later
//! Routers as `mape status` finds them.

use std::net::Ipv4Addr;

use mape::firewall::{Configuration, Section};
use mape::handler::{Link, Protocol as Proto, State};
use mape::nat::{Mode, Protocol, Timeouts, Upnp};
use mape::netfilter::{Connection, Traffic};
use mape::netifd::Dump;
use mape::provider::load;
use mape::status::{Dropped, Measured, World};
use serde_json::{Value, json};

pub const NETWORK: &str = "
config interface 'wanmap'
	option proto 'mape'
	option tunlink 'wan6'
";

pub const FIREWALL: &str = "
config zone
	option name 'wan'
	list network 'wan6'
	list network 'wanmap'
config redirect
	option name 'ssh'
	option src 'wan'
	option proto 'tcp'
	option src_dport '4128'
	option dest_ip '192.168.1.10'
	option dest_port '22'
config redirect
	option name 'Game console'
	option src 'wan'
	option proto 'udp'
	option src_dport '8226'
	option dest_ip '192.168.1.23'
config redirect
	option name 'not a port of ours'
	option src 'wan'
	option proto 'tcp'
	option src_dport '443'
	option dest_ip '192.168.1.10'
";

/// netifd's answer: the uplink, and our interface with `more`.
pub fn dump(prefixes: Value, more: Value) -> Value {
    let mut ours = json!({
        "interface": "wanmap", "proto": "mape", "up": false, "pending": false,
        "available": true, "autostart": true,
    });
    for (key, value) in more.as_object().unwrap() {
        ours[key] = value.clone();
    }
    json!({ "interface": [
        { "interface": "loopback", "proto": "static", "up": true, "l3_device": "lo" },
        {
            "interface": "wan6", "proto": "dhcpv6", "up": true, "l3_device": "eth1",
            "ipv6-prefix": prefixes,
            "route": [{ "target": "::", "mask": 0 }],
        },
        ours,
    ] })
}

pub fn delegated(prefix: &str) -> Value {
    let (address, mask) = prefix.split_once('/').unwrap();
    let mask: u64 = mask.parse().unwrap();
    json!([{ "address": address, "mask": mask, "preferred": 3600, "valid": 7200 }])
}

pub fn state(prefix: &str, source: &str, technique: (&str, &str), timeouts: Timeouts) -> State {
    let table = load("files").table;
    let prefix = prefix.parse().unwrap();
    let (found, _) = table.choose(&[prefix]).unwrap();
    let provider = found.provider();
    State {
        interface: "wanmap".into(),
        protocol: Proto::Mape,
        link: Link {
            device: "map-wanmap".into(),
            mechanism: found.domain(false).unwrap().map(&[prefix]).unwrap().into(),
            why: format!("{prefix} belongs to {}", provider.name()),
            provider: Some((provider.id().into(), provider.name().into())),
            uplink: "wan6".into(),
            prefix_source: source.into(),
            mtu: 1460,
            encaplimit: Some("ignore".into()),
            zone: None,
            mesh: false,
        },
        nat: Mode::Auto,
        technique: (technique.0.into(), technique.1.into()),
        timeouts,
        reserve: Vec::new(),
        upnp: Upnp::Auto,
        since: 100,
    }
}

/// As netifd describes its interfaces.
pub fn bus(dump: &Value) -> Dump {
    Dump::from_json(&dump.to_string()).unwrap()
}

/// A router on which that line is up, with the connections that `ports` shows.
pub fn up(state: State, firewall: &str, ports: &Value, exhausted: u64) -> World {
    let measured = Measured {
        interface: "wanmap".into(),
        traffic: Some(Traffic {
            rx_bytes: 734_003_200,
            rx_packets: 612_345,
            tx_bytes: 52_428_800,
            tx_packets: 401_234,
        }),
        dropped: Some(Dropped {
            not_ours: 118,
            not_br: 3,
            exhausted,
            ..Dropped::default()
        }),
    };
    let names = ports["hosts"].as_array().unwrap().iter();
    let names = names.filter_map(|host| {
        let address = host["address"].as_str().unwrap().parse().unwrap();
        Some((address, host["name"].as_str()?.to_owned()))
    });
    let mut world = World {
        dump: Some(bus(&dump(
            delegated(&state.mechanism.end_user().to_string()),
            json!({ "up": true, "uptime": 4711, "l3_device": "map-wanmap" }),
        ))),
        names: names.collect(),
        states: vec![state],
        network: Section::parse_all(NETWORK),
        firewall: Configuration::parse(firewall, ""),
        measured: vec![measured],
        ..World::default()
    };
    world.connections = Some(connections(&world, ports));
    if world.states[0].technique.1.is_empty() {
        let interfaces = world.interfaces();
        let line = interfaces[0].line.as_ref().unwrap();
        let plan = line.plan.as_ref().unwrap();
        let technique = (plan.technique().name().into(), plan.reason().into());
        world.states[0].technique = technique;
    }
    world
}

/// Connections as conntrack would list them: behind the edge map, so with pool
/// numbers, and each port to two servers.
fn connections(world: &World, ports: &Value) -> Vec<Connection> {
    let interfaces = world.interfaces();
    let line = interfaces[0].line.as_ref().unwrap();
    let plan = line.plan.as_ref().unwrap();
    let number_of = |port: u64| {
        let mut numbers = 0..=u16::MAX;
        numbers
            .find(|n| plan.port_of(*n).map(u64::from) == Some(port))
            .unwrap()
    };
    let network = line.state.mechanism.ipv4();
    let mut all = Vec::new();
    for protocol in Protocol::ALL {
        let key = protocol.name();
        let owners = ports["hosts"].as_array().unwrap().iter().flat_map(|host| {
            let address: Ipv4Addr = host["address"].as_str().unwrap().parse().unwrap();
            let count = host[key].as_u64().unwrap() as usize;
            std::iter::repeat_n(address, count)
        });
        let used = ports["ranges"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|range| {
                let [first, last] = ["first", "last"].map(|end| range[end].as_u64().unwrap());
                let reserved = range["reserved"].as_array().unwrap().clone();
                (first..=last)
                    .filter(move |port| !reserved.contains(&json!(port)))
                    .take(range[key].as_u64().unwrap() as usize)
            });
        let mut owners = owners.collect::<Vec<_>>().into_iter();
        for port in used {
            let connection = Connection {
                protocol,
                host: owners.next().expect("a host for each port in the file"),
                network,
                number: number_of(port),
            };
            all.extend([connection, connection]);
        }
        assert_eq!(
            owners.next(),
            None,
            "{key}: hosts use more ports than ranges"
        );
    }
    all
}

/// A router on which our interface is not up, with `more` of netifd.
pub fn not_up(prefixes: Value, more: Value) -> World {
    World {
        dump: Some(bus(&dump(prefixes, more))),
        network: Section::parse_all(NETWORK),
        firewall: Configuration::parse(FIREWALL, ""),
        connections: Some(Vec::new()),
        ..World::default()
    }
}
