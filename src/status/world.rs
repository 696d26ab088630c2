// SPDX-License-Identifier: GPL-2.0-or-later
//! Everything that is looked at, as plain values: a test can make up any
//! router, and what is shown of it follows.

use std::net::Ipv4Addr;

use ipnet::Ipv6Net;
use serde::Serialize;

use crate::firewall::{Configuration, Forward, Miniupnpd, Opened, Section};
use crate::handler::{Protocol, Record, Registration, State, our_interface};
use crate::map::{PortRange, PortSet};
use crate::nat::{Kernel, Line, Mode, Plan, PortList, UpnpWish, Wishes};
use crate::netfilter::{Connection, Traffic};
use crate::netifd::{self as contract, Dump};
use crate::uplink;

use super::netifd::{self, Phase};
use super::usage::Usage;
use crate::reason::Reason;

/// Packets that our rules did not let pass, since setup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// Inbound, for addresses or ports that are not ours.
    pub not_ours: u64,
    /// Tunnelled by somebody else than the BR or an FMR's CE.
    pub not_br: u64,
    /// Inbound, unasked for, to a number of the pool.
    pub pool_number: u64,
    /// Outbound, of a protocol without ports.
    pub no_ports: u64,
    /// Held back while the edge map was not loaded.
    pub guard: u64,
    /// New connections for which no port was free.
    pub exhausted: u64,
}

/// What is counted for one interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// Logical interface.
    pub interface: String,
    /// Of its device, if there is one.
    pub traffic: Option<Traffic>,
    /// By its rules; `None` if they are missing or hidden from us.
    pub dropped: Option<Dropped>,
}

/// A router as it is at one moment.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// All interfaces; `None` if netifd does not answer.
    pub dump: Option<Dump>,
    /// What our handler has set up.
    pub states: Vec<State>,
    /// Whether `/etc/config/network` is there and cannot be read.
    pub network_hidden: bool,
    /// `/etc/config/network`.
    pub network: Vec<Section>,
    /// What firewall4 and miniupnpd are told to do.
    pub firewall: Configuration,
    /// Names of internal hosts.
    pub names: Vec<(Ipv4Addr, String)>,
    /// Seconds since boot.
    pub boot_seconds: u64,
    /// Connections through the lines; `None` if we may not see them.
    pub connections: Option<Vec<Connection>>,
    /// Counters.
    pub measured: Vec<Measured>,
    /// What became of registrations, by interface.
    pub registrations: Vec<(String, Registration)>,
    /// What became of asking lines by HB46PP, by interface.
    pub asked: Vec<(String, Record)>,
    /// What could not be looked at, and why: one line each.
    pub notes: Vec<String>,
}

/// One configured `map` or `mape` interface.
#[derive(Debug, Clone)]
pub struct Interface<'a> {
    /// Logical name.
    pub name: &'a str,
    /// `map` or `mape`.
    pub proto: &'a str,
    /// Where it stands.
    pub phase: Phase,
    /// Its last error: code and detail.
    pub error: Option<(String, Reason)>,
    /// Seconds since it came up.
    pub uptime: Option<u64>,
    /// Its configuration, unless it is dynamic.
    pub config: Option<&'a Section>,
    /// What netifd says of it.
    pub known: Option<&'a contract::Interface>,
    /// What was set up, if it is up.
    pub line: Option<LineUp<'a>>,
    world: &'a World,
}

/// An interface that is up.
#[derive(Debug, Clone)]
pub struct LineUp<'a> {
    /// What was set up.
    pub state: &'a State,
    /// The rules for it.
    pub plan: Option<Plan>,
    /// What the firewall forwards and opens, also outside the port set.
    pub forwards: Vec<Forward>,
    /// `reserve`, as far as it is ours.
    pub reserved: PortList,
    /// Ports that miniupnpd may hand out.
    pub upnp: PortList,
    /// The miniupnpd that opens ports of this line.
    pub miniupnpd: Option<&'a Miniupnpd>,
    /// Ports in use; `None` if we may not see connections.
    pub usage: Option<Usage>,
    /// Counters of the device.
    pub traffic: Option<Traffic>,
    /// Counters of the rules.
    pub dropped: Option<Dropped>,
    /// What became of the registration of its address, if there is one.
    pub registration: Option<&'a Registration>,
}

