// SPDX-License-Identifier: GPL-2.0-or-later
//! The words of UCI that concern translation.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// UCI `nat`: how a port set of many ranges is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The pool if the kernel can, else the hash.
    #[default]
    Auto,
    /// One contiguous range inside, mapped to the set at the tunnel's edge.
    Pool,
    /// Each internal endpoint hashed to one range of the set.
    Hash,
}

/// UCI `conntrack`: how long the kernel remembers idle connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Timeouts {
    /// The kernel's own timeouts.
    #[default]
    Normal,
    /// Shorter ones, which free ports sooner.
    Tight,
}

/// A word that is none of those allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option} {value}: must be {allowed}")]
pub struct OptionError {
    option: &'static str,
    value: String,
    allowed: &'static str,
}

impl Mode {
    /// As in UCI.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Auto => "auto",
            Mode::Pool => "pool",
            Mode::Hash => "hash",
        }
    }
}

impl FromStr for Mode {
    type Err = OptionError;

    fn from_str(word: &str) -> Result<Self, OptionError> {
        let mut all = [Mode::Auto, Mode::Pool, Mode::Hash].into_iter();
        let known = all.find(|mode| mode.as_str() == word);
        known.ok_or_else(|| OptionError {
            option: "nat",
            value: word.into(),
            allowed: "auto, pool or hash",
        })
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Timeouts {
    /// As in UCI.
    pub fn as_str(self) -> &'static str {
        match self {
            Timeouts::Normal => "normal",
            Timeouts::Tight => "tight",
        }
    }
}

impl FromStr for Timeouts {
    type Err = OptionError;

    fn from_str(word: &str) -> Result<Self, OptionError> {
        let mut all = [Timeouts::Normal, Timeouts::Tight].into_iter();
        let known = all.find(|timeouts| timeouts.as_str() == word);
        known.ok_or_else(|| OptionError {
            option: "conntrack",
            value: word.into(),
            allowed: "normal or tight",
        })
    }
}

impl fmt::Display for Timeouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
