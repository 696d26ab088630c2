// SPDX-License-Identifier: GPL-2.0-or-later
//! What the protocol handler is for, told once.
//!
//! A scenario acts on a [`Router`] and says what must come of it. `handler_scenarios.rs`
//! tells them to the double, `real_netifd.rs` to the real netifd; where both were asked, what
//! they showed is compared line by line, so that the double cannot drift from reality unseen.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

mod deaths;
mod process;
mod softwires;
mod subscriber;
mod table;

pub use process::supervised_process;
pub use table::SCENARIOS;

use nix::unistd::Pid;
use std::any::Any;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than anything takes, even on a machine under load.
const PATIENCE: Duration = Duration::from_secs(30);

/// One line of the table.
pub struct Scenario {
    pub name: &'static str,
    pub run: fn(&mut Stage<'_>),
}

/// An uplink of the router, and what is delegated over it.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Logical interface.
    pub interface: &'static str,
    pub device: &'static str,
    /// The router's own address, /64.
    pub address: &'static str,
    pub gateway: &'static str,
}

/// A router with netifd or something like it, two uplinks, and the program under test.
pub trait Router {
    /// The line works and delegates `prefix`, or nothing yet. Told again, it has changed.
    fn line_gives(&mut self, line: Line, prefix: Option<&str>);
    /// The line loses its link.
    fn line_lost(&mut self, line: Line);
    /// Configures an interface and brings it up. A list is written with `\n`.
    fn configure(&mut self, name: &str, proto: &str, options: &[(&str, &str)]);
    /// An interface is added on a line, as a DHCPv6 client does that was given S46 options.
    fn adds(&mut self, line: Line, name: &str, proto: &str, options: &[(&str, &str)]);
    /// What its script does after that: it runs ours, which is told of the rules for MAP-E.
    fn dhcpv6_tells(&mut self, line: Line, rules: &str);
    fn ifup(&mut self, name: &str);
    fn ifdown(&mut self, name: &str);
    fn renew(&mut self, name: &str);
    /// The kernel refuses tunnels from now on, or no longer. False where that cannot be had.
    fn refuse_tunnels(&mut self, refuse: bool) -> bool;
    /// The program's file is replaced by a new one, as a package manager does it.
    fn upgrade(&mut self);
    /// Our program gets this script instead of nft (see [`nft_script`]), or nft again.
    fn nft(&mut self, script: Option<&str>);
    /// Runs our program as the router's scripts and services do.
    fn mape(&mut self, arguments: &[&str]);
    /// The firewall's configuration has these sections too, and is loaded again.
    fn firewall(&mut self, sections: &str);
    /// No event runs a hotplug script any more.
    fn deafen(&mut self);
    /// ubusd ends, and another one starts.
    fn bus_dies(&mut self);
    /// Everything a user could see of the interface now.
    fn see(&mut self, name: &str) -> Seen;
    /// What became of netifd, if it is not the process that was started.
    fn crash(&mut self) -> Option<String>;
    /// The router's network namespace, as a file.
    fn network(&self) -> PathBuf;
    /// How often netifd has called the handler for that.
    fn calls(&mut self, name: &str, action: &str) -> usize;
    /// All there is to know, for the message of a failing test.
    fn story(&mut self) -> String;
}

/// What a failed thread said.
pub fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("failed without a word").to_owned()
}

/// A script for nft's place. Whoever else calls nft on that router gets `real`, and so can the
/// script.
pub fn nft_script(script: &str, real: &str) -> String {
    format!(
        "#!/bin/sh\nreal={real}\nread -r caller </proc/$PPID/comm\n\
         case $caller in mape*) ;; *) exec \"$real\" \"$@\" ;; esac\n{script}\n"
    )
}

/// The tables of an interface in what `nft list tables` prints; those that only hold traffic
/// back until the real ones are there do not count.
pub fn tables_of(name: &str, listed: &str) -> Vec<String> {
    let ours = |line: &&str| line.ends_with(&format!(" mape_{name}"));
    let mut tables: Vec<String> = listed
        .lines()
        .filter(ours)
        .map(|line| line.trim_start_matches("table ").to_owned())
        .collect();
    tables.sort();
    // nft names a table twice where the rules change while it lists them.
    tables.dedup();
    tables
}

