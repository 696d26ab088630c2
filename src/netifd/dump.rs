// SPDX-License-Identifier: GPL-2.0-or-later
//! The answer of `network.interface dump`: every interface as netifd sees it.
//!
//! Only what somebody here reads. What is missing or of another type than
//! netifd gives it is passed over, so that one odd interface never hides the
//! others.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value;

/// All interfaces, in netifd's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dump {
    /// Those that have a name.
    pub interfaces: Vec<Interface>,
}

/// Why an answer is not one about interfaces.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DumpError {
    /// Not JSON.
    #[error("netifd's answer is not JSON: {0}")]
    Json(String),
    /// There is no list in it.
    #[error("netifd's list of interfaces cannot be read: it has no array \"interface\"")]
    NoList,
}

/// One interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interface {
    /// Logical name.
    pub name: String,
    /// Protocol; empty if netifd does not say.
    pub proto: String,
    /// It is up.
    pub up: bool,
    /// It is being set up.
    pub pending: bool,
    /// netifd could start it now.
    pub available: bool,
    /// netifd starts it when it becomes available.
    pub autostart: bool,
    /// A program made it; it is in no configuration.
    pub dynamic: bool,
    /// Seconds since it came up.
    pub uptime: Option<u64>,
    /// Its network device.
    pub l3_device: Option<String>,
    /// Metric of its routes.
    pub metric: u64,
    /// The firewall zone it reports (`data.zone`).
    pub zone: Option<String>,
    /// IPv4 addresses with their prefix lengths.
    pub ipv4: Vec<(Ipv4Addr, u8)>,
    /// IPv6 addresses.
    pub ipv6: Vec<Ipv6Entry>,
    /// Delegated and configured IPv6 prefixes.
    pub prefixes: Vec<Ipv6Entry>,
    /// Routes: target and prefix length.
    pub routes: Vec<(IpAddr, u8)>,
    /// Its DNS servers with an IPv6 address, whether or not the router's own
    /// resolver uses them.
    pub dns: Vec<Ipv6Addr>,
    /// Errors, the latest last.
    pub errors: Vec<InterfaceError>,
}

/// An IPv6 address or prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv6Entry {
    /// With host bits.
    pub address: Ipv6Addr,
    /// Prefix length in bits, at most 128.
    pub len: u8,
    /// Preferred lifetime in seconds; `None` if it never ends.
    pub preferred: Option<u64>,
    /// Valid lifetime in seconds; `None` if it never ends.
    pub valid: Option<u64>,
}

/// An error of an interface, as its protocol handler or netifd reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceError {
    /// Its code.
    pub code: String,
    /// What exactly is wrong.
    pub data: Vec<String>,
}

impl Dump {
    /// Reads the answer in its JSON form.
    ///
    /// # Errors
    /// It is not JSON, or has no list of interfaces.
    pub fn from_json(answer: &str) -> Result<Self, DumpError> {
        let dump = parse(answer)?;
        let list = dump.get("interface").and_then(Value::as_array);
        let list = list.ok_or(DumpError::NoList)?;
        Ok(Dump {
            interfaces: list
                .iter()
                .filter_map(|entry| Some(Interface::read(text(entry, "interface")?, entry)))
                .collect(),
        })
    }

    /// The interface of that name.
    pub fn find(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|i| i.name == name)
    }
}

impl Interface {
    /// Reads the answer of `network.interface status` about interface `name`,
    /// in its JSON form.
    ///
    /// # Errors
    /// It is not JSON.
    pub fn from_json(name: &str, answer: &str) -> Result<Self, DumpError> {
        let status = parse(answer)?;
        Ok(Interface::read(name.to_owned(), &status))
    }

