// SPDX-License-Identifier: GPL-2.0-or-later
//! The program's processes on a router, as the machine sees them.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a handler may take to appear.
const APPEARS: Duration = Duration::from_secs(3);

/// The process that netifd supervises for an interface, in that network namespace.
pub fn supervised_process(name: &str, network: &Path) -> Option<Pid> {
    let arguments = format!("mape\0provision\0{name}\0");
    find(network, |command| command.ends_with(&arguments))
}

/// Kills the handler of an interface in that action, so long after it was first seen. Says
/// whether there was one to kill.
pub fn strike(name: &str, action: &str, network: &Path, after: Duration) -> bool {
    let arguments = format!("\0{action}\0{name}\0");
    let search = || find(network, |command| command.contains(&arguments));
    let deadline = Instant::now() + APPEARS;
    while search().is_none() {
        if Instant::now() > deadline {
            return false;
        }
        sleep(Duration::from_micros(500));
    }
    sleep(after);
    search().is_some_and(|pid| kill(pid, Signal::SIGKILL).is_ok())
}

/// The first process in that network namespace whose command line, with a NUL after each argument,
/// is the one.
fn find(network: &Path, is_it: impl Fn(&str) -> bool) -> Option<Pid> {
    let network = fs::read_link(network).ok()?;
    let mut all = fs::read_dir("/proc").ok()?.flatten();
    let found = all.find(|process| {
        let place = process.path();
        let command = fs::read(place.join("cmdline")).unwrap_or_default();
        is_it(&String::from_utf8_lossy(&command))
            && fs::read_link(place.join("ns/net")).is_ok_and(|its| its == network)
    })?;
    let pid = found.file_name().to_str()?.parse().ok()?;
    Some(Pid::from_raw(pid))
}
