// SPDX-License-Identifier: GPL-2.0-or-later
//! Looks at the router. What cannot be seen is noted, never fatal.

use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::firewall::{Configuration, Section};
use crate::handler::bus::Netifd;
use crate::handler::{Record, Registration, State, our_interface, uptime};
use crate::map::PortSet;
use crate::nat::UpnpWish;
use crate::netfilter::{Connection, Counters, Traffic, connections};
use crate::paths::{read_lossy, rooted};

use super::world::{Dropped, Measured, World};

/// Longest wait for netifd.
const TIMEOUT: Duration = Duration::from_secs(3);

impl World {
    /// The router we run on.
    pub fn collect() -> Self {
        let mut world = World {
            states: State::load_all(),
            names: leases(&read_lossy(rooted("/tmp/dhcp.leases")).unwrap_or_default()),
            boot_seconds: uptime(),
            ..World::default()
        };
        let mut notes = Vec::new();
        match Netifd::connect_within("", TIMEOUT).and_then(|mut netifd| netifd.dump()) {
            Ok(dump) => world.dump = Some(dump),
            Err(error) => notes.push(format!("netifd does not answer: {error}")),
        }
        let before = notes.len();
        world.network = Section::parse_all(&config("network", &mut notes));
        world.network_hidden = notes.len() > before;
        let firewall = config("firewall", &mut notes);
        world.firewall = Configuration::parse(&firewall, &config("upnpd", &mut notes));
        let ours = world.network.iter().filter_map(our_interface);
        let asked = ours.filter_map(|(name, _)| Some((name.to_owned(), Record::load(name)?)));
        world.asked = asked.collect();
        match connections_of(&world) {
            Ok(connections) => world.connections = Some(connections),
            Err(error) => notes.push(format!("connections cannot be seen: {error}")),
        }
        for state in &world.states {
            let dropped = dropped(state);
            if let Err(error) = &dropped {
                notes.push(format!("counters cannot be seen: {error}"));
            }
            world.measured.push(Measured {
                interface: state.interface.clone(),
                traffic: Traffic::of(&state.device),
                dropped: dropped.ok(),
            });
            if let Some(found) = Registration::load(&state.interface) {
                world.registrations.push((state.interface.clone(), found));
            }
        }
        world.notes = notes;
        world
    }
}

/// Connections through all lines.
fn connections_of(world: &World) -> io::Result<Vec<Connection>> {
    let mut all = Vec::new();
    for state in &world.states {
        // If the AFTR translates, none of them takes a port of ours.
        if let Some(set) = state.mechanism.ports() {
            let admits = admits(state, set, world);
            all.extend(connections(state.mechanism.ipv4(), admits)?);
        }
    }
    Ok(all)
}

/// Whether connections from outside may reach anything: our rules drop those
/// to any port but a forwarded, opened or reserved one, or one of UPnP.
fn admits(state: &State, set: PortSet, world: &World) -> bool {
    let (config, member) = (&world.firewall, state.member());
    let opened = || config.opened(member, Some(set));
    let upnp = || config.upnp_wish(state.upnp, member, Some(set));
    !set.is_shared()
        || !state.reserve.is_empty()
        || upnp() != UpnpWish::Nothing
        || !opened().claims.is_empty()
}

/// A configuration file; one that does not exist says nothing.
fn config(name: &str, notes: &mut Vec<String>) -> String {
    let path = rooted(&format!("/etc/config/{name}"));
    match read_lossy(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => {
            notes.push(format!("{}: {error}", path.display()));
            String::new()
        }
    }
}

/// Names in dnsmasq's leases: `EXPIRY MAC ADDRESS NAME ID`, `*` for no name.
pub fn leases(text: &str) -> Vec<(Ipv4Addr, String)> {
    let mut names = Vec::new();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace().skip(2);
        let address = words.next().and_then(|word| word.parse().ok());
        // A host chooses its name, and it is printed to terminals.
        let is_plain = |name: &&str| *name != "*" && !name.contains(char::is_control);
        if let (Some(address), Some(name)) = (address, words.next().filter(is_plain)) {
            names.push((address, name.to_owned()));
        }
    }
    names
}

/// What the rules of one interface have dropped.
fn dropped(state: &State) -> io::Result<Dropped> {
    let counters = Counters::read(&state.interface)?;
    let translates = state.mechanism.ports().is_some();
    Ok(Dropped {
        not_ours: counters
            .not_our_address
            .saturating_add(counters.not_our_port),
        not_br: counters.not_br,
        pool_number: counters.unsolicited,
        no_ports: counters.no_port_protocol,
        guard: counters.held_back,
        exhausted: exhausted(&counters, translates),
    })
}

/// Connections that found no free port. Without a counter of our own the kernel's
/// has to do, which counts for the whole router: it says nothing of a line whose
/// addresses the provider translates.
fn exhausted(counters: &Counters, translates: bool) -> u64 {
    match (counters.exhausted, translates) {
        (_, false) => 0,
        (Some(counted), true) => counted,
        (None, true) => counters.no_free_port,
    }
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
    fn only_a_line_that_is_translated_here_runs_out_of_ports() {
        let kernels = Counters {
            no_free_port: 672,
            ..Counters::default()
        };
        let ours = Counters {
            exhausted: Some(5),
            ..kernels
        };
        assert_eq!(exhausted(&kernels, true), 672);
        assert_eq!(exhausted(&ours, true), 5);
        assert_eq!(exhausted(&kernels, false), 0);
    }
}
