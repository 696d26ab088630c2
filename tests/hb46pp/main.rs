// SPDX-License-Identifier: GPL-2.0-or-later
//! Answers of provisioning servers: what our model makes of them, held against
//! the crate `hb46pp`, and what is said of those that are wrong.
//!
//! `all.json` has the values of the example in the specification (version 1.1,
//! CC BY 4.0, <https://github.com/v6pc/v6mig-prov>); the others are our own.

mod command;
mod ranges;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hb46pp::{MapMode, ProvisioningData};
use mape::map::Dialect;
use mape::provision::hb46pp::{Answer, Auth, Capability, Mechanism, SUPPORTED, Unusable};
use proptest::prelude::*;
use ranges::changed;
use serde_json::{Value, json};

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

/// All that an answer says, by name.
type Told = BTreeMap<String, String>;

fn ours(answer: &Answer) -> Told {
    let mut told = Told::new();
    let mut tell = |key: &str, value: String| assert_eq!(told.insert(key.into(), value), None);
    tell("enabler", answer.enabler_name.as_str().into());
    let label = |label: &Option<mape::provision::hb46pp::Label>| {
        format!(
            "{:?}",
            label.as_ref().map(mape::provision::hb46pp::Label::as_str)
        )
    };
    tell("service", label(&answer.service_name));
    tell("isp", label(&answer.isp_name));
    tell(
        "ttl",
        format!(
            "{:?}",
            answer.ttl.map(mape::provision::hb46pp::Ttl::as_secs)
        ),
    );
    let token = answer
        .token
        .as_ref()
        .map(mape::provision::hb46pp::Token::expose);
    tell("token", format!("{token:?}"));
    let auth = answer.auth.map(|auth| match auth {
        Auth::Req => "req",
        Auth::Bad => "bad",
        Auth::Ok => "ok",
    });
    tell("auth", format!("{auth:?}"));
    let order = answer.order.known.iter().map(|c| c.as_str());
    tell("order", order.collect::<Vec<_>>().join(","));
    tell("mostly", answer.ipv6_mostly.to_string());
    if let Some(map_e) = &answer.map_e {
        let is_draft = map_e.dialect == Dialect::Draft03;
        tell("map_e", format!("{is_draft} {} {}", map_e.mesh, map_e.br));
        for (at, rule) in map_e.rules.iter().enumerate() {
            let psid = rule.psid_length();
            tell(
                &format!("map_e {at}"),
                format!(
                    "{} {} {} {} {psid}",
                    rule.ipv6, rule.ipv4, rule.ea_length, rule.psid_offset
                ),
            );
        }
    }
    if let Some(map_t) = &answer.map_t {
        tell("map_t", map_t.dmr.to_string());
        for (at, rule) in map_t.rules.iter().enumerate() {
            let psid = rule.psid_length();
            tell(
                &format!("map_t {at}"),
                format!(
                    "{} {} {} {} {psid}",
                    rule.ipv6, rule.ipv4, rule.ea_length, rule.psid_offset
                ),
            );
        }
    }
    if let Some(lw4o6) = &answer.lw4o6 {
        let ports = format!("{} {} {}", lw4o6.psid, lw4o6.psid_length, lw4o6.psid_offset);
        tell(
            "lw4o6",
            format!("{} {} {} {ports}", lw4o6.lwaftr, lw4o6.ipv6, lw4o6.ipv4),
        );
    }
    if let Some(dslite) = &answer.dslite {
        tell("dslite", dslite.aftr.to_string());
    }
    for (at, tunnel) in answer.ipip.iter().flatten().enumerate() {
        tell(
            &format!("ipip {at}"),
            format!("{} {} {}", tunnel.local, tunnel.remote, tunnel.ipv4),
        );
    }
    if let Some(xlat464) = &answer.xlat464 {
        tell("464xlat", xlat464.nat64_prefix.to_string());
    }
    told
}

fn theirs(data: &ProvisioningData) -> Told {
    let mut told = Told::new();
    let mut tell = |key: &str, value: String| assert_eq!(told.insert(key.into(), value), None);
    let info = data.provider_info();
    tell("enabler", info.enabler_name().into());
    tell("service", format!("{:?}", info.service_name()));
    tell("isp", format!("{:?}", info.isp_name()));
    tell("ttl", format!("{:?}", data.ttl().map(hb46pp::Ttl::as_secs)));
    tell(
        "token",
        format!("{:?}", data.token().map(hb46pp::Token::as_str)),
    );
    tell(
        "auth",
        format!("{:?}", data.auth().map(hb46pp::AuthStatus::as_str)),
    );
    let order = data.order().iter().map(|c| c.as_str());
    tell("order", order.collect::<Vec<_>>().join(","));
    tell("mostly", data.ipv6_mostly().unwrap_or(false).to_string());
    if let Some(map_e) = data.map_e() {
        let is_draft = map_e.version() == hb46pp::MapEVersion::Draft03;
        let is_mesh = map_e.mode() == MapMode::Mesh;
        tell("map_e", format!("{is_draft} {is_mesh} {}", map_e.br()));
        for (at, rule) in map_e.rules().iter().enumerate() {
            let (ea, offset, psid) = (rule.ea_length(), rule.psid_offset(), rule.psid_length());
            let prefixes = format!("{} {}", rule.ipv6(), rule.ipv4());
            tell(
                &format!("map_e {at}"),
                format!("{prefixes} {ea} {offset} {psid}"),
            );
        }
    }
    if let Some(map_t) = data.map_t() {
        tell("map_t", map_t.dmr().to_string());
        for (at, rule) in map_t.rules().iter().enumerate() {
            let (ea, offset, psid) = (rule.ea_length(), rule.psid_offset(), rule.psid_length());
            let prefixes = format!("{} {}", rule.ipv6(), rule.ipv4());
            tell(
                &format!("map_t {at}"),
                format!("{prefixes} {ea} {offset} {psid}"),
            );
        }
    }
    if let Some(lw4o6) = data.lw4o6() {
        let set = lw4o6.port_set();
        let ports = format!("{} {} {}", set.psid(), set.psid_length(), set.psid_offset());
        let (prefix, ipv4) = (lw4o6.binding_prefix(), lw4o6.public_ipv4_address());
        tell(
            "lw4o6",
            format!("{} {prefix} {ipv4} {ports}", lw4o6.lwaftr()),
        );
    }
    if let Some(dslite) = data.dslite() {
        tell("dslite", dslite.aftr().to_string());
    }
    for (at, tunnel) in data
        .ipip()
        .iter()
        .flat_map(|ipip| ipip.tunnels())
        .enumerate()
    {
        let ends = format!("{} {}", tunnel.local(), tunnel.remote());
        tell(&format!("ipip {at}"), format!("{ends} {}", tunnel.ipv4()));
    }
    if let Some(xlat464) = data.xlat464() {
        tell("464xlat", xlat464.nat64_prefix().to_string());
    }
    told
}

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
