// SPDX-License-Identifier: GPL-2.0-or-later
//! The `ip` table, for packets inside the tunnel: source NAT, and filters
//! before and behind it.
//!
//! Not of family `inet`: each packet of the tunnel passes the hooks twice, as
//! IPv6 outside and as IPv4 inside, and would meet every chain both times.

use std::fmt::Write;

use ipnet::Ipv4Net;

use crate::map::PortSet;

use super::plan::Plan;
use super::technique::Technique;
use super::template::Template;

/// Shorter timeouts in seconds. TCP's established is 7440 on OpenWrt (RFC 5382
/// asks for that), UDP's replied 120 (RFC 4787): both are undercut here.
const TIGHT: &str = r#"	ct timeout tight_tcp { protocol tcp; l3proto ip; policy = { syn_sent : 30, syn_recv : 20, established : 1800, fin_wait : 20, close_wait : 20, last_ack : 10, time_wait : 10, close : 5 }; }
	ct timeout tight_udp { protocol udp; l3proto ip; policy = { unreplied : 15, replied : 60 }; }
"#;

/// Before conntrack, where there is no edge map that sees to it: only what is
/// for our address and ports (RFC 7597 section 8).
const INBOUND: &str = r#"	chain inbound {
		type filter hook prerouting priority raw; policy accept;
		iifname != "$device" accept
		ip daddr != $net counter name "not_our_address" drop
"#;

/// After conntrack, before DNAT: unasked-for packets reach only ports that
/// pass untranslated; what becomes of them is the firewall's business.
const UNSOLICITED: &str = r#"	chain unsolicited {
		type filter hook prerouting priority mangle + 10; policy accept;
		ct state established,related accept
		iifname != "$device" accept
		ip saddr { $spoofed } counter name "unsolicited" drop
"#;

/// The rest of it, where others use other ports of the address.
const UNSOLICITED_PORTS: &str = r#"		meta l4proto { tcp, udp } th dport { $passing } accept
		icmp type $ping accept
		counter name "unsolicited" drop
"#;

const OUTBOUND_TIGHT: &str = r#"		meta l4proto tcp ct state new ct timeout set "tight_tcp"
		meta l4proto udp ct state new ct timeout set "tight_udp"
"#;

const OUTBOUND_PORTS: &str = r#"		meta l4proto != { tcp, udp, icmp } counter name "no_port_protocol" reject with icmp prot-unreachable
"#;

/// The way to the chain `outbound`. The connection's state first: it settles
/// nearly every packet.
const WAY_OUT: &str = r#"	}
	chain forward {
		type filter hook forward priority filter + 5; policy accept;
		ct state established,related accept
		oifname "$device" jump outbound
	}
	chain output {
		type filter hook output priority filter + 5; policy accept;
		ct state established,related accept
		oifname "$device" jump outbound
	}
"#;

/// Before firewall4's masquerade, which then finds nothing left to do.
const SOURCE_NAT: &str = r#"	chain source_nat {
		type nat hook postrouting priority srcnat - 5; policy accept;
		oifname != "$device" accept
"#;

/// The edge map is bound to the very device it was loaded for, while names
/// outlive devices. Here, where only the first packet of a connection comes by,
/// the question costs nothing.
const SOURCE_NAT_EDGE: &str = r#"		oif != "$device" counter name "held_back" drop
"#;

const SOURCE_NAT_PORTS: &str = r#"		ip saddr $address meta l4proto { tcp, udp } th sport { $passing } snat ip to $address
		meta l4proto { tcp, udp, icmp } counter name "translated" snat ip to $address:$range
"#;

/// A prefix is ours as a whole: its hosts keep their addresses.
const SOURCE_NAT_WHOLE: &str = r#"		ip saddr != $net counter name "translated" snat ip to $address
"#;

/// After all source NAT, fw4's included: nothing leaves with an address or
/// port that is not ours. With an edge map it is that which looks.
const GUARD: &str = r#"	chain guard {
		type filter hook postrouting priority srcnat + 10; policy accept;
		oifname != "$device" accept
		ip saddr != $net counter name "out_refused" drop
"#;

/// What TCP, UDP, echo and ICMP errors look like when the port at one end is
/// ours.
const OURS: &str = r#"		meta l4proto { tcp, udp } th $port >= $first th $port & $mask == $value accept
		icmp type { echo-request, echo-reply } icmp id >= $first icmp id & $mask == $value accept
		icmp type { destination-unreachable, time-exceeded, parameter-problem } @th,64,8 0x45 @th,112,16 & 0x1fff == 0 @th,136,8 { 6, 17 } @th,$quoted,16 >= $first @th,$quoted,16 & $mask == $value accept
		icmp type { destination-unreachable, time-exceeded, parameter-problem } @th,64,8 0x45 @th,112,16 & 0x1fff == 0 @th,136,8 1 @th,256,16 >= $first @th,256,16 & $mask == $value accept
		counter name "$refused" drop
