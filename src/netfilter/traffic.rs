// SPDX-License-Identifier: GPL-2.0-or-later
//! What a device has carried.

use std::fs;

use serde::Serialize;

use crate::paths::rooted;

/// Packet counters of a device since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Packets received.
    pub rx_packets: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets sent.
    pub tx_packets: u64,
}

impl Traffic {
    /// The counters of `device`; `None` if there is no such device.
    pub fn of(device: &str) -> Option<Self> {
        // A device name comes from our own file, but a path must stay one.
        if device.contains('/') {
            return None;
        }
        let read = |name: &str| -> Option<u64> {
            let path = format!("/sys/class/net/{device}/statistics/{name}");
            fs::read_to_string(rooted(&path)).ok()?.trim().parse().ok()
        };
        Some(Traffic {
            rx_bytes: read("rx_bytes")?,
            rx_packets: read("rx_packets")?,
            tx_bytes: read("tx_bytes")?,
            tx_packets: read("tx_packets")?,
        })
    }
}
