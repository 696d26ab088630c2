// SPDX-License-Identifier: GPL-2.0-or-later
//! Text that others wrote: as it may be shown, and what is in it.

/// At most `longest` characters of `text`, without what would tear a line of a
/// log or a terminal: control characters become spaces.
pub fn one_line(text: &str, longest: usize) -> String {
    let mut line = String::new();
    for c in text.chars().take(longest) {
        line.push(if c.is_control() { ' ' } else { c });
    }
    line
}

/// In quotes, as it stands in a sentence; control characters become spaces.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(text, usize::MAX))
}

/// Whether `part` stands somewhere in `text`. The standard library's search,
/// also that for a single character, takes 2 KB.
pub fn has(text: &str, part: &str) -> bool {
    let mut places = text.as_bytes().windows(part.len().max(1));
    places.any(|place| place == part.as_bytes())
}

/// What UCI takes a word for that is to say yes or no.
pub fn truth(word: &str) -> Option<bool> {
    const YES: [&str; 5] = ["1", "on", "true", "yes", "enabled"];
    const NO: [&str; 5] = ["0", "off", "false", "no", "disabled"];
    match (YES.contains(&word), NO.contains(&word)) {
        (false, false) => None,
        (yes, _) => Some(yes),
    }
}
