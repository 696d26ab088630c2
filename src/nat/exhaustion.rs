// SPDX-License-Identifier: GPL-2.0-or-later
//! A connection that no port is left for is refused at once, where netfilter
//! alone would drop its packets until the host gives up.
//!
//! nf_nat finds out that a destination has every port when the packet has
//! passed all chains that can refuse it, so the connections to each
//! destination are counted before.

use std::fmt::{self, Write};

use super::plan::Plan;

/// Has the kernel check that connections can be counted. Nothing of it is ever
/// in force.
pub(super) const PROBE: &str = r#"table ip mape_probe {
	set busy { type ipv4_addr . inet_proto . inet_service; size 16; flags dynamic; }
	chain forward {
		type filter hook forward priority 0; policy accept;
		oifname "lo" meta l4proto tcp add @busy { ip daddr . meta l4proto . th dport ct count over 16 } drop
	}
}
"#;

/// Counter of refused packets.
pub(super) const COUNTER: &str = "exhausted";

/// Most destinations that are counted at a time; connections to further ones
/// are not. An element goes with its last connection and takes about 300 bytes
/// of kernel memory.
const DESTINATIONS: u32 = 2048;

/// The same for pings.
const PINGED: u32 = 256;

/// Most connections a second that are counted, after a burst that may fill the
/// set twice. nf_conncount remembers refused ones as well, and rids itself of
/// at least 9 in a tick of 10 ms: a flood must not grow its list for ever.
const PACE: u32 = 800;

/// Sets, counter and chains, where `plan` counts.
pub(super) fn body(plan: &Plan) -> String {
    let mut text = String::new();
    if plan.refuses_when_full() {
        // Writing to a String does not fail.
        let _ = content(&mut text, plan);
    }
    text
}

fn content(out: &mut String, plan: &Plan) -> fmt::Result {
    writeln!(
        out,
        "\tcounter {COUNTER} {{ }}\n\
         \tset busy {{ type ipv4_addr . inet_proto . inet_service; size {DESTINATIONS}; flags dynamic; }}\n\
         \tset pinged {{ type ipv4_addr; size {PINGED}; flags dynamic; }}"
    )?;
    refuse(out, plan)?;
    count(out, plan)
}

/// Tells the sender and, once a minute, the log.
fn refuse(out: &mut String, plan: &Plan) -> fmt::Result {
    let interface = &plan.line().interface;
    let ports = plan.free().count();
    // nft lets a prefix be 127 bytes long; an interface has at most 64.
    writeln!(
        out,
        "\tchain refuse {{\n\
         \t\tcounter name \"{COUNTER}\"\n\
         \t\tlimit rate 1/minute burst 1 packets log level warn \
         prefix \"mape {interface}: all {ports} ports to one server are in use: \"\n\
         \t\tmeta l4proto tcp reject with tcp reset\n\
         \t\treject with icmp admin-prohibited\n\t}}"
    )
}

/// Counts each connection once, by its first packet: conntrack confirms it
/// when that has left.
fn count(out: &mut String, plan: &Plan) -> fmt::Result {
    let ports = plan.free().count();
    writeln!(
        out,
        "\tchain count {{\n\
         \t\tct status & confirmed == confirmed return"
    )?;
    if !plan.passing().is_empty() {
        let (address, passing) = (plan.address(), plan.passing());
        writeln!(
            out,
            "\t\tip saddr {address} meta l4proto {{ tcp, udp }} th sport {{ {passing} }} return"
        )?;
    }
    writeln!(
        out,
        "\t\tlimit rate over {PACE}/second burst {burst} packets return\n\
         \t\tmeta l4proto {{ tcp, udp }} \
         add @busy {{ ip daddr . meta l4proto . th dport ct count over {ports} }} jump refuse\n\
         \t\ticmp type echo-request add @pinged {{ ip daddr ct count over {ports} }} jump refuse\n\
         \t}}",
        burst = 2 * ports
    )
}