impl World {
    /// Every configured interface of ours, in netifd's order.
    pub fn interfaces(&self) -> Vec<Interface<'_>> {
        if let Some(dump) = &self.dump {
            let is_ours = |proto: &str| Protocol::from_name(proto).is_some();
            let ours = dump.interfaces.iter().filter(|known| is_ours(&known.proto));
            return ours.map(|known| self.interface(known)).collect();
        }
        let states = self.states.iter();
        let mut all: Vec<_> = states.map(|state| self.without_netifd(state)).collect();
        let is_up = |name: &str| self.states.iter().any(|state| state.interface == name);
        let configured = self.network.iter().filter_map(our_interface);
        let down = configured.filter(|(name, _)| !is_up(name));
        all.extend(down.map(|(name, protocol)| self.down(name, protocol.as_str())));
        all
    }

    /// The configuration of an interface.
    pub fn config(&self, interface: &str) -> Option<&Section> {
        Section::named(&self.network, "interface", interface)
    }

    /// What an internal address is called.
    pub fn name_of(&self, address: Ipv4Addr) -> Option<&str> {
        let found = self.names.iter().find(|(known, _)| *known == address)?;
        Some(&found.1)
    }

    /// An interface of which there is nothing but its name.
    fn down<'a>(&'a self, name: &'a str, proto: &'a str) -> Interface<'a> {
        Interface {
            name,
            proto,
            phase: Phase::Down,
            error: None,
            uptime: None,
            config: self.config(name),
            known: None,
            line: None,
            world: self,
        }
    }

    fn interface<'a>(&'a self, known: &'a contract::Interface) -> Interface<'a> {
        let mut interface = self.down(&known.name, &known.proto);
        interface.phase = Phase::of(known);
        interface.error = netifd::error(known);
        interface.uptime = known.uptime.filter(|_| known.up);
        if interface.phase == Phase::Up {
            let mut states = self.states.iter();
            let state = states.find(|state| state.interface == known.name);
            interface.line = state.map(|state| self.line(state));
        }
        interface.known = Some(known);
        interface
    }

    /// An interface whose device is there counts as up if netifd cannot be
    /// asked.
    fn without_netifd<'a>(&'a self, state: &'a State) -> Interface<'a> {
        let mut interface = self.down(&state.interface, state.protocol.as_str());
        let line = self.line(state);
        if line.traffic.is_some() {
            interface.phase = Phase::Up;
            interface.uptime = self.boot_seconds.checked_sub(state.since);
            interface.line = Some(line);
        }
        interface
    }

    fn line<'a>(&'a self, state: &'a State) -> LineUp<'a> {
        let ports = state.mechanism.ports();
        // Without ports of our own, all forwards are listed as without effect.
        let opened = self.firewall.opened(state.member(), ports);
        let set = ports.map(PortList::from).unwrap_or_default();
        let reserved = PortList::parse(&state.reserve.join(" ")).unwrap_or_default();
        let reserved = reserved.intersect(&set);
        let upnp = self.firewall.upnp_wish(state.upnp, state.member(), ports);
        let plan = plan(state, reserved.clone(), &opened, upnp);
        let upnp = plan.as_ref().map(|plan| plan.upnp().clone());
        let upnp = upnp.unwrap_or_default();
        let net = state.mechanism.ipv4();
        let seen = self.connections.as_ref().filter(|_| ports.is_some());
        let usage = seen.map(|all| {
            let port_of = |number| match &plan {
                Some(plan) => plan.port_of(number),
                None => set.contains(number).then_some(number),
            };
            Usage::count(all, net, &port_of)
        });
        let mut measured = self.measured.iter();
        let measured = measured.find(|m| m.interface == state.interface);
        LineUp {
            state,
            plan,
            forwards: opened.forwards,
            reserved,
            upnp,
            miniupnpd: self.firewall.miniupnpd(state.member()),
            usage,
            traffic: measured.and_then(|m| m.traffic),
            dropped: measured.and_then(|m| m.dropped),
            registration: self.registration(&state.interface),
        }
    }

    fn registration(&self, interface: &str) -> Option<&Registration> {
        let mut all = self.registrations.iter();
        let (_, found) = all.find(|(name, _)| name == interface)?;
        Some(found)
    }
}

