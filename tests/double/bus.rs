// SPDX-License-Identifier: GPL-2.0-or-later
//! ubusd's part: who is connected, which objects there are, who subscribed to which.

use super::blobmsg::{Attr, FrameReader, Kind, Message, Value, number};
use super::methods::{interface_methods, main_methods};
use super::record::{Call, Entry};
use super::world::{Shared, World};
use mape::ubus::Status;
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// netifd's own number as a client of the bus.
const NETIFD: u32 = 0x6e65_7469;

pub(super) struct Client {
    pub(super) stream: UnixStream,
    pid: i32,
}

struct Object {
    path: Option<String>,
    /// The client that offers it; `None` is netifd.
    owner: Option<u32>,
}

#[derive(Default)]
pub struct Bus {
    pub(super) clients: BTreeMap<u32, Client>,
    objects: BTreeMap<u32, Object>,
    /// Subscribing object and its target.
    subscriptions: Vec<(u32, u32)>,
    numbers: u32,
    notifications: u16,
    /// A client, and what is kept for it instead of being sent.
    pub(super) held: Option<(u32, Vec<u8>)>,
}

impl Bus {
    pub fn new() -> Self {
        let mut bus = Bus::default();
        bus.add_object(Some("network"), None);
        bus.add_object(Some("network.interface"), None);
        bus
    }

    /// Numbers that look like ubusd's, but the same in each run.
    fn number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers.wrapping_mul(0x9e37_79b1)
    }

    fn add_object(&mut self, path: Option<&str>, owner: Option<u32>) -> u32 {
        let id = self.number();
        let path = path.map(str::to_owned);
        self.objects.insert(id, Object { path, owner });
        id
    }

    pub fn add_interface(&mut self, name: &str) {
        let path = format!("network.interface.{name}");
        if self.find(&path).is_none() {
            self.add_object(Some(&path), None);
        }
    }

    fn find(&self, path: &str) -> Option<u32> {
        let found = |o: &&u32| {
            self.objects
                .get(o)
                .is_some_and(|o| o.path.as_deref() == Some(path))
        };
        self.objects.keys().find(found).copied()
    }

    fn send(&mut self, client: u32, message: &Message) {
        self.write(client, &message.encode());
    }

    /// Removes an object; its subscribers are told.
    fn remove(&mut self, id: u32) {
        self.objects.remove(&id);
        let (lost, kept) = self
            .subscriptions
            .iter()
            .partition(|(subscriber, target)| *subscriber == id || *target == id);
        self.subscriptions = kept;
        let lost: Vec<(u32, u32)> = lost;
        for (subscriber, target) in lost {
            let owner = self.objects.get(&subscriber).and_then(|o| o.owner);
            if let Some(owner) = owner {
                let message = Message::new(Kind::Unsubscribe, 0, 0)
                    .with(Attr::ObjId, number(subscriber))
                    .with(Attr::Target, number(target));
                self.send(owner, &message);
            }
        }
    }

    /// How many objects are subscribed to the one at that path.
    pub fn subscribers(&self, path: &str) -> usize {
        let target = self.find(path);
        let to_it = |(_, t): &&(u32, u32)| Some(*t) == target;
        self.subscriptions.iter().filter(to_it).count()
    }
}

/// Takes connections until the double stops.
pub fn listen(shared: &Arc<Shared>, listener: UnixListener) {
    let shared = Arc::downgrade(shared);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(stream), Some(shared)) = (stream, shared.upgrade()) else {
                return;
            };
            if shared.lock().stopping {
                return;
            }
            thread::spawn(move || serve(&shared, stream));
        }
    });
}

