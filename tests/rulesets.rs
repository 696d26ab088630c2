// SPDX-License-Identifier: GPL-2.0-or-later
//! The text of rulesets, byte for byte: what changes here changes what routers
//! load. `cargo insta review`, or `INSTA_UPDATE=always`, accepts a change.

#[allow(dead_code, unused_imports, reason = "one function of them is used")]
#[path = "../fuzz/src/lib.rs"]
mod fuzz;

mod worked;

use std::fmt::Write as _;
use std::fs;

use ipnet::Ipv6Net;
use mape::handler::{Protocol, Settings};
use mape::map::Dialect;
use mape::mechanism::{DsLite, InterfaceId, IpIp};
use mape::nat::{Claim, Kernel, Line, Mode, Outer, Plan, Timeouts, UpnpWish, Wishes};
use mape::netifd::Config;
use serde_json::Value;
use worked::rule_of;

/// FNV-1a: enough to notice a change, and short in a snapshot.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The inputs of a corpus, each as its line in the file and in bytes.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let path = format!("{}/fuzz/corpora/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| (line.to_owned(), fuzz::packed::unpack(line).unwrap()))
        .collect()
}

fn without_extras() -> Kernel {
    let missing = || Err("Operation not supported".to_owned());
    Kernel {
        edge: missing(),
        timeouts: missing(),
        connlimit: missing(),
    }
}

