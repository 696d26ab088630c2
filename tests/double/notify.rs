// SPDX-License-Identifier: GPL-2.0-or-later
//! `notify_proto`: what a handler tells netifd.

use super::blobmsg::Value;
use super::effects::Tunnel;
use super::handler::HandlerState;
use super::handler::{Dependency, Machine, ProtoCommand};
use super::parse::{address, array, flag, int, route, strict_texts, subtable, text, tunnel};
use super::record::{Effect, Entry};
use super::world::World;
use mape::ubus::Status;
use nix::sys::signal::Signal;

/// netifd writes so many FMRs into its netlink message whole; of the next one it loses the end
/// without a word, and a few more it refuses. Here nothing is lost without a word.
const MAX_FMRS: usize = 61;
/// IFNAMSIZ without its NUL.
const MAX_DEVICE_NAME: usize = 15;

impl World {
    pub(super) fn notify_proto(&mut self, name: &str, arguments: &Value) -> Status {
        let Some(handler) = self.handler(name) else {
            return Status::NotSupported;
        };
        let ending = matches!(handler.machine, Machine::Teardown | Machine::Abort);
        match int(arguments, "action") {
            Some(0 | 1 | 6) if ending => Status::PermissionDenied,
            Some(0) => self.update_link(name, arguments),
            Some(1) => {
                let env = match array(arguments, "env") {
                    Some(_) => strict_texts(arguments, "env"),
                    None => Some(Vec::new()),
                };
                match (strict_texts(arguments, "command"), env) {
                    (Some(command), Some(env)) => self.run_task(name, &command, &env),
                    _ => Status::InvalidArgument,
                }
            }
            Some(2) => self.kill_command(name, arguments),
            Some(3) => self.add_error(name, arguments),
            Some(4) => {
                self.interface_mut(name).autostart = false;
                Status::Ok
            }
            Some(5) => match flag(arguments, "available") {
                Some(available) => {
                    self.set_available(name, available);
                    Status::Ok
                }
                None => Status::InvalidArgument,
            },
            Some(6) => self.host_dependency(name, arguments),
            Some(7) if ending => Status::PermissionDenied,
            Some(7) => {
                if self
                    .handler(name)
                    .is_some_and(|h| h.machine == Machine::Idle)
                {
                    self.link_lost(name);
                }
                self.proto_command(name, ProtoCommand::Teardown);
                Status::Ok
            }
            _ => Status::InvalidArgument,
        }
    }

    fn kill_command(&mut self, name: &str, arguments: &Value) -> Status {
        let number = int(arguments, "signal").filter(|n| (0..=31).contains(n));
        let signal = number
            .and_then(|n| Signal::try_from(n).ok())
            .unwrap_or(Signal::SIGTERM);
        if let Some(pid) = self.handler(name).and_then(|h| h.task) {
            if matches!(signal, Signal::SIGTERM | Signal::SIGKILL)
                && let Some(handler) = self.handler(name)
            {
                handler.task_killed = true;
            }
            self.signal(pid, signal);
        }
        Status::Ok
    }

    fn add_error(&mut self, name: &str, arguments: &Value) -> Status {
        let Some(words) = strict_texts(arguments, "error") else {
            return Status::InvalidArgument;
        };
        let Some((code, details)) = words.split_first() else {
            return Status::InvalidArgument;
        };
        if words.len() > 15 {
            return Status::InvalidArgument;
        }
        let details = details.iter().map(|d| (*d).to_owned()).collect();
        let interface = self.interface_mut(name);
        let subsystem = interface.proto.clone();
        if interface.handler.as_ref().is_some_and(|h| h.last_error) {
            interface.errors.clear();
        }
        interface
            .errors
            .push((subsystem, (*code).to_owned(), details));
        Status::Ok
    }

    fn host_dependency(&mut self, name: &str, arguments: &Value) -> Status {
        let interface = text(arguments, "ifname").unwrap_or_default().to_owned();
        let host = match text(arguments, "host").unwrap_or_default() {
            "" if !interface.is_empty() => None,
            host => match host.parse() {
                Ok(host) => Some(host),
                Err(_) => return Status::InvalidArgument,
            },
        };
        let dependency = Dependency {
            interface,
            host,
            met_by: None,
        };
        self.add_dependency(name, dependency)
    }

    fn update_link(&mut self, name: &str, arguments: &Value) -> Status {
        match flag(arguments, "link-up") {
            None => return Status::InvalidArgument,
            Some(false) => {
                self.link_lost(name);
                return Status::Ok;
            }
            Some(true) => {}
        }
        let interface = self.interface(name);
        let keep = flag(arguments, "keep").unwrap_or(false)
            && interface.is_up()
            && interface.l3_device.is_some();
        if !keep {
            let status = self.choose_device(name, arguments);
            if status != Status::Ok {
                return status;
            }
        }
        self.settings(name, arguments, keep);
        self.link_up(name);
        Status::Ok
    }

