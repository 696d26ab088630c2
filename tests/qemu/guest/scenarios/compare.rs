// SPDX-License-Identifier: GPL-2.0-or-later
//! How a line feels under each technique.

use super::{Bench, expect};
use crate::Result;
use crate::guest::icmp;
use crate::guest::lab::Lab;
use crate::guest::nat::Technique;
use crate::guest::oracle::V6PLUS;
use crate::guest::server::{STREAM, WHOAMI};
use crate::guest::tcp::{self, Attempt};
use crate::guest::topology::server;
use crate::guest::udp;
use crate::report::meets;
use std::collections::BTreeSet;
use std::net::{SocketAddrV4, UdpSocket};
use std::time::Duration;

const COMPARED: [Technique; 4] = [
    Technique::Pool,
    Technique::Hash,
    Technique::Stock,
    Technique::Forks,
];

/// Measures `key` with every technique; the pool has to meet the goal and to
/// send the BR nothing it refuses.
fn each(bench: &mut Bench, key: &str, measure: fn(&Lab) -> Result<f64>) -> Result<String> {
    compare(bench, &COMPARED, key, measure)
}

fn compare(
    bench: &mut Bench,
    techniques: &[Technique],
    key: &str,
    measure: fn(&Lab) -> Result<f64>,
) -> Result<String> {
    let mut verdict = Ok(String::new());
    for &technique in bench.techniques(techniques) {
        let lab = bench.lab(V6PLUS)?;
        lab.nat(technique)?;
        let value = measure(lab)?;
        let refused = lab.refused()?;
        lab.settle()?;
        bench.figure(technique, key, value);
        if technique == Technique::Pool {
            verdict = expect(meets(key, value), || format!("{value}"))
                .and_then(|()| expect(refused.total() == 0, || format!("the BR refused {refused}")))
                .map(|()| String::new());
        }
    }
    verdict
}

/// The share of 60 UDP sockets that show one port to all five servers.
pub fn eim_udp(bench: &mut Bench) -> Result<String> {
    each(bench, "eim_udp", |lab| {
        let mut sockets = Vec::new();
        for index in 0..60 {
            sockets.push(lab.host(index).within(udp::socket)?);
        }
        let mut one = 0;
        let mut seen = vec![BTreeSet::new(); sockets.len()];
        let mut answered = vec![0; sockets.len()];
        for round in 0..5 {
            for socket in &sockets {
                udp::send(
                    socket,
                    b"who am I",
                    SocketAddrV4::new(server(round), WHOAMI),
                )?;
            }
            let answers = udp::collect(&sockets, sockets.len(), Duration::from_secs(2));
            for ((index, _), answer) in answers {
                if let (Some(ports), Some(count)) = (seen.get_mut(index), answered.get_mut(index)) {
                    ports.extend(udp::seen_port(&answer));
                    *count += 1;
                }
            }
        }
        for (ports, count) in seen.iter().zip(&answered) {
            one += usize::from(ports.len() == 1 && *count == 5);
        }
        Ok(one as f64 / sockets.len() as f64)
    })
}

/// The share of 60 bound TCP ports that show one port to all five servers.
pub fn eim_tcp(bench: &mut Bench) -> Result<String> {
    each(bench, "eim_tcp", |lab| {
        let total: u16 = 60;
        let mut attempts = Vec::new();
        for index in 0..total {
            let host = lab.host(usize::from(index));
            let started = attempts.len();
            for to in 0..5 {
                let to = SocketAddrV4::new(server(to), WHOAMI);
                attempts.push(host.within(|| Attempt::start(Some(20_000 + index), to))?);
            }
            if let Some(fresh) = attempts.get_mut(started..) {
                tcp::wait(fresh, Duration::from_millis(100));
            }
        }
        tcp::wait(&mut attempts, Duration::from_millis(2500));
        let mut one = 0;
        for group in attempts.chunks(5) {
            if group.iter().all(Attempt::open) {
                let ports: BTreeSet<_> = group
                    .iter()
                    .map(|attempt| attempt.seen_port(Duration::from_secs(2)))
                    .collect();
                one += usize::from(ports.len() == 1 && !ports.contains(&None));
            }
        }
        Ok(one as f64 / f64::from(total))
    })
}

