// SPDX-License-Identifier: GPL-2.0-or-later
//! Where an interface stands, by what netifd says of it.

use std::net::{IpAddr, Ipv4Addr};

use serde::Serialize;

use crate::netifd::Interface;

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
pub fn error(interface: &Interface) -> Option<(String, String)> {
    let mut latest = interface.errors.iter().rev();
    // NO_DEVICE is netifd's way to say that it waits for the uplink.
    let error = latest.find(|error| error.code != "NO_DEVICE")?;
    Some((error.code.clone(), error.data.join(" ")))
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
    use serde_json::{Value, json};

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
}
