// SPDX-License-Identifier: GPL-2.0-or-later
//! The only clock in use: a router's calendar jumps when its time is set.

use std::fs;

/// Seconds since boot.
pub fn uptime() -> u64 {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds = text.split(['.', ' ']).next().unwrap_or_default();
    seconds.parse().unwrap_or(0)
}
