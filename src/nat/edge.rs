// SPDX-License-Identifier: GPL-2.0-or-later
//! The edge map: a stateless exchange of pool numbers and ports, in a `netdev`
//! table at the tunnel device, before conntrack on the way in and after it on
//! the way out.

use std::fmt::{self, Write};

use crate::map::PortRange;

use super::plan::Plan;
use super::pool::{Pool, Run};

/// Has the kernel check everything the edge map needs, on a device that every
/// machine has. Nothing of it is ever in force.
pub(super) const PROBE: &str = r#"table netdev mape_probe {
	map ports { type inet_service : inet_service; elements = { 1 : 2 }; }
	map words { typeof icmp id : icmp id; flags interval; elements = { 1-2 : 2 }; }
	chain egress {
		type filter hook egress device "lo" priority 0; policy accept;
		tcp sport set tcp sport map @ports accept
		@th,48,16 set @th,224,16 map @words accept
	}
	chain ingress {
		type filter hook ingress device "lo" priority -200; policy accept;
		tcp dport set tcp dport map @ports accept
	}
}
"#;

/// One direction of the edge map.
struct Way {
    /// Name of the chain and of nft's hook.
    hook: &'static str,
    /// Before flow tables, which look at what comes in at priority 0.
    priority: i16,
    /// The port that is exchanged: `sport` or `dport`.
    port: &'static str,
    /// Its place in TCP and UDP headers, in bits.
    at: u16,
    /// Place of the address that must be ours in the IPv4 header, in bits.
    address: u16,
    /// Place of our address in the packet an ICMP error quotes.
    quoted_address: u16,
    /// Place of our port there.
    quoted_port: u16,
    /// Counter of packets that leave or enter as they must not.
    refused: &'static str,
    /// Counter of packets for foreign addresses.
    foreign: &'static str,
    /// Names of the maps: ports by their type, as plain words, and the
    /// difference between both sides.
    maps: [&'static str; 3],
}

/// What an ICMP error quotes begins at bit 64: an IPv4 header, 160 bits long
/// where it has no options, then ports, or type, code, checksum, identifier.
const QUOTED: u16 = 64;

const OUT: Way = Way {
    hook: "egress",
    priority: 0,
    port: "sport",
    at: 0,
    address: 96,
    quoted_address: QUOTED + 128,
    quoted_port: QUOTED + 160 + 16,
    refused: "out_refused",
    foreign: "out_refused",
    maps: ["ports_out", "words_out", "steps_out"],
};

const IN: Way = Way {
    hook: "ingress",
    priority: -200,
    port: "dport",
    at: 16,
    address: 128,
    quoted_address: QUOTED + 96,
    quoted_port: QUOTED + 160,
    refused: "not_our_port",
    foreign: "not_our_address",
    maps: ["ports_in", "words_in", "steps_in"],
};

/// What stands in the table.
pub(super) fn body(plan: &Plan, pool: &Pool) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = content(&mut text, plan, pool);
    text
}

fn content(out: &mut String, plan: &Plan, pool: &Pool) -> fmt::Result {
    for counter in super::counters::EDGE {
        writeln!(out, "\tcounter {counter} {{ }}")?;
    }
    let inward = |run: &Run| Run {
        numbers: run.ports,
        ports: run.numbers,
    };
    let mut backwards: Vec<Run> = pool.runs().iter().map(inward).collect();
    backwards.sort_unstable_by_key(|run| run.numbers);
    maps(out, &OUT, pool.runs())?;
    maps(out, &IN, &backwards)?;
    for way in [&OUT, &IN] {
        main_chain(out, way, plan)?;
        error_chains(out, way, plan)?;
    }
    Ok(())
}

/// `runs` says what (`numbers`) becomes what (`ports`).
fn maps(out: &mut String, way: &Way, runs: &[Run]) -> fmt::Result {
    let [ports, words, steps] = way.maps;
    // nft tells port numbers from other 16-bit words by type and has no cast,
    // hence two maps of the same content.
    for (name, kind) in [
        (ports, "type inet_service : inet_service; flags constant"),
        (words, "typeof icmp id : icmp id; flags constant"),
    ] {
        write!(out, "\tmap {name} {{ {kind}; elements = {{ ")?;
        // A thousand ports and more: formatting them the usual way was half of
        // what a setup computes.
        let mut number = itoa::Buffer::new();
        for run in runs {
            for (from, to) in run.numbers.ports().zip(run.ports.ports()) {
                out.push_str(number.format(from));
                out.push_str(" : ");
                out.push_str(number.format(to));
                out.push_str(", ");
            }
        }
        out.write_str("}; }\n")?;
    }
    write!(
        out,
        "\tmap {steps} {{ typeof icmp id : icmp id; flags interval; elements = {{ "
    )?;
    for run in runs {
        let step = step(run.numbers, run.ports);
        write!(out, "{} : {step}, ", run.numbers)?;
    }
    out.write_str("}; }\n")
}

