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
    // One address is compared; a set of one would be searched for each packet.
    let sources = match sources.as_slice() {
        [br] => br.clone(),
        several => format!("{{ {} }}", several.join(", ")),
    };
    format!(
        r#"	counter {NOT_BR} {{ }}
	chain outer {{
		type filter hook prerouting priority raw; policy accept;
		ip6 saddr != {sources} ip6 daddr {ce} meta l4proto 4 counter name "{NOT_BR}" drop
	}}
"#
    )
}

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
