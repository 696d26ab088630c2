// SPDX-License-Identifier: GPL-2.0-or-later
//! What we tell netifd is, byte for byte, what the `ubus` command of a shell handler told the
//! real one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod blobmsg;

use blobmsg::{Attr, Kind, Message, Value, number};
use mape::netifd::{Notify, Tunnel, Update};
use mape::reason::Reason;
use serde_json::Value as Json;
use std::fs;
use std::path::Path;
use ubus::BlobType;

/// The call in a recording: its frame, sequence number and object.
fn recorded(name: &str) -> (Vec<u8>, u16, u32) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ubus");
    let text = fs::read_to_string(data.join(name).with_extension("jsonl")).unwrap();
    let frames = text.lines().filter_map(|line| {
        let line: Json = serde_json::from_str(line).unwrap();
        let hex = line["hex"].as_str().unwrap();
        let byte = |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        (line["dir"] == "client").then_some(bytes)
    });
    frames
        .map(|frame| {
            let message = Message::decode(&frame);
            (frame, message.seq, message.peer, message.kind)
        })
        .find_map(|(frame, seq, peer, kind)| (kind == Kind::Invoke).then_some((frame, seq, peer)))
        .unwrap()
}

fn is_as_recorded(name: &str, notify: &Notify<'_>) {
    let (frame, seq, object) = recorded(name);
    let arguments = notify.to_arguments("wanmap");
    let sent = Value::read(BlobType::Table, arguments.contents()).unwrap();
    let message = Message::new(Kind::Invoke, seq, object)
        .with(Attr::ObjId, number(object))
        .with(Attr::Method, "notify_proto")
        .with(Attr::Data, sent);
    let theirs = Message::decode(&frame);
    // The values first: their difference can be read.
    assert_eq!(message.get(Attr::Data), theirs.get(Attr::Data), "{name}");
    assert_eq!(message.encode(), frame, "{name}");
}

#[test]
fn a_link_that_is_up() {
    let tunnel = Tunnel {
        mtu: 1460,
        ttl: 64,
        local: "240b:12:aaaa:bb00:e:8aa:aa00:bb00".parse().unwrap(),
        remote: "2404:9200:225:100::64".parse().unwrap(),
        link: "wan6",
        encaplimit: Some("ignore"),
        fmrs: Some(&[]),
    };
    let update = Update {
        ifname: "map-wanmap",
        tunnel: Some(tunnel),
        metric: None,
        address: [14, 8, 170, 170].into(),
        inside: None,
        zone: Some("wan"),
        firewall: Vec::new(),
    };
    is_as_recorded("update", &Notify::LinkUp(&update));
}

#[test]
fn an_error_with_its_detail() {
    let error = Notify::Error {
        code: "INVALID_MAP_RULE",
        detail: "detail",
        reason: &Reason::from("detail"),
    };
    is_as_recorded("error", &error);
}

#[test]
fn a_dependency_on_the_uplink() {
    let dependency = Notify::HostDependency {
        host: "::",
        ifname: Some("wan6"),
    };
    is_as_recorded("hostdep", &dependency);
}