fn serve(shared: &Arc<Shared>, mut stream: UnixStream) {
    let pid = getsockopt(&stream, PeerCredentials).map_or(0, |c| c.pid());
    let writer = stream.try_clone().unwrap();
    writer
        .set_write_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    let shared = Arc::downgrade(shared);
    let with = |f: &mut dyn FnMut(&mut World)| {
        if let Some(shared) = shared.upgrade() {
            shared.with(f);
        }
    };
    let mut id = 0;
    let mut writer = Some(writer);
    with(&mut |world| {
        id = world.bus.number();
        let client = Client {
            stream: writer.take().unwrap(),
            pid,
        };
        world.bus.clients.insert(id, client);
        if !world.mute {
            world.bus.send(id, &Message::new(Kind::Hello, 0, id));
        }
    });
    let mut reader = FrameReader::default();
    let mut chunk = [0; 4096];
    while let Ok(n @ 1..) = stream.read(&mut chunk) {
        reader.push(&chunk[..n]);
        let mut broken = false;
        with(&mut |world| {
            loop {
                match reader.next_message() {
                    Ok(Some(message)) if !world.mute => world.arrives(id, &message),
                    Ok(Some(_)) => {}
                    Ok(None) => return,
                    Err(_) => {
                        broken = true;
                        return;
                    }
                }
            }
        });
        if broken {
            break;
        }
    }
    with(&mut |world| {
        world.bus.clients.remove(&id);
        let owned = |(n, o): (&u32, &Object)| (o.owner == Some(id)).then_some(*n);
        let orphans: Vec<_> = world.bus.objects.iter().filter_map(owned).collect();
        for object in orphans {
            world.bus.remove(object);
        }
    });
}

impl World {
    pub(super) fn remove_object(&mut self, path: &str) {
        if let Some(id) = self.bus.find(path) {
            self.bus.remove(id);
        }
    }

    /// Sends a notification to the subscribers of an object, without asking for a reply.
    pub(super) fn notify(&mut self, path: &str, name: &str, data: &Value) {
        let Some(target) = self.bus.find(path) else {
            return;
        };
        self.bus.notifications = self.bus.notifications.wrapping_add(1);
        let seq = self.bus.notifications;
        let subscribers: Vec<_> = self
            .bus
            .subscriptions
            .iter()
            .filter(|(_, t)| *t == target)
            .map(|(s, _)| *s)
            .collect();
        for subscriber in subscribers {
            let Some(owner) = self.bus.objects.get(&subscriber).and_then(|o| o.owner) else {
                continue;
            };
            let message = Message::new(Kind::Invoke, seq, NETIFD)
                .with(Attr::NoReply, true)
                .with(Attr::ObjId, number(subscriber))
                .with(Attr::Method, name)
                .with(Attr::User, "root")
                .with(Attr::Group, "root")
                .with(Attr::Data, data.clone());
            self.bus.send(owner, &message);
        }
    }

    pub(super) fn message(&mut self, client: u32, message: &Message) {
        let status = match message.kind {
            Kind::Lookup => self.look_up(client, message),
            Kind::Invoke => match self.invoke(client, message) {
                Some(status) => status,
                None => return,
            },
            Kind::AddObject => {
                let path = message.text(Attr::ObjPath);
                let id = self.bus.add_object(path, Some(client));
                let reply = Message::new(Kind::Data, message.seq, message.peer)
                    .with(Attr::ObjId, number(id));
                self.bus.send(client, &reply);
                Status::Ok
            }
            Kind::RemoveObject => self.remove_of(client, message),
            Kind::Subscribe => self.subscribe(client, message),
            Kind::Unsubscribe => self.unsubscribe(message),
            Kind::Ping => {
                let pong = Message {
                    kind: Kind::Data,
                    ..message.clone()
                };
                self.bus.send(client, &pong);
                Status::Ok
            }
            Kind::Status | Kind::Data | Kind::Notify => return,
            _ => Status::InvalidCommand,
        };
        let reply = Message::new(Kind::Status, message.seq, message.peer)
            .with(Attr::Status, number(status.code()));
        self.bus.send(client, &reply);
    }

