// SPDX-License-Identifier: GPL-2.0-or-later
//! Packs the providers file into constants for `src/provider/builtin.rs`.
//!
//! Trusts the file: `cargo test` reads it with the real parser, compares both
//! and refuses a warning.

#[path = "src/fingerprint.rs"]
mod fingerprint;

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::{env, fs};

use serde_json::Value;

const FILE: &str = "files/usr/share/mape/providers.json";

fn main() {
    println!("cargo:rerun-if-changed={FILE}");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/fingerprint.rs");
    let root = env::var("CARGO_MANIFEST_DIR").expect("set by cargo");
    let text = fs::read_to_string(Path::new(&root).join(FILE)).expect(FILE);
    let file: Value = serde_json::from_str(&text).expect(FILE);
    let mut out = String::from("static PROVIDERS: &[Packed] = &[\n");
    for (id, provider) in file["providers"].as_object().expect("providers") {
        write_provider(&mut out, id, provider);
    }
    out.push_str("];\nstatic OTHERS: &[PackedLine] = &[\n");
    for (id, line) in file["not_map"].as_object().expect("not_map") {
        write_line(&mut out, id, line);
    }
    let fingerprint = fingerprint::fingerprint(&[&text]);
    writeln!(
        out,
        "];\nconst FILE_LEN: usize = {};\nconst FILE_FINGERPRINT: u64 = {fingerprint:#x};",
        text.len()
    )
    .expect("memory");
    let dir = env::var("OUT_DIR").expect("set by cargo");
    fs::write(Path::new(&dir).join("providers.rs"), out).expect("providers.rs");
}

fn write_provider(out: &mut String, id: &str, provider: &Value) {
    assert_eq!(provider["type"], "map-e", "{id}: only MAP-E can be packed");
    assert_eq!(provider["encaplimit"], "ignore", "{id}: encaplimit");
    let own = text(&provider["br"]);
    let mut brs = vec![own];
    let mut rules = String::new();
    for rule in provider["rules"].as_array().expect("rules") {
        let br = rule.get("br").map_or(own, text);
        let br = brs
            .iter()
            .position(|known| *known == br)
            .unwrap_or_else(|| {
                brs.push(br);
                brs.len() - 1
            });
        let confidence = match text(rule.get("confidence").unwrap_or(&provider["confidence"])) {
            "high" => 0,
            "medium" => 1,
            "unverified" => 2,
            other => panic!("{id}: confidence {other}"),
        };
        let (ipv6, ipv6_len) = prefix6(&rule["ipv6"]);
        let (ipv4, ipv4_len) = prefix4(&rule["ipv4"]);
        writeln!(
            rules,
            "PackedRule {{ ipv6: {ipv6:#x}, ipv4: {ipv4:#x}, ipv6_len: {ipv6_len}, \
             ipv4_len: {ipv4_len}, ea_len: {}, br_and_confidence: {} }},",
            rule["ea_len"],
            br * 4 + confidence,
        )
        .expect("memory");
    }
    assert!(brs.len() <= 64, "{id}: at most 64 BRs fit");
    let brs: Vec<String> = brs
        .iter()
        .map(|br| format!("{:#x}", br.parse::<Ipv6Addr>().expect("br").to_bits()))
        .collect();
    writeln!(
        out,
        "Packed {{ id: {id:?}, name: {}, draft_03: {}, offset: {}, mtu: {}, mesh: {}, \
         brs: &[{}], rules: &[\n{rules}] }},",
        provider["name"],
        provider["dialect"] == "draft-03",
        provider["psid_offset"],
        provider["mtu"],
        provider["mesh"],
        brs.join(", "),
    )
    .expect("memory");
}

fn write_line(out: &mut String, id: &str, line: &Value) {
    let prefixes: Vec<String> = line["prefixes"]
        .as_array()
        .expect("prefixes")
        .iter()
        .map(|value| {
            let (high, len) = prefix6(value);
            format!("({high:#x}, {len})")
        })
        .collect();
    writeln!(
        out,
        "PackedLine {{ id: {id:?}, name: {}, advice: {}, prefixes: &[{}] }},",
        line["name"],
        line["advice"],
        prefixes.join(", "),
    )
    .expect("memory");
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

/// First 64 bits, and length.
fn prefix6(value: &Value) -> (u64, u8) {
    let (address, len) = text(value).split_once('/').expect("a prefix");
    let address: Ipv6Addr = address.parse().expect("an IPv6 prefix");
    (
        (address.to_bits() >> 64) as u64,
        len.parse().expect("a length"),
    )
}

fn prefix4(value: &Value) -> (u32, u8) {
    let (address, len) = text(value).split_once('/').expect("a prefix");
    let address: Ipv4Addr = address.parse().expect("an IPv4 prefix");
    (address.to_bits(), len.parse().expect("a length"))
}
