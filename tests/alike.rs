// SPDX-License-Identifier: GPL-2.0-or-later
//! EA length, PSID length and PSID, given or not, in every combination: `calc`, `br`, `mapcalc`
//! and the handler come to the same, or refuse it for the same reason.

use std::path::PathBuf;
use std::process::{Command, Output};

use mape::handler::{Protocol, Request, Settings};
use mape::netifd::Config;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_mape");
/// Its PSID is 52, left-justified 13312.
const PREFIX: &str = "2001:db8:12:3400::/56";
const OPTIONS: [(&str, &str); 6] = [
    ("ipv6prefix", "2001:db8::"),
    ("prefix6len", "40"),
    ("ipv4prefix", "192.0.2.0"),
    ("prefix4len", "24"),
    ("offset", "6"),
    ("br", "2001:db8:ffff::1"),
];
/// The same, as `proto map` has them.
const NAMES: [&str; 6] = [
    "ip6prefix",
    "ip6prefixlen",
    "ipaddr",
    "ip4prefixlen",
    "offset",
    "peeraddr",
];

/// CE address and port ranges, or the reason why there are none.
type Outcome = Result<(String, Vec<(u16, u16)>), String>;

/// A reason without the number of the rule, and with one name for each option.
fn reason(said: &str) -> String {
    let said = said.trim().trim_start_matches("mape: ");
    said.trim_start_matches("rule 1: ")
        .replace("prefix4len", "ip4prefixlen")
        .replace("ip4ip4prefixlen", "ip4prefixlen")
}

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(args).env("MAPE_ROOT", "files");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// What `calc` says, and whether the EA bits reach to the end of the prefix.
fn by_calc(rule: &str) -> (Outcome, bool) {
    let output = run(&["calc", "--json", PREFIX, "--rule", rule]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let outcome = match answer["ce_address"].as_str() {
        Some(ce) => {
            let ranges = answer["port_ranges"].clone();
            Ok((ce.to_owned(), serde_json::from_value(ranges).unwrap()))
        }
        None => Err(reason(answer["error"].as_str().unwrap())),
    };
    (outcome, answer["bmr"]["ea_len"] == 16)
}

/// The BR sends a port of `ports` to the CE; or why it knows none.
fn by_br(rule: &str, ports: &[(u16, u16)]) -> Result<String, String> {
    let port = ports.first().map_or(1232, |(first, _)| *first);
    let to = format!("192.0.2.18:{port}");
    let from = ["--from", "198.51.100.1:443", "--to", &to, "--rule", rule];
    let args = [&["br", "--json", "--prefix", PREFIX], &from[..]].concat();
    let answer: Value = serde_json::from_slice(&run(&args).stdout).unwrap();
    match answer["destination"].as_str() {
        Some(ce) => Ok(ce.to_owned()),
        None => Err(reason(answer["error"].as_str().unwrap())),
    }
}

fn by_mapcalc(dump: &str, rule: &str) -> Outcome {
    let output = run(&["mapcalc", "--dump", dump, "wan6", rule]);
    let said = text(&output.stdout);
    let value = |key: &str| said.lines().find_map(|line| line.strip_prefix(key));
    let Some(ce) = value("RULE_1_IPV6ADDR=") else {
        let complaint = text(&output.stderr).lines().nth(1).unwrap_or_default();
        return Err(reason(complaint));
    };
    // The stock helper names none if all are ours.
    let sets = value("RULE_1_PORTSETS=").unwrap_or("0-65535");
    let range = |word: &str| {
        let (first, last) = word.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    let ranges = sets.trim_matches('\'').split_whitespace();
    Ok((ce.to_owned(), ranges.filter_map(range).collect()))
}

fn by_handler(config: &Value) -> Outcome {
    let config = Config::parse(&config.to_string()).unwrap();
    let settings = Settings::new(Protocol::Map, "wan4", &config);
    let settings = settings.map_err(|problem| reason(&problem.detail))?;
    let Request::Rules(domain) = &settings.request else {
        panic!("no rules: {config:?}");
    };
    let mapping = domain.map(&[PREFIX.parse().unwrap()]);
    let mapping = mapping.map_err(|error| reason(&error.to_string()))?;
    let ranges = mapping.ports().ranges();
    let ranges = ranges.map(|range| (range.first(), range.last()));
    Ok((mapping.ce_address().to_string(), ranges.collect()))
}

/// A file with the answer of the bus on which `mapcalc` works.
fn dump() -> PathBuf {
    let path = std::env::temp_dir().join(format!("mape-alike-{}", std::process::id()));
    let dump = r#"{"interface":[{"interface":"wan6",
        "ipv6-prefix":[{"address":"2001:db8:12:3400::","mask":56}]}]}"#;
    std::fs::write(&path, dump).unwrap();
    path
}

#[test]
fn every_combination_means_the_same_to_all() {
    let path = dump();
    let dump = path.to_str().unwrap();
    let (mut accepted, mut refused) = (0, 0);
    for ealen in ["", "16", "14", "8", "0"] {
        for psidlen in ["", "8", "7", "0"] {
            for psid in ["", "52", "13312", "53", "13568", "13313", "0"] {
                let more = [("ealen", ealen), ("psidlen", psidlen), ("psid", psid)];
                let more = more.into_iter().filter(|(_, value)| !value.is_empty());
                let options: Vec<_> = OPTIONS.into_iter().chain(more.clone()).collect();
                let words = options.iter().map(|(key, value)| format!("{key}={value}"));
                let rule = format!("type=map-e,{}", words.collect::<Vec<_>>().join(","));
                let names = NAMES
                    .into_iter()
                    .zip(OPTIONS)
                    .map(|(name, (_, v))| (name, v));
                let separate: Value = names
                    .chain(more)
                    .chain([("maptype", "map-e")])
                    .map(|(key, value)| (key.to_owned(), value.into()))
                    .collect::<serde_json::Map<_, _>>()
                    .into();

                let (expected, is_whole) = by_calc(&rule);
                assert_eq!(by_mapcalc(dump, &rule), expected, "mapcalc {rule}");
                let in_rule = serde_json::json!({"maptype": "map-e", "rule": [rule]});
                assert_eq!(by_handler(&in_rule), expected, "handler {rule}");
                assert_eq!(by_handler(&separate), expected, "handler {separate}");
                let ports = expected.as_ref().map(|(_, ports)| ports.as_slice());
                let br = by_br(&rule, ports.unwrap_or_default());
                match (br, &expected) {
                    // It sends to the first subnet of what the EA bits name, as calc notes.
                    (Ok(_), Ok(_)) if !is_whole => {}
                    (br, expected) => {
                        assert_eq!(br, expected.clone().map(|(ce, _)| ce), "br {rule}");
                    }
                }
                match expected {
                    Ok(_) => accepted += 1,
                    Err(_) => refused += 1,
                }
            }
        }
    }
    std::fs::remove_file(path).unwrap();
    assert!(accepted > 20 && refused > 20, "{accepted} {refused}");
}
