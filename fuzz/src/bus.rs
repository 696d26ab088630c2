// SPDX-License-Identifier: GPL-2.0-or-later
//! The bus: messages of ubusd, and what netifd says in them.

use mape::json;
use mape::status::netifd::Known;
use mape::ubus::{Attr, FrameReader, MAX_MESSAGE, Message};
use mape::uplink;

use super::{is_said, json_is_read_as_others_read_it, text};

/// A stream of messages, in pieces as the first byte says.
pub fn ubus_messages(data: &[u8]) {
    let Some((&step, stream)) = data.split_first() else {
        return;
    };
    if let Ok(message) = Message::decode(stream) {
        sent_and_received(&message);
    }
    let mut whole = FrameReader::default();
    whole.push(stream);
    let at_once = all(&mut whole);
    let mut reader = FrameReader::default();
    let mut in_pieces = Vec::new();
    for piece in stream.chunks(usize::from(step % 32) + 1) {
        reader.push(piece);
        in_pieces.extend(all(&mut reader));
        if in_pieces.last().is_some_and(Result::is_err) {
            break;
        }
    }
    assert_eq!(format!("{in_pieces:?}"), format!("{at_once:?}"));
}

fn all(reader: &mut FrameReader) -> Vec<Result<Message, String>> {
    let mut messages = Vec::new();
    loop {
        match reader.next_message() {
            Ok(Some(message)) => messages.push(Ok(message)),
            Ok(None) => return messages,
            Err(error) => {
                is_said(&error);
                messages.push(Err(error.to_string()));
                return messages;
            }
        }
    }
}

/// What was read can be written, and is the same when read again.
fn sent_and_received(message: &Message) {
    let bytes = match message.encode() {
        Ok(bytes) => bytes,
        Err(error) => return is_said(&error),
    };
    assert!(bytes.len() <= MAX_MESSAGE);
    let again = Message::decode(&bytes).expect("what we have written");
    assert_eq!(again.encode().ok(), Some(bytes));
    if let Some(data) = message.get(Attr::Data) {
        let read = json::parse(&json::line(data)).expect("what we have written");
        assert_eq!(json::parse(&json::line(&read)), Ok(read));
    }
}

/// `network.interface dump` as JSON, through the bus and to its readers.
pub fn netifd_dump(data: &[u8]) {
    let text = text(data);
    json_is_read_as_others_read_it(&text);
    let Ok(dump) = json::parse(&text) else {
        return;
    };
    let known: Vec<Known<'_>> = Known::all(&dump).collect();
    for interface in &known {
        let _ = (interface.phase(), interface.uptime(), interface.default4());
        let _ = (interface.ipv4(), interface.device(), interface.zone());
    }
    let names = known.iter().map(|known| Some(known.name()));
    for tunlink in names.take(4).chain([None, Some("wan6")]) {
        match uplink::find(&dump, tunlink, None) {
            Ok(uplinks) => {
                assert!(!uplinks.is_empty());
                for uplink in uplinks {
                    for prefix in uplink.prefixes() {
                        assert_eq!(prefix, prefix.trunc());
                        assert!(prefix.prefix_len() <= 64);
                        assert!(uplink.source_of(&prefix).is_some());
                    }
                }
            }
            Err(error) => is_said(&error),
        }
    }
    super::command::mapcalc_of(&["*"], "type=map-e", &dump);
}
