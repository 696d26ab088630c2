// SPDX-License-Identifier: GPL-2.0-or-later
//! The client against servers that behave badly in every way a socket allows.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../blobmsg/mod.rs"]
mod blobmsg;
mod peer;

use blobmsg::{Attr, Kind, Message, Value, number};
use mape::ubus::{Answer, Arguments, Client, Error, Event, Status};
use peer::{server, socket_path};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

/// Longer than anything here takes; only a hanging client would reach it.
const AMPLE: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(50);

#[test]
fn a_call_looks_up_once() {
    let (mut client, thread) = server(|peer| {
        let lookup = peer.expect(Kind::Lookup);
        assert_eq!(lookup.text(Attr::ObjPath), Some("network.interface"));
        peer.object(&lookup, 7);
        for n in 0..2 {
            let invoke = peer.expect(Kind::Invoke);
            assert_eq!((invoke.peer, invoke.objid()), (7, Some(7)));
            assert_eq!(invoke.text(Attr::Method), Some("dump"));
            peer.data(&invoke, Value::table().with("n", n));
            peer.status(&invoke, Status::Ok);
        }
    });
    for n in 0..2 {
        let reply = client
            .call("network.interface", "dump", &Arguments::empty(), AMPLE)
            .unwrap();
        assert_eq!(reply, Value::table().with("n", n).to_answer());
    }
    thread.join().unwrap();
}

#[test]
fn refusals_name_object_method_and_status() {
    let (mut client, thread) = server(|peer| {
        let lookup = peer.expect(Kind::Lookup);
        peer.status(&lookup, Status::NotFound);
        let lookup = peer.expect(Kind::Lookup);
        peer.object(&lookup, 7);
        let invoke = peer.expect(Kind::Invoke);
        peer.status(&invoke, Status::UnknownError);
    });
    let error = client.lookup("nobody", AMPLE).unwrap_err();
    assert_eq!(error.to_string(), "nothing on ubus is called nobody");
    let error = client
        .call(
            "network.interface",
            "notify_proto",
            &Arguments::empty(),
            AMPLE,
        )
        .unwrap_err();
    assert_eq!(error.status(), Some(Status::UnknownError));
    assert!(
        error.to_string().contains("network.interface notify_proto"),
        "{error}"
    );
    thread.join().unwrap();
}

#[test]
fn an_answer_may_come_in_single_bytes_among_strangers() {
    let (mut client, thread) = server(|peer| {
        let lookup = peer.expect(Kind::Lookup);
        peer.object(&lookup, 7);
        let invoke = peer.expect(Kind::Invoke);
        let other = Message::new(Kind::Data, invoke.seq.wrapping_sub(1), 7)
            .with(Attr::Data, Value::table().with("x", "stale"));
        peer.send(&other);
        peer.send(
            &Message::new(Kind::Status, 999, 7).with(Attr::Status, number(Status::NotFound.code())),
        );
        let answer = Message::new(Kind::Data, invoke.seq, 7)
            .with(Attr::Data, Value::table().with("x", "right"));
        for byte in answer.encode() {
            peer.raw(&[byte]);
        }
        peer.status(&invoke, Status::Ok);
    });
    let reply = client.call("o", "m", &Arguments::empty(), AMPLE).unwrap();
    assert_eq!(reply.text("x"), Some("right"));
    thread.join().unwrap();
}

#[test]
fn a_call_that_ran_out_of_time_leaves_the_stream_intact() {
    let (mut client, thread) = server(|peer| {
        let lookup = peer.expect(Kind::Lookup);
        peer.object(&lookup, 7);
        let slow = peer.expect(Kind::Invoke);
        let late = Message::new(Kind::Data, slow.seq, 7)
            .with(Attr::Data, Value::table().with("x", "late"))
            .encode();
        let (first, rest) = late.split_at(21);
        peer.raw(first);
        let next = peer.expect(Kind::Invoke);
        peer.raw(rest);
        peer.status(&slow, Status::UnknownError);
        peer.data(&next, Value::table().with("x", "mine"));
        peer.status(&next, Status::Ok);
    });
    client.lookup("o", AMPLE).unwrap();
    let late = client.call("o", "m", &Arguments::empty(), SHORT);
    assert!(matches!(late, Err(Error::Timeout(_))), "{late:?}");
    let reply = client.call("o", "m", &Arguments::empty(), AMPLE).unwrap();
    assert_eq!(reply.text("x"), Some("mine"));
    thread.join().unwrap();
}

