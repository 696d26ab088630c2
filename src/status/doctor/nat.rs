// SPDX-License-Identifier: GPL-2.0-or-later
//! Checks of address translation: rules, ports, forwards.

use crate::nat::Chain;

use super::{Facts, Finding, fail, ok, unknown, warn};

/// `NF_INET_POST_ROUTING`.
const POSTROUTING: u32 = 4;
const RELOAD: &str = "run /etc/init.d/firewall reload, and see logread if it stays so";
const HIDDEN: &str = "only root can see the rules";

fn nat_chains(chains: &[Chain]) -> impl Iterator<Item = (&Chain, i32)> {
    let at_exit = |chain: &&Chain| {
        chain.kind.as_deref() == Some("nat") && matches!(chain.family, "inet" | "ip")
    };
    chains.iter().filter(at_exit).filter_map(|chain| {
        let (hook, priority) = chain.place?;
        (hook == POSTROUTING).then_some((chain, priority))
    })
}

pub(super) fn nat(facts: &Facts) -> Finding {
    if facts.state.is_none() {
        return unknown("the interface is not up");
    }
    let Some(chains) = &facts.chains else {
        return unknown(HIDDEN);
    };
    let guard = format!("mape_guard_{}", facts.interface);
    if chains.iter().any(|chain| chain.table == guard) {
        return fail(
            format!("table inet {guard} still holds back all IPv4: the rules were not loaded"),
            RELOAD,
        );
    }
    let table = format!("mape_{}", facts.interface);
    let own = nat_chains(chains).find(|(chain, _)| chain.table == table);
    let Some((_, own)) = own else {
        return fail(format!("table ip {table} is missing"), RELOAD);
    };
    let before =
        |(chain, priority): &(&Chain, i32)| !chain.table.starts_with("mape_") && *priority <= own;
    let mut others: Vec<(&Chain, i32)> = nat_chains(chains).filter(before).collect();
    // firewall4 masquerades for the whole zone; of others only they know.
    others.sort_by_key(|(chain, _)| chain.table != "fw4");
    let Some((chain, priority)) = others.first() else {
        return ok(format!("table ip {table}, before masquerade"));
    };
    let seen = |does| {
        let Chain {
            name,
            family,
            table,
            ..
        } = chain;
        format!(
            "chain {name} of table {family} {table} {does} before ours (priority {priority}, ours {own})"
        )
    };
    let remedy = "remove that chain, or give it a priority above 95";
    match chain.table == "fw4" {
        true => fail(seen("translates"), remedy),
        false => warn(seen("may translate"), remedy),
    }
}

pub(super) fn edge(facts: &Facts) -> Finding {
    let Some(state) = &facts.state else {
        return unknown("the interface is not up");
    };
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
        return unknown(HIDDEN);
    };
    let table = format!("mape_{}", facts.interface);
    let hooks = chains
        .iter()
        .filter(|chain| chain.family == "netdev" && chain.table == table)
        .filter(|chain| chain.place.is_some());
    match hooks.count() {
        0 => fail(
            format!("table netdev {table} is missing, so nothing passes"),
            RELOAD,
        ),
        1 => fail(
            format!("table netdev {table} has one direction only"),
            RELOAD,
        ),
        _ => ok(format!("{} ports mapped", facts.free)),
    }
}

pub(super) fn offload(facts: &Facts) -> Finding {
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

pub(super) fn forwards(facts: &Facts) -> Finding {
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
    let instead = match facts.example {
        Some(port) => format!("use a port of the set, for instance {port}, or the IPv6 address"),
        None => "use a port of the set, or the IPv6 address".into(),
    };
    let noun = match ports.contains('-') {
        true => "ports",
        false => "port",
    };
    let seen = format!("{title} uses {noun} {ports}, which is not in the port set{more}");
    warn(seen, instead)
}

pub(super) fn ports(facts: &Facts) -> Finding {
    if facts.state.is_none() {
        return unknown("the interface is not up");
    }
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
        seen = format!("{seen}; {exhausted} connections found no free port");
    }
    // That counter is the kernel's, for the whole router and since it was
    // started: alone it says nothing about now.
    if share < 80 {
        return ok(seen);
    }
    if let Some((address, name, count)) = &facts.busiest {
        let name = name
            .as_ref()
            .map_or(String::new(), |name| format!(" ({name})"));
        seen = format!("{seen}; {address}{name} has {count} of them");
    }
    let remedy = "see mape ports; option conntrack 'tight' frees ports sooner, and IPv6 needs none";
    match share {
        95.. => fail(seen, remedy),
        _ => warn(seen, remedy),
    }
}
