// SPDX-License-Identifier: GPL-2.0-or-later
//! What `NAME.sh '' dump` prints: one JSON object a line, one line a protocol.

/// Type of an option as netifd numbers blobmsg types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Every option of the protocols `map` and `mape`. netifd drops what is not
/// listed here before the handler sees it.
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
];

/// A protocol as netifd registers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// Name of the protocol in UCI.
    pub name: &'static str,
    /// Its options.
    pub options: &'static [(&'static str, Kind)],
    /// Whether it runs on the device of another interface, and waits for that.
    /// Otherwise it makes a device of its own.
    pub on_device: bool,
}

impl Description {
    /// One line without a newline inside: netifd discards an object that spans
    /// lines.
    pub fn to_line(self) -> String {
        let options: Vec<String> = self
            .options
            .iter()
            .map(|&(name, kind)| format!("[\"{name}\",{}]", kind as u8))
            .collect();
        let own_device = !self.on_device;
        format!(
            "{{\"name\":\"{}\",\"config\":[{}],\"no-device\":{own_device},\
             \"available\":{own_device},\"renew-handler\":{own_device},{FLAGS}}}",
            self.name,
            options.join(",")
        )
    }
}

/// There is no process to watch over (`no-proto-task`). It also means that
/// netifd leaves a setup alone that ended without a link, instead of starting
/// it again every 2 ms. And netifd does not run setup again when a prefix
/// changes; the hotplug script asks for a renew instead.
const FLAGS: &str = "\"no-device-config\":false,\"no-proto-task\":true,\
    \"restart-handler\":false,\"lasterror\":false,\"teardown-on-l3-link-down\":false";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn one_line_with_every_option_once() {
        let line = Description {
            name: "mape",
            options: OPTIONS,
            on_device: false,
        }
        .to_line();
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