"#;

const END: &str = "\t}\n";

/// Adds what stands in the table.
pub(super) fn add(rules: &mut Template, plan: &Plan) {
    let (shared, edge) = (plan.is_shared(), plan.has_edge());
    for counter in &super::names::INSIDE {
        rules.set("name", counter);
        rules.add("\tcounter $name { }\n");
    }
    if plan.is_tight() {
        rules.add(TIGHT);
    }
    if !edge {
        rules.add(INBOUND);
        if shared {
            ours(rules, plan.line().ports, "dport", 224, "not_our_port");
        }
        rules.add(END);
    }
    rules.set("spoofed", &spoofed(plan.network()));
    let ping = if plan.answers_ping() {
        "echo-request"
    } else {
        ""
    };
    rules.set("ping", &ping);
    rules.add(UNSOLICITED);
    if shared {
        rules.add(UNSOLICITED_PORTS);
    }
    rules.add(END);
    outbound(rules, plan);
    source_nat(rules, plan);
    if !edge {
        rules.add(GUARD);
        if shared {
            ours(rules, plan.line().ports, "sport", 240, "out_refused");
        }
        rules.add(END);
    }
}

/// Conditions to accept packets by whose port is ours: `port` says which, and
/// `quoted` where it stands in the packet that an ICMP error quotes.
fn ours(rules: &mut Template, set: PortSet, port: &str, quoted: u8, refused: &str) {
    let params = set.params();
    let below = 16 - params.offset() - params.psid_len();
    let mask = (params.sharing_ratio() - 1) << below;
    let value = u32::from(set.psid().value()) << below;
    let first = match params.offset() {
        0 => 1,
        offset => 1u32 << (16 - offset),
    };
    rules.set("port", &port);
    rules.set("quoted", &quoted);
    rules.set("refused", &refused);
    rules.set("first", &first);
    rules.set("mask", &format_args!("{mask:#x}"));
    rules.set("value", &format_args!("{value:#x}"));
    rules.add(OURS);
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
    for &[a, b, c, d, len] in &INTERNAL {
        let net = Ipv4Net::new([a, b, c, d].into(), len).unwrap_or_default();
        if !net.contains(&own.addr()) {
            // Writing to a String does not fail.
            let _ = write!(sources, ", {net}");
        }
    }
    sources
}

/// What each new connection meets on its way out, behind firewall4's filters,
/// since what they drop takes no port: what cannot cross a shared address is
/// refused at once, as is what no port is left for; and timeouts are set.
fn outbound(rules: &mut Template, plan: &Plan) {
    rules.add("\tchain outbound {\n");
    if plan.is_tight() {
        rules.add(OUTBOUND_TIGHT);
    }
    if plan.is_shared() {
        rules.add(OUTBOUND_PORTS);
    }
    if plan.refuses_when_full() {
        rules.add("\t\tct state new jump count\n");
    }
    rules.add(WAY_OUT);
}

fn source_nat(rules: &mut Template, plan: &Plan) {
    rules.add(SOURCE_NAT);
    if plan.has_edge() {
        rules.add(SOURCE_NAT_EDGE);
    }
    let range = match plan.technique() {
        Technique::Pool(pool) => Some(pool.numbers()),
        Technique::Plain(range) => *range,
        Technique::Hash => None,
    };
    rules.set(
        "range",
        &range.map_or(String::new(), |range| range.to_string()),
    );
    rules.add(SOURCE_NAT_PORTS);
    if matches!(plan.technique(), Technique::Hash) {
        hash(rules, plan);
    }
    if !plan.is_shared() {
        rules.add(SOURCE_NAT_WHOLE);
    }
    rules.add(END);
}

/// The hash of the internal endpoint falls on one port of all, and its range
/// is taken: each range gets its share. The seed is fixed, so that an endpoint
/// keeps its range when rules are loaded anew.
const HASH: &str = r#"		meta l4proto { tcp, udp } counter name "translated" snat ip addr . port to jhash ip saddr . th sport mod $count seed 0x6d617065 map { $slots}
		icmp type echo-request counter name "translated" snat ip addr . port to jhash ip saddr . icmp id mod $count seed 0x6d617065 map { $slots}
"#;

fn hash(rules: &mut Template, plan: &Plan) {
    let address = plan.address();
    let (mut slots, mut slot) = (String::new(), 0);
    for range in plan.free().ranges() {
        let next = slot + range.count();
        let (first, last) = (range.first(), range.last());
        // Writing to a String does not fail.
        let _ = write!(slots, "{slot}-{} : {address} . {first}-{last}, ", next - 1);
        slot = next;
    }
    rules.set("count", &slot);
    rules.set("slots", &slots);
    rules.add(HASH);
}
