// SPDX-License-Identifier: GPL-2.0-or-later
//! What the firewall configuration forwards or opens on our interface.

use crate::map::PortRange;
use crate::nat::{Protocol, Section};

/// A `redirect` into the LAN, or a `rule` that opens a port of the router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Ports outside.
    pub ports: PortRange,
    /// Host inside; `None` is the router itself.
    pub host: Option<String>,
    /// First port inside, where it is another one.
    pub inside: Option<u16>,
    /// It is a `redirect`, which rewrites addresses.
    pub redirect: bool,
}

impl Forward {
    /// Where a port of it leads: `192.168.1.10:22`, `router:22`.
    pub fn target(&self, port: u16) -> String {
        let host = self.host.as_deref().unwrap_or("router");
        let step = port.saturating_sub(self.ports.first());
        let inside = self.inside.map_or(port, |first| first.saturating_add(step));
        format!("{host}:{inside}")
    }

    /// How it is called in a sentence.
    pub fn title(&self) -> String {
        let kind = match self.redirect {
            true => "forward",
            false => "opened port",
        };
        match &self.name {
            Some(name) => format!("{kind} {name:?}"),
            None => format!("a {kind}"),
        }
    }
}

/// Everything that the firewall configuration forwards or opens for packets
/// from one of `zones`.
pub fn forwards(config: &str, zones: &[String]) -> Vec<Forward> {
    let ours = |src: &str| src == "*" || zones.iter().any(|zone| zone == src);
    Section::parse_all(config)
        .iter()
        .filter(|section| flag(section, "enabled") != Some(false))
        .filter(|section| section.get("src").is_some_and(ours))
        .filter(|section| section.get("family") != Some("ipv6"))
        .flat_map(of_section)
        .collect()
}

/// A boolean option; `None` where it is absent or no boolean.
pub fn flag(section: &Section, key: &str) -> Option<bool> {
    match section.get(key)? {
        "1" | "on" | "true" | "yes" | "enabled" => Some(true),
        "0" | "off" | "false" | "no" | "disabled" => Some(false),
        _ => None,
    }
}

fn of_section(section: &Section) -> Vec<Forward> {
    let target = section.get("target").map(str::to_ascii_uppercase);
    let (outside, inside) = match (section.kind(), target.as_deref()) {
        ("redirect", None | Some("DNAT")) => ("src_dport", section.get("dest_port")),
        ("rule", Some("ACCEPT")) if section.get("dest").is_none() => ("dest_port", None),
        _ => return Vec::new(),
    };
    let host = section.get("dest_ip").filter(|_| outside == "src_dport");
    let inside = inside.and_then(range).map(PortRange::first);
    let mut found = Vec::new();
    for ports in section.words(outside).filter_map(range) {
        for protocol in protocols(section) {
            found.push(Forward {
                name: section.get("name").map(str::to_owned),
                protocol,
                ports,
                host: host.map(str::to_owned),
                inside,
                redirect: outside == "src_dport",
            });
        }
    }
    found
}

/// `proto`; firewall4 takes TCP and UDP where it is missing.
fn protocols(section: &Section) -> Vec<Protocol> {
    let words: Vec<String> = section.words("proto").map(str::to_lowercase).collect();
    let named = |protocol: &Protocol, number: &str| {
        let both = |w: &String| matches!(w.as_str(), "all" | "any" | "*" | "tcpudp");
        words.is_empty()
            || words
                .iter()
                .any(|w| w == protocol.name() || w == number || both(w))
    };
    let all = [(Protocol::Tcp, "6"), (Protocol::Udp, "17")];
    let chosen = all.into_iter().filter(|(p, number)| named(p, number));
    chosen.map(|(protocol, _)| protocol).collect()
}

/// `80`, `80-90` or `80:90`.
fn range(word: &str) -> Option<PortRange> {
    let (first, last) = word.split_once(['-', ':']).unwrap_or((word, word));
    PortRange::new(first.parse().ok()?, last.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nat::zones_of;

    const CONFIG: &str = "
config zone
	option name 'wan'
	list network 'wan'
	list network 'wanmap'
config redirect
	option name 'ssh'
	option src 'wan'
	option proto 'tcp'
	option src_dport '4128'
	option dest_ip '192.168.1.10'
	option dest_port '22'
config redirect
	option src 'wan'
	option src_dport '5000-5002'
	option dest_ip '192.168.1.23'
config redirect
	option name 'off'
	option enabled '0'
	option src 'wan'
	option src_dport '6000'
config redirect
	option name 'elsewhere'
	option src 'guest'
	option src_dport '6001'
config redirect
	option name 'snat'
	option target 'SNAT'
	option src 'wan'
	option src_dport '6002'
config rule
	option name 'Allow-VPN'
	option src 'wan'
	option proto 'udp'
	option dest_port '4129 4131'
	option target 'ACCEPT'
config rule
	option name 'into the LAN'
	option src 'wan'
	option dest 'lan'
	option dest_port '1'
	option target 'ACCEPT'
config rule
	option name 'v6'
	option family 'ipv6'
	option src 'wan'
	option dest_port '546'
	option target 'ACCEPT'
";

    fn lines(interface: &str) -> Vec<String> {
        let zones = zones_of(CONFIG, interface, "map-x");
        let found = forwards(CONFIG, &zones);
        let line = |f: Forward| {
            let to = f.target(f.ports.last());
            format!("{} {} {} {to}", f.title(), f.protocol.name(), f.ports)
        };
        found.into_iter().map(line).collect()
    }

    #[test]
    fn redirects_and_open_ports_of_our_zone() {
        let expected = [
            "forward \"ssh\" tcp 4128 192.168.1.10:22",
            "a forward tcp 5000-5002 192.168.1.23:5002",
            "a forward udp 5000-5002 192.168.1.23:5002",
            "opened port \"Allow-VPN\" udp 4129 router:4129",
            "opened port \"Allow-VPN\" udp 4131 router:4131",
        ];
        assert_eq!(lines("wanmap"), expected);
        assert!(lines("other").is_empty());
    }
}
