// SPDX-License-Identifier: GPL-2.0-or-later
//! Text written by others, made safe to show in a log or on a terminal.

/// The first `longest` characters of `text`, with every control character
/// replaced by a space.
pub fn one_line(text: &str, longest: usize) -> String {
    text.chars()
        .take(longest)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// `text` in quotes, with control characters replaced by spaces.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(text, usize::MAX))
}
