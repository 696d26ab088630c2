// SPDX-License-Identifier: GPL-2.0-or-later
//! A busy evening: ten minutes with a full port set to one server, ten
//! thousand connections that stay, and a hundred new ones each second.

use super::fill::fill;
use super::{Bench, expect};
use crate::Result;
use crate::guest::init::say;
use crate::guest::lab::Lab;
use crate::guest::nat::Technique;
use crate::guest::oracle::V6PLUS;
use crate::guest::server::{ECHO, WHOAMI};
use crate::guest::tcp::{self, Attempt};
use crate::guest::topology::server;
use crate::guest::{sys, udp};
use std::collections::BTreeSet;
use std::net::{SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

const MINUTES: usize = 10;
const PER_SECOND: usize = 100;
/// Sockets and the destinations each of them sends to.
const SOCKETS: usize = 200;
const DESTINATIONS: u16 = 50;
/// Nobody listens there, and nobody says so.
const SILENT: u16 = 20_000;

/// What must not grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Measured {
    connections: u64,
    /// Lines of the ruleset without what counts.
    rules: usize,
    /// Destinations with connections that are counted.
    busy: usize,
    /// Most memory `mape status` took, in KiB.
    status: u64,
}

pub fn load(bench: &mut Bench) -> Result<String> {
    let lab = bench.lab(V6PLUS)?;
    lab.nat(Technique::Pool)?;
    lab.net.srv.nft(&format!(
        "table ip silent {{
            chain input {{
                type filter hook input priority -10; policy accept;
                udp dport {SILENT}-{} drop
            }}
        }}",
        SILENT + DESTINATIONS
    ))?;
    // A machine of this size has room for 5,859, a router for more than it
    // can use (OpenWrt's own setting is 16,384).
    std::fs::write("/proc/sys/net/netfilter/nf_conntrack_max", "16384")
        .map_err(|e| format!("nf_conntrack_max: {e}"))?;
    // Those that stay do so for the whole time.
    lab.net
        .ce
        .sysctl(&["net/netfilter/nf_conntrack_udp_timeout=3600"])?;
    let staying = stay(lab)?;
    let own = lab.line.ports().len();
    let full = fill(lab, own, WHOAMI)?;
    let open = full.iter().filter(|attempt| attempt.open()).count();
    expect(open + 2 >= own, || format!("{open} of {own} to one server"))?;
    let mut first = None;
    let mut last = None;
    let (mut started, mut at_once) = (0, 0);
    for minute in 0..MINUTES {
        let (new, good) = evening(lab, minute)?;
        started += new;
        at_once += good;
        let now = measure(lab)?;
        say(&format!(
            "    minute {}: {good} of {new}, {now:?}",
            minute + 1
        ));
        first.get_or_insert(now);
        last = Some(now);
    }
    let still = full
        .iter()
        .filter(|attempt| attempt.retransmits() <= 1)
        .count();
    drop((staying, full));
    let refused = lab.refused()?;
    lab.settle()?;
    lab.net.srv.nft("delete table ip silent")?;
    lab.net
        .ce
        .sysctl(&["net/netfilter/nf_conntrack_udp_timeout=30"])?;
    expect(refused.total() == 0, || format!("the BR refused {refused}"))?;
    expect(at_once == started, || {
        format!("{at_once} of {started} connected at the first SYN")
    })?;
    let (Some(first), Some(last)) = (first, last) else {
        return Err("nothing measured".to_owned());
    };
    expect(last.connections >= 10_000, || format!("{last:?}"))?;
    expect(last.rules == first.rules, || {
        format!("{first:?}, then {last:?}")
    })?;
    let grown = |before: u64, after: u64| after > before + before / 10;
    expect(!grown(first.connections, last.connections), || {
        format!("{first:?}, then {last:?}")
    })?;
    expect(!grown(first.status, last.status), || {
        format!("{first:?}, then {last:?}")
    })?;
    expect(last.busy <= first.busy + 2, || {
        format!("{first:?}, then {last:?}")
    })?;
    Ok(format!(
        "{started} connections at the first SYN beside {} others, {still} of a full set lived on, \
         status takes {} then {} KiB",
        last.connections, first.status, last.status
    ))
}

/// Ten thousand UDP flows that are never answered.
fn stay(lab: &Lab) -> Result<Vec<UdpSocket>> {
    let mut sockets = Vec::new();
    for index in 0..SOCKETS {
        let socket = lab.host(index).within(udp::socket)?;
        for n in 0..DESTINATIONS {
            let to = SocketAddrV4::new(server(usize::from(n)), SILENT + n);
            udp::send(&socket, b"still here", to)?;
        }
        sockets.push(socket);
    }
    Ok(sockets)
}

/// A minute of connections that come, ask and go: how many, and how many of
/// them at the first SYN.
fn evening(lab: &Lab, minute: usize) -> Result<(usize, usize)> {
    const BURST: usize = 20;
    let begun = Instant::now();
    let (mut started, mut at_once) = (0, 0);
    for burst in 0..60 * PER_SECOND / BURST {
        let mut attempts = Vec::with_capacity(BURST);
        for n in 0..BURST {
            // The first server has every port already.
            let port = if n % 2 == 0 { WHOAMI } else { ECHO };
            let to = SocketAddrV4::new(server(1 + (burst + n / 2) % 4), port);
            let host = lab.host(minute + n);
            attempts.push(host.within(|| Attempt::start(None, to))?);
        }
        tcp::wait(&mut attempts, Duration::from_millis(900));
        started += attempts.len();
        at_once += attempts
            .iter()
            .filter(|attempt| attempt.open() && attempt.retransmits() == 0)
            .count();
        for attempt in attempts {
            attempt.reset();
        }
        if burst % 60 == 0 {
            // Nobody is to think that the machine has hung.
            say(&format!("    {at_once} of {started} in this minute"));
        }
        let due =
            Duration::from_millis((burst as u64 + 1) * 1000 * BURST as u64 / PER_SECOND as u64);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
    }
    lab.servers.drop_all_but(V6PLUS.ports().len());
    Ok((started, at_once))
}

fn measure(lab: &Lab) -> Result<Measured> {
    let ce = &lab.net.ce;
    let count = ce.run(&["cat", "/proc/sys/net/netfilter/nf_conntrack_count"])?;
    let rules = ce.run(&["nft", "-s", "list", "ruleset"])?;
    let busy = ce.run(&["nft", "list", "set", "ip", "mape_wanmap", "busy"])?;
    let destinations: BTreeSet<&str> = busy.split(',').filter(|e| e.contains(" . ")).collect();
    let status = sys::peak_of(lab.router()?.command(ce, &["status", "--json"]))?;
    Ok(Measured {
        connections: count
            .trim()
            .parse()
            .map_err(|_| format!("{count:?} connections"))?,
        rules: rules
            .lines()
            .filter(|line| !line.contains("ct count"))
            .count(),
        busy: destinations.len(),
        status,
    })
}
