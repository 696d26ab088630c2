// SPDX-License-Identifier: GPL-2.0-or-later
//! Values as JSON (RFC 8259).

use std::fmt::Write as _;

use crate::value::Value;

/// A value as one line without spaces; members stand in their order.
pub fn line(value: &Value) -> String {
    let mut line = String::new();
    put(&mut line, value);
    line
}

fn put(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int16(_) | Value::Int32(_) | Value::Int64(_) => {
            let _ = write!(out, "{}", value.as_i64().unwrap_or_default());
        }
        Value::Decimal(number) => out.push_str(number),
        Value::String(text) => quote(out, text),
        Value::Array(items) => {
            let mut before = '[';
            for item in items {
                out.push(before);
                put(out, item);
                before = ',';
            }
            close(out, before, '[', ']');
        }
        Value::Table(members) => {
            let mut before = '{';
            for (name, value) in members {
                out.push(before);
                quote(out, name);
                out.push(':');
                put(out, value);
                before = ',';
            }
            close(out, before, '{', '}');
        }
    }
}

/// Ends a list, which has begun only where it has anything in it.
fn close(out: &mut String, before: char, begin: char, end: char) {
    if before == begin {
        out.push(begin);
    }
    out.push(end);
}

/// A text in quotes: escaped is what must be, with a letter where there is one.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        let letter = match character {
            '"' | '\\' => character,
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\u{8}' => 'b',
            '\u{c}' => 'f',
            '\0'..=' ' if character != ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
                continue;
            }
            plain => {
                out.push(plain);
                continue;
            }
        };
        out.push('\\');
        out.push(letter);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::super::tests::of;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn one_line_without_spaces() {
        let value =
            of(json!({ "b": [], "a": {}, "n": [null, true, false, -1, 5_000_000_000_u64] }));
        let Value::Table(mut members) = value else {
            panic!("{value:?}");
        };
        members.push(("d".into(), Value::Decimal("1.50".into())));
        members.push(("small".into(), Value::Int16(-7)));
        let text = line(&Value::Table(members));
        assert_eq!(
            text,
            r#"{"a":{},"b":[],"n":[null,true,false,-1,5000000000],"d":1.50,"small":-7}"#
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// To the byte what serde_json writes.
        #[test]
        fn texts_are_escaped_as_others_do(text in "\\PC*|[\\x00-\\x7f\"\\\\é\u{2028}😀]*") {
            prop_assert_eq!(line(&Value::from(text.as_str())), json!(text).to_string());
        }
    }
}
