// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape lookup` and `mape calc` by provider, as people call them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

const TABLE: &str = "usr/share/mape/providers.json";

/// A root of its own, with one file in `/etc/mape/providers.d`.
struct Root(PathBuf);

impl Root {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mape-lookup-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("etc/mape/providers.d")).unwrap();
        fs::write(path.join("etc/mape/providers.d/mine.json"), text).unwrap();
        fs::create_dir_all(path.join("usr/share/mape")).unwrap();
        fs::copy(format!("files/{TABLE}"), path.join(TABLE)).unwrap();
        Root(path)
    }

    fn mape(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_mape"))
            .args(args)
            .env("MAPE_ROOT", &self.0)
            .output()
            .unwrap()
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn said(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn answer(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn answers_as_the_bus_promises() {
    let root = Root::new("bus", "{}");
    for (prefix, status, expected) in [
        (
            "240b:10:1:200::/56",
            0,
            include_str!("data/bus/lookup.json"),
        ),
        (
            "2001:db8:1200:3400::/56",
            1,
            include_str!("data/bus/lookup-error.json"),
        ),
    ] {
        let output = root.mape(&["lookup", prefix, "--json"]);
        assert_eq!(output.status.code(), Some(status));
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(answer(&output), expected);
    }
}

#[test]
fn an_address_will_do() {
    let root = Root::new("address", "{}");
    let output = root.mape(&["lookup", "2400:4151:e012::1"]);
    assert_eq!(output.status.code(), Some(0));
    let text = said(&output.stdout);
    assert!(text.contains("OCN Virtual Connect (ocn)"), "{text}");
    assert!(text.contains("2400:4151:e000::/39 -> 122.26.232.0/21, EA 17"));
    assert_eq!(output.stderr, b"");
}

#[test]
fn lines_that_are_not_map() {
    let root = Root::new("other", "{}");
    let refused = root.mape(&["calc", "--prefix", "2409:10:1::/56"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(
        said(&refused.stderr),
        "mape: 2409:10:1::/56 is transix, which has no MAP: \
         set option maptype 'ds-lite', or leave it at 'auto'\n"
    );
    let found = root.mape(&["lookup", "2409:10:1::/56"]);
    assert_eq!((found.status.code(), found.stderr.len()), (Some(0), 0));
    let text = said(&found.stdout);
    assert!(text.contains("provider          transix\n"), "{text}");
    assert!(
        text.contains("ds-lite") && text.contains("gw.transix.jp"),
        "{text}"
    );
    for (prefix, expected) in [
        (
            "2001:f77::/56",
            json!({
                "provider": "xpass", "name": "Xpass",
                "mechanism": "ds-lite", "aftr": "dgw.xpass.jp", "mtu": 1460,
                "confidence": "medium",
            }),
        ),
        (
            "2400:2410::/56",
            json!({
                "provider": "softbank", "name": "SoftBank Hikari",
                "mechanism": null, "mtu": null, "confidence": "medium",
                "advice": "its IPv4 needs SoftBank's own unit (BB unit) or PPPoE: \
                           option proto 'pppoe'",
            }),
        ),
    ] {
        let found = root.mape(&["lookup", "--json", prefix]);
        assert_eq!(found.status.code(), Some(0));
        assert_eq!(answer(&found), expected);
    }
    let stranger = root.mape(&["lookup", "2001:db8::/56"]);
    assert_eq!(stranger.status.code(), Some(1));
}

#[test]
fn a_fixed_address_in_a_file_of_ones_own() {
    let file = json!({"not_map": {"office": {
        "mechanism": "ipip", "br": "2001:db8:ffff::1", "update": "v6plus", "mtu": 1454,
        "advice": "see the letter", "prefixes": ["2001:db8::/40"],
    }}});
    let root = Root::new("ipip", &file.to_string());
    let found = root.mape(&["lookup", "--json", "2001:db8::/56"]);
    let expected = json!({
        "provider": "office", "name": "office", "mechanism": "ipip", "br": "2001:db8:ffff::1",
        "mtu": 1454, "confidence": "local",
    });
    assert_eq!(answer(&found), expected);
    assert_eq!(said(&found.stderr), "");
    let file = json!({"not_map": {"office": {
        "mechanism": "ds-lite", "advice": "x", "prefixes": ["2001:db8::/40"],
    }}});
    let root = Root::new("no-aftr", &file.to_string());
    let found = root.mape(&["lookup", "2001:db8::/56"]);
    assert_eq!(found.status.code(), Some(1));
    assert!(said(&found.stderr).contains("office: aftr is missing"));
}

#[test]
fn an_unconfirmed_rule_is_shown_but_not_used_unasked() {
    let root = Root::new("nuro", "{}");
    let prefix = "240d:f:4000::/56";
    let output = root.mape(&["lookup", prefix]);
    assert_eq!(output.status.code(), Some(0));
    assert!(said(&output.stdout).contains("nobody has confirmed this rule"));
    let refused = root.mape(&["calc", "--prefix", prefix]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused.stderr).contains("--provider nuro"));
    let named = root.mape(&["calc", "--prefix", prefix, "--provider", "nuro", "--json"]);
    assert_eq!(answer(&named)["ipv4_address"], "219.104.192.0");
}

#[test]
fn wrong_use() {
    let root = Root::new("use", "{}");
    for args in [
        &["lookup"][..],
        &["lookup", "240b::", "240b::"],
        &["lookup", "240b::", "--colour"],
    ] {
        let output = root.mape(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(said(&output.stderr).lines().count(), 1);
    }
    let output = root.mape(&["calc", "--prefix", "240b:10::/56", "--provider", "plala"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output.stderr).ends_with("known are biglobe, nuro, ocn, v6plus\n"));
}

#[test]
fn a_broken_file_is_warned_of_and_the_rest_works() {
    let root = Root::new("broken", "{\"providers\": {\"x\": {\"rules\": [{}]}}}");
    let output = root.mape(&["lookup", "240b:10:1:200::/56"]);
    assert_eq!(output.status.code(), Some(0));
    let warning = said(&output.stderr);
    assert!(warning.starts_with("mape: warning: "), "{warning}");
    assert!(
        warning.ends_with("/etc/mape/providers.d/mine.json: x rule 1: missing field `ipv6`\n"),
        "{warning}"
    );
}

#[test]
fn a_provider_has_one_name() {
    let read =
        |path: &str| fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let page = read("luci-proto-mape/htdocs/luci-static/resources/mape/words.js");
    let table = read("docs/providers.md");
    let known: Value = serde_json::from_str(&read(&format!("files/{TABLE}"))).unwrap();
    for kind in ["providers", "not_map"] {
        for (id, line) in known[kind].as_object().unwrap() {
            let name = line["name"].as_str().unwrap();
            // NTT's own networks are nobody's contract.
            if !id.starts_with("ntt-") {
                assert!(
                    table.contains(&format!("| `{id}` | {name} ")),
                    "{id} {name}"
                );
            }
            // What the form offers, and what is only found.
            let key = if id.contains('-') {
                format!("'{id}'")
            } else {
                id.clone()
            };
            let word = ["[ _", "_"].map(|word| format!("\t{key}: {word}('{name}')"));
            assert!(word.iter().any(|word| page.contains(word)), "{word:?}");
        }
    }
}

#[test]
fn what_does_not_fit_is_said_in_the_words_of_the_command_line() {
    let root = Root::new("words", "{}");
    for (command, expected) in [
        (
            "calc 2001:db8::/56",
            "2001:db8::/56 belongs to no known provider; if yours named a rule, give it with --rule",
        ),
        (
            "calc 240b:10:1:200::/56 --provider ocn",
            "no rule of OCN Virtual Connect (ocn) matches 240b:10:1:200::/56; \
             it belongs to v6 Plus (v6plus): give --provider v6plus",
        ),
        (
            "calc 2409:10::/56 --provider ocn",
            "no rule of OCN Virtual Connect (ocn) matches 2409:10::/56; it belongs to transix",
        ),
        (
            "calc 240d:f:4000::/56",
            "240d:f:4000::/56 may be NURO Hikari by rule 240d:f:4000::/36, which nobody has \
             confirmed yet; --provider nuro takes it",
        ),
        (
            "nft --prefix 240b:10:1:200::/56 --device a/b",
            "device \"a/b\": 1 to 15 letters, digits, _, ., @ or -",
        ),
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        let refused = root.mape(&words);
        assert_eq!(refused.status.code(), Some(1), "{command}");
        assert_eq!(said(&refused.stderr), format!("mape: {expected}\n"));
    }
}

#[test]
fn a_wrong_option_is_found_without_netifd() {
    let root = Root::new("silent", "{}");
    fs::create_dir_all(root.0.join("etc/config")).unwrap();
    let section = "config interface 'wanmap'\n\toption proto 'mape'\n\
                   \toption tunlink 'wan6'\n\toption ealen '99'\n";
    fs::write(root.0.join("etc/config/network"), section).unwrap();
    let output = root.mape(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output.stdout);
    assert!(text.contains("fail    rule        ealen 99: "), "{text}");
    assert!(
        text.contains("uplink      netifd does not answer"),
        "{text}"
    );
    let unfounded = text.lines().filter(|line| line.contains("not up"));
    assert_eq!(unfounded.count(), 0, "{text}");
}
