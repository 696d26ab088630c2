// SPDX-License-Identifier: GPL-2.0-or-later
//! The edge map: a stateless exchange of pool numbers and ports, in a `netdev`
//! table at the tunnel device, before conntrack on the way in and after it on
//! the way out.

use crate::map::PortRange;

use super::plan::Plan;
use super::pool::{Pool, Run};
use super::template::Template;

/// One direction of the edge map, by the places in its rules:
///
/// * `hook`, also the chain's name, and `priority` there: on the way in before
///   flow tables, which look at what comes at priority 0;
/// * `port`, the one that is exchanged, and its place in TCP and UDP headers;
/// * the place of the address that must be ours in the IPv4 header, and of our
///   address and port in the packet an ICMP error quotes. That begins at bit
///   64: an IPv4 header, 160 bits long where it has no options, then ports, or
///   type, code, checksum, identifier;
/// * counters of packets that leave or enter as they must not, and of packets
///   for foreign addresses;
/// * the maps: ports by their type, as plain words, and the difference between
///   both sides.
type Way = [(&'static str, &'static str); 14];

const OUT: Way = [
    ("hook", "egress"),
    ("priority", "0"),
    ("error", "egress_error"),
    ("error_mtu", "egress_error_mtu"),
    ("port", "sport"),
    ("port_at", "0"),
    ("address_at", "96"),
    ("quoted_address", "192"),
    ("quoted_port", "240"),
    ("refused", "out_refused"),
    ("foreign", "out_refused"),
    ("ports", "ports_out"),
    ("words", "words_out"),
    ("steps", "steps_out"),
];

const IN: Way = [
    ("hook", "ingress"),
    ("priority", "-200"),
    ("error", "ingress_error"),
    ("error_mtu", "ingress_error_mtu"),
    ("port", "dport"),
    ("port_at", "16"),
    ("address_at", "128"),
    ("quoted_address", "160"),
    ("quoted_port", "224"),
    ("refused", "not_our_port"),
    ("foreign", "not_our_address"),
    ("ports", "ports_in"),
    ("words", "words_in"),
    ("steps", "steps_in"),
];

/// What every packet meets. MAP-T's device sends and receives IPv6 as well.
/// What follows that names places in the IPv4 header and not its fields: for a
/// field nft would ask again, for every packet and every rule, whether it is
/// IPv4.
///
/// Only the first fragment has ports; the others follow its fate at defrag. A
/// UDP checksum of 0 means none, and must stay none: nft would adjust it.
const MAIN: &str = r#"	chain $hook {
		type filter hook $hook device "$device" priority $priority; policy drop;
		meta protocol != ip accept
		@nh,$address_at,32 $not_ours counter name "$foreign" drop
		@nh,48,16 & 0x1fff != 0 accept
		tcp $port set tcp $port map @$ports accept
		udp checksum 0 @th,$port_at,16 set @th,$port_at,16 map @$ports accept
		udp $port set udp $port map @$ports accept
		meta l4proto { tcp, udp } th $port { $passing } accept
		icmp type { echo-request, echo-reply } icmp id set icmp id map @$words accept
		icmp type { destination-unreachable, time-exceeded, parameter-problem } goto $error
		counter name "$refused" drop
	}
"#;

/// ICMP errors quote a packet with our port in it. The ICMP checksum stays
/// right because an unused word of the ICMP header, until then 0, takes up the
/// difference: the second one, or, where that is the MTU, the first.
const ERROR: &str = r#"	chain $error {
		@th,64,8 != 0x45 counter name "$refused" drop
		@th,112,16 & 0x1fff != 0 counter name "$refused" drop
		@th,$quoted_address,32 & $mask != $bits counter name "$refused" drop
		@th,136,8 { 6, 17 } @th,$quoted_port,16 { $passing } accept
		icmp type destination-unreachable icmp code frag-needed goto $error_mtu
"#;

const ERROR_MTU: &str = "\tchain $error_mtu {\n";

/// The rules that exchange a quoted port or echo identifier, with the
/// difference put into the word of the ICMP header at bit `spare`.
const EXCHANGE: &str = r#"		@th,136,8 { 6, 17 } @th,$spare,16 0 @th,$spare,16 set @th,$quoted_port,16 map @$steps @th,$quoted_port,16 set @th,$quoted_port,16 map @$words accept
		@th,136,8 1 @th,$spare,16 0 @th,$spare,16 set @th,256,16 map @$steps @th,256,16 set @th,256,16 map @$words accept
		counter name "$refused" drop
	}
"#;

/// Adds what stands in the table.
pub(super) fn add(rules: &mut Template, plan: &Plan, pool: &Pool) {
    for counter in &super::names::EDGE {
        rules.set("name", counter);
        rules.add("\tcounter $name { }\n");
    }
    let mut backwards: Vec<Run> = Vec::with_capacity(pool.runs().len());
    for run in pool.runs() {
        let at = backwards.partition_point(|other| other.numbers < run.ports);
        let (numbers, ports) = (run.ports, run.numbers);
        backwards.insert(at, Run { numbers, ports });
    }
    maps(rules, &OUT, pool.runs());
    maps(rules, &IN, &backwards);
    let net = plan.network();
    let (bits, mask) = (net.network().to_bits(), net.netmask().to_bits());
    rules.set("bits", &format_args!("{bits:#x}"));
    rules.set("mask", &format_args!("{mask:#x}"));
    let not_ours = match mask {
        u32::MAX => format!("!= {bits:#x}"),
        mask => format!("& {mask:#x} != {bits:#x}"),
    };
    rules.set("not_ours", &not_ours);
    chains(rules, &OUT);
    chains(rules, &IN);
}

fn chains(rules: &mut Template, way: &Way) {
    set(rules, way);
    rules.add(MAIN);
    rules.add(ERROR);
    rules.set("spare", &48);
    rules.add(EXCHANGE);
    rules.add(ERROR_MTU);
    rules.set("spare", &32);
    rules.add(EXCHANGE);
}

fn set(rules: &mut Template, way: &Way) {
    for (name, value) in way {
        rules.set(name, value);
    }
}

/// `runs` says what (`numbers`) becomes what (`ports`). nft tells port numbers
/// from other 16-bit words by type and has no cast, hence two maps of the same
/// content.
fn maps(rules: &mut Template, way: &Way, runs: &[Run]) {
    set(rules, way);
    let (mut pairs, mut steps) = (String::new(), String::new());
    for run in runs {
        for (from, to) in run.numbers.ports().zip(run.ports.ports()) {
            pairs += &format!("{from} : {to}, ");
        }
        let step = step(run.numbers, run.ports);
        steps += &format!("{} : {step}, ", run.numbers);
    }
    rules.set("pairs", &pairs);
    rules.set("differences", &steps);
    rules.add(MAPS);
}

const MAPS: &str = r#"	map $ports { type inet_service : inet_service; flags constant; elements = { $pairs}; }
	map $words { typeof icmp id : icmp id; flags constant; elements = { $pairs}; }
	map $steps { typeof icmp id : icmp id; flags interval; elements = { $differences}; }
"#;

/// What must be added elsewhere so that the Internet checksum stays the same
/// when `from` becomes `to`: the difference in ones' complement.
fn step(from: PortRange, to: PortRange) -> u32 {
    let modulus = u32::from(u16::MAX);
    (u32::from(from.first()) + modulus - u32::from(to.first())) % modulus
}
