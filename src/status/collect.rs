// SPDX-License-Identifier: GPL-2.0-or-later
//! Looks at the router. What cannot be seen is noted, never fatal.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::Value;

use crate::handler::State;
use crate::nat::{Connection, Counters, Opened, Section, connections};
use crate::paths::{rooted, ubus_socket};
use crate::ubus::{self, Client};

use super::world::{Dropped, Measured, Traffic, World, zones};

/// Longest wait for netifd.
const TIMEOUT: Duration = Duration::from_secs(3);

impl World {
    /// The router we run on.
    pub fn collect() -> Self {
        let states = State::load_all();
        let mut notes = Vec::new();
        let dump = dump().map_err(|error| notes.push(format!("netifd does not answer: {error}")));
        let firewall = config("firewall", &mut notes);
        let found: io::Result<Vec<Vec<Connection>>> = states
            .iter()
            .map(|state| connections(state.mapping.ipv4(), admits(state, &firewall)))
            .collect();
        let found =
            found.map_err(|error| notes.push(format!("connections cannot be seen: {error}")));
        let mut measure = |state: &State| Measured {
            interface: state.interface.clone(),
            traffic: traffic(&state.device),
            dropped: dropped(&state.interface)
                .map_err(|error| notes.push(format!("counters cannot be seen: {error}")))
                .ok(),
        };
        let measured = states.iter().map(&mut measure).collect();
        World {
            dump: dump.ok(),
            measured,
            states,
            network: Section::parse_all(&config("network", &mut notes)),
            firewall,
            names: leases(&fs::read_to_string(rooted("/tmp/dhcp.leases")).unwrap_or_default()),
            boot_seconds: boot_seconds(),
            connections: found.ok().map(|all| all.concat()),
            notes,
        }
    }
}

/// Whether connections from outside may reach anything: our rules drop those
/// to any port but a forwarded, opened or reserved one.
fn admits(state: &State, firewall: &str) -> bool {
    let set = state.mapping.ports();
    let opened = || Opened::read(firewall, &zones(state, firewall), set);
    !set.is_shared() || !state.reserve.is_empty() || !opened().ports.is_empty()
}

fn dump() -> Result<Value, ubus::Error> {
    let path = ubus_socket().unwrap_or_else(Client::default_path);
    let mut bus = Client::connect(&path, TIMEOUT)?;
    let dump = bus.call("network.interface", "dump", &ubus::Value::table(), TIMEOUT)?;
    Ok(Value::from(&dump))
}

/// A configuration file; one that does not exist says nothing.
fn config(name: &str, notes: &mut Vec<String>) -> String {
    let path = rooted(&format!("/etc/config/{name}"));
    match fs::read(&path) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            notes.push(format!("{}: {error}", path.display()));
            String::new()
        }
    }
}

fn boot_seconds() -> u64 {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds = text.split('.').next().unwrap_or_default();
    seconds.parse().unwrap_or(0)
}

/// Names in dnsmasq's leases: `EXPIRY MAC ADDRESS NAME ID`, `*` for no name.
pub fn leases(text: &str) -> Vec<(Ipv4Addr, String)> {
    let lease = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(2);
        let address = words.next()?.parse().ok()?;
        // A host chooses its name, and it is printed to terminals.
        let is_plain = |name: &&str| *name != "*" && !name.contains(char::is_control);
        let name = words.next().filter(is_plain)?;
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

/// What the rules of one interface have dropped.
fn dropped(interface: &str) -> io::Result<Dropped> {
    let counters = Counters::read(interface)?;
    Ok(Dropped {
        not_ours: counters
            .not_our_address
            .saturating_add(counters.not_our_port),
        not_br: counters.not_br,
        pool_number: counters.unsolicited,
        no_ports: counters.no_port_protocol,
        guard: counters.held_back,
        exhausted: counters.exhausted.unwrap_or(counters.no_free_port),
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
}
