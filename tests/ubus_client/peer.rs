// SPDX-License-Identifier: GPL-2.0-or-later
//! A server of the bus that does what a test tells it.

use crate::AMPLE;
use crate::blobmsg::{Attr, FrameReader, Kind, Message, Value, number};
use mape::ubus::{Client, Status};
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

/// The server's end of one connection.
pub struct Peer {
    pub stream: UnixStream,
    pub reader: FrameReader,
}

impl Peer {
    pub fn next(&mut self) -> Option<Message> {
        let mut chunk = [0; 512];
        loop {
            match self.reader.next_message().unwrap() {
                // The crate greets, which ubusd does not know.
                Some(hello) if hello.kind == Kind::Hello => {
                    self.status(&hello, Status::InvalidCommand);
                    continue;
                }
                Some(message) => return Some(message),
                None => {}
            }
            match self.stream.read(&mut chunk).unwrap_or(0) {
                0 => return None,
                n => self.reader.push(&chunk[..n]),
            }
        }
    }

    pub fn send(&mut self, message: &Message) {
        self.raw(&message.encode());
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        // The client may have given up.
        let _ = self.stream.write_all(bytes);
    }

    pub fn status(&mut self, request: &Message, status: Status) {
        let mut answer = Message::new(Kind::Status, request.seq, request.peer)
            .with(Attr::Status, number(status.code()));
        if request.kind == Kind::Invoke {
            answer = answer.with(Attr::ObjId, number(request.peer));
        }
        self.send(&answer);
    }

    pub fn object(&mut self, request: &Message, id: u32) {
        let path = request.text(Attr::ObjPath).unwrap_or_default();
        let found = Message::new(Kind::Data, request.seq, 0)
            .with(Attr::ObjPath, path)
            .with(Attr::ObjId, number(id));
        self.send(&found);
        self.status(request, Status::Ok);
    }

    pub fn data(&mut self, request: &Message, data: Value) {
        self.send(
            &Message::new(Kind::Data, request.seq, request.peer)
                .with(Attr::ObjId, number(request.peer))
                .with(Attr::Data, data),
        );
    }

    pub fn expect(&mut self, kind: Kind) -> Message {
        let message = self.next().unwrap();
        assert_eq!(message.kind, kind);
        message
    }
}

pub fn socket_path() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let n = NUMBER.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("mape-bus-{}-{n}", std::process::id()))
}

/// A server for one client; `script` runs after the greeting.
pub fn server(script: impl FnOnce(&mut Peer) + Send + 'static) -> (Client, JoinHandle<()>) {
    let path = socket_path();
    let listener = UnixListener::bind(&path).unwrap();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut peer = Peer {
            stream,
            reader: FrameReader::default(),
        };
        peer.send(&Message::new(Kind::Hello, 0, 0x1234));
        script(&mut peer);
    });
    let client = Client::connect(&path, AMPLE).unwrap();
    std::fs::remove_file(path).unwrap();
    (client, thread)
}
