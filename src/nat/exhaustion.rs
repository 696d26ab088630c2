// SPDX-License-Identifier: GPL-2.0-or-later
//! Refusing connections for which no port is left.
//!
//! netfilter alone would drop their packets until the host gives up: nf_nat
//! finds out that every port is in use for a destination only after the packet
//! has passed all chains that can reject it. So the connections to each
//! destination are counted before.

use std::fmt::{self, Formatter};

use super::names::EXHAUSTED;
use super::passing;
use super::plan::Plan;

/// How many destinations are counted at a time; connections to further ones
/// are not counted. An element goes with its last connection and takes about
/// 300 bytes of kernel memory.
const DESTINATIONS: u32 = 2048;

/// The same for pings.
const PINGED: u32 = 256;

/// How many connections a second are counted, after a burst that may fill the
/// set twice. nf_conncount remembers refused connections as well, and removes
/// at least 9 of them in a tick of 10 ms: a flood must not let its list grow
/// for ever.
const PACE: u32 = 800;

/// Writes sets, counter and chains, if `plan` counts connections.
///
/// `refuse` tells the sender and, once a minute, the log. `count` counts each
/// connection once, by its first packet: conntrack confirms it when that has
/// left. A log prefix may have 127 bytes in nft, an interface name has at most
/// 64.
pub(super) fn write(f: &mut Formatter<'_>, plan: &Plan) -> fmt::Result {
    if !plan.refuses_when_full() {
        return Ok(());
    }
    let interface = &plan.line().interface;
    let ports = plan.free().count();
    let burst = 2 * ports;
    let from_us = format!("ip saddr {} ", plan.address());
    write!(
        f,
        r#"	counter {EXHAUSTED} {{ }}
	set busy {{ type ipv4_addr . inet_proto . inet_service; size {DESTINATIONS}; flags dynamic; }}
	set pinged {{ type ipv4_addr; size {PINGED}; flags dynamic; }}
	chain refuse {{
		counter name "{EXHAUSTED}"
		limit rate 1/minute burst 1 packets log level warn prefix "mape {interface}: all {ports} ports to one server are in use: "
		meta l4proto tcp reject with tcp reset
		reject with icmp admin-prohibited
	}}
	chain count {{
		ct status & confirmed == confirmed return
"#
    )?;
    passing::write_rule(f, plan, &from_us, "th sport", "return")?;
    passing::write_upnp_rules(f, plan, &|_| "return".into())?;
    write!(
        f,
        r"		limit rate over {PACE}/second burst {burst} packets return
		meta l4proto {{ tcp, udp }} add @busy {{ ip daddr . meta l4proto . th dport ct count over {ports} }} jump refuse
		icmp type echo-request add @pinged {{ ip daddr ct count over {ports} }} jump refuse
	}}
"
    )
}