    fn read(name: String, value: &Value) -> Self {
        let flag = |key| value.get(key).and_then(Value::as_bool) == Some(true);
        Interface {
            name,
            proto: text(value, "proto").unwrap_or_default(),
            up: flag("up"),
            pending: flag("pending"),
            available: flag("available"),
            autostart: flag("autostart"),
            dynamic: flag("dynamic"),
            uptime: value.get("uptime").and_then(Value::as_u64),
            l3_device: text(value, "l3_device"),
            metric: value.get("metric").and_then(Value::as_u64).unwrap_or(0),
            zone: value.get("data").and_then(|data| text(data, "zone")),
            ipv4: rows(value, "ipv4-address")
                .filter_map(|entry| net(entry, "address", 32))
                .collect(),
            ipv6: rows(value, "ipv6-address")
                .filter_map(Ipv6Entry::read)
                .collect(),
            prefixes: rows(value, "ipv6-prefix")
                .filter_map(Ipv6Entry::read)
                .collect(),
            routes: rows(value, "route")
                .filter_map(|entry| net(entry, "target", 128))
                .collect(),
            dns: dns(value),
            errors: rows(value, "errors")
                .filter_map(InterfaceError::read)
                .collect(),
        }
    }
}

impl Ipv6Entry {
    fn read(value: &Value) -> Option<Self> {
        let (address, len) = net(value, "address", 128)?;
        let lifetime = |key| value.get(key).and_then(Value::as_u64);
        Some(Ipv6Entry {
            address,
            len,
            preferred: lifetime("preferred"),
            valid: lifetime("valid"),
        })
    }
}

impl InterfaceError {
    fn read(value: &Value) -> Option<Self> {
        let words = rows(value, "data").filter_map(Value::as_str);
        Some(InterfaceError {
            code: text(value, "code")?,
            data: words.map(str::to_owned).collect(),
        })
    }
}

/// The line's own servers. `option peerdns '0'` sets those aside in favour of
/// configured ones, which know nothing of names that only the line resolves and
/// must not learn of them. Otherwise netifd lists both kinds alike.
fn dns(value: &Value) -> Vec<Ipv6Addr> {
    let servers = |place: &Value| -> Vec<Ipv6Addr> {
        rows(place, "dns-server")
            .filter_map(|server| server.as_str()?.parse().ok())
            .collect()
    };
    let set_aside = value.get("inactive").map(servers).unwrap_or_default();
    match set_aside.is_empty() {
        true => servers(value),
        false => set_aside,
    }
}

fn parse(text: &str) -> Result<Value, DumpError> {
    serde_json::from_str(text).map_err(|error| DumpError::Json(error.to_string()))
}

/// The elements of an array.
fn rows<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// A text that is not empty.
fn text(value: &Value, key: &str) -> Option<String> {
    let text = value.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// The address under `key`, and `mask`, its prefix length of at most `bits`.
fn net<A: std::str::FromStr>(value: &Value, key: &str, bits: u8) -> Option<(A, u8)> {
    let address = value.get(key)?.as_str()?.parse().ok()?;
    let len = u8::try_from(value.get("mask")?.as_u64()?).ok()?;
    (len <= bits).then_some((address, len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_answer() {
        let text = include_str!("../../tests/data/ubus/dump.reply.json");
        let dump = Dump::from_json(text).unwrap();
        let names: Vec<&str> = dump.interfaces.iter().map(|i| i.name.as_str()).collect();
        assert_eq!(names, ["lan", "loopback", "wan6", "wanmap", "wanmap_"]);
        let lan = dump.find("lan").unwrap();
        assert_eq!(lan.l3_device.as_deref(), Some("lan0"));
        assert_eq!(lan.ipv4, [([192, 168, 1, 1].into(), 24)]);
        assert_eq!(lan.uptime, Some(4));
    }

    #[test]
    fn dns_servers_of_the_line() {
        let text = r#"{"interface":[{"interface":"wan6",
            "dns-server":["2001:db8::53","192.0.2.53",5],
            "inactive":{"dns-server":[]}},
            {"interface":"wan7","dns-server":["2001:4860:4860::8888"],
            "inactive":{"dns-server":["2001:db8::54"]}}]}"#;
        let dump = Dump::from_json(text).unwrap();
        let servers = dump.interfaces.iter().map(|interface| &interface.dns[..]);
        let expected: Vec<Vec<Ipv6Addr>> = ["2001:db8::53", "2001:db8::54"]
            .map(|server| vec![server.parse().unwrap()])
            .into();
        assert!(servers.eq(expected), "{dump:?}");
    }

    #[test]
    fn another_answer_is_refused() {
        for text in ["[]", "{}", r#"{"interface":{}}"#] {
            assert_eq!(Dump::from_json(text), Err(DumpError::NoList), "{text}");
        }
        assert!(matches!(Dump::from_json("{"), Err(DumpError::Json(_))));
    }
}
