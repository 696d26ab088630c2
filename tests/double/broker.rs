// SPDX-License-Identifier: GPL-2.0-or-later
//! ubusd: the broker of the crate `ubusd`, in a thread.

use std::io::{PipeWriter, Write, pipe};
use std::path::Path;
use std::thread::{self, JoinHandle};
use ubusd::{Broker as Ubusd, Config};

pub struct Broker {
    wake: PipeWriter,
    thread: Option<JoinHandle<()>>,
}

impl Broker {
    /// Listens on `socket`, to which everybody may connect with the rights of root.
    pub fn start(socket: &Path) -> Self {
        let config = Config {
            socket_path: socket.to_str().unwrap().to_owned(),
            peer_uid_override: Some(0),
            ..Config::default()
        };
        let mut broker = Ubusd::bind(config).unwrap();
        let (reader, wake) = pipe().unwrap();
        broker.set_wake_pipe(reader.into());
        let thread = thread::spawn(move || broker.run().unwrap());
        Broker {
            wake,
            thread: Some(thread),
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // As its signal handler tells it that SIGTERM came.
        self.wake.write_all(b"T").unwrap();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