    fn choose_device(&mut self, name: &str, arguments: &Value) -> Status {
        let interface = self.interface(name);
        let current = interface.l3_device.clone();
        let Some(device) = text(arguments, "ifname") else {
            return if interface.device.is_some() {
                Status::Ok
            } else {
                Status::InvalidArgument
            };
        };
        let Some(attributes) = subtable(arguments, "tunnel") else {
            if device.len() > MAX_DEVICE_NAME {
                return Status::InvalidArgument;
            }
            if current.as_deref() != Some(device) {
                self.release_device(name);
                self.interface_mut(name).l3_device = Some(device.to_owned());
            }
            return Status::Ok;
        };
        let tunnel = tunnel(attributes, &self.interfaces);
        if current.as_deref() == Some(device) {
            // In place. If it fails the interface stays up, without its link.
            if self.links.get(device) != tunnel.as_ref() || tunnel.is_none() {
                self.delete_link(device);
                if !self.create_tunnel(device, tunnel) {
                    return Status::UnknownError;
                }
            }
            return Status::Ok;
        }
        self.release_device(name);
        if !self.create_tunnel(device, tunnel) {
            return Status::UnknownError;
        }
        self.interface_mut(name).l3_device = Some(device.to_owned());
        Status::Ok
    }

    /// The settings on the old device go with it.
    fn release_device(&mut self, name: &str) {
        let interface = self.interface_mut(name);
        interface.addresses.clear();
        interface.routes.clear();
        if let Some(old) = interface.l3_device.take() {
            self.delete_link(&old);
        }
    }

    fn create_tunnel(&mut self, device: &str, tunnel: Option<Tunnel>) -> bool {
        let Some(tunnel) = tunnel else {
            return false;
        };
        let link = tunnel.link.as_ref().and_then(|l| self.interfaces.get(l));
        let below = link.and_then(|i| i.l3_device.clone());
        let possible = !self.refuse_tunnels
            && device.len() <= MAX_DEVICE_NAME
            && tunnel.fmrs.len() <= MAX_FMRS;
        let made = possible
            && self
                .effects
                .create_tunnel(device, &tunnel, below.as_deref())
                .is_ok();
        self.record.push(Entry::Effect(Effect::CreateTunnel(
            device.to_owned(),
            tunnel.clone(),
            made,
        )));
        if made {
            self.links.insert(device.to_owned(), tunnel);
        }
        made
    }

    fn settings(&mut self, name: &str, arguments: &Value, keep: bool) {
        let interface = self.interface_mut(name);
        let old = (interface.addresses.clone(), interface.routes.clone());
        let mut new = if keep {
            old.clone()
        } else {
            (Vec::new(), Vec::new())
        };
        for list in ["ipaddr", "ip6addr"] {
            let items = array(arguments, list).unwrap_or_default();
            // The first that cannot be read ends the list; that is all netifd does about it.
            let addresses = items
                .iter()
                .map_while(|item| address(item, list == "ip6addr"));
            new.0.extend(addresses.collect::<Vec<_>>());
        }
        for (list, v6) in [("routes", false), ("routes6", true)] {
            let items = array(arguments, list).unwrap_or_default();
            new.1
                .extend(items.iter().filter_map(|item| route(item, v6)));
        }
        if interface.handler.as_ref().is_some_and(no_default_route) {
            new.1.retain(|route| route.mask != 0);
        }
        let mut seen = Vec::new();
        new.0.retain(|a| {
            !seen.contains(a) && {
                seen.push(a.clone());
                true
            }
        });
        interface.updated.clear();
        if new.0 != old.0 {
            interface.updated.push("addresses");
        }
        if new.1 != old.1 {
            interface.updated.push("routes");
        }
        let mut data_changed = false;
        for (key, value) in subtable(arguments, "data")
            .and_then(Value::as_table)
            .unwrap_or_default()
        {
            data_changed |= interface.set_data(key, value.clone());
        }
        if data_changed {
            interface.updated.push("data");
        }
        interface.addresses.clone_from(&new.0);
        interface.routes.clone_from(&new.1);
        let (up, device) = (interface.is_up(), interface.l3_device.clone());
        if let (true, Some(device)) = (up, device) {
            self.exchange(&device, (&old.0, &old.1), (&new.0, &new.1));
        }
    }
}

/// `option defaultroute 0`: netifd keeps such a route, but does not install it.
fn no_default_route(handler: &HandlerState) -> bool {
    let config = serde_json::from_str::<serde_json::Value>(&handler.config);
    config.is_ok_and(|config| config["defaultroute"] == false)
}
