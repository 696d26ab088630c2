// SPDX-License-Identifier: GPL-2.0-or-later
//! netifd's methods on the bus.

use super::blobmsg::Value;
use super::discovery;
use super::handler::HandlerState;
use super::interface::{Address, Interface};
use super::parse::{text, texts};
use super::world::World;
use mape::ubus::Status;
use std::time::Duration;

const NOTHING: [(&str, i32); 0] = [];
const DEVICE: [(&str, i32); 3] = [("name", 3), ("link-ext", 7), ("vlan", 1)];

/// Methods of `network` with their arguments' types.
pub(super) fn main_methods() -> Value {
    signature(&[
        ("restart", &NOTHING),
        ("reload", &NOTHING),
        (
            "add_host_route",
            &[("target", 3), ("v6", 7), ("interface", 3), ("exclude", 7)],
        ),
        ("get_proto_handlers", &NOTHING),
        ("add_dynamic", &[("name", 3)]),
        ("netns_updown", &[("jail", 3), ("start", 7)]),
    ])
}

/// Methods of `network.interface` and of each interface's own object.
pub(super) fn interface_methods() -> Value {
    signature(&[
        ("up", &NOTHING),
        ("down", &NOTHING),
        ("renew", &NOTHING),
        ("restart", &NOTHING),
        ("status", &NOTHING),
        ("prepare", &NOTHING),
        ("dump", &NOTHING),
        ("add_device", &DEVICE),
        ("remove_device", &DEVICE),
        ("notify_proto", &NOTHING),
        ("remove", &NOTHING),
        ("set_data", &NOTHING),
    ])
}

fn signature(methods: &[(&str, &[(&str, i32)])]) -> Value {
    methods
        .iter()
        .fold(Value::table(), |table, (name, arguments)| {
            let arguments = arguments
                .iter()
                .fold(Value::table(), |t, (argument, kind)| {
                    t.with(argument, *kind)
                });
            table.with(name, arguments)
        })
}

impl World {
    pub(super) fn run_method(
        &mut self,
        path: &str,
        method: &str,
        arguments: &Value,
    ) -> (Status, Option<Value>) {
        let methods = match path {
            "network" => main_methods(),
            _ => interface_methods(),
        };
        if methods.get(method).is_none() {
            return (Status::MethodNotFound, None);
        }
        if path == "network" {
            return self.main_method(method, arguments);
        }
        if method == "dump" {
            return (Status::Ok, Some(self.dump()));
        }
        let name = match path.strip_prefix("network.interface.") {
            Some(name) => name,
            None => match text(arguments, "interface") {
                Some(name) => name,
                None => return (Status::InvalidArgument, None),
            },
        };
        if !self.interfaces.contains_key(name) {
            return (Status::NotFound, None);
        }
        self.interface_method(name, method, arguments)
    }

    fn main_method(&mut self, method: &str, arguments: &Value) -> (Status, Option<Value>) {
        match method {
            "add_dynamic" => (self.add_dynamic(arguments), None),
            "get_proto_handlers" => {
                let mut table = Value::table();
                for (name, handler) in &self.handlers {
                    table.set(name, discovery::description(handler).into());
                }
                (Status::Ok, Some(table))
            }
            "reload" | "restart" => (Status::Ok, None),
            _ => (Status::NotSupported, None),
        }
    }

    fn interface_method(
        &mut self,
        name: &str,
        method: &str,
        arguments: &Value,
    ) -> (Status, Option<Value>) {
        match method {
            "up" => self.set_up(name),
            "down" => self.set_down(name),
            "renew" => self.renew(name),
            "restart" => self.restart(name),
            "status" => return (Status::Ok, Some(self.interface(name).status())),
            "prepare" => return (Status::Ok, Some(Value::table())),
            "notify_proto" => return (self.notify_proto(name, arguments), None),
            "remove" => {
                let interface = self.interface_mut(name);
                if interface.removing {
                    return (Status::InvalidArgument, None);
                }
                interface.removing = true;
                let name = name.to_owned();
                // The timer goes with the interface: one that was made anew under its name stays.
                self.after(Duration::from_millis(100), move |world| {
                    if world.interfaces.get(&name).is_some_and(|i| i.removing) {
                        world.remove_interface(&name);
                    }
                });
            }
            "set_data" => {
                for (key, value) in arguments.as_table().unwrap_or_default() {
                    self.interface_mut(name).set_data(key, value.clone());
                }
            }
            _ => return (Status::NotSupported, None),
        }
        (Status::Ok, None)
    }

