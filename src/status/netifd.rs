// SPDX-License-Identifier: GPL-2.0-or-later
//! Where an interface stands, by what netifd says of it.

use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;
use serde_json::Value;

use crate::netifd::Interface;
use crate::reason::Reason;

/// Where an interface stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It is up.
    Up,
    /// It is being set up, or waits for what may still come.
    Pending,
    /// Something is wrong.
    Error,
    /// It is not started.
    Down,
}

impl Phase {
    /// Its name in the answers of the bus.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Up => "up",
            Phase::Pending => "pending",
            Phase::Error => "error",
            Phase::Down => "down",
        }
    }

    /// Where `interface` stands. An interface that waits for a prefix has an
    /// error too, but nothing is wrong with it.
    pub fn of(interface: &Interface) -> Self {
        let (pending, autostart) = (interface.pending, interface.autostart);
        match error(interface) {
            _ if interface.up => Phase::Up,
            _ if autostart && !interface.available => Phase::Pending,
            Some((code, _)) if code != "MAPE_NO_UPLINK_PREFIX" => Phase::Error,
            _ if pending => Phase::Pending,
            Some(_) if autostart => Phase::Pending,
            Some(_) => Phase::Error,
            None => Phase::Down,
        }
    }
}

/// The last error: code and what exactly is wrong.
pub fn error(interface: &Interface) -> Option<(String, Reason)> {
    let mut latest = interface.errors.iter().rev();
    // NO_DEVICE is netifd's way to say that it waits for the uplink.
    let error = latest.find(|error| error.code != "NO_DEVICE")?;
    // Our handlers give a sentence, and the same for programs.
    let object = |text: &String| serde_json::from_str(text).ok().filter(Value::is_object);
    let (json, words) = match error.data.split_last() {
        Some((last, words)) if object(last).is_some() => (object(last), words),
        _ => (None, error.data.as_slice()),
    };
    Some((error.code.clone(), Reason::kept(words.join(" "), json)))
}

/// Whether the interface has an IPv4 default route.
pub fn has_default_route(interface: &Interface) -> bool {
    let default = (IpAddr::from(Ipv4Addr::UNSPECIFIED), 0);
    interface.routes.contains(&default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netifd::Dump;
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
        Phase::of(&Dump::from_json(&dump.to_string()).unwrap().interfaces[0])
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
    fn errors_of_all_versions_and_of_others() {
        let coded = r#"{"code":"uplink_down","args":{"uplink":"wan6"}}"#;
        for (data, text, code) in [
            (
                json!(["wan6 is not up yet", coded]),
                "wan6 is not up yet",
                Some("uplink_down"),
            ),
            (json!(["wan6 is not up yet"]), "wan6 is not up yet", None),
            (json!(["of", "others", "12"]), "of others 12", None),
            (json!(["{", "[]", "null"]), "{ [] null", None),
            (json!([]), "", None),
        ] {
            let errors = json!([{"subsystem": "proto", "code": "X", "data": data}]);
            let interface = json!({"interface": "wanmap", "errors": errors});
            let dump = json!({ "interface": [interface] }).to_string();
            let dump = Dump::from_json(&dump).unwrap();
            let (_, reason) = error(&dump.interfaces[0]).unwrap();
            assert_eq!(reason.to_string(), text);
            let found = reason.coded().map(|json| json["code"].clone());
            assert_eq!(found.as_ref().and_then(Value::as_str), code, "{data}");
        }
    }
}
