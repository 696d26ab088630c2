// SPDX-License-Identifier: GPL-2.0-or-later
//! The caller's side of the bus.

use ubus::BlobMsgTable as Arguments;

use super::answer::{Answer, sendable};
use super::error::Error;
use super::status::Status;
use super::transport::Stream;
use ::ubus::client::UbusClient;
use ::ubus::envelope::{UbusAttr, try_find};
use ::ubus::wire::Frame;
use ::ubus::{MsgType, Transport, UbusError};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where ubusd listens, and where it did before OpenWrt 21.02.
const PATHS: [&str; 2] = ["/var/run/ubus/ubus.sock", "/var/run/ubus.sock"];

/// Something that happened at an object subscribed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The object sent a notification.
    Notification {
        /// Its name, such as `interface.update`.
        name: String,
        /// What it says.
        data: Answer,
    },
    /// The object with this number is gone, for example because its daemon was restarted.
    Gone(u32),
}

impl Event {
    /// The interface a notification of `network.interface` is about.
    pub fn interface(&self) -> Option<&str> {
        match self {
            Event::Notification { data, .. } => data.text("interface"),
            Event::Gone(_) => None,
        }
    }
}

/// A connection to ubusd.
///
/// Requests are made one after another. Every method that waits takes the longest time it may
/// take, which covers all of it: connecting, writing, reading, in however many pieces. A call
/// that ran out of time leaves the connection usable; its late answer is ignored.
pub struct Client {
    bus: UbusClient<Stream>,
    /// Paths looked up, and the numbers found.
    objects: Vec<(String, u32)>,
    /// The nameless object of ours that notifications are sent to.
    subscriber: Option<u32>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("objects", &self.objects)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Where ubusd listens on this system: `/var/run/ubus/ubus.sock`, or `/var/run/ubus.sock`
    /// if only that exists.
    pub fn default_path() -> PathBuf {
        let [current, old] = PATHS.map(PathBuf::from);
        match !current.exists() && old.exists() {
            true => old,
            false => current,
        }
    }

    /// Connects and waits for the greeting.
    ///
    /// # Errors
    /// [`Error::Connect`] if nothing listens there, [`Error::Timeout`] if no greeting comes.
    pub fn connect(path: &Path, timeout: Duration) -> Result<Self, Error> {
        let mut stream = Stream::open(path, after(timeout))?;
        // The crate drops its transport when it fails, and the reason with it:
        // so the greeting is awaited before.
        stream.wait_recv();
        if let Some(error) = stream.failure.take() {
            return Err(error);
        }
        Ok(Client {
            bus: UbusClient::connect(stream).map_err(Error::Unreadable)?,
            objects: Vec::new(),
            subscriber: None,
        })
    }

    /// Ends every later wait with [`Error::Cancelled`] as soon as `fd` is readable, for example
    /// a signalfd: a signal that only interrupts would be missed if it came a moment earlier.
    pub fn cancel_on(&mut self, fd: OwnedFd) {
        self.bus.transport_mut().cancel_on(fd);
    }

    /// The number of the object at a path; remembered.
    ///
    /// # Errors
    /// [`Error::NoObject`] if there is none.
    pub fn lookup(&mut self, object: &str, timeout: Duration) -> Result<u32, Error> {
        self.start(timeout);
        self.object(object)
    }

    /// Calls a method and returns the table it answers with, which is empty if it answers with
    /// a status alone. Of several the last counts.
    ///
    /// # Errors
    /// [`Error::Refused`] with the status if it is not [`Status::Ok`].
    pub fn call(
        &mut self,
        object: &str,
        method: &str,
        arguments: &Arguments,
        timeout: Duration,
    ) -> Result<Answer, Error> {
        sendable(arguments)?;
        self.start(timeout);
        let known = self.remembered(object);
        let id = self.object(object)?;
        let mut answer = self.bus.invoke(id, method, arguments);
        if known.is_some() && is_not_found(&answer) {
            // Perhaps its daemon was restarted since, and nobody was reached.
            self.forget(object);
            let now = self.object(object)?;
            if now != id {
                answer = self.bus.invoke(now, method, arguments);
            }
        }
        answer
            .map(Answer::new)
            .map_err(|error| self.error(error, || format!("{object} {method}")))
    }

