// SPDX-License-Identifier: GPL-2.0-or-later
//! The port-set identifier (RFC 7597 section 5.1), and the two ways in which
//! people and DHCPv6 clients write one.

use crate::reason::{Reason, Tell, named, said, sentence};
use std::fmt;

/// Why port parameters or a PSID were refused.
///
/// ```
/// use mape::map::Psid;
///
/// let error = Psid::new(300, 8).unwrap_err();
/// assert_eq!(error.to_string(), "psid 300: with psidlen 8 at most 255");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PsidError {
    /// The offset alone is out of range.
    Offset(u8),
    /// The PSID length alone is out of range.
    Length(u8),
    /// Together they do not fit into a port number.
    Sum {
        /// PSID offset in bits.
        offset: u8,
        /// PSID length in bits.
        psid_len: u8,
    },
    /// The PSID needs more bits than it has.
    Value {
        /// The PSID that was asked for.
        psid: u16,
        /// PSID length in bits.
        psid_len: u8,
        /// Largest PSID of that length.
        max: u16,
    },
    /// A word that is a PSID neither left-justified nor right-justified.
    Word {
        /// The word as it was written.
        word: u16,
        /// PSID length in bits.
        psid_len: u8,
        /// Largest PSID of that length.
        max: u16,
    },
}

impl Tell for PsidError {
    fn reason(&self) -> Reason {
        match self {
            Self::Offset(value) => said!("psid_offset", "offset {value}: at most 16", value),
            Self::Length(value) => said!("psid_length", "psidlen {value}: at most 16", value),
            Self::Sum { offset, psid_len } => said!(
                "psid_sum",
                "offset {value} and psidlen {length}: together at most 16 (the bits of a port)",
                offset,
                psid_len
            ),
            Self::Value {
                psid,
                psid_len,
                max,
            } => said!(
                "psid_value",
                "psid {value}: with psidlen {length} at most {max}",
                psid,
                psid_len,
                max
            ),
            Self::Word {
                word,
                psid_len,
                max,
            } => said!(
                "psid_word",
                "psid {value}: no PSID of {length} bits, neither left-justified in 16 bits nor as a number (at most {max})",
                word,
                psid_len,
                max
            ),
        }
    }
}

sentence!(PsidError);

/// A port-set identifier: a number of `len` bits, right-justified.
///
/// ```
/// use mape::map::Psid;
///
/// let psid = Psid::new(0x34, 8)?;
/// assert_eq!(psid.left_justified(), 0x3400);
/// assert!(Psid::new(0x100, 8).is_err());
/// # Ok::<(), mape::map::PsidError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Psid {
    value: u16,
    len: u8,
}

/// The largest number of `len` bits; `len` is at most 16.
fn largest(len: u8) -> u16 {
    u16::MAX.checked_shr(16 - u32::from(len)).unwrap_or(0)
}

impl Psid {
    /// No PSID: the address is not shared.
    ///
    /// ```
    /// use mape::map::Psid;
    ///
    /// assert!(Psid::NONE.is_empty());
    /// ```
    pub const NONE: Psid = Psid { value: 0, len: 0 };

    /// A PSID from the number people write (right-justified, 0 to `2^len - 1`).
    ///
    /// ```
    /// use mape::map::Psid;
    ///
    /// assert_eq!(Psid::new(0x34, 8)?.value(), 0x34);
    /// assert!(Psid::new(0, 17).is_err());
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    ///
    /// # Errors
    /// `len` above 16 or `value` too large for it.
    pub fn new(value: u16, len: u8) -> Result<Self, PsidError> {
        if len > 16 {
            return Err(PsidError::Length(len));
        }
        let max = largest(len);
        if value > max {
            return Err(PsidError::Value {
                psid: value,
                psid_len: len,
                max,
            });
        }
        Ok(Psid { value, len })
    }

    /// The last `len` bits (at most 16) of `bits`, which were read from a
    /// port, an address or a prefix.
    pub(super) fn of_bits(bits: u32, len: u8) -> Self {
        let value = bits as u16 & largest(len);
        Psid { value, len }
    }

    /// A PSID from the form of RFC 7598 section 4.5: left-justified in 16
    /// bits. `None` if `len` is above 16 or padding bits are set.
    fn from_left_justified(word: u16, len: u8) -> Option<Self> {
        let pad = 16u32.checked_sub(len.into())?;
        let value = word.checked_shr(pad).unwrap_or(0);
        let psid = Psid { value, len };
        (psid.left_justified() == word).then_some(psid)
    }

    /// The number itself, right-justified.
    ///
    /// ```
    /// use mape::map::Psid;
    ///
    /// assert_eq!(Psid::new(0x34, 8)?.value(), 0x34);
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    pub fn value(self) -> u16 {
        self.value
    }

    /// Length in bits.
    ///
    /// ```
    /// use mape::map::Psid;
    ///
    /// assert_eq!(Psid::new(0x34, 8)?.len(), 8);
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    pub fn len(self) -> u8 {
        self.len
    }

    /// Whether there is no PSID at all (length 0).
    ///
    /// ```
    /// use mape::map::Psid;
    ///
    /// assert!(Psid::new(0, 0)?.is_empty());
    /// assert!(!Psid::new(0, 8)?.is_empty(), "PSID 0 is a PSID");
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The form of RFC 7598: left-justified in 16 bits.
    ///
    /// ```
    /// use mape::map::Psid;
    ///
    /// assert_eq!(Psid::new(5, 3)?.left_justified(), 0xa000);
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    pub fn left_justified(self) -> u16 {
        self.value
            .checked_shl(16 - u32::from(self.len))
            .unwrap_or(0)
    }
}

