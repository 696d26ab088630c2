// SPDX-License-Identifier: GPL-2.0-or-later
//! A command that cannot do what it is asked says so in one line, in the words
//! that were typed; with `--json` as an object too.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

const PREFIX: &str = "240b:10:1:200::/56";

fn mape(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mape"));
    command.env("MAPE_ROOT", "files");
    command.args(args).output().unwrap()
}

/// What goes to standard error: one line.
fn said(args: &[&str], status: i32) -> String {
    let done = mape(args);
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(status), "{args:?}: {said}");
    let line = said.strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'), "{args:?}: {said}");
    line.strip_prefix("mape: ").unwrap().to_owned()
}

#[test]
fn words_that_were_typed() {
    for (args, status, begins) in [
        (
            &["nft", PREFIX, "--device", "x", "--nat", ""][..],
            1,
            "--nat \"\": must be",
        ),
        (
            &["nft", PREFIX, "--device", "x", "--conntrack", "slow"],
            1,
            "--conntrack slow: must be",
        ),
        (
            &["calc", PREFIX, "--provider", ""],
            1,
            "provider \"\": not known",
        ),
        (
            &["calc", PREFIX, "--rule", "foo"],
            1,
            "--rule: foo is not known; a rule has",
        ),
        (
            &["calc", PREFIX, "--rule", "ealen=16,ealen=20"],
            1,
            "--rule: ealen is given twice",
        ),
        (
            &["heplp"],
            2,
            "there is no command \"heplp\"; did you mean `mape help`?",
        ),
        (
            &["help", "status", "x", "y"],
            2,
            "unexpected argument \"x\"",
        ),
        (
            &["--json", "status"],
            2,
            "option \"--json\" before the command; write `mape status …` first",
        ),
        (&["--jsn"], 2, "invalid option \"--jsn\""),
    ] {
        let said = said(args, status);
        assert!(said.starts_with(begins), "{args:?}: {said}");
    }
}

#[test]
fn what_no_line_has() {
    for (address, what) in [
        ("192.0.2.1", "is IPv4"),
        ("192.0.2.0/24", "is IPv4"),
        ("::1", "loopback"),
        ("::", "unspecified"),
        ("::ffff:192.0.2.1", "an IPv4 address in IPv6 notation"),
        ("fe80::1", "link-local"),
        ("ff02::1", "multicast"),
        ("fd00:1::1", "ULA"),
    ] {
        let said = said(&["lookup", address], 1);
        assert!(said.contains(what), "{address}: {said}");
    }
    for args in [
        &["calc", "192.0.2.1"][..],
        &["nft", "192.0.2.0/24", "--device", "x"],
        &["s46", "--prefix", "192.0.2.0/24", "00"],
    ] {
        let said = said(args, 1);
        assert!(said.contains("is IPv4"), "{args:?}: {said}");
    }
}

/// Nobody can say what a configuration holds that cannot be read.
#[test]
fn a_configuration_that_cannot_be_read() {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("unreadable-network");
    std::fs::create_dir_all(root.join("etc/config/network")).unwrap();
    for args in [&["status"][..], &["ports", "wanmap"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mape"));
        command
            .env("MAPE_ROOT", &root)
            .env("MAPE_UBUS_SOCKET", "/nonexistent/ubus.sock");
        let done = command.args(args).output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        let ends = "etc/config/network: Is a directory (os error 21)\n";
        assert!(said.ends_with(ends), "{args:?}: {said}");
        assert_eq!(done.status.code(), Some(1), "{args:?}");
    }
}

#[test]
fn a_failure_as_json() {
    for (args, status) in [
        (&["calc", "foo", "--json"][..], 1),
        (&["calc", "--json", "--colour"], 2),
        (&["lookup", "foo", "--json"], 1),
        (&["s46", "--json", "zz"], 1),
        (&["br", "--json", "--from", "192.0.2.1"], 1),
        (&["nft", "--json"], 2),
        (&["hb46pp", "/nonexistent/answer", "--json"], 1),
        (&["status", "--json"], 1),
        (&["ports", "--json"], 1),
        (&["history", "--json"], 1),
        (&["doctor", "--json"], 1),
    ] {
        let done = mape(args);
        let answer: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(answer["error"], said(args, status), "{args:?}");
        // A code for programs, if there is one, and nothing else.
        let mut others = answer.as_object().unwrap().clone();
        others.remove("error");
        if let Some(reason) = others.remove("reason") {
            assert!(reason["code"].is_string(), "{reason}");
        }
        assert!(others.is_empty(), "{answer}");
        let without: Vec<&str> = args
            .iter()
            .filter(|arg| **arg != "--json")
            .copied()
            .collect();
        let plain = mape(&without);
        assert_eq!(plain.status.code(), Some(status), "{without:?}");
        assert!(plain.stdout.is_empty(), "{without:?}");
    }
}

#[test]
fn what_has_no_effect_is_said() {
    let done = mape(&["nft", PREFIX, "--device", "map-wanmap", "--reserve", "80"]);
    assert!(done.status.success() && !done.stdout.is_empty());
    let said = String::from_utf8(done.stderr).unwrap();
    let begins = "mape: warning: --reserve 80: not among the ports of this line";
    assert!(said.starts_with(begins), "{said}");

    let rule = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,ealen=16";
    let done = mape(&["calc", "2001:db8:12:3400::/56", "--rule", rule]);
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(text.contains("\nBR                none; a tunnel needs br= in the rule\n"));
}
