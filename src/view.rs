// SPDX-License-Identifier: GPL-2.0-or-later
//! What commands print. Answers for people are rows of text, made of the members of a JSON answer by
//! a table instead of by code for each row.

use std::fmt::{self, Display, Write as _};

use crate::value::Value;

/// A row: its label, and its text. `{member}` stands for a member of the
/// answer, `{inner.member}` for one of an object in it, `{member:x}` for a
/// number in hexadecimal. `|` stands between alternatives, of which the first
/// counts whose members all are there; where none is, there is no row.
pub(crate) type Row = (&'static str, &'static str);

/// What a command prints: text in memory, to which writing cannot fail.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// What has been printed.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What `write!` and `writeln!` call.
    pub fn write_fmt(&mut self, text: fmt::Arguments<'_>) {
        let _ = self.0.write_fmt(text);
    }

    /// Prints `text` as it is.
    pub fn push(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// Prints a value as one line of JSON.
    pub fn json(&mut self, value: &Value) {
        self.push(&crate::json::line(value));
        self.push("\n");
    }

    /// Prints the rows that `answer` has members for.
    pub(crate) fn rows(&mut self, answer: &Value, rows: &[Row]) {
        for (label, text) in rows {
            if let Some(text) = text.split('|').find_map(|text| fill(answer, text)) {
                self.row(label, &text);
            }
        }
    }

    /// Prints `label` and `text` in two columns.
    pub(crate) fn row(&mut self, label: &str, text: &dyn Display) {
        writeln!(self, "{label:<18}{text}");
    }
}

/// `text` with the members that it names; `None` where one is missing or null.
pub(crate) fn fill(answer: &Value, text: &str) -> Option<String> {
    let mut filled = String::new();
    // What is outside braces and what is inside take turns.
    for (at, part) in text.split(['{', '}']).enumerate() {
        if at % 2 == 0 {
            filled.push_str(part);
            continue;
        }
        let (path, hex) = match part.strip_suffix(":x") {
            Some(path) => (path, true),
            None => (part, false),
        };
        let mut names = path.split('.');
        match names.try_fold(answer, |value, name| value.get(name))? {
            Value::Null => return None,
            Value::String(text) => filled.push_str(text),
            number if hex => {
                let _ = write!(filled, "{:x}", number.as_u64()?);
            }
            other => filled += &crate::json::line(other),
        }
    }
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::tests::of;
    use serde_json::json;

    #[test]
    fn a_row_needs_its_members() {
        let answer = of(json!({ "a": "x", "b": { "c": 52 }, "d": null, "e": [1] }));
        let filled = |text| fill(&answer, text);
        assert_eq!(
            filled("{a}, {b.c} (0x{b.c:x})").as_deref(),
            Some("x, 52 (0x34)")
        );
        assert_eq!(filled("plain").as_deref(), Some("plain"));
        for missing in ["{d}", "x{f}", "{a.c}", "{b.f}", "{e.0}"] {
            assert_eq!(filled(missing), None, "{missing}");
        }
        let mut page = Page::default();
        let table = [
            ("one", "{d}|{f}|{a}"),
            ("two", "{d}"),
            ("three", "{d}|none"),
        ];
        page.rows(&answer, &table);
        assert_eq!(page.text(), "one               x\nthree             none\n");
    }
}
