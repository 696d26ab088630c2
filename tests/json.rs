// SPDX-License-Identifier: GPL-2.0-or-later
//! JSON as everybody reads it: the same texts, the same values as `serde_json`.

use mape::json::{MAX_DEPTH, MAX_MEMBERS, line, parse};
use mape::value::Value;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        // Few digits: others read the last of many wrongly.
        any::<i32>().prop_map(|n| Json::from(f64::from(n) / 8.0)),
        "\\PC{0,12}|[\\x00-\\x7f]{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::vec(("\\PC{0,6}", inner), 0..6)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

/// What others read in what we write of what we have read.
fn there_and_back(text: &str) -> Json {
    serde_json::from_str(&line(&parse(text).unwrap())).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_survive(json in any_json()) {
        prop_assert_eq!(there_and_back(&json.to_string()), json.clone());
        let pretty = format!("{json:#}").replace('\n', "\r\n\t");
        prop_assert_eq!(there_and_back(&pretty), json);
    }

    /// One character more, less or other: the same texts are JSON.
    #[test]
    fn damage_is_seen_by_both(
        json in any_json(),
        at in any::<prop::sample::Index>(),
        with in "[\\]\\[{},:\"\\\\0-9.eE+ \n-]?",
        over in 0..2_usize,
    ) {
        let mut text: Vec<char> = json.to_string().chars().collect();
        let at = at.index(text.len());
        text.splice(at..at + over, with.chars());
        let text: String = text.into_iter().collect();
        let theirs = serde_json::from_str::<Json>(&text);
        match theirs {
            Ok(_) => prop_assert!(parse(&text).is_ok(), "{text}"),
            Err(error) if error.to_string().starts_with("number out of range") => {}
            Err(_) => prop_assert!(parse(&text).is_err(), "{text}"),
        }
    }
}

#[test]
fn numbers() {
    let of = |text: &str| parse(text).unwrap();
    assert_eq!(of("1460"), Value::Int32(1460));
    assert_eq!(of(" -2147483648\n"), Value::Int32(i32::MIN));
    assert_eq!(of("2147483648"), Value::Int64(2_147_483_648));
    for decimal in ["1.5", "1e3", "18446744073709551615", "-9223372036854775809"] {
        assert_eq!(of(decimal), Value::Decimal(decimal.into()));
        assert_eq!(of(decimal).as_i64(), None);
        assert_eq!(line(&of(decimal)), decimal);
    }
}

#[test]
fn texts() {
    let text = parse(r#""\u00e9\ud83d\ude00\/\b\f\n\r\t\"\\\u0000 é😀""#).unwrap();
    let plain = "é😀/\u{8}\u{c}\n\r\t\"\\\0 é😀";
    assert_eq!(text.as_str(), Some(plain));
    assert_eq!(there_and_back(&line(&text)), json!(plain));
}

#[test]
fn of_duplicates_the_last_counts() {
    let value = parse(r#"{"mtu":1280,"a":1,"mtu":1460}"#).unwrap();
    assert_eq!(line(&value), r#"{"mtu":1460,"a":1}"#);
}

#[test]
fn what_is_wrong_is_said_where_it_is() {
    for (text, said) in [
        ("", "line 1, column 1: expected a value"),
        ("{", "line 1, column 2: expected a name in quotes"),
        ("{\"é\" 1}", "line 1, column 6: expected a colon"),
        (
            "{\n  \"a\": 1\n  \"b\"",
            "line 3, column 3: expected a comma or }",
        ),
        ("[1,]", "line 1, column 4: expected a value"),
        ("[1", "line 1, column 3: expected a comma or ]"),
        ("nul", "line 1, column 1: expected a value"),
        ("1 2", "line 1, column 3: nothing more may follow"),
        ("01", "line 1, column 2: nothing more may follow"),
        ("-", "line 1, column 2: expected a digit"),
        ("1.", "line 1, column 3: expected a digit"),
        (
            "\"a",
            "line 1, column 3: expected the quote that ends the text",
        ),
        (
            "\"a\n\"",
            "line 1, column 3: a control character must be escaped",
        ),
        ("\"\\x\"", "line 1, column 3: no such escape"),
        (
            "\"\\u12g4\"",
            "line 1, column 6: expected four hexadecimal digits",
        ),
        (
            r#""\ud83d""#,
            "line 1, column 8: expected the other half of a surrogate pair",
        ),
        (
            r#""\ud83d\u0041""#,
            "line 1, column 14: expected the other half of a surrogate pair",
        ),
        (
            r#""\ude00""#,
            "line 1, column 8: expected the other half of a surrogate pair",
        ),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), said, "{text}");
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parse(&nested(MAX_DEPTH + 1)).is_ok());
    for depth in [MAX_DEPTH + 2, 1_000_000] {
        assert!(
            parse(&nested(depth))
                .unwrap_err()
                .expected
                .contains("nested")
        );
    }
    let object = |count: usize| {
        let members: Vec<String> = (0..count).map(|n| format!("\"{n}\":{n}")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(parse(&object(MAX_MEMBERS)).is_ok());
    let error = parse(&object(MAX_MEMBERS + 1)).unwrap_err();
    assert_eq!(error.expected, "the object has too many members");
}
