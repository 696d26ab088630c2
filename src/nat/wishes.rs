// SPDX-License-Identifier: GPL-2.0-or-later
//! What the user and the firewall configuration ask for.

use super::options::{Mode, Timeouts};
use super::ports::PortList;

/// What the user wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Option `nat`.
    pub mode: Mode,
    /// Option `reserve`: ports SNAT never takes; each must be in the set.
    pub reserve: PortList,
    /// Ports that the firewall configuration forwards or opens; those outside
    /// the set are ignored.
    pub opened: PortList,
    /// Whether the firewall configuration answers pings from outside.
    pub ping: bool,
    /// Option `conntrack`.
    pub timeouts: Timeouts,
}