    fn look_up(&mut self, client: u32, message: &Message) -> Status {
        let wanted = message.text(Attr::ObjPath);
        let matching: Vec<_> = self
            .bus
            .objects
            .iter()
            .filter_map(|(id, o)| Some((*id, o.path.clone()?)))
            .filter(|(_, path)| match wanted.map(|w| (w, w.strip_suffix('*'))) {
                None => true,
                Some((_, Some(start))) => path.starts_with(start),
                Some((exact, None)) => path == exact,
            })
            .collect();
        match wanted {
            Some("") => return Status::InvalidArgument,
            Some(_) if matching.is_empty() => return Status::NotFound,
            _ => {}
        }
        for (id, path) in matching {
            let (kind, methods) = match path.as_str() {
                "network" => (0x20bd_1c05, main_methods()),
                _ => (0x622e_15f6, interface_methods()),
            };
            let reply = Message::new(Kind::Data, message.seq, message.peer)
                .with(Attr::ObjPath, path)
                .with(Attr::ObjId, number(id))
                .with(Attr::ObjType, number(kind))
                .with(Attr::Signature, methods);
            self.bus.send(client, &reply);
        }
        Status::Ok
    }

    fn remove_of(&mut self, client: u32, message: &Message) -> Status {
        let Some(id) = message.objid() else {
            return Status::InvalidArgument;
        };
        match self.bus.objects.get(&id) {
            None => Status::NotFound,
            Some(object) if object.owner != Some(client) => Status::PermissionDenied,
            Some(_) => {
                self.bus.remove(id);
                let reply = Message::new(Kind::Data, message.seq, message.peer)
                    .with(Attr::ObjId, number(id));
                self.bus.send(client, &reply);
                Status::Ok
            }
        }
    }

    fn subscribe(&mut self, client: u32, message: &Message) -> Status {
        let (Some(subscriber), Some(target)) = (message.objid(), message.number(Attr::Target))
        else {
            return Status::InvalidArgument;
        };
        let owner = self.bus.objects.get(&subscriber).map(|o| o.owner);
        match (owner, self.bus.objects.get(&target)) {
            (None, _) => Status::NotFound,
            (Some(owner), _) if owner != Some(client) => Status::InvalidArgument,
            (_, None) => Status::NotFound,
            (_, Some(object)) if object.owner == Some(client) => Status::InvalidArgument,
            _ => {
                self.bus.subscriptions.push((subscriber, target));
                Status::Ok
            }
        }
    }

    fn unsubscribe(&mut self, message: &Message) -> Status {
        let (Some(subscriber), Some(target)) = (message.objid(), message.number(Attr::Target))
        else {
            return Status::InvalidArgument;
        };
        let pair = (subscriber, target);
        let at = self.bus.subscriptions.iter().position(|s| *s == pair);
        match at {
            Some(at) => {
                self.bus.subscriptions.remove(at);
                Status::Ok
            }
            None => Status::NotFound,
        }
    }

    /// The status forced upon a call: by its action first, where it has one.
    fn denied(&self, path: &str, method: &str, arguments: Option<&Value>) -> Option<Status> {
        let action = arguments.and_then(|a| a.get("action")?.as_i64());
        let by_action = action.and_then(|n| self.deny.get(&format!("{path} {method} {n}")));
        let status = by_action.or_else(|| self.deny.get(&format!("{path} {method}")));
        status.copied()
    }

    /// Runs a method and answers as its object does; a status returned is ubusd's own.
    fn invoke(&mut self, client: u32, message: &Message) -> Option<Status> {
        let (Some(id), Some(method)) = (message.objid(), message.text(Attr::Method)) else {
            return Some(Status::InvalidArgument);
        };
        let Some(object) = self.bus.objects.get(&id) else {
            return Some(Status::NotFound);
        };
        let path = object.path.clone().filter(|_| object.owner.is_none())?;
        let arguments = message.get(Attr::Data).cloned();
        self.record.push(Entry::Call(Call {
            pid: self.bus.clients.get(&client).map_or(0, |c| c.pid),
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
            let reply = Message::new(Kind::Data, message.seq, id)
                .with(Attr::ObjId, number(id))
                .with(Attr::Data, data);
            self.bus.send(client, &reply);
        }
        if message.get(Attr::NoReply) != Some(&Value::Bool(true)) {
            let reply = Message::new(Kind::Status, message.seq, id)
                .with(Attr::Status, number(status.code()))
                .with(Attr::ObjId, number(id));
            self.bus.send(client, &reply);
        }
        None
    }
}