/// A line about the ruleset of a line: technique, length, digest, or the error.
fn summary(line: Line, wishes: &Wishes, kernel: &Kernel) -> String {
    match Plan::new(line, wishes, kernel) {
        Ok(plan) => {
            let text = plan.combined();
            let name = plan.technique().name();
            format!("{name} {} bytes {:016x}", text.len(), digest(&text))
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn lines_of_the_rulesets_corpus() {
    let mut all = String::new();
    for (input, bytes) in corpus("rulesets") {
        let Some((line, wishes)) = fuzz::options::ruleset_of(&bytes) else {
            continue;
        };
        let full = summary(line.clone(), &wishes, &Kernel::full());
        let bare = summary(line, &wishes, &without_extras());
        writeln!(all, "{input}\n  full: {full}\n  bare: {bare}").unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn lines_of_the_configuration_corpus() {
    let mut all = String::new();
    for (input, bytes) in corpus("config_json") {
        let Ok(config) = Config::parse(&String::from_utf8_lossy(&bytes)) else {
            continue;
        };
        for protocol in Protocol::ALL {
            let settings = Settings::new(protocol, "wan4", &config);
            if let Some((line, wishes)) = settings.ok().and_then(|s| fuzz::options::line_of(&s)) {
                let text = summary(line, &wishes, &Kernel::full());
                writeln!(all, "{input}\n  {}: {text}", protocol.as_str()).unwrap();
            }
        }
    }
    insta::assert_snapshot!(all);
}

/// The lines of the worked examples, each with its number in the file.
fn vector_lines() -> Vec<(usize, Line)> {
    let all: Vec<Value> = serde_json::from_str(include_str!("data/vectors.json")).unwrap();
    let ces = all.iter().enumerate().filter(|(_, v)| v["kind"] == "ce");
    ces.map(|(number, vector)| (number, line_of(&vector["input"])))
        .collect()
}

fn line_of(input: &Value) -> Line {
    let text = |key: &str| input[key].as_str().unwrap();
    let rule = rule_of(input);
    let dialect = match text("iid") {
        "draft03" => Dialect::Draft03,
        _ => Dialect::Rfc7597,
    };
    let end_user: Ipv6Net = text("end_user_prefix").parse().unwrap();
    Line {
        interface: "wan4".into(),
        device: "map-wan4".into(),
        ipv4: rule.ipv4_of(end_user),
        ports: Some(rule.ports_of(end_user)),
        outer: Some(Outer {
            ce: rule.ce_address_of(dialect, end_user),
            sources: vec!["2001:db8:ffff::1/128".parse().unwrap()],
        }),
    }
}

#[test]
fn lines_of_the_worked_examples() {
    let mut all = String::new();
    for (number, line) in vector_lines() {
        for mode in [Mode::Auto, Mode::Hash] {
            for timeouts in [Timeouts::Normal, Timeouts::Tight] {
                let wishes = Wishes {
                    mode,
                    timeouts,
                    ..Wishes::default()
                };
                let text = summary(line.clone(), &wishes, &Kernel::full());
                writeln!(all, "{number} {mode} {timeouts}: {text}").unwrap();
            }
        }
    }
    insta::assert_snapshot!(all);
}

/// Whole texts, to read in a review: each technique once.
#[test]
fn each_technique_as_text() {
    let v6plus = line_of(&serde_json::json!({
        "rule_ipv6": "240b:10::/31", "rule_ipv4": "106.72.0.0/15", "ea_len": 25,
        "psid_offset": 4, "end_user_prefix": "240b:10:1:3400::/56", "iid": "draft03",
    }));
    let one_range = line_of(&serde_json::json!({
        "rule_ipv6": "2001:db8::/40", "rule_ipv4": "192.0.2.0/24", "ea_len": 16,
        "psid_offset": 0, "end_user_prefix": "2001:db8:12:3400::/56", "iid": "rfc7597",
    }));
    let unshared = Line {
        outer: None,
        ..line_of(&serde_json::json!({
            "rule_ipv6": "2001:db8::/40", "rule_ipv4": "192.0.2.0/24", "ea_len": 8,
            "psid_offset": 6, "end_user_prefix": "2001:db8:12:3400::/56", "iid": "rfc7597",
        }))
    };
    let text = |line: &Line, mode, redirected| {
        let wishes = Wishes {
            mode,
            redirected,
            opened: vec![Claim {
                title: "port forward".into(),
                ports: "4931 5184-5190".parse().unwrap(),
            }],
            ping: true,
            timeouts: Timeouts::Tight,
            ..Wishes::default()
        };
        let plan = Plan::new(line.clone(), &wishes, &Kernel::full()).unwrap();
        plan.combined()
    };
    insta::assert_snapshot!("pool", text(&v6plus, Mode::Auto, false));
    for (name, line, mode) in [
        ("hash", &v6plus, Mode::Hash),
        ("one_range", &one_range, Mode::Auto),
        ("unshared", &unshared, Mode::Auto),
    ] {
        insta::assert_snapshot!(name, text(line, mode, false));
        // Their chains on the way in are behind traffic control anyway.
        assert_eq!(text(line, mode, true), text(line, mode, false));
    }
    let redirected = text(&v6plus, Mode::Auto, true);
    insta::assert_snapshot!("pool_behind_traffic_control", redirected);
    let wishes = Wishes {
        upnp: UpnpWish::Count(20),
        ..Wishes::default()
    };
    let plan = Plan::new(v6plus, &wishes, &Kernel::full()).unwrap();
    insta::assert_snapshot!("upnp", plan.combined());
}

/// Lines without MAP: the AFTR translates, or the addresses are ours alone.
#[test]
fn each_line_without_map_as_text() {
    let prefix = "2001:db8:7:100::/56".parse().unwrap();
    let remote = "2001:db8:ffff::1".parse().unwrap();
    let fixed = |ipv4: &str| {
        let ipv4 = ipv4.parse().unwrap();
        IpIp::new(prefix, InterfaceId::Bits(0xfeed), ipv4, remote).unwrap()
    };
    for (name, mechanism) in [
        ("ds_lite", DsLite::new(prefix, remote).unwrap().into()),
        ("ipip_address", fixed("203.0.113.7/32").into()),
        ("ipip_block", fixed("203.0.113.9/29").into()),
    ] {
        let line = Line::new("wan4", "map-wan4", &mechanism, false);
        let plan = Plan::new(line, &Wishes::default(), &Kernel::full()).unwrap();
        insta::assert_snapshot!(name, plan.combined());
    }
}
