// SPDX-License-Identifier: GPL-2.0-or-later
//! The `ip` table, for packets inside the tunnel: source NAT, and filters
//! before and behind it.
//!
//! Its family is not `inet`: each packet of the tunnel passes the hooks twice,
//! as IPv6 outside and as IPv4 inside, and would meet every chain both times.

use std::fmt::{self, Display, Formatter, Write};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::map::PortSet;

use super::names::INSIDE;
use super::plan::Plan;
use super::technique::Technique;
use super::{edge, exhaustion, passing, untranslated};

/// The content of the table.
pub(super) struct Inside<'a>(pub(super) &'a Plan);

impl Display for Inside<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plan = self.0;
        exhaustion::write(f, plan)?;
        for counter in INSIDE {
            writeln!(f, "\tcounter {counter} {{ }}")?;
        }
        if plan.technique() == &Technique::Untranslated {
            return untranslated::write(f, plan);
        }
        if plan.is_tight() {
            f.write_str(TIGHT_TIMEOUTS)?;
        }
        match plan.technique() {
            Technique::Pool(pool) if plan.is_redirected() => {
                edge::behind_traffic_control(f, plan, pool)?;
            }
            Technique::Pool(_) => {}
            _ => inbound(f, plan)?,
        }
        unsolicited(f, plan)?;
        outbound(f, plan)?;
        filters(f, plan)?;
        source_nat(f, plan)?;
        if !plan.has_edge() {
            guard(f, plan)?;
        }
        Ok(())
    }
}

/// Shorter timeouts in seconds. TCP's established is 7440 on OpenWrt (RFC 5382
/// asks for that), UDP's replied 120 (RFC 4787): both are undercut here.
const TIGHT_TIMEOUTS: &str = r"	ct timeout tight_tcp { protocol tcp; l3proto ip; policy = { syn_sent : 30, syn_recv : 20, established : 1800, fin_wait : 20, close_wait : 20, last_ack : 10, time_wait : 10, close : 5 }; }
	ct timeout tight_udp { protocol udp; l3proto ip; policy = { unreplied : 15, replied : 60 }; }
";

/// Before conntrack: only what is for our address and ports may enter (RFC 7597
/// section 8.1). With an edge map that checks it.
fn inbound(f: &mut Formatter<'_>, plan: &Plan) -> fmt::Result {
    let device = &plan.line().device;
    let network = plan.network();
    write!(
        f,
        r#"	chain inbound {{
		type filter hook prerouting priority raw; policy accept;
		iifname != "{device}" accept
		ip daddr != {network} counter name "not_our_address" drop
"#
    )?;
    if let Some(ports) = plan.shared() {
        only_our_ports(f, ports, &DESTINATION)?;
    }
    end_chain(f)
}

/// What nobody asked for reaches only ports that pass untranslated; what becomes
/// of it is the firewall's business. A port forward may have changed the port
/// already, unless conntrack does not know the packet.
fn unsolicited(f: &mut Formatter<'_>, plan: &Plan) -> fmt::Result {
    let spoofed = spoofed_sources(plan.network());
    write!(
        f,
        r#"	chain unsolicited {{
		ip saddr {{ {spoofed} }} counter name "unsolicited" drop
"#
    )?;
    if plan.shared().is_some() {
        passing::write_rule(f, plan, "", "ct original proto-dst", "accept")?;
        passing::write_rule(f, plan, "ct state invalid,untracked ", "th dport", "accept")?;
        if plan.answers_ping() {
            writeln!(f, "\t\ticmp type echo-request accept")?;
        }
        writeln!(f, "\t\tcounter name \"unsolicited\" drop")?;
    }
    end_chain(f)
}