    /// Asks for the notifications of an object; [`Client::next_event`] returns them.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such object or the caller may not listen.
    pub fn subscribe(&mut self, object: &str, timeout: Duration) -> Result<u32, Error> {
        self.start(timeout);
        let subscriber = self.subscriber()?;
        let target = self.object(object)?;
        self.bus.subscribe(subscriber, target).map_err(|error| {
            self.forget(object);
            self.error(error, || format!("subscription to {object}"))
        })?;
        Ok(target)
    }

    /// The next thing that happened, or `None` if nothing does before the deadline.
    ///
    /// # Errors
    /// If the connection is lost.
    pub fn next_event(&mut self, deadline: Instant) -> Result<Option<Event>, Error> {
        self.bus.transport_mut().set_deadline(deadline);
        loop {
            let received = self.bus.recv_frame().and_then(|frame| match frame {
                Some(frame) => self.event(&frame),
                None => {
                    self.bus.transport_mut().wait_recv();
                    Ok(None)
                }
            });
            match received.map_err(|error| self.error(error, String::new)) {
                Ok(None) => {}
                Err(Error::Timeout(_)) => return Ok(None),
                event => return event,
            }
        }
    }

    /// What a message that answers nothing says; notifications are confirmed.
    fn event(&mut self, frame: &Frame) -> Result<Option<Event>, UbusError> {
        match frame.hdr.ty {
            MsgType::Invoke => {
                let find = |attr| try_find(&frame.payload, attr);
                let name = find(UbusAttr::Method)?.and_then(|method| method.as_str());
                let data = find(UbusAttr::Data)?.map(|data| data.payload.to_vec());
                if !find(UbusAttr::NoReply)?.is_some_and(|flag| flag.as_bool_int8()) {
                    self.bus.acknowledge(frame, 0)?;
                }
                Ok(Some(Event::Notification {
                    name: name.unwrap_or_default().to_owned(),
                    data: Answer::new(data.unwrap_or_default()),
                }))
            }
            MsgType::Unsubscribe => {
                let target = try_find(&frame.payload, UbusAttr::Target)?;
                let target = target.and_then(|target| target.as_u32());
                self.objects.retain(|(_, id)| Some(*id) != target);
                Ok(target.map(Event::Gone))
            }
            // The late answer to a call that was given up.
            _ => Ok(None),
        }
    }

    fn start(&mut self, timeout: Duration) {
        self.bus.transport_mut().set_deadline(after(timeout));
    }

    fn remembered(&self, object: &str) -> Option<u32> {
        let found = self.objects.iter().find(|(path, _)| path == object);
        found.map(|(_, id)| *id)
    }

    fn forget(&mut self, object: &str) {
        self.objects.retain(|(path, _)| path != object);
    }

    fn object(&mut self, object: &str) -> Result<u32, Error> {
        if let Some(id) = self.remembered(object) {
            return Ok(id);
        }
        let found = self.bus.lookup_objects(Some(object));
        if is_not_found(&found) {
            return Err(Error::NoObject(object.to_owned()));
        }
        let found = found.map_err(|error| self.error(error, || object.to_owned()))?;
        // What the caller's rights hide is left out of an answer that is otherwise fine.
        let Some(info) = found.last() else {
            return Err(Error::NoObject(object.to_owned()));
        };
        self.objects.push((object.to_owned(), info.id));
        Ok(info.id)
    }

    fn subscriber(&mut self) -> Result<u32, Error> {
        if let Some(id) = self.subscriber {
            return Ok(id);
        }
        let added = self.bus.add_anonymous_object();
        let id = added.map_err(|error| self.error(error, || "add object".to_owned()))?;
        self.subscriber = Some(id);
        Ok(id)
    }

    /// The crate's error as ours. What the transport knows counts more.
    fn error(&mut self, error: UbusError, what: impl FnOnce() -> String) -> Error {
        if let Some(failure) = self.bus.transport_mut().failure.take() {
            return failure;
        }
        match error {
            UbusError::Status(code) => refused(what(), Status::from_code(code.cast_unsigned())),
            UbusError::Closed => Error::Closed,
            UbusError::Timeout(_) => Error::Timeout("answer"),
            other => Error::Unreadable(other),
        }
    }
}

fn is_not_found<T>(answer: &Result<T, UbusError>) -> bool {
    let not_found = Status::NotFound.code();
    matches!(answer, Err(UbusError::Status(code)) if code.cast_unsigned() == not_found)
}

/// The moment `timeout` from now; a year, should that be beyond what the clock can say.
fn after(timeout: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or_else(|| now + YEAR)
}

fn refused(what: String, status: Status) -> Error {
    Error::Refused { what, status }
}
