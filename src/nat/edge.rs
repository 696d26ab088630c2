// SPDX-License-Identifier: GPL-2.0-or-later
//! The edge map: a stateless exchange of pool numbers and ports, in a `netdev`
//! table at the tunnel device, before conntrack on the way in and after it on
//! the way out.
//!
//! If traffic control may redirect what the device receives, the way in is in
//! the `ip` table instead: a packet that comes back from another device skips
//! the ingress hook. All of IPv4 on the router meets that chain, so it is there
//! only if it is needed.

use std::fmt::{self, Display, Formatter, Write};

use crate::map::PortRange;

use super::names::EDGE;
use super::passing;
use super::plan::Plan;
use super::pool::{Pool, Run};

/// The content of the `netdev` table.
pub(super) struct Edge<'a> {
    pub(super) plan: &'a Plan,
    pub(super) pool: &'a Pool,
}

impl Display for Edge<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Edge { plan, pool } = self;
        for counter in EDGE {
            writeln!(f, "\tcounter {counter} {{ }}")?;
        }
        let way_in = (!plan.is_redirected()).then_some(&IN);
        let ways: Vec<&Direction> = [&OUT].into_iter().chain(way_in).collect();
        write_ways(f, &ways, plan, pool)
    }
}

/// The way in, for the `ip` table.
pub(super) fn behind_traffic_control(
    f: &mut Formatter<'_>,
    plan: &Plan,
    pool: &Pool,
) -> fmt::Result {
    write_ways(f, &[&IN_BEHIND_TRAFFIC_CONTROL], plan, pool)
}

/// Maps and chains of these directions.
fn write_ways(f: &mut Formatter<'_>, ways: &[&Direction], plan: &Plan, pool: &Pool) -> fmt::Result {
    for direction in ways {
        if direction.name == OUT.name {
            maps(f, direction, pool.runs())?;
            continue;
        }
        let mut inwards: Vec<Run> = pool.runs().iter().copied().map(Run::reversed).collect();
        inwards.sort_unstable_by_key(|run| run.numbers);
        maps(f, direction, &inwards)?;
    }
    for direction in ways {
        chain(f, direction, plan)?;
        error_chains(f, direction, plan)?;
    }
    Ok(())
}

/// One direction of the edge map. Places in headers are in bits.
struct Direction {
    /// Name of the chain.
    name: &'static str,
    /// Where it is, and what it leaves alone.
    place: Place,
    /// End of the names of the maps.
    way: &'static str,
    /// The port that is exchanged, in TCP and UDP headers.
    port: &'static str,
    /// The place of that port.
    port_at: u16,
    /// Place in the IPv4 header of the address that must be ours.
    address_at: u16,
    /// Place of our address in the packet that an ICMP error quotes. The quoted
    /// packet begins at bit 64 with an IPv4 header, 160 bits long if it has no
    /// options; ports follow, or type, code, checksum and identifier.
    quoted_address: u16,
    /// Place of our port in the packet that an ICMP error quotes.
    quoted_port: u16,
    /// Counter of packets that have another port.
    refused: &'static str,
    /// Counter of packets that have another address.
    foreign: &'static str,
}

/// Where the chain of a direction is.
enum Place {
    /// At a hook of the device, with that priority. On the way in it comes
    /// before flow tables, which look at packets at priority 0.
    Device(i32),
    /// In the `ip` table, before anything else of ours and before conntrack.
    Prerouting,
}

const OUT: Direction = Direction {
    name: "egress",
    place: Place::Device(0),
    way: "out",
    port: "sport",
    port_at: 0,
    address_at: 96,
    quoted_address: 192,
    quoted_port: 240,
    refused: "out_refused",
    foreign: "out_refused",
};

const IN: Direction = Direction {
    name: "ingress",
    place: Place::Device(-200),
    way: "in",
    port: "dport",
    port_at: 16,
    address_at: 128,
    quoted_address: 160,
    quoted_port: 224,
    refused: "not_our_port",
    foreign: "not_our_address",
};

const IN_BEHIND_TRAFFIC_CONTROL: Direction = Direction {
    place: Place::Prerouting,
    ..IN
};

/// The maps of one direction: what each of `run.numbers` becomes, and what each
/// run changes in checksums.
///
/// nft distinguishes port numbers from other 16-bit words by type and has no
/// cast, hence two maps with the same content. nft 1.0 would take words for
/// ports all the same, 1.1 does not.
fn maps(f: &mut Formatter<'_>, direction: &Direction, runs: &[Run]) -> fmt::Result {
    let way = direction.way;
    let (mut pairs, mut steps) = (String::new(), String::new());
    for run in runs {
        for (from, to) in run.numbers.ports().zip(run.ports.ports()) {
            write!(pairs, "{from} : {to}, ")?;
        }
        let step = checksum_step(run.numbers, run.ports);
        write!(steps, "{} : {step}, ", run.numbers)?;
    }
    writeln!(
        f,
        r"	map ports_{way} {{ type inet_service : inet_service; flags constant; elements = {{ {pairs}}}; }}
	map words_{way} {{ typeof icmp id : icmp id; flags constant; elements = {{ {pairs}}}; }}
	map steps_{way} {{ typeof icmp id : icmp id; flags interval; elements = {{ {steps}}}; }}"
    )
}

