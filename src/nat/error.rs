// SPDX-License-Identifier: GPL-2.0-or-later
//! Why there is no plan.

use std::fmt::Write;

use super::names::{MAX_DEVICE, MAX_INTERFACE};
use super::ports::PortList;
use crate::sanitize::quoted;

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NatError {
    /// The name cannot be part of a table's name.
    #[error("interface {}: 1 to {MAX_INTERFACE} letters, digits, _, . or -", quoted(.0))]
    Interface(String),
    /// The kernel has no device of such a name.
    #[error("device {}: 1 to {MAX_DEVICE} letters, digits, _, ., @ or -", quoted(.0))]
    Device(String),
    /// The set has no port that a connection can use.
    #[error("the ports of this line, {}, cannot be used", brief(.0))]
    NothingLeft(PortList),
    /// `nat pool` if the pool is impossible.
    #[error("nat pool: {0}; choose auto or hash")]
    NoPool(String),
}

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
