// SPDX-License-Identifier: GPL-2.0-or-later
//! The `ip6` table, for packets outside: who may send into the tunnel.

use ipnet::Ipv6Net;

use crate::map::covers;

use super::names::NOT_BR;
use super::plan::Plan;
use super::template::Template;

const RULES: &str = r#"	counter $not_br { }
	chain outer {
		type filter hook prerouting priority raw; policy accept;
		ip6 saddr != $sources ip6 daddr $ce meta l4proto 4 counter name "$not_br" drop
	}
"#;

/// Adds what stands in the `ip6` table: IPv4 in IPv6 from anyone but the BR
/// and, in mesh mode, other CEs is dropped. Nothing where there is no
/// encapsulation.
pub(super) fn add(rules: &mut Template, plan: &Plan) {
    let Some(outer) = &plan.line().outer else {
        return;
    };
    // A set may not name an address twice, as a BR inside an FMR would.
    let mut sources: Vec<String> = Vec::new();
    for (at, net) in outer.sources.iter().enumerate() {
        let is_told = |(other_at, other): (usize, &Ipv6Net)| {
            let earlier = other != net || other_at < at;
            other_at != at && earlier && covers(*other, *net)
        };
        if !outer.sources.iter().enumerate().any(is_told) {
            sources.push(net.to_string());
        }
    }
    // One address is compared; a set of one would be searched for each packet.
    let sources = match sources.as_slice() {
        [br] => br.clone(),
        several => format!("{{ {} }}", several.join(", ")),
    };
    rules.set("not_br", &NOT_BR);
    rules.set("sources", &sources);
    rules.set("ce", &outer.ce);
    rules.add(RULES);
}
