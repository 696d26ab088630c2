// SPDX-License-Identifier: GPL-2.0-or-later
//! What netifd knows of an interface, and how it tells it: `status` and `dump`.

use super::blobmsg::Value;
use super::handler::HandlerState;
use std::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Down,
    Setup,
    Up,
    Teardown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub address: String,
    pub mask: u8,
}

impl Address {
    pub fn new(address: &str, mask: u8) -> Self {
        Address {
            address: address.to_owned(),
            mask,
        }
    }

    pub fn is_v6(&self) -> bool {
        self.address.contains(':')
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub target: String,
    pub mask: u8,
    pub nexthop: String,
    pub metric: Option<i32>,
    pub mtu: Option<i32>,
    pub table: Option<String>,
    pub source: String,
}

impl Route {
    pub fn new(target: &str, mask: u8) -> Self {
        let v6 = target.contains(':');
        let any = if v6 { "::" } else { "0.0.0.0" };
        Route {
            target: target.to_owned(),
            mask,
            nexthop: any.to_owned(),
            metric: None,
            mtu: None,
            table: None,
            source: format!("{any}/0"),
        }
    }

    pub fn via(target: &str, mask: u8, nexthop: &str) -> Self {
        Route {
            nexthop: nexthop.to_owned(),
            ..Route::new(target, mask)
        }
    }
}

/// A delegated prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    pub address: String,
    pub mask: u8,
    /// Seconds, where a lease gave it.
    pub lifetimes: Option<(i32, i32)>,
    pub class: String,
    /// Interface, address and length of what was handed on.
    pub assigned: Vec<(String, String, u8)>,
}

/// A piece of another interface's delegated prefix, with the address taken from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub address: String,
    pub mask: u8,
    pub local: Option<String>,
}

pub struct Interface {
    pub name: String,
    pub proto: String,
    pub state: State,
    pub available: bool,
    pub autostart: bool,
    pub dynamic: bool,
    /// A dynamic one that was taken down: netifd removes it when that is done.
    pub leaving: bool,
    /// Method `remove` was called: it is gone a moment later.
    pub removing: bool,
    pub since: Instant,
    /// Main device; handlers without device have none.
    pub device: Option<String>,
    pub l3_device: Option<String>,
    pub updated: Vec<&'static str>,
    pub addresses: Vec<Address>,
    pub prefixes: Vec<Prefix>,
    pub assignments: Vec<Assignment>,
    pub routes: Vec<Route>,
    /// Resolvers of the line.
    pub dns: Vec<String>,
    pub metric: i32,
    pub zone: Option<String>,
    /// In the order of their names.
    pub data: Vec<(String, Value)>,
    /// Subsystem, code and details.
    pub errors: Vec<(String, String, Vec<String>)>,
    /// The interface a dynamic one lies on.
    pub parent: Option<String>,
    /// What a dynamic interface was made from.
    pub made_from: Option<Value>,
    /// For protocols with a script.
    pub handler: Option<HandlerState>,
}

impl Interface {
    /// A static interface on a device; it is down until told otherwise.
    pub fn on(name: &str, device: &str) -> Self {
        Interface {
            device: Some(device.to_owned()),
            l3_device: Some(device.to_owned()),
            ..Interface::new(name, "static")
        }
    }

    /// A resolver of the line.
    pub fn dns(mut self, resolver: &str) -> Self {
        self.dns.push(resolver.to_owned());
        self
    }

    pub fn new(name: &str, proto: &str) -> Self {
        Interface {
            name: name.to_owned(),
            proto: proto.to_owned(),
            state: State::Down,
            available: true,
            autostart: true,
            dynamic: false,
            leaving: false,
            removing: false,
            since: Instant::now(),
            device: None,
            l3_device: None,
            updated: Vec::new(),
            addresses: Vec::new(),
            prefixes: Vec::new(),
            assignments: Vec::new(),
            routes: Vec::new(),
            dns: Vec::new(),
            metric: 0,
            zone: None,
            data: Vec::new(),
            errors: Vec::new(),
            parent: None,
            made_from: None,
            handler: None,
        }
    }

    #[must_use]
    pub fn address(mut self, address: &str, mask: u8) -> Self {
        self.addresses.push(Address::new(address, mask));
        self
    }

    #[must_use]
    pub fn prefix(mut self, address: &str, mask: u8) -> Self {
        self.prefixes.push(Prefix {
            address: address.to_owned(),
            mask,
            lifetimes: None,
            class: self.name.clone(),
            assigned: Vec::new(),
        });
        self
    }

    #[must_use]
    pub fn route(mut self, route: Route) -> Self {
        self.routes.push(route);
        self
    }

    #[must_use]
    pub fn zone(mut self, zone: &str) -> Self {
        self.set_data("zone", Value::from(zone));
        self
    }

    pub fn is_up(&self) -> bool {
        self.state == State::Up
    }