/// The rules as they must have been planned for that line.
fn plan(state: &State, reserve: PortList, opened: &Opened, upnp: UpnpWish) -> Option<Plan> {
    let line = Line::new(
        &state.interface,
        &state.device,
        &state.mechanism,
        state.mesh,
    );
    let mode = match state.technique.0.as_str() {
        "pool" => Mode::Auto,
        _ => Mode::Hash,
    };
    let wishes = Wishes {
        mode,
        reserve,
        opened: opened.claims.clone(),
        upnp,
        ping: opened.ping,
        ..Wishes::default()
    };
    Plan::new(line, &wishes, &Kernel::full()).ok()
}

impl Interface<'_> {
    /// An option of its configuration.
    pub fn option(&self, key: &str) -> Option<&str> {
        self.config?.get(key).filter(|value| !value.is_empty())
    }

    /// The uplink it runs over, or is to run over, with the best prefix that
    /// offers and where that comes from.
    pub fn uplink(&self) -> (Option<String>, Option<uplink::Candidate>) {
        let best = self.best_uplink();
        let candidate = best.as_ref().and_then(|uplink| uplink.candidates.first());
        let candidate = candidate.copied();
        let named = self.option("tunlink").map(str::to_owned);
        (named.or(best.map(|best| best.interface)), candidate)
    }

    /// What `option ip6prefix` of the uplink names although the line has the
    /// prefix `used`.
    pub fn stale_besides(&self, used: &Ipv6Net) -> Option<Ipv6Net> {
        self.best_uplink()?.stale_besides(used)
    }

    fn best_uplink(&self) -> Option<uplink::Uplink> {
        let named = self.option("tunlink");
        let given = self.option("enduserprefix").and_then(|p| p.parse().ok());
        let found = uplink::find(self.world.dump.as_ref()?, named, given).ok()?;
        found.into_iter().next()
    }

    /// What became of asking its line by HB46PP. A line that is up because
    /// something else knows it is not asked again.
    pub fn asked(&self) -> Option<&Record> {
        let mut all = self.world.asked.iter();
        let (_, found) = all.find(|(name, _)| name == self.name)?;
        let line = self.line.as_ref();
        let matters = line.is_none_or(|line| line.state.is_provisioned());
        matters.then_some(found)
    }

    /// The router it is on.
    pub fn world(&self) -> &World {
        self.world
    }
}

impl LineUp<'_> {
    /// The port set as ranges; none if no port is ours.
    pub fn ranges(&self) -> impl Iterator<Item = PortRange> {
        let set = self.state.mechanism.ports();
        set.into_iter().flat_map(PortSet::ranges)
    }

    /// Number of ports that are ours.
    pub fn total(&self) -> u32 {
        self.state.mechanism.ports().map_or(0, PortSet::count)
    }

    /// Ports that outgoing connections may take.
    pub fn free(&self) -> u32 {
        let planned = self.plan.as_ref().map(|plan| plan.free().count());
        planned.unwrap_or_else(|| self.total())
    }

    /// Forwards into the LAN, of ports that are ours.
    pub fn forwarded(&self) -> PortList {
        let ports = self.forwards.iter().map(|forward| forward.ports);
        let ports: PortList = ports.collect();
        let set = self.state.mechanism.ports();
        ports.intersect(&set.map(PortList::from).unwrap_or_default())
    }
}
