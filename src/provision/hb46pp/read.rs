// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading values that servers write in more than one way.

use std::fmt;

use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};

/// A number that is not negative, as a number or as decimal digits in a
/// string.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(Number)
}

/// The same as [`number`], up to `MAX`.
pub(super) fn up_to<'de, const MAX: u8, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<u8, D::Error> {
    let number = number(deserializer)?;
    match u8::try_from(number) {
        Ok(number) if number <= MAX => Ok(number),
        _ => Err(D::Error::custom(format_args!("{number}: at most {MAX}"))),
    }
}

/// Yes or no, as a boolean or as 1 or 0.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    deserializer.deserialize_any(Flag)
}

struct Number;

impl Visitor<'_> for Number {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, 0 or greater")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        // A sign would be read, too.
        let is_number = text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(number) if is_number => Ok(number),
            _ => Err(E::invalid_value(Unexpected::Other("string"), &self)),
        }
    }
}

struct Flag;

impl Visitor<'_> for Flag {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, 0 or 1")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<bool, E> {
        Ok(flag)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<bool, E> {
        match number {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        match text {
            "0" => Ok(false),
            "1" => Ok(true),
            _ => Err(E::invalid_value(Unexpected::Other("string"), &self)),
        }
    }
}
