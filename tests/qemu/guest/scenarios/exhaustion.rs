// SPDX-License-Identifier: GPL-2.0-or-later
//! More connections to one server than the CE has ports.

use super::fill::fill;
use super::{Bench, expect, measure};
use crate::Result;
use crate::guest::lab::Lab;
use crate::guest::nat::Technique;
use crate::guest::oracle::V6PLUS;
use crate::guest::server::{ECHO, WHOAMI};
use crate::guest::tcp::{self, Attempt};
use nix::errno::Errno;
use nix::libc;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;

/// Those too many.
const LATE: usize = 24;

/// The set is filled; further connections are refused at the first SYN, and
/// everybody else is served.
pub fn exhaustion(bench: &mut Bench) -> Result<String> {
    // Only the first network namespace may write to the log otherwise.
    std::fs::write("/proc/sys/net/netfilter/nf_log_all_netns", "1")
        .map_err(|e| format!("nf_log_all_netns: {e}"))?;
    let lab = bench.lab(V6PLUS)?;
    lab.nat(Technique::Pool)?;
    let ports = lab.line.ports().len();
    let live = full(lab, ports)?;

    let late = fill(lab, LATE, ECHO)?;
    let told = late
        .iter()
        .filter(|attempt| attempt.failed() == Some(Errno::ECONNREFUSED as i32))
        .filter(|attempt| attempt.retransmits() == 0)
        .count();
    let counted = counted(lab)?;
    expect(counted == told, || {
        format!("{told} were refused, the counter says {counted}")
    })?;
    let elsewhere = fill(lab, LATE, WHOAMI)?;
    let elsewhere = elsewhere.iter().filter(|attempt| attempt.open()).count();
    expect(elsewhere == LATE, || {
        format!("{elsewhere} of {LATE} connected to another port of the server")
    })?;
    for attempt in live {
        tcp::exchange(&mut attempt.into_stream()?, 1)?;
    }
    let lines = log_lines()?;
    expect(lines == 1, || format!("{lines} lines in the log"))?;
    let refused = lab.refused()?;
    expect(refused.total() == 0, || format!("the BR refused {refused}"))?;
    lab.settle()?;
    measure(bench, Technique::Pool, "exhaustion", told as f64)?;
    Ok(format!("{told} of {LATE} refused, {ports} served"))
}

/// Connections on every port. netfilter may give up its search for the last
/// ones, and find them the next time.
fn full(lab: &Lab, ports: usize) -> Result<Vec<Attempt>> {
    let mut live = Vec::with_capacity(ports);
    for _ in 0..5 {
        let more = fill(lab, ports - live.len(), ECHO)?;
        live.extend(more.into_iter().filter(Attempt::open));
        if live.len() == ports {
            return Ok(live);
        }
    }
    Err(format!("{} of {ports} connected", live.len()))
}

/// Packets that the CE's rules refused.
fn counted(lab: &Lab) -> Result<usize> {
    let words = ["nft", "list", "counter", "ip", "mape_wanmap", "exhausted"];
    let text = lab.net.ce.run(&words)?;
    let mut words = text.split_whitespace();
    words
        .find(|word| *word == "packets")
        .and_then(|_| words.next()?.parse().ok())
        .ok_or_else(|| format!("no packets in {text}"))
}

/// Lines of the kernel's log that speak of it.
fn log_lines() -> Result<usize> {
    let mut log = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/kmsg")
        .map_err(|e| format!("/dev/kmsg: {e}"))?;
    let mut record = [0; 8192];
    let mut lines = 0;
    loop {
        match log.read(&mut record) {
            Ok(length) => {
                let text = String::from_utf8_lossy(record.get(..length).unwrap_or_default());
                if text.contains("mape wanmap: all 240 ports to one server are in use: ") {
                    lines += 1;
                }
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(lines),
            // Records were overwritten meanwhile.
            Err(e) if e.raw_os_error() == Some(libc::EPIPE) => {}
            Err(e) => return Err(format!("/dev/kmsg: {e}")),
        }
    }
}
