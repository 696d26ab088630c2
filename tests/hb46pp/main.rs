// SPDX-License-Identifier: GPL-2.0-or-later
//! Answers of provisioning servers: what our model makes of them, held against
//! the crate `hb46pp`, and what is said of those that are wrong.
//!
//! `all.json` has the values of the example in the specification (version 1.1,
//! CC BY 4.0, <https://github.com/v6pc/v6mig-prov>); the others are our own.

mod command;
mod ranges;
mod told;

use std::path::{Path, PathBuf};

use hb46pp::ProvisioningData;
use mape::map::Dialect;
use mape::provision::hb46pp::{Answer, Capability, Mechanism, SUPPORTED, Unusable};
use proptest::prelude::*;
use ranges::changed;
use serde_json::{Value, json};
use told::{ours, theirs};

fn path(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hb46pp");
    folder.join(format!("{name}.json"))
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

fn answer(name: &str) -> Answer {
    Answer::parse(&file(name)).unwrap()
}

const FILES: [&str; 9] = [
    "all", "map-e", "ds-lite", "lw4o6", "ipip", "map-t", "464xlat", "auth-req", "auth-bad",
];

#[test]
fn every_example_says_the_same_to_both() {
    for name in FILES {
        let text = String::from_utf8(file(name)).unwrap();
        let data = ProvisioningData::parse(&text).unwrap();
        assert_eq!(ours(&answer(name)), theirs(&data), "{name}");
    }
    assert_eq!(ours(&answer("all")).len(), 16);
}

fn prefix(text: &str) -> ipnet::Ipv6Net {
    text.parse().unwrap()
}

#[test]
fn answers_become_mechanisms() {
    let map_e = |on: &str| {
        answer("map-e")
            .mechanism(&SUPPORTED, Some(&[prefix(on)]))
            .unwrap()
    };
    let Mechanism::Map { domain, lwaftr } = map_e("2001:db8:10:1200::/56") else {
        panic!("map_e")
    };
    assert_eq!(lwaftr, None);
    let mapping = domain.map(&[prefix("2001:db8:10:1200::/56")]).unwrap();
    assert_eq!(mapping.dialect(), Dialect::Draft03);
    assert_eq!(mapping.ipv4().to_string(), "192.0.2.1/32");
    assert_eq!(mapping.ports().psid().value(), 2);
    assert!(mapping.fmrs().is_empty());
    // A line that no rule is for gets the next of the order.
    let next = map_e("2001:db9::/56");
    assert_eq!(
        (next.as_str(), map_e("2001:db8:1f::/56").as_str()),
        ("ds-lite", "map-e")
    );

    let lw4o6 = answer("lw4o6").mechanism(&SUPPORTED, None).unwrap();
    let Mechanism::Map { domain, lwaftr } = lw4o6 else {
        panic!("lw4o6")
    };
    assert_eq!(lwaftr.unwrap().to_string(), "lwaftr.lab.example");
    let mapping = domain.map(&[prefix("2001:db8:3:100::/56")]).unwrap();
    assert_eq!(mapping.ports().psid().value(), 3);
    assert_eq!(
        mapping.ce_address().to_string(),
        "2001:db8:3:100:0:cb00:7110:3"
    );
    assert_eq!(mapping.border(), None);

    let map_t = answer("map-t").mechanism(&SUPPORTED, None).unwrap();
    assert_eq!(map_t.as_str(), "map-t");
    let ipip = answer("ipip");
    let tunnels = ipip
        .mechanism(&SUPPORTED, Some(&[prefix("2001:db8:7:100::/64")]))
        .unwrap();
    assert!(matches!(&tunnels, Mechanism::IpIp(tunnels) if tunnels.len() == 1));
    let elsewhere = ipip.mechanism(&SUPPORTED, Some(&[prefix("2001:db8:8::/56")]));
    assert!(
        elsewhere
            .unwrap_err()
            .to_string()
            .contains("none of the line's prefixes")
    );
}

#[test]
fn mesh_makes_every_rule_an_fmr() {
    let mechanism = answer("all").mechanism(&SUPPORTED, None).unwrap();
    let Mechanism::Map { domain, .. } = mechanism else {
        panic!("map_e")
    };
    assert_eq!(domain.fmrs(prefix("2001:db8:1:2000::/64")).len(), 1);
}

#[test]
fn an_order_that_leads_nowhere_says_why() {
    let says = |name: &str| {
        answer(name)
            .mechanism(&SUPPORTED, None)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        says("464xlat"),
        "nothing that the server offers can be used: 464xlat: not supported here"
    );
    assert_eq!(
        says("auth-req"),
        "the server offers no way to carry IPv4 without the user name and password of the contract"
    );
    assert_eq!(
        says("auth-bad"),
        "the server offers no way to carry IPv4: it does not accept the user name and password"
    );
    let unknown = br#"{"enabler_name":"x","order":["magic\u001b[1m"]}"#;
    let unknown = Answer::parse(unknown).unwrap().mechanism(&SUPPORTED, None);
    assert_eq!(
        unknown.unwrap_err().to_string(),
        "nothing that the server offers can be used: magic [1m: not known"
    );
    let only = answer("map-e").mechanism(&[Capability::IpIp], None);
    assert!(matches!(only, Err(Unusable::NoneFits(reasons)) if reasons.len() == 2));
}

#[test]
fn what_some_servers_write_differently_is_understood() {
    assert_eq!(
        changed("ttl", json!("300")).unwrap().ttl.unwrap().as_secs(),
        300
    );
    assert_eq!(changed("ttl", json!("gone")).unwrap().ttl, None);
    assert!(!changed("map_e.mesh", json!(0)).unwrap().map_e.unwrap().mesh);
    assert!(
        changed("map_e.mesh", json!("1"))
            .unwrap()
            .map_e
            .unwrap()
            .mesh
    );
    assert!(
        !changed("map_e.mesh", json!("gone"))
            .unwrap()
            .map_e
            .unwrap()
            .mesh
    );
    let version = |value| {
        changed("map_e.version", value)
            .unwrap()
            .map_e
            .unwrap()
            .dialect
    };
    assert_eq!(version(json!("gone")), Dialect::Draft03);
    assert_eq!(version(json!(1)), Dialect::Rfc7597);
    assert!(changed("unknown", json!({"a": [1]})).is_ok());
    assert!(changed("service_name", json!(null)).is_ok());
    let order = changed("order", json!(["464xlat", "new", "dslite"]))
        .unwrap()
        .order;
    assert_eq!(
        (order.known.len(), order.unknown.as_slice()),
        (2, &["new".to_owned()][..])
    );
}

#[test]
fn what_is_no_json_is_refused_in_one_line() {
    let whole = file("all");
    for end in 0..whole.len() - 2 {
        let said = Answer::parse(&whole[..end]).unwrap_err().to_string();
        assert!(said.starts_with("the answer is not valid JSON: "), "{said}");
    }
    let nested = "[".repeat(100_000);
    for text in ["<html>", "null x", "{} {}", "\u{feff}{}", nested.as_str()] {
        let said = Answer::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(
            said.len() < 300 && !said.contains(char::is_control),
            "{said}"
        );
    }
    let latin1 = b"{\"enabler_name\":\"\xe9\",\"order\":[]}";
    assert!(Answer::parse(latin1).is_err());
    let twice = br#"{"enabler_name":"a","order":[],"order":["dslite"]}"#;
    assert!(Answer::parse(twice).is_err());
    let unpaired = br#"{"enabler_name":"\ud800","order":[]}"#;
    assert!(Answer::parse(unpaired).is_err());
}

#[test]
fn a_token_is_never_shown() {
    let debug = format!("{:?}", answer("all"));
    assert!(
        debug.contains("Token(hidden)") && !debug.contains("640756965820"),
        "{debug}"
    );
}

fn lw4o6_is_one(psid: u32, length: u8, offset: u8) -> Value {
    json!({
        "lwaftr": "lwaftr.example", "ipv6": "2001:db8::/56", "ipv4": "192.0.2.1",
        "psid": psid, "psid_length": length, "psid_offset": offset,
    })
}

fn both_agree(answer: &Value) -> Result<(), TestCaseError> {
    let text = answer.to_string();
    match (
        Answer::parse(text.as_bytes()),
        ProvisioningData::parse(&text),
    ) {
        (Ok(ours_read), Ok(theirs_read)) => prop_assert_eq!(ours(&ours_read), theirs(&theirs_read)),
        (Err(_), Err(_)) => {}
        (ours_read, theirs_read) => {
            return Err(TestCaseError::fail(format!(
                "{text}: {ours_read:?} {theirs_read:?}"
            )));
        }
    }
    Ok(())
}

prop_compose! {
    /// Values around their limits.
    fn any_rule()(v6 in 0u8..=128, v4 in 0u8..=32, ea in 0u8..=50, offset in 0u8..=17, at: u32)
        -> Value
    {
        let ipv4 = std::net::Ipv4Addr::from_bits(at % 0x5000_0000 + 0x0a00_0000);
        json!({
            "ipv6": format!("2001:db8:{:x}::/{v6}", at & 0xffff),
            "ipv4": format!("{ipv4}/{v4}"),
            "ea_length": ea,
            "psid_offset": offset,
        })
    }
}

proptest! {
    #[test]
    fn rules_are_judged_as_the_crate_judges_them(
        rules in proptest::collection::vec(any_rule(), 0..4),
        version in 0u8..3,
        mesh in prop_oneof![Just(json!(true)), Just(json!(false)), (0u8..3).prop_map(|n| json!(n))],
        dmr in 90u8..100,
    ) {
        both_agree(&json!({
            "enabler_name": "x", "order": ["map_e"],
            "map_e": {"br": "2001:db8::1", "version": version, "mesh": mesh, "rules": rules},
        }))?;
        both_agree(&json!({
            "enabler_name": "x", "order": ["map_t"],
            "map_t": {"dmr": format!("2001:db8::/{dmr}"), "rules": rules},
        }))?;
    }

    #[test]
    fn port_sets_are_judged_as_the_crate_judges_them(
        psid in 0u32..70_000, length in 0u8..18, offset in 0u8..17, ttl in 604_700u32..604_900,
    ) {
        let psid = psid >> (17 - length.min(17));
        both_agree(&json!({
            "enabler_name": "x", "ttl": ttl, "order": [],
        }))?;
        both_agree(&json!({
            "enabler_name": "x", "order": ["lw4o6"], "lw4o6": lw4o6_is_one(psid, length, offset),
        }))?;
    }

    #[test]
    fn whatever_is_read_becomes_a_mechanism_or_a_reason(
        rules in proptest::collection::vec(any_rule(), 1..4),
        prefix: u128,
        len in 0u8..=128,
    ) {
        let answer = json!({
            "enabler_name": "x", "order": ["map_e", "map_t"],
            "map_e": {"br": "2001:db8::1", "rules": rules},
            "map_t": {"dmr": "2001:db8::/64", "rules": rules},
        });
        if let Ok(answer) = Answer::parse(answer.to_string().as_bytes()) {
            let prefix = ipnet::Ipv6Net::new(prefix.into(), len).unwrap();
            match answer.mechanism(&SUPPORTED, Some(&[prefix])) {
                Ok(Mechanism::Map { domain, .. }) => prop_assert!(domain.map(&[prefix]).is_ok()),
                Ok(other) => prop_assert!(false, "{other:?}"),
                Err(reason) => prop_assert!(!reason.to_string().is_empty()),
            }
        }
    }
}