/// What a user can see of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    pub up: bool,
    pub pending: bool,
    /// Codes of what netifd reports as errors.
    pub errors: Vec<String>,
    /// What it says beside each: a list of texts, as JSON.
    pub details: Vec<String>,
    /// IPv4 addresses of the tunnel.
    pub ipv4: Vec<String>,
    /// Whether IPv4's default route goes into the tunnel.
    pub default_route: bool,
    /// The tunnel's ends: ours, the other's.
    pub tunnel: Option<(String, String)>,
    /// IPv6 addresses that netifd holds for the tunnel on the uplink.
    pub ce: Vec<String>,
    /// nftables of the interface.
    pub tables: Vec<String>,
    /// The firewall zone it asks to be in.
    pub zone: Option<String>,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (self.up, self.pending) {
            (true, _) => "up",
            (false, true) => "pending",
            (false, false) => "down",
        };
        write!(f, "{state}")?;
        if !self.errors.is_empty() {
            write!(f, " {}", self.errors.join(" "))?;
        }
        if let Some((ours, theirs)) = &self.tunnel {
            write!(f, "; tunnel {ours} - {theirs}")?;
        }
        if !self.ipv4.is_empty() {
            write!(f, "; IPv4 {}", self.ipv4.join(" "))?;
        }
        if self.default_route {
            write!(f, "; default route")?;
        }
        if !self.ce.is_empty() {
            write!(f, "; on the uplink {}", self.ce.join(" "))?;
        }
        if !self.tables.is_empty() {
            write!(f, "; nft {}", self.tables.join(", "))?;
        }
        if let Some(zone) = &self.zone {
            write!(f, "; zone {zone}")?;
        }
        Ok(())
    }
}

/// A scenario under way.
pub struct Stage<'a> {
    pub router: &'a mut dyn Router,
    /// What was seen at each step, for the comparison.
    pub notes: Vec<String>,
}

impl<'a> Stage<'a> {
    pub fn new(router: &'a mut dyn Router) -> Self {
        Stage {
            router,
            notes: Vec::new(),
        }
    }

    /// A netifd that crashed may be back before anybody looks.
    fn netifd_lives(&mut self) {
        if let Some(crash) = self.router.crash() {
            panic!("netifd crashed: {crash}\n{}", self.router.story());
        }
    }

    /// Waits until what is seen of `name` is right, and notes it. `what` says so in words.
    pub fn until(&mut self, name: &str, what: &str, right: impl Fn(&Seen) -> bool) -> Seen {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.netifd_lives();
            let seen = self.router.see(name);
            // Twice the same: not a moment on the way.
            if right(&seen) && seen == self.again(name) {
                self.notes.push(format!("{what}: {name} {seen}"));
                return seen;
            }
            if Instant::now() > deadline {
                let story = self.router.story();
                panic!("waited in vain until {what}\n{name}: {seen}\n{story}");
            }
            sleep(Duration::from_millis(50));
        }
    }

    fn again(&mut self, name: &str) -> Seen {
        sleep(Duration::from_millis(300));
        self.router.see(name)
    }

    /// Waits for the process that netifd supervises for `name`, which is not
    /// `former`.
    pub fn supervised_process(&mut self, name: &str, former: Option<Pid>) -> Pid {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = supervised_process(name, &self.router.network());
            match found.filter(|found| Some(*found) != former) {
                Some(found) => return found,
                None if Instant::now() > deadline => {
                    panic!("{name} has no process\n{}", self.router.story())
                }
                None => sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Kills the handler of `name` in that action, so long after it was first seen. Says whether
    /// there was one.
    pub fn strike(&mut self, name: &str, action: &str, after: Duration) -> bool {
        process::strike(name, action, &self.router.network(), after)
    }

    /// Waits until netifd has called the handler so often for that.
    pub fn until_called(&mut self, name: &str, action: &str, times: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.router.calls(name, action) < times {
            let in_time = Instant::now() < deadline;
            assert!(in_time, "{name} had too few calls\n{}", self.router.story());
            sleep(Duration::from_millis(50));
        }
    }

    /// Runs a program of this machine in the router's network.
    pub fn in_network(&mut self, command: &[&str]) {
        let mut net = OsString::from("--net=");
        net.push(self.router.network());
        let done = Command::new("nsenter").arg(net).args(command).status();
        assert!(done.unwrap().success(), "{command:?}");
    }

    /// Gives everything time to go wrong, then asserts that `name` still is as it should be.
    pub fn still(&mut self, name: &str, what: &str, right: impl Fn(&Seen) -> bool) {
        sleep(Duration::from_secs(2));
        self.netifd_lives();
        let seen = self.router.see(name);
        if !right(&seen) {
            let story = self.router.story();
            panic!("{what}, it should be\n{name}: {seen}\n{story}");
        }
        self.notes.push(format!("{what}: {name} {seen}"));
    }

    /// Asserts how often netifd has called the handler.
    pub fn called(&mut self, name: &str, action: &str, times: std::ops::RangeInclusive<usize>) {
        let calls = self.router.calls(name, action);
        if !times.contains(&calls) {
            let story = self.router.story();
            panic!("{action} of {name} was called {calls} times, not {times:?}\n{story}");
        }
    }
}
