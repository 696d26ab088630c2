// SPDX-License-Identifier: GPL-2.0-or-later
//! netifd's interfaces: up, down, available, and who is told.

use super::blobmsg::Value;
use super::bus::Bus;
use super::discovery::Handler;
use super::effects::{Effects, Tunnel};
use super::faults::Planned;
use super::handler::{HandlerState, ProtoCommand};
use super::hotplug::Hotplug;
use super::interface::{Address, Interface, Route, State};
use super::record::{Effect, Entry};
use mape::ubus::Status;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// What happened to an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    Up,
    UpFailed,
    Update,
    Down,
}

pub struct Shared {
    pub world: Mutex<World>,
    pub changed: Condvar,
}

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn with<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        let result = f(&mut self.lock());
        self.changed.notify_all();
        result
    }
}

/// Everything the double knows; tests may read and change all of it.
pub struct World {
    pub interfaces: BTreeMap<String, Interface>,
    /// By protocol.
    pub handlers: BTreeMap<String, Handler>,
    /// Everything that happened, in order.
    pub record: Vec<Entry>,
    /// What the scripts wrote, as netifd logs it.
    pub log: Vec<String>,
    /// Log pipes that somebody still holds open, by interface.
    pub open_logs: BTreeMap<String, usize>,
    pub effects: Box<dyn Effects>,
    /// Tunnels that exist.
    pub links: BTreeMap<String, Tunnel>,
    /// Every tunnel is refused, as by a kernel that lacks the module.
    pub refuse_tunnels: bool,
    /// ubusd takes connections and says nothing at all.
    pub mute: bool,
    /// Statuses forced upon calls, by "object method" or "object method action".
    pub deny: BTreeMap<String, Status>,
    /// What the next messages meet.
    pub fault: Option<Planned>,
    /// Faults that are due in a moment.
    pub pauses: usize,
    pub bus: Bus,
    /// The folder of the scripts.
    pub scripts: PathBuf,
    pub env: Vec<(String, PathBuf)>,
    pub shared: Weak<Shared>,
    pub stopping: bool,
    /// What crashes the netifd of OpenWrt 25.12.2 and earlier, if it happened.
    pub crash: Option<String>,
    pub hotplug: Hotplug,
}

impl World {
    /// The interface of that name, which must exist.
    pub fn interface(&self, name: &str) -> &Interface {
        self.interfaces
            .get(name)
            .unwrap_or_else(|| panic!("there is no interface {name}"))
    }

    pub fn interface_mut(&mut self, name: &str) -> &mut Interface {
        self.interfaces
            .get_mut(name)
            .unwrap_or_else(|| panic!("there is no interface {name}"))
    }

    pub fn is_up(&self, name: &str) -> bool {
        self.interfaces.get(name).is_some_and(Interface::is_up)
    }

    pub(super) fn handler(&mut self, name: &str) -> Option<&mut HandlerState> {
        self.interfaces.get_mut(name)?.handler.as_mut()
    }

    /// Runs something later, unless the double is gone by then.
    pub(super) fn after(&self, pause: Duration, f: impl FnOnce(&mut World) + Send + 'static) {
        let shared = self.shared.clone();
        thread::spawn(move || {
            thread::sleep(pause);
            if let Some(shared) = shared.upgrade() {
                shared.with(|world| {
                    if !world.stopping {
                        f(world);
                    }
                });
            }
        });
    }

    /// Adds an interface and its object; nothing else happens yet.
    pub fn add_interface(&mut self, interface: Interface) {
        self.bus.add_interface(&interface.name);
        self.interfaces.insert(interface.name.clone(), interface);
    }

    pub fn remove_interface(&mut self, name: &str) {
        if self
            .interfaces
            .get(name)
            .is_some_and(|i| i.state != State::Down)
        {
            self.mark_down(name);
        }
        self.interfaces.remove(name);
        self.forget_events(name);
        self.remove_object(&format!("network.interface.{name}"));
    }

