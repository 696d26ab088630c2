// SPDX-License-Identifier: GPL-2.0-or-later
//! The caller's side of the bus.

use super::connection::Connection;
use super::{Attr, Error, Kind, Message, Status, Value, number};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where ubusd listens, and where it did before OpenWrt 21.02.
const PATHS: [&str; 2] = ["/var/run/ubus/ubus.sock", "/var/run/ubus.sock"];

/// Notifications kept for [`Client::next_event`] while answers are waited for; beyond that the
/// oldest go, since each carries the whole state.
const MAX_EVENTS: usize = 64;

/// Something that happened at an object subscribed to.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The object sent a notification.
    Notification {
        /// Its name, such as `interface.update`.
        name: String,
        /// What it says.
        data: Value,
    },
    /// The object with this number is gone, for example because its daemon was restarted.
    Gone(u32),
}

impl Event {
    /// The interface a notification of `network.interface` is about.
    pub fn interface(&self) -> Option<&str> {
        match self {
            Event::Notification { data, .. } => data.get("interface")?.as_str(),
            Event::Gone(_) => None,
        }
    }
}

/// The answer to one request.
struct Reply {
    status: Status,
    /// ubusd answered itself; the request never reached an object.
    from_bus: bool,
    /// The last message with data.
    data: Option<Message>,
}

/// A connection to ubusd.
///
/// Requests are made one after another. Every method that waits takes the longest time it may
/// take, which covers all of it: connecting, writing, reading, in however many pieces. A call
/// that ran out of time leaves the connection usable; its late answer is ignored.
#[derive(Debug)]
pub struct Client {
    connection: Connection,
    seq: u16,
    objects: Vec<(String, u32)>,
    subscriber: Option<u32>,
    /// The oldest first.
    events: Vec<Event>,
}

impl Client {
    /// Where ubusd listens on this system: `/var/run/ubus/ubus.sock`, or `/var/run/ubus.sock`
    /// if only that exists.
    pub fn default_path() -> PathBuf {
        let [current, old] = PATHS;
        let only_old = !Path::new(current).exists() && Path::new(old).exists();
        PathBuf::from(if only_old { old } else { current })
    }

    /// Connects and waits for the greeting.
    ///
    /// # Errors
    /// [`Error::Connect`] if nothing listens there, [`Error::Timeout`] if no greeting comes.
    pub fn connect(path: &Path, timeout: Duration) -> Result<Self, Error> {
        let deadline = after(timeout);
        let mut connection = Connection::open(path, deadline)?;
        match connection.receive(deadline)? {
            Some(message) if message.kind == Kind::Hello => Ok(Client {
                connection,
                seq: 0,
                objects: Vec::new(),
                subscriber: None,
                events: Vec::new(),
            }),
            Some(_) => Err(Error::Closed),
            None => Err(Error::Timeout("greet")),
        }
    }

    /// Ends every later wait with [`Error::Cancelled`] as soon as `fd` is readable, for example
    /// a signalfd: a signal that only interrupts would be missed if it came a moment earlier.
    pub fn cancel_on(&mut self, fd: OwnedFd) {
        self.connection.cancel_on(fd);
    }

    /// The number of the object at a path; remembered.
    ///
    /// # Errors
    /// [`Error::Refused`] with [`Status::NotFound`] if there is none.
    pub fn lookup(&mut self, object: &str, timeout: Duration) -> Result<u32, Error> {
        self.lookup_until(object, after(timeout))
    }

    fn lookup_until(&mut self, object: &str, deadline: Instant) -> Result<u32, Error> {
        if let Some((_, id)) = self.objects.iter().find(|(path, _)| path == object) {
            return Ok(*id);
        }
        let path = (Attr::ObjPath, object.into());
        let reply = self.request(Kind::Lookup, 0, vec![path], deadline)?;
        let id = reply.data.as_ref().and_then(Message::objid);
        match (reply.status, id) {
            (Status::Ok, Some(id)) => {
                self.objects.push((object.to_owned(), id));
                Ok(id)
            }
            // What the caller's rights hide is left out of an answer that is otherwise fine.
            (Status::Ok, None) => Err(refused(object, Status::NotFound)),
            (status, _) => Err(refused(object, status)),
        }
    }

    /// Calls a method with a table of arguments and returns the table it answers with, which is
    /// empty if it answers with a status alone. Of several the last counts.
    ///
    /// # Errors
    /// [`Error::Refused`] with the status if it is not [`Status::Ok`].
    pub fn call(
        &mut self,
        object: &str,
        method: &str,
        arguments: &Value,
        timeout: Duration,
    ) -> Result<Value, Error> {
        let deadline = after(timeout);
        let known = self.objects.iter().any(|(path, _)| path == object);
        let mut reply = self.invoke(object, method, arguments, deadline)?;
        if known && reply.from_bus && reply.status == Status::NotFound {
            // Its daemon was restarted since we looked, so the call reached nobody.
            self.objects.retain(|(path, _)| path != object);
            reply = self.invoke(object, method, arguments, deadline)?;
        }
        if reply.status != Status::Ok {
            return Err(refused(&format!("{object} {method}"), reply.status));
        }
        Ok(reply.data.map_or_else(Value::table, Message::into_data))
    }

