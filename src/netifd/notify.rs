// SPDX-License-Identifier: GPL-2.0-or-later
//! `notify_proto`: what a handler tells netifd.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::reason::Reason;
use crate::ubus::{Arguments, Builder};

/// One `notify_proto` call.
#[derive(Debug, Clone, PartialEq)]
pub enum Notify<'a> {
    /// Action 0 with `link-up` true: device, addresses and routes of a link.
    LinkUp(&'a Update<'a>),
    /// Action 0 with `link-up` true, on the interface's own device: one IPv6
    /// address of 128 bits and nothing else.
    Address(Ipv6Addr),
    /// Action 1: run this program until the interface is torn down. netifd
    /// tears the interface down if the program ends by itself.
    RunTask {
        /// Its path, then its arguments, which anybody can read.
        command: &'a [&'a str],
    },
    /// Action 3: an error for people to see. netifd drops it when the
    /// interface comes up.
    Error {
        /// A code that LuCI translates.
        code: &'a str,
        /// What exactly is wrong, in English.
        detail: &'a str,
        /// The same for programs; netifd passes on nothing but texts, so it
        /// goes as JSON.
        reason: &'a Reason,
    },
    /// Action 6: the interface needs a route to `host`, through `ifname` if
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
    /// The tunnel netifd makes that device of; `None` if the device exists.
    pub tunnel: Option<Tunnel<'a>>,
    /// IPv4 address of the link.
    pub address: Ipv4Addr,
    /// Metric of the default route, if it is not that of the interface.
    pub metric: Option<u32>,
    /// An IPv6 address to route into the device.
    pub inside: Option<Ipv6Addr>,
    /// The firewall zone to put the interface into.
    pub zone: Option<&'a str>,
    /// Rules for firewall4.
    pub firewall: Vec<FirewallRule>,
}

/// A rule as firewall4 takes it from an interface's `data.firewall`: options
/// of a section of `/etc/config/firewall`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirewallRule(pub Vec<(&'static str, String)>);

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
    /// Encapsulation limit: `ignore` or 0 to 255 as text. A limit adds a
    /// destination option to each packet; with `None` netifd sets none.
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
    pub fn to_arguments(&self, interface: &str) -> Arguments {
        Arguments::build(|message| {
            message.put_i32(Some("action"), self.action());
            match self {
                Notify::LinkUp(update) => update.put(message),
                Notify::Address(address) => {
                    message.put_bool(Some("link-up"), true);
                    message.put_bool(Some("keep"), false);
                    let row = [("ipaddr", &*address.to_string()), ("mask", "128")];
                    put_only(message, "ip6addr", &row);
                }
                Notify::Error {
                    code,
                    detail,
                    reason,
                } => {
                    message.open_array(Some("error"));
                    message.put_str(None, code);
                    message.put_str(None, detail);
                    if let Some(json) = reason.coded() {
                        message.put_str(None, &json.to_string());
                    }
                    message.close_array();
                }
                Notify::RunTask { command } => {
                    message.open_array(Some("command"));
                    for word in *command {
                        message.put_str(None, word);
                    }
                    message.close_array();
                }
                Notify::HostDependency { host, ifname } => {
                    message.put_str(Some("host"), host);
                    put_known(message, "ifname", *ifname);
                }
                Notify::SetupFailed => {}
            }
            message.put_str(Some("interface"), interface);
        })
    }

    fn action(&self) -> i32 {
        match self {
            Notify::LinkUp(_) | Notify::Address(_) => 0,
            Notify::RunTask { .. } => 1,
            Notify::Error { .. } => 3,
            Notify::HostDependency { .. } => 6,
            Notify::SetupFailed => 7,
        }
    }
}

fn put_known(table: &mut Builder, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        table.put_str(Some(name), text);
    }
}

fn put_texts<'t>(table: &mut Builder, members: impl IntoIterator<Item = (&'t str, &'t str)>) {
    for (name, text) in members {
        table.put_str(Some(name), text);
    }
}

/// A list of one table of texts.
fn put_only(message: &mut Builder, name: &str, members: &[(&str, &str)]) {
    message.open_array(Some(name));
    message.open_table(None);
    put_texts(message, members.iter().copied());
    message.close_table();
    message.close_array();
}