/// Networks that no host on the Internet is in (RFC 6890), but hosts behind us
/// are: a packet from outside with such a source pretends to be from inside.
const INTERNAL: [Ipv4Net; 8] = [
    Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 8),
    Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 4),
    Ipv4Net::new_assert(Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The sources that a new connection from outside cannot have: our own network
/// and internal ones, except for the one that the whole domain is in.
fn spoofed_sources(own: Ipv4Net) -> String {
    let internal = INTERNAL
        .into_iter()
        .filter(|net| !net.contains(&own.addr()));
    let sources: Vec<String> = std::iter::once(own)
        .chain(internal)
        .map(|net| net.to_string())
        .collect();
    sources.join(", ")
}

/// What each new connection meets on its way out: timeouts are set, and what
/// cannot cross a shared address or has no port left is rejected.
fn outbound(f: &mut Formatter<'_>, plan: &Plan) -> fmt::Result {
    writeln!(f, "\tchain outbound {{")?;
    if plan.is_tight() {
        f.write_str(
            r#"		meta l4proto tcp ct state new ct timeout set "tight_tcp"
		meta l4proto udp ct state new ct timeout set "tight_udp"
"#,
        )?;
    }
    if plan.shared().is_some() {
        f.write_str(
            r#"		meta l4proto != { tcp, udp, icmp } counter name "no_port_protocol" reject with icmp prot-unreachable
"#,
        )?;
    }
    if plan.refuses_when_full() {
        writeln!(f, "\t\tct state new jump count")?;
    }
    end_chain(f)?;
    Ok(())
}

/// The hooks that every packet passes, ahead of firewall4's filters. One look at
/// the state of its connection settles nearly all.
fn filters(f: &mut Formatter<'_>, plan: &Plan) -> fmt::Result {
    let device = &plan.line().device;
    let inward = format!("\t\tiifname \"{device}\" jump unsolicited\n");
    let outward = format!("\t\toifname \"{device}\" jump outbound\n");
    for (hook, rules) in [
        ("forward", [inward.as_str(), &outward].concat()),
        ("input", inward.clone()),
        ("output", outward.clone()),
    ] {
        writeln!(
            f,
            r"	chain {hook} {{
		type filter hook {hook} priority filter - 5; policy accept;
		ct state established,related accept
{rules}	}}"
        )?;
    }
    Ok(())
}

/// Source NAT, before firewall4's masquerade, which then finds nothing to do.
fn source_nat(f: &mut Formatter<'_>, plan: &Plan) -> fmt::Result {
    let device = &plan.line().device;
    let address = plan.address();
    write!(
        f,
        r#"	chain source_nat {{
		type nat hook postrouting priority srcnat - 5; policy accept;
		oifname != "{device}" accept
"#
    )?;
    if plan.has_edge() {
        // The edge map belongs to the very device it was loaded for, while
        // names outlive devices. Only the first packet of a connection comes
        // by here, so the check costs nothing.
        writeln!(f, "\t\toif != \"{device}\" counter name \"held_back\" drop")?;
    }
    let from_us = format!("ip saddr {address} ");
    let to_us = format!("snat ip to {address}");
    passing::write_rule(f, plan, &from_us, "th sport", &to_us)?;
    // A port that a program asked for by UPnP is its own on the way out too,
    // if it has that number inside: a game that asks a server for its address
    // learns the port that it can be reached at.
    passing::write_upnp_rules(f, plan, &|range| {
        format!("counter name \"translated\" {to_us}:{range}")
    })?;
    let range = match plan.technique() {
        Technique::Pool(pool) => Some(pool.numbers()),
        Technique::Plain(range) => *range,
        Technique::Hash | Technique::Untranslated => None,
    };
    if let Some(range) = range {
        writeln!(
            f,
            "\t\tmeta l4proto {{ tcp, udp, icmp }} counter name \"translated\" {to_us}:{range}"
        )?;
    }
    if matches!(plan.technique(), Technique::Hash) {
        hash(f, plan)?;
    }
    if plan.shared().is_none() {
        // A prefix is ours as a whole: its hosts keep their addresses.
        let network = plan.network();
        writeln!(
            f,
            "\t\tip saddr != {network} counter name \"translated\" {to_us}"
        )?;
        if network.prefix_len() < 32 {
            // Translated to themselves, so that firewall4 does not masquerade
            // them: the kernel gives a connection one source NAT.
            writeln!(f, "\t\tsnat ip to ip saddr")?;
        }
    }
    end_chain(f)
}

