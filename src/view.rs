// SPDX-License-Identifier: GPL-2.0-or-later
//! Text with members of an object in it.

use std::fmt::Write as _;

use crate::value::Value;

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
    }
}
