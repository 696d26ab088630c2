// SPDX-License-Identifier: GPL-2.0-or-later
//! The broker and the stand-in for netifd answer the recorded client as the real ubusd and netifd
//! answered it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod double;

use double::blobmsg::{Attr, FrameReader, Kind, Message, Value};
use double::handler::HandlerState;
use double::interface::{Assignment, Prefix, State};
use double::{Address, Double, Interface, NullEffects, Route, discovery};
use serde_json::Value as Json;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

fn file(name: &str) -> String {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ubus");
    fs::read_to_string(data.join(name)).unwrap()
}

/// The frames of a recording, each with whether the server sent it.
fn recording(name: &str) -> Vec<(bool, Vec<u8>)> {
    file(&format!("{name}.jsonl"))
        .lines()
        .map(|line| {
            let line: Json = serde_json::from_str(line).unwrap();
            let hex = line["hex"].as_str().unwrap();
            let byte = |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
            let bytes = (0..hex.len()).step_by(2).map(byte).collect();
            (line["dir"] == "server", bytes)
        })
        .collect()
}

fn text(json: &Json) -> String {
    json.as_str().unwrap().to_owned()
}

fn small(json: &Json) -> u8 {
    u8::try_from(json.as_u64().unwrap()).unwrap()
}

fn addresses(list: &Json) -> Vec<Address> {
    let items = list.as_array().unwrap();
    items
        .iter()
        .map(|a| Address::new(a["address"].as_str().unwrap(), small(&a["mask"])))
        .collect()
}

fn prefix(json: &Json) -> Prefix {
    let assigned = json["assigned"].as_object().unwrap();
    Prefix {
        address: text(&json["address"]),
        mask: small(&json["mask"]),
        lifetimes: None,
        class: text(&json["class"]),
        assigned: assigned
            .iter()
            .map(|(name, a)| (name.clone(), text(&a["address"]), small(&a["mask"])))
            .collect(),
    }
}

/// The interface that netifd described; nothing but facts is taken over, in a form of our own.
fn interface(json: &Json) -> Interface {
    let mut interface = Interface::new(&text(&json["interface"]), &text(&json["proto"]));
    interface.state = State::Up;
    interface.dynamic = json["dynamic"] == true;
    interface.device = json.get("device").map(text);
    interface.l3_device = json.get("l3_device").map(text);
    interface.updated = ["addresses", "routes", "prefixes", "data"]
        .into_iter()
        .filter(|what| {
            json["updated"]
                .as_array()
                .unwrap()
                .contains(&Json::from(*what))
        })
        .collect();
    interface.addresses = addresses(&json["ipv4-address"]);
    interface.addresses.extend(addresses(&json["ipv6-address"]));
    interface.prefixes = json["ipv6-prefix"]
        .as_array()
        .unwrap()
        .iter()
        .map(prefix)
        .collect();
    for a in json["ipv6-prefix-assignment"].as_array().unwrap() {
        interface.assignments.push(Assignment {
            address: text(&a["address"]),
            mask: small(&a["mask"]),
            local: a["local-address"].get("address").map(text),
        });
    }
    for r in json["route"].as_array().unwrap() {
        let (target, nexthop) = (text(&r["target"]), text(&r["nexthop"]));
        interface
            .routes
            .push(Route::via(&target, small(&r["mask"]), &nexthop));
    }
    interface
}

/// The options of the stock script, as its `dump` line declares them.
fn stock_handler() -> discovery::Handler {
    let strings = [
        "maptype",
        "rule",
        "ipaddr",
        "ip6prefix",
        "peeraddr",
        "tunlink",
        "zone",
        "encaplimit",
    ];
    let numbers = [
        "ip4prefixlen",
        "ip6prefixlen",
        "ealen",
        "psidlen",
        "psid",
        "offset",
        "mtu",
        "ttl",
    ];
    let config: Vec<_> = strings
        .iter()
        .map(|name| format!("[\"{name}\",3]"))
        .chain(numbers.iter().map(|name| format!("[\"{name}\",5]")))
        .chain(["[\"legacymap\",7]".to_owned()])
        .collect();
    let line = format!(
        "{{\"name\":\"map\",\"config\":[{}],\"no-device\":true,\"available\":true}}\n",
        config.join(",")
    );
    discovery::parse("./map.sh", &line).remove(0)
}

