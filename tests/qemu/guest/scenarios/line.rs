// SPDX-License-Identifier: GPL-2.0-or-later
//! What a subscriber does all day, on each kind of line.

use super::fill::fill;
use super::{Bench, errors, expect};
use crate::Result;
use crate::guest::border;
use crate::guest::icmp;
use crate::guest::lab::Lab;
use crate::guest::nat::Technique;
use crate::guest::oracle::{Line, OCN, V6PLUS};
use crate::guest::server::{STREAM, WHOAMI};
use crate::guest::tcp;
use crate::guest::topology::{Topology, lan_host, server};
use crate::guest::udp;
use std::net::SocketAddrV4;
use std::time::Duration;

/// v6plus as its provider runs it.
pub fn v6plus_draft03(bench: &mut Bench) -> Result<String> {
    day(bench, V6PLUS, 100)
}

/// The v6plus rule with RFC 7597 addresses.
pub fn v6plus_rfc7597(bench: &mut Bench) -> Result<String> {
    day(bench, V6PLUS.rfc("v6plus-rfc7597"), 5)
}

/// OCN as its provider runs it.
pub fn ocn_draft03(bench: &mut Bench) -> Result<String> {
    day(bench, OCN, 100)
}

/// The OCN rule with RFC 7597 addresses.
pub fn ocn_rfc7597(bench: &mut Bench) -> Result<String> {
    day(bench, OCN.rfc("ocn-rfc7597"), 5)
}

fn day(bench: &mut Bench, line: Line, megabytes: usize) -> Result<String> {
    let lab = bench.lab(line)?;
    lab.nat(Technique::Pool)?;
    pings(&lab.net)?;
    datagrams(&lab.net)?;
    lab.host(0)
        .within(|| tcp::download(server(0), megabytes << 20))?;
    lab.host(1).within(|| tcp::upload(server(1), 1 << 20))?;
    errors::path_mtu(&lab.net)?;
    let ranges = every_range(lab)?;
    let refused = lab.refused()?;
    expect(refused.total() == 0, || format!("the BR refused {refused}"))?;
    let left = lab.bounce()?;
    expect(left.is_empty(), || format!("after teardown: {left}"))?;
    lab.host(2).within(|| tcp::download(server(0), 1 << 20))?;
    Ok(format!(
        "{megabytes} MB, ports of all {ranges} ranges in use, 0 refused, nothing left"
    ))
}

/// A ping from each LAN host, all with one identifier.
pub(super) fn pings(net: &Topology) -> Result<()> {
    let mut sockets = Vec::new();
    for index in 0..3 {
        sockets.push(net.host(index).within(|| icmp::pinger(77))?);
    }
    for socket in &sockets {
        udp::send(
            socket,
            &icmp::echo_request(1),
            SocketAddrV4::new(server(2), 0),
        )?;
    }
    let answers = udp::collect(&sockets, 3, Duration::from_secs(3));
    expect(answers.len() == 3, || {
        format!("{} of 3 hosts got their ping answered", answers.len())
    })
}

/// Datagrams up to 4,000 bytes, each way in fragments where they must be.
pub(super) fn datagrams(net: &Topology) -> Result<()> {
    for (index, size) in [1, 512, 1432, 1433, 1472, 4000].into_iter().enumerate() {
        let host = net.host(index);
        let data: Vec<u8> = (0..=250).cycle().take(size).collect();
        let socket = [host.within(udp::socket)?];
        for attempt in 0.. {
            // The first datagram over the tunnel's MTU teaches the host.
            let sent = udp::send(&socket[0], &data, SocketAddrV4::new(server(3), STREAM));
            let answers = udp::collect(&socket, 1, Duration::from_secs(1));
            if sent.is_ok() && answers.values().next() == Some(&data) {
                break;
            }
            expect(attempt < 3, || {
                format!(
                    "{size} bytes of UDP from {} were not echoed",
                    lan_host(index)
                )
            })?;
        }
    }
    Ok(())
}

/// Fills the port set and asks the BR which ports it has seen.
fn every_range(lab: &Lab) -> Result<usize> {
    let attempts = fill(lab, lab.line.ports().len(), WHOAMI)?;
    let open = attempts.iter().filter(|attempt| attempt.open()).count();
    let seen = border::ports_seen(&lab.net.br)?;
    let ranges = lab.line.ranges();
    let unused = ranges
        .iter()
        .filter(|(first, last)| seen.range(first..=last).next().is_none())
        .count();
    expect(unused == 0, || {
        format!(
            "{open} connections, and {unused} of {} ranges unused",
            ranges.len()
        )
    })?;
    Ok(ranges.len())
}
