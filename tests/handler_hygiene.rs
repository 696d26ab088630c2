// SPDX-License-Identifier: GPL-2.0-or-later
//! What a handler leaves behind: nothing after any number of setups, nothing where another user
//! wants it, and not too much in the log.

mod double;
mod router;

use nix::sys::resource::{UsageWho, getrusage};
use router::{Router, V6PLUS, run};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::thread;
use std::time::Duration;

/// Everything a setup could forget to take away.
fn found(net: &Router) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (program, args) in [
        ("nft", &["list", "ruleset"][..]),
        ("ip", &["-br", "address"]),
        ("ip", &["rule"]),
        ("ip", &["route", "show", "table", "all"]),
    ] {
        found.extend(run(program, args).lines().map(str::to_owned));
    }
    files(net.root(), &mut found);
    let addresses = net.with(|world| world.interfaces.keys().cloned().collect::<Vec<_>>());
    found.extend(addresses);
    found.extend(processes(net.root()));
    found
}

fn files(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), found);
        }
        found.insert(entry.path().display().to_string());
    }
}

/// Processes that were told this router's root.
fn processes(root: &Path) -> Vec<String> {
    let told = format!("MAPE_ROOT={}", root.display());
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter(|entry| {
        let environ = fs::read(entry.path().join("environ")).unwrap_or_default();
        environ
            .split(|&byte| byte == 0)
            .any(|one| one == told.as_bytes())
    })
    .map(|entry| format!("process {}", entry.file_name().display()))
    .collect()
}

/// Most memory any child had so far, in KiB.
fn peak() -> i64 {
    getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss()
}

/// `MAPE_CYCLES` says how often; 200 were tried (docs/reliability.md).
#[test]
fn cycles_of_setup_and_teardown_leave_nothing() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    let cycles = std::env::var("MAPE_CYCLES")
        .ok()
        .and_then(|n| n.parse().ok());
    let before = found(&net);
    let mut early = 0;
    for cycle in 0..cycles.unwrap_or(20) {
        net.ifup("wanmap");
        net.assert_works("wanmap");
        net.ifdown("wanmap");
        net.wait("wanmap is down", |world| {
            world.interface("wanmap").state == double::State::Down
        });
        net.assert_clean("wanmap");
        let left = found(&net);
        assert_eq!(left, before, "cycle {cycle}");
        if cycle == 4 {
            early = peak();
        }
        net.with(|world| world.record.clear());
    }
    assert!(
        peak() <= early + early / 10,
        "{early} KiB, then {} KiB",
        peak()
    );
}

/// /tmp is everybody's: links and folders in the place of our files.
#[test]
fn whatever_another_user_planted_in_tmp() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    let tmp = net.root().join("tmp");
    let victim = net.root().join("victim");
    fs::write(&victim, "precious").unwrap();
    let names = ["map-wanmap.rules", "map-wanmap.rules.tmp"];
    for name in names {
        symlink(&victim, tmp.join(name)).unwrap();
    }
    net.ifup("wanmap");
    net.assert_works("wanmap");
    let written = fs::symlink_metadata(tmp.join("map-wanmap.rules")).unwrap();
    assert!(written.is_file());
    assert_eq!(written.mode() & 0o022, 0, "others may write");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    net.ifdown("wanmap");
    net.wait("wanmap is down", |world| !world.is_up("wanmap"));
    net.assert_clean("wanmap");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    // What nobody can be rid of keeps nobody offline.
    for name in names {
        fs::create_dir_all(tmp.join(name).join("full")).unwrap();
    }
    net.ifup("wanmap");
    net.assert_works("wanmap");
    assert!(
        net.log()
            .iter()
            .any(|line| line.contains("map-wanmap.rules"))
    );
    net.ifdown("wanmap");
    net.wait("wanmap is down", |world| !world.is_up("wanmap"));
    net.wait_idle("wanmap");
    let tables = run("nft", &["list", "tables"]);
    assert!(!tables.contains("wanmap"), "{tables}");
}