impl Update<'_> {
    fn put(&self, message: &mut Builder) {
        message.put_str(Some("ifname"), self.ifname);
        message.put_bool(Some("link-up"), true);
        if let Some(tunnel) = &self.tunnel {
            tunnel.put(message);
        }
        message.open_table(Some("data"));
        put_known(message, "zone", self.zone);
        self.put_firewall(message);
        message.close_table();
        message.put_bool(Some("keep"), false);
        // Without a mask it has 32 bits.
        put_only(message, "ipaddr", &[("ipaddr", &self.address.to_string())]);
        message.open_array(Some("routes"));
        message.open_table(None);
        put_texts(message, [("target", "0.0.0.0"), ("netmask", "0")]);
        if let Some(metric) = self.metric.and_then(|metric| i32::try_from(metric).ok()) {
            message.put_i32(Some("metric"), metric);
        }
        message.close_table();
        message.close_array();
        if let Some(inside) = self.inside {
            let route = [("target", &*inside.to_string()), ("netmask", "128")];
            put_only(message, "routes6", &route);
        }
    }

    fn put_firewall(&self, data: &mut Builder) {
        if self.firewall.is_empty() {
            return;
        }
        data.open_array(Some("firewall"));
        for FirewallRule(options) in &self.firewall {
            data.open_table(None);
            put_texts(
                data,
                options.iter().map(|(name, text)| (*name, text.as_str())),
            );
            data.close_table();
        }
        data.close_array();
    }
}

impl Tunnel<'_> {
    fn put(&self, message: &mut Builder) {
        message.open_table(Some("tunnel"));
        message.put_str(Some("mode"), "ipip6");
        message.put_i32(Some("mtu"), self.mtu.into());
        message.put_i32(Some("ttl"), self.ttl.into());
        message.put_str(Some("local"), &self.local.to_string());
        message.put_str(Some("remote"), &self.remote.to_string());
        message.put_str(Some("link"), self.link);
        // Even an empty table counts: without it netifd leaves the
        // encapsulation limit of an existing device as it is.
        message.open_table(Some("data"));
        put_known(message, "encaplimit", self.encaplimit);
        if let Some(fmrs) = self.fmrs {
            message.open_array(Some("fmrs"));
            for fmr in fmrs {
                fmr.put(message);
            }
            message.close_array();
        }
        message.close_table();
        message.close_table();
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

    fn put(self, list: &mut Builder) {
        list.open_table(None);
        list.put_str(Some("prefix6"), &self.prefix6.to_string());
        list.put_str(Some("prefix4"), &self.prefix4.to_string());
        list.put_i32(Some("ealen"), self.ealen.into());
        list.put_i32(Some("offset"), self.offset.into());
        list.close_table();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::said;
    use crate::ubus::Answer;
    use serde_json::{Value, json};

    fn as_json(notify: &Notify<'_>) -> Value {
        let answer = Answer::new(notify.to_arguments("w").contents().to_vec());
        serde_json::from_str(&answer.to_json().unwrap()).unwrap()
    }

    #[test]
    fn a_failure_is_a_number_alone() {
        let failed = as_json(&Notify::SetupFailed);
        assert_eq!(failed, json!({"action": 7, "interface": "w"}));
    }

    #[test]
    fn an_error_with_its_reason_for_programs() {
        let reason = said!("uplink_down", "{uplink} is not up yet", "wan6");
        let told = as_json(&Notify::Error {
            code: "MAPE_NO_UPLINK_PREFIX",
            detail: &reason.to_string(),
            reason: &reason,
        });
        let json = r#"{"args":{"uplink":"wan6"},"code":"uplink_down"}"#;
        let expected = json!(["MAPE_NO_UPLINK_PREFIX", "wan6 is not up yet", json]);
        assert_eq!(told["error"], expected);
    }

    #[test]
    fn an_address_alone() {
        let told = as_json(&Notify::Address(Ipv6Addr::LOCALHOST));
        assert_eq!(told["ip6addr"], json!([{"ipaddr": "::1", "mask": "128"}]));
        assert_eq!(told["link-up"], true);
        assert_eq!(told.get("ifname"), None, "the device is the uplink's");
    }

    #[test]
    fn an_address_to_route_inside_has_128_bits() {
        let update = Update {
            ifname: "map-w",
            tunnel: None,
            metric: None,
            address: [192, 0, 2, 1].into(),
            inside: Some(Ipv6Addr::LOCALHOST),
            zone: None,
            firewall: vec![FirewallRule(vec![("type", "rule".into())])],
        };
        let told = as_json(&Notify::LinkUp(&update));
        assert_eq!(
            told["routes6"],
            json!([{"target": "::1", "netmask": "128"}])
        );
        assert_eq!(told["data"], json!({"firewall": [{"type": "rule"}]}));
        assert_eq!(told.get("tunnel"), None);
    }
}
