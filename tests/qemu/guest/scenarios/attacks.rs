// SPDX-License-Identifier: GPL-2.0-or-later
//! Forged packets, sent from everywhere that can reach the line, and what
//! arrives at a LAN host, or gets past our rules to the router, is counted.
//! Each kind has an honest sibling that must arrive, so that silence means
//! something.

use super::{Bench, expect, measure};
use crate::Result;
use crate::guest::border;
use crate::guest::lab::Lab;
use crate::guest::nat::{self, Technique};
use crate::guest::netns::Netns;
use crate::guest::oracle::{Line, V6PLUS};
use crate::guest::raw::{
    Sender6, echo_request, encapsulated, fragment, fragment6, icmp, portless, quoted, tcp_syn, udp,
};
use crate::guest::server::WHOAMI;
use crate::guest::topology::{GATEWAY, TUNNEL, lan_host, server};
use crate::guest::udp as sockets;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, UdpSocket};
use std::time::Duration;

/// How often each is sent.
const TIMES: u16 = 10;
/// The same provider's next subscriber.
const OTHER: Line = V6PLUS.subscriber("v6plus-other", 0x65_4321);
/// Somebody in the access network.
const STRANGER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 1);
const UNREACHABLE: [u8; 2] = [3, 3];
const INSIDE: u16 = 8080;

/// What an attacker knows and what is to be found.
struct Target {
    line: Line,
    ours: Ipv4Addr,
    /// Forwarded to a LAN host.
    forwarded: u16,
    /// Passes untranslated to the router.
    router: u16,
    /// In the set, and nobody's.
    idle: u16,
    /// A number of the pool.
    number: u16,
    /// A connection of a LAN host: its port outside, and the server.
    flow: (u16, Ipv4Addr),
}

/// IPv6 packets as they come in, of the repetition with that number.
type Forge = fn(&Target, u16) -> Vec<Vec<u8>>;

/// Kinds that somebody else than the BR encapsulates.
const FROM_STRANGERS: u64 = 3;

/// Somebody else's packets: none may arrive.
const FORGED: [(&str, Forge); 22] = [
    ("TCP to a port outside the set", |t, n| {
        t.by_br(tcp_syn(FAR, t.ours, 2000 + n))
    }),
    ("UDP to a port outside the set", |t, n| {
        t.by_br(udp(FAR, t.ours, 2000 + n))
    }),
    ("TCP to a number of the pool", |t, n| {
        t.by_br(tcp_syn(FAR, t.ours, t.number + n))
    }),
    ("UDP to a number of the pool", |t, n| {
        t.by_br(udp(FAR, t.ours, t.number + n))
    }),
    ("to a port of the set that nobody opened", |t, _| {
        t.by_br(udp(FAR, t.ours, t.idle))
    }),
    ("a ping nobody answers", |t, n| {
        t.by_br(echo_request(FAR, t.ours, t.idle + n % 2))
    }),
    ("GRE", |t, _| t.by_br(portless(FAR, t.ours, 47))),
    ("IPv6 in IPv4", |t, _| t.by_br(portless(FAR, t.ours, 41))),
    ("from a host of the access network", |t, _| {
        t.from(STRANGER, &udp(FAR, t.ours, t.forwarded))
    }),
    ("from another CE", |t, _| {
        t.from(OTHER.ce_address(), &udp(FAR, t.ours, t.forwarded))
    }),
    ("from a stranger, in IPv6 fragments", |t, n| {
        let whole = encapsulated(STRANGER, t.line.ce_address(), &long(t));
        vec![
            fragment6(&whole, n, 0, FIRST),
            fragment6(&whole, n, FIRST, 2000),
        ]
    }),
    ("inner source: a LAN host, to a forward", |t, _| {
        t.by_br(udp(lan_host(0), t.ours, t.forwarded))
    }),
    ("inner source: a LAN host, to the router", |t, _| {
        t.by_br(udp(lan_host(0), t.ours, t.router))
    }),
    ("inner source: the router's LAN address", |t, _| {
        t.by_br(udp(GATEWAY, t.ours, t.router))
    }),
    ("inner source: our own address", |t, _| {
        t.by_br(udp(t.ours, t.ours, t.router))
    }),
    ("inner source: loopback", |t, _| {
        t.by_br(udp(Ipv4Addr::LOCALHOST, t.ours, t.forwarded))
    }),
    ("inner destination: a LAN host", |t, _| {
        t.by_br(udp(FAR, lan_host(1), INSIDE))
    }),
    ("ICMP errors about connections that are not", |t, n| {
        let (port, server) = t.flow;
        [
            quoted((t.ours, port), (FAR, 443 + n)),
            quoted((t.ours, t.idle), (server, WHOAMI)),
            quoted((t.ours, t.number), (server, WHOAMI)),
            quoted((t.ours, 2000 + n), (server, WHOAMI)),
            quoted((lan_host(0), port), (server, WHOAMI)),
            quoted((t.ours, t.forwarded), (server, WHOAMI)),
        ]
        .iter()
        .flat_map(|about| t.by_br(icmp(server, t.ours, UNREACHABLE, about)))
        .collect()
    }),
    ("ICMP redirects and answers nobody asked for", |t, _| {
        let (port, server) = t.flow;
        let about = quoted((t.ours, port), (server, WHOAMI));
        [[5, 1], [0, 0], [14, 0], [18, 0]]
            .into_iter()
            .flat_map(|kind| t.by_br(icmp(server, t.ours, kind, &about)))
            .collect()
    }),
    ("IPv4 fragments that overlap", |t, n| {
        let whole = long(t);
        [fragment(&whole, n, 0, 24), fragment(&whole, n, 16, 2000)]
            .iter()
            .flat_map(|part| t.by_br(part.clone()))
            .collect()
    }),
    ("an IPv4 fragment in place of the first", |t, n| {
        let mut elsewhere = long(t);
        elsewhere.splice(22..24, (2000 + n).to_be_bytes());
        let id = 1000 + n;
        [
            fragment(&elsewhere, id, 0, 24),
            fragment(&long(t), id, 24, 2000),
        ]
        .iter()
        .flat_map(|part| t.by_br(part.clone()))
        .collect()
    }),
    ("IPv6 fragments that overlap", |t, n| {
        let whole = encapsulated(t.line.br, t.line.ce_address(), &long(t));
        vec![
            fragment6(&whole, 100 + n, 0, FIRST),
            fragment6(&whole, 100 + n, FIRST - 8, 2000),
        ]
    }),
];