#[test]
fn silence_at_any_stage_ends_with_a_timeout() {
    // Nobody accepts: the kernel takes the connection, the greeting never comes.
    let path = socket_path();
    let listener = UnixListener::bind(&path).unwrap();
    let greeting = Client::connect(&path, SHORT);
    assert!(matches!(greeting, Err(Error::Timeout(_))), "{greeting:?}");
    // Nobody accepts, and the queue is full: those who gave up still stand in it.
    let full = (0..10_000)
        .map(|_| {
            Client::connect(&path, Duration::ZERO)
                .unwrap_err()
                .to_string()
        })
        .find(|error| !error.contains("greet"));
    assert_eq!(
        full.as_deref(),
        Some("ubus took too long to take the connection")
    );
    drop(listener);
    std::fs::remove_file(&path).unwrap();

    let (mut client, thread) = server(|peer| while peer.next().is_some() {});
    let silent = client.lookup("o", SHORT);
    assert!(matches!(silent, Err(Error::Timeout(_))), "{silent:?}");
    drop(client);
    thread.join().unwrap();
}

/// Calls a peer that answers with one message, again and again.
fn flooded(answer: impl FnOnce(&Message) -> Message + Send + 'static) -> Error {
    let (mut client, thread) = server(|peer| {
        let lookup = peer.expect(Kind::Lookup);
        peer.object(&lookup, 7);
        let invoke = peer.expect(Kind::Invoke);
        let noise = answer(&invoke).encode().repeat(1000);
        while peer.stream.write_all(&noise).is_ok() {}
    });
    let started = Instant::now();
    let error = client.call("o", "m", &Arguments::empty(), SHORT);
    assert!(started.elapsed() < AMPLE);
    drop(client);
    thread.join().unwrap();
    error.unwrap_err()
}

#[test]
fn a_flood_does_not_keep_a_call() {
    let data = |invoke: &Message, seq| {
        Message::new(Kind::Data, seq, invoke.peer).with(Attr::Data, Value::table())
    };
    let endless = flooded(move |invoke| data(invoke, invoke.seq));
    assert!(matches!(endless, Error::Timeout(_)), "{endless:?}");
    // Messages for others are kept, but not without limit.
    let others = flooded(move |invoke| data(invoke, invoke.seq.wrapping_add(9)));
    assert!(
        matches!(others, Error::Timeout(_) | Error::Unreadable(_)),
        "{others:?}"
    );
}

#[test]
fn an_answer_of_one_mebibyte_is_read_and_a_longer_one_refused() {
    let text = |len| Value::table().with("x", "a".repeat(len));
    for (len, fits) in [(1_048_000, true), (1_048_576, false)] {
        let (mut client, thread) = server(move |peer| {
            let lookup = peer.expect(Kind::Lookup);
            peer.object(&lookup, 7);
            let Some(invoke) = peer.next() else { return };
            peer.data(&invoke, text(len));
            peer.status(&invoke, Status::Ok);
        });
        let answer = client.call("o", "m", &Arguments::empty(), AMPLE);
        match answer {
            Ok(answer) if fits => assert_eq!(answer.text("x").map(str::len), Some(len)),
            Err(Error::Unreadable(_)) if !fits => {}
            other => panic!("{len}: {:?}", other.map(|_| ())),
        }
        drop(client);
        thread.join().unwrap();
    }
    let (mut client, thread) = server(|peer| {
        let lookup = peer.expect(Kind::Lookup);
        peer.object(&lookup, 7);
        while peer.next().is_some() {}
    });
    let long = text(1_048_576).to_arguments();
    let refused = client.call("o", "m", &long, AMPLE).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "cannot be sent over ubus: malformed message: longer than 1 MiB"
    );
    drop(client);
    thread.join().unwrap();
}

#[test]
fn a_text_that_the_receiver_would_cut_is_not_sent() {
    let (mut client, thread) = server(|peer| assert_eq!(peer.next(), None));
    let inner = Value::table().with("x", "a\0b");
    let arguments = Value::table().with("list", vec![inner]).to_arguments();
    let refused = client.call("o", "m", &arguments, AMPLE).unwrap_err();
    assert!(matches!(refused, Error::Unsendable(_)), "{refused:?}");
    drop(client);
    thread.join().unwrap();
}

#[test]
fn a_peer_that_takes_nothing_ends_with_a_timeout_and_a_closed_connection() {
    let (send, receive) = std::sync::mpsc::channel::<()>();
    let (mut client, thread) = server(move |peer| {
        let lookup = peer.expect(Kind::Lookup);
        peer.object(&lookup, 7);
        let _ = receive.recv();
    });
    client.lookup("o", AMPLE).unwrap();
    let big = Value::table().with("x", "a".repeat(900_000));
    let stuck = client.call("o", "m", &big.to_arguments(), SHORT);
    assert!(matches!(stuck, Err(Error::Timeout(_))), "{stuck:?}");
    let after = client.lookup("other", SHORT);
    assert!(matches!(after, Err(Error::Closed)), "{after:?}");
    drop(send);
    thread.join().unwrap();
}

