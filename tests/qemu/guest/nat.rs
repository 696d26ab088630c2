// SPDX-License-Identifier: GPL-2.0-or-later
//! The techniques under comparison, and what firewall4 loads beside them.

use super::oracle::Line;
use super::topology::TUNNEL;
use std::fmt::Write;
use std::net::Ipv4Addr;

/// How the CE picks a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Technique {
    /// One contiguous range, mapped at the tunnel's edge: ours.
    Pool,
    /// The internal endpoint hashed to a range: ours, where pool cannot be.
    Hash,
    /// One SNAT per range, as firewall4 makes of the stock package's data.
    Stock,
    /// `numgen inc` over exact ports, as every fork does.
    Forks,
    /// One SNAT to one range, for the throughput baseline.
    Plain,
    /// No translation at all.
    Untranslated,
}

impl Technique {
    /// The name in figures and table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::Hash => "hash",
            Self::Stock => "stock",
            Self::Forks => "patched",
            Self::Plain => "plain",
            Self::Untranslated => "none",
        }
    }
}

/// firewall4's rule for a port of ours that it forwards to a host's.
pub fn dnat(port: u16, host: Ipv4Addr, inside: u16) -> String {
    format!(
        "iifname \"{TUNNEL}\" meta l4proto {{ tcp, udp }} th dport {port} dnat ip to {host}:{inside}\n"
    )
}

/// What firewall4 has of a router like this one, as far as it matters here:
/// zones, masquerading on the tunnel, and the port forwards in `dnat`.
pub fn firewall4(dnat: &str, forward: &str) -> String {
    // One that names a device which is not there takes the whole table down.
    let flowtable = if forward.contains("@ft") {
        format!(
            "flowtable ft {{ hook ingress priority filter; devices = {{ lan1, lan2, lan3, wan, {TUNNEL} }}; }}"
        )
    } else {
        String::new()
    };
    format!(
        r#"
table inet fw4
flush table inet fw4
table inet fw4 {{
	{flowtable}
	chain upnp_forward {{
	}}
	chain upnp_prerouting {{
	}}
	chain upnp_postrouting {{
	}}
	chain input {{
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
		ct state established,related accept
		iifname "br-lan" accept
		meta l4proto ipv6-icmp accept
		ip6 nexthdr 4 accept
		icmp type echo-request accept
		reject
	}}
	chain forward {{
		type filter hook forward priority filter; policy drop;
		{forward}
		ct state established,related accept
		iifname "br-lan" oifname "{TUNNEL}" accept
		ct status dnat accept
	}}
	chain dstnat {{
		type nat hook prerouting priority dstnat; policy accept;
		{dnat}
	}}
	chain srcnat {{
		type nat hook postrouting priority srcnat; policy accept;
		oifname "{TUNNEL}" masquerade
	}}
	chain mangle {{
		type filter hook forward priority mangle; policy accept;
		oifname "{TUNNEL}" tcp flags syn / syn,fin,rst tcp option maxseg size set rt mtu
	}}
}}
"#
    )
}

/// One SNAT per range, each final: what firewall4 makes of `data.firewall`.
pub fn stock(line: &Line) -> String {
    let mut rules = String::new();
    for protocol in ["icmp", "tcp", "udp"] {
        for (first, last) in line.ranges() {
            let _ = writeln!(
                rules,
                "\t\toifname \"{TUNNEL}\" meta l4proto {protocol} snat ip to {}:{first}-{last}",
                line.ipv4()
            );
        }
    }
    table("compared", &rules)
}

/// One exact port per connection, in turn.
pub fn forks(line: &Line) -> String {
    let ports = line.ports();
    let elements: Vec<String> = ports
        .iter()
        .enumerate()
        .map(|(index, port)| format!("{index} : {port}"))
        .collect();
    let rules = format!(
        "\t\toifname \"{TUNNEL}\" meta l4proto {{ icmp, tcp, udp }} snat ip to {} : numgen inc mod {} map {{ {} }}\n",
        line.ipv4(),
        ports.len(),
        elements.join(", ")
    );
    table("compared", &rules)
}

/// One range for everything.
pub fn plain(line: &Line) -> String {
    let (first, last) = line.ranges().first().copied().unwrap_or_default();
    let rules = format!(
        "\t\toifname \"{TUNNEL}\" meta l4proto {{ icmp, tcp, udp }} snat ip to {}:{first}-{last}\n",
        line.ipv4()
    );
    table("compared", &rules)
}

fn table(name: &str, rules: &str) -> String {
    format!(
        "table inet {name} {{\n\tchain postrouting {{\n\t\ttype nat hook postrouting priority srcnat - 5; policy accept;\n{rules}\t}}\n}}\n"
    )
}
