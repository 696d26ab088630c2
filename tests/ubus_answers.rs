// SPDX-License-Identifier: GPL-2.0-or-later
//! Tables that cross the bus: every type is read as what it is, and no bytes can harm the reader.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod blobmsg;

use blobmsg::Value;
use mape::netifd::Dump;
use mape::ubus::{Answer, MAX_DEPTH};
use proptest::prelude::*;
use serde_json::json;

fn text() -> impl Strategy<Value = String> {
    "[^\\x00]{1,20}"
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i16>().prop_map(Value::Int16),
        any::<i32>().prop_map(Value::Int32),
        any::<i64>().prop_map(Value::Int64),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::vec((text(), inner), 0..8).prop_map(Value::Table),
        ]
    })
}

fn table() -> impl Strategy<Value = Value> {
    prop::collection::vec((text(), value()), 0..6).prop_map(Value::Table)
}

/// The JSON a value stands for; of members with the same name the last counts.
fn expected(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => json!(null),
        Value::Bool(b) => json!(b),
        Value::Int16(n) => json!(n),
        Value::Int32(n) => json!(n),
        Value::Int64(n) => json!(n),
        Value::String(s) => json!(s),
        Value::Array(items) => items.iter().map(expected).collect(),
        Value::Table(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), expected(value)))
            .collect(),
    }
}

proptest! {
    #[test]
    fn every_type_is_read(table in table()) {
        prop_assert_eq!(table.to_json(), expected(&table));
    }

    #[test]
    fn a_flipped_bit_never_panics(t in table(), at in any::<prop::sample::Index>(), bit in 0_u32..8) {
        let mut bytes = t.payload();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
        }
        read(&bytes);
    }

    #[test]
    fn random_bytes_never_panic(noise in prop::collection::vec(any::<u8>(), 0..300)) {
        read(&noise);
    }
}

fn read(bytes: &[u8]) {
    let answer = Answer::new(bytes.to_vec());
    let _ = (answer.text("interface"), answer.flag("up"));
    if let Ok(json) = answer.to_json() {
        let _ = Dump::from_json(&json);
    }
}

#[test]
fn a_member_is_read_by_its_type() {
    let answer = Value::table()
        .with("interface", "wan6")
        .with("up", true)
        .with("mtu", 1)
        .to_answer();
    assert_eq!(answer.text("interface"), Some("wan6"));
    assert_eq!(answer.flag("up"), Some(true));
    assert_eq!(answer.flag("mtu"), None);
    assert_eq!(answer.text("up"), None);
    assert_eq!(answer.text("missing"), None);
}

#[test]
fn nesting_has_an_end() {
    let nested =
        |levels| (0..levels).fold(Value::table(), |inner, _| Value::table().with("x", inner));
    assert!(nested(MAX_DEPTH).to_answer().to_json().is_ok());
    let error = nested(MAX_DEPTH + 1).to_answer().to_json().unwrap_err();
    assert!(error.to_string().ends_with("nested too deep"), "{error}");

    // The same from a peer that fills a whole message with it.
    let mut bytes = Vec::new();
    while bytes.len() < 100_000 {
        let len = u32::try_from(bytes.len() + 8).unwrap();
        bytes.splice(0..0, [(0x8200_0000 | len).to_be_bytes(), [0; 4]].concat());
    }
    assert!(Answer::new(bytes).to_json().is_err());
}

#[test]
fn text_that_is_not_utf8_hides_nothing_else() {
    let wan6 = Value::table().with("interface", "wan6").with("up", true);
    let odd = Value::table()
        .with("interface", "lan")
        .with("description", "ab?");
    let table = Value::table().with("interface", vec![odd, wan6]);
    let mut bytes = table.payload();
    let at = bytes.iter().position(|&b| b == b'?').unwrap();
    bytes[at] = 0xff;
    let json = Answer::new(bytes).to_json().unwrap();
    assert!(
        Dump::from_json(&json).unwrap().find("wan6").unwrap().up,
        "{json}"
    );
}

#[test]
fn values_of_the_wrong_size_are_refused() {
    let good = Value::table().with("x", true).payload();
    for kind in [1, 2, 3, 4, 5, 6, 8, 9] {
        let mut bad = good.clone();
        bad[0] = 0x80 | kind;
        assert!(Answer::new(bad).to_json().is_err(), "type {kind}");
    }
    let cut = &good[..good.len() - 5];
    assert!(Answer::new(cut.to_vec()).to_json().is_err());
}
