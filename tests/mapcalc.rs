// SPDX-License-Identifier: GPL-2.0-or-later
//! What the stock helper printed for 188 calls, and ours for the same; and
//! where ours is meant to differ.

mod double;

use std::os::unix::process::CommandExt;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use double::{Double, Interface, NullEffects};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_mape");
const DUMP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/mapcalc/dump.json");

/// Runs `mapcalc` by that name.
fn mapcalc(args: &[&str], legacy: bool) -> Output {
    Command::new(BINARY)
        .arg0("/usr/sbin/mapcalc")
        .args(args)
        .env("LEGACY", if legacy { "1" } else { "" })
        .output()
        .unwrap()
}

fn on_dump(interface: &str, rules: &[&str], legacy: bool) -> Output {
    let args = ["--dump", DUMP, interface];
    mapcalc(&[&args, rules].concat(), legacy)
}

/// On an interface `wan6` with these prefixes, by the other name.
fn on_prefixes(prefixes: &[&str], rules: &[&str]) -> Output {
    let rows: Vec<Value> = prefixes
        .iter()
        .map(|prefix| prefix.split_once('/').unwrap())
        .map(|(a, mask)| json!({"address": a, "mask": mask.parse::<u8>().unwrap()}))
        .collect();
    let dump = json!({"interface": [{"interface": "wan6", "ipv6-prefix": rows}]});
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let name = format!("mape-mapcalc-{}-{call}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, dump.to_string()).unwrap();
    let output = Command::new(BINARY)
        .args(["mapcalc", "--dump"])
        .arg(&path)
        .arg("wan6")
        .args(rules)
        .output()
        .unwrap();
    std::fs::remove_file(path).unwrap();
    output
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn value<'a>(output: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = output.lines().filter_map(|line| line.split_once('='));
    lines.find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[test]
fn every_recorded_call() {
    let cases = include_str!("data/mapcalc/cases.json");
    let cases: Vec<Value> = serde_json::from_str(cases).unwrap();
    assert_eq!(cases.len(), 188);
    for case in cases {
        let rules = case["rules"].as_array().unwrap();
        let rules: Vec<&str> = rules.iter().map(|rule| rule.as_str().unwrap()).collect();
        let interface = case["interface"].as_str().unwrap();
        let ours = on_dump(interface, &rules, case["legacy"] == 1);
        assert_eq!(stdout(&ours), case["stdout"].as_str().unwrap(), "{case}");
        assert_eq!(
            ours.status.code(),
            Some(case["rc"].as_i64().unwrap() as i32)
        );
        // The same complaints; what is wrong with a rule may follow indented.
        let said = stderr(&ours);
        let lines: Vec<&str> = said
            .lines()
            .filter(|line| !line.starts_with("  "))
            .collect();
        let stock: Vec<&str> = case["stderr"].as_str().unwrap().lines().collect();
        assert_eq!(lines, stock, "{case}");
    }
}

#[test]
fn too_few_arguments() {
    for args in [&[][..], &["wan6"]] {
        let output = mapcalc(args, false);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            stderr(&output),
            "Usage: mapcalc <interface|*> <rule1> [rule2] [...]\n"
        );
    }
}

const RULE: &str = "type=map-e,ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
                    prefix4len=24,ealen=16,offset=6,br=2001:db8:ffff::1";

#[test]
fn a_prefix_that_lacks_ea_bits_does_not_match() {
    let output = on_prefixes(&["2001:db8:12::/48"], &[RULE]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "RULE_COUNT=0\n");
    assert!(stderr(&output).starts_with("Skipping non-FMR without matching PD: "));
    // A longer one further down the list does.
    let output = on_prefixes(&["2001:db8:12::/48", "2001:db8:55:6600::/56"], &[RULE]);
    assert_eq!(
        value(&stdout(&output), "RULE_1_IPV6PD"),
        Some("2001:db8:55:6600::")
    );
}

#[test]
fn the_most_specific_rule_is_the_basic_one() {
    let longer = "type=map-e,ipv6prefix=2001:db8:12::,prefix6len=48,ipv4prefix=198.51.100.1,\
                  prefix4len=32,ealen=8,offset=6,br=2001:db8:ffff::2";
    for (rules, bmr) in [([longer, RULE], "1"), ([RULE, longer], "2")] {
        let output = on_prefixes(&["2001:db8:12:3400::/56"], &rules);
        let output = stdout(&output);
        assert_eq!(output.matches("RULE_BMR=").count(), 1);
        assert_eq!(value(&output, "RULE_BMR"), Some(bmr));
        assert_eq!(value(&output, "RULE_COUNT"), Some("2"));
    }
}

#[test]
fn a_whole_prefix_has_no_psid() {
    let rule = "type=map-e,ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
                prefix4len=24,ealen=4,br=2001:db8:ffff::1";
    let output = on_prefixes(&["2001:db8:a0::/44"], &[rule]);
    let output = stdout(&output);
    assert_eq!(value(&output, "RULE_1_PSIDLEN"), Some("0"));
    assert_eq!(value(&output, "RULE_1_IPV4ADDR"), Some("192.0.2.160"));
    assert_eq!(value(&output, "RULE_1_ADDR4LEN"), Some("28"));
    assert_eq!(
        value(&output, "RULE_1_IPV6ADDR"),
        Some("2001:db8:a0::c000:2a0:0")
    );
    assert_eq!(value(&output, "RULE_1_PORTSETS"), None);
}

#[test]
fn a_psid_is_understood_in_either_justification() {
    let on = |psid: &str| {
        let rule = "type=lw4o6,ipv6prefix=2001:db8::,prefix6len=64,ipv4prefix=192.0.2.1,\
                    prefix4len=32,psidlen=8,br=2001:db8:ffff::1";
        on_prefixes(&["2001:db8::/64"], &[&format!("{rule},psid={psid}")])
    };
    let left = on("13312");
    assert_eq!(left.status.code(), Some(0));
    assert_eq!(
        value(&stdout(&left), "RULE_1_IPV6ADDR"),
        Some("2001:db8::c000:201:34")
    );
    assert_eq!(stdout(&on("52")), stdout(&left));
    let neither = on("13313");
    assert_eq!(neither.status.code(), Some(1));
    assert!(stderr(&neither).contains("  psid 13313: no PSID of 8 bits"));
}

#[test]
fn a_psid_beside_ea_bits_agrees_or_is_refused() {
    let plain = on_prefixes(&["2001:db8:12:3400::/56"], &[RULE]);
    for psid in ["13312", "52"] {
        let rule = format!("{RULE},psidlen=8,psid={psid}");
        let output = on_prefixes(&["2001:db8:12:3400::/56"], &[&rule]);
        assert_eq!(stdout(&output), stdout(&plain), "{psid}");
    }
    let rule = format!("{RULE},psidlen=8,psid=53");
    let output = on_prefixes(&["2001:db8:12:3400::/56"], &[&rule]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("  psid 53: the EA bits of 2001:db8:12:3400::/56 say 52"),
        "{said}"
    );
}

#[test]
fn an_end_user_prefix_in_the_rule() {
    let rule = format!("{RULE},pd=2001:db8:12:3400::,pdlen=56");
    let output = on_prefixes(&["2001:db8:99::/56"], &[&rule]);
    let output = stdout(&output);
    assert_eq!(value(&output, "RULE_1_IPV6PD"), Some("2001:db8:12:3400::"));
    assert_eq!(value(&output, "RULE_1_PD6LEN"), Some("56"));
    assert_eq!(value(&output, "RULE_1_PD6IFACE"), Some("wan6"));
    assert_eq!(
        value(&output, "RULE_1_IPV6ADDR"),
        Some("2001:db8:12:3400:0:c000:212:34")
    );
    let foreign = format!("{RULE},pd=2001:db9::,pdlen=56");
    let output = on_prefixes(&["2001:db8:12:3400::/56"], &[&foreign]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("  pd 2001:db9::/56: not within"));
}

#[test]
fn a_binding_inside_a_shorter_prefix() {
    let rule = "type=lw4o6,ipv6prefix=2001:db8:12:3400:feed::1,prefix6len=128,\
                ipv4prefix=192.0.2.1,prefix4len=32,psidlen=8,psid=13312,br=2001:db8:ffff::1";
    let output = on_prefixes(&["2001:db8:12:3400::/56"], &[rule]);
    let output = stdout(&output);
    assert_eq!(
        value(&output, "RULE_1_IPV6ADDR"),
        Some("2001:db8:12:3400:feed::1")
    );
    assert_eq!(value(&output, "RULE_1_PD6LEN"), Some("128"));
}

#[test]
fn a_psid_of_zero_does_not_hide_the_one_in_the_ea_bits() {
    let rule = format!("{RULE},psidlen=8,psid=0");
    let given = on_prefixes(&["2001:db8:12:3400::/56"], &[&rule]);
    let plain = on_prefixes(&["2001:db8:12:3400::/56"], &[RULE]);
    assert_eq!(stdout(&given), stdout(&plain));
    assert!(stdout(&plain).contains("RULE_1_PORTSETS='1232-1235 "));
}

#[test]
fn nothing_a_shell_would_run_comes_out() {
    let rule = format!("{RULE},br=$(reboot),dmr=::`reboot`");
    let output = on_prefixes(&["2001:db8:12:3400::/56"], &[&rule]);
    assert!(!stdout(&output).contains("reboot"));
    assert!(stderr(&output).contains("Skipped invalid value $(reboot) for option br"));
    assert_eq!(
        value(&stdout(&output), "RULE_1_BR"),
        Some("2001:db8:ffff::1")
    );
}

#[test]
fn any_interface() {
    let rule = "type=map-e,ipv6prefix=2404:7a86:3400::,prefix6len=38,ipv4prefix=133.204.180.0,\
                prefix4len=22,ealen=18,offset=4,br=2001:260:700:1::1:276";
    let output = on_dump("*", &[rule], true);
    assert_eq!(value(&stdout(&output), "RULE_1_PD6IFACE"), Some("w0"));
}

#[test]
fn what_is_no_dump_is_said() {
    let output = mapcalc(&["--dump", "/nonexistent", "wan6", RULE], false);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("mape: /nonexistent: "));
    let output = mapcalc(&["--dump", BINARY, "wan6", RULE], false);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output).lines().count(), 1);
}

#[test]
fn the_bus_is_asked_where_no_file_is_given() {
    let net = Double::without_scripts(NullEffects);
    net.add(Interface::on("wan6", "eth1").prefix("2001:db8:12:3400::", 56));
    net.ifup("wan6");
    let on_bus = |socket: &std::path::Path| {
        Command::new(BINARY)
            .arg0("mapcalc")
            .args(["wan6", RULE])
            .env("MAPE_UBUS_SOCKET", socket)
            .output()
            .unwrap()
    };
    let asked = on_bus(&net.socket());
    let saved = on_prefixes(&["2001:db8:12:3400::/56"], &[RULE]);
    assert_eq!(asked.status.code(), Some(0), "{}", stderr(&asked));
    assert_eq!(stdout(&asked), stdout(&saved));
    let nobody = on_bus(&net.root().join("no-such-socket"));
    assert_eq!(nobody.status.code(), Some(1));
    assert_eq!(stderr(&nobody).lines().count(), 1);
}
