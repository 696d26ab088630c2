// SPDX-License-Identifier: GPL-2.0-or-later
//! What arrives at a log daemon.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::{env, fs, process};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Says to the process that a test starts which case it is.
const CASE: &str = "MAPE_TEST_LOGS";
/// Says where our socket is.
const FOLDER: &str = "MAPE_TEST_LOG_FOLDER";
const SKIPPED: &str = "skipped: a mount namespace needs root:";

/// The other side of the tests below: a daemon's child that logs.
#[test]
fn child() {
    let Ok(case) = env::var(CASE) else { return };
    if let Err(error) = see_our_daemon() {
        eprintln!("{SKIPPED} {error}");
        return;
    }
    mape::logging::init();
    match case.as_str() {
        "lines" => {
            log::error!("an error");
            log::warn!("two\nlines \u{1b}[2J");
            log::info!("{}", "x".repeat(5000));
            log::debug!("nobody wants this");
        }
        "panic" => panic!("it went wrong"),
        other => unreachable!("{other}"),
    }
}

/// Puts the folder of the test in place of `/dev`, for this process alone.
fn see_our_daemon() -> nix::Result<()> {
    const NONE: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWNS)?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(NONE, "/", NONE, private, NONE)?;
    let folder = env::var_os(FOLDER).unwrap_or_default();
    mount(Some(&*folder), "/dev", NONE, MsFlags::MS_BIND, NONE)
}

/// Runs `case` in a mount namespace whose `/dev/log` is ours. Its output, and
/// what the daemon got; `None` if this user may not mount.
fn run(case: &str) -> Option<(Output, Vec<String>)> {
    let folder: PathBuf = env::temp_dir().join(format!("mape-log-{case}-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let daemon = UnixDatagram::bind(folder.join("log")).unwrap();
    daemon.set_nonblocking(true).unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture"])
        .env(CASE, case)
        .env(FOLDER, &folder)
        .output()
        .unwrap();
    let mut lines = Vec::new();
    let mut buffer = [0; 10_000];
    while let Ok(len) = daemon.recv(&mut buffer) {
        lines.push(String::from_utf8(buffer[..len].to_vec()).unwrap());
    }
    fs::remove_dir_all(&folder).unwrap();
    let is_skipped = String::from_utf8_lossy(&output.stderr).contains(SKIPPED);
    (!is_skipped).then_some((output, lines))
}

/// Priority and text; in between are 16 characters of a date, which OpenWrt's
/// logd takes away without a look, and our name.
fn parts(line: &str) -> (&str, &str) {
    let (priority, rest) = line.split_once('>').unwrap();
    assert_eq!(rest.as_bytes()[15], b' ', "{line}");
    let (name, text) = rest[16..].split_once(": ").unwrap();
    assert!(name.starts_with("mape[") && name.ends_with(']'), "{line}");
    (priority, text)
}

#[test]
fn lines_are_plain_and_short() {
    let Some((output, lines)) = run("lines") else {
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<_> = lines.iter().map(|line| parts(line)).collect();
    // The daemon's facility is 3, 8 times which is added to 3, 4, 6.
    let long = "x".repeat(900);
    let expected = [
        ("<27", "an error"),
        ("<28", "two lines  [2J"),
        ("<30", long.as_str()),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_panic_says_where_it_happened() {
    let Some((output, lines)) = run("panic") else {
        return;
    };
    let [line] = &lines[..] else {
        panic!("{lines:?}")
    };
    let (priority, text) = parts(line);
    assert_eq!(priority, "<27");
    assert!(text.starts_with("panicked at tests/logging.rs:"), "{text}");
    assert!(text.ends_with(": it went wrong"), "{text}");
    let printed = String::from_utf8(output.stderr).unwrap();
    assert!(printed.contains("tests/logging.rs:"), "{printed}");
}
