// SPDX-License-Identifier: GPL-2.0-or-later
//! Properties of the codec: it gives back what it was given, and no bytes can harm it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use mape::ubus::{
    Attr, DecodeError, EncodeError, FrameReader, Kind, MAX_DEPTH, MAX_MESSAGE, Message, Value,
    number,
};
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    "[^\\x00]{0,20}"
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

fn attr() -> impl Strategy<Value = (Attr, Value)> {
    let a_number = || any::<u32>().prop_map(number);
    let a_text = || text().prop_map(Value::String);
    let a_flag = || any::<bool>().prop_map(Value::Bool);
    prop_oneof![
        (Just(Attr::Status), a_number()),
        (Just(Attr::ObjPath), a_text()),
        (Just(Attr::ObjId), a_number()),
        (Just(Attr::Method), a_text()),
        (Just(Attr::ObjType), a_number()),
        (Just(Attr::Signature), table()),
        (Just(Attr::Data), table()),
        (Just(Attr::Target), a_number()),
        (Just(Attr::Active), a_flag()),
        (Just(Attr::NoReply), a_flag()),
        (Just(Attr::User), a_text()),
        (Just(Attr::Group), a_text()),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let kind = prop::sample::select(vec![
        Kind::Hello,
        Kind::Status,
        Kind::Data,
        Kind::Ping,
        Kind::Lookup,
        Kind::Invoke,
        Kind::AddObject,
        Kind::RemoveObject,
        Kind::Subscribe,
        Kind::Unsubscribe,
        Kind::Notify,
        Kind::Monitor,
    ]);
    let attrs = prop::collection::vec(attr(), 0..8);
    (kind, any::<u16>(), any::<u32>(), attrs).prop_map(|(kind, seq, peer, attrs)| Message {
        kind,
        seq,
        peer,
        attrs,
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(m in message()) {
        let frame = m.encode().unwrap();
        prop_assert_eq!(Message::decode(&frame).unwrap(), m);
    }

    #[test]
    fn a_cut_frame_is_no_message(m in message(), cut in any::<prop::sample::Index>()) {
        let frame = m.encode().unwrap();
        let cut = cut.index(frame.len());
        prop_assert!(Message::decode(&frame[..cut]).is_err());
    }

    #[test]
    fn a_flipped_bit_never_panics(m in message(), at in any::<prop::sample::Index>(), bit in 0_u32..8) {
        let mut frame = m.encode().unwrap();
        let at = at.index(frame.len());
        frame[at] ^= 1_u8 << bit;
        if let Ok(other) = Message::decode(&frame) {
            // Whatever could be read can be written and read again.
            let again = other.encode().unwrap();
            let same = Message::decode(&again).unwrap();
            prop_assert_eq!(format!("{:?}", same), format!("{:?}", other));
        }
    }

    #[test]
    fn random_bytes_never_panic(noise in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Message::decode(&noise);
        let mut frame = vec![0, 2, 0, 1, 0, 0, 0, 0];
        let len = u32::try_from(noise.len() + 8).unwrap();
        frame.extend(len.to_be_bytes());
        frame.extend((0x0700_0000 | (len - 4)).to_be_bytes());
        frame.extend(&noise);
        let _ = Message::decode(&frame);
        let mut reader = FrameReader::default();
        reader.push(&noise);
        let _ = reader.next_message();
    }
}

fn with_data(data: Value) -> Message {
    Message::new(Kind::Data, 1, 2).with(Attr::Data, data)
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::table(), |inner, _| Value::table().with("x", inner))
}

#[test]
fn nesting_has_an_end() {
    let deepest = with_data(nested(MAX_DEPTH));
    let frame = deepest.encode().unwrap();
    assert_eq!(Message::decode(&frame).unwrap(), deepest);
    let too_deep = with_data(nested(MAX_DEPTH + 1));
    assert_eq!(too_deep.encode(), Err(EncodeError::Depth));

    // The same from a peer that does not stop: each level is a table around the last.
    let mut bytes = Vec::new();
    for _ in 0..1000 {
        let len = u32::try_from(bytes.len() + 8).unwrap();
        let mut outer = (0x8200_0000 | len).to_be_bytes().to_vec();
        outer.extend([0; 4]);
        outer.extend(&bytes);
        bytes = outer;
    }
    let len = u32::try_from(bytes.len() + 4).unwrap();
    let mut frame = vec![0, 2, 0, 1, 0, 0, 0, 0];
    frame.extend((len + 4).to_be_bytes());
    frame.extend((0x0700_0000 | len).to_be_bytes());
    frame.extend(bytes);
    assert_eq!(Message::decode(&frame), Err(DecodeError::Depth));
}

#[test]
fn length_has_an_end() {
    let long = with_data(Value::table().with("x", "a".repeat(MAX_MESSAGE)));
    assert!(matches!(long.encode(), Err(EncodeError::TooLong(_))));
    let mut reader = FrameReader::default();
    reader.push(&[0, 2, 0, 1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff]);
    assert_eq!(
        reader.next_message(),
        Err(DecodeError::TooLong(0x00ff_ffff + 8))
    );
}

#[test]
fn a_text_the_peer_would_cut_is_refused() {
    let cut = with_data(Value::table().with("x", "a\0b"));
    assert_eq!(cut.encode(), Err(EncodeError::Nul));
}

#[test]
fn text_that_is_not_utf8_is_still_read() {
    let mut frame = with_data(Value::table().with("x", "ab?")).encode().unwrap();
    let at = frame.iter().position(|&b| b == b'?').unwrap();
    frame[at] = 0xff;
    let read = Message::decode(&frame).unwrap();
    let x = read.get(Attr::Data).unwrap().get("x").unwrap();
    assert_eq!(x.as_str(), Some("ab\u{fffd}"));
}

#[test]
fn numbers_of_the_wrong_width_are_refused() {
    let good = with_data(Value::table().with("x", true)).encode().unwrap();
    let at = good.len() - 12;
    assert_eq!(good[at], 0x87);
    let mut bad = good;
    bad[at] = 0x85;
    assert_eq!(Message::decode(&bad), Err(DecodeError::Size(5)));
}
