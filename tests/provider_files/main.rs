// SPDX-License-Identifier: GPL-2.0-or-later
//! Providers files as people break them, and as they override each other.

mod values;

use std::fs;
use std::path::PathBuf;

use ipnet::Ipv6Net;
use mape::map::{Border, Dialect, Domain, MAX_RULES, MapType, RuleSpec};
use mape::provider::{Confidence, EncapLimit, Problem, Table, Verdict, load};
use serde_json::{Map, Value, json};

/// A provider with one rule, changed by `change`.
fn file(change: impl FnOnce(&mut Value)) -> String {
    let mut file = json!({"format": 1, "providers": {"test": {
        "name": "Test", "type": "map-e", "dialect": "draft-03", "psid_offset": 4,
        "br": "2001:db8:ffff::1",
        "rules": [{"ipv6": "2001:db8::/36", "ipv4": "192.0.2.0/24", "ea_len": 16}],
    }}});
    change(&mut file);
    file.to_string()
}

fn warnings(text: &str) -> Vec<String> {
    let (_, warnings) = Table::parse(text, "f.json");
    warnings.iter().map(ToString::to_string).collect()
}

/// The only warning of the file whose provider `change` changed.
fn provider_warning(change: impl FnOnce(&mut Value)) -> String {
    let mut all = warnings(&file(|file| change(&mut file["providers"]["test"])));
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn rule_warning(change: impl FnOnce(&mut Value)) -> String {
    provider_warning(|provider| change(&mut provider["rules"][0]))
}

fn rules(table: &Table, id: &str) -> Vec<String> {
    let provider = table.provider(id).unwrap();
    provider
        .rules()
        .iter()
        .map(|r| r.ipv6().to_string())
        .collect()
}

fn net(text: &str) -> Ipv6Net {
    text.parse().unwrap()
}

#[test]
fn a_good_file_has_no_warning() {
    let (table, warnings) = Table::parse(&file(|_| ()), "f.json");
    assert_eq!(warnings, []);
    assert_eq!(table.rule_count(), 1);
    let rule = &table.provider("test").unwrap().rules()[0];
    assert_eq!(rule.confidence(), Confidence::Local);
}

#[test]
fn broken_files_are_named() {
    assert_eq!(
        warnings("{\"providers\": {"),
        ["f.json: is not JSON: EOF while parsing an object at line 1 column 15"]
    );
    assert_eq!(warnings("[]"), ["f.json: must be an object"]);
    assert_eq!(
        warnings("{\"format\": 2}"),
        ["f.json: format must be 1, the only one this version reads"]
    );
    assert_eq!(
        warnings("{\"provider\": {}}"),
        ["f.json: provider is not a known key"]
    );
    assert_eq!(
        warnings("{\"providers\": []}"),
        ["f.json: providers: must be an object"]
    );
    // Deeper than any parser should follow.
    let deep = format!("{{\"providers\": {}", "[".repeat(100_000));
    assert!(warnings(&deep)[0].contains("recursion limit exceeded"));
}

#[test]
fn overlaps_within_a_file_are_refused() {
    let second = |rule: Value| provider_warning(|p| p["rules"].as_array_mut().unwrap().push(rule));
    for ipv6 in ["2001:db8::/36", "2001:db8:f00::/40", "2001:db0::/28"] {
        let rule = json!({"ipv6": ipv6, "ipv4": "198.51.100.0/24", "ea_len": 16});
        assert_eq!(
            second(rule),
            "f.json: test rule 2: ipv6 overlaps that of rule 1 of test"
        );
    }
    for ipv4 in ["192.0.2.128/25", "192.0.0.0/16"] {
        let rule = json!({"ipv6": "2001:db9::/32", "ipv4": ipv4, "ea_len": 18});
        assert_eq!(
            second(rule),
            "f.json: test rule 2: ipv4 overlaps that of rule 1 of test"
        );
    }
    let other = file(|file| {
        file["providers"]["zwei"] = file["providers"]["test"].clone();
    });
    assert_eq!(
        warnings(&other),
        ["f.json: zwei rule 1: ipv6 overlaps that of rule 1 of test"]
    );
}

#[test]
fn a_broken_entry_costs_nothing_but_itself() {
    let text = file(|file| {
        let rules = file["providers"]["test"]["rules"].as_array_mut().unwrap();
        rules.push(json!({"ipv6": "2001:db9::/36", "ipv4": "x", "ea_len": 16}));
        rules.push(json!({"ipv6": "2001:dba::/36", "ipv4": "203.0.113.0/24", "ea_len": 16}));
        file["providers"]["bad"] = json!(5);
        file["not_map"] = json!({
            "fine": {"advice": "use something else", "prefixes": ["2001:dbb::/32"]},
            "bad": {"prefixes": ["2001:dbc::/32"]},
        });
    });
    let (table, warnings) = Table::parse(&text, "f.json");
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert_eq!(rules(&table, "test"), ["2001:db8::/36", "2001:dba::/36"]);
    assert!(matches!(
        table.lookup_line(&net("2001:dbb::/56")),
        Verdict::NotMap(line) if line.id() == "fine"
    ));
    assert_eq!(table.lookup_line(&net("2001:dbc::/56")), Verdict::Unknown);
}

#[test]
fn a_thousand_mistakes_are_counted_not_listed() {
    let text = file(|file| {
        file["providers"]["test"]["rules"] = vec![json!({}); 1000].into();
    });
    let all = warnings(&text);
    assert_eq!(all.len(), 21);
    assert_eq!(all[20], "f.json: 980 more problems");
}

#[test]
fn the_table_has_an_end() {
    let many = |provider: &mut Value, count: usize| {
        let rule = |n: usize| {
            json!({"ipv6": format!("2001:db8:{n:x}::/48"), "ea_len": 8,
                   "ipv4": format!("10.{}.{}.0/24", n >> 8, n & 255)})
        };
        provider["rules"] = (0..count).map(rule).collect();
    };
    let text = file(|file| many(&mut file["providers"]["test"], MAX_RULES + 5));
    let (table, warnings) = Table::parse(&text, "f.json");
    assert_eq!(table.rule_count(), MAX_RULES);
    assert!(warnings.iter().all(|w| w.problem == Problem::Full));
    let mut table = load("files").table;
    let before = table.rule_count();
    let warnings = table.extend(&file(|f| many(&mut f["providers"]["test"], MAX_RULES)), "f");
    assert_eq!(table.rule_count(), MAX_RULES);
    assert!(before > 0 && warnings[0].problem == Problem::Full);
}

#[test]
fn a_rule_of_ones_own_replaces_what_it_covers() {
    let mut table = load("files").table;
    let over = json!({"providers": {"v6plus": {"rules": [
        {"ipv6": "240b:10::/32", "ipv4": "198.18.0.0/16", "ea_len": 24},
    ]}, "ocn": {"rules": [
        {"ipv6": "2400:4050::/32", "ipv4": "198.19.0.0/16", "ea_len": 22, "br": "2001:db8::1"},
    ]}}});
    assert_eq!(table.extend(&over.to_string(), "own.json"), []);
    // More specific than the known /31, which stays for its other half.
    let half = table.lookup(&net("240b:10:1:200::/56")).unwrap();
    assert_eq!(half.rule().ipv4().to_string(), "198.18.0.0/16");
    assert_eq!(half.rule().confidence(), Confidence::Local);
    let mapping = half
        .domain(false)
        .unwrap()
        .map(&[net("240b:10:1:200::/56")]);
    assert_eq!(mapping.unwrap().ipv4().to_string(), "198.18.0.1/32");
    let rest = table.lookup(&net("240b:11:1:200::/56")).unwrap();
    assert_eq!(rest.rule().ipv4().to_string(), "106.72.0.0/15");
    // Covers known rules, which are gone: /34 and /35 must not win by length.
    let wide = table.lookup(&net("2400:4050:4000::/56")).unwrap();
    assert_eq!(wide.rule().ipv6().to_string(), "2400:4050::/32");
    assert_eq!(
        wide.border(),
        Some(Border::Br("2001:db8::1".parse().unwrap()))
    );
    let inside = rules(&table, "ocn");
    assert!(!inside.contains(&"2400:4050:4000::/35".to_owned()));
    assert!(inside.contains(&"2400:4151:e000::/39".to_owned()));
}

#[test]
fn a_value_of_ones_own_holds_for_all_rules_of_the_provider() {
    let mut table = load("files").table;
    let over = json!({"providers": {"nuro": {
        "br": "2001:db8::2", "mtu": 1400, "encaplimit": 4, "mesh": true,
    }}});
    assert_eq!(table.extend(&over.to_string(), "own.json"), []);
    let nuro = table.provider("nuro").unwrap();
    assert_eq!(nuro.rules().len(), 18);
    assert_eq!(nuro.mtu(), Some(1400));
    assert_eq!(nuro.encap_limit(), EncapLimit::Limit(4));
    assert!(nuro.has_mesh());
    assert_eq!(nuro.name(), "NURO Hikari");
    let found = table.lookup(&net("240d:f:1000::/56")).unwrap();
    assert_eq!(
        found.border(),
        Some(Border::Br("2001:db8::2".parse().unwrap()))
    );
    // An offset that cannot go with a PSID of 8 bits.
    let over = json!({"providers": {"nuro": {"psid_offset": 12}}});
    let warnings = table.extend(&over.to_string(), "own.json");
    assert!(
        warnings[0]
            .to_string()
            .starts_with("own.json: nuro rule 240d:f::/36: offset 12")
    );
}

#[test]
fn providers_and_lines_can_be_dropped_and_added() {
    let mut table = load("files").table;
    let over = json!({
        "providers": {
            "nuro": null,
            "lab": {"type": "map-t", "dmr": "2001:db8:ffff::/64", "rules": [
                {"ipv6": "2409:10::/32", "ipv4": "198.18.0.0/16", "ea_len": 24},
            ]},
        },
        "not_map": {"softbank": null},
    });
    assert_eq!(table.extend(&over.to_string(), "own.json"), []);
    assert!(table.provider("nuro").is_err());
    assert_eq!(table.lookup_line(&net("240d:f::/56")), Verdict::Unknown);
    assert_eq!(table.lookup_line(&net("2400:2410::/56")), Verdict::Unknown);
    let found = table.lookup(&net("2409:10:1:200::/56")).unwrap();
    assert_eq!(found.provider().map_type(), MapType::MapT);
    assert!(matches!(found.border(), Some(Border::Dmr(_))));
    assert!(matches!(
        table.lookup_line(&net("2409:11::/56")),
        Verdict::NotMap(_)
    ));
}

/// Each entry is compared with every other, so their number has a limit.
#[test]
fn a_file_of_nothing_but_names_keeps_nobody_busy() {
    let name = |n: usize| (format!("lab{n}"), json!({"name": "x"}));
    let providers: Map<String, Value> = (0..20_000).map(name).collect();
    let line = |n: usize| (format!("line{n}"), json!({"advice": "x", "prefixes": []}));
    let lines: Map<String, Value> = (0..20_000).map(line).collect();
    for file in [
        json!({"providers": providers}),
        json!({"not_map": lines}),
        json!({"not_map": {"lab": {"advice": "x", "prefixes": vec!["2001:db8::/32"; 20_000]}}}),
    ] {
        let mut table = load("files").table;
        let warnings = table.extend(&file.to_string(), "own.json");
        assert!(warnings[0].problem == Problem::Full, "{warnings:?}");
        assert!(table.providers().len() + table.other_lines().len() <= MAX_RULES);
        assert!(matches!(
            table.lookup_line(&net("240b:10::/56")),
            Verdict::Map(_)
        ));
    }
}

/// A directory that is removed again.
struct Root(PathBuf);

impl Root {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mape-{name}-{}", std::process::id()));
        let root = Root(path);
        fs::create_dir_all(root.0.join("usr/share/mape")).unwrap();
        fs::create_dir_all(root.0.join("etc/mape/providers.d")).unwrap();
        root
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.0.join(path), text).unwrap();
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const PACKAGED: &str = "usr/share/mape/providers.json";

#[test]
fn files_are_read_in_order_and_one_that_is_missing_is_named() {
    let root = Root::new("order");
    let remedy = "no provider is known without this file; install the package mape again";
    let loaded = load(&root.0);
    assert_eq!(loaded.table.rule_count(), 0);
    let [warning] = &loaded.warnings[..] else {
        panic!("{:?}", loaded.warnings)
    };
    assert_eq!(
        warning.to_string(),
        format!("{}/{PACKAGED}: {remedy}", root.0.display())
    );
    // A file cut short while it was written.
    root.write(PACKAGED, "{\"providers\": {\"v6plus\": {\"na");
    let loaded = load(&root.0);
    assert_eq!(loaded.table.rule_count(), 0);
    let [cut, warning] = &loaded.warnings[..] else {
        panic!("{:?}", loaded.warnings)
    };
    assert!(cut.to_string().contains("is not JSON"), "{cut}");
    assert!(warning.to_string().ends_with(remedy), "{warning}");
    // A good one, with two of the user's over it and one that is broken.
    root.write(PACKAGED, &file(|_| ()));
    let named = |name: &str| json!({"providers": {"test": {"name": name}}}).to_string();
    root.write("etc/mape/providers.d/20-b.json", &named("second"));
    root.write("etc/mape/providers.d/10-a.json", &named("first"));
    root.write("etc/mape/providers.d/30-c.json", "nonsense");
    root.write("etc/mape/providers.d/README", "not JSON and not read");
    let loaded = load(&root.0);
    assert_eq!(loaded.table.rule_count(), 1);
    assert_eq!(loaded.table.provider("test").unwrap().name(), "second");
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings[0].source.ends_with("30-c.json"));
}

