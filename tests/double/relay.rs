// SPDX-License-Identifier: GPL-2.0-or-later
//! The socket of the bus as programs see it. Everything passes to the broker and back, unless a
//! fault was planned.

use super::blobmsg::{FrameReader, Kind};
use super::faults::Held;
use super::world::{Shared, World};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;
use ubus::wire::{Codec, Frame};

struct Client {
    stream: UnixStream,
    /// The connection to the broker on its behalf.
    broker: UnixStream,
    pid: i32,
    /// Its number at the broker, once it was greeted.
    id: Option<u32>,
}

/// Connections, by a number of our own.
#[derive(Default)]
pub(super) struct Clients {
    all: BTreeMap<usize, Client>,
    count: usize,
    /// Answers that are kept instead of being sent.
    pub(super) held: Option<Held>,
}

impl Clients {
    fn add(&mut self, stream: UnixStream, broker: UnixStream) -> usize {
        let pid = getsockopt(&stream, PeerCredentials).map_or(0, |c| c.pid());
        let client = Client {
            stream,
            broker,
            pid,
            id: None,
        };
        self.count += 1;
        self.all.insert(self.count, client);
        self.count
    }

    /// The process with that number at the broker; 0 if it has gone.
    pub(super) fn pid(&self, id: u32) -> i32 {
        let found = self.all.values().find(|client| client.id == Some(id));
        found.map_or(0, |client| client.pid)
    }

    /// Sends something to a client.
    pub(super) fn write(&mut self, client: usize, bytes: &[u8]) {
        if let Some(client) = self.all.get_mut(&client) {
            // Whoever has left cannot be told.
            let _ = client.stream.write_all(bytes);
        }
    }

    /// Passes a message on to the broker.
    pub(super) fn forward(&mut self, client: usize, frame: &Frame) {
        if let Some(client) = self.all.get_mut(&client) {
            let _ = client.broker.write_all(&Codec::write_frame(frame));
        }
    }

    fn remove(&mut self, client: usize) {
        if let Some(client) = self.all.remove(&client) {
            let _ = client.stream.shutdown(Shutdown::Both);
            let _ = client.broker.shutdown(Shutdown::Both);
        }
    }

    /// Everybody loses the connection; who connects again is served.
    pub fn disconnect_all(&mut self) {
        for client in self.all.values() {
            let _ = client.stream.shutdown(Shutdown::Both);
        }
    }
}

/// Takes connections until the double stops.
pub(super) fn listen(shared: &Arc<Shared>, listener: UnixListener, broker: PathBuf) {
    let shared = Arc::downgrade(shared);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(stream), Some(strong)) = (stream, shared.upgrade()) else {
                return;
            };
            if strong.lock().stopping {
                return;
            }
            connect(&strong, stream, &broker);
        }
    });
}

fn connect(shared: &Arc<Shared>, stream: UnixStream, broker: &Path) {
    let writer = stream.try_clone().unwrap();
    writer
        .set_write_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    let to_broker = UnixStream::connect(broker).unwrap();
    let from_broker = to_broker.try_clone().unwrap();
    let client = shared.with(|w| w.bus.clients.add(writer, to_broker));
    let weak = Arc::downgrade(shared);
    thread::spawn(move || {
        relay(&weak, stream, |world, frame| world.arrives(client, &frame));
        if let Some(shared) = weak.upgrade() {
            shared.with(|w| w.bus.clients.remove(client));
        }
    });
    let weak = Arc::downgrade(shared);
    thread::spawn(move || {
        relay(&weak, from_broker, |world, frame| {
            if frame.hdr.ty == Kind::Hello
                && let Some(greeted) = world.bus.clients.all.get_mut(&client)
            {
                greeted.id = Some(frame.hdr.peer);
            }
            world.returns(client, &frame);
        });
    });
}

/// Hands over each message of a stream until that ends. While the bus is mute nothing is.
fn relay(shared: &Weak<Shared>, mut from: UnixStream, mut take: impl FnMut(&mut World, Frame)) {
    let mut reader = FrameReader::default();
    let mut chunk = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut chunk) {
        reader.push(&chunk[..n]);
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => {
                    let Some(shared) = shared.upgrade() else {
                        return;
                    };
                    shared.with(|world| {
                        if !world.mute {
                            take(world, frame);
                        }
                    });
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}
