// SPDX-License-Identifier: GPL-2.0-or-later
//! The `ip6` table, for packets outside the tunnel: who may send into it.

use ipnet::Ipv6Net;

use super::line::Outer;
use super::names::NOT_BR;

/// The content of the table: IPv4 in IPv6 from anyone but the BR and, in mesh
/// mode, other CEs is dropped.
pub(super) fn outer_table(outer: &Outer) -> String {
    let ce = outer.ce;
    let (hook, sources) = match outer.sources.as_slice() {
        // The tunnel device takes packets of its remote end alone. This rule only
        // counts the others and drops them without an ICMP error, so it may miss
        // what conntrack leaves alone. A dropped packet is never confirmed, so each
        // of a stranger's is new and passes a NAT chain; what the BR sends passes it
        // once.
        [br] => (ONCE_PER_CONNECTION, br.to_string()),
        // In mesh mode the device takes packets of other CEs as well. Here nothing
        // is left to it: packets that conntrack leaves alone are checked too.
        several => {
            let networks = distinct(several).join(", ");
            (EACH_PACKET, format!("{{ {networks} }}"))
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_mesh_each_packet_is_looked_at() {
        let table = |sources: &[&str]| {
            outer_table(&Outer {
                ce: "2001:db8:1::1".parse().unwrap(),
                sources: sources.iter().map(|net| net.parse().unwrap()).collect(),
            })
        };
        assert!(table(&["2001:db8::1/128"]).contains("type nat"));
        // The BR outside the FMR, and inside it.
        for br in ["2001:db9::1/128", "2001:db8::1/128"] {
            let rules = table(&[br, "2001:db8::/32"]);
            assert!(rules.contains("type filter"), "{rules}");
        }
    }
}
