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

/// The parts in a row. `[_]::join` takes 500 bytes for each type of part.
pub fn join<T: AsRef<str>>(parts: &[T], between: &str) -> String {
    let mut joined = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            joined.push_str(between);
        }
        joined.push_str(part.as_ref());
    }
    joined
}

/// A number in digits of that base, where it fits: one way to read them, not
/// one for each type of number.
pub fn number<T: TryFrom<u64>>(digits: &str, base: u32) -> Option<T> {
    let number = u64::from_str_radix(digits, base).ok()?;
    number.try_into().ok()
}
