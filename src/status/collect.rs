// SPDX-License-Identifier: GPL-2.0-or-later
//! Looks at the router. What cannot be seen is noted, never fatal.

use std::fs;
use std::net::Ipv4Addr;
use std::time::Duration;

use ipnet::Ipv4Net;
use serde_json::Value;

use crate::handler::State;
use crate::paths::{rooted, ubus_socket};
use crate::ubus::{self, Client};

use super::kernel::{self, Counter};
use super::uci::{self, Section};
use super::world::{Dropped, Measured, Traffic, World};

/// Longest wait for netifd.
const TIMEOUT: Duration = Duration::from_secs(3);

impl World {
    /// The router we run on.
    pub fn collect() -> Self {
        let states = State::load_all();
        let mut notes = Vec::new();
        let dump = dump().map_err(|error| notes.push(format!("netifd does not answer: {error}")));
        let networks: Vec<Ipv4Net> = states.iter().map(|state| state.mapping.ipv4()).collect();
        let ours = |address: Ipv4Addr| networks.iter().any(|net| net.contains(&address));
        // Without a line there is nothing to look for.
        let (connections, counters) = match states.is_empty() {
            true => (Some(Vec::new()), None),
            false => (
                kernel::connections(ours)
                    .map_err(|error| notes.push(format!("connections cannot be seen: {error}")))
                    .ok(),
                kernel::counters()
                    .map_err(|error| notes.push(format!("counters cannot be seen: {error}")))
                    .ok(),
            ),
        };
        let measure = |state: &State| Measured {
            interface: state.interface.clone(),
            traffic: traffic(&state.device),
            dropped: counters
                .as_ref()
                .and_then(|all| dropped(all, &state.interface)),
        };
        World {
            dump: dump.ok(),
            measured: states.iter().map(measure).collect(),
            states,
            network: config("network", &mut notes),
            firewall: config("firewall", &mut notes),
            names: leases(&fs::read_to_string(rooted("/tmp/dhcp.leases")).unwrap_or_default()),
            boot_seconds: boot_seconds(),
            connections,
            notes,
        }
    }
}

fn dump() -> Result<Value, ubus::Error> {
    let path = ubus_socket().unwrap_or_else(Client::default_path);
    let mut bus = Client::connect(&path, TIMEOUT)?;
    let dump = bus.call("network.interface", "dump", &ubus::Value::table(), TIMEOUT)?;
    Ok(Value::from(&dump))
}

/// A configuration file; one that does not exist says nothing.
fn config(name: &str, notes: &mut Vec<String>) -> Vec<Section> {
    let path = rooted(&format!("/etc/config/{name}"));
    match fs::read(&path) {
        Ok(text) => uci::parse(&String::from_utf8_lossy(&text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            notes.push(format!("{}: {error}", path.display()));
            Vec::new()
        }
    }
}

fn boot_seconds() -> u64 {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds = text.split('.').next().unwrap_or_default();
    seconds.parse().unwrap_or(0)
}

/// Names in dnsmasq's leases: `EXPIRY MAC ADDRESS NAME ID`, `*` for no name.
fn leases(text: &str) -> Vec<(Ipv4Addr, String)> {
    let lease = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(2);
        let address = words.next()?.parse().ok()?;
        let name = words.next().filter(|name| *name != "*")?;
        Some((address, name.to_owned()))
    };
    text.lines().filter_map(lease).collect()
}

fn traffic(device: &str) -> Option<Traffic> {
    // A device name comes from our own file, but a path must stay one.
    if device.contains('/') {
        return None;
    }
    let read = |name: &str| -> Option<u64> {
        let path = format!("/sys/class/net/{device}/statistics/{name}");
        fs::read_to_string(rooted(&path)).ok()?.trim().parse().ok()
    };
    Some(Traffic {
        rx_bytes: read("rx_bytes")?,
        rx_packets: read("rx_packets")?,
        tx_bytes: read("tx_bytes")?,
        tx_packets: read("tx_packets")?,
    })
}

/// The counters of one interface's rules; `None` where there are no rules.
fn dropped(all: &[Counter], interface: &str) -> Option<Dropped> {
    let table = format!("mape_{interface}");
    let ours: Vec<&Counter> = all.iter().filter(|c| c.table == table).collect();
    if ours.is_empty() {
        return None;
    }
    let sum = |names: &[&str]| {
        let named = ours.iter().filter(|c| names.contains(&c.name.as_str()));
        named.map(|c| c.packets).sum::<u64>()
    };
    Some(Dropped {
        not_ours: sum(&["not_our_address", "not_our_port"]),
        not_br: sum(&["not_br"]),
        pool_number: sum(&["unsolicited"]),
        no_ports: sum(&["no_port_protocol"]),
        guard: sum(&["held_back"]),
        exhausted: sum(&["attempted"]).saturating_sub(sum(&["confirmed"])),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_leases() {
        let text = "1700000000 02:00:00:00:00:20 192.168.1.20 laptop 01:02\n\
                    1700000000 02:00:00:00:00:23 192.168.1.23 * *\nduid 00\n\n";
        let laptop = (Ipv4Addr::new(192, 168, 1, 20), "laptop".to_owned());
        assert_eq!(leases(text), [laptop]);
    }

    #[test]
    fn counters_of_both_tables_add_up() {
        let row = |family, table: &str, name: &str, packets| Counter {
            family,
            table: table.into(),
            name: name.into(),
            packets,
        };
        let all = [
            row("inet", "mape_wanmap", "not_our_port", 1),
            row("netdev", "mape_wanmap", "not_our_port", 2),
            row("netdev", "mape_wanmap", "not_our_address", 4),
            row("inet", "mape_wanmap", "attempted", 10),
            row("inet", "mape_wanmap", "confirmed", 7),
            row("inet", "mape_other", "not_br", 9),
        ];
        let found = dropped(&all, "wanmap").unwrap();
        assert_eq!((found.not_ours, found.exhausted, found.not_br), (7, 3, 0));
        assert_eq!(dropped(&all, "none"), None);
    }
}
