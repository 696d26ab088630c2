// SPDX-License-Identifier: GPL-2.0-or-later
//! Checks of address translation: rules, ports, forwards.

use crate::handler::State;
use crate::nat::{Mode, names};
use crate::netfilter::Chain;

use super::facts::{Facts, Opens, Upnp};
use super::finding::{Finding, Verdict, fail, not_up, ok, unknown, warn};
use super::remedy::Remedy;
use super::seen::Seen;
use crate::status::usage::Fill;

/// `NF_INET_POST_ROUTING`.
const POSTROUTING: u32 = 4;

/// Rules that are not as they were loaded.
fn damaged(facts: &Facts<'_>, seen: Seen) -> Finding {
    let interface = facts.interface.to_owned();
    fail(seen, Remedy::ReloadRules { interface })
}

/// What a package would mend.
fn install(facts: &Facts<'_>, seen: Seen, package: &'static str) -> Finding {
    let remedy = Remedy::Install {
        packages: vec![package],
        interface: facts.interface.to_owned(),
    };
    warn(seen, remedy)
}

/// Priority of a chain that translates what leaves.
fn at_exit(chain: &Chain) -> Option<i32> {
    let (hook, priority) = chain.place?;
    let translates = chain.kind.as_deref() == Some("nat");
    let is_ipv4 = matches!(chain.family, "inet" | "ip");
    (hook == POSTROUTING && translates && is_ipv4).then_some(priority)
}

pub(super) fn nat(facts: &Facts<'_>, _: &State) -> Finding {
    let Some(chains) = &facts.chains else {
        return unknown(Seen::RulesHidden {});
    };
    let guard = names::guard_table(facts.interface);
    let table = names::table(facts.interface);
    let mut own = None;
    for chain in chains {
        if chain.table == guard {
            let table = format!("inet {guard}");
            return damaged(facts, Seen::GuardStays { table });
        }
        if chain.table == table && own.is_none() {
            own = at_exit(chain);
        }
    }
    let table = format!("ip {table}");
    let Some(own) = own else {
        return damaged(facts, Seen::TableMissing { table });
    };
    let before = |chain: &&Chain| {
        let priority = at_exit(chain);
        !names::is_ours(&chain.table) && priority.is_some_and(|priority| priority <= own)
    };
    // firewall4 masquerades for the whole zone; of others only they know.
    let others = chains.iter().filter(before);
    let Some(other) = others.min_by_key(|chain| chain.table != "fw4") else {
        return ok(Seen::NatInPlace { table });
    };
    let verdict = match other.table == "fw4" {
        true => Verdict::Fail,
        false => Verdict::Warn,
    };
    let chain = other.name.clone();
    let table = format!("{} {}", other.family, other.table);
    let remedy = Remedy::RemoveChain {
        chain: chain.clone(),
        table: table.clone(),
    };
    let seen = Seen::TranslatedBefore {
        chain,
        table,
        priority: at_exit(other).unwrap_or(own),
        own,
    };
    verdict.with_remedy(seen, remedy)
}

pub(super) fn edge(facts: &Facts<'_>, state: &State) -> Finding {
    let (mode, reason) = &state.technique;
    match mode.as_str() {
        "pool" => {}
        "hash" if facts.edge_refused && state.nat != Mode::Hash => {
            let reason = reason.clone();
            return install(facts, Seen::EdgeHash { reason }, "kmod-nft-netdev");
        }
        mode => {
            let mode = mode.to_owned();
            return ok(Seen::EdgeNotNeeded { mode });
        }
    }
    let Some(chains) = &facts.chains else {
        return unknown(Seen::RulesHidden {});
    };
    let table = names::table(facts.interface);
    let is_hook =
        |chain: &&Chain| chain.family == "netdev" && chain.table == table && chain.place.is_some();
    let hooks = chains.iter().filter(is_hook).count();
    let is_behind = |chain: &Chain| chain.is_way_in_behind_traffic_control(facts.interface);
    let is_behind = chains.iter().any(is_behind);
    let table = format!("netdev {table}");
    match hooks + usize::from(is_behind) {
        _ if hooks == 0 => damaged(facts, Seen::TableMissing { table }),
        1 => damaged(facts, Seen::EdgeHalf { table }),
        _ if facts.redirected && !is_behind => {
            let device = state.device.clone();
            damaged(facts, Seen::EdgeBypassed { device })
        }
        _ => ok(Seen::EdgeMapped { ports: facts.free }),
    }
}

