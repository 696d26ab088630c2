// SPDX-License-Identifier: GPL-2.0-or-later
//! A network namespace one can do things in.

use super::shell;
use crate::Result;
use nix::sched::{CloneFlags, setns};
use std::fs::File;
use std::process::Command;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

/// A named network namespace.
#[derive(Debug)]
pub struct Netns {
    name: String,
    file: File,
    alive: Arc<()>,
}

impl Netns {
    /// Makes the namespace, with its loopback up.
    pub fn create(name: &str) -> Result<Self> {
        shell::run(Command::new("ip").args(["netns", "add", name]))?;
        let path = format!("/run/netns/{name}");
        let file = File::open(&path).map_err(|e| format!("{path}: {e}"))?;
        let netns = Self {
            name: name.to_owned(),
            file,
            alive: Arc::default(),
        };
        netns.run(&["ip", "link", "set", "lo", "up"])?;
        Ok(netns)
    }

    /// Runs `job` on a thread inside the namespace: sockets it opens stay there.
    pub fn within<T: Send>(&self, job: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        thread::scope(|scope| {
            scope
                .spawn(|| {
                    self.enter()?;
                    job()
                })
                .join()
                .unwrap_or_else(|_| Err(format!("a job in {} panicked", self.name)))
        })
    }

    /// Starts `job` on a thread of its own inside the namespace.
    pub fn spawn<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<JoinHandle<Result<T>>> {
        let file = self.file.try_clone().map_err(|e| e.to_string())?;
        Ok(thread::spawn(move || {
            setns(file, CloneFlags::CLONE_NEWNET).map_err(|e| format!("setns: {e}"))?;
            job()
        }))
    }

    /// For threads that go on: nothing is left of it once the namespace is no
    /// longer wanted. A socket of theirs would keep it, with all its rules.
    pub fn alive(&self) -> Weak<()> {
        Arc::downgrade(&self.alive)
    }

    fn enter(&self) -> Result<()> {
        setns(&self.file, CloneFlags::CLONE_NEWNET).map_err(|e| format!("setns: {e}"))
    }

    /// A command that will run inside the namespace.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Runs a command inside the namespace and returns its output.
    pub fn run(&self, words: &[&str]) -> Result<String> {
        let (program, arguments) = words.split_first().ok_or("no command")?;
        shell::run(self.command(program).args(arguments))
    }

    /// Runs lines of `ip` inside the namespace.
    pub fn ip(&self, batch: &str) -> Result<()> {
        shell::feed(self.command("ip").args(["-batch", "-"]), batch).map(drop)
    }

    /// Loads a ruleset inside the namespace.
    pub fn nft(&self, ruleset: &str) -> Result<()> {
        shell::feed(self.command("nft").args(["-f", "-"]), ruleset).map(drop)
    }

    /// Sets sysctls inside the namespace, given as `net/ipv4/ip_forward=1`.
    pub fn sysctl(&self, settings: &[&str]) -> Result<()> {
        self.within(|| {
            for setting in settings {
                let (name, value) = setting.split_once('=').ok_or("a sysctl without =")?;
                // /proc/sys shows the namespace of the thread that opens it.
                let path = format!("/proc/sys/{name}");
                std::fs::write(&path, value).map_err(|e| format!("{path}: {e}"))?;
            }
            Ok(())
        })
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let _ = shell::run(Command::new("ip").args(["netns", "del", &self.name]));
    }
}
