// SPDX-License-Identifier: GPL-2.0-or-later
//! Values of the protocol, each with its own limits.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use crate::map::Dialect;
use crate::reason::named;

/// A way to carry IPv4, in the words of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Capability {
    /// 464XLAT (RFC 6877).
    Xlat464,
    /// DS-Lite (RFC 6333).
    DsLite,
    /// IPv4 in IPv6 with a fixed address (RFC 2473).
    IpIp,
    /// Lightweight 4over6 (RFC 7596).
    Lw4o6,
    /// MAP-E (RFC 7597 or its draft 03).
    MapE,
    /// MAP-T (RFC 7599).
    MapT,
}

/// A word that names no capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be one of 464xlat, dslite, ipip, lw4o6, map_e and map_t")]
pub struct CapabilityError;

impl Capability {
    /// The word of the protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Capability::Xlat464 => "464xlat",
            Capability::DsLite => "dslite",
            Capability::IpIp => "ipip",
            Capability::Lw4o6 => "lw4o6",
            Capability::MapE => "map_e",
            Capability::MapT => "map_t",
        }
    }
}

impl FromStr for Capability {
    type Err = CapabilityError;

    fn from_str(word: &str) -> Result<Self, CapabilityError> {
        match word {
            "464xlat" => Ok(Capability::Xlat464),
            "dslite" => Ok(Capability::DsLite),
            "ipip" => Ok(Capability::IpIp),
            "lw4o6" => Ok(Capability::Lw4o6),
            "map_e" => Ok(Capability::MapE),
            "map_t" => Ok(Capability::MapT),
            _ => Err(CapabilityError),
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

named!(Capability);

/// How long an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ttl(u32);

/// A lifetime beyond [`Ttl::MAX_SECONDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} seconds are more than the allowed 604800 (7 days)")]
pub struct TtlError(u64);

impl Ttl {
    /// The longest one: a week.
    pub const MAX_SECONDS: u32 = 604_800;

    /// The lifetime in seconds.
    pub fn as_secs(self) -> u32 {
        self.0
    }
}

impl From<Ttl> for Duration {
    fn from(ttl: Ttl) -> Self {
        Duration::from_secs(ttl.0.into())
    }
}

impl TryFrom<u64> for Ttl {
    type Error = TtlError;

    fn try_from(seconds: u64) -> Result<Self, TtlError> {
        match u32::try_from(seconds) {
            Ok(seconds) if seconds <= Self::MAX_SECONDS => Ok(Ttl(seconds)),
            _ => Err(TtlError(seconds)),
        }
    }
}

/// What a server knows a CE by, for years: `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Token(String);

/// A text that is no token. Does not quote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 64 lower-case hexadecimal digits")]
pub struct TokenError;

impl Token {
    /// The digits, for a request and for the file they are kept in.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Token {
    type Error = TokenError;

    fn try_from(text: String) -> Result<Self, TokenError> {
        let is_digit = |b: u8| b.is_ascii_digit() || matches!(b, b'a'..=b'f');
        match text.len() == 64 && text.bytes().all(is_digit) {
            true => Ok(Token(text)),
            false => Err(TokenError),
        }
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        text.to_owned().try_into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// What the server says of user name and password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// With them it may offer more.
    Req,
    /// They are wrong.
    Bad,
    /// They are right.
    Ok,
}

/// Name of an operator or service, for people. Others write it: whoever shows
/// it escapes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Label(String);

/// A name that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have at most 256 bytes, with its quotes")]
pub struct LabelError;

impl Label {
    /// The name as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = LabelError;

    fn try_from(text: String) -> Result<Self, LabelError> {
        // As JSON, so that what is escaped counts in full.
        match serde_json::to_string(&text) {
            Ok(quoted) if quoted.len() <= 256 => Ok(Label(text)),
            _ => Err(LabelError),
        }
    }
}

/// `map_e.version`: the dialect of the interface identifier.
pub(super) fn dialect(version: u64) -> Result<Dialect, &'static str> {
    match version {
        0 => Ok(Dialect::Draft03),
        1 => Ok(Dialect::Rfc7597),
        _ => Err("must be 0 (draft-ietf-softwire-map-03) or 1 (RFC 7597)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_as_they_are_written() {
        for word in ["464xlat", "dslite", "ipip", "lw4o6", "map_e", "map_t"] {
            assert_eq!(word.parse::<Capability>().unwrap().to_string(), word);
        }
        assert_eq!("map-e".parse::<Capability>(), Err(CapabilityError));
    }

    #[test]
    fn lifetimes_end_at_a_week() {
        assert_eq!(Ttl::try_from(0).unwrap().as_secs(), 0);
        assert_eq!(Ttl::try_from(604_800).unwrap().as_secs(), 604_800);
        let says = Ttl::try_from(604_801).unwrap_err().to_string();
        assert_eq!(
            says,
            "604801 seconds are more than the allowed 604800 (7 days)"
        );
        assert_eq!(Ttl::try_from(1 << 40), Err(TtlError(1 << 40)));
    }

    #[test]
    fn tokens_are_checked_and_hidden() {
        let digits = "0123456789abcdef".repeat(4);
        let token: Token = digits.parse().unwrap();
        assert_eq!(token.expose(), digits);
        assert_eq!(format!("{token:?}"), "Token(hidden)");
        for wrong in [
            &digits[1..],
            &digits.to_uppercase(),
            &digits.replace('0', "g"),
            "",
        ] {
            assert_eq!(wrong.parse::<Token>(), Err(TokenError));
        }
    }

    #[test]
    fn names_are_measured_with_quotes_and_escapes() {
        assert!(Label::try_from("a".repeat(254)).is_ok());
        assert!(Label::try_from("a".repeat(255)).is_err());
        assert!(Label::try_from("\"".repeat(127)).is_ok());
        assert!(Label::try_from("\"".repeat(128)).is_err());
    }
}
