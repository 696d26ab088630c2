// SPDX-License-Identifier: GPL-2.0-or-later
//! S46 options (RFC 7598), good and broken.

use std::process::{Command, Output};

use mape::map::s46::{S46Option, bytes_of_hex, decode, provisioned};
use mape::map::{Dialect, Domain, MapType};
use serde_json::Value;

fn mape(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mape"))
        .arg("s46")
        .args(args)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What is said of these digits on the way to a decoded option.
fn refusal(hex: &str) -> String {
    match bytes_of_hex(hex).and_then(|bytes| decode(&bytes)) {
        Ok(options) => panic!("{hex} is {options:?}"),
        Err(error) => error.to_string(),
    }
}

/// An option of that code around that content.
fn option(code: u16, content: &str) -> String {
    let content = content.replace(' ', "");
    format!("{code:04x}{:04x}{content}", content.len() / 2)
}

const RULE_DATA: &str = "00 10 18 c0000200 28 20010db800";
const BR_DATA: &str = "20010db8ffff00000000000000000001";

#[test]
fn recorded_options() {
    let all: Vec<Value> = serde_json::from_str(include_str!("data/vectors.json")).unwrap();
    let vectors: Vec<&Value> = all.iter().filter(|v| v["kind"] == "dhcpv6").collect();
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let hex = vector["expected"]["hex"].as_str().unwrap();
        let options = decode(&bytes_of_hex(hex).unwrap()).unwrap();
        let input = &vector["input"];
        let shown = match &options[..] {
            [S46Option::PortParams(p)] => {
                let psid = p.psid >> (16 - p.psid_len);
                assert_eq!(input["psid"], psid);
                assert_eq!(input["offset"], p.offset);
                assert_eq!(input["psid_len"], p.psid_len);
                "S46_PORTPARAMS"
            }
            [
                S46Option::Rule {
                    fmr,
                    ea_len,
                    ipv4,
                    ipv6,
                    ports: Some(p),
                    padded_to: None,
                },
            ] => {
                assert_eq!(input["fmr"], *fmr);
                assert_eq!(input["ea"], *ea_len);
                assert_eq!(input["v4"], ipv4.to_string());
                assert_eq!(input["v6"], ipv6.to_string());
                let psid = p.psid >> (16 - p.psid_len);
                let params = format!("{}/{}/{psid}", p.offset, p.psid_len);
                assert_eq!(input["portparams"], params);
                "S46_RULE"
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(input["option"], shown);
    }
}

#[test]
fn a_map_e_container_to_the_mapping() {
    // RFC 7597 appendix A, example 1.
    let hex = option(94, &(option(89, RULE_DATA) + &option(90, BR_DATA)));
    let output = mape(&[&hex, "--prefix", "2001:db8:12:3400::/56", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let object: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(object["options"][0]["container"], "S46_CONT_MAPE");
    assert_eq!(
        object["rules"][0],
        "type=map-e,ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,\
         ealen=16,br=2001:db8:ffff::1"
    );
    let mapping = &object["mapping"];
    assert_eq!(mapping["ipv4_address"], "192.0.2.18");
    assert_eq!(mapping["psid"], 0x34);
    assert_eq!(mapping["ce_address"], "2001:db8:12:3400:0:c000:212:34");
    let text = stdout(&mape(&[&hex, "--prefix", "2001:db8:12:3400::/56"]));
    for line in [
        "S46_CONT_MAPE",
        "  S46_RULE 2001:db8::/40 -> 192.0.2.0/24, EA 16",
        "  S46_BR 2001:db8:ffff::1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in {text}");
    }
    assert!(text.contains("192.0.2.18"), "{text}");
}

#[test]
fn the_example_of_the_help() {
    let help = stdout(&mape(&["--help"]));
    let (_, example) = help.split_once("Example:\n  mape s46 ").unwrap();
    let example = example.replace('\\', " ");
    let words: Vec<&str> = example.split_whitespace().collect();
    let output = mape(&words);
    assert_eq!(output.status.code(), Some(0), "{example}");
    assert!(stdout(&output).contains("192.0.2.18"));
}

#[test]
fn map_t_with_its_dmr() {
    let dmr = option(91, "40 20010db8ffff0000");
    let hex = option(95, &(option(89, RULE_DATA) + &dmr));
    let sets = provisioned(&decode(&bytes_of_hex(&hex).unwrap()).unwrap());
    assert_eq!(sets.len(), 1);
    assert_eq!(sets[0].map_type, MapType::MapT);
    let rule = sets[0].rules[0].to_string();
    assert!(rule.ends_with(",dmr=2001:db8:ffff::/64"), "{rule}");
}

#[test]
fn a_lw4o6_binding() {
    let ports = option(93, "00 08 2800");
    let bind = option(92, &format!("c633643b 40 20010db800010000 {ports}"));
    let hex = option(96, &(bind + &option(90, BR_DATA)));
    let sets = provisioned(&decode(&bytes_of_hex(&hex).unwrap()).unwrap());
    let domain = Domain::from_specs(&sets[0].rules, MapType::Lw4o6, Dialect::Rfc7597).unwrap();
    let mapping = domain.map(&["2001:db8:1::/64".parse().unwrap()]).unwrap();
    assert_eq!(mapping.ipv4().to_string(), "198.51.100.59/32");
    let ranges: Vec<String> = mapping.ports().ranges().map(|r| r.to_string()).collect();
    assert_eq!(ranges, ["10240-10495"]);
}

#[test]
fn several_rules_with_fmrs_and_strangers() {
    let fmr = option(89, "01 10 18 c6336400 28 20010db801");
    let stranger = option(700, "abcdef");
    let inner = option(89, RULE_DATA) + &fmr + &stranger + &option(90, BR_DATA);
    let options = decode(&bytes_of_hex(&option(94, &inner)).unwrap()).unwrap();
    let sets = provisioned(&options);
    let fmrs: Vec<bool> = sets[0].rules.iter().map(|rule| rule.fmr).collect();
    assert_eq!(fmrs, [false, true]);
    assert!(sets[0].rules.iter().all(|rule| rule.br.is_some()));
    let S46Option::Container(_, inner) = &options[0] else {
        panic!("{options:?}")
    };
    assert_eq!(inner[2].to_string(), "option 700 of 3 bytes");
}

#[test]
fn a_psid_of_zero_beside_ea_bits_is_a_filler() {
    let ports = option(93, "06 08 0000");
    let hex = option(89, &format!("{RULE_DATA}{ports}"));
    let output = mape(&[&hex, "--prefix", "2001:db8:12:3400::/56", "--json"]);
    let object: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(object["mapping"]["psid"], 0x34);
}

#[test]
fn digits() {
    assert_eq!(bytes_of_hex("0x00:5a 00-10").unwrap(), [0, 0x5a, 0, 0x10]);
    assert_eq!(refusal("00g0"), "hex: 'g' is no hexadecimal digit");
    assert_eq!(refusal("005"), "hex: an odd number of digits");
    assert_eq!(refusal(" "), "hex: no option in it");
}

#[test]
fn what_is_cut_off_is_named() {
    assert_eq!(
        refusal("005a00"),
        "byte 0: 3 bytes are left, an option's header has 4"
    );
    assert_eq!(
        refusal("005a001020010db8"),
        "byte 0: S46_BR is truncated: it has 16 bytes, 4 bytes are left"
    );
    assert_eq!(
        refusal(&option(90, "20010db8")),
        "byte 0: S46_BR of 4 bytes has no room for its address"
    );
    assert_eq!(
        refusal(&option(89, "00 10 18 c0000200 28 2001")),
        "byte 0: S46_RULE of 10 bytes has no room for its IPv6 prefix"
    );
    assert_eq!(
        refusal(&option(94, "0059 0020 00")),
        "byte 4: S46_RULE is truncated: it has 32 bytes, 1 byte is left"
    );
    assert_eq!(
        refusal(&option(93, "06 08 3400 00")),
        "byte 0: S46_PORTPARAMS has 5 bytes, not 4"
    );
}

#[test]
fn every_shortening_is_refused_and_nothing_panics() {
    let ports = option(93, "06 08 3400");
    let rule = option(89, &format!("{RULE_DATA}{ports}"));
    let whole = bytes_of_hex(&option(94, &(rule + &option(90, BR_DATA)))).unwrap();
    assert!(decode(&whole).is_ok());
    for len in 0..whole.len() {
        assert!(decode(&whole[..len]).is_err(), "{len} bytes");
    }
    for at in 0..whole.len() {
        for value in 0..=u8::MAX {
            let mut changed = whole.clone();
            changed[at] = value;
            // Either way an answer; and what is decoded can be used.
            if let Ok(options) = decode(&changed) {
                for set in provisioned(&options) {
                    let _ = Domain::from_specs(&set.rules, set.map_type, Dialect::Rfc7597)
                        .map(|domain| domain.map(&["2001:db8:12:3400::/56".parse().unwrap()]));
                }
            }
        }
    }
}

#[test]
fn options_in_the_wrong_place() {
    let container = option(94, "");
    assert_eq!(
        refusal(&option(94, &container)),
        "byte 4: S46_CONT_MAPE does not belong into S46_CONT_MAPE"
    );
    assert_eq!(
        refusal(&option(94, &option(91, "40 20010db8ffff0000"))),
        "byte 4: S46_DMR does not belong into S46_CONT_MAPE"
    );
    assert_eq!(
        refusal(&option(96, &option(89, RULE_DATA))),
        "byte 4: S46_RULE does not belong into S46_CONT_LW"
    );
    let nested = option(89, &format!("{RULE_DATA}{}", option(89, RULE_DATA)));
    assert_eq!(
        refusal(&nested),
        "byte 17: S46_RULE does not belong into S46_RULE"
    );
    let ports = option(93, "06 08 3400");
    assert_eq!(
        refusal(&option(89, &format!("{RULE_DATA}{ports}{ports}"))),
        "byte 25: a second S46_PORTPARAMS in S46_RULE"
    );
    let mut deep = option(93, "06 08 3400");
    for _ in 0..1000 {
        deep = option(94, &deep);
    }
    assert!(refusal(&deep).ends_with("does not belong into S46_CONT_MAPE"));
}

#[test]
fn fields_out_of_range() {
    for (hex, said) in [
        (
            option(89, "00 31 18 c0000200 28 20010db800"),
            "byte 0: ea-len 49 of S46_RULE: at most 48",
        ),
        (
            option(89, "00 10 21 c0000200 28 20010db800"),
            "byte 0: prefix4-len 33 of S46_RULE: at most 32",
        ),
        (
            option(92, "c0000201 81 20010db8000000000000000000000000"),
            "byte 0: prefix6-len 129 of S46_V4V6BIND: at most 128",
        ),
        (
            option(93, "10 00 0000"),
            "byte 0: offset 16 of S46_PORTPARAMS: at most 15",
        ),
        (
            option(93, "00 11 0000"),
            "byte 0: PSID-len 17 of S46_PORTPARAMS: at most 16",
        ),
        (
            option(91, "21 20010db800"),
            "byte 0: dmr 2001:db8::/33: the length must be 32, 40, 48, 56, 64 or 96 (RFC 6052)",
        ),
    ] {
        assert_eq!(refusal(&hex), said);
    }
}

/// Servers that fill the prefix field with zeros (openwrt issue 25190).
#[test]
fn padded_prefix_fields() {
    let ports = option(93, "00 03 a000");
    for (padded, plain, field) in [
        (
            option(
                89,
                &format!("00 0c 17 c6336400 34 20010db8001200 00 {ports}"),
            ),
            option(89, &format!("00 0c 17 c6336400 34 20010db8001200 {ports}")),
            "/52 of S46_RULE is padded to 8 bytes, though a /52 has 7",
        ),
        (
            option(89, "01 10 18 c0000200 28 20010db800 000000"),
            option(89, "01 10 18 c0000200 28 20010db800"),
            "/40 of S46_RULE is padded to 8 bytes, though a /40 has 5",
        ),
        (
            option(
                89,
                &format!("00 10 18 c0000200 28 20010db800 0000000000000000000000 {ports}"),
            ),
            option(89, &format!("00 10 18 c0000200 28 20010db800 {ports}")),
            "/40 of S46_RULE is padded to 16 bytes",
        ),
        (
            option(92, &format!("c0000201 38 20010db8001234 00 {ports}")),
            option(92, &format!("c0000201 38 20010db8001234 {ports}")),
            "/56 of S46_V4V6BIND is padded to 8 bytes",
        ),
        (
            option(91, "30 20010db8ffff 0000"),
            option(91, "30 20010db8ffff"),
            "/48 of S46_DMR is padded to 8 bytes",
        ),
    ] {
        let read = |hex: &str| decode(&bytes_of_hex(hex).unwrap()).unwrap();
        let (padded, plain) = (read(&padded), read(&plain));
        assert_eq!(provisioned(&padded), provisioned(&plain), "{field}");
        assert_eq!(padded[0].to_string(), plain[0].to_string());
        let notes = padded[0].notes();
        assert_eq!(notes.len(), 1, "{field}");
        assert!(notes[0].contains(field), "{notes:?}");
        assert!(plain[0].notes().is_empty(), "{field}");
    }
    // What is no zero is no padding.
    let other = option(
        89,
        &format!("00 0c 17 c6336400 34 20010db8001200 01 {ports}"),
    );
    assert!(refusal(&other).contains("is truncated"));
    let zeros = option(89, "00 10 18 c0000200 28 20010db800 00000000");
    assert_eq!(
        refusal(&zeros),
        "byte 17: option 0 does not exist; the field before it may be padded"
    );
}

#[test]
fn exit_status() {
    assert_eq!(mape(&[]).status.code(), Some(2));
    assert_eq!(mape(&["005a"]).status.code(), Some(1));
    let br = option(90, BR_DATA);
    assert_eq!(mape(&[&br]).status.code(), Some(0));
    let output = mape(&[&br, "--prefix", "2001:db8::/56"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stderr, b"mape: the options hold no rule\n");
}
