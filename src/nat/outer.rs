// SPDX-License-Identifier: GPL-2.0-or-later
//! The `ip6` table, for packets outside the tunnel: who may send into it.

use ipnet::Ipv6Net;

use super::line::Outer;
use super::names::NOT_BR;

/// The content of the table: IPv4 in IPv6 from anyone but the BR and, in mesh
/// mode, other CEs is dropped.
pub(super) fn outer_table(outer: &Outer) -> String {
    let ce = outer.ce;
    let sources = distinct(&outer.sources);
    let (hook, sources) = match sources.as_slice() {
        // The tunnel device has this one address as its remote end, and takes
        // nothing from others. The rule drops their packets without an ICMP
        // error, and counts them. Conntrack enters none of them, so that each is
        // new and passes a NAT chain; what the BR sends passes it once.
        [br] => (ONCE_PER_CONNECTION, br.clone()),
        // In mesh mode this is all that tells other CEs from strangers. It must
        // hold for packets that conntrack was told to leave alone, too.
        several => (EACH_PACKET, format!("{{ {} }}", several.join(", "))),
    };
    format!(
        r#"	counter {NOT_BR} {{ }}
	chain outer {{
		{hook} policy accept;
		ip6 saddr != {sources} ip6 daddr {ce} meta l4proto 4 counter name "{NOT_BR}" drop
	}}
"#
    )
}

const ONCE_PER_CONNECTION: &str = "type nat hook prerouting priority dstnat - 5;";
const EACH_PACKET: &str = "type filter hook prerouting priority raw;";

/// The networks as text, without those that are part of another one, such as a
/// BR inside an FMR: a set may not name an address twice.
fn distinct(networks: &[Ipv6Net]) -> Vec<String> {
    let mut distinct: Vec<Ipv6Net> = Vec::new();
    for network in networks {
        if !distinct.iter().any(|other| other.contains(network)) {
            distinct.retain(|other| !network.contains(other));
            distinct.push(*network);
        }
    }
    distinct.iter().map(Ipv6Net::to_string).collect()
}
