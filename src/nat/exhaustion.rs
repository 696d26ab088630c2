// SPDX-License-Identifier: GPL-2.0-or-later
//! A connection that no port is left for is refused at once, where netfilter
//! alone would drop its packets until the host gives up.
//!
//! nf_nat finds out that a destination has every port when the packet has
//! passed all chains that can refuse it, so the connections to each
//! destination are counted before.

use super::names::EXHAUSTED;
use super::plan::Plan;
use super::template::Template;

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

/// Sets and counter; what tells the sender and, once a minute, the log; and what
/// counts each connection once, by its first packet: conntrack confirms it when
/// that has left.
///
/// nft lets a prefix of the log be 127 bytes long; an interface has at most 64.
const RULES: &str = r#"	counter $exhausted { }
	set busy { type ipv4_addr . inet_proto . inet_service; size $destinations; flags dynamic; }
	set pinged { type ipv4_addr; size $pinged; flags dynamic; }
	chain refuse {
		counter name "$exhausted"
		limit rate 1/minute burst 1 packets log level warn prefix "mape $interface: all $ports ports to one server are in use: "
		meta l4proto tcp reject with tcp reset
		reject with icmp admin-prohibited
	}
	chain count {
		ct status & confirmed == confirmed return
		ip saddr $address meta l4proto { tcp, udp } th sport { $passing } return
		limit rate over $pace/second burst $burst packets return
		meta l4proto { tcp, udp } add @busy { ip daddr . meta l4proto . th dport ct count over $ports } jump refuse
		icmp type echo-request add @pinged { ip daddr ct count over $ports } jump refuse
	}
"#;

/// Adds sets, counter and chains, where `plan` counts.
pub(super) fn add(rules: &mut Template, plan: &Plan) {
    if !plan.refuses_when_full() {
        return;
    }
    let ports = plan.free().count();
    rules.set("exhausted", &EXHAUSTED);
    rules.set("destinations", &DESTINATIONS);
    rules.set("pinged", &PINGED);
    rules.set("pace", &PACE);
    rules.set("ports", &ports);
    rules.set("burst", &(2 * ports));
    rules.add(RULES);
}
