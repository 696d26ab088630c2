// SPDX-License-Identifier: GPL-2.0-or-later
//! Why there is no plan.

use std::fmt::Write;

use super::names::{MAX_DEVICE, MAX_INTERFACE};
use super::ports::PortList;
use crate::reason::{Reason, Tell, said, sentence};
use crate::sanitize::quoted;

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NatError {
    /// The name cannot be part of a table's name.
    Interface(String),
    /// The kernel has no device of such a name.
    Device(String),
    /// The set has no port that a connection can use.
    NothingLeft(PortList),
    /// `nat pool` if the pool is impossible.
    NoPool(String),
}

impl Tell for NatError {
    fn reason(&self) -> Reason {
        match self {
            Self::Interface(name) => said!(
                "nat_interface",
                "interface {name}: 1 to {max} letters, digits, _, . or -",
                quoted(name),
                MAX_INTERFACE
            ),
            Self::Device(name) => said!(
                "nat_device",
                "device {name}: 1 to {max} letters, digits, _, ., @ or -",
                quoted(name),
                MAX_DEVICE
            ),
            Self::NothingLeft(ports) => said!(
                "nat_nothing_left",
                "the ports of this line, {ports}, cannot be used",
                brief(ports)
            ),
            Self::NoPool(reason) => said!(
                "nat_no_pool",
                "nat pool: {reason}; choose auto or hash",
                reason
            ),
        }
    }
}

sentence!(NatError);

/// Names ranges without flooding a log line.
pub(crate) fn brief(ports: &PortList) -> String {
    const SHOWN: usize = 16;
    let mut text = String::new();
    for (at, range) in ports.ranges().take(SHOWN).enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        // Writing to a String does not fail.
        let _ = write!(text, "{comma}{range}");
    }
    if let Some(more) = ports.range_count().checked_sub(SHOWN).filter(|&n| n > 0) {
        let _ = write!(text, ", and {more} more ranges");
    }
    text
}
