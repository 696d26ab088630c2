// SPDX-License-Identifier: GPL-2.0-or-later
//! What else a router does beside our line: a second one, containers, a VPN, and
//! hosts that call each other by the address outside.

use super::{Bench, expect, inbound};
use crate::Result;
use crate::guest::lab::Lab;
use crate::guest::netns::Netns;
use crate::guest::oracle::V6PLUS;
use crate::guest::server::WHOAMI;
use crate::guest::topology::{GATEWAY, TUNNEL, lan_host, server};
use crate::guest::{nat, shell, tcp, udp};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);
const LAN: &str = "192.168.1.0/24";
const INSIDE: u16 = inbound::INSIDE;

/// The lab with this firewall: a port outside that leads to one of a host,
/// more sections of the configuration, and lines for firewall4's chains
/// `dstnat`, `forward`, `input` and `srcnat`.
#[derive(Default)]
struct Firewall<'a> {
    forwarded: Option<(u16, u16)>,
    config: &'a str,
    dstnat: &'a str,
    forward: &'a str,
    input: &'a str,
    srcnat: &'a str,
}

impl Firewall<'_> {
    fn load<'a>(&self, bench: &'a mut Bench) -> Result<&'a mut Lab> {
        bench.leave();
        let lab = bench.lab(V6PLUS)?;
        let dnat = |(outside, inside)| nat::dnat(outside, lan_host(1), inside);
        let dstnat = self.forwarded.map_or_else(String::new, dnat) + self.dstnat;
        lab.net.ce.nft(&nat::firewall4(&dstnat, self.forward))?;
        for (chain, rules) in [("input", self.input), ("srcnat", self.srcnat)] {
            if !rules.is_empty() {
                lab.net
                    .ce
                    .nft(&format!("insert rule inet fw4 {chain} {rules}\n"))?;
            }
        }
        let outside: Vec<u16> = self.forwarded.iter().map(|(outside, _)| *outside).collect();
        let router = lab.router()?;
        router.firewall(&outside, self.config)?;
        router.mape(&lab.net.ce, &["firewall"])?;
        lab.forgive()?;
        Ok(lab)
    }
}

/// A port of the set, far from the others that a scenario takes.
fn port(range: usize) -> u16 {
    V6PLUS.ranges().get(range).map_or(0, |(first, _)| *first)
}

/// Nothing was refused, and the lab is not for others.
fn done(bench: &mut Bench, said: String) -> Result<String> {
    let refused = bench.lab(V6PLUS)?.refused()?;
    bench.leave();
    expect(refused.total() == 0, || format!("the BR refused {refused}"))?;
    Ok(said)
}

/// The address and port that a server sees of a host's datagrams.
fn seen(host: &Netns, server: Ipv4Addr) -> Result<SocketAddrV4> {
    let socket = [host.within(udp::socket)?];
    udp::send(&socket[0], b"who am I?", SocketAddrV4::new(server, WHOAMI))?;
    let answers = udp::collect(&socket, 1, PATIENCE);
    let answer = answers.values().next().ok_or("no answer")?;
    let text = std::str::from_utf8(answer).map_err(|e| e.to_string())?;
    text.parse().map_err(|_| format!("{text} is no address"))
}

fn expect_ours(lab: &Lab, seen: SocketAddrV4) -> Result<()> {
    let is_ours = *seen.ip() == lab.line.ipv4() && lab.line.owns(seen.port());
    expect(is_ours, || format!("{seen} is not ours"))
}

