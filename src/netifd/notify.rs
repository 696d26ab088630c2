// SPDX-License-Identifier: GPL-2.0-or-later
//! `notify_proto`: what a handler tells netifd.

use std::fmt::Display;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::ubus::Value;

/// One `notify_proto` call.
#[derive(Debug, Clone, PartialEq)]
pub enum Notify {
    /// Action 0 with `link-up` true: device, addresses and routes of a link.
    LinkUp(Box<Update>),
    /// Action 0 with `link-up` false.
    LinkDown,
    /// Action 1: run a command and watch over it while the interface is up.
    Run {
        /// Program and arguments.
        command: Vec<String>,
        /// `KEY=value`.
        env: Vec<String>,
    },
    /// Action 2: send a signal to that command.
    Kill {
        /// Signal number.
        signal: i32,
    },
    /// Action 3: an error for people to see. netifd drops it when the
    /// interface comes up.
    Error {
        /// A code that LuCI translates.
        code: &'static str,
        /// What exactly is wrong.
        detail: String,
    },
    /// Action 4: do not start again until somebody asks for it.
    BlockRestart,
    /// Action 5: whether the interface can be set up at all.
    Available(bool),
    /// Action 6: the interface needs a route to `host`, through `ifname` where
    /// that is given.
    HostDependency {
        /// IPv4 or IPv6 address; `::` is any IPv6 route.
        host: String,
        /// Logical interface.
        ifname: Option<String>,
    },
    /// Action 7: this did not work; tear down and set up again.
    SetupFailed,
}

/// A link that is up.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// Name of the network device.
    pub ifname: String,
    /// The tunnel netifd makes that device of; `None` where the device exists.
    pub tunnel: Option<Tunnel>,
    /// IPv4 addresses; a length of 32 bits is left to netifd.
    pub addresses: Vec<Ipv4Net>,
    /// IPv4 routes through the device.
    pub routes: Vec<Route>,
    /// IPv6 routes through the device.
    pub routes6: Vec<Ipv6Net>,
    /// Free data about the interface; `zone` and `firewall` mean something to
    /// firewall4. A table.
    pub data: Value,
}

/// An IPv4 route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Destination.
    pub target: Ipv4Net,
}

/// An `ipip6` tunnel: IPv4 in IPv6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel {
    /// MTU in bytes.
    pub mtu: u16,
    /// Hop limit of the outer header.
    pub ttl: u8,
    /// Our end.
    pub local: Ipv6Addr,
    /// The other end.
    pub remote: Ipv6Addr,
    /// Logical interface that carries it.
    pub link: String,
    /// Encapsulation limit: `ignore` or 0 to 255 as text; `None` leaves the
    /// kernel's 4, which adds a destination option to each packet.
    pub encaplimit: Option<String>,
    /// Forwarding mapping rules the device itself is to follow. `None` says
    /// nothing about them.
    pub fmrs: Option<Vec<Fmr>>,
}

/// An FMR as netifd and OpenWrt's kernel take it (RFC 7597 dialect only).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fmr {
    /// Rule IPv6 prefix.
    pub prefix6: Ipv6Net,
    /// Rule IPv4 prefix.
    pub prefix4: Ipv4Net,
    /// EA-bits length in bits.
    pub ealen: u8,
    /// PSID offset in bits.
    pub offset: u8,
}

impl Notify {
    /// The message for `network.interface`, in the order the shell handlers
    /// write it.
    pub fn to_value(&self, interface: &str) -> Value {
        let mut message = Value::table();
        message.put("action", Value::Int32(self.action()));
        match self {
            Notify::LinkUp(update) => update.put(&mut message),
            Notify::LinkDown => message.put("link-up", Value::Bool(false)),
            Notify::Run { command, env } => {
                message.put("command", list(command, text));
                message.put("env", list(env, text));
            }
            Notify::Kill { signal } => message.put("signal", Value::Int32(*signal)),
            Notify::Error { code, detail } => {
                message.put("error", list(&[code, detail.as_str()], text));
            }
            Notify::Available(available) => message.put("available", Value::Bool(*available)),
            Notify::HostDependency { host, ifname } => {
                message.put("host", text(host));
                if let Some(ifname) = ifname {
                    message.put("ifname", text(ifname));
                }
            }
            Notify::BlockRestart | Notify::SetupFailed => {}
        }
        message.put("interface", text(&interface));
        message
    }

    fn action(&self) -> i32 {
        match self {
            Notify::LinkUp(_) | Notify::LinkDown => 0,
            Notify::Run { .. } => 1,
            Notify::Kill { .. } => 2,
            Notify::Error { .. } => 3,
            Notify::BlockRestart => 4,
            Notify::Available(_) => 5,
            Notify::HostDependency { .. } => 6,
            Notify::SetupFailed => 7,
        }
    }
}

