// SPDX-License-Identifier: GPL-2.0-or-later
//! What the BR lets through: only the CE's address and ports, both ways.
//! The rest is dropped and counted.

use super::netns::Netns;
use super::oracle::Line;
use crate::Result;
use std::collections::BTreeSet;

/// Loads the BR's check for a line.
pub fn load(br: &Netns, line: &Line) -> Result<()> {
    let ports: Vec<String> = line
        .ranges()
        .iter()
        .map(|(first, last)| format!("{first}-{last}"))
        .collect();
    br.nft(&ruleset(&line.ipv4().to_string(), &ports.join(", ")))
}

fn ruleset(address: &str, ports: &str) -> String {
    format!(
        r#"
table ip border {{
	counter bad_address {{ }}
	counter bad_port {{ }}
	counter bad_error {{ }}
	counter bad_protocol {{ }}
	counter bad_inbound {{ }}
	counter good {{ }}
	set used {{ type inet_service; flags dynamic; size 65535; }}

	chain from_ce {{
		ip saddr != {address} counter name bad_address drop
		ip frag-off & 0x1fff != 0 accept
		meta l4proto {{ tcp, udp }} th sport {{ {ports} }} update @used {{ th sport }} counter name good accept
		meta l4proto {{ tcp, udp }} counter name bad_port drop
		icmp type {{ echo-request, echo-reply }} icmp id {{ {ports} }} counter name good accept
		icmp type {{ echo-request, echo-reply }} counter name bad_port drop
		icmp type {{ destination-unreachable, time-exceeded, parameter-problem }} @th,64,8 0x45 @th,136,8 {{ 6, 17 }} @th,240,16 {{ {ports} }} counter name good accept
		icmp type {{ destination-unreachable, time-exceeded, parameter-problem }} @th,64,8 0x45 @th,136,8 1 @th,256,16 {{ {ports} }} counter name good accept
		meta l4proto icmp counter name bad_error drop
		counter name bad_protocol drop
	}}
	chain to_ce {{
		ip frag-off & 0x1fff != 0 accept
		meta l4proto {{ tcp, udp }} th dport {{ {ports} }} accept
		icmp type {{ echo-request, echo-reply }} icmp id {{ {ports} }} accept
		icmp type {{ destination-unreachable, time-exceeded, parameter-problem }} accept
		counter name bad_inbound drop
	}}
	chain prerouting {{
		type filter hook prerouting priority raw; policy accept;
		iifname "ce" jump from_ce
	}}
	chain forward {{
		type filter hook forward priority filter; policy accept;
		oifname "ce" jump to_ce
	}}
}}
"#
    )
}

/// What the BR refused, by reason.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Refused(Vec<(String, u64)>);

impl Refused {
    /// Packets refused altogether.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, packets)| packets).sum()
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named: Vec<String> = self
            .0
            .iter()
            .filter(|(_, packets)| *packets > 0)
            .map(|(name, packets)| format!("{name} {packets}"))
            .collect();
        f.write_str(if named.is_empty() { "none" } else { "" })?;
        f.write_str(&named.join(", "))
    }
}

/// Reads what the BR refused since the last call, and starts again at zero.
pub fn refused(br: &Netns) -> Result<Refused> {
    let text = br.run(&["nft", "reset", "counters"])?;
    let bad = packets(&text).filter(|(name, _)| name.starts_with("bad_"));
    Ok(Refused(bad.collect()))
}

/// All counters of a namespace and their packets, as they are.
pub fn counters(netns: &Netns) -> Result<Vec<(String, u64)>> {
    let text = netns.run(&["nft", "list", "counters"])?;
    Ok(packets(&text).collect())
}

/// Names and packets of the counters that nft lists.
fn packets(text: &str) -> impl Iterator<Item = (String, u64)> {
    let mut name = "";
    text.lines().map(str::trim).filter_map(move |line| {
        if let Some(rest) = line.strip_prefix("counter ") {
            name = rest.trim_end_matches([' ', '{']);
        }
        let packets = line.strip_prefix("packets ")?.split(' ').next()?;
        Some((name.to_owned(), packets.parse().ok()?))
    })
}

/// Makes the BR forget which source ports it has accepted.
pub fn forget_ports(br: &Netns) -> Result<()> {
    br.run(&["nft", "flush", "set", "ip", "border", "used"])
        .map(drop)
}

/// The source ports the BR has accepted so far.
pub fn ports_seen(br: &Netns) -> Result<BTreeSet<u16>> {
    let text = br.run(&["nft", "list", "set", "ip", "border", "used"])?;
    Ok(text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter_map(|word| word.parse().ok())
        .filter(|port| *port != 65535)
        .collect())
}