    fn dump(&self) -> Value {
        let describe = |(name, interface): (&String, &Interface)| {
            let mut members = vec![("interface".to_owned(), Value::from(name.as_str()))];
            if let Value::Table(status) = interface.status() {
                members.extend(status);
            }
            Value::Table(members)
        };
        let interfaces: Vec<_> = self.interfaces.iter().map(describe).collect();
        Value::table().with("interface", interfaces)
    }

    /// Makes a dynamic interface, as `network add_dynamic` does.
    fn add_dynamic(&mut self, arguments: &Value) -> Status {
        let Some(name) = text(arguments, "name") else {
            return Status::InvalidArgument;
        };
        let name = name.to_owned();
        if let Some(old) = self.interfaces.get(&name) {
            let options = self.handlers.get(&old.proto).map(|handler| &handler.config);
            let compared = |definition| compared(definition, options.map_or(&[], Vec::as_slice));
            if old.made_from.as_ref().map(compared) != Some(compared(arguments)) {
                // Seen: a live interface does not survive a changed definition.
                match old.handler {
                    Some(_) => self.set_down(&name),
                    None => self.remove_interface(&name),
                }
            }
            return Status::Ok;
        }
        let proto = text(arguments, "proto").unwrap_or("none");
        let mut interface = Interface::new(&name, proto);
        interface.dynamic = true;
        interface.made_from = Some(arguments.clone());
        let lower = text(arguments, "ifname").unwrap_or_default();
        interface.parent = lower.strip_prefix('@').map(str::to_owned);
        let parent = interface
            .parent
            .as_ref()
            .and_then(|p| self.interfaces.get(p));
        let device = parent
            .filter(|p| p.is_up())
            .and_then(|p| p.l3_device.clone());
        if let Some(handler) = self.handlers.get(proto) {
            let config = arguments.to_answer().to_json().expect("a table");
            interface.handler = Some(HandlerState::new(handler, config));
            interface.available = handler.available || device.is_some();
            if !handler.no_device {
                interface.device.clone_from(&device);
                interface.l3_device = device;
            }
            self.add_interface(interface);
            self.set_up(&name);
            return Status::Ok;
        }
        for text in texts(arguments, "ip6addr") {
            let (address, mask) = text.split_once('/').unwrap_or((text, "128"));
            if let Ok(mask) = mask.parse() {
                interface.addresses.push(Address::new(address, mask));
            }
        }
        interface.updated = vec!["addresses"];
        interface.device.clone_from(&device);
        interface.l3_device.clone_from(&device);
        interface.available = device.is_some();
        self.add_interface(interface);
        self.set_up(&name);
        Status::Ok
    }
}

/// What netifd compares of two definitions of an interface: options that the protocol declares
/// and that have the type it declares for them. It sees no change of anything else.
fn compared<'a>(definition: &'a Value, options: &[(String, i64)]) -> Vec<Option<&'a Value>> {
    let is_of = |kind: i64, value: &Value| match value {
        Value::Array(_) => kind == 1,
        Value::String(_) => kind == 3,
        Value::Int32(_) => kind == 5,
        Value::Bool(_) => kind == 7,
        _ => false,
    };
    let own = [("proto", 3), ("ifname", 3), ("zone", 3), ("ip6addr", 1)];
    let declared = options.iter().map(|(name, kind)| (name.as_str(), *kind));
    own.into_iter()
        .chain(declared)
        .map(|(name, kind)| definition.get(name).filter(|value| is_of(kind, value)))
        .collect()
}
