// SPDX-License-Identifier: GPL-2.0-or-later
//! Looks for the facts. Sends nothing but a few echo requests to the BR and to
//! the address that was asked for.

use std::net::Ipv6Addr;

use crate::firewall::Configuration;
use crate::handler::{
    PATIENCE, Problem, Protocol, Settings, State, has_died, known_kernel, resolve, uplink_mtu,
};
use crate::map::{Border, MapType, Mapping, PortRange, Psid};
use crate::mechanism::{Kind, Mechanism};
use crate::nat::{self, PortList};
use crate::netfilter::{self, exempt};
use crate::provider::{Table, Verdict};
use crate::sanitize::excerpt;
use crate::status::netifd::has_default_route;
use crate::status::usage::Usage;
use crate::status::{Interface, LineUp, World};
use crate::uplink::addresses;

use super::facts::{Facts, Known, Offer, Opens, Uplink, Upnp};
use super::ping::ping;
use super::route::route_to;
use super::{addresses, installed};
use crate::reason::{Reason, Tell};

/// What there is to know about `interface`; `table` has the known providers.
pub fn gather<'a>(
    interface: &'a Interface<'_>,
    probe: Option<Ipv6Addr>,
    table: &Table,
) -> Facts<'a> {
    let world = interface.world();
    let line = interface.line.as_ref();
    let state = line.map(|line| line.state);
    let mechanism = state.map(|state| &state.mechanism);
    let mapping = mechanism.and_then(Mechanism::mapping);
    let (uplink, offer) = uplink(interface, state);
    let br = mechanism.and_then(target);
    let ce = mechanism.map(Mechanism::ce_address);
    let chains = netfilter::chains().ok();
    let known = offer.as_ref();
    let known = known.map_or(Known::No, |offer| known_line(offer, mapping, table));
    let kind = mechanism.map_or(Kind::MapE, Mechanism::kind);
    let usage = line.and_then(|line| line.usage.as_ref());
    let netifd = interface.known;
    Facts {
        interface: interface.name,
        root: nix::unistd::Uid::effective().is_root(),
        bus: world.dump.is_some(),
        phase: interface.phase,
        error: interface.error.as_ref(),
        refused: refused(interface),
        uplink,
        offer,
        known,
        asked: interface.asked().map(|asked| {
            let wait = asked.next.saturating_sub(world.boot_seconds);
            (asked.failure(), wait)
        }),
        registration: line.and_then(|line| line.registration),
        aftr: state.and_then(|state| aftr(state, world)),
        psids: mapping.and_then(|mapping| psids(interface, mapping)),
        br_route: br.map(|br| route(br, ce)),
        br_reply: br.filter(|_| kind.is_tunnel()).map(|br| ping(br, ce)),
        probe: probe.map(|address| (address, ping(address, None))),
        ce: ce.and_then(addresses::address),
        device: state.and_then(|state| addresses::device(&state.device)),
        ipv4: netifd
            .map(|known| addresses::on_us(&known.ipv4))
            .unwrap_or_default(),
        default4: netifd.is_some_and(has_default_route) && addresses::has_default(interface, state),
        no_default: interface.config.and_then(|c| c.flag("defaultroute")) == Some(false),
        edge_refused: known_kernel().edge.is_err(),
        redirected: state.is_some_and(|state| netfilter::has_ingress_qdisc(&state.device)),
        offset_assumed: netifd.is_some_and(|known| known.dynamic)
            && interface.option("offset").is_none()
            && mapping.is_some_and(has_usual_offset),
        unclamped: state.and_then(|state| unclamped(state, &world.firewall)),
        looks_through: exempt::looks_through_tunnels(),
        offload: offload(world),
        foreign: line.map(foreign).unwrap_or_default(),
        upnp: line.and_then(upnp),
        example: line.and_then(example),
        missing: installed::missing(kind == Kind::MapT, state.is_some()),
        conflicts: installed::conflicts(chains.as_deref().unwrap_or_default()),
        chains,
        traffic: line.and_then(|line| line.traffic),
        dropped: line.and_then(|line| line.dropped),
        used: usage.map(Usage::max),
        free: line.map_or(0, LineUp::free),
        busiest: usage
            .and_then(|usage| usage.hosts().first())
            .map(|host| (host.address, world.name_of(host.address), host.total())),
        state,
        died: has_died(interface.name),
    }
}

