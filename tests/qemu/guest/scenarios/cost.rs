// SPDX-License-Identifier: GPL-2.0-or-later
//! What translation costs, counted in instructions. `make figures` boots the
//! machine with one processor and a clock that advances by one nanosecond per
//! instruction, so a time is a number of instructions.
//!
//! The whole lab is one kernel. What the CE alone executes for a packet is the
//! difference of two measurements of the same packets: dropped where they enter
//! the CE, and dropped where they have left it.

mod transfer;

use super::{Bench, expect, tell_figure};
use crate::Result;
use crate::guest::border;
use crate::guest::init::say;
use crate::guest::lab::Lab;
use crate::guest::nat::Technique;
use crate::guest::netns::Netns;
use crate::guest::oracle::V6PLUS;
use crate::guest::raw::{self, Sender};
use crate::guest::server::STREAM;
use crate::guest::topology::{lan_host, server};
use crate::guest::{sys, udp};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};
use transfer::Transfer;

const COMPARED: [Technique; 5] = [
    Technique::Plain,
    Technique::Pool,
    Technique::Hash,
    Technique::Stock,
    Technique::Untranslated,
];

/// How often a packet's cost is measured.
const RUNS: usize = 8;
/// Datagrams per measurement, and their payloads: of an Ethernet frame of 64 bytes,
/// of an IPv4 packet of 1,400.
const DATAGRAMS: usize = 150;
const SIZES: [(&str, usize); 2] = [("64", 18), ("1400", 1372)];
/// New connections per measurement, in bursts that our rules count in full.
const BURSTS: u16 = 2;
const BURST: u16 = 150;
const PAUSE: Duration = Duration::from_millis(300);
/// Bytes of a TCP transfer, by the largest segment.
const TRANSFERS: [(&str, Option<u16>, usize); 2] =
    [("1420", None, 4 << 20), ("200", Some(200), 1 << 20)];

const FLOW_TABLE: &str = "meta l4proto { tcp, udp } ct state established flow add @ft";

/// A place where packets are dropped and counted.
struct Sieve<'a> {
    netns: &'a Netns,
    device: &'static str,
    what: &'static str,
}

impl Sieve<'_> {
    /// What `job` takes with the sieve in place, divided by the number of
    /// packets, all of which it must have caught. The least of some runs: what
    /// else the machine had to do comes on top.
    fn per_packet(&self, packets: usize, job: impl Fn() -> Result<Duration>) -> Result<f64> {
        self.netns.nft(&format!(
            "table netdev sieve {{
                counter caught {{ }}
                chain ingress {{
                    type filter hook ingress device \"{}\" priority -500; policy accept;
                    {} counter name caught drop
                }}
            }}",
            self.device, self.what
        ))?;
        let runs: Result<Vec<Duration>> = (0..RUNS).map(|_| job()).collect();
        let counters = border::counters(self.netns)?;
        self.netns.nft("delete table netdev sieve")?;
        let caught = counters.iter().find(|(name, _)| name == "caught");
        let caught = caught.map_or(0, |(_, packets)| *packets);
        expect(caught == (packets * RUNS) as u64, || {
            let sent = packets * RUNS;
            format!("{caught} of {sent} packets came to {}", self.device)
        })?;
        let least = runs?.into_iter().min().unwrap_or_default();
        Ok(least.as_nanos() as f64 / packets as f64)
    }
}

/// The four places: into the CE and out of it, in both directions.
fn sieves(lab: &Lab) -> [Sieve<'_>; 4] {
    let tunnelled = "ip6 nexthdr 4";
    let plain = "meta l4proto { tcp, udp } ip saddr != 192.168.1.1";
    let at = |netns, device, what| Sieve {
        netns,
        device,
        what,
    };
    [
        at(&lab.net.ce, "lan2", plain),
        at(&lab.net.acc, "ce", tunnelled),
        at(&lab.net.ce, "wan", tunnelled),
        at(host(lab), "eth0", plain),
    ]
}

/// The LAN host that computes its checksums itself. What another sends, with the
/// sum still to be computed by a network card, no router gets to see.
fn host(lab: &Lab) -> &Netns {
    lab.host(1)
}

