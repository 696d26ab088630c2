// SPDX-License-Identifier: GPL-2.0-or-later
//! What goes wrong on the bus, on request.

use super::blobmsg::{Attr, Kind, Message};
use super::world::World;
use std::time::Duration;
use ubus::wire::{Codec, Frame};

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

/// An answer that is held back until all of it is there.
pub struct Held {
    pub(super) client: usize,
    seq: u16,
    answer: Vec<u8>,
    fault: Fault,
}

/// A message known by what it says: how many come before it depends on how busy the machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Somebody asks for netifd's dump.
    Dump,
    /// netifd is told of a tunnel.
    Tunnel,
}

impl Said {
    fn is(self, frame: &Frame) -> bool {
        let Ok(message) = Message::from_frame(frame) else {
            return false;
        };
        match (self, message.text(Attr::Method)) {
            (Said::Dump, Some("dump")) => true,
            (Said::Tunnel, Some("notify_proto")) => {
                let data = message.get(Attr::Data);
                data.is_some_and(|data| data.get("tunnel").is_some())
            }
            _ => false,
        }
    }
}

enum Which {
    Nth(usize),
    Said(Said),
}

/// A fault, and the message it is for.
pub struct Planned {
    which: Which,
    fault: Fault,
}

impl Planned {
    /// Whether this is the message, which has arrived now.
    fn is_for(&mut self, frame: &Frame) -> bool {
        match &mut self.which {
            Which::Nth(left) => {
                *left = left.saturating_sub(1);
                *left == 0
            }
            Which::Said(said) => said.is(frame),
        }
    }
}

impl World {
    /// The `n`th message from now on, counted from 1, will meet that fault.
    pub fn plan_fault(&mut self, n: usize, fault: Fault) {
        let which = Which::Nth(n);
        self.fault = Some(Planned { which, fault });
    }

    /// The next message that says that will meet that fault.
    pub fn plan_fault_at(&mut self, said: Said, fault: Fault) {
        let which = Which::Said(said);
        self.fault = Some(Planned { which, fault });
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
        self.pauses += 1;
        self.after(pause, |world| {
            world.pauses -= 1;
            act(world);
        });
    }

    /// ubusd ends, and is back at once.
    pub fn bus_dies(&mut self) {
        self.bus.clients.disconnect_all();
    }

    /// A fault has not happened yet.
    pub fn awaits_fault(&self) -> bool {
        self.fault.is_some()
    }

    /// A message of a client arrives: with or without its fault.
    pub(super) fn arrives(&mut self, client: usize, frame: &Frame) {
        let Some(mut planned) = self.fault.take() else {
            return self.bus.clients.forward(client, frame);
        };
        if !planned.is_for(frame) {
            self.fault = Some(planned);
            return self.bus.clients.forward(client, frame);
        }
        match planned.fault {
            Fault::Die(When::Before) => self.bus.clients.disconnect_all(),
            Fault::Meanwhile(When::Before, act) => {
                act(self);
                self.bus.clients.forward(client, frame);
            }
            fault => {
                self.bus.clients.held = Some(Held {
                    client,
                    seq: frame.hdr.seq,
                    answer: Vec::new(),
                    fault,
                });
                self.bus.clients.forward(client, frame);
            }
        }
    }

    /// A message for a client comes from the broker.
    pub(super) fn returns(&mut self, client: usize, frame: &Frame) {
        let bytes = Codec::write_frame(frame);
        let Some(mut held) = self.bus.clients.held.take_if(|h| h.client == client) else {
            return self.bus.clients.write(client, &bytes);
        };
        held.answer.extend(bytes);
        if frame.hdr.ty == Kind::Status && frame.hdr.seq == held.seq {
            self.answered(held);
        } else {
            self.bus.clients.held = Some(held);
        }
    }

    /// What becomes of an answer that was held back.
    fn answered(&mut self, held: Held) {
        let Held { client, answer, .. } = held;
        match held.fault {
            Fault::Die(When::Between) => self.bus.clients.disconnect_all(),
            Fault::Die(_) => {
                self.bus.clients.write(client, &answer);
                self.bus.clients.disconnect_all();
            }
            Fault::Garbage => self.bus.clients.write(client, &[0xff; 64]),
            Fault::Twice => {
                self.bus.clients.write(client, &answer);
                self.bus.clients.write(client, &answer);
            }
            Fault::Late(pause) => self.after(pause, move |world| {
                world.bus.clients.write(client, &answer);
            }),
            Fault::Meanwhile(When::Between, act) => {
                act(self);
                self.bus.clients.write(client, &answer);
            }
            Fault::Meanwhile(_, act) => {
                self.bus.clients.write(client, &answer);
                act(self);
            }
        }
    }
}