pub(super) fn offload(facts: &Facts<'_>) -> Finding {
    match facts.offload {
        (false, _) => ok(Seen::OffloadOff {}),
        (true, true) => warn(Seen::OffloadHardware {}, Remedy::OffloadSoftware {}),
        (true, false) => offload_by_software(facts),
    }
}

/// Flow tables that look through tunnels must not take our connections.
fn offload_by_software(facts: &Facts<'_>) -> Finding {
    let is_tunnel = facts.state.is_some_and(|s| s.mechanism.kind().is_tunnel());
    let Some(kernel) = facts.looks_through.clone().filter(|_| is_tunnel) else {
        return ok(Seen::OffloadSoftware {});
    };
    let Some(chains) = &facts.chains else {
        return unknown(Seen::RulesHidden {});
    };
    let table = names::exempt_table(facts.interface);
    match chains.iter().any(|chain| chain.table == table) {
        true => ok(Seen::OffloadLeftOut { kernel }),
        false => {
            let table = format!("ip {table}");
            damaged(facts, Seen::OffloadNotLeftOut { kernel, table })
        }
    }
}

pub(super) fn forwards(facts: &Facts<'_>) -> Finding {
    let Some((name, ports)) = facts.foreign.first().cloned() else {
        return match facts.state {
            Some(_) => ok(Seen::ForwardsFit {}),
            None if facts.bus => unknown(Seen::PortsNotKnown {}),
            None => not_up(facts),
        };
    };
    if facts
        .state
        .is_some_and(|state| state.mechanism.ports().is_none())
    {
        return warn(Seen::ForwardsRefused { name }, Remedy::UseIpv6 {});
    }
    let seen = match facts.foreign.len() - 1 {
        0 => Seen::ForwardOutside { name, ports },
        more => Seen::ForwardsOutside { name, ports, more },
    };
    let remedy = match facts.example {
        Some(port) => Remedy::ForwardOwnPort { port },
        None => Remedy::ForwardByIpv6 {},
    };
    warn(seen, remedy)
}

/// What programs in the LAN have opened, if anything opens ports.
pub(super) fn upnp(facts: &Facts<'_>) -> Vec<Finding> {
    let judge = |state: &State| {
        let upnp = facts.upnp.as_ref()?;
        Some(upnp_ports(upnp, state))
    };
    facts.state.and_then(judge).into_iter().collect()
}

fn upnp_ports(upnp: &Upnp, state: &State) -> Finding {
    let kept = upnp.kept;
    let ports = match &upnp.opens {
        Opens::Unread => return unknown(Seen::UpnpHidden { kept }),
        Opens::Kept => return ok(Seen::UpnpFits { kept }),
        Opens::Lost(ports) => ports.clone(),
    };
    if state.mechanism.ports().is_none() {
        return warn(Seen::UpnpUseless {}, Remedy::UpnpElsewhere {});
    }
    let interface = state.interface.clone();
    let remedy = match upnp.is_counted {
        true => Remedy::ReloadRules { interface },
        false => Remedy::ShareForUpnp { interface },
    };
    warn(Seen::UpnpLost { ports }, remedy)
}

/// Ports in use, if any are ours.
pub(super) fn ports(facts: &Facts<'_>) -> Vec<Finding> {
    match facts.state {
        None => vec![not_up(facts)],
        Some(state) if state.mechanism.ports().is_none() => Vec::new(),
        Some(_) => vec![ports_in_use(facts)],
    }
}

fn ports_in_use(facts: &Facts<'_>) -> Finding {
    let Some(used) = facts.used else {
        return match facts.root {
            false => unknown(Seen::ConnectionsHidden {}),
            true => install(
                facts,
                Seen::ConnectionsUnknown {},
                "kmod-nf-conntrack-netlink",
            ),
        };
    };
    let pool = facts.free;
    let exhausted = facts.dropped.map_or(0, |dropped| dropped.exhausted);
    let free = Seen::PortsFree {
        used,
        pool,
        exhausted,
    };
    // The count is since the rules were loaded or, if nothing counts
    // connections, the kernel's since boot: alone it says nothing about now.
    let verdict = match Fill::of(used, pool as usize).0 {
        Fill::Roomy => return ok(free),
        Fill::Scarce => Verdict::Warn,
        Fill::Full => Verdict::Fail,
    };
    let seen = match &facts.busiest {
        None => free,
        Some((address, name, count)) => Seen::PortsScarce {
            used,
            pool,
            exhausted,
            device: match name {
                Some(name) => format!("{address} ({name})"),
                None => address.to_string(),
            },
            count: *count,
        },
    };
    verdict.with_remedy(seen, Remedy::SavePorts {})
}