/// What is ours is root's: nobody else may write it. There is no secret in it, so that status
/// can be asked for by anybody.
#[test]
fn nobody_else_may_write_what_is_ours() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    net.ifup("wanmap");
    net.assert_works("wanmap");
    for path in [
        "var/run/mape",
        "var/run/mape/wanmap.json",
        "tmp/map-wanmap.rules",
    ] {
        let mode = fs::metadata(net.root().join(path)).unwrap().mode();
        assert_eq!(mode & 0o022, 0, "{path} {mode:o}");
    }
    let state = net.file("var/run/mape/wanmap.json").unwrap();
    for secret in ["password", "key", "secret", "token"] {
        assert!(!state.contains(secret), "{state}");
    }
}

/// An uplink that goes and comes says so each time, and nothing more often.
#[test]
fn a_flapping_uplink_does_not_fill_the_log() {
    const FLAPS: usize = 60;
    let Some(net) = Router::two_lines() else {
        return;
    };
    net.ifup("wanmap");
    net.assert_works("wanmap");
    for round in 0..FLAPS {
        net.ifdown("wan6");
        if round % 2 == 0 {
            thread::sleep(Duration::from_millis(20));
        }
        net.ifup("wan6");
        if round % 3 == 0 {
            net.wait("wanmap is up again", |world| world.is_up("wanmap"));
        }
    }
    net.assert_works("wanmap");
    let log = net.log();
    assert!(log.len() <= 2 * FLAPS + 10, "{} lines: {log:#?}", log.len());
    assert!(log.iter().all(|line| line.len() < 1000));
}

/// Not even that of its own address, which would do.
fn without_prefix(net: &Router) {
    net.set_prefix("wan6", None);
    net.update("wan6", "addresses", |wan6| wan6.addresses.clear());
}

/// A handler that waits for a prefix has said so and goes on waiting, until there is one.
fn waits_quietly(net: &Router) {
    // netifd announces every change; none of these brings a prefix.
    for _ in 0..40 {
        net.update("wan6", "data", |_| {});
        thread::sleep(Duration::from_millis(50));
    }
    let log = net.log();
    assert!(log.len() <= 3, "{log:#?}");
    assert!(!net.with(|world| world.is_up("wanmap")), "{log:#?}");
    net.set_prefix("wan6", Some(V6PLUS.prefix));
    net.assert_works("wanmap");
}

/// Without a prefix, or a bus, a handler waits; it says why once.
#[test]
fn waiting_is_not_logged_over_and_over() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    without_prefix(&net);
    net.ifup("wanmap");
    net.wait("it is logged", |world| !world.log.is_empty());
    waits_quietly(&net);
}

/// A setup that waits tries again with each change of the network, for days perhaps.
#[test]
fn a_long_wait_does_not_grow() {
    const ATTEMPTS: usize = 200;
    let Some(net) = Router::two_lines() else {
        return;
    };
    without_prefix(&net);
    // Much to read at each attempt, so that nothing that is kept goes unnoticed.
    let large = format!("{{\"note\":\"{}\"}}", "x".repeat(100_000));
    net.write("etc/mape/providers.d/large.json", &large);
    net.ifup("wanmap");
    net.wait("it is logged", |world| !world.log.is_empty());
    let handler = handler_of(&net);
    let attempts = |count: usize| {
        for _ in 0..count {
            net.update("wan6", "data", |_| {});
            thread::sleep(Duration::from_millis(50));
        }
    };
    // The allocator finds its size first: 100 KB is much for it to place.
    attempts(ATTEMPTS / 2);
    let early = data_of(&handler);
    attempts(ATTEMPTS);
    let late = data_of(&handler);
    // Twenty attempts that kept what they read would take 2,000 KiB.
    assert!(late <= early + 128, "{early} KiB, then {late} KiB");
    assert_eq!(handler_of(&net), handler, "another process");
    waits_quietly(&net);
}

/// The only process of that router, below /proc.
fn handler_of(net: &Router) -> String {
    let all = processes(net.root());
    let [process] = &all[..] else {
        panic!("not one handler: {all:?}");
    };
    process.replace("process ", "/proc/")
}

/// Memory of a process that is neither code nor stack, in KiB.
fn data_of(process: &str) -> u64 {
    let status = fs::read_to_string(format!("{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"));
    let number = line.unwrap().split_whitespace().next().unwrap();
    number.parse().unwrap()
}