    /// What `ifup` does.
    pub fn set_up(&mut self, name: &str) {
        let Some(interface) = self.interfaces.get_mut(name) else {
            return;
        };
        interface.autostart = true;
        if interface.state != State::Down {
            return;
        }
        let keep = interface.handler.as_ref().is_some_and(|h| h.last_error);
        if !keep {
            interface.errors.clear();
        }
        if interface.available {
            self.start(name);
        } else {
            interface
                .errors
                .push(("interface".to_owned(), "NO_DEVICE".to_owned(), Vec::new()));
        }
    }

    fn start(&mut self, name: &str) {
        let interface = self.interface_mut(name);
        interface.since = Instant::now();
        if interface.handler.is_some() {
            interface.state = State::Setup;
            self.proto_command(name, ProtoCommand::Setup);
        } else {
            interface.state = State::Up;
            self.install(name);
            self.happened(name, Happening::Up);
        }
    }

    /// What `ifdown` does.
    pub fn set_down(&mut self, name: &str) {
        self.interface_mut(name).autostart = false;
        self.take_down(name, false);
    }

    pub(super) fn take_down(&mut self, name: &str, force: bool) {
        let interface = self.interface_mut(name);
        let state = interface.state;
        if !matches!(state, State::Up | State::Setup) {
            return;
        }
        interface.leaving = interface.dynamic;
        if interface.handler.is_none() {
            interface.state = State::Teardown;
            self.happened(name, Happening::Down);
            self.mark_down(name);
            self.finish_down(name);
            return;
        }
        interface.state = State::Teardown;
        if state == State::Up {
            self.happened(name, Happening::Down);
        }
        self.proto_command(name, ProtoCommand::Teardown);
        if force {
            // Not after the handler's teardown, as otherwise.
            self.uninstall(name, state == State::Up);
            self.flush(name);
        }
    }

    /// `network.interface restart`.
    pub(super) fn restart(&mut self, name: &str) {
        let interface = self.interface_mut(name);
        match interface.state {
            State::Up | State::Setup => {
                if interface.handler.as_ref().is_some_and(|h| h.restart) {
                    self.proto_command(name, ProtoCommand::Restart);
                } else {
                    self.take_down(name, false);
                }
            }
            State::Down => self.set_up(name),
            State::Teardown => {}
        }
    }

    pub(super) fn set_available(&mut self, name: &str, available: bool) {
        let interface = self.interface_mut(name);
        if interface.available == available {
            return;
        }
        interface.available = available;
        if !available {
            self.take_down(name, true);
        } else if interface.autostart {
            self.set_up(name);
        }
    }

    /// The settings go, and what the kernel had of them.
    pub(super) fn mark_down(&mut self, name: &str) {
        let interface = self.interface_mut(name);
        let state = interface.state;
        if state == State::Down {
            return;
        }
        interface.state = State::Down;
        match state {
            State::Setup => self.happened(name, Happening::UpFailed),
            _ => self.happened(name, Happening::Down),
        }
        if self.interfaces.contains_key(name) {
            let installed = matches!(state, State::Up | State::Teardown);
            self.uninstall(name, installed);
            if self.interface(name).handler.is_some() {
                self.flush(name);
            }
        }
    }

    /// Addresses and routes go from the device if they were installed, and those of a handler are
    /// forgotten.
    fn uninstall(&mut self, name: &str, installed: bool) {
        let interface = self.interface_mut(name);
        let device = interface.l3_device.clone();
        let (addresses, routes) = match interface.handler.is_some() {
            true => (
                std::mem::take(&mut interface.addresses),
                std::mem::take(&mut interface.routes),
            ),
            false => (interface.addresses.clone(), interface.routes.clone()),
        };
        if let (Some(device), true) = (device, installed) {
            for route in routes {
                self.apply(Effect::DeleteRoute(device.clone(), route));
            }
            for address in addresses {
                self.apply(Effect::DeleteAddress(device.clone(), address));
            }
        }
    }

    /// The device and the data go.
    fn flush(&mut self, name: &str) {
        let interface = self.interface_mut(name);
        interface.data.clear();
        if let Some(device) = interface.l3_device.take() {
            self.delete_link(&device);
        }
    }

    pub(super) fn delete_link(&mut self, device: &str) {
        if self.links.remove(device).is_some() {
            self.apply(Effect::DeleteLink(device.to_owned()));
        }
    }

