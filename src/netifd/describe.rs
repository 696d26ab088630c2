// SPDX-License-Identifier: GPL-2.0-or-later
//! What `NAME.sh '' dump` prints: one JSON object a line, one line a protocol.

use serde::Serialize;

/// Type of an option as netifd numbers blobmsg types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "u8")]
pub enum Kind {
    /// A list; an `option` with spaces counts as one.
    Array = 1,
    /// Text.
    String = 3,
    /// A 32-bit number.
    Int = 5,
    /// 0, 1, `true` or `false`.
    Bool = 7,
}

impl From<Kind> for u8 {
    fn from(kind: Kind) -> u8 {
        kind as u8
    }
}

/// Every option of the protocols `map` and `mape` that netifd passes on; it
/// drops what is not listed here before the handler sees it.
///
/// `password` and `update_key` are left out on purpose: netifd passes options
/// as an argument, which every process of the router can read. The handler
/// reads them from `/etc/config/network`.
pub const OPTIONS: &[(&str, Kind)] = &[
    ("provider", Kind::String),
    ("enduserprefix", Kind::String),
    ("maptype", Kind::String),
    ("type", Kind::String),
    ("rule", Kind::Array),
    ("ipaddr", Kind::String),
    ("ip4prefixlen", Kind::Int),
    ("ip6prefix", Kind::String),
    ("ip6prefixlen", Kind::Int),
    ("peeraddr", Kind::String),
    ("ealen", Kind::Int),
    ("psidlen", Kind::Int),
    ("psid", Kind::Int),
    ("offset", Kind::Int),
    ("legacymap", Kind::Bool),
    ("tunlink", Kind::String),
    ("mtu", Kind::Int),
    ("ttl", Kind::Int),
    ("zone", Kind::String),
    ("encaplimit", Kind::String),
    ("nat", Kind::String),
    ("mesh", Kind::Bool),
    ("conntrack", Kind::String),
    ("reserve", Kind::Array),
    ("upnp", Kind::String),
    ("interfaceid", Kind::String),
    ("provision", Kind::String),
    ("provision_server", Kind::String),
    ("username", Kind::String),
    ("update_url", Kind::String),
    ("update_hostname", Kind::String),
    ("update_id", Kind::String),
];

/// A protocol as netifd registers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Description {
    name: &'static str,
    config: &'static [(&'static str, Kind)],
    no_device: bool,
    no_device_config: bool,
    no_proto_task: bool,
    available: bool,
    renew_handler: bool,
    restart_handler: bool,
    lasterror: bool,
    teardown_on_l3_link_down: bool,
}

/// The network device a protocol works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// One that the protocol makes.
    Own,
    /// That of another interface, which netifd waits for.
    OfParent,
}

impl Description {
    /// The protocol of that name in UCI, with its options.
    pub fn new(
        name: &'static str,
        options: &'static [(&'static str, Kind)],
        device: Device,
    ) -> Self {
        let own_device = device == Device::Own;
        Description {
            name,
            config: options,
            no_device: own_device,
            no_device_config: false,
            // netifd calls a setup again that ended without a link: a handler
            // that was killed is followed by another one. It pauses by itself,
            // see `handler::attempt`.
            no_proto_task: false,
            available: own_device,
            // netifd does not run setup again when a prefix changes; the
            // hotplug script asks for a renew instead.
            renew_handler: own_device,
            restart_handler: false,
            // One error at a time, not a list that grows.
            lasterror: true,
            teardown_on_l3_link_down: false,
        }
    }

    /// One line without a newline inside: netifd discards an object that spans
    /// lines.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn one_line_with_every_option_once() {
        let line = Description::new("mape", OPTIONS, Device::Own).to_line();
        assert!(!line.contains('\n'));
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["name"], "mape");
        assert_eq!(value["no-device"], true);
        let names: std::collections::BTreeSet<&str> =
            OPTIONS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), OPTIONS.len());
        assert_eq!(value["config"].as_array().unwrap().len(), OPTIONS.len());
        assert_eq!(value["config"][4], json!(["rule", 1]));
    }
}
