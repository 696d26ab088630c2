// SPDX-License-Identifier: GPL-2.0-or-later
//! `notify_proto`: what a handler tells netifd. Types are strict: a member of the wrong type is
//! as good as absent.

use super::effects::{EncapLimit, Fmr, Tunnel};
use super::handler::{Dependency, Machine, ProtoCommand};
use super::interface::{Address, Route};
use super::record::{Effect, Entry};
use super::world::World;
use mape::ubus::{Status, Value};
use nix::sys::signal::Signal;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Netlink has room for so many FMRs in one tunnel.
const MAX_FMRS: usize = 62;
/// IFNAMSIZ without its NUL.
const MAX_DEVICE_NAME: usize = 15;

/// The first member of that name and type, as netifd's parser picks it.
fn first<'a, T>(
    table: &'a Value,
    name: &str,
    of_type: impl Fn(&'a Value) -> Option<T>,
) -> Option<T> {
    table
        .as_table()?
        .iter()
        .filter(|(n, _)| n == name)
        .find_map(|(_, value)| of_type(value))
}

pub(super) fn text<'a>(table: &'a Value, name: &str) -> Option<&'a str> {
    first(table, name, Value::as_str)
}

fn int(table: &Value, name: &str) -> Option<i32> {
    first(table, name, |value| match value {
        Value::Int32(n) => Some(*n),
        _ => None,
    })
}

fn flag(table: &Value, name: &str) -> Option<bool> {
    first(table, name, Value::as_bool)
}

fn array<'a>(table: &'a Value, name: &str) -> Option<&'a [Value]> {
    first(table, name, Value::as_array)
}

fn subtable<'a>(table: &'a Value, name: &str) -> Option<&'a Value> {
    first(table, name, |value| value.as_table().map(|_| value))
}

pub(super) fn texts<'a>(table: &'a Value, name: &str) -> Vec<&'a str> {
    let items = array(table, name).unwrap_or_default();
    items.iter().map_while(Value::as_str).collect()
}

/// Strings only, or none of it.
fn strict_texts<'a>(table: &'a Value, name: &str) -> Option<Vec<&'a str>> {
    array(table, name)?.iter().map(Value::as_str).collect()
}

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
        let tunnel = self.tunnel(attributes);
        if current.as_deref() == Some(device) {
            // In place: the device stays claimed, whatever becomes of the link.
            if self.links.get(device) != tunnel.as_ref() || tunnel.is_none() {
                self.delete_link(device);
                self.create_tunnel(device, tunnel);
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

    /// The tunnel, if the attributes make one.
    fn tunnel(&self, attributes: &Value) -> Option<Tunnel> {
        let mode = text(attributes, "mode").filter(|mode| *mode == "ipip6")?;
        let ttl = int(attributes, "ttl").unwrap_or(0);
        let link = text(attributes, "link").map(str::to_owned);
        if !(0..=255).contains(&ttl)
            || link
                .as_ref()
                .is_some_and(|l| !self.interfaces.contains_key(l))
        {
            return None;
        }
        let end = |name| match text(attributes, name) {
            None => Some(None),
            Some(address) => address
                .parse::<Ipv6Addr>()
                .ok()
                .map(|_| Some(address.to_owned())),
        };
        let data = subtable(attributes, "data");
        let encap = match data.map(|d| text(d, "encaplimit")) {
            None => EncapLimit::Default,
            Some(None | Some("ignore")) => EncapLimit::Ignore,
            Some(Some(limit)) => EncapLimit::Limit(limit.parse().ok()?),
        };
        let fmrs = data.and_then(|d| array(d, "fmrs")).unwrap_or_default();
        Some(Tunnel {
            mode: mode.to_owned(),
            local: end("local")?,
            remote: end("remote")?,
            mtu: int(attributes, "mtu"),
            ttl: if ttl == 0 { 64 } else { ttl },
            link,
            encap,
            fmrs: fmrs.iter().map(fmr).collect::<Option<_>>()?,
        })
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

fn fmr(attributes: &Value) -> Option<Fmr> {
    let prefix6 = text(attributes, "prefix6")?;
    let prefix4 = text(attributes, "prefix4")?;
    let (address6, _) = prefix6.split_once('/').unwrap_or((prefix6, ""));
    let (address4, _) = prefix4.split_once('/').unwrap_or((prefix4, ""));
    address6.parse::<Ipv6Addr>().ok()?;
    address4.parse::<Ipv4Addr>().ok()?;
    Some(Fmr {
        prefix6: prefix6.to_owned(),
        prefix4: prefix4.to_owned(),
        ealen: u8::try_from(int(attributes, "ealen")?).ok()?,
        offset: u8::try_from(int(attributes, "offset")?).ok()?,
    })
}

fn address(item: &Value, v6: bool) -> Option<Address> {
    item.as_table()?;
    let text_address = text(item, "ipaddr")?;
    let full = if v6 {
        text_address.parse::<Ipv6Addr>().ok()?;
        128
    } else {
        text_address.parse::<Ipv4Addr>().ok()?;
        32
    };
    let mask = text(item, "mask").map_or(Some(full), |m| mask_length(m, full))?;
    Some(Address::new(text_address, mask))
}

fn route(item: &Value, v6: bool) -> Option<Route> {
    item.as_table()?;
    if flag(item, "disabled") == Some(true) {
        return None;
    }
    let full = if v6 { 128 } else { 32 };
    let mut mask = text(item, "netmask").map_or(Some(full), |m| mask_length(m, full))?;
    let any = if v6 { "::" } else { "0.0.0.0" };
    let mut target = text(item, "target").unwrap_or(any);
    if let Some((address, length)) = target.split_once('/') {
        target = address;
        mask = mask_length(length, full)?;
    }
    let readable = |address: &str| match v6 {
        true => address.parse::<Ipv6Addr>().is_ok(),
        false => address.parse::<Ipv4Addr>().is_ok(),
    };
    let nexthop = text(item, "gateway").unwrap_or(any);
    if !readable(target) || !readable(nexthop) {
        return None;
    }
    Some(Route {
        metric: int(item, "metric"),
        mtu: int(item, "mtu"),
        table: text(item, "table").map(str::to_owned),
        ..Route::via(target, mask, nexthop)
    })
}

/// `24` or, for IPv4, `255.255.255.0`.
fn mask_length(text: &str, full: u8) -> Option<u8> {
    let length = match text.parse::<Ipv4Addr>() {
        Ok(mask) if full == 32 => u8::try_from(u32::from(mask).leading_ones()).ok()?,
        _ => text.parse().ok()?,
    };
    (length <= full).then_some(length)
}
