// SPDX-License-Identifier: GPL-2.0-or-later
//! Our two protocols.

use serde::{Deserialize, Serialize};

/// Which of our two protocols an interface has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// `map`: everyone's existing configuration. `psid` is left-justified.
    Map,
    /// `mape`: ours. `psid` is the number itself.
    Mape,
}

impl Protocol {
    /// Both, in the order `dump` lists them.
    pub const ALL: [Protocol; 2] = [Protocol::Map, Protocol::Mape];

    /// Name in UCI.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Map => "map",
            Protocol::Mape => "mape",
        }
    }

    /// The protocol of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == name)
    }
}
