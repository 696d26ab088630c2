// SPDX-License-Identifier: GPL-2.0-or-later
//! What netifd says of an interface, apart from its addresses.

use serde_json::Value;

/// An interface of `network.interface dump`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Logical name.
    pub name: String,
    /// Protocol.
    pub proto: String,
    /// It is up.
    pub up: bool,
    /// It is being set up, or waits in its handler.
    pub pending: bool,
    /// What it depends on is there.
    pub available: bool,
    /// It is to come up by itself.
    pub autostart: bool,
    /// Seconds since it came up.
    pub uptime: Option<u64>,
    /// Its network device, where it has one.
    pub device: Option<String>,
    /// The zone it reports to the firewall.
    pub zone: Option<String>,
    /// The last error: code and what exactly is wrong.
    pub error: Option<(String, String)>,
    /// IPv4 addresses with their lengths.
    pub ipv4: Vec<String>,
    /// It has an IPv4 default route.
    pub default4: bool,
}

/// Where an interface stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl Known {
    /// All interfaces of a dump.
    pub fn all(dump: &Value) -> Vec<Known> {
        let mut all = Vec::new();
        for interface in rows(dump, "interface") {
            all.extend(Known::read(interface));
        }
        all
    }

    fn read(value: &Value) -> Option<Known> {
        let flag = |key| value.get(key).and_then(Value::as_bool) == Some(true);
        let mut known = Known {
            name: text(value, "interface")?,
            proto: text(value, "proto").unwrap_or_default(),
            up: flag("up"),
            pending: flag("pending"),
            available: flag("available"),
            autostart: flag("autostart"),
            uptime: value.get("uptime").and_then(Value::as_u64),
            device: text(value, "l3_device"),
            zone: value.get("data").and_then(|data| text(data, "zone")),
            ..Known::default()
        };
        if !known.up {
            known.uptime = None;
        }
        for error in rows(value, "errors") {
            // NO_DEVICE is netifd's way to say that it waits for the uplink.
            if let Some(code) = text(error, "code").filter(|code| code != "NO_DEVICE") {
                known.error = Some((code, words(error, "data")));
            }
        }
        for address in rows(value, "ipv4-address") {
            let mask = address.get("mask").and_then(Value::as_u64);
            if let (Some(address), Some(mask)) = (text(address, "address"), mask) {
                known.ipv4.push(format!("{address}/{mask}"));
            }
        }
        known.default4 = rows(value, "route").iter().any(is_default4);
        Some(known)
    }

    /// Where it stands. An interface that waits for a prefix has an error
    /// too, but nothing is wrong with it.
    pub fn phase(&self) -> Phase {
        match &self.error {
            _ if self.up => Phase::Up,
            _ if self.autostart && !self.available => Phase::Pending,
            Some((code, _)) if code != "MAPE_NO_UPLINK_PREFIX" => Phase::Error,
            _ if self.pending => Phase::Pending,
            Some(_) if self.autostart => Phase::Pending,
            Some(_) => Phase::Error,
            None => Phase::Down,
        }
    }
}

fn is_default4(route: &Value) -> bool {
    text(route, "target").as_deref() == Some("0.0.0.0")
        && route.get("mask").and_then(Value::as_u64) == Some(0)
}

/// An array among the members of an object; empty where there is none.
pub(crate) fn rows<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    match value.get(key) {
        Some(Value::Array(rows)) => rows,
        _ => &[],
    }
}

/// The texts in an array, separated by blanks.
fn words(value: &Value, key: &str) -> String {
    let mut words = Vec::new();
    for word in rows(value, key) {
        words.extend(word.as_str());
    }
    words.join(" ")
}

fn text(value: &Value, key: &str) -> Option<String> {
    let text = value.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn phase(more: Value) -> Phase {
        let mut interface = json!({
            "interface": "wanmap", "proto": "mape", "up": false, "pending": false,
            "available": true, "autostart": true,
        });
        for (key, value) in more.as_object().unwrap() {
            interface[key] = value.clone();
        }
        let dump = json!({ "interface": [interface] });
        Known::all(&dump)[0].phase()
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
        let all = Known::all(&serde_json::from_str(text).unwrap());
        let names: Vec<&str> = all.iter().map(|i| i.name.as_str()).collect();
        assert!(
            names.contains(&"lan") && names.contains(&"wan6"),
            "{names:?}"
        );
        let lan = all.iter().find(|i| i.name == "lan").unwrap();
        assert_eq!(lan.device.as_deref(), Some("lan0"));
        assert_eq!(lan.ipv4, ["192.168.1.1/24"]);
        assert_eq!(lan.uptime, Some(4));
    }
}
