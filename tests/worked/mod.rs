// SPDX-License-Identifier: GPL-2.0-or-later
//! The rule of a worked example (`tests/data/vectors.json`).

use ipnet::{Ipv4Net, Ipv6Net};
use mape::map::{Dialect, MapType, Rule, RuleSpec, WrittenPsid};
use serde_json::Value;

pub fn rule_of(input: &Value) -> Rule {
    let ipv6: Ipv6Net = input["rule_ipv6"].as_str().unwrap().parse().unwrap();
    let ipv4: Ipv4Net = input["rule_ipv4"].as_str().unwrap().parse().unwrap();
    let bits = |key: &str| input[key].as_u64().map(|n| n as u8);
    let psid = input["psid"].as_u64();
    let spec = RuleSpec {
        ipv6_prefix: Some(ipv6.addr()),
        prefix6_len: Some(ipv6.prefix_len()),
        ipv4_prefix: Some(ipv4.addr()),
        prefix4_len: Some(ipv4.prefix_len()),
        ea_len: bits("ea_len"),
        offset: bits("psid_offset"),
        psid_len: bits("psid_len"),
        psid: psid.map(|psid| WrittenPsid::Number(psid as u16)),
        ..RuleSpec::default()
    };
    // Bindings are the vectors that name a PSID.
    let map_type = psid.map_or(MapType::MapE, |_| MapType::Lw4o6);
    spec.rule(map_type, Dialect::Rfc7597, None).unwrap()
}
