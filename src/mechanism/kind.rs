// SPDX-License-Identifier: GPL-2.0-or-later
//! The names of the mechanisms.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::map::MapType;
use crate::reason::{Reason, Tell, said, sentence};
use crate::sanitize::excerpt;

/// A mechanism without its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// RFC 7597.
    MapE,
    /// RFC 7599.
    MapT,
    /// RFC 7596.
    Lw4o6,
    /// RFC 6333.
    DsLite,
    /// A fixed address or block in a tunnel of IPv4 in IPv6 (RFC 2473).
    #[serde(rename = "ipip")]
    IpIp,
}

/// A word that names no mechanism.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct KindError(String);

impl Tell for KindError {
    fn reason(&self) -> Reason {
        said!(
            "kind_unknown",
            "type {value}: must be auto, map-e, map-t, lw4o6, ds-lite or ipip",
            self.0
        )
    }
}

sentence!(KindError);

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 5] = [
        Kind::MapE,
        Kind::MapT,
        Kind::Lw4o6,
        Kind::DsLite,
        Kind::IpIp,
    ];

    /// The word for it in `option maptype`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::MapE => "map-e",
            Kind::MapT => "map-t",
            Kind::Lw4o6 => "lw4o6",
            Kind::DsLite => "ds-lite",
            Kind::IpIp => "ipip",
        }
    }

    /// What a packet grows by, in bytes.
    pub fn overhead(self) -> u16 {
        match self {
            Kind::MapT => MapType::MapT.overhead(),
            Kind::MapE | Kind::Lw4o6 | Kind::DsLite | Kind::IpIp => MapType::MapE.overhead(),
        }
    }

    /// It puts IPv4 packets into IPv6 packets.
    pub fn is_tunnel(self) -> bool {
        self != Kind::MapT
    }

    /// The type of MAP; `None` for the others.
    pub fn map_type(self) -> Option<MapType> {
        match self {
            Kind::MapE => Some(MapType::MapE),
            Kind::MapT => Some(MapType::MapT),
            Kind::Lw4o6 => Some(MapType::Lw4o6),
            Kind::DsLite | Kind::IpIp => None,
        }
    }
}

impl From<MapType> for Kind {
    fn from(map_type: MapType) -> Self {
        match map_type {
            MapType::MapE => Kind::MapE,
            MapType::MapT => Kind::MapT,
            MapType::Lw4o6 => Kind::Lw4o6,
        }
    }
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(word: &str) -> Result<Self, KindError> {
        let found = Kind::ALL.into_iter().find(|kind| kind.as_str() == word);
        found.ok_or_else(|| KindError(excerpt(word)))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_uci_and_in_json_are_the_same() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{kind}\""));
        }
        let error = "dslite".parse::<Kind>().unwrap_err().to_string();
        assert!(error.starts_with("type dslite: must be"), "{error}");
    }
}