fn text(text: &impl AsRef<str>) -> Value {
    Value::from(text.as_ref())
}

fn list<T>(items: &[T], value: impl Fn(&T) -> Value) -> Value {
    let mut list = Vec::with_capacity(items.len());
    for item in items {
        list.push(value(item));
    }
    Value::Array(list)
}

impl Update {
    fn put(&self, message: &mut Value) {
        message.put("ifname", text(&self.ifname));
        message.put("link-up", Value::Bool(true));
        if let Some(tunnel) = &self.tunnel {
            message.put("tunnel", tunnel.to_value());
        }
        message.put("data", self.data.clone());
        message.put("keep", Value::Bool(false));
        message.put("ipaddr", list(&self.addresses, address));
        message.put("routes", list(&self.routes, route));
        if !self.routes6.is_empty() {
            message.put("routes6", list(&self.routes6, route6));
        }
    }
}

fn address(net: &Ipv4Net) -> Value {
    let mut entry = Value::texts(&[("ipaddr", &net.addr().to_string())]);
    if net.prefix_len() < 32 {
        entry.put("mask", net.prefix_len().to_string().into());
    }
    entry
}

fn route6(net: &Ipv6Net) -> Value {
    target(&net.addr(), net.prefix_len())
}

fn target(address: &dyn Display, len: u8) -> Value {
    Value::texts(&[
        ("target", &address.to_string()),
        ("netmask", &len.to_string()),
    ])
}

impl Route {
    /// `0.0.0.0/0`.
    pub const DEFAULT: Route = Route {
        // Length 0 is always legal; assert spares an unwrap.
        target: Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0),
    };
}

fn route(route: &Route) -> Value {
    target(&route.target.addr(), route.target.prefix_len())
}

impl Tunnel {
    fn to_value(&self) -> Value {
        // Even an empty table counts: without it netifd leaves the
        // encapsulation limit of an existing device as it is.
        let mut data = Value::table();
        if let Some(limit) = &self.encaplimit {
            data.put("encaplimit", text(limit));
        }
        if let Some(fmrs) = &self.fmrs {
            data.put("fmrs", list(fmrs, fmr));
        }
        let mut tunnel = Value::texts(&[("mode", "ipip6")]);
        tunnel.put("mtu", Value::Int32(self.mtu.into()));
        tunnel.put("ttl", Value::Int32(self.ttl.into()));
        tunnel.put("local", text(&self.local.to_string()));
        tunnel.put("remote", text(&self.remote.to_string()));
        tunnel.put("link", text(&self.link));
        tunnel.put("data", data);
        tunnel
    }
}

impl Fmr {
    /// Most FMRs netifd can hand to the kernel.
    ///
    /// It writes the tunnel into a netlink message of 4096 bytes, 64 of them
    /// for each FMR and at most 148 before the first. Of the 62nd, length, EA
    /// bits and offset no longer fit, nor does the flag after it that switches
    /// the encapsulation limit off; netifd does not notice. From the 64th on
    /// it refuses the whole tunnel.
    pub const MAX: usize = 61;
}

fn fmr(fmr: &Fmr) -> Value {
    let mut entry = Value::texts(&[
        ("prefix6", &fmr.prefix6.to_string()),
        ("prefix4", &fmr.prefix4.to_string()),
    ]);
    entry.put("ealen", Value::Int32(fmr.ealen.into()));
    entry.put("offset", Value::Int32(fmr.offset.into()));
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_what_netifd_checks() {
        let value = Notify::SetupFailed.to_value("wanmap");
        assert_eq!(value.get("action"), Some(&Value::Int32(7)));
        assert_eq!(
            value.get("interface"),
            Some(&Value::String("wanmap".into()))
        );
        let down = Notify::LinkDown.to_value("w");
        assert_eq!(down.get("link-up"), Some(&Value::Bool(false)));
        let available = Notify::Available(true).to_value("w");
        assert_eq!(available.get("available"), Some(&Value::Bool(true)));
        let kill = Notify::Kill { signal: 15 }.to_value("w");
        assert_eq!(kill.get("signal"), Some(&Value::Int32(15)));
    }

    #[test]
    fn a_prefix_carries_its_length_as_text() {
        let value = address(&"192.0.2.16/28".parse().unwrap());
        assert_eq!(value.get("mask"), Some(&Value::String("28".into())));
        assert_eq!(address(&"192.0.2.1/32".parse().unwrap()).get("mask"), None);
    }
}
