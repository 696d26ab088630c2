// SPDX-License-Identifier: GPL-2.0-or-later
//! The router in QEMU, reached over its LAN by ssh.

use super::Places;
use super::disk::Disk;
use crate::Result;
use crate::host::boot;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take: an emulated router on a busy host is slow.
pub const PATIENCE: Duration = Duration::from_secs(900);

/// A running router.
pub struct Router {
    machine: Child,
    command: Command,
    console: PathBuf,
    ssh_port: String,
    /// Where its web server is reached from this machine.
    pub web: String,
}

impl Router {
    /// Boots from the disk. The first card is the LAN and the second is the
    /// WAN, as OpenWrt has them on x86.
    pub fn start(disk: &Disk, dir: &Path, places: &Places) -> Result<Self> {
        let console = dir.join("openwrt-console.log");
        let _ = fs::remove_file(&console);
        let log = File::create(dir.join("openwrt-qemu.log")).map_err(|e| e.to_string())?;
        let mut command = boot::qemu(&boot::plain());
        command
            .args(["-m", "512", "-no-reboot", "-chardev"])
            .arg(format!("file,id=log,append=on,path={}", console.display()))
            .args(["-serial", "chardev:log"])
            .args(disk.arguments(""))
            .arg("-netdev")
            .arg(format!("socket,id=lan,connect={}", places.lan))
            .args(["-device", "virtio-net-pci,netdev=lan,mac=02:00:5e:20:00:01"])
            .arg("-netdev")
            .arg(format!("socket,id=wan,connect={}", places.line))
            .args(["-device", "virtio-net-pci,netdev=wan,mac=02:00:5e:20:00:02"])
            .stdin(Stdio::null())
            .stderr(log);
        Ok(Self {
            machine: boot::spawn(&mut command)?,
            command,
            console,
            ssh_port: places.ssh.rsplit(':').next().unwrap_or_default().to_owned(),
            web: format!("http://{}", places.web),
        })
    }

    /// Reboots. The machine ends where a board would restart, and is
    /// switched on again.
    pub fn reboot(&mut self) -> Result<()> {
        // The connection may end before the answer comes.
        let _ = self.run("reboot");
        let started = Instant::now();
        while self
            .machine
            .try_wait()
            .map_err(|e| e.to_string())?
            .is_none()
        {
            if started.elapsed() > PATIENCE {
                return Err("it did not go down".to_owned());
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        self.machine = boot::spawn(&mut self.command)?;
        Ok(())
    }

    /// The power goes, and comes back.
    pub fn power_cut(&mut self) -> Result<()> {
        self.machine.kill().map_err(|e| e.to_string())?;
        self.machine.wait().map_err(|e| e.to_string())?;
        self.machine = boot::spawn(&mut self.command)?;
        Ok(())
    }

    /// Runs a command line in the router's shell, and returns what it prints.
    pub fn run(&self, line: &str) -> Result<String> {
        self.feed(line, &[])
    }

    /// The same with something on its standard input.
    pub fn feed(&self, line: &str, input: &[u8]) -> Result<String> {
        let mut child = Command::new("ssh")
            .args(["-p", &self.ssh_port, "-o", "ConnectTimeout=60"])
            .args(["-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"])
            .args(["-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"])
            .args(["-o", "ServerAliveInterval=60", "root@127.0.0.1", line])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("ssh: {e}"))?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input).map_err(|e| format!("ssh: {e}"))?;
        }
        let out = child.wait_with_output().map_err(|e| format!("ssh: {e}"))?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        if out.status.success() {
            return Ok(text);
        }
        let why = String::from_utf8_lossy(&out.stderr);
        Err(format!("`{line}`: {} {}", text.trim(), why.trim()))
    }

    /// Runs a command line until `good` likes what it prints.
    pub fn until(&self, line: &str, good: impl Fn(&str) -> bool) -> Result<String> {
        let started = Instant::now();
        loop {
            let found = self.run(line);
            if let Ok(text) = &found
                && good(text)
            {
                return found;
            }
            if started.elapsed() > PATIENCE {
                return Err(format!(
                    "waited for `{line}`: {}",
                    found.unwrap_or_else(|e| e)
                ));
            }
            std::thread::sleep(Duration::from_secs(2));
        }
    }

    /// The end of what the console said.
    pub fn last_words(&self) -> String {
        let text = fs::read(&self.console).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        // Each command of the steps is a login, which is not what anybody looks for.
        let log = self
            .run("logread | grep -v 'dropbear\\[' | tail -n 60")
            .unwrap_or_default();
        format!(
            "console:\n{}\nlog:\n{log}",
            lines[lines.len().saturating_sub(5)..].join("\n")
        )
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        let _ = self.machine.kill();
        let _ = self.machine.wait();
    }
}
