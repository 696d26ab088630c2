// SPDX-License-Identifier: GPL-2.0-or-later
//! netifd's side of the bus: a client of the broker, which offers netifd's objects.

use super::blobmsg::{Attr, FrameReader, Kind, Message, Value, number};
use super::methods::{interface_methods, main_methods};
use super::record::{Call, Entry};
use super::relay::Clients;
use super::world::{Shared, World};
use mape::ubus::Status;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::thread;

pub struct Bus {
    /// To the broker.
    stream: UnixStream,
    seq: u16,
    /// Paths of objects whose number the broker has not told yet, by request. `None` if the
    /// object is to go again.
    offered: BTreeMap<u16, Option<String>>,
    /// Paths by object number.
    objects: BTreeMap<u32, String>,
    /// Everybody else.
    pub(super) clients: Clients,
}

impl Bus {
    /// Connects to the broker and offers the objects that netifd always has.
    pub(super) fn connect(broker: &Path) -> (Self, FrameReader) {
        let mut bus = Bus {
            stream: UnixStream::connect(broker).unwrap(),
            seq: 0,
            offered: BTreeMap::new(),
            objects: BTreeMap::new(),
            clients: Clients::default(),
        };
        let mut reader = FrameReader::default();
        for path in ["network", "network.interface"] {
            bus.offer(path);
            while !bus.offered.is_empty() {
                let mut chunk = [0; 4096];
                let n = bus.stream.read(&mut chunk).unwrap();
                assert!(n > 0, "the broker hung up");
                reader.push(&chunk[..n]);
                while let Some(message) = reader.next_message().unwrap() {
                    bus.numbered(&message);
                }
            }
        }
        (bus, reader)
    }

    fn send(&mut self, message: &Message) {
        // A broker that has ended needs no answer.
        let _ = self.stream.write_all(&message.encode());
    }

    fn request(&mut self, kind: Kind) -> Message {
        self.seq = self.seq.wrapping_add(1);
        Message::new(kind, self.seq, 0)
    }

    pub fn offer(&mut self, path: &str) {
        let methods = match path {
            "network" => main_methods(),
            _ => interface_methods(),
        };
        let request = self
            .request(Kind::AddObject)
            .with(Attr::ObjPath, path)
            .with(Attr::Signature, methods);
        self.offered.insert(request.seq, Some(path.to_owned()));
        self.send(&request);
    }

    /// Takes the number of an object that was offered.
    fn numbered(&mut self, message: &Message) {
        let (Kind::Data, Some(id)) = (message.kind, message.objid()) else {
            return;
        };
        match self.offered.remove(&message.seq) {
            Some(Some(path)) => {
                self.objects.insert(id, path);
            }
            Some(None) => self.withdraw(id),
            None => {}
        }
    }

    fn withdraw(&mut self, id: u32) {
        let request = self.request(Kind::RemoveObject);
        self.send(&request.with(Attr::ObjId, number(id)));
    }

    pub fn add_interface(&mut self, name: &str) {
        let path = format!("network.interface.{name}");
        let is_offered = |p: &Option<String>| p.as_deref() == Some(&path);
        if self.find(&path).is_none() && !self.offered.values().any(is_offered) {
            self.offer(&path);
        }
    }

    fn find(&self, path: &str) -> Option<u32> {
        let found = self.objects.iter().find(|(_, p)| *p == path);
        found.map(|(id, _)| *id)
    }
}

/// Listens to the broker until the double stops.
pub(super) fn listen(shared: &Arc<Shared>, mut reader: FrameReader) {
    let mut stream = shared.with(|w| w.bus.stream.try_clone().unwrap());
    let shared: Weak<Shared> = Arc::downgrade(shared);
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(n @ 1..) = stream.read(&mut chunk) {
            reader.push(&chunk[..n]);
            while let Some(message) = reader.next_message().unwrap() {
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                shared.with(|world| world.hears(&message));
            }
        }
    });
}

impl World {
    pub fn remove_object(&mut self, path: &str) {
        if let Some(id) = self.bus.find(path) {
            self.bus.objects.remove(&id);
            self.bus.withdraw(id);
        }
        for offered in self.bus.offered.values_mut() {
            if offered.as_deref() == Some(path) {
                *offered = None;
            }
        }
    }

    /// Sends a notification to the subscribers of an object, without asking for a reply.
    pub(super) fn notify(&mut self, path: &str, name: &str, data: &Value) {
        let Some(id) = self.bus.find(path) else {
            return;
        };
        let notification = self
            .bus
            .request(Kind::Notify)
            .with(Attr::ObjId, number(id))
            .with(Attr::Method, name)
            .with(Attr::NoReply, true)
            .with(Attr::Data, data.clone());
        self.bus.send(&notification);
    }

    fn hears(&mut self, message: &Message) {
        match message.kind {
            Kind::Invoke => self.invoked(message),
            _ => self.bus.numbered(message),
        }
    }

    /// The status forced upon a call: by its action first, where it has one.
    fn denied(&self, path: &str, method: &str, arguments: Option<&Value>) -> Option<Status> {
        let action = arguments.and_then(|a| a.get("action")?.as_i64());
        let by_action = action.and_then(|n| self.deny.get(&format!("{path} {method} {n}")));
        let status = by_action.or_else(|| self.deny.get(&format!("{path} {method}")));
        status.copied()
    }

    /// Runs a method and answers.
    fn invoked(&mut self, message: &Message) {
        let (Some(id), Some(method)) = (message.objid(), message.text(Attr::Method)) else {
            return;
        };
        let Some(path) = self.bus.objects.get(&id).cloned() else {
            return;
        };
        let arguments = message.get(Attr::Data).cloned();
        self.record.push(Entry::Call(Call {
            pid: self.bus.clients.pid(message.peer),
            object: path.clone(),
            method: method.to_owned(),
            arguments: arguments.clone().unwrap_or_else(Value::table),
            status: Status::Ok,
        }));
        let at = self.record.len() - 1;
        let denied = self.denied(&path, method, arguments.as_ref());
        let (status, data) = match (denied, arguments) {
            (Some(status), _) => (status, None),
            (None, None) => (Status::InvalidArgument, None),
            (None, Some(arguments)) => self.run_method(&path, method, &arguments),
        };
        if let Entry::Call(call) = &mut self.record[at] {
            call.status = status;
        }
        if let Some(data) = data {
            let reply = Message::new(Kind::Data, message.seq, message.peer)
                .with(Attr::ObjId, number(id))
                .with(Attr::Data, data);
            self.bus.send(&reply);
        }
        if message.get(Attr::NoReply) != Some(&Value::Bool(true)) {
            let reply = Message::new(Kind::Status, message.seq, message.peer)
                .with(Attr::Status, number(status.code()))
                .with(Attr::ObjId, number(id));
            self.bus.send(&reply);
        }
    }
}
