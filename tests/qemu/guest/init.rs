// SPDX-License-Identifier: GPL-2.0-or-later
//! The first process: mounts, modules, scenarios, reboot.

use super::{demo, isp, scenarios};
use crate::Result;
use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::resource::{Resource, setrlimit};
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::{Command, ExitCode};
use std::sync::Mutex;

/// Runs the machine from its first instruction to its end.
pub fn main() -> ! {
    if let Err(why) = prepare() {
        say(&format!("init: {why}"));
    }
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    tell(&json!({ "kernel": kernel.trim() }));
    match std::env::var("MAPE_MODE").as_deref() {
        Ok("demo") => demo::run(),
        Ok("figures") => scenarios::figures(),
        Ok("isp") => {
            // Its network cards, and the translator's device.
            if let Err(why) = load(&["virtio_pci", "virtio_net", "tun"]).and_then(|()| isp::main())
            {
                say(&format!("isp: {why}"));
            }
        }
        _ => scenarios::run(),
    }
    tell(&json!({ "end": true }));
    let _ = reboot(RebootMode::RB_AUTOBOOT);
    std::process::exit(0)
}

/// The lab provider on the kernel that runs already, in namespaces that were
/// made for this process.
pub fn in_namespaces() -> ExitCode {
    let done = mount(
        Some("tmpfs"),
        "/run",
        Some("tmpfs"),
        MsFlags::empty(),
        None::<&str>,
    )
    .map_err(|e| format!("/run: {e}"))
    .and_then(|()| isp::main());
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&format!("isp: {why}"));
            ExitCode::FAILURE
        }
    }
}

fn prepare() -> Result<()> {
    for (what, place) in [
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("devtmpfs", "/dev"),
        ("tmpfs", "/run"),
        ("tmpfs", "/tmp"),
    ] {
        mount(
            Some(what),
            place,
            Some(what),
            MsFlags::empty(),
            None::<&str>,
        )
        .map_err(|e| format!("{place}: {e}"))?;
    }
    let _ = setrlimit(Resource::RLIMIT_NOFILE, 65536, 65536);
    let modules = [
        "crc32c",
        "veth",
        "bridge",
        "ip6_tunnel",
        "nf_tables",
        "nf_conntrack",
        "nft_chain_nat",
        "nft_ct",
        "nft_connlimit",
        "nf_log_syslog",
        "nft_numgen",
        "nft_hash",
        "nf_conntrack_netlink",
    ];
    load(&modules)
}

/// Loads kernel modules.
fn load(modules: &[&str]) -> Result<()> {
    let done = Command::new("/usr/sbin/modprobe")
        .arg("-a")
        .args(modules)
        .output();
    match done {
        Ok(out) if out.status.success() => Ok(()),
        Ok(out) => Err(String::from_utf8_lossy(&out.stderr).trim().to_owned()),
        Err(e) => Err(format!("modprobe: {e}")),
    }
}

/// Prints a line for people. The mark at its start tells it from what the
/// firmware and the kernel print on the same console.
pub fn say(text: &str) {
    for line in text.split('\n') {
        let _ = writeln!(std::io::stdout(), "\u{1}{line}");
    }
    let _ = std::io::stdout().flush();
}

/// The line to the host.
pub const PORT: &str = "/dev/ttyS1";

/// Where the report goes if not to the port.
static REPORT: Mutex<Option<Box<dyn Write + Send>>> = Mutex::new(None);

/// Sends the report elsewhere from now on.
pub fn report_to(place: Box<dyn Write + Send>) {
    if let Ok(mut report) = REPORT.lock() {
        *report = Some(place);
    }
}

/// Sends a line of the report to the host.
pub fn tell(line: &Value) {
    let line = format!("{line}\n");
    if let Ok(mut report) = REPORT.lock()
        && let Some(place) = report.as_mut()
    {
        let _ = place.write_all(line.as_bytes());
    } else if let Ok(mut port) = OpenOptions::new().write(true).open(PORT) {
        let _ = port.write_all(line.as_bytes());
    }
}