/// What the handler would say of the configuration as it is written.
fn refused(interface: &Interface<'_>) -> Option<Problem> {
    let protocol = Protocol::from_name(interface.proto)?;
    let config = interface.config?.options().collect();
    Settings::new(protocol, interface.name, &config).err()
}

/// What the uplink's own resolvers say of the AFTR's name.
fn aftr(state: &State, world: &World) -> Option<Result<Vec<Ipv6Addr>, Reason>> {
    let Mechanism::DsLite(line) = &state.mechanism else {
        return None;
    };
    let uplink = world.dump.as_ref()?.find(&state.uplink)?;
    let device = uplink.l3_device.as_deref();
    let source = addresses(uplink).first().copied();
    let found = resolve(line.name()?, &uplink.dns, source, device, PATIENCE);
    Some(found.map_err(|error| error.reason()))
}

/// The address that stands for the border: the BR, or the DMR's network.
fn target(mechanism: &Mechanism) -> Option<Ipv6Addr> {
    match mechanism.border()? {
        Border::Br(br) => Some(br),
        Border::Dmr(dmr) => Some(dmr.prefix().network()),
    }
}

fn uplink(interface: &Interface<'_>, state: Option<&State>) -> (Option<Uplink>, Option<Offer>) {
    let (name, candidate) = interface.uplink();
    // What the tunnel runs over now counts more than what would be chosen.
    let name = state.map(|state| state.uplink.clone()).or(name);
    let dump = interface.world().dump.as_ref();
    let found = name.map(|name| {
        let known = dump.and_then(|dump| dump.find(&name));
        let device = known.and_then(|known| known.l3_device.as_deref());
        Uplink {
            name,
            up: known.is_some_and(|known| known.up),
            mtu: device.and_then(uplink_mtu),
            device: device.map(str::to_owned),
        }
    });
    let offer = match (state, candidate) {
        (Some(state), candidate) => Some(Offer {
            prefix: state.mechanism.end_user(),
            source: state.prefix_source.clone(),
            deprecated: candidate
                .is_some_and(|c| c.deprecated && c.prefix == state.mechanism.end_user()),
            stale: interface.stale_besides(&state.mechanism.end_user()),
        }),
        (None, Some(candidate)) => Some(Offer {
            prefix: candidate.prefix,
            source: candidate.source.as_str().into(),
            deprecated: candidate.deprecated,
            stale: interface.stale_besides(&candidate.prefix),
        }),
        (None, None) => None,
    };
    (found, offer)
}

fn known_line(offer: &Offer, mapping: Option<&Mapping>, table: &Table) -> Known {
    let verdict = table.lookup_line(&offer.prefix);
    if let Verdict::Map(found) | Verdict::Unconfirmed(found) = verdict {
        let border = found.border().map(|border| border.to_string());
        return Known::Map {
            id: found.provider().id().to_owned(),
            name: found.provider().name().to_owned(),
            dialect: found.provider().dialect(),
            border,
            same: mapping.is_some_and(|mapping| {
                let domain = found.domain(false).ok();
                let theirs = domain.and_then(|d| d.map(&[mapping.end_user()]).ok());
                let what = |m: &Mapping| (m.ce_address(), m.ipv4(), m.ports(), m.border());
                theirs.is_some_and(|theirs| what(&theirs) == what(mapping))
            }),
        };
    }
    let refusal = verdict.refusal(&offer.prefix);
    if let (Verdict::NotMap(line), Some(refusal)) = (verdict, &refusal)
        && line.carrier().mechanism().is_some()
    {
        return Known::Tunnel {
            id: line.id().to_owned(),
            name: line.name().to_owned(),
            reason: refusal.reason(),
        };
    }
    match refusal {
        Some(refusal) => Known::Refused(refusal.reason()),
        None => Known::No,
    }
}