/// A second IPv4 line with an address of its own, as PPPoE gives: first as the
/// worse one, then as the better one, with a mark and a table that send one
/// host by ours, as mwan3 and pbr do.
pub fn second_line(bench: &mut Bench) -> Result<String> {
    let open = port(3);
    let firewall = Firewall {
        forwarded: Some((open, INSIDE)),
        forward: "iifname \"br-lan\" oifname \"pppoe-wan\" accept",
        srcnat: "oifname \"pppoe-wan\" masquerade",
        ..Firewall::default()
    };
    let lab = firewall.load(bench)?;
    let theirs = Ipv4Addr::new(203, 0, 113, 2);
    lab.net
        .srv
        .ip("link add name isp type veth peer name pppoe-wan netns ce
             link set dev isp up
             addr add 203.0.113.1/24 dev isp")?;
    lab.net.ce.ip(&format!(
        "link set dev pppoe-wan up
         addr add {theirs}/24 dev pppoe-wan
         route add default via 203.0.113.1 dev pppoe-wan metric 30"
    ))?;
    for host in &lab.net.lan {
        expect_ours(lab, seen(host, server(0))?)?;
    }
    // As netifd sets `option metric '20'` of both.
    lab.net.ce.ip(&format!(
        "route del default dev {TUNNEL}
         route add default dev {TUNNEL} metric 40
         route add default dev {TUNNEL} table 100"
    ))?;
    lab.net.ce.run(&[
        "ip",
        "rule",
        "add",
        "fwmark",
        "0x100/0xff00",
        "lookup",
        "100",
    ])?;
    lab.net.ce.nft(&format!(
        "table inet mwan {{
            chain prerouting {{
                type filter hook prerouting priority mangle; policy accept;
                iifname \"{TUNNEL}\" ct state new ct mark set 0x100
                iifname \"br-lan\" ct state new ip saddr {} ct mark set 0x100
                iifname \"br-lan\" meta mark set ct mark
            }}
        }}",
        lan_host(1)
    ))?;
    let other = seen(lab.host(0), server(0))?;
    expect(*other.ip() == theirs, || format!("unmarked: {other}"))?;
    for index in 0..3 {
        expect_ours(lab, seen(lab.host(1), server(index))?)?;
    }
    lab.host(1).within(|| tcp::download(server(0), 1 << 20))?;
    inbound::forwarded(&lab.net, lab.line.ipv4(), open)?;
    done(
        bench,
        format!("{other} by the other line; {open} answers by ours"),
    )
}

/// Containers on a bridge, with tables of their own that masquerade at the
/// usual place and publish a port.
pub fn containers(bench: &mut Bench) -> Result<String> {
    let published = port(5);
    let opened = format!(
        "config rule\n\toption src wan\n\toption proto tcp\n\toption dest_port {published}\n\
         \toption target ACCEPT\n"
    );
    let firewall = Firewall {
        config: &opened,
        forward: "iifname \"docker0\" accept\n\t\toifname \"docker0\" ct status dnat accept",
        ..Firewall::default()
    };
    let lab = firewall.load(bench)?;
    let container = Netns::create("container")?;
    lab.net.ce.ip("link add name docker0 type bridge
         link set dev docker0 up
         addr add 172.17.0.1/16 dev docker0
         link add name veth1 type veth peer name eth0 netns container
         link set dev veth1 master docker0
         link set dev veth1 up")?;
    container.ip("link set dev eth0 up
         addr add 172.17.0.2/16 dev eth0
         route add default via 172.17.0.1")?;
    lab.net.ce.nft(&format!(
        "table ip docker {{
            chain POSTROUTING {{
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr 172.17.0.0/16 oifname != \"docker0\" masquerade
            }}
            chain PREROUTING {{
                type nat hook prerouting priority dstnat; policy accept;
                fib daddr type local iifname != \"docker0\" tcp dport {published} dnat to 172.17.0.2:80
            }}
        }}"
    ))?;
    // From one socket to all servers: one port outside.
    let socket = [container.within(udp::socket)?];
    for index in 0..5 {
        udp::send(
            &socket[0],
            b"who am I?",
            SocketAddrV4::new(server(index), WHOAMI),
        )?;
    }
    let answers = udp::collect(&socket, 5, PATIENCE);
    let mut ports: Vec<_> = answers
        .values()
        .filter_map(|it| udp::seen_port(it))
        .collect();
    ports.dedup();
    let one_of_ours = answers.len() == 5 && matches!(ports[..], [port] if lab.line.owns(port));
    expect(one_of_ours, || {
        format!("{} answers, {ports:?}", answers.len())
    })?;
    container.within(|| tcp::download(server(0), 1 << 20))?;
    lab.host(0).within(|| tcp::download(server(0), 1 << 20))?;
    // The published port, from outside.
    let to = SocketAddrV4::new(lab.line.ipv4(), published);
    let listener = container
        .within(|| std::net::TcpListener::bind("0.0.0.0:80").map_err(|e| e.to_string()))?;
    let _stream = lab.net.srv.within(|| tcp::open(to, PATIENCE))?;
    let (_, from) = listener.accept().map_err(|e| e.to_string())?;
    done(
        bench,
        format!("{published} of the container reached from {from}"),
    )
}