/// All figures of throughput and of new connections.
pub fn translation(bench: &mut Bench) -> Result<String> {
    let lab = bench.lab(V6PLUS)?;
    // Untranslated packets must get through and back as well.
    lab.net
        .br
        .nft("flush chain ip border prerouting; flush chain ip border forward")?;
    lab.net.br.ip("route replace 192.168.1.0/24 dev ce\n")?;
    // A burst waits for the one processor, and none of it is dropped.
    std::fs::write("/proc/sys/net/core/netdev_max_backlog", "10000")
        .map_err(|e| format!("netdev_max_backlog: {e}"))?;
    // The CE cuts up what it sends, as it must where the card cannot do that
    // inside a tunnel.
    for device in ["lan2", "wan"] {
        let off = ["tso", "off", "tx-ipxip6-segmentation", "off"];
        lab.net
            .ce
            .run(&[&["ethtool", "-K", device][..], &off[..]].concat())?;
    }
    for offload in [false, true] {
        for technique in COMPARED {
            let lab = bench.lab(V6PLUS)?;
            lab.rules(technique, &[], "", if offload { FLOW_TABLE } else { "" })?;
            let figure = |key: &str, value| tell_figure(technique.name(), key, value);
            all(lab, offload, figure)?;
        }
    }
    bench.leave();
    Ok(String::new())
}

fn all(lab: &Lab, offload: bool, figure: impl Fn(&str, f64)) -> Result<()> {
    let suffix = if offload { "_offload" } else { "" };
    let add = |name: String, value: f64| figure(&format!("{name}{suffix}"), value);
    let [lan, acc, wan, host] = sieves(lab);
    merge(lab, false)?;
    for (name, size) in SIZES {
        let pair = Pair::open(lab)?;
        let out = || pair.blast_out(size);
        let back = || pair.blast_back(size);
        // The first packets make the kernel learn the way.
        out().and_then(|_| back())?;
        let own = acc.per_packet(DATAGRAMS, out)? - lan.per_packet(DATAGRAMS, out)?;
        add(format!("udp_out_{name}"), own.round());
        let own = host.per_packet(DATAGRAMS, back)? - wan.per_packet(DATAGRAMS, back)?;
        add(format!("udp_in_{name}"), own.round());
    }
    transfers(lab, &TRANSFERS[..1], |name, value| {
        add(format!("{name}_single"), value);
    })?;
    merge(lab, true)?;
    transfers(lab, &TRANSFERS, |name, value| add(name.to_owned(), value))?;
    if !offload {
        let packets = usize::from(BURSTS * BURST);
        let new = || connections(lab);
        let own = acc.per_packet(packets, new)? - lan.per_packet(packets, new)?;
        add("connection".to_owned(), own.round());
    }
    Ok(())
}

fn transfers(
    lab: &Lab,
    transfers: &[(&str, Option<u16>, usize)],
    tell: impl Fn(&str, f64),
) -> Result<()> {
    for &(name, segment, size) in transfers {
        let transfer = Transfer::open(lab, segment)?;
        let megabits = |spent: Duration| (size * 8) as f64 / spent.as_nanos() as f64 * 1000.0;
        tell(&format!("tcp_out_{name}"), megabits(transfer.up(size)?));
        tell(&format!("tcp_in_{name}"), megabits(transfer.down(size)?));
    }
    Ok(())
}

/// Whether segments come to the CE in large pieces, as from a network card whose
/// driver merges what arrives together (GRO), or one by one with their checksums.
fn merge(lab: &Lab, merged: bool) -> Result<()> {
    let state = if merged { "on" } else { "off" };
    for (netns, device) in [(host(lab), "eth0"), (&lab.net.srv, "eth0")] {
        let features = ["tx", state, "tso", state, "gso", state, "gro", state];
        let command = ["ethtool", "-K", device];
        netns.run(&[&command[..], &features[..]].concat())?;
    }
    Ok(())
}

/// A flow through the CE that is established.
struct Pair {
    client: UdpSocket,
    server: UdpSocket,
    peer: SocketAddr,
}

impl Pair {
    fn open(lab: &Lab) -> Result<Self> {
        let to = SocketAddrV4::new(server(0), 0);
        let far = lab
            .net
            .srv
            .within(|| UdpSocket::bind(to).map_err(|e| e.to_string()))?;
        let near = host(lab).within(|| {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).map_err(|e| e.to_string())?;
            let to = far.local_addr().map_err(|e| e.to_string())?;
            socket.connect(to).map_err(|e| e.to_string())?;
            Ok(socket)
        })?;
        let failed = |e: std::io::Error| format!("a flow to measure: {e}");
        let patience = Some(Duration::from_secs(5));
        far.set_read_timeout(patience).map_err(failed)?;
        near.set_read_timeout(patience).map_err(failed)?;
        let mut peer = None;
        // Three rounds, so that a flow table knows it in both directions.
        for _ in 0..3 {
            let mut buffer = [0; 16];
            near.send(b"hello").map_err(failed)?;
            let (_, from) = far.recv_from(&mut buffer).map_err(failed)?;
            far.send_to(b"hello", from).map_err(failed)?;
            near.recv(&mut buffer).map_err(failed)?;
            peer = Some(from);
        }
        Ok(Self {
            client: near,
            server: far,
            peer: peer.ok_or("nobody there")?,
        })
    }

    fn blast_out(&self, size: usize) -> Result<Duration> {
        blast(size, |data| self.client.send(data))
    }

    fn blast_back(&self, size: usize) -> Result<Duration> {
        blast(size, |data| self.server.send_to(data, self.peer))
    }
}