/// Their honest siblings: each arrives as often as it is sent.
const HONEST: [(&str, Forge); 6] = [
    ("UDP to a forward", |t, _| {
        t.by_br(udp(FAR, t.ours, t.forwarded))
    }),
    ("UDP to an open port of the router", |t, _| {
        t.by_br(udp(FAR, t.ours, t.router))
    }),
    ("an ICMP error about a connection", |t, _| {
        let (port, server) = t.flow;
        let about = quoted((t.ours, port), (server, WHOAMI));
        t.by_br(icmp(server, t.ours, UNREACHABLE, &about))
    }),
    ("IPv4 fragments", |t, n| {
        let whole = long(t);
        [
            fragment(&whole, 2000 + n, 0, 24),
            fragment(&whole, 2000 + n, 24, 2000),
        ]
        .iter()
        .flat_map(|part| t.by_br(part.clone()))
        .collect()
    }),
    ("IPv6 fragments", |t, n| {
        let whole = encapsulated(t.line.br, t.line.ce_address(), &long(t));
        vec![
            fragment6(&whole, 200 + n, 0, FIRST),
            fragment6(&whole, 200 + n, FIRST, 2000),
        ]
    }),
    ("an answer to a connection", |t, _| {
        let (port, server) = t.flow;
        let mut answer = udp(server, t.ours, port);
        answer.splice(20..22, WHOAMI.to_be_bytes());
        // The sum covered port 53.
        answer.splice(26..28, [0, 0]);
        t.by_br(answer)
    }),
];

/// Somebody on the Internet.
const FAR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 77);

/// Linux takes no IPv6 fragment but the last that is shorter than 1,280 bytes.
const FIRST: usize = 1240;

/// A datagram to the forward that is worth cutting up, without a checksum.
fn long(t: &Target) -> Vec<u8> {
    let mut packet = udp(FAR, t.ours, t.forwarded);
    packet.extend_from_slice(&[7; 1350]);
    let len = packet.len() as u16;
    packet.splice(2..4, len.to_be_bytes());
    packet.splice(24..26, (len - 20).to_be_bytes());
    packet.splice(26..28, [0, 0]);
    // As its own and only fragment it gets the checksum of its header.
    fragment(&packet, 0, 0, packet.len())
}

impl Target {
    fn by_br(&self, inner: Vec<u8>) -> Vec<Vec<u8>> {
        self.from(self.line.br, &inner)
    }

    fn from(&self, source: Ipv6Addr, inner: &[u8]) -> Vec<Vec<u8>> {
        vec![encapsulated(source, self.line.ce_address(), inner)]
    }
}

/// None of what is forged arrives, all that is honest does. Without our rules
/// most of the former would, which the comparison shows.
pub fn forged(bench: &mut Bench) -> Result<String> {
    let without = arrivals(bench, Technique::Stock)?;
    let reached: u64 = without.forged.iter().map(|(_, count)| count).sum();
    bench.figure(Technique::Stock, "forged_in", reached as f64);
    expect(reached > 100, || {
        format!("only {reached} arrived where nothing stops them")
    })?;
    let with = arrivals(bench, Technique::Pool)?;
    for (name, count) in &with.honest {
        // What came in fragments goes on in fragments.
        expect(*count >= u64::from(TIMES), || {
            format!("{name}: {count} of {TIMES} arrived")
        })?;
    }
    // The tunnel would take none of them anyway; each must be counted.
    let strangers = u64::from(TIMES) * FROM_STRANGERS;
    expect(with.strangers == Some(strangers), || {
        format!(
            "{:?} of {strangers} packets of strangers were counted",
            with.strangers
        )
    })?;
    let reached: u64 = with.forged.iter().map(|(_, count)| count).sum();
    let which: Vec<String> = with
        .forged
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name}: {count}"))
        .collect();
    measure(bench, Technique::Pool, "forged_in", reached as f64)
        .map(|_| {
            format!(
                "{} kinds, {} honest ones arrived",
                FORGED.len(),
                HONEST.len()
            )
        })
        .map_err(|short| format!("{short}; {}", which.join(", ")))
}

