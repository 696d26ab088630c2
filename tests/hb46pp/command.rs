// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape hb46pp FILE`.

use super::*;
use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mape"))
        .arg("hb46pp")
        .args(args)
        .env("MAPE_ROOT", "files")
        .output()
        .unwrap()
}

fn told(args: &[&str]) -> Value {
    let done = run(args);
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn the_command_says_what_a_saved_answer_means() {
    let file = |name| path(name).display().to_string();
    let on = ["--json", "--prefix", "2001:db8:10:1200::/56"];
    let map_e = told(&[&[file("map-e").as_str()], &on[..]].concat());
    assert_eq!(map_e["mechanism"], "map-e");
    assert_eq!(map_e["order"], json!(["map_e", "dslite"]));
    assert_eq!(map_e["ttl"], 300);
    let rule = "type=map-e,ipv6prefix=2001:db8:10::,prefix6len=44,ipv4prefix=192.0.2.0,\
                prefix4len=24,ealen=12,offset=4,br=2001:db8:ffff::64";
    let calc = Command::new(env!("CARGO_BIN_EXE_mape"))
        .args(["calc", "--legacy", "--rule", rule])
        .args(on)
        .env("MAPE_ROOT", "files")
        .output()
        .unwrap();
    let calc: Value = serde_json::from_slice(&calc.stdout).unwrap();
    for (key, value) in calc.as_object().unwrap() {
        assert_eq!(&map_e[key], value, "{key}");
    }
    assert_eq!(map_e["aftr"], Value::Null);
    let dslite = told(&[&file("ds-lite"), "--json"]);
    let expected = json!({
        "mechanism": "ds-lite", "order": ["dslite"], "ttl": 86_400, "aftr": "2001:db8:ffff::101",
    });
    assert_eq!(dslite, expected);
    let ipip = told(&[&file("ipip"), "--json"]);
    let expected = json!([{
        "ce_address": "2001:db8:7:100::7", "br": "2001:db8:7::1", "ipv4": "203.0.113.0/29",
    }]);
    assert_eq!(
        (&ipip["mechanism"], &ipip["ipip"]),
        (&json!("ipip"), &expected)
    );
    let lw4o6 = told(&[&file("lw4o6"), "--json", "--prefix", "2001:db8:3:100::/64"]);
    assert_eq!(lw4o6["aftr"], "lwaftr.lab.example");
    assert_eq!(lw4o6["ce_address"], "2001:db8:3:100:0:cb00:7110:3");
    for name in FILES {
        let text = run(&[&file(name)]);
        let is_usable = !["464xlat", "auth-req", "auth-bad"].contains(&name);
        assert_eq!(text.status.success(), is_usable, "{name} {text:?}");
        assert!(!String::from_utf8_lossy(&text.stdout).contains("640756965820"));
    }
}

#[test]
fn the_command_fails_with_the_reason() {
    let file = |name| path(name).display().to_string();
    for (args, reason) in [
        (
            vec![file("auth-bad")],
            "does not accept the user name and password",
        ),
        (vec!["/nowhere.json".into()], "/nowhere.json: No such file"),
        (vec!["/dev/zero".into()], "/dev/zero: longer than 1 MiB"),
        (
            vec!["/dev/null".into()],
            "/dev/null: the answer is not valid JSON",
        ),
        (
            vec![file("ipip"), "--prefix".into(), "2001:db8:8::/56".into()],
            "ipip: the CE address 2001:db8:7:100::7 is in none of the line's prefixes",
        ),
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let done = run(&args);
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{said}");
        assert!(said.contains(reason) && said.lines().count() == 1, "{said}");
        let json = run(&[&args[..], &["--json"]].concat());
        let answer: Value = serde_json::from_slice(&json.stdout).unwrap();
        assert!(answer["error"].as_str().unwrap().contains(reason));
    }
    assert_eq!(run(&[]).status.code(), Some(2));
    assert_eq!(run(&["a", "b"]).status.code(), Some(2));
}
