// SPDX-License-Identifier: GPL-2.0-or-later
//! How UCI writes values.

/// Reads a boolean option. `None` if `word` is neither of UCI's words for yes
/// nor of those for no.
pub fn parse_bool(word: &str) -> Option<bool> {
    match word {
        "1" | "on" | "true" | "yes" | "enabled" => Some(true),
        "0" | "off" | "false" | "no" | "disabled" => Some(false),
        _ => None,
    }
}
