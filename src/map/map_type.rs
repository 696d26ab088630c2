// SPDX-License-Identifier: GPL-2.0-or-later
//! The protocols of a domain.

use std::fmt;

use crate::reason::named;
use serde::{Deserialize, Serialize};

/// Which of the three address-sharing protocols a domain speaks.
///
/// ```
/// use mape::map::MapType;
///
/// assert_eq!("map-e".parse::<MapType>()?, MapType::MapE);
/// # Ok::<(), Box<mape::map::SpecError>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapType {
    /// Encapsulation, RFC 7597.
    MapE,
    /// Translation, RFC 7599.
    MapT,
    /// Lightweight 4over6, RFC 7596: one binding instead of rules.
    Lw4o6,
}

impl MapType {
    /// What a packet grows by on the line, in bytes: an IPv6 header, or what
    /// that is longer than the IPv4 header which it replaces.
    ///
    /// ```
    /// use mape::map::MapType;
    ///
    /// assert_eq!(1500 - MapType::MapE.overhead(), 1460);
    /// assert_eq!(1500 - MapType::MapT.overhead(), 1480);
    /// ```
    pub fn overhead(self) -> u16 {
        match self {
            MapType::MapT => 20,
            MapType::MapE | MapType::Lw4o6 => 40,
        }
    }

    /// The word used in UCI and in rule strings.
    ///
    /// ```
    /// use mape::map::MapType;
    ///
    /// assert_eq!(MapType::Lw4o6.as_str(), "lw4o6");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            MapType::MapE => "map-e",
            MapType::MapT => "map-t",
            MapType::Lw4o6 => "lw4o6",
        }
    }
}

impl fmt::Display for MapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

named!(MapType);
