// SPDX-License-Identifier: GPL-2.0-or-later
//! The `ip6` table, for packets outside: who may send into the tunnel.

use ipnet::Ipv6Net;

use crate::map::covers;

use super::counters::NOT_BR;
use super::plan::Plan;

/// What stands in the `ip6` table: IPv4 in IPv6 from anyone but the BR and, in
/// mesh mode, other CEs is dropped. Empty where there is no encapsulation.
pub(super) fn body(plan: &Plan) -> String {
    let Some(outer) = &plan.line().outer else {
        return String::new();
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
    // It stands first, since nearly every packet of a tunnel is the BR's.
    let sources = match sources.as_slice() {
        [br] => br.clone(),
        several => format!("{{ {} }}", several.join(", ")),
    };
    format!(
        "\tcounter {NOT_BR} {{ }}\n\
         \tchain outer {{\n\
         \t\ttype filter hook prerouting priority raw; policy accept;\n\
         \t\tip6 saddr != {sources} ip6 daddr {ce} meta l4proto 4 \
         counter name \"{NOT_BR}\" drop\n\t}}\n",
        ce = outer.ce,
    )
}
