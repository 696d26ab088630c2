// SPDX-License-Identifier: GPL-2.0-or-later
//! Traffic control on the tunnel, as SQM sets it up: cake on the way out, and
//! on the way in cake on an IFB that everything received is redirected to.

use super::{Bench, errors, expect, inbound, softwires};
use crate::Result;
use crate::guest::lab::Lab;
use crate::guest::nat::Technique;
use crate::guest::netns::Netns;
use crate::guest::oracle::{ONE_RANGE, V6PLUS};
use crate::guest::server::STREAM;
use crate::guest::topology::{TUNNEL, Topology, server};
use crate::guest::{tcp, udp};
use std::net::SocketAddrV4;
use std::time::Duration;

const IFB: &str = "ifb4map-wanmap";
const MEGABYTE: u64 = 1 << 20;

/// Each technique works with SQM, from when it is noticed until after it has
/// gone.
pub fn sqm(bench: &mut Bench) -> Result<String> {
    let lab = bench.lab(V6PLUS)?;
    lab.nat(Technique::Pool)?;
    let unshaped = rules(lab)?;
    start(&lab.net.ce)?;
    // Nobody has told us: this is what the service does once a minute.
    notice(lab)?;
    let shaped = rules(lab)?;
    expect(shaped.marker != unshaped.marker, || {
        "SQM was not noticed".to_owned()
    })?;
    traffic(lab, "pool")?;
    notice(lab)?;
    expect(rules(lab)? == shaped, || "loaded twice".to_owned())?;
    // What else the edge map does on the way in; each loads our rules again.
    errors::icmp_errors(bench)?;
    errors::no_checksum(bench)?;
    errors::fragments(bench)?;
    inbound::unsolicited(bench)?;
    inbound::forward(bench)?;

    let lab = bench.lab(V6PLUS)?;
    lab.nat(Technique::Hash)?;
    traffic(lab, "hash")?;
    // Our rules again, as they were before SQM.
    lab.nat(Technique::Pool)?;
    stop(&lab.net.ce)?;
    notice(lab)?;
    expect(rules(lab)?.marker == unshaped.marker, || {
        "without SQM the rules are not as they were".to_owned()
    })?;
    transfer(&lab.net)?;
    lab.refused()
        .and_then(|refused| expect(refused.total() == 0, || format!("the BR refused {refused}")))?;

    let lab = bench.lab(ONE_RANGE)?;
    start(&lab.net.ce)?;
    let text = lab.net.ce.run(&["nft", "list", "tables"])?;
    expect(!text.contains("netdev"), || text.clone())?;
    traffic(lab, "plain")?;
    without_map(bench, "ds-lite", &softwires::DS_LITE)?;
    without_map(bench, "ipip", &softwires::IPIP)?;
    Ok("pool, hash, plain, ds-lite, ipip".to_owned())
}

/// A line without MAP, with SQM and after it.
fn without_map(bench: &mut Bench, name: &str, kind: &'static softwires::Kind) -> Result<()> {
    let line = softwires::Line::up(bench, kind)?;
    let notice = || line.router.mape(&line.net.ce, &["repair"]);
    start(&line.net.ce)?;
    notice()?;
    shaped_both_ways(&line.net, name)?;
    line.judge(0)?;
    stop(&line.net.ce)?;
    notice()?;
    transfer(&line.net)?;
    line.judge(0).map(drop)
}

/// What SQM runs for an interface, from its IFB on.
fn start(ce: &Netns) -> Result<()> {
    ce.ip(&format!(
        "link add name {IFB} type ifb\nlink set dev {IFB} up\n"
    ))?;
    for words in [
        format!("qdisc add dev {TUNNEL} root cake bandwidth 200mbit"),
        format!("qdisc add dev {TUNNEL} handle ffff: ingress"),
        format!("qdisc add dev {IFB} root cake bandwidth 200mbit besteffort wash"),
        format!(
            "filter add dev {TUNNEL} parent ffff: protocol all prio 10 u32 match u32 0 0 \
             flowid 1:1 action mirred egress redirect dev {IFB}"
        ),
    ] {
        tc(ce, &words)?;
    }
    Ok(())
}

fn stop(ce: &Netns) -> Result<()> {
    tc(ce, &format!("qdisc del dev {TUNNEL} ingress"))?;
    tc(ce, &format!("qdisc del dev {TUNNEL} root"))?;
    ce.ip(&format!("link del dev {IFB}\n"))
}

fn tc(ce: &Netns, words: &str) -> Result<String> {
    let words: Vec<&str> = std::iter::once("tc")
        .chain(words.split_whitespace())
        .collect();
    ce.run(&words)
}

fn notice(lab: &Lab) -> Result<()> {
    lab.router()?.mape(&lab.net.ce, &["repair"]).map(drop)
}

/// Which rules are loaded.
#[derive(PartialEq)]
struct Loaded {
    /// Another after each load.
    handle: String,
    /// The same as long as the rules are.
    marker: String,
}

fn rules(lab: &Lab) -> Result<Loaded> {
    let table = ["nft", "-a", "list", "table", "ip", "mape_wanmap"];
    let text = lab.net.ce.run(&table)?;
    let handle = text.lines().next().unwrap_or_default().to_owned();
    let mut words = text.split_whitespace();
    let marker = words.find(|word| word.starts_with("rules_"));
    let marker = marker.ok_or("no rules are loaded")?.to_owned();
    Ok(Loaded { handle, marker })
}

/// Traffic of each protocol, of which the BR refuses nothing.
fn traffic(lab: &Lab, technique: &str) -> Result<()> {
    shaped_both_ways(&lab.net, technique)?;
    let refused = lab.refused()?;
    expect(refused.total() == 0, || {
        format!("{technique}: the BR refused {refused}")
    })
}

/// Traffic of each protocol, and that the qdiscs of both directions saw it.
fn shaped_both_ways(net: &Topology, technique: &str) -> Result<()> {
    let before = (shaped(net, TUNNEL)?, shaped(net, IFB)?);
    transfer(net).map_err(|why| format!("{technique}: {why}"))?;
    let (sent, received) = (
        shaped(net, TUNNEL)? - before.0,
        shaped(net, IFB)? - before.1,
    );
    expect(sent > MEGABYTE && received > MEGABYTE, || {
        format!("{technique}: SQM saw {sent} bytes out, {received} in")
    })
}

fn transfer(net: &Topology) -> Result<()> {
    let size = 2 * MEGABYTE as usize;
    net.host(0).within(|| tcp::download(server(0), size))?;
    net.host(1).within(|| tcp::upload(server(0), size))?;
    net.host(2)
        .run(&["ping", "-c", "1", "-W", "3", &server(1).to_string()])?;
    let mut sockets = Vec::new();
    for index in 0..10 {
        let socket = net.host(index).within(udp::socket)?;
        udp::send(&socket, b"hello", SocketAddrV4::new(server(index), STREAM))?;
        sockets.push(socket);
    }
    let answers = udp::collect(&sockets, sockets.len(), Duration::from_secs(3));
    expect(answers.len() == sockets.len(), || {
        format!("{} of {} datagrams answered", answers.len(), sockets.len())
    })
}

/// Bytes that the root qdisc of a device has sent.
fn shaped(net: &Topology, device: &str) -> Result<u64> {
    let text = tc(&net.ce, &format!("-s qdisc show dev {device} root"))?;
    let mut words = text.split_whitespace().skip_while(|word| *word != "Sent");
    let sent = words.nth(1).and_then(|word| word.parse().ok());
    sent.ok_or_else(|| format!("no qdisc on {device}: {text}"))
}