/// What must be added elsewhere so that the Internet checksum stays the same
/// when `from` becomes `to`: the difference in ones' complement.
fn checksum_step(from: PortRange, to: PortRange) -> u32 {
    let modulus = u32::from(u16::MAX);
    (u32::from(from.first()) + modulus - u32::from(to.first())) % modulus
}

/// The chain that every packet meets, the rules that most need first. Rules give
/// places in the IPv4 header instead of its fields: for a field nft would check
/// again, in every rule, whether the packet is IPv4. IPv6, which MAP-T's device
/// sends and receives as well, has part of an address where IPv4 has ours, and
/// leaves by the first rule.
///
/// Only the first fragment has ports; rules about ports do not apply to the
/// others, which follow its fate at defrag. A UDP checksum of 0 means that there
/// is none, and must stay 0: nft would adjust it.
fn chain(f: &mut Formatter<'_>, direction: &Direction, plan: &Plan) -> fmt::Result {
    let Direction {
        name,
        place,
        way,
        port,
        port_at,
        address_at,
        refused,
        foreign,
        ..
    } = direction;
    let device = &plan.line().device;
    let network = plan.network();
    let bits = network.network().to_bits();
    let is_foreign = match network.netmask().to_bits() {
        u32::MAX => format!("!= {bits:#x}"),
        mask => format!("& {mask:#x} != {bits:#x}"),
    };
    writeln!(f, "\tchain {name} {{")?;
    match place {
        Place::Device(priority) => writeln!(
            f,
            "\t\ttype filter hook {name} device \"{device}\" priority {priority}; policy drop;"
        )?,
        Place::Prerouting => write!(
            f,
            r#"		type filter hook prerouting priority raw - 10; policy accept;
		iifname != "{device}" accept
"#
        )?,
    }
    write!(
        f,
        r"		@nh,{address_at},32 {is_foreign} goto {name}_foreign
		tcp {port} set tcp {port} map @ports_{way} accept
		udp checksum != 0 udp {port} set udp {port} map @ports_{way} accept
		udp checksum 0 @th,{port_at},16 set @th,{port_at},16 map @ports_{way} accept
"
    )?;
    passing::write_rule(f, plan, "", &format!("th {port}"), "accept")?;
    write!(
        f,
        r#"		icmp type {{ echo-request, echo-reply }} icmp id set icmp id map @words_{way} accept
		icmp type {{ destination-unreachable, time-exceeded, parameter-problem }} goto {name}_error
		@nh,48,16 & 0x1fff != 0 accept
		counter name "{refused}" drop
	}}
	chain {name}_foreign {{
		meta protocol != ip accept
		counter name "{foreign}" drop
	}}
"#
    )
}

/// ICMP errors quote a packet with our port in it. The ICMP checksum stays
/// right because an unused word of the ICMP header, 0 until then, takes up the
/// difference: the word at bit 48, or, if that is the MTU, the one at bit 32.
fn error_chains(f: &mut Formatter<'_>, direction: &Direction, plan: &Plan) -> fmt::Result {
    let Direction {
        name,
        quoted_address,
        quoted_port,
        refused,
        ..
    } = direction;
    let network = plan.network();
    let (bits, mask) = (network.network().to_bits(), network.netmask().to_bits());
    write!(
        f,
        r#"	chain {name}_error {{
		@th,64,8 != 0x45 counter name "{refused}" drop
		@th,112,16 & 0x1fff != 0 counter name "{refused}" drop
		@th,{quoted_address},32 & {mask:#x} != {bits:#x} counter name "{refused}" drop
"#
    )?;
    let passing = plan.passing();
    if !passing.is_empty() {
        writeln!(
            f,
            "\t\t@th,136,8 {{ 6, 17 }} @th,{quoted_port},16 {{ {passing} }} accept"
        )?;
    }
    writeln!(
        f,
        "\t\ticmp type destination-unreachable icmp code frag-needed goto {name}_error_mtu"
    )?;
    exchange_quoted(f, direction, 48)?;
    writeln!(f, "\tchain {name}_error_mtu {{")?;
    exchange_quoted(f, direction, 32)
}

/// The end of a chain: rules that exchange a quoted port or echo identifier,
/// and put the difference into the word of the ICMP header at bit `spare`.
fn exchange_quoted(f: &mut Formatter<'_>, direction: &Direction, spare: u16) -> fmt::Result {
    const QUOTED_ID: u16 = 256;
    let Direction {
        way,
        quoted_port,
        refused,
        ..
    } = direction;
    for (protocols, place) in [("{ 6, 17 }", *quoted_port), ("1", QUOTED_ID)] {
        writeln!(
            f,
            "\t\t@th,136,8 {protocols} @th,{spare},16 0 \
             @th,{spare},16 set @th,{place},16 map @steps_{way} \
             @th,{place},16 set @th,{place},16 map @words_{way} accept"
        )?;
    }
    write!(f, "\t\tcounter name \"{refused}\" drop\n\t}}\n")
}
