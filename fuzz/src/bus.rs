// SPDX-License-Identifier: GPL-2.0-or-later
//! The bus: messages of ubusd, and what netifd says in them.

use mape::netifd::Dump;
use mape::status::netifd::{Phase, error, has_default_route};
use mape::ubus::Answer;
use mape::uplink;
use ubus::envelope::{UbusAttr, iter_attrs, unwrap};
use ubus::wire::Codec;

use super::{is_said, text};

/// A stream of messages behind one byte that is ignored.
pub fn ubus_messages(data: &[u8]) {
    let Some((_, mut stream)) = data.split_first() else {
        return;
    };
    while let Ok((frame, len)) = Codec::read_frame(stream) {
        stream = &stream[len..];
        let Ok(attrs) = unwrap(&frame.payload) else {
            continue;
        };
        for attr in iter_attrs(attrs).filter(|attr| attr.id == UbusAttr::Data as u8) {
            answer(Answer::new(attr.payload.to_vec()));
        }
    }
}

/// What can be read of an answer is JSON.
fn answer(answer: Answer) {
    let _ = (answer.text("interface"), answer.flag("up"));
    match answer.to_json() {
        Ok(json) => {
            if let Err(error) = Dump::from_json(&json) {
                is_said(&error);
            }
        }
        Err(error) => is_said(&error),
    }
}

/// `network.interface dump` as JSON, through the bus and to its readers.
pub fn netifd_dump(data: &[u8]) {
    let text = text(data);
    let dump = match Dump::from_json(&text) {
        Ok(dump) => dump,
        Err(error) => return is_said(&error),
    };
    for interface in &dump.interfaces {
        let _ = (Phase::of(interface), error(interface));
        let _ = has_default_route(interface);
    }
    let names = dump.interfaces.iter().map(|i| Some(i.name.as_str()));
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