/// The router on which the recordings were made.
fn recorded_router() -> Double {
    let net = Double::without_scripts(NullEffects);
    let dump: Json = serde_json::from_str(&file("dump.reply.json")).unwrap();
    let recorded = Message::decode(&recording("dump")[5].1);
    let recorded = recorded
        .get(Attr::Data)
        .unwrap()
        .get("interface")
        .unwrap()
        .as_array()
        .unwrap()
        .to_vec();
    net.with(|w| {
        w.handlers.insert("map".to_owned(), stock_handler());
        for json in dump["interface"].as_array().unwrap() {
            let mut interface = interface(json);
            let same_name =
                |v: &&Value| v.get("interface").and_then(Value::as_str) == Some(&interface.name);
            let data = recorded
                .iter()
                .find(same_name)
                .unwrap()
                .get("data")
                .unwrap();
            for (key, value) in data.as_table().unwrap() {
                interface.set_data(key, value.clone());
            }
            if interface.proto == "map" {
                interface.handler = Some(HandlerState::new(&stock_handler(), "{}".to_owned()));
            }
            if interface.dynamic {
                let add = Message::decode(&recording("adddyn")[4].1);
                interface.made_from = add.get(Attr::Data).cloned();
                interface.parent = Some("wan6".to_owned());
            }
            w.add_interface(interface);
        }
    });
    net
}

/// Sends what the client sent and returns what each side of the recording got: recorded and live.
fn replay(net: &Double, name: &str) -> Vec<(Message, Message)> {
    let mut stream = UnixStream::connect(net.socket()).unwrap();
    let mut reader = FrameReader::default();
    let mut numbers: Vec<(u32, u32)> = Vec::new();
    let mut pairs = Vec::new();
    let mut receive = |stream: &mut UnixStream| {
        let mut chunk = [0; 4096];
        loop {
            if let Some(message) = reader.next_message().unwrap() {
                return message;
            }
            let n = stream.read(&mut chunk).unwrap();
            assert!(n > 0, "{name}: the double hung up");
            reader.push(&chunk[..n]);
        }
    };
    // The recording was made from both directions and does not keep their order; the client
    // sends its n-th request after the status of the one before.
    let frames = recording(name);
    let mut requests = frames.iter().filter(|(server, _)| !server).map(|(_, f)| f);
    for (_, frame) in frames.iter().filter(|(server, _)| *server) {
        let recorded = Message::decode(frame);
        let live = receive(&mut stream);
        match (recorded.kind, recorded.objid(), live.objid()) {
            (Kind::Hello, ..) => numbers.push((recorded.peer, live.peer)),
            (_, Some(old), Some(new)) if !numbers.contains(&(old, new)) => numbers.push((old, new)),
            _ => {}
        }
        let kinds = (recorded.number(Attr::ObjType), live.number(Attr::ObjType));
        if let (Some(old), Some(new)) = kinds {
            numbers.push((old, new));
        }
        if matches!(recorded.kind, Kind::Hello | Kind::Status)
            && let Some(request) = requests.next()
        {
            let mut request = Message::decode(request);
            renumber(&mut request, &numbers);
            stream.write_all(&request.encode()).unwrap();
        }
        let mut expected = recorded;
        renumber(&mut expected, &numbers);
        pairs.push((expected, live));
    }
    assert!(requests.next().is_none(), "{name}: all requests were sent");
    pairs
}

/// Replaces the recorded numbers of clients, objects and their types by the live ones.
fn renumber(message: &mut Message, numbers: &[(u32, u32)]) {
    let new = |old: u32| {
        numbers
            .iter()
            .find(|(o, _)| *o == old)
            .map_or(old, |(_, n)| *n)
    };
    message.peer = new(message.peer);
    for attr in &mut message.attrs {
        if let (Attr::ObjId | Attr::ObjType, Value::Int32(id)) = attr {
            *id = new(id.cast_unsigned()).cast_signed();
        }
    }
}

/// Clocks differ.
fn without_uptime(value: &Value) -> Value {
    match value {
        Value::Table(members) => Value::Table(
            members
                .iter()
                .filter(|(name, _)| name != "uptime")
                .map(|(name, value)| (name.clone(), without_uptime(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(without_uptime).collect()),
        other => other.clone(),
    }
}

fn without_uptime_in(message: &Message) -> Message {
    let mut message = message.clone();
    for (attr, data) in &mut message.attrs {
        if *attr == Attr::Data {
            *data = without_uptime(data);
        }
    }
    message
}

#[test]
fn every_recorded_exchange_is_answered_byte_for_byte() {
    for name in [
        "lookup", "dump", "status", "hostdep", "error", "badtype", "noiface", "noobj", "nomethod",
        "adddyn", "update", "down",
    ] {
        let net = recorded_router();
        for (expected, live) in replay(&net, name) {
            let expected = without_uptime_in(&expected);
            let live = without_uptime_in(&live);
            assert_eq!(live, expected, "{name}");
            assert_eq!(live.encode(), expected.encode(), "{name}");
        }
    }
}

#[test]
fn handlers_are_described_alike() {
    let net = recorded_router();
    let pairs = replay(&net, "handlers");
    let of = |m: &Message| -> Option<Json> { Some(m.get(Attr::Data)?.get("map")?.to_json()) };
    let (recorded, live) = pairs
        .iter()
        .find_map(|(r, l)| Some((of(r)?, of(l)?)))
        .unwrap();
    assert_eq!(live, recorded);
}
