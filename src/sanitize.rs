// SPDX-License-Identifier: GPL-2.0-or-later
//! Text written by others, made safe to show in a log or on a terminal.

/// The first `longest` characters of `text`, with every character that changes
/// how others are shown replaced by a space.
pub fn one_line(text: &str, longest: usize) -> String {
    text.chars()
        .take(longest)
        .map(|c| if is_control(c) { ' ' } else { c })
        .collect()
}

/// Control characters, and those that turn the direction of a text or are not
/// seen in it: with them a name can look like another.
pub fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Characters of a value that an error message quotes.
const EXCERPT: usize = 60;

/// The beginning of `text` for an error message: enough to recognise it, and
/// short enough that what follows in the message is still read. Nothing at all
/// is shown as a pair of quotes.
pub fn excerpt(text: &str) -> String {
    match text {
        "" => "\"\"".into(),
        text => beginning(text),
    }
}

fn beginning(text: &str) -> String {
    let mut shown = one_line(text, EXCERPT);
    if text.chars().nth(EXCERPT).is_some() {
        shown.push('…');
    }
    shown
}

/// An excerpt of `text` in quotes.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", beginning(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_and_controls_replaced() {
        assert_eq!(excerpt("ealen\n16"), "ealen 16");
        assert_eq!(excerpt(&"x".repeat(60)), "x".repeat(60));
        let cut = excerpt(&"é".repeat(5000));
        assert_eq!(cut.chars().count(), EXCERPT + 1);
        assert!(cut.ends_with('…'));
        assert_eq!(quoted("a\u{1b}"), "\"a \"");
        assert_eq!(excerpt("\u{202e}live\u{2066}\u{200b}"), " live  ");
        assert_eq!((excerpt(""), quoted("")), ("\"\"".into(), "\"\"".into()));
    }
}