struct Arrivals {
    forged: Vec<(&'static str, u64)>,
    honest: Vec<(&'static str, u64)>,
    /// Packets that our rules counted as encapsulated by somebody else than the BR.
    strangers: Option<u64>,
}

fn arrivals(bench: &mut Bench, technique: Technique) -> Result<Arrivals> {
    let lab = bench.lab(V6PLUS)?;
    let own = lab.line.ports();
    let port = |at: usize| own.get(at).copied().ok_or("the port set is too small");
    let (forwarded, router, idle) = (port(20)?, port(21)?, port(40)?);
    let to = lan_host(1);
    let dnat = nat::dnat(forwarded, to, INSIDE);
    lab.rules(technique, &[forwarded, router], &dnat, "")?;
    let (flow, _socket) = flow(lab)?;
    let target = Target {
        line: lab.line,
        ours: lab.line.ipv4(),
        forwarded,
        router,
        idle,
        number: first_number(&lab.net.ce)?.unwrap_or(33_000),
        flow,
    };
    watch(lab)?;
    let count = |attacks: &[(&'static str, Forge)]| {
        attacks
            .iter()
            .map(|(name, forge)| Ok((*name, arrived(lab, &target, *forge)?)))
            .collect::<Result<Vec<_>>>()
    };
    // The honest ones last: what is forged meets no connection of theirs.
    let (forged, honest) = (count(&FORGED)?, count(&HONEST)?);
    let counters = border::counters(&lab.net.ce)?;
    let of_strangers = counters.iter().find(|(name, _)| name == "not_br");
    unwatch(lab)?;
    Ok(Arrivals {
        forged,
        honest,
        strangers: of_strangers.map(|(_, packets)| *packets),
    })
}

/// A connection from the LAN that stays.
fn flow(lab: &Lab) -> Result<((u16, Ipv4Addr), UdpSocket)> {
    let socket = [lab.host(0).within(sockets::socket)?];
    let to = server(2);
    sockets::send(&socket[0], b"who am I", SocketAddrV4::new(to, WHOAMI))?;
    let answers = sockets::collect(&socket, 1, Duration::from_secs(3));
    let port = answers
        .values()
        .next()
        .and_then(|text| sockets::seen_port(text));
    let [socket] = socket;
    Ok(((port.ok_or("no answer from outside")?, to), socket))
}

/// The lowest number of the pool, where there is one.
fn first_number(ce: &Netns) -> Result<Option<u16>> {
    let rules = ce.run(&["nft", "list", "ruleset"])?;
    let pool = rules
        .lines()
        .filter(|line| line.contains("translated"))
        .find_map(|line| line.split_once("snat to ")?.1.split_once(':'));
    Ok(pool.and_then(|(_, range)| range.split('-').next()?.trim().parse().ok()))
}

/// Sends it from the access network, and counts what is there afterwards.
fn arrived(lab: &Lab, target: &Target, forge: Forge) -> Result<u64> {
    counted(lab)?;
    lab.net.acc.within(|| {
        let sender = Sender6::open()?;
        for number in 0..TIMES {
            for packet in forge(target, number) {
                sender.send(&packet, target.line.ce_address())?;
            }
        }
        Ok(())
    })?;
    std::thread::sleep(Duration::from_millis(150));
    counted(lab)
}

/// Counts in every LAN host what comes in, and in the router what our rules
/// let through to it, before firewall4 has its say.
fn watch(lab: &Lab) -> Result<()> {
    for host in &lab.net.lan {
        host.nft(
            "table ip watch {
                counter seen { }
                chain prerouting {
                    type filter hook prerouting priority raw; policy accept;
                    iifname \"eth0\" counter name seen
                }
            }",
        )?;
    }
    lab.net.ce.nft(&format!(
        "table ip watch {{
            counter seen {{ }}
            chain input {{
                type filter hook input priority -1; policy accept;
                iifname \"{TUNNEL}\" counter name seen
            }}
        }}"
    ))
}

fn unwatch(lab: &Lab) -> Result<()> {
    for netns in lab.net.lan.iter().chain([&lab.net.ce]) {
        netns.nft("delete table ip watch")?;
    }
    Ok(())
}

/// Packets since the last call.
fn counted(lab: &Lab) -> Result<u64> {
    let mut sum = 0;
    for netns in lab.net.lan.iter().chain([&lab.net.ce]) {
        let text = netns.run(&["nft", "reset", "counter", "ip", "watch", "seen"])?;
        let count = text
            .split_whitespace()
            .skip_while(|word| *word != "packets")
            .nth(1)
            .and_then(|count| count.parse::<u64>().ok());
        sum += count.ok_or_else(|| format!("no count in {text}"))?;
    }
    Ok(sum)
}
