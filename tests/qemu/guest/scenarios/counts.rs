// SPDX-License-Identifier: GPL-2.0-or-later
//! What `mape ports` counts, against what was opened and what the BR saw.

use super::fill::fill;
use super::{Bench, expect};
use crate::Result;
use crate::guest::icmp;
use crate::guest::lab::Lab;
use crate::guest::nat::Technique;
use crate::guest::oracle::V6PLUS;
use crate::guest::server::WHOAMI;
use crate::guest::topology::{lan_host, server};
use crate::guest::udp;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::SocketAddrV4;
use std::time::Duration;

/// What the three LAN hosts open together.
const OPENED: [(&str, usize); 3] = [("tcp", 90), ("udp", 60), ("icmp", 24)];

/// By range, protocol and host.
pub fn ports(bench: &mut Bench) -> Result<String> {
    let lab = bench.lab(V6PLUS)?;
    lab.nat(Technique::Pool)?;
    lab.net.br.nft(CENSUS)?;
    let found = opened(lab);
    lab.net.br.nft("delete table ip census")?;
    found?;
    lab.settle()?;
    let none = counted(lab)?;
    expect(sum(&none) == [0; 3], || {
        format!("forgotten, and there are {none}")
    })?;
    let [tcp, udp, icmp] = OPENED.map(|(_, count)| count);
    Ok(format!(
        "{tcp} TCP, {udp} UDP, {icmp} ICMP, as the BR saw them"
    ))
}

/// The BR notes ports and identifiers, each protocol by itself.
const CENSUS: &str = "table ip census {
    set seen_tcp { type inet_service; flags dynamic; size 65535; }
    set seen_udp { type inet_service; flags dynamic; size 65535; }
    set seen_icmp { typeof icmp id; flags dynamic; size 65535; }
    chain in {
        type filter hook prerouting priority raw - 10; policy accept;
        iifname != \"ce\" accept
        meta l4proto tcp update @seen_tcp { tcp sport }
        meta l4proto udp update @seen_udp { udp sport }
        icmp type echo-request update @seen_icmp { icmp id }
    }
}
";

fn opened(lab: &Lab) -> Result<()> {
    let [(_, streams), (_, datagrams), (_, pings)] = OPENED;
    let attempts = fill(lab, streams, WHOAMI)?;
    let open = attempts.iter().filter(|attempt| attempt.open()).count();
    expect(open == streams, || format!("{open} of {streams} connected"))?;

    let mut sockets = Vec::new();
    for index in 0..datagrams {
        let socket = lab.host(index).within(udp::socket)?;
        udp::send(&socket, b"x", SocketAddrV4::new(server(index), WHOAMI))?;
        sockets.push(socket);
    }
    let answers = udp::collect(&sockets, datagrams, Duration::from_secs(3)).len();
    expect(answers == datagrams, || {
        format!("{answers} of {datagrams} datagrams answered")
    })?;

    let mut pingers = Vec::new();
    for index in 0..pings {
        let pinger = lab
            .host(index)
            .within(|| icmp::pinger(100 + index as u16))?;
        let to = SocketAddrV4::new(server(index), 0);
        udp::send(&pinger, &icmp::echo_request(1), to)?;
        pingers.push(pinger);
    }
    let answers = udp::collect(&pingers, pings, Duration::from_secs(3)).len();
    expect(answers == pings, || {
        format!("{answers} of {pings} pings answered")
    })?;

    compare(lab, &counted(lab)?)
}

fn counted(lab: &Lab) -> Result<Value> {
    let text = lab.router()?.mape(&lab.net.ce, &["ports", "--json"])?;
    serde_json::from_str(&text).map_err(|e| e.to_string())
}

fn number(of: &Value, key: &str) -> usize {
    of[key].as_u64().unwrap_or(u64::MAX) as usize
}

fn rows(of: &Value) -> impl Iterator<Item = &Value> {
    of.as_array().into_iter().flatten()
}

fn sum(counted: &Value) -> [usize; 3] {
    OPENED.map(|(protocol, _)| rows(&counted["ranges"]).map(|r| number(r, protocol)).sum())
}

fn compare(lab: &Lab, counted: &Value) -> Result<()> {
    let ranges = rows(&counted["ranges"]).count();
    expect(ranges == lab.line.ranges().len(), || {
        format!("{ranges} ranges")
    })?;
    for (protocol, opened) in OPENED {
        let seen = seen(lab, protocol)?;
        // A port may serve connections to several servers, never be another's.
        expect(!seen.is_empty() && seen.len() <= opened, || {
            format!("{protocol}: the BR saw {} ports of {opened}", seen.len())
        })?;
        for range in rows(&counted["ranges"]) {
            let (first, last) = (number(range, "first"), number(range, "last"));
            let here = seen.range(first..=last).count();
            expect(here == number(range, protocol), || {
                format!("{protocol} {first}-{last}: the BR saw {here}, counted {range}")
            })?;
        }
        let mine = |index: usize| (0..opened).filter(|n| n % 3 == index).count();
        for index in 0..3 {
            let address = lan_host(index).to_string();
            let host = rows(&counted["hosts"]).find(|host| host["address"] == address.as_str());
            let count = host.map_or(0, |host| number(host, protocol));
            // Fewer ports than connections only where they are to several servers.
            expect((1..=mine(index)).contains(&count), || {
                format!(
                    "{protocol}: {address} opened {}, counted {count}",
                    mine(index)
                )
            })?;
        }
    }
    Ok(())
}

fn seen(lab: &Lab, protocol: &str) -> Result<BTreeSet<usize>> {
    let set = format!("seen_{protocol}");
    let words = ["nft", "-j", "list", "set", "ip", "census", &set];
    let text = lab.net.br.run(&words)?;
    let answer: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    let sets = rows(&answer["nftables"]).flat_map(|part| rows(&part["set"]["elem"]));
    let number = |element: &Value| element.as_u64().or_else(|| element["elem"]["val"].as_u64());
    Ok(sets.filter_map(number).map(|port| port as usize).collect())
}