    fn invoke(
        &mut self,
        object: &str,
        method: &str,
        arguments: &Value,
        deadline: Instant,
    ) -> Result<Reply, Error> {
        let id = self.lookup_until(object, deadline)?;
        let attrs = vec![
            (Attr::ObjId, number(id)),
            (Attr::Method, method.into()),
            (Attr::Data, arguments.clone()),
        ];
        self.request(Kind::Invoke, id, attrs, deadline)
    }

    /// Asks for the notifications of an object; [`Client::next_event`] returns them.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such object or the caller may not listen.
    pub fn subscribe(&mut self, object: &str, timeout: Duration) -> Result<u32, Error> {
        let deadline = after(timeout);
        let subscriber = self.subscriber(deadline)?;
        let target = self.lookup_until(object, deadline)?;
        let attrs = vec![
            (Attr::ObjId, number(subscriber)),
            (Attr::Target, number(target)),
        ];
        let reply = self.request(Kind::Subscribe, 0, attrs, deadline)?;
        if reply.status != Status::Ok {
            self.objects.retain(|(path, _)| path != object);
            return Err(refused(&format!("subscription to {object}"), reply.status));
        }
        Ok(target)
    }

    /// The nameless object of ours that notifications are sent to.
    fn subscriber(&mut self, deadline: Instant) -> Result<u32, Error> {
        if let Some(id) = self.subscriber {
            return Ok(id);
        }
        let reply = self.request(Kind::AddObject, 0, Vec::new(), deadline)?;
        let id = reply.data.as_ref().and_then(Message::objid);
        match (reply.status, id) {
            (Status::Ok, Some(id)) => {
                self.subscriber = Some(id);
                Ok(id)
            }
            (Status::Ok, None) => Err(refused("add object", Status::NoData)),
            (status, _) => Err(refused("add object", status)),
        }
    }

    /// The next thing that happened, or `None` if nothing does before the deadline.
    ///
    /// # Errors
    /// If the connection is lost.
    pub fn next_event(&mut self, deadline: Instant) -> Result<Option<Event>, Error> {
        loop {
            if !self.events.is_empty() {
                return Ok(Some(self.events.remove(0)));
            }
            match self.connection.receive(deadline)? {
                Some(message) => self.unasked(message, deadline)?,
                None => return Ok(None),
            }
        }
    }

    fn request(
        &mut self,
        kind: Kind,
        peer: u32,
        attrs: Vec<(Attr, Value)>,
        deadline: Instant,
    ) -> Result<Reply, Error> {
        self.seq = self.seq.wrapping_add(1);
        let request = Message {
            kind,
            seq: self.seq,
            peer,
            attrs,
        };
        self.connection.send(&request, deadline)?;
        let mut data = None;
        while let Some(message) = self.connection.receive(deadline)? {
            match message.kind {
                Kind::Data if message.seq == request.seq => data = Some(message),
                Kind::Status if message.seq == request.seq => {
                    return Ok(Reply {
                        status: message.status().unwrap_or(Status::InvalidArgument),
                        from_bus: message.objid().is_none(),
                        data,
                    });
                }
                _ => self.unasked(message, deadline)?,
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        Err(Error::Timeout("answer"))
    }

    /// Takes a message that answers nothing we wait for: notifications are kept and confirmed,
    /// late answers dropped.
    fn unasked(&mut self, message: Message, deadline: Instant) -> Result<(), Error> {
        match message.kind {
            Kind::Invoke => {
                let name = message.text(Attr::Method).unwrap_or_default().to_owned();
                if message.get(Attr::NoReply).and_then(Value::as_bool) != Some(true) {
                    let mut answer = Message::new(Kind::Status, message.seq, message.peer)
                        .with(Attr::Status, number(Status::Ok.code()));
                    if let Some(id) = message.objid() {
                        answer = answer.with(Attr::ObjId, number(id));
                    }
                    self.connection.send(&answer, deadline)?;
                }
                let data = message.into_data();
                self.keep(Event::Notification { name, data });
            }
            Kind::Unsubscribe => {
                if let Some(target) = message.number(Attr::Target) {
                    self.objects.retain(|(_, id)| *id != target);
                    self.keep(Event::Gone(target));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn keep(&mut self, event: Event) {
        if self.events.len() >= MAX_EVENTS {
            self.events.remove(0);
        }
        self.events.push(event);
    }
}

/// The moment `timeout` from now; a year, should that be beyond what the clock can say.
fn after(timeout: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or_else(|| now + YEAR)
}

fn refused(what: &str, status: Status) -> Error {
    Error::Refused {
        what: what.to_owned(),
        status,
    }
}
