// SPDX-License-Identifier: GPL-2.0-or-later
//! What can be wrong with S46 options.

use std::fmt;

use super::super::address::DmrError;
use super::codes::{BIND, BR, CONT_LW, CONT_MAPE, CONT_MAPT, DMR, PORTPARAMS, RULE};

/// Why bytes are no S46 options. Positions count bytes from 0.
///
/// ```
/// use mape::map::s46;
///
/// let error = s46::decode(&[0, 90, 0, 16]).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "byte 0: S46_BR is truncated: it has 16 bytes, 0 bytes are left"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum S46Error {
    /// A character that is neither a hexadecimal digit nor a separator.
    #[error("hex: '{}' is no hexadecimal digit", .0.escape_default())]
    Digit(char),
    /// Half a byte is left.
    #[error("hex: an odd number of digits")]
    Odd,
    /// No option at all.
    #[error("hex: no option in it")]
    Empty,
    /// Less than an option's header is left.
    #[error("byte {at}: {}, an option's header has 4", left_over(*.left))]
    Header {
        /// Where the header starts.
        at: usize,
        /// What is left, in bytes.
        left: usize,
    },
    /// The option says it is longer than what is there.
    #[error("byte {at}: {} is truncated: it has {}, {}", Name(*.code), count(*.len), left_over(*.left))]
    Truncated {
        /// Where the option starts.
        at: usize,
        /// Its code.
        code: u16,
        /// Its length in bytes.
        len: usize,
        /// What is left, in bytes.
        left: usize,
    },
    /// The option is too short for its own fields.
    #[error("byte {at}: {} of {len} bytes has no room for its {field}", Name(*.code))]
    Short {
        /// Where the option starts.
        at: usize,
        /// Its code.
        code: u16,
        /// Its length in bytes.
        len: usize,
        /// The field that is cut off.
        field: &'static str,
    },
    /// More bytes than the option's fields.
    #[error("byte {at}: {} has {len} bytes, not {expected}", Name(*.code))]
    Long {
        /// Where the option starts.
        at: usize,
        /// Its code.
        code: u16,
        /// Its length in bytes.
        len: usize,
        /// The length it must have, in bytes.
        expected: usize,
    },
    /// A field out of range.
    #[error("byte {at}: {field} {value} of {}: at most {max}", Name(*.code))]
    Field {
        /// Where the option starts.
        at: usize,
        /// Its code.
        code: u16,
        /// Name of the field.
        field: &'static str,
        /// Its value.
        value: u8,
        /// Largest value allowed.
        max: u8,
    },
    /// The DMR is no RFC 6052 prefix.
    #[error("byte {at}: {error}")]
    Dmr {
        /// Where the option starts.
        at: usize,
        /// What is wrong with it.
        error: DmrError,
    },
    /// An option at a place that RFC 7598 section 6 does not allow: of another
    /// protocol, or nested too deep.
    #[error("byte {at}: {} does not belong into {}", Name(*.code), Name(*.outer))]
    Nesting {
        /// Where the option starts.
        at: usize,
        /// Its code.
        code: u16,
        /// The option around it.
        outer: u16,
    },
    /// Bytes of zero, although an option should start.
    #[error("byte {at}: option 0 does not exist; the field before it may be padded")]
    Reserved {
        /// Where the option starts.
        at: usize,
    },
    /// An option twice, though there can be only one.
    #[error("byte {at}: a second {} in {}", Name(*.code), Name(*.outer))]
    Second {
        /// Where the option starts.
        at: usize,
        /// Its code.
        code: u16,
        /// The option around it.
        outer: u16,
    },
}

/// An option by its name.
struct Name(u16);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            RULE => "S46_RULE",
            BR => "S46_BR",
            DMR => "S46_DMR",
            BIND => "S46_V4V6BIND",
            PORTPARAMS => "S46_PORTPARAMS",
            CONT_MAPE => "S46_CONT_MAPE",
            CONT_MAPT => "S46_CONT_MAPT",
            CONT_LW => "S46_CONT_LW",
            other => return write!(f, "option {other}"),
        })
    }
}

/// A number of bytes in words.
fn count(bytes: usize) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        _ => format!("{bytes} bytes"),
    }
}

/// How many bytes are left, in words.
fn left_over(bytes: usize) -> String {
    let verb = if bytes == 1 { "is" } else { "are" };
    format!("{} {verb} left", count(bytes))
}
