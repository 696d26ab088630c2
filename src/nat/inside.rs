// SPDX-License-Identifier: GPL-2.0-or-later
//! The `ip` table, for packets inside the tunnel: source NAT, and filters
//! before and behind it.
//!
//! Not of family `inet`: each packet of the tunnel passes the hooks twice, as
//! IPv6 outside and as IPv4 inside, and would meet every chain both times.

use std::fmt::{self, Write};

use ipnet::Ipv4Net;

use crate::map::PortSet;

use super::plan::Plan;
use super::technique::Technique;

/// Has the kernel check timeout policies. Nothing of it is ever in force.
pub(super) const PROBE_TIMEOUTS: &str = r#"table ip mape_probe {
	ct timeout probe { protocol tcp; l3proto ip; policy = { established : 1800 }; }
	chain forward {
		type filter hook forward priority 0; policy accept;
		oifname "lo" meta l4proto tcp ct timeout set "probe"
	}
}
"#;

/// Shorter timeouts in seconds. TCP's established is 7440 on OpenWrt (RFC 5382
/// asks for that), UDP's replied 120 (RFC 4787): both are undercut here.
const TIGHT: [(&str, &str, &str); 2] = [
    (
        "tight_tcp",
        "tcp",
        "syn_sent : 30, syn_recv : 20, established : 1800, fin_wait : 20, close_wait : 20, \
         last_ack : 10, time_wait : 10, close : 5",
    ),
    ("tight_udp", "udp", "unreplied : 15, replied : 60"),
];

/// What stands in the table.
pub(super) fn body(plan: &Plan) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = content(&mut text, plan);
    text
}

fn content(out: &mut String, plan: &Plan) -> fmt::Result {
    for counter in super::counters::INSIDE {
        writeln!(out, "\tcounter {counter} {{ }}")?;
    }
    if plan.is_tight() {
        timeouts(out)?;
    }
    inbound(out, plan)?;
    unsolicited(out, plan)?;
    outbound(out, plan)?;
    source_nat(out, plan)?;
    guard(out, plan)
}

fn timeouts(out: &mut String) -> fmt::Result {
    for (name, protocol, policy) in TIGHT {
        writeln!(
            out,
            "\tct timeout {name} {{ protocol {protocol}; l3proto ip; policy = {{ {policy} }}; }}"
        )?;
    }
    Ok(())
}

/// What TCP, UDP, echo and ICMP errors look like when the port at one end is
/// ours: conditions to accept packets by.
fn ours(set: PortSet, port: &str, quoted: u16) -> [String; 4] {
    let params = set.params();
    let below = 16 - params.offset() - params.psid_len();
    let mask = (params.sharing_ratio() - 1) << below;
    let value = u32::from(set.psid().value()) << below;
    let first = if params.offset() == 0 {
        1
    } else {
        1u32 << (16 - params.offset())
    };
    let is_ours = |what: &str| format!("{what} >= {first} {what} & {mask:#x} == {value:#x}");
    [
        format!(
            "meta l4proto {{ tcp, udp }} {}",
            is_ours(&format!("th {port}"))
        ),
        format!(
            "icmp type {{ echo-request, echo-reply }} {}",
            is_ours("icmp id")
        ),
        format!(
            "icmp type {{ destination-unreachable, time-exceeded, parameter-problem }} @th,64,8 0x45 @th,112,16 & 0x1fff == 0 @th,136,8 {{ 6, 17 }} {}",
            is_ours(&format!("@th,{quoted},16"))
        ),
        format!(
            "icmp type {{ destination-unreachable, time-exceeded, parameter-problem }} @th,64,8 0x45 @th,112,16 & 0x1fff == 0 @th,136,8 1 {}",
            is_ours("@th,256,16")
        ),
    ]
}

