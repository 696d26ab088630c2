// SPDX-License-Identifier: GPL-2.0-or-later
//! Worked examples of the RFCs, of other implementations and of real lines
//! (`tests/data/vectors.json`), each with its source.

mod worked;

use ipnet::{Ipv4Net, Ipv6Net};
use mape::map::{Dialect, Dmr, PortParams, PortSet, Psid, Rule, RuleParts};
use serde_json::Value;
use worked::rule_of;

fn vectors(kind: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_json::from_str(include_str!("data/vectors.json")).unwrap();
    let chosen: Vec<Value> = all.into_iter().filter(|v| v["kind"] == kind).collect();
    assert!(!chosen.is_empty(), "no vector of kind {kind}");
    chosen
}

fn is_erratum(vector: &Value) -> bool {
    vector["note"].as_str().unwrap().contains("not an oracle")
}

fn small(value: &Value) -> u8 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn dialect(name: &Value) -> Dialect {
    match name.as_str().unwrap() {
        "rfc7597" => Dialect::Rfc7597,
        "draft03" => Dialect::Draft03,
        other => panic!("dialect {other}"),
    }
}

/// Compares `found` with `expected[key]`, where the vector has that key.
fn agree(vector: &Value, key: &str, found: Value) {
    let expected = &vector["expected"][key];
    if !expected.is_null() {
        assert_eq!(&found, expected, "{key} of {vector}");
    }
}

fn agree_ranges(vector: &Value, ports: PortSet) {
    let ranges: Vec<String> = ports.ranges().map(|r| r.to_string()).collect();
    agree(vector, "n_ranges", ranges.len().into());
    for key in ["first_ranges", "last_ranges"] {
        let Some(list) = vector["expected"][key].as_array() else {
            continue;
        };
        let part = match key {
            "first_ranges" => &ranges[..list.len()],
            _ => &ranges[ranges.len() - list.len()..],
        };
        assert_eq!(
            &Value::from(part.to_vec()),
            &vector["expected"][key],
            "{vector}"
        );
    }
}

#[test]
fn ces() {
    for vector in vectors("ce").iter().filter(|v| !is_erratum(v)) {
        let input = &vector["input"];
        let rule = rule_of(input);
        let end_user: Ipv6Net = input["end_user_prefix"].as_str().unwrap().parse().unwrap();
        let ports = rule.ports_of(end_user);
        let ce = rule.ce_address_of(dialect(&input["iid"]), end_user);
        assert!(rule.covers(&end_user), "{vector}");
        agree(
            vector,
            "ipv4",
            rule.ipv4_of(end_user).addr().to_string().into(),
        );
        agree(vector, "psid", ports.psid().value().into());
        agree(vector, "psid_len", ports.psid().len().into());
        let expected: Option<std::net::Ipv6Addr> = vector["expected"]["ce"]
            .as_str()
            .map(|a| a.parse().unwrap());
        assert!(
            expected.is_none_or(|expected| expected == ce),
            "{ce}: {vector}"
        );
        if ports.is_shared() {
            agree_ranges(vector, ports);
        }
    }
}

#[test]
fn port_sets() {
    for vector in vectors("ports") {
        let input = &vector["input"];
        let params = PortParams::new(small(&input["a"]), small(&input["k"])).unwrap();
        if let Some(port) = input["port"].as_u64() {
            agree(&vector, "psid", params.psid_of(port as u16).value().into());
            continue;
        }
        let set = PortSet::new(params, input["psid"].as_u64().unwrap() as u16).unwrap();
        let ranges: Vec<String> = set.ranges().map(|r| r.to_string()).collect();
        agree(&vector, "first", ranges[0].clone().into());
        agree(&vector, "last", ranges[ranges.len() - 1].clone().into());
        for included in vector["expected"]["includes"]
            .as_array()
            .into_iter()
            .flatten()
        {
            assert!(
                ranges.iter().any(|r| included == r),
                "{included} of {vector}"
            );
        }
    }
}

#[test]
fn interface_identifiers() {
    for vector in vectors("iid") {
        let input = &vector["input"];
        let psid = Psid::new(input["psid"].as_u64().unwrap() as u16, 16).unwrap();
        let address = dialect(&input["format"]).ce_address(
            "::/64".parse().unwrap(),
            input["ipv4"].as_str().unwrap().parse().unwrap(),
            psid,
        );
        let expected: std::net::Ipv6Addr =
            vector["expected"]["iid"].as_str().unwrap().parse().unwrap();
        assert_eq!(address, expected, "{vector}");
    }
}

#[test]
fn default_mapping_rules() {
    for vector in vectors("map-t") {
        let dmr: Dmr = vector["input"]["dmr"].as_str().unwrap().parse().unwrap();
        let v4 = vector["input"]["v4"].as_str().unwrap().parse().unwrap();
        let expected: std::net::Ipv6Addr =
            vector["expected"]["src"].as_str().unwrap().parse().unwrap();
        assert_eq!(dmr.embed(v4), expected, "{vector}");
        assert_eq!(dmr.extract(expected), Some(v4), "{vector}");
    }
}

/// What a BR computes from an address and a port.
#[test]
fn addresses_from_ports() {
    for vector in vectors("addrtype") {
        let input = &vector["input"];
        let ipv4: Ipv4Net = input["prefix4"].as_str().unwrap().parse().unwrap();
        assert_eq!(u64::from(ipv4.prefix_len()), input["r"].as_u64().unwrap());
        let rule = Rule::new(RuleParts {
            ipv6: input["prefix6"].as_str().unwrap().parse().unwrap(),
            ipv4,
            ea_len: small(&input["o"]),
            offset: small(&input["a"]),
            psid: None,
        })
        .unwrap();
        let (host, port) = input["addr"].as_str().unwrap().split_once(':').unwrap();
        let ce = rule.ce_address(
            Dialect::Rfc7597,
            host.parse().unwrap(),
            port.parse().unwrap(),
        );
        let expected: std::net::Ipv6Addr = vector["expected"]["ipv6"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        // A rule for a network that does not hold the address is how these
        // vectors spell "prefix only"; nobody owns it here.
        if rule
            .ipv4()
            .contains(&host.parse::<std::net::Ipv4Addr>().unwrap())
        {
            assert_eq!(ce, Some(expected), "{vector}");
        } else {
            assert_eq!(ce, None, "{vector}");
        }
    }
}

/// RFC 7597 appendix A, examples 2 and 3.
#[test]
fn forwarding() {
    for vector in vectors("forward") {
        let rule = Rule::new(RuleParts {
            ipv6: "2001:db8::/40".parse().unwrap(),
            ipv4: "192.0.2.0/24".parse().unwrap(),
            ea_len: 16,
            offset: 6,
            psid: None,
        })
        .unwrap();
        let ce = rule
            .ce_address(Dialect::Rfc7597, "192.0.2.18".parse().unwrap(), 1232)
            .unwrap();
        let expected: std::net::Ipv6Addr = vector["expected"]["outer_at_br_dst"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(ce, expected);
        agree(
            &vector,
            "psid_of_1232",
            rule.port_params().psid_of(1232).value().into(),
        );
    }
}
