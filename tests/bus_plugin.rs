// SPDX-License-Identifier: GPL-2.0-or-later
//! The program as rpcd runs it: by the directory it is linked into, with the
//! arguments on standard input and one JSON object on standard output.

use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

struct Plugin(PathBuf);

impl Plugin {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("mape-{name}-{}", std::process::id()));
        std::fs::create_dir_all(root.join("rpcd")).unwrap();
        symlink(env!("CARGO_BIN_EXE_mape"), root.join("rpcd/mape")).unwrap();
        std::fs::create_dir_all(root.join("usr/share/mape")).unwrap();
        let table = "usr/share/mape/providers.json";
        std::fs::copy(format!("files/{table}"), root.join(table)).unwrap();
        Plugin(root)
    }

    fn run(&self, args: &[&str], input: &str) -> Value {
        let mut child = Command::new(self.0.join("rpcd/mape"))
            .args(args)
            .env("MAPE_ROOT", &self.0)
            .env("MAPE_UBUS_SOCKET", self.0.join("no-bus"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{args:?}");
        serde_json::from_slice(&done.stdout).unwrap()
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn methods(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn every_method_that_is_listed_answers() {
    let plugin = Plugin::new("list");
    let list = plugin.run(&["list"], "");
    assert_eq!(
        methods(&list),
        ["calc", "doctor", "history", "lookup", "ports", "status"]
    );
    let status = plugin.run(&["call", "status"], "{}\n");
    let error = status["error"].as_str().unwrap();
    assert!(error.starts_with("netifd does not answer"), "{error}");
    for method in methods(&list) {
        let answer = plugin.run(&["call", method], "{\"nonsense\":1}");
        let error = answer["error"].as_str().unwrap();
        assert!(
            error.starts_with("nonsense is not known"),
            "{method}: {error}"
        );
    }
    let absent = plugin.run(&["call", "doctor"], "{\"interface\":\"wan9\"}");
    assert!(
        absent["error"]
            .as_str()
            .unwrap()
            .contains("no interface wan9"),
        "{absent}"
    );
}

#[test]
fn answers_are_those_of_the_commands() {
    let plugin = Plugin::new("answers");
    let fixture = |name: &str| -> Value {
        let text = std::fs::read_to_string(format!("tests/data/bus/{name}.json"));
        serde_json::from_str(&text.unwrap()).unwrap()
    };
    for (prefix, suffix) in [
        ("240b:10:1:200::/56", ""),
        ("2001:db8:1200:3400::/56", "-error"),
    ] {
        let session = json!({ "prefix": prefix, "ubus_rpc_session": "00" }).to_string();
        for method in ["calc", "lookup"] {
            let answer = plugin.run(&["call", method], &session);
            assert_eq!(answer, fixture(&format!("{method}{suffix}")));
        }
    }
    let calc = r#"{"prefix":"2001:db8:12:3400::/56","legacy":false,"provider":"","rule":
        ["ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,ealen=16"]}"#;
    let calc = plugin.run(&["call", "calc"], calc);
    assert_eq!(calc["ipv4_address"], "192.0.2.18");
    assert_eq!(calc["dialect"], "rfc7597");
    let legacy = r#"{"prefix":"240b:10:1:200::/56","provider":"auto"}"#;
    assert_eq!(plugin.run(&["call", "calc"], legacy)["psid"], 2);
}

#[test]
fn the_page_may_only_call_what_there_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("luci-proto-mape/root/usr/share/rpcd/acl.d/luci-proto-mape.json");
    let acl: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let list = Plugin::new("acl").run(&["list"], "");
    let mut granted = 0;
    for group in acl.as_object().unwrap().values() {
        for rights in ["read", "write"] {
            let names = group[rights]["ubus"]["mape"].as_array();
            for name in names.into_iter().flatten() {
                assert!(list.get(name.as_str().unwrap()).is_some(), "{name}");
                granted += 1;
            }
        }
    }
    assert!(granted > 0);
}