/// A PSID as somebody wrote it, before its length is known.
///
/// ```
/// use mape::map::WrittenPsid;
///
/// let number = WrittenPsid::Number(0x34).readings(8)?;
/// assert_eq!(number, WrittenPsid::Word(0x3400).readings(8)?);
/// # Ok::<(), mape::map::PsidError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WrittenPsid {
    /// As rule strings and `proto map` have it: left-justified in 16 bits (RFC
    /// 7598 section 4.5). Some write the number itself, and DHCPv6 clients
    /// may come to do so; wherever only that makes sense it is understood.
    Word(u16),
    /// The number itself, as `proto mape` has it.
    Number(u16),
}

impl WrittenPsid {
    /// Whether this is 0, which servers also fill in if they mean nothing.
    ///
    /// ```
    /// use mape::map::WrittenPsid;
    ///
    /// assert!(WrittenPsid::Word(0).is_zero());
    /// ```
    pub fn is_zero(self) -> bool {
        matches!(self, WrittenPsid::Word(0) | WrittenPsid::Number(0))
    }

    /// What this can mean as a PSID of `len` bits.
    ///
    /// ```
    /// use mape::map::{Psid, WrittenPsid};
    ///
    /// let left = WrittenPsid::Word(0xa000).readings(3)?;
    /// let right = WrittenPsid::Word(5).readings(3)?;
    /// assert_eq!(left, right);
    /// assert!(left.allow(Psid::new(5, 3)?));
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    ///
    /// # Errors
    /// No PSID of that length.
    pub fn readings(self, len: u8) -> Result<PsidReadings, PsidError> {
        let word = match self {
            WrittenPsid::Number(number) => {
                return Ok(PsidReadings {
                    first: Psid::new(number, len)?,
                    second: None,
                });
            }
            WrittenPsid::Word(word) => word,
        };
        let left = Psid::from_left_justified(word, len);
        let right = Psid::new(word, len);
        match (left, right) {
            (Some(first), right) => Ok(PsidReadings {
                first,
                second: right.ok().filter(|right| *right != first),
            }),
            (None, Ok(first)) => Ok(PsidReadings {
                first,
                second: None,
            }),
            (None, Err(PsidError::Value { max, .. })) => Err(PsidError::Word {
                word,
                psid_len: len,
                max,
            }),
            (None, Err(error)) => Err(error),
        }
    }
}

/// The PSIDs that a written one can mean: one, or two if it is long and both
/// justifications make sense.
///
/// ```
/// use mape::map::WrittenPsid;
///
/// // 12 bits: 0x0010 is PSID 1 left-justified, or PSID 16 as a number.
/// assert_eq!(WrittenPsid::Word(0x0010).readings(12)?.to_string(), "1 (or 16)");
/// # Ok::<(), mape::map::PsidError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PsidReadings {
    first: Psid,
    second: Option<Psid>,
}

impl PsidReadings {
    /// The likelier one: left-justified if that makes sense.
    ///
    /// ```
    /// use mape::map::WrittenPsid;
    ///
    /// assert_eq!(WrittenPsid::Word(0x0010).readings(12)?.first().value(), 1);
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    pub fn first(self) -> Psid {
        self.first
    }

    /// Whether `psid` is one of them.
    ///
    /// ```
    /// use mape::map::{Psid, WrittenPsid};
    ///
    /// let readings = WrittenPsid::Word(0x0010).readings(12)?;
    /// assert!(readings.allow(Psid::new(1, 12)?) && readings.allow(Psid::new(16, 12)?));
    /// assert!(!readings.allow(Psid::new(2, 12)?));
    /// # Ok::<(), mape::map::PsidError>(())
    /// ```
    pub fn allow(self, psid: Psid) -> bool {
        self.first == psid || self.second == Some(psid)
    }
}

impl fmt::Display for PsidReadings {
    /// The numbers, such as `5` or `1 (or 16)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first.value)?;
        match self.second {
            Some(second) => write!(f, " (or {})", second.value),
            None => Ok(()),
        }
    }
}

named!(PsidReadings);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(word: u16, len: u8) -> String {
        match WrittenPsid::Word(word).readings(len) {
            Ok(readings) => readings.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn either_justification_is_understood() {
        assert_eq!(read(0x3400, 8), "52");
        assert_eq!(read(0x34, 8), "52");
        assert_eq!(read(0xa000, 3), "5");
        assert_eq!(read(5, 3), "5");
        assert_eq!(read(0, 8), "0");
        assert_eq!(read(0, 0), "0");
        assert_eq!(read(0xffff, 16), "65535");
        // Only a long PSID can be both.
        assert_eq!(read(0x10, 12), "1 (or 16)");
        assert_eq!(
            read(0x3401, 8),
            "psid 13313: no PSID of 8 bits, neither left-justified in 16 bits nor as a number \
             (at most 255)"
        );
        assert_eq!(read(1, 17), "psidlen 17: at most 16");
    }

    #[test]
    fn a_number_is_only_a_number() {
        let number = WrittenPsid::Number(0x10).readings(12).unwrap();
        assert_eq!(number.to_string(), "16");
        let error = WrittenPsid::Number(256).readings(8).unwrap_err();
        assert_eq!(error.to_string(), "psid 256: with psidlen 8 at most 255");
    }

    #[test]
    fn left_justified() {
        assert_eq!(Psid::new(127, 7).unwrap().left_justified(), 0xfe00);
        assert_eq!(Psid::new(0, 0).unwrap().left_justified(), 0);
    }
}