/// Before conntrack, where there is no edge map that sees to it: only what is
/// for our address and ports (RFC 7597 section 8).
fn inbound(out: &mut String, plan: &Plan) -> fmt::Result {
    if plan.has_edge() {
        return Ok(());
    }
    let device = &plan.line().device;
    let net = plan.network();
    writeln!(
        out,
        "\tchain inbound {{\n\
         \t\ttype filter hook prerouting priority raw; policy accept;\n\
         \t\tiifname != \"{device}\" accept\n\
         \t\tip daddr != {net} counter name \"not_our_address\" drop"
    )?;
    if plan.is_shared() {
        for condition in ours(plan.line().ports, "dport", 224) {
            writeln!(out, "\t\t{condition} accept")?;
        }
        writeln!(out, "\t\tcounter name \"not_our_port\" drop")?;
    }
    out.write_str("\t}\n")
}

/// Sources that nobody on the Internet has (RFC 6890), but hosts behind us do:
/// whoever sends with them means to be taken for one.
const INTERNAL: [[u8; 5]; 8] = [
    [0, 0, 0, 0, 8],
    [10, 0, 0, 0, 8],
    [127, 0, 0, 0, 8],
    [169, 254, 0, 0, 16],
    [172, 16, 0, 0, 12],
    [192, 168, 0, 0, 16],
    [224, 0, 0, 0, 4],
    [240, 0, 0, 0, 4],
];

/// The sources that a new connection from outside cannot have: internal ones,
/// unless the whole domain has such addresses, and our own.
fn spoofed(own: Ipv4Net) -> String {
    let mut sources = own.to_string();
    for [a, b, c, d, len] in INTERNAL {
        let net = Ipv4Net::new([a, b, c, d].into(), len).unwrap_or_default();
        if !net.contains(&own.addr()) {
            sources += &format!(", {net}");
        }
    }
    sources
}

/// After conntrack, before DNAT: unasked-for packets reach only ports that
/// pass untranslated; what becomes of them is the firewall's business.
fn unsolicited(out: &mut String, plan: &Plan) -> fmt::Result {
    let device = &plan.line().device;
    let spoofed = spoofed(plan.network());
    writeln!(
        out,
        "\tchain unsolicited {{\n\
         \t\ttype filter hook prerouting priority mangle + 10; policy accept;\n\
         \t\tct state established,related accept\n\
         \t\tiifname != \"{device}\" accept\n\
         \t\tip saddr {{ {spoofed} }} counter name \"unsolicited\" drop"
    )?;
    if !plan.is_shared() {
        return out.write_str("\t}\n");
    }
    if !plan.passing().is_empty() {
        let passing = plan.passing();
        writeln!(
            out,
            "\t\tmeta l4proto {{ tcp, udp }} th dport {{ {passing} }} accept"
        )?;
    }
    if plan.answers_ping() {
        writeln!(out, "\t\ticmp type echo-request accept")?;
    }
    writeln!(out, "\t\tcounter name \"unsolicited\" drop\n\t}}")
}

/// What each new connection meets on its way out, behind firewall4's filters,
/// since what they drop takes no port: what cannot cross a shared address is
/// refused at once, as is what no port is left for; and timeouts are set.
fn outbound(out: &mut String, plan: &Plan) -> fmt::Result {
    let device = &plan.line().device;
    writeln!(out, "\tchain outbound {{")?;
    if plan.is_tight() {
        for (name, protocol, _) in TIGHT {
            writeln!(
                out,
                "\t\tmeta l4proto {protocol} ct state new ct timeout set \"{name}\""
            )?;
        }
    }
    if plan.is_shared() {
        writeln!(
            out,
            "\t\tmeta l4proto != {{ tcp, udp, icmp }} counter name \"no_port_protocol\" \
             reject with icmp prot-unreachable"
        )?;
    }
    if plan.refuses_when_full() {
        writeln!(out, "\t\tct state new jump count")?;
    }
    out.write_str("\t}\n")?;
    // The connection's state first: it settles nearly every packet.
    for hook in ["forward", "output"] {
        writeln!(
            out,
            "\tchain {hook} {{\n\
             \t\ttype filter hook {hook} priority filter + 5; policy accept;\n\
             \t\tct state established,related accept\n\
             \t\toifname \"{device}\" jump outbound\n\t}}"
        )?;
    }
    Ok(())
}