#[test]
fn a_lost_connection_and_an_absent_bus_say_so() {
    let (mut client, thread) = server(|peer| drop(peer.expect(Kind::Lookup)));
    let lost = client.lookup("o", AMPLE);
    assert!(matches!(lost, Err(Error::Closed)), "{lost:?}");
    thread.join().unwrap();
    let absent = Client::connect(&socket_path(), AMPLE).unwrap_err();
    assert!(
        absent.to_string().ends_with("No such file or directory"),
        "{absent}"
    );
}

#[test]
fn what_is_no_message_ends_the_connection() {
    let (mut client, thread) = server(|peer| {
        drop(peer.expect(Kind::Lookup));
        peer.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        while peer.next().is_some() {}
    });
    let error = client.lookup("o", AMPLE).unwrap_err();
    assert!(matches!(error, Error::Unreadable(_)), "{error}");
    assert!(matches!(client.lookup("o", AMPLE), Err(Error::Closed)));
    drop(client);
    thread.join().unwrap();
}

#[test]
fn an_object_that_came_back_under_another_number_is_found_again() {
    let (mut client, thread) = server(|peer| {
        let lookup = peer.expect(Kind::Lookup);
        peer.object(&lookup, 7);
        let stale = peer.expect(Kind::Invoke);
        let gone = Message::new(Kind::Status, stale.seq, 7)
            .with(Attr::Status, number(Status::NotFound.code()));
        peer.send(&gone);
        let lookup = peer.expect(Kind::Lookup);
        peer.object(&lookup, 8);
        let invoke = peer.expect(Kind::Invoke);
        assert_eq!(invoke.objid(), Some(8));
        peer.status(&invoke, Status::Ok);
    });
    client.lookup("o", AMPLE).unwrap();
    let reply = client.call("o", "m", &Arguments::empty(), AMPLE).unwrap();
    assert_eq!(reply, Answer::default());
    thread.join().unwrap();
}

fn notification(seq: u16, name: &str) -> Message {
    Message::new(Kind::Invoke, seq, 99)
        .with(Attr::ObjId, number(50))
        .with(Attr::Method, name)
        .with(Attr::Data, Value::table().with("interface", "wan6"))
}

#[test]
fn notifications_are_delivered_and_confirmed() {
    let (mut client, thread) = server(|peer| {
        let add = peer.expect(Kind::AddObject);
        peer.object(&add, 50);
        let lookup = peer.expect(Kind::Lookup);
        peer.object(&lookup, 7);
        let subscribe = peer.expect(Kind::Subscribe);
        assert_eq!(
            (subscribe.objid(), subscribe.number(Attr::Target)),
            (Some(50), Some(7))
        );
        peer.status(&subscribe, Status::Ok);
        // One comes while an answer is awaited, one asks for no reply.
        let invoke = peer.expect(Kind::Invoke);
        peer.send(&notification(3, "interface.update"));
        peer.status(&invoke, Status::Ok);
        let confirmed = peer.expect(Kind::Status);
        assert_eq!((confirmed.seq, confirmed.peer), (3, 99));
        assert_eq!(confirmed.objid(), Some(50));
        assert_eq!(confirmed.status(), Some(Status::Ok));
        peer.send(&notification(4, "interface.down").with(Attr::NoReply, true));
        peer.send(
            &Message::new(Kind::Unsubscribe, 5, 0)
                .with(Attr::ObjId, number(50))
                .with(Attr::Target, number(7)),
        );
        assert_eq!(peer.next(), None, "nothing to confirm");
    });
    let object = client.subscribe("network.interface", AMPLE).unwrap();
    client
        .call("network.interface", "m", &Arguments::empty(), AMPLE)
        .unwrap();
    let deadline = Instant::now() + AMPLE;
    for expected in ["interface.update", "interface.down"] {
        let event = client.next_event(deadline).unwrap();
        let Some(Event::Notification { name, data }) = event else {
            panic!("{event:?}");
        };
        assert_eq!(name, expected);
        assert_eq!(data.text("interface"), Some("wan6"));
    }
    let gone = client.next_event(deadline).unwrap();
    assert_eq!(gone, Some(Event::Gone(object)));
    assert_eq!(client.next_event(Instant::now() + SHORT).unwrap(), None);
    drop(client);
    thread.join().unwrap();
}

#[test]
fn a_readable_descriptor_ends_a_wait() {
    let (mut client, thread) = server(|peer| while peer.next().is_some() {});
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    client.cancel_on(OwnedFd::from(theirs));
    ours.write_all(b"x").unwrap();
    let cancelled = client.next_event(Instant::now() + AMPLE);
    assert!(matches!(cancelled, Err(Error::Cancelled)), "{cancelled:?}");
    drop(client);
    thread.join().unwrap();
}
