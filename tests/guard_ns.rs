// SPDX-License-Identifier: GPL-2.0-or-later
//! What the kernel is told without nft, in a network namespace: the guard, and the exemption from
//! flow tables.

mod skip;

use std::process::Command;

use nix::sched::{CloneFlags, unshare};

#[test]
fn the_kernel_takes_the_guard_and_nft_shows_it() {
    if unshare(CloneFlags::CLONE_NEWNET).is_err() {
        skip::skip("a network namespace needs root");
        return;
    }
    for _ in 0..2 {
        mape::netfilter::guard::put_up("wan.map-1", "map-wan.map-1").unwrap();
    }
    let listed = Command::new("nft")
        .args(["list", "ruleset"])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(
        listed.contains("table inet mape_guard_wan.map-1 {"),
        "{listed}"
    );
    assert!(
        listed.contains("hook postrouting priority srcnat + 10"),
        "{listed}"
    );
    assert!(
        listed.contains("oifname \"map-wan.map-1\" counter packets 0 bytes 0 drop"),
        "{listed}"
    );
    let script = mape::netfilter::guard::removal("wan.map-1");
    for _ in 0..2 {
        let mut nft = Command::new("nft")
            .args(["-f", "-"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(nft.stdin.as_mut().unwrap(), script.as_bytes()).unwrap();
        assert!(nft.wait().unwrap().success());
    }
    let listed = Command::new("nft")
        .args(["list", "ruleset"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap(), "");
}

#[test]
fn a_new_connection_has_room_for_a_helper_and_nothing_else() {
    if unshare(CloneFlags::CLONE_NEWNET).is_err() {
        skip::skip("a network namespace needs root");
        return;
    }
    let list = |what: &str| {
        let output = Command::new("nft").args(["list", what]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(!mape::netfilter::exempt::stands("wan"));
    for _ in 0..2 {
        mape::netfilter::exempt::put_up("wan", "map-wan").unwrap();
    }
    let listed = list("ruleset");
    for expected in [
        "table ip mape_exempt_wan {",
        "size 0",
        "hook forward priority mangle - 10; policy accept;",
    ] {
        assert_eq!(listed.matches(expected).count(), 1, "{expected}: {listed}");
    }
    for direction in ["iifname", "oifname"] {
        let rule = format!("{direction} \"map-wan\" ct expectation set \"slow\"");
        assert_eq!(listed.matches(&rule).count(), 1, "{listed}");
    }
    assert!(mape::netfilter::exempt::stands("wan"));
    mape::netfilter::remove("wan").unwrap();
    assert_eq!(list("ruleset"), "");
}
