// SPDX-License-Identifier: GPL-2.0-or-later
//! What goes wrong on the bus, on request.

use super::blobmsg::Message;
use super::world::World;
use std::io::Write;
use std::net::Shutdown;
use std::time::Duration;

/// When something happens to a message and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Nobody has seen the message yet.
    Before,
    /// It was acted upon; nobody has seen the answer.
    Between,
    /// The answer is out.
    After,
}

/// What goes wrong with one message.
pub enum Fault {
    /// ubusd ends, and is back at once.
    Die(When),
    /// The answer is no message of ubus.
    Garbage,
    /// The answer comes twice.
    Twice,
    /// The answer takes that long.
    Late(Duration),
    /// Something else happens right then.
    Meanwhile(When, Box<dyn FnOnce(&mut World) + Send>),
}

/// A fault, and the message it is for.
pub struct Planned {
    left: usize,
    fault: Fault,
}

impl World {
    /// The `n`th message from now on, counted from 1, will meet that fault.
    pub fn plan_fault(&mut self, n: usize, fault: Fault) {
        self.fault = Some(Planned { left: n, fault });
    }

    /// Takes back what was planned; whether it had not happened yet.
    pub fn forget_fault(&mut self) -> bool {
        self.fault.take().is_some()
    }

    /// Kills the script that runs for an interface, as a crash would; not a teardown that has
    /// taken its place.
    pub fn crash(&mut self, name: &str) {
        let running = self.interfaces.get(name).and_then(|i| i.handler.as_ref());
        let running = running.and_then(|h| h.running.clone());
        if let Some((pid, _)) = running.filter(|(_, action)| action != "teardown") {
            self.signal(pid, nix::sys::signal::Signal::SIGKILL);
        }
    }

    /// Does something a little later.
    pub fn after_pause(&mut self, pause: Duration, act: impl FnOnce(&mut World) + Send + 'static) {
        self.after(pause, act);
    }

    /// A message arrives: with or without its fault.
    pub(super) fn arrives(&mut self, client: u32, message: &Message) {
        let Some(mut planned) = self.fault.take() else {
            return self.message(client, message);
        };
        planned.left = planned.left.saturating_sub(1);
        if planned.left > 0 {
            self.fault = Some(planned);
            return self.message(client, message);
        }
        match planned.fault {
            Fault::Die(When::Before) => self.bus.disconnect_all(),
            Fault::Meanwhile(When::Before, act) => {
                act(self);
                self.message(client, message);
            }
            fault => {
                self.bus.hold(client);
                self.message(client, message);
                self.answers(client, fault);
            }
        }
    }

    /// What becomes of the answer that was held back.
    fn answers(&mut self, client: u32, fault: Fault) {
        let answer = self.bus.release();
        match fault {
            Fault::Die(When::Between) => self.bus.disconnect_all(),
            Fault::Die(_) => {
                self.bus.write(client, &answer);
                self.bus.disconnect_all();
            }
            Fault::Garbage => self.bus.write(client, &[0xff; 64]),
            Fault::Twice => {
                self.bus.write(client, &answer);
                self.bus.write(client, &answer);
            }
            Fault::Late(pause) => self.after(pause, move |world| world.bus.write(client, &answer)),
            Fault::Meanwhile(When::Between, act) => {
                act(self);
                self.bus.write(client, &answer);
            }
            Fault::Meanwhile(_, act) => {
                self.bus.write(client, &answer);
                act(self);
            }
        }
    }
}

impl super::bus::Bus {
    /// From now on what is for that client is kept.
    fn hold(&mut self, client: u32) {
        self.held = Some((client, Vec::new()));
    }

    fn release(&mut self) -> Vec<u8> {
        self.held.take().map(|(_, bytes)| bytes).unwrap_or_default()
    }

    pub(super) fn write(&mut self, client: u32, bytes: &[u8]) {
        if let Some((held, kept)) = &mut self.held
            && *held == client
        {
            kept.extend_from_slice(bytes);
            return;
        }
        if let Some(client) = self.clients.get_mut(&client) {
            // Whoever has left cannot be told.
            let _ = client.stream.write_all(bytes);
        }
    }

    /// Everybody loses the connection; who connects anew is served.
    pub fn disconnect_all(&mut self) {
        for client in self.clients.values() {
            let _ = client.stream.shutdown(Shutdown::Both);
        }
    }
}