/// A PSID that is configured though the EA bits hold one too, and that one.
fn psids(interface: &Interface<'_>, mapping: &Mapping) -> Option<(Psid, u16)> {
    let rule = mapping.bmr();
    let psid = rule.provisioned_psid()?;
    let ea_len: u8 = interface.option("ealen")?.parse().ok()?;
    let end_user = mapping.end_user();
    let end = rule.end_user_len().checked_add(psid.len())?;
    if mapping.map_type() == MapType::Lw4o6 || ea_len <= rule.ea_len() {
        return None;
    }
    if end_user.prefix_len() < end {
        return None;
    }
    // What holds a PSID is a /64 or shorter.
    let bits = (end_user.network().to_bits() >> 64) as u64;
    let bits = bits.checked_shr(u32::from(64u8.checked_sub(end)?))?;
    let mask = (1u64 << psid.len()) - 1;
    let found = (bits & mask) as u16;
    (found != psid.value()).then_some((psid, found))
}

fn route(br: Ipv6Addr, ce: Option<Ipv6Addr>) -> Result<(String, String), Reason> {
    match route_to(br, ce) {
        Ok(route) => Ok((route.to_string(), route.device)),
        Err(error) => Err(error.reason()),
    }
}

/// The offset of RFC 7597, which a rule has that names none.
fn has_usual_offset(mapping: &Mapping) -> bool {
    const USUAL: u8 = 6;
    let params = mapping.ports().params();
    mapping.map_type() != MapType::Lw4o6 && params.psid_len() > 0 && params.offset() == USUAL
}

/// A zone of the line that leaves the MSS as it is.
fn unclamped(state: &State, firewall: &Configuration) -> Option<String> {
    let zones = firewall.zones(state.member());
    let is_ours = |zone: &&str| zones.iter().any(|name| name == zone);
    firewall
        .sections()
        .iter()
        .filter(|section| section.kind() == "zone" && section.flag("mtu_fix") != Some(true))
        .filter_map(|section| section.get("name").filter(is_ours))
        .map(excerpt)
        .next()
}

fn offload(world: &World) -> (bool, bool) {
    let mut sections = world.firewall.sections().iter();
    let Some(defaults) = sections.find(|s| s.kind() == "defaults") else {
        return (false, false);
    };
    let on = |key| defaults.flag(key) == Some(true);
    (on("flow_offloading"), on("flow_offloading_hw"))
}

/// Forwards whose ports are not all ours, and those that are not.
fn foreign(line: &LineUp<'_>) -> Vec<(String, String)> {
    let set = own_ports(line);
    let mut all = Vec::new();
    for forward in line.forwards.iter().filter(|forward| forward.redirect) {
        let left = PortList::from_iter([forward.ports]).minus(&set);
        if let Some(first) = left.ranges().next() {
            let name = excerpt(forward.name.as_deref().unwrap_or("unnamed"));
            let found = (name, first.to_string());
            if all.last() != Some(&found) {
                all.push(found);
            }
        }
    }
    all
}

fn own_ports(line: &LineUp<'_>) -> PortList {
    let set = line.state.mechanism.ports();
    set.map(PortList::from).unwrap_or_default()
}

/// What miniupnpd opens, and which of that can be reached.
fn upnp(line: &LineUp<'_>) -> Option<Upnp> {
    let miniupnpd = line.miniupnpd?;
    let state = line.state;
    // All ports of an address of one's own arrive.
    if state.mechanism.ports().is_some_and(|set| !set.is_shared()) {
        return None;
    }
    let all = PortList::of(vec![PortRange::ALL]);
    Some(Upnp {
        kept: line.upnp.count(),
        is_counted: matches!(state.upnp, nat::Upnp::Ports(_)),
        opens: match miniupnpd.allowed(&all) {
            Some(allowed) => match allowed.minus(&line.upnp).ranges().next() {
                Some(lost) => Opens::Lost(lost.to_string()),
                None => Opens::Kept,
            },
            None => Opens::Unread,
        },
    })
}

/// A port nobody has taken.
fn example(line: &LineUp<'_>) -> Option<u16> {
    let taken = line.forwarded().union(&line.reserved);
    let free = own_ports(line).minus(&taken);
    let mut ranges = free.ranges();
    let range = ranges.find(|range| range.last() >= 1024)?;
    Some(range.first().max(1024))
}
