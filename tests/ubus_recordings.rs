// SPDX-License-Identifier: GPL-2.0-or-later
//! The codec against what the `ubus` command and the real ubusd and netifd said to each other.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod blobmsg;

use blobmsg::{Attr, FrameReader, Kind, Message, Value, number};
use mape::ubus::Status;
use serde_json::Value as Json;
use std::fs;
use std::path::{Path, PathBuf};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ubus")
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

/// The frames of a recording, each with whether the server sent it.
fn recording(name: &str) -> Vec<(bool, Vec<u8>)> {
    let text = fs::read_to_string(data().join(name).with_extension("jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let line: Json = serde_json::from_str(line).unwrap();
            (
                line["dir"] == "server",
                bytes(line["hex"].as_str().unwrap()),
            )
        })
        .collect()
}

fn all_recordings() -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(data())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "jsonl"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn message(name: &str, from_server: bool, kind: Kind) -> Message {
    recording(name)
        .into_iter()
        .filter(|(server, _)| *server == from_server)
        .map(|(_, frame)| Message::decode(&frame))
        .rfind(|m| m.kind == kind)
        .unwrap()
}

#[test]
fn every_recorded_frame_is_written_as_it_was_read() {
    let names = all_recordings();
    assert_eq!(names.len(), 13, "{names:?}");
    for name in names {
        for (_, frame) in recording(&name) {
            let message = Message::decode(&frame);
            assert_eq!(message.encode(), frame, "{name}: {message:?}");
        }
    }
}

#[test]
fn frames_are_found_wherever_the_stream_is_cut() {
    let frames: Vec<_> = recording("lookup").into_iter().map(|(_, f)| f).collect();
    let stream = frames.concat();
    for size in 1..stream.len() {
        let mut reader = FrameReader::default();
        let mut found = Vec::new();
        for piece in stream.chunks(size) {
            reader.push(piece);
            while let Some(message) = reader.next_message().unwrap() {
                found.push(message.encode());
            }
        }
        assert_eq!(found, frames, "in pieces of {size}");
    }
}

#[test]
fn replies_read_like_what_the_ubus_command_printed() {
    for name in ["dump", "status", "handlers"] {
        let text = fs::read_to_string(data().join(format!("{name}.reply.json"))).unwrap();
        let printed: Json = serde_json::from_str(&text).unwrap();
        let reply = message(name, true, Kind::Data);
        let read = reply.get(Attr::Data).unwrap().to_json();
        assert_eq!(without_uptime(read), without_uptime(printed), "{name}");
    }
}

/// The printed `dump` was taken a second before the recorded one.
fn without_uptime(mut reply: Json) -> Json {
    for interface in reply["interface"].as_array_mut().into_iter().flatten() {
        interface.as_object_mut().unwrap().remove("uptime");
    }
    reply
}

#[test]
fn an_update_is_built_from_values_to_the_recorded_bytes() {
    let recorded = message("update", false, Kind::Invoke);
    let tunnel = Value::table()
        .with("mode", "ipip6")
        .with("mtu", 1460)
        .with("ttl", 64)
        .with("local", "240b:12:aaaa:bb00:e:8aa:aa00:bb00")
        .with("remote", "2404:9200:225:100::64")
        .with("link", "wan6")
        .with(
            "data",
            Value::table()
                .with("encaplimit", "ignore")
                .with("fmrs", Vec::<Value>::new()),
        );
    let address = Value::table().with("ipaddr", "14.8.170.170");
    let route = Value::table()
        .with("target", "0.0.0.0")
        .with("netmask", "0");
    let arguments = Value::table()
        .with("action", 0)
        .with("ifname", "map-wanmap")
        .with("link-up", true)
        .with("tunnel", tunnel)
        .with("data", Value::table().with("zone", "wan"))
        .with("keep", false)
        .with("ipaddr", vec![address])
        .with("routes", vec![route])
        .with("interface", "wanmap");
    let object = recorded.objid().unwrap();
    let built = Message::new(Kind::Invoke, recorded.seq, object)
        .with(Attr::ObjId, number(object))
        .with(Attr::Method, "notify_proto")
        .with(Attr::Data, arguments);
    assert_eq!(built.encode(), recorded.encode());
}

#[test]
fn refusals_carry_their_status() {
    for (name, status) in [
        ("badtype", Status::InvalidArgument),
        ("nomethod", Status::MethodNotFound),
        ("noiface", Status::NotFound),
        ("noobj", Status::NotFound),
        ("update", Status::Ok),
    ] {
        let answer = message(name, true, Kind::Status);
        assert_eq!(answer.status(), Some(status), "{name}");
    }
}
