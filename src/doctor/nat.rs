// SPDX-License-Identifier: GPL-2.0-or-later
//! Checks of address translation: rules, ports, forwards.

use std::fmt::Write;

use crate::handler::State;
use crate::netfilter::Chain;

use super::facts::Facts;
use super::finding::{Finding, Verdict, fail, ok, unknown, warn};

/// `NF_INET_POST_ROUTING`.
const POSTROUTING: u32 = 4;

/// Rules that are not as they were loaded.
fn damaged(seen: impl Into<String>) -> Finding {
    fail(
        seen,
        "run /etc/init.d/firewall reload, and see logread if it stays so",
    )
}

fn hidden() -> Finding {
    unknown("only root can see the rules")
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
        return hidden();
    };
    let guard = format!("mape_guard_{}", facts.interface);
    let table = format!("mape_{}", facts.interface);
    let mut own = None;
    for chain in chains {
        if chain.table == guard {
            return damaged(format!(
                "table inet {guard} still holds back all IPv4: the rules were not loaded"
            ));
        }
        if chain.table == table && own.is_none() {
            own = at_exit(chain);
        }
    }
    let Some(own) = own else {
        return damaged(format!("table ip {table} is missing"));
    };
    let before = |chain: &&Chain| {
        let priority = at_exit(chain);
        !chain.table.starts_with("mape_") && priority.is_some_and(|priority| priority <= own)
    };
    // firewall4 masquerades for the whole zone; of others only they know.
    let others = chains.iter().filter(before);
    let Some(chain) = others.min_by_key(|chain| chain.table != "fw4") else {
        return ok(format!("table ip {table}, before masquerade"));
    };
    let (verdict, does) = match chain.table == "fw4" {
        true => (Verdict::Fail, "translates"),
        false => (Verdict::Warn, "may translate"),
    };
    verdict.with_remedy(
        format!(
            "chain {} of table {} {} {does} before ours (priority {}, ours {own})",
            chain.name,
            chain.family,
            chain.table,
            at_exit(chain).unwrap_or(own)
        ),
        "remove that chain, or give it a priority above 95",
    )
}

pub(super) fn edge(facts: &Facts<'_>, state: &State) -> Finding {
    let (mode, reason) = &state.technique;
    match mode.as_str() {
        "pool" => {}
        "hash" if reason.contains("egress") => {
            return warn(
                format!("none, NAT is hash: {reason}"),
                "install kmod-nft-netdev, then ifup: the pool loses no connection while a \
                 port is free",
            );
        }
        mode => return ok(format!("not needed, NAT is {mode}")),
    }
    let Some(chains) = &facts.chains else {
        return hidden();
    };
    let table = format!("mape_{}", facts.interface);
    let is_hook =
        |chain: &&Chain| chain.family == "netdev" && chain.table == table && chain.place.is_some();
    match chains.iter().filter(is_hook).count() {
        0 => damaged(format!(
            "table netdev {table} is missing, so nothing passes"
        )),
        1 => damaged(format!("table netdev {table} has one direction only")),
        _ => ok(format!("{} ports mapped", facts.free)),
    }
}

pub(super) fn offload(facts: &Facts<'_>) -> Finding {
    match facts.offload {
        (false, _) => ok("flow offloading is off"),
        (true, false) => ok("software flow offloading, compatible"),
        (true, true) => warn(
            "hardware flow offloading: no hardware knows this tunnel or its ports",
            "set option flow_offloading_hw '0' in /etc/config/firewall; software offloading \
             works",
        ),
    }
}

pub(super) fn forwards(facts: &Facts<'_>) -> Finding {
    let Some((title, ports)) = facts.foreign.first() else {
        return match facts.state {
            Some(_) => ok("none outside the port set"),
            None => unknown("the interface is not up, so the port set is not known"),
        };
    };
    let more = match facts.foreign.len() {
        1 => String::new(),
        all => format!(", and {} more", all - 1),
    };
    let instance = match facts.example {
        Some(port) => format!(", for instance {port},"),
        None => ",".into(),
    };
    let plural = if ports.contains('-') { "s" } else { "" };
    warn(
        format!("{title} uses port{plural} {ports}, which is not in the port set{more}"),
        format!("use a port of the set{instance} or the IPv6 address"),
    )
}

pub(super) fn ports(facts: &Facts<'_>, _: &State) -> Finding {
    let Some(used) = facts.used else {
        return match facts.root {
            false => unknown("only root can see connections"),
            true => warn(
                "conntrack does not answer, so the ports in use are not known",
                "install kmod-nf-conntrack-netlink",
            ),
        };
    };
    let free = facts.free;
    let exhausted = facts.dropped.map_or(0, |dropped| dropped.exhausted);
    let share = used.saturating_mul(100) / (free.max(1) as usize);
    let mut seen = format!("{used} of {free} used");
    if exhausted > 0 {
        let _ = write!(seen, "; {exhausted} connections found no free port");
    }
    // That counter is the kernel's, for the whole router and since it was
    // started: alone it says nothing about now.
    let verdict = match share {
        0..80 => return ok(seen),
        80..95 => Verdict::Warn,
        _ => Verdict::Fail,
    };
    if let Some((address, name, count)) = &facts.busiest {
        let _ = match name {
            Some(name) => write!(seen, "; {address} ({name}) has {count} of them"),
            None => write!(seen, "; {address} has {count} of them"),
        };
    }
    verdict.with_remedy(
        seen,
        "see mape ports; option conntrack 'tight' frees ports sooner, and IPv6 needs none",
    )
}
