// SPDX-License-Identifier: GPL-2.0-or-later
//! A corpus as one file: an input a line, bytes that are no plain character
//! written as `\xNN`. So a diff shows what was added, and a text can be added
//! by hand.

use std::fmt::Write;

/// One input as a line.
pub fn pack(input: &[u8]) -> String {
    let mut line = String::new();
    for &byte in input {
        match byte {
            b'\\' => line.push_str("\\\\"),
            b'\n' => line.push_str("\\n"),
            b'\t' => line.push_str("\\t"),
            b' '..=b'~' => line.push(char::from(byte)),
            // Writing to a String does not fail.
            other => drop(write!(line, "\\x{other:02x}")),
        }
    }
    line
}

/// The input of a line; `None` where it is not what [`pack`] writes.
pub fn unpack(line: &str) -> Option<Vec<u8>> {
    let mut input = Vec::with_capacity(line.len());
    let mut bytes = line.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            input.push(byte);
            continue;
        }
        input.push(match bytes.next()? {
            b'\\' => b'\\',
            b'n' => b'\n',
            b't' => b'\t',
            b'x' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                (digit()? << 4 | digit()?) as u8
            }
            _ => return None,
        });
    }
    Some(input)
}
