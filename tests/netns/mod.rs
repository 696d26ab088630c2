// SPDX-License-Identifier: GPL-2.0-or-later
//! Network namespaces for tests: made by name, gone when dropped.

#![allow(dead_code, reason = "each test uses its part")]

#[path = "../skip/mod.rs"]
mod skip;

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A network namespace of our own.
pub struct Namespace(String);

impl Namespace {
    /// Makes one, or says why the test is skipped: not root, no `ip`, no nft.
    pub fn new(name: &str) -> Option<Self> {
        let skip = |why: &str| {
            skip::skip(why);
            None
        };
        if !nix::unistd::Uid::effective().is_root() {
            return skip("network namespaces need root");
        }
        if Command::new("nft").arg("--version").output().is_err() {
            return skip("nft is not installed");
        }
        static MADE: AtomicU32 = AtomicU32::new(0);
        let count = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("mape-{}-{count}-{name}", std::process::id());
        let made = Command::new("ip").args(["netns", "add", &name]).output();
        match made {
            Ok(made) if made.status.success() => {}
            Ok(made) => return skip(&String::from_utf8_lossy(&made.stderr)),
            Err(_) => return skip("iproute2 is not installed"),
        }
        let ns = Namespace(name);
        ns.ip("link set lo up");
        Some(ns)
    }

    /// Its name, for `ip netns`.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Runs `ip` with these words inside.
    pub fn ip(&self, words: &str) {
        let words: Vec<&str> = words.split_whitespace().collect();
        let done = Command::new("ip")
            .args(["-n", &self.0])
            .args(&words)
            .output()
            .unwrap();
        assert!(done.status.success(), "ip {words:?}: {done:?}");
    }

    /// A command to be run inside.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0]).args(words);
        command
    }

    /// Runs a command inside to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Sets a sysctl inside, without the program, which a small Debian lacks.
    pub fn sysctl(&self, setting: &str) {
        let (name, value) = setting.split_once('=').unwrap();
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        let script = "echo \"$1\" > \"$2\"";
        let done = self.run(&["sh", "-c", script, "sh", value, &path]);
        assert!(done.status.success(), "{setting}: {done:?}");
    }

    /// Starts a command inside.
    pub fn spawn(&self, words: &[&str]) -> Running {
        Running(
            self.command(words)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap(),
        )
    }

    /// Gives rules to nft inside; the error is what it says.
    pub fn nft(&self, options: &[&str], rules: &str) -> Result<(), String> {
        self.nft_at("nft", options, rules)
    }

    /// The same with a program of its kind.
    pub fn nft_at(&self, program: &str, options: &[&str], rules: &str) -> Result<(), String> {
        let mut words = vec![program];
        words.extend(options);
        words.extend(["-f", "-"]);
        let mut nft = self
            .command(&words)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        nft.stdin
            .take()
            .unwrap()
            .write_all(rules.as_bytes())
            .unwrap();
        let done = nft.wait_with_output().unwrap();
        if done.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}

/// Debian's nft, and a newer one, which is stricter about types: OpenWrt 25.12
/// has 1.1. `make test-rust` unpacks that of a later Debian beside.
pub fn nft_programs() -> Vec<&'static str> {
    let newer = concat!(env!("CARGO_MANIFEST_DIR"), "/.tools/bin/nft-trixie");
    if Path::new(newer).exists() {
        return vec!["nft", newer];
    }
    skip::skip("no nft 1.1; `tests/setup nftables@trixie` unpacks one");
    vec!["nft"]
}

/// A child that ends with its handle.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