/// The hash of the internal endpoint selects one port of all, and the range
/// that port is in is taken: so each range gets its share. The seed is fixed,
/// so that an endpoint keeps its range when rules are loaded again.
fn hash(f: &mut Formatter<'_>, plan: &Plan) -> fmt::Result {
    const SEED: &str = "0x6d617065";
    let address = plan.address();
    let (mut slots, mut slot) = (String::new(), 0);
    for range in plan.free().ranges() {
        let next = slot + range.count();
        let (first, last) = (range.first(), range.last());
        write!(slots, "{slot}-{} : {address} . {first}-{last}, ", next - 1)?;
        slot = next;
    }
    for (packets, number) in [
        ("meta l4proto { tcp, udp }", "th sport"),
        ("icmp type echo-request", "icmp id"),
    ] {
        writeln!(
            f,
            "\t\t{packets} counter name \"translated\" snat ip addr . port to \
             jhash ip saddr . {number} mod {slot} seed {SEED} map {{ {slots}}}"
        )?;
    }
    Ok(())
}

/// After all source NAT, fw4's included: nothing leaves with an address or port
/// that is not ours. With an edge map that checks it.
fn guard(f: &mut Formatter<'_>, plan: &Plan) -> fmt::Result {
    let device = &plan.line().device;
    let network = plan.network();
    write!(
        f,
        r#"	chain guard {{
		type filter hook postrouting priority srcnat + 10; policy accept;
		oifname != "{device}" accept
		ip saddr != {network} counter name "out_refused" drop
"#
    )?;
    if let Some(ports) = plan.shared() {
        only_our_ports(f, ports, &SOURCE)?;
    }
    end_chain(f)
}

/// Which end of a packet must have a port of ours.
struct End {
    /// Its port in TCP and UDP headers.
    port: &'static str,
    /// Bit at which the packet that an ICMP error quotes has our port.
    quoted: u16,
    /// Counter of packets with another port.
    refused: &'static str,
}

const DESTINATION: End = End {
    port: "dport",
    quoted: 224,
    refused: "not_our_port",
};

const SOURCE: End = End {
    port: "sport",
    quoted: 240,
    refused: "out_refused",
};

/// Rules that accept TCP, UDP, echo and ICMP errors whose port at one end is in
/// `set`, and drop the rest.
fn only_our_ports(f: &mut Formatter<'_>, set: PortSet, end: &End) -> fmt::Result {
    let End {
        port,
        quoted,
        refused,
    } = end;
    // Bits of a port from the left: the offset's (not 0 unless there are none),
    // the PSID's, and those that count the ports of a range.
    let params = set.params();
    let below = 16 - params.offset() - params.psid_len();
    let mask = (params.sharing_ratio() - 1) << below;
    let value = u32::from(set.psid().value()) << below;
    let first = match params.offset() {
        0 => 1,
        offset => 1u32 << (16 - offset),
    };
    write!(
        f,
        r#"		meta l4proto {{ tcp, udp }} th {port} >= {first} th {port} & {mask:#x} == {value:#x} accept
		icmp type {{ echo-request, echo-reply }} icmp id >= {first} icmp id & {mask:#x} == {value:#x} accept
		icmp type {{ destination-unreachable, time-exceeded, parameter-problem }} @th,64,8 0x45 @th,112,16 & 0x1fff == 0 @th,136,8 {{ 6, 17 }} @th,{quoted},16 >= {first} @th,{quoted},16 & {mask:#x} == {value:#x} accept
		icmp type {{ destination-unreachable, time-exceeded, parameter-problem }} @th,64,8 0x45 @th,112,16 & 0x1fff == 0 @th,136,8 1 @th,256,16 >= {first} @th,256,16 & {mask:#x} == {value:#x} accept
		counter name "{refused}" drop
"#
    )
}

fn end_chain(f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "\t}}")
}