/// Before firewall4's masquerade, which then finds nothing left to do.
fn source_nat(out: &mut String, plan: &Plan) -> fmt::Result {
    let device = &plan.line().device;
    let address = plan.address();
    writeln!(
        out,
        "\tchain source_nat {{\n\
         \t\ttype nat hook postrouting priority srcnat - 5; policy accept;\n\
         \t\toifname != \"{device}\" accept"
    )?;
    if plan.has_edge() {
        // The edge map is bound to the very device it was loaded for, while
        // names outlive devices. Here, where only the first packet of a
        // connection comes by, the question costs nothing.
        writeln!(
            out,
            "\t\toif != \"{device}\" counter name \"held_back\" drop"
        )?;
    }
    if !plan.passing().is_empty() {
        let passing = plan.passing();
        writeln!(
            out,
            "\t\tip saddr {address} meta l4proto {{ tcp, udp }} th sport {{ {passing} }} \
             snat ip to {address}"
        )?;
    }
    let with_ports = "meta l4proto { tcp, udp, icmp } counter name \"translated\" snat ip to";
    match plan.technique() {
        Technique::Pool(pool) => {
            writeln!(out, "\t\t{with_ports} {address}:{}", pool.numbers())?;
        }
        Technique::Plain(Some(range)) => {
            writeln!(out, "\t\t{with_ports} {address}:{range}")?;
        }
        Technique::Plain(None) => {}
        Technique::Hash => hash(out, plan)?,
    }
    if !plan.is_shared() {
        // A prefix is ours as a whole: its hosts keep their addresses.
        let net = plan.network();
        writeln!(
            out,
            "\t\tip saddr != {net} counter name \"translated\" snat ip to {address}"
        )?;
    }
    out.write_str("\t}\n")
}

/// The hash of the internal endpoint falls on one port of all, and its range
/// is taken: each range gets its share. The seed is fixed, so that an endpoint
/// keeps its range when rules are loaded anew.
fn hash(out: &mut String, plan: &Plan) -> fmt::Result {
    let (address, count) = (plan.address(), plan.free().count());
    for (condition, key) in [
        ("meta l4proto { tcp, udp }", "th sport"),
        ("icmp type echo-request", "icmp id"),
    ] {
        write!(
            out,
            "\t\t{condition} counter name \"translated\" snat ip addr . port to \
             jhash ip saddr . {key} mod {count} seed 0x6d617065 map {{ "
        )?;
        let mut slot = 0;
        for range in plan.free().ranges() {
            let next = slot + range.count();
            let (first, last) = (range.first(), range.last());
            write!(out, "{slot}-{} : {address} . {first}-{last}, ", next - 1)?;
            slot = next;
        }
        out.write_str("}\n")?;
    }
    Ok(())
}

/// After all source NAT, fw4's included: nothing leaves with an address or
/// port that is not ours. With an edge map it is that which looks.
fn guard(out: &mut String, plan: &Plan) -> fmt::Result {
    if plan.has_edge() {
        return Ok(());
    }
    let device = &plan.line().device;
    out.write_str(
        "\tchain guard {\n\
         \t\ttype filter hook postrouting priority srcnat + 10; policy accept;\n",
    )?;
    let net = plan.network();
    writeln!(
        out,
        "\t\toifname != \"{device}\" accept\n\
         \t\tip saddr != {net} counter name \"out_refused\" drop"
    )?;
    if plan.is_shared() {
        for condition in ours(plan.line().ports, "sport", 240) {
            writeln!(out, "\t\t{condition} accept")?;
        }
        writeln!(out, "\t\tcounter name \"out_refused\" drop")?;
    }
    out.write_str("\t}\n")
}
