// SPDX-License-Identifier: GPL-2.0-or-later
//! `notify_proto`: what a handler tells netifd.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::ubus::Value;

/// One `notify_proto` call.
#[derive(Debug, Clone, PartialEq)]
pub enum Notify<'a> {
    /// Action 0 with `link-up` true: device, addresses and routes of a link.
    LinkUp(&'a Update<'a>),
    /// Action 0 with `link-up` false.
    LinkDown,
    /// Action 0 with `link-up` true, on the interface's own device: one IPv6
    /// address of 128 bits and nothing else.
    Address(Ipv6Addr),
    /// Action 3: an error for people to see. netifd drops it when the
    /// interface comes up.
    Error {
        /// A code that LuCI translates.
        code: &'a str,
        /// What exactly is wrong.
        detail: &'a str,
    },
    /// Action 4: do not start again until somebody asks for it.
    BlockRestart,
    /// Action 6: the interface needs a route to `host`, through `ifname` where
    /// that is given.
    HostDependency {
        /// IPv4 or IPv6 address; `::` is any IPv6 route.
        host: &'a str,
        /// Logical interface.
        ifname: Option<&'a str>,
    },
    /// Action 7: this did not work; tear down and set up again.
    SetupFailed,
}

/// A link that is up. All of IPv4 is routed through it.
#[derive(Debug, Clone, PartialEq)]
pub struct Update<'a> {
    /// Name of the network device.
    pub ifname: &'a str,
    /// The tunnel netifd makes that device of; `None` where the device exists.
    pub tunnel: Option<Tunnel<'a>>,
    /// IPv4 address of the link.
    pub address: Ipv4Addr,
    /// An IPv6 address to route into the device.
    pub inside: Option<Ipv6Addr>,
    /// Free data about the interface; `zone` and `firewall` mean something to
    /// firewall4. A table.
    pub data: Value,
}

/// An `ipip6` tunnel: IPv4 in IPv6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel<'a> {
    /// MTU in bytes.
    pub mtu: u16,
    /// Hop limit of the outer header.
    pub ttl: u8,
    /// Our end.
    pub local: Ipv6Addr,
    /// The other end.
    pub remote: Ipv6Addr,
    /// Logical interface that carries it.
    pub link: &'a str,
    /// Encapsulation limit: `ignore` or 0 to 255 as text; `None` leaves the
    /// kernel's 4, which adds a destination option to each packet.
    pub encaplimit: Option<&'a str>,
    /// Forwarding mapping rules the device itself is to follow. `None` says
    /// nothing about them.
    pub fmrs: Option<&'a [Fmr]>,
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

impl Notify<'_> {
    /// The message for `network.interface`, in the order the shell handlers
    /// write it.
    pub fn to_value(&self, interface: &str) -> Value {
        let mut message = Value::table();
        message.put("action", Value::Int32(self.action()));
        match self {
            Notify::LinkUp(update) => update.put(&mut message),
            Notify::LinkDown => message.put("link-up", Value::Bool(false)),
            Notify::Address(address) => {
                message.put("link-up", Value::Bool(true));
                message.put("keep", Value::Bool(false));
                let row = [("ipaddr", &*address.to_string()), ("mask", "128")];
                message.put("ip6addr", only(&row));
            }
            Notify::Error { code, detail } => {
                let words = vec![Value::from(*code), Value::from(*detail)];
                message.put("error", words.into());
            }
            Notify::HostDependency { host, ifname } => {
                message.put_text("host", host);
                message.put_known("ifname", *ifname);
            }
            Notify::BlockRestart | Notify::SetupFailed => {}
        }
        message.put_text("interface", interface);
        message
    }

    fn action(&self) -> i32 {
        match self {
            Notify::LinkUp(_) | Notify::LinkDown | Notify::Address(_) => 0,
            Notify::Error { .. } => 3,
            Notify::BlockRestart => 4,
            Notify::HostDependency { .. } => 6,
            Notify::SetupFailed => 7,
        }
    }
}

/// A list of one table.
fn only(members: &[(&str, &str)]) -> Value {
    Value::Array(vec![Value::texts(members)])
}

impl Update<'_> {
    fn put(&self, message: &mut Value) {
        message.put_text("ifname", self.ifname);
        message.put("link-up", Value::Bool(true));
        if let Some(tunnel) = &self.tunnel {
            message.put("tunnel", tunnel.to_value());
        }
        message.put("data", self.data.clone());
        message.put("keep", Value::Bool(false));
        // Without a mask it has 32 bits.
        message.put("ipaddr", only(&[("ipaddr", &self.address.to_string())]));
        message.put("routes", only(&[("target", "0.0.0.0"), ("netmask", "0")]));
        if let Some(inside) = self.inside {
            let route = [("target", &*inside.to_string()), ("netmask", "128")];
            message.put("routes6", only(&route));
        }
    }
}

impl Tunnel<'_> {
    fn to_value(&self) -> Value {
        // Even an empty table counts: without it netifd leaves the
        // encapsulation limit of an existing device as it is.
        let mut data = Value::table();
        data.put_known("encaplimit", self.encaplimit);
        if let Some(fmrs) = self.fmrs {
            let mut list = Vec::new();
            for fmr in fmrs {
                list.push(fmr.to_value());
            }
            data.put("fmrs", list.into());
        }
        let mut tunnel = Value::texts(&[("mode", "ipip6")]);
        tunnel.put("mtu", Value::Int32(self.mtu.into()));
        tunnel.put("ttl", Value::Int32(self.ttl.into()));
        tunnel.put_text("local", &self.local.to_string());
        tunnel.put_text("remote", &self.remote.to_string());
        tunnel.put_text("link", self.link);
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

    fn to_value(self) -> Value {
        let mut entry = Value::table();
        entry.put_text("prefix6", &self.prefix6.to_string());
        entry.put_text("prefix4", &self.prefix4.to_string());
        entry.put("ealen", Value::Int32(self.ealen.into()));
        entry.put("offset", Value::Int32(self.offset.into()));
        entry
    }
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
    }

    #[test]
    fn an_address_alone() {
        let value = Notify::Address(Ipv6Addr::LOCALHOST).to_value("w_");
        let row = Value::texts(&[("ipaddr", "::1"), ("mask", "128")]);
        assert_eq!(value.get("ip6addr"), Some(&Value::Array(vec![row])));
        assert_eq!(value.get("link-up"), Some(&Value::Bool(true)));
        assert_eq!(value.get("ifname"), None, "the device is the uplink's");
    }

    #[test]
    fn an_address_to_route_inside_has_128_bits() {
        let update = Update {
            ifname: "map-w",
            tunnel: None,
            address: [192, 0, 2, 1].into(),
            inside: Some(Ipv6Addr::LOCALHOST),
            data: Value::table(),
        };
        let value = Notify::LinkUp(&update).to_value("w");
        let route = Value::texts(&[("target", "::1"), ("netmask", "128")]);
        assert_eq!(value.get("routes6"), Some(&Value::Array(vec![route])));
        assert_eq!(value.get("tunnel"), None);
    }
}