/// 100 connections to each of five servers, in turn.
pub fn interleaved(bench: &mut Bench) -> Result<String> {
    each(bench, "interleaved_first_syn", |lab| {
        let mut attempts: Vec<Attempt> = Vec::new();
        for round in 0..100 {
            let started = attempts.len();
            for to in 0..5 {
                let to = SocketAddrV4::new(server(to), WHOAMI);
                attempts.push(lab.host(round).within(|| Attempt::start(None, to))?);
            }
            if let Some(fresh) = attempts.get_mut(started..) {
                tcp::wait(fresh, Duration::from_millis(100));
            }
        }
        tcp::wait(&mut attempts, Duration::from_millis(800));
        let first = attempts
            .iter()
            .filter(|attempt| attempt.open() && attempt.retransmits() == 0)
            .count();
        Ok(first as f64)
    })
}

/// Marks that read the same in either byte order.
const LIVE: u32 = 0x0101_0101;
const DOOMED: u32 = 0x0202_0202;

/// 200 live flows to one server, 100 replaced in each of 12 rounds: first
/// packets that got no answer.
pub fn churn(bench: &mut Bench) -> Result<String> {
    // With 16 ports nearly every first packet of the stock order is lost, and
    // each costs its time.
    let techniques = [Technique::Pool, Technique::Hash, Technique::Forks];
    compare(bench, &techniques, "churn_lost", |lab| {
        // The mark of a flow is what its last datagram says, so that a whole
        // round's worth of flows can be forgotten in one call.
        lab.net.ce.nft(
            "table inet marks {
                chain prerouting {
                    type filter hook prerouting priority mangle; policy accept;
                    iifname \"br-lan\" udp dport 7001 ct mark set @th,64,32
                }
            }",
        )?;
        let to = SocketAddrV4::new(server(0), STREAM);
        let mut random = 0x2545_f491_u32;
        let mut live: Vec<UdpSocket> = Vec::new();
        let mut lost = 0;
        for round in 0..13 {
            let fresh = if round == 0 { 200 } else { 100 };
            if round > 0 {
                for _ in 0..100 {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let doomed = live.swap_remove((random >> 8) as usize % live.len());
                    udp::send(&doomed, &DOOMED.to_be_bytes(), to)?;
                }
                std::thread::sleep(Duration::from_millis(50));
                lab.net
                    .ce
                    .run(&["conntrack", "-D", "-p", "udp", "-m", &DOOMED.to_string()])?;
            }
            let started = live.len();
            for index in 0..fresh {
                live.push(lab.host(index).within(udp::socket)?);
            }
            let fresh_sockets = live.get(started..).unwrap_or_default();
            for part in fresh_sockets.chunks(20) {
                for socket in part {
                    udp::send(socket, &LIVE.to_be_bytes(), to)?;
                }
                let answers = udp::collect(part, part.len(), Duration::from_millis(500));
                if round > 0 {
                    lost += part.len() - answers.len();
                }
            }
        }
        Ok(lost as f64)
    })
}

/// Pings from three hosts at once, all with the same identifiers.
pub fn ping(bench: &mut Bench) -> Result<String> {
    each(bench, "ping", |lab| {
        let mut sockets = Vec::new();
        for index in 0..60 {
            let identifier = 1000 + (index / 3) as u16;
            sockets.push(lab.host(index).within(|| icmp::pinger(identifier))?);
        }
        let (mut sent, mut answered) = (0, 0);
        for sequence in 0..3 {
            for socket in &sockets {
                udp::send(
                    socket,
                    &icmp::echo_request(sequence),
                    SocketAddrV4::new(server(0), 0),
                )?;
                sent += 1;
            }
            answered += udp::collect(&sockets, sockets.len(), Duration::from_secs(2)).len();
        }
        Ok(answered as f64 / f64::from(sent))
    })
}