    /// The codes of the errors netifd would show.
    pub fn error_codes(&self) -> Vec<&str> {
        self.errors
            .iter()
            .map(|(_, code, _)| code.as_str())
            .collect()
    }

    /// Adds or replaces one key; nothing is ever removed while the interface lives. Says whether
    /// that changed anything.
    pub fn set_data(&mut self, name: &str, value: Value) -> bool {
        match self.data.binary_search_by(|(n, _)| n.as_str().cmp(name)) {
            Ok(at) if self.data[at].1 == value => false,
            Ok(at) => {
                self.data[at].1 = value;
                true
            }
            Err(at) => {
                self.data.insert(at, (name.to_owned(), value));
                true
            }
        }
    }

    /// The members of `status`, in netifd's order.
    pub fn status(&self) -> Value {
        let up = self.state == State::Up;
        let mut status = Value::table()
            .with("up", up)
            .with("pending", self.state == State::Setup)
            .with("available", self.available)
            .with("autostart", self.autostart)
            .with("dynamic", self.dynamic);
        if up {
            let uptime = i32::try_from(self.since.elapsed().as_secs()).unwrap();
            status = status.with("uptime", uptime);
            if let Some(device) = &self.l3_device {
                status = status.with("l3_device", device.as_str());
            }
        }
        status = status.with("proto", self.proto.as_str());
        if let Some(device) = &self.device {
            status = status.with("device", device.as_str());
        }
        if up {
            status = self.settings(status);
        }
        let mut data = Value::table();
        if let Some(zone) = &self.zone {
            data = data.with("zone", zone.as_str());
        }
        for (name, value) in &self.data {
            data = data.with(name, value.clone());
        }
        status = status.with("data", data);
        if !self.errors.is_empty() {
            status = status.with("errors", self.errors.iter().map(error).collect::<Vec<_>>());
        }
        status
    }

    fn settings(&self, mut status: Value) -> Value {
        if !self.updated.is_empty() {
            let updated: Vec<_> = self.updated.iter().map(|u| Value::from(*u)).collect();
            status = status.with("updated", updated);
        }
        let none = Vec::<Value>::new;
        let inactive = Value::table()
            .with("ipv4-address", none())
            .with("ipv6-address", none())
            .with("route", none())
            .with("dns-server", none())
            .with("dns-search", none())
            .with("neighbors", none());
        status
            .with("metric", self.metric)
            .with("dns_metric", 0)
            .with("delegation", true)
            .with("ipv4-address", self.address_list(false))
            .with("ipv6-address", self.address_list(true))
            .with(
                "ipv6-prefix",
                self.prefixes.iter().map(prefix).collect::<Vec<_>>(),
            )
            .with(
                "ipv6-prefix-assignment",
                self.assignments.iter().map(assignment).collect::<Vec<_>>(),
            )
            .with("route", self.routes.iter().map(route).collect::<Vec<_>>())
            .with(
                "dns-server",
                self.dns
                    .iter()
                    .map(|dns| dns.as_str().into())
                    .collect::<Vec<Value>>(),
            )
            .with("dns-search", none())
            .with("neighbors", none())
            .with("inactive", inactive)
    }

    fn address_list(&self, v6: bool) -> Vec<Value> {
        self.addresses
            .iter()
            .filter(|a| a.is_v6() == v6)
            .map(|a| with_mask(&a.address, a.mask))
            .collect()
    }
}

fn with_mask(address: &str, mask: u8) -> Value {
    Value::table()
        .with("address", address)
        .with("mask", i32::from(mask))
}

fn prefix(prefix: &Prefix) -> Value {
    let mut assigned = Value::table();
    for (interface, address, mask) in &prefix.assigned {
        assigned = assigned.with(interface, with_mask(address, *mask));
    }
    let mut table = with_mask(&prefix.address, prefix.mask);
    if let Some((preferred, valid)) = prefix.lifetimes {
        table = table.with("preferred", preferred).with("valid", valid);
    }
    table
        .with("class", prefix.class.as_str())
        .with("assigned", assigned)
}

fn assignment(assignment: &Assignment) -> Value {
    let local = match &assignment.local {
        Some(address) => with_mask(address, assignment.mask),
        None => Value::table(),
    };
    with_mask(&assignment.address, assignment.mask).with("local-address", local)
}

fn route(route: &Route) -> Value {
    let mut table = Value::table()
        .with("target", route.target.as_str())
        .with("mask", i32::from(route.mask))
        .with("nexthop", route.nexthop.as_str());
    if let Some(mtu) = route.mtu {
        table = table.with("mtu", mtu);
    }
    if let Some(metric) = route.metric {
        table = table.with("metric", metric);
    }
    table.with("source", route.source.as_str())
}

fn error((subsystem, code, details): &(String, String, Vec<String>)) -> Value {
    let mut table = Value::table()
        .with("subsystem", subsystem.as_str())
        .with("code", code.as_str());
    if !details.is_empty() {
        let details: Vec<_> = details.iter().map(|d| Value::from(d.as_str())).collect();
        table = table.with("data", details);
    }
    table
}