/// WireGuard on the router and on a host behind it, each on a port of the set.
pub fn wireguard(bench: &mut Bench) -> Result<String> {
    let (here, behind) = (port(7), port(8));
    let firewall = Firewall {
        forwarded: Some((behind, 51820)),
        config: &format!(
            "config rule\n\toption src wan\n\toption proto udp\n\toption dest_port {here}\n\
             \toption target ACCEPT\n"
        ),
        input: &format!("udp dport {here} accept"),
        ..Firewall::default()
    };
    let lab = firewall.load(bench)?;
    lab.net
        .ce
        .nft("insert rule inet fw4 input iifname \"wg0\" accept\n")?;
    let mut reached = Vec::new();
    for (server_end, listen, outside, network) in [
        (&lab.net.ce, here, here, 1),
        (lab.host(1), 51820, behind, 2),
    ] {
        let device = format!("wg{}", network - 1);
        let to = SocketAddrV4::new(lab.line.ipv4(), outside);
        vpn(server_end, &lab.net.srv, &device, listen, to, network)?;
        let ping = format!("10.9.{network}.1");
        lab.net.srv.run(&["ping", "-c", "3", "-W", "3", &ping])?;
        // It would follow a peer that answers from elsewhere.
        let peer = lab.net.srv.run(&["wg", "show", &device, "endpoints"])?;
        expect(peer.trim().ends_with(&to.to_string()), || peer.clone())?;
        reached.push(to.to_string());
    }
    done(bench, reached.join(", "))
}

/// A WireGuard tunnel from `client` to the other one, which `to` leads to.
fn vpn(
    server_end: &Netns,
    client: &Netns,
    device: &str,
    listen: u16,
    to: SocketAddrV4,
    network: u8,
) -> Result<()> {
    let mut public = Vec::new();
    for (netns, end) in [(server_end, 1), (client, 2)] {
        let secret = netns.run(&["wg", "genkey"])?;
        let key = format!("/run/{device}-{end}");
        std::fs::write(&key, &secret).map_err(|e| format!("{key}: {e}"))?;
        public.push(shell::feed(netns.command("wg").arg("pubkey"), &secret)?);
        netns.ip(&format!(
            "link add name {device} type wireguard
             addr add 10.9.{network}.{end}/24 dev {device}"
        ))?;
        let port = if end == 1 {
            listen
        } else {
            51830 + u16::from(network)
        };
        netns.run(&[
            "wg",
            "set",
            device,
            "listen-port",
            &port.to_string(),
            "private-key",
            &key,
        ])?;
        netns.ip(&format!("link set dev {device} up\n"))?;
    }
    let [here, there] = &public[..] else {
        return Err("no keys".to_owned());
    };
    let all = format!("10.9.{network}.0/24");
    let (here, there, to) = (here.trim(), there.trim(), to.to_string());
    server_end.run(&["wg", "set", device, "peer", there, "allowed-ips", &all])?;
    let peer = [
        "wg",
        "set",
        device,
        "peer",
        here,
        "allowed-ips",
        &all,
        "endpoint",
        &to,
    ];
    client.run(&peer).map(drop)
}

/// A host in the LAN calls another by the address outside and a forwarded port,
/// with firewall4's rules for that (`reflection`), while others go out.
pub fn hairpin(bench: &mut Bench) -> Result<String> {
    let open = port(4);
    let (outside, host) = (V6PLUS.ipv4(), lan_host(1));
    let firewall = Firewall {
        forwarded: Some((open, INSIDE)),
        dstnat: &format!(
            "iifname \"br-lan\" ip saddr {LAN} ip daddr {outside} meta l4proto {{ tcp, udp }} th dport {open} dnat ip to {host}:{INSIDE}"
        ),
        srcnat: &format!(
            "ip saddr {LAN} ip daddr {host} meta l4proto {{ tcp, udp }} th dport {INSIDE} snat ip to {GATEWAY}"
        ),
        ..Firewall::default()
    };
    let lab = firewall.load(bench)?;
    inbound::forwarded(&lab.net, outside, open)?;
    inbound::called(&lab.net, lab.host(0), outside, open)?;
    expect_ours(lab, seen(lab.host(0), server(0))?)?;
    done(
        bench,
        format!("{outside}:{open} from the LAN and from outside"),
    )
}
