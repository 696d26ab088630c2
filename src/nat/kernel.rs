// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be asked of a router's nft and kernel.

/// What nft and the kernel accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// `netdev` tables with an egress hook, or why not, in nft's words.
    pub edge: Result<(), String>,
    /// Timeout policies (`ct timeout`), or why not.
    pub timeouts: Result<(), String>,
    /// Counting connections by destination (`ct count`), or why not.
    pub connlimit: Result<(), String>,
}

impl Kernel {
    /// Everything that any technique needs.
    pub fn full() -> Self {
        Kernel {
            edge: Ok(()),
            timeouts: Ok(()),
            connlimit: Ok(()),
        }
    }
}
