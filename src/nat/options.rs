// SPDX-License-Identifier: GPL-2.0-or-later
//! The words of UCI that concern translation.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::reason::{Reason, Tell, said, sentence};
use crate::sanitize::excerpt;

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

/// UCI `upnp`: the ports that miniupnpd may hand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Upnp {
    /// Those that miniupnpd's own configuration names, if it serves the line.
    #[default]
    Auto,
    /// None.
    Off,
    /// So many, which miniupnpd's configuration is to follow.
    Ports(NonZeroU16),
}

/// A word that is none of those allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct OptionError {
    option: &'static str,
    value: String,
    allowed: &'static str,
}

impl Tell for OptionError {
    fn reason(&self) -> Reason {
        said!(
            "option",
            "{option} {value}: must be {allowed}",
            self.option,
            excerpt(&self.value),
            self.allowed
        )
    }
}

sentence!(OptionError);

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

impl FromStr for Upnp {
    type Err = OptionError;

    fn from_str(word: &str) -> Result<Self, OptionError> {
        match (word, word.parse()) {
            ("auto", _) => Ok(Upnp::Auto),
            ("off", _) => Ok(Upnp::Off),
            (_, Ok(count)) => Ok(Upnp::Ports(count)),
            (_, Err(_)) => Err(OptionError {
                option: "upnp",
                value: word.into(),
                allowed: "auto, off or a number of ports such as 16",
            }),
        }
    }
}

impl TryFrom<String> for Upnp {
    type Error = OptionError;

    fn try_from(word: String) -> Result<Self, OptionError> {
        word.parse()
    }
}

impl From<Upnp> for String {
    fn from(upnp: Upnp) -> String {
        upnp.to_string()
    }
}

impl fmt::Display for Upnp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Upnp::Auto => f.write_str("auto"),
            Upnp::Off => f.write_str("off"),
            Upnp::Ports(count) => count.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_upnp() {
        for word in ["auto", "off", "1", "16", "65535"] {
            assert_eq!(word.parse::<Upnp>().unwrap().to_string(), word);
        }
        for word in ["", "0", "65536", "-1", "on", "16 ports"] {
            let error = word.parse::<Upnp>().unwrap_err().to_string();
            let shown = excerpt(word);
            let says = format!("upnp {shown}: must be auto, off or a number of ports such as 16");
            assert_eq!(error, says);
        }
    }
}