fn blast(size: usize, send: impl Fn(&[u8]) -> std::io::Result<usize> + Sync) -> Result<Duration> {
    let data = vec![0x5a; size];
    let job = || {
        sys::give_way()?;
        let started = Instant::now();
        for _ in 0..DATAGRAMS {
            send(&data).map_err(|e| format!("datagram: {e}"))?;
        }
        Ok(started.elapsed())
    };
    std::thread::scope(|scope| scope.spawn(job).join())
        .unwrap_or_else(|_| Err("the sender panicked".to_owned()))
}

/// SYNs of connections that nobody has opened before; only the time of sending
/// counts, not that of the pauses.
fn connections(lab: &Lab) -> Result<Duration> {
    lab.net.ce.run(&["conntrack", "-F"])?;
    host(lab).within(|| {
        sys::give_way()?;
        let sender = Sender::open()?;
        let (from, to) = (lan_host(1), server(0));
        let mut spent = Duration::ZERO;
        for burst in 0..BURSTS {
            let packets: Vec<Vec<u8>> = (0..BURST)
                .map(|n| {
                    let from = SocketAddrV4::new(from, 20_000 + burst * BURST + n);
                    raw::tcp_syn_from(from, SocketAddrV4::new(to, 8000 + n))
                })
                .collect();
            let started = Instant::now();
            for packet in &packets {
                sender.send(packet, to)?;
            }
            spent += started.elapsed();
            std::thread::sleep(PAUSE);
        }
        Ok(spent)
    })
}

/// Flows that are looked at, from so many sockets to so many destinations.
const SOCKETS: usize = 200;
const DESTINATIONS: u16 = 50;

/// `mape status --json` with many connections beside `conntrack -L`, and what
/// loading our rules takes.
pub fn programs(bench: &mut Bench) -> Result<String> {
    let lab = bench.lab(V6PLUS)?;
    lab.nat(Technique::Pool)?;
    let reload = || lab.router()?.cost(&lab.net.ce, &["firewall"]);
    let unchanged = reload()?;
    lab.net.ce.nft("delete table ip mape_wanmap")?;
    let lost = reload()?;
    std::fs::write("/proc/sys/net/netfilter/nf_conntrack_max", "16384")
        .map_err(|e| format!("nf_conntrack_max: {e}"))?;
    let mut sockets = Vec::new();
    for index in 0..SOCKETS {
        let socket = lab.host(index).within(udp::socket)?;
        for n in 0..DESTINATIONS {
            let to = SocketAddrV4::new(server(usize::from(n)), STREAM + 1000 + n);
            // A refusal of an earlier one may be told here.
            while udp::send(&socket, b"x", to).is_err() {}
        }
        sockets.push(socket);
    }
    let status = lab.router()?.cost(&lab.net.ce, &["status", "--json"])?;
    let dump = lab.net.ce.within(|| {
        let mut dump = Command::new("conntrack");
        dump.args(["-L", "-p", "udp"]);
        sys::cost_of(dump)
    })?;
    drop(sockets);
    lab.settle()?;
    say(&format!("    status {status:?}, conntrack -L {dump:?}"));
    let million = |spent: Duration| (spent.as_nanos() as f64 / 1e5).round() / 10.0;
    bench.figure(Technique::Pool, "reload_unchanged", million(unchanged));
    bench.figure(Technique::Pool, "reload_lost", million(lost));
    bench.figure(Technique::Pool, "status_10000", million(status));
    bench.figure(Technique::Pool, "conntrack_10000", million(dump));
    let ratio = status.as_secs_f64() / dump.as_secs_f64();
    bench.figure(
        Technique::Pool,
        "status_ratio",
        (ratio * 100.0).round() / 100.0,
    );
    Ok(String::new())
}
