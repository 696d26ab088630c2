// SPDX-License-Identifier: GPL-2.0-or-later
//! Far ends that sent nothing back, as they are remembered.

use std::io;
use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

use super::clock::uptime;
use super::store::{read_json, remove_written, write_json};
use crate::paths::silent_file;

/// How long an address is remembered, in seconds.
pub(super) const REMEMBERED: u64 = 3600;

/// An address that sent nothing back, and when that was found, in seconds since
/// boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Silent(Ipv6Addr, u64);

fn load(interface: &str) -> Vec<Silent> {
    let mut all: Vec<Silent> = read_json(&silent_file(interface)).unwrap_or_default();
    let now = uptime();
    all.retain(|Silent(_, at)| now.saturating_sub(*at) <= REMEMBERED);
    all
}

/// The addresses that sent nothing back to that interface in the last hour, the
/// last one first.
pub(super) fn silent(interface: &str) -> Vec<Ipv6Addr> {
    let all = load(interface).into_iter();
    all.map(|Silent(address, _)| address).collect()
}

/// Remembers one more.
///
/// # Errors
/// What the system says.
pub(super) fn remember(interface: &str, address: Ipv6Addr) -> io::Result<()> {
    let mut all = load(interface);
    all.insert(0, Silent(address, uptime()));
    write_json(&silent_file(interface), &all)
}

/// Something came back from that one: it is no longer held to be silent.
pub(super) fn answered(interface: &str, address: Ipv6Addr) {
    let all = load(interface);
    let (answering, silent): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|Silent(other, _)| *other == address);
    if answering.is_empty() {
        return;
    }
    if let Err(error) = write_json(&silent_file(interface), &silent) {
        log::debug!("{interface}: {error}");
    }
}

/// Forgets all.
pub(super) fn forget(interface: &str) {
    if let Err(error) = remove_written(&silent_file(interface)) {
        log::debug!("{interface}: {error}");
    }
}