    /// Puts addresses and routes of an interface that came up onto its device.
    pub(super) fn install(&mut self, name: &str) {
        let interface = self.interface(name);
        let Some(device) = interface.l3_device.clone() else {
            return;
        };
        let (addresses, routes) = (interface.addresses.clone(), interface.routes.clone());
        for address in addresses {
            self.apply(Effect::AddAddress(device.clone(), address));
        }
        for route in routes {
            self.apply(Effect::AddRoute(device.clone(), route));
        }
    }

    /// What is new is installed, what is gone is removed; what stayed is **not** touched, even
    /// if the device was created again in between.
    pub(super) fn exchange(
        &mut self,
        device: &str,
        old: (&[Address], &[Route]),
        new: (&[Address], &[Route]),
    ) {
        let device = || device.to_owned();
        for route in old.1.iter().filter(|r| !new.1.contains(r)) {
            self.apply(Effect::DeleteRoute(device(), route.clone()));
        }
        for address in old.0.iter().filter(|a| !new.0.contains(a)) {
            self.apply(Effect::DeleteAddress(device(), address.clone()));
        }
        for address in new.0.iter().filter(|a| !old.0.contains(a)) {
            self.apply(Effect::AddAddress(device(), address.clone()));
        }
        for route in new.1.iter().filter(|r| !old.1.contains(r)) {
            self.apply(Effect::AddRoute(device(), route.clone()));
        }
    }

    pub(super) fn apply(&mut self, effect: Effect) {
        match &effect {
            Effect::DeleteLink(name) => self.effects.delete_link(name),
            Effect::AddAddress(device, address) => self.effects.add_address(device, address),
            Effect::DeleteAddress(device, address) => self.effects.delete_address(device, address),
            Effect::AddRoute(device, route) => self.effects.add_route(device, route),
            Effect::DeleteRoute(device, route) => self.effects.delete_route(device, route),
            Effect::CreateTunnel(..) => unreachable!("made where its result is looked at"),
        }
        self.record.push(Entry::Effect(effect));
    }

    /// The handler has finished: the interface is down, and up again at once if it starts by
    /// itself. There is no backoff.
    pub(super) fn finish_down(&mut self, name: &str) {
        let Some(interface) = self.interfaces.get(name) else {
            return;
        };
        if interface.leaving {
            self.remove_interface(name);
        } else if interface.autostart {
            let name = name.to_owned();
            self.after(Duration::from_millis(2), move |world| {
                if world.interfaces.get(&name).is_some_and(|i| i.autostart) {
                    world.set_up(&name);
                }
            });
        }
    }

    /// Tells subscribers, dependants and interfaces that lie on this one.
    pub fn happened(&mut self, name: &str, what: Happening) {
        self.record.push(Entry::Event {
            interface: name.to_owned(),
            what,
        });
        self.tell_subscribers(name, what);
        if what == Happening::Up {
            // The link's own event follows, and says the same once more.
            self.tell_subscribers(name, what);
        }
        self.queue_event(name, what);
        self.tell_dependants(name, what);
        match what {
            Happening::Up => self.interface_mut(name).errors.clear(),
            Happening::Down | Happening::UpFailed => {
                let lying_on_it: Vec<_> = self
                    .interfaces
                    .values()
                    .filter(|i| i.parent.as_deref() == Some(name))
                    .map(|i| i.name.clone())
                    .collect();
                for child in lying_on_it {
                    if self.interface(&child).handler.is_some() {
                        // It goes when its handler's teardown is over.
                        self.set_available(&child, false);
                    } else {
                        // netifd frees it here and then goes on using it.
                        self.crash = Some(format!(
                            "{child}, a dynamic interface of an immediate protocol, lost its parent"
                        ));
                        self.remove_interface(&child);
                    }
                }
            }
            Happening::Update => {}
        }
    }

    fn tell_subscribers(&mut self, name: &str, what: Happening) {
        let event = match what {
            Happening::Down => "interface.down",
            _ => "interface.update",
        };
        let Value::Table(members) = self.interface(name).status() else {
            return;
        };
        let mut data = vec![("interface".to_owned(), Value::from(name))];
        data.extend(members);
        let data = Value::Table(data);
        self.notify("network.interface", event, &data);
        self.notify(&format!("network.interface.{name}"), event, &data);
    }
}