#[test]
fn what_cannot_be_read_is_said() {
    let root = Root::new("unreadable");
    root.write(PACKAGED, &file(|_| ()));
    fs::create_dir(root.0.join("etc/mape/providers.d/dir.json")).unwrap();
    root.write("etc/mape/providers.d/big.json", &" ".repeat((1 << 20) + 1));
    fs::write(root.0.join("etc/mape/providers.d/raw.json"), [0xff, 0xfe]).unwrap();
    let said: Vec<String> = load(&root.0)
        .warnings
        .iter()
        .map(|w| w.to_string().rsplit_once('/').unwrap().1.to_owned())
        .collect();
    assert_eq!(
        said,
        [
            "big.json: cannot be read: larger than 1 MiB",
            "dir.json: cannot be read: not a regular file",
            "raw.json: cannot be read: stream did not contain valid UTF-8"
        ]
    );
}

/// What stands between "```json" and "```" in the documentation.
fn documented() -> &'static str {
    let docs = include_str!("../../docs/providers.md");
    let (_, rest) = docs.split_once("```json\n").unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_documented_example_works() {
    let mut table = load("files").table;
    assert_eq!(table.extend(documented(), "10-mine.json"), []);
    assert!(table.provider("biglobe").is_err());
    assert_eq!(rules(&table, "mylab"), ["2001:db8::/40"]);
    // Confirmed by its user, hence taken without being named.
    let (found, _) = table.choose(&[net("240d:f:4000::/56")]).unwrap();
    assert_eq!(found.rule().confidence(), Confidence::Local);
    assert_eq!(rules(&table, "nuro").len(), 18);
}

#[test]
fn a_fixed_address_of_ocn_can_be_said() {
    let docs = include_str!("../../docs/providers.md");
    let rule = docs.split("--rule ").nth(1).unwrap();
    let spec: RuleSpec = rule.split('`').next().unwrap().parse().unwrap();
    let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Draft03).unwrap();
    let mapping = domain.map(&[net("2400:4050:1234:5600::/56")]).unwrap();
    assert_eq!(mapping.ipv4().to_string(), "198.51.100.7/32");
    assert!(!mapping.ports().is_shared());
    // 8 zero bits, the address, PSID 0, 8 zero bits.
    assert_eq!(
        mapping.ce_address().to_string(),
        "2400:4050:1234:5600:c6:3364:700:0"
    );
}
