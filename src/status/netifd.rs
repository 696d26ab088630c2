// SPDX-License-Identifier: GPL-2.0-or-later
//! What netifd says of an interface, apart from its addresses.

use serde::Serialize;

use crate::value::Value;
use crate::view::fill;

/// An interface of `network.interface dump`.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a>(&'a Value);

/// Where an interface stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It is up.
    Up,
    /// It is being set up, or waits for what can come right by itself.
    Pending,
    /// Something is wrong.
    Error,
    /// It is not started.
    Down,
}

impl Phase {
    /// As the bus says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Up => "up",
            Phase::Pending => "pending",
            Phase::Error => "error",
            Phase::Down => "down",
        }
    }
}

impl<'a> Known<'a> {
    /// All interfaces of a dump.
    pub fn all(dump: &'a Value) -> impl Iterator<Item = Known<'a>> {
        let all = rows(dump, "interface").iter().map(Known);
        all.filter(|known| !known.name().is_empty())
    }

    /// Logical name.
    pub fn name(self) -> &'a str {
        self.text("interface").unwrap_or_default()
    }

    /// Protocol.
    pub fn proto(self) -> &'a str {
        self.text("proto").unwrap_or_default()
    }

    /// It is up.
    pub fn up(self) -> bool {
        self.flag("up")
    }

    /// Seconds since it came up.
    pub fn uptime(self) -> Option<u64> {
        let uptime = self.0.get("uptime").and_then(Value::as_u64);
        uptime.filter(|_| self.up())
    }

    /// Its network device, where it has one.
    pub fn device(self) -> Option<&'a str> {
        self.text("l3_device")
    }

    /// The zone it reports to the firewall.
    pub fn zone(self) -> Option<&'a str> {
        Known(self.0.get("data")?).text("zone")
    }

    /// The last error: code and what exactly is wrong.
    pub fn error(self) -> Option<(String, String)> {
        let mut last = None;
        for error in rows(self.0, "errors") {
            // NO_DEVICE is netifd's way to say that it waits for the uplink.
            if let Some(code) = Known(error)
                .text("code")
                .filter(|code| *code != "NO_DEVICE")
            {
                let mut words = Vec::new();
                for word in rows(error, "data") {
                    words.extend(word.as_str());
                }
                last = Some((code.to_owned(), words.join(" ")));
            }
        }
        last
    }

    /// IPv4 addresses with their lengths.
    pub fn ipv4(self) -> Vec<String> {
        let mut all = Vec::new();
        for address in rows(self.0, "ipv4-address") {
            all.extend(fill(address, "{address}/{mask}"));
        }
        all
    }

    /// It has an IPv4 default route.
    pub fn default4(self) -> bool {
        let mut routes = rows(self.0, "route").iter();
        routes.any(|route| fill(route, "{target}/{mask}").as_deref() == Some("0.0.0.0/0"))
    }

    fn flag(self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool) == Some(true)
    }

    fn text(self, key: &str) -> Option<&'a str> {
        let text = self.0.get(key)?.as_str();
        text.filter(|text| !text.is_empty())
    }

    /// Where it stands. An interface that waits for a prefix has an error
    /// too, but nothing is wrong with it.
    pub fn phase(self) -> Phase {
        let (pending, autostart) = (self.flag("pending"), self.flag("autostart"));
        match self.error() {
            _ if self.up() => Phase::Up,
            _ if autostart && !self.flag("available") => Phase::Pending,
            Some((code, _)) if code != "MAPE_NO_UPLINK_PREFIX" => Phase::Error,
            _ if pending => Phase::Pending,
            Some(_) if autostart => Phase::Pending,
            Some(_) => Phase::Error,
            None => Phase::Down,
        }
    }
}

/// An array among the members of an object; empty where there is none.
pub(crate) fn rows<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    match value.get(key) {
        Some(Value::Array(rows)) => rows,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::tests::of;
    use serde_json::{Value, json};

    fn phase(more: Value) -> Phase {
        let mut interface = json!({
            "interface": "wanmap", "proto": "mape", "up": false, "pending": false,
            "available": true, "autostart": true,
        });
        for (key, value) in more.as_object().unwrap() {
            interface[key] = value.clone();
        }
        let dump = of(json!({ "interface": [interface] }));
        Known::all(&dump).next().unwrap().phase()
    }

    #[test]
    fn phases() {
        let error = |code: &str| json!([{"subsystem": "proto", "code": code, "data": ["x"]}]);
        let no_prefix = error("MAPE_NO_UPLINK_PREFIX");
        for (more, expected) in [
            (json!({"up": true}), Phase::Up),
            (json!({"pending": true}), Phase::Pending),
            (
                json!({"pending": true, "errors": no_prefix}),
                Phase::Pending,
            ),
            (json!({"available": false}), Phase::Pending),
            (
                json!({"available": false, "errors": error("NO_DEVICE")}),
                Phase::Pending,
            ),
            (json!({"autostart": false}), Phase::Down),
            (
                json!({"autostart": false, "errors": error("MAPE_INVALID_CONFIG")}),
                Phase::Error,
            ),
            (
                json!({"pending": true, "errors": error("MAPE_UNKNOWN_PROVIDER")}),
                Phase::Error,
            ),
        ] {
            assert_eq!(phase(more.clone()), expected, "{more}");
        }
    }

    #[test]
    fn a_real_answer() {
        let text = include_str!("../../tests/data/ubus/dump.reply.json");
        let dump = crate::json::parse(text).unwrap();
        let all: Vec<Known<'_>> = Known::all(&dump).collect();
        let names: Vec<&str> = all.iter().map(|i| i.name()).collect();
        assert!(
            names.contains(&"lan") && names.contains(&"wan6"),
            "{names:?}"
        );
        let lan = all.iter().find(|i| i.name() == "lan").unwrap();
        assert_eq!(lan.device(), Some("lan0"));
        assert_eq!(lan.ipv4(), ["192.168.1.1/24"]);
        assert_eq!(lan.uptime(), Some(4));
    }
}