/// What must be added elsewhere so that the Internet checksum stays the same
/// when `from` becomes `to`: the difference in ones' complement.
fn step(from: PortRange, to: PortRange) -> u32 {
    let modulus = u32::from(u16::MAX);
    (u32::from(from.first()) + modulus - u32::from(to.first())) % modulus
}

fn main_chain(out: &mut String, way: &Way, plan: &Plan) -> fmt::Result {
    let Way {
        hook,
        priority,
        port,
        at,
        address,
        refused,
        foreign,
        maps: [ports, words, _],
        ..
    } = way;
    let device = &plan.line().device;
    let (ours, mask) = (plan.network().network(), plan.network().netmask());
    let mask = match mask.to_bits() {
        u32::MAX => String::new(),
        bits => format!(" & {bits:#x}"),
    };
    writeln!(out, "\tchain {hook} {{")?;
    writeln!(
        out,
        "\t\ttype filter hook {hook} device \"{device}\" priority {priority}; policy drop;"
    )?;
    // MAP-T's device sends and receives IPv6 as well. What follows names places
    // in the IPv4 header and not its fields: for a field nft would ask again,
    // for every packet and every rule, whether it is IPv4.
    writeln!(out, "\t\tmeta protocol != ip accept")?;
    writeln!(
        out,
        "\t\t@nh,{address},32{mask} != {:#x} counter name \"{foreign}\" drop",
        ours.to_bits()
    )?;
    // Only the first fragment has ports; the others follow its fate at defrag.
    writeln!(out, "\t\t@nh,48,16 & 0x1fff != 0 accept")?;
    writeln!(out, "\t\ttcp {port} set tcp {port} map @{ports} accept")?;
    // A UDP checksum of 0 means none, and must stay none: nft would adjust it.
    writeln!(
        out,
        "\t\tudp checksum 0 @th,{at},16 set @th,{at},16 map @{ports} accept"
    )?;
    writeln!(out, "\t\tudp {port} set udp {port} map @{ports} accept")?;
    if !plan.passing().is_empty() {
        let passing = plan.passing();
        writeln!(
            out,
            "\t\tmeta l4proto {{ tcp, udp }} th {port} {{ {passing} }} accept"
        )?;
    }
    writeln!(
        out,
        "\t\ticmp type {{ echo-request, echo-reply }} icmp id set icmp id map @{words} accept"
    )?;
    writeln!(
        out,
        "\t\ticmp type {{ destination-unreachable, time-exceeded, parameter-problem }} \
         goto {hook}_error"
    )?;
    writeln!(out, "\t\tcounter name \"{refused}\" drop\n\t}}")
}

/// ICMP errors quote a packet with our port in it. The ICMP checksum stays
/// right because an unused word of the ICMP header, until then 0, takes up the
/// difference: the second one, or, where that is the MTU, the first.
fn error_chains(out: &mut String, way: &Way, plan: &Plan) -> fmt::Result {
    let Way {
        hook,
        quoted_address,
        quoted_port,
        refused,
        ..
    } = way;
    let net = plan.network();
    let (address, mask) = (net.network().to_bits(), net.netmask().to_bits());
    let give_up = format!("\t\tcounter name \"{refused}\" drop\n\t}}\n");
    writeln!(out, "\tchain {hook}_error {{")?;
    writeln!(out, "\t\t@th,64,8 != 0x45 counter name \"{refused}\" drop")?;
    writeln!(
        out,
        "\t\t@th,112,16 & 0x1fff != 0 counter name \"{refused}\" drop"
    )?;
    writeln!(
        out,
        "\t\t@th,{quoted_address},32 & {mask:#x} != {address:#x} \
         counter name \"{refused}\" drop"
    )?;
    if !plan.passing().is_empty() {
        let passing = plan.passing();
        writeln!(
            out,
            "\t\t@th,136,8 {{ 6, 17 }} @th,{quoted_port},16 {{ {passing} }} accept"
        )?;
    }
    writeln!(
        out,
        "\t\ticmp type destination-unreachable icmp code frag-needed goto {hook}_error_mtu"
    )?;
    exchange(out, way, 48)?;
    out.write_str(&give_up)?;
    writeln!(out, "\tchain {hook}_error_mtu {{")?;
    exchange(out, way, 32)?;
    out.write_str(&give_up)
}

/// The rules that exchange a quoted port or echo identifier, with the
/// difference put into the word of the ICMP header at bit `spare`.
fn exchange(out: &mut String, way: &Way, spare: u16) -> fmt::Result {
    let [_, words, steps] = way.maps;
    let (port, id) = (way.quoted_port, QUOTED + 160 + 32);
    for (protocol, at) in [("{ 6, 17 }", port), ("1", id)] {
        writeln!(
            out,
            "\t\t@th,136,8 {protocol} @th,{spare},16 0 \
             @th,{spare},16 set @th,{at},16 map @{steps} \
             @th,{at},16 set @th,{at},16 map @{words} accept"
        )?;
    }
    Ok(())
}
