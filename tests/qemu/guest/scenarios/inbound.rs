// SPDX-License-Identifier: GPL-2.0-or-later
//! Packets that come uninvited, and those that a port forward invites.

use super::fill::fill;
use super::{Bench, expect, measure};
use crate::Result;
use crate::guest::lab::Lab;
use crate::guest::nat::{self, Technique};
use crate::guest::netns::Netns;
use crate::guest::oracle::V6PLUS;
use crate::guest::raw;
use crate::guest::server::WHOAMI;
use crate::guest::topology::{TUNNEL, Topology, lan_host, server};
use crate::guest::{tcp, udp};
use nix::libc;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(4);
/// Where hosts in the LAN wait for what is forwarded.
pub(super) const INSIDE: u16 = 8080;
const NOBODY: u16 = 8081;

/// 1,000 packets to every kind of port: how many got past the CE's own rules,
/// to the router's stack or to the LAN. Without those rules nearly all do,
/// which the comparison shows.
pub fn unsolicited(bench: &mut Bench) -> Result<String> {
    let mut last = 0;
    for technique in [Technique::Stock, Technique::Pool] {
        let lab = bench.lab(V6PLUS)?;
        lab.nat(technique)?;
        lab.net.ce.nft(&probe())?;
        let target = lab.line.ipv4();
        let own = lab.line.ports();
        lab.net.br.within(|| {
            let sender = raw::Sender::open()?;
            for number in 0..1000_usize {
                let port = match number % 4 {
                    // Ports of the set, in turn.
                    0 | 1 => own.get(number % own.len()).copied().unwrap_or(1),
                    // Just behind a range, where a pool likes to be.
                    2 => own.get(15).copied().unwrap_or(1) + (number % 500) as u16,
                    _ => (number * 61 % 65_535) as u16,
                };
                let packet = match number % 5 {
                    0 | 1 => raw::tcp_syn(server(0), target, port),
                    2 | 3 => raw::udp(server(1), target, port),
                    _ => raw::echo_request(server(2), target, port),
                };
                sender.send(&packet, target)?;
            }
            Ok(())
        })?;
        std::thread::sleep(Duration::from_millis(300));
        last = reached(lab)?;
        if technique == Technique::Stock {
            expect(last > 500, || {
                format!("the probe saw only {last} packets where nothing stops them")
            })?;
            bench.figure(technique, "unsolicited_in", last as f64);
        }
    }
    measure(bench, Technique::Pool, "unsolicited_in", last as f64)
}

/// Counts what comes out of the tunnel, before firewall4 has its say.
fn probe() -> String {
    format!(
        "table inet probe {{
            counter reached {{ }}
            chain input {{
                type filter hook input priority -1; policy accept;
                iifname \"{TUNNEL}\" counter name reached
            }}
            chain forward {{
                type filter hook forward priority -1; policy accept;
                iifname \"{TUNNEL}\" counter name reached
            }}
        }}"
    )
}

fn reached(lab: &Lab) -> Result<u64> {
    let text = lab
        .net
        .ce
        .run(&["nft", "list", "counter", "inet", "probe", "reached"])?;
    text.split_whitespace()
        .skip_while(|word| *word != "packets")
        .nth(1)
        .and_then(|count| count.parse().ok())
        .ok_or_else(|| format!("no count in {text}"))
}

/// Three forwarded ports of the set, while the rest of it is in use: TCP and
/// UDP are answered, a closed port is refused.
pub fn forward(bench: &mut Bench) -> Result<String> {
    let lab = bench.lab(V6PLUS)?;
    let own = lab.line.ports();
    let reserved: Vec<u16> = own.iter().copied().skip(20).take(2).collect();
    let [open, closed] = reserved[..] else {
        return Err("the port set is too small".to_owned());
    };
    let inside = lan_host(1);
    let dnat = nat::dnat(open, inside, INSIDE) + &nat::dnat(closed, inside, NOBODY);
    lab.rules(Technique::Pool, &reserved, &dnat, "")?;
    let attempts = fill(lab, own.len() - reserved.len(), WHOAMI)?;
    let connected = attempts.iter().filter(|attempt| attempt.open()).count();
    let outcome =
        forwarded(&lab.net, lab.line.ipv4(), open).and_then(|()| forwarded_refusal(lab, closed));
    let refused = lab.refused()?;
    drop(attempts);
    lab.settle()?;
    // The kernel's bounded search may leave the very last ports unused.
    let full = connected + reserved.len() + 2 >= own.len();
    let works = full && outcome.is_ok() && refused.total() == 0;
    measure(
        bench,
        Technique::Pool,
        "forward",
        f64::from(u8::from(works)),
    )
    .map(|_| format!("with {connected} connections open"))
    .map_err(|short| format!("{short}: {connected} open, {outcome:?}, the BR refused {refused}"))
}

/// TCP and UDP from a server to a port are answered by the second host in the
/// LAN.
pub(super) fn forwarded(net: &Topology, address: Ipv4Addr, port: u16) -> Result<()> {
    called(net, &net.srv, address, port)
}

/// The same from `caller`.
pub(super) fn called(net: &Topology, caller: &Netns, address: Ipv4Addr, port: u16) -> Result<()> {
    let failed = |e: std::io::Error| format!("forwarded port {port}: {e}");
    let to = SocketAddrV4::new(address, port);
    let any = (Ipv4Addr::UNSPECIFIED, INSIDE);
    let listener = net
        .host(1)
        .within(|| TcpListener::bind(any).map_err(failed))?;
    let service = std::thread::spawn(move || -> std::io::Result<()> {
        let (mut stream, _) = listener.accept()?;
        let mut request = [0; 5];
        stream.read_exact(&mut request)?;
        stream.write_all(b"from the LAN\n")
    });
    let mut stream = caller.within(|| tcp::open(to, PATIENCE))?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    stream.write_all(b"hello").map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    expect(answer == "from the LAN\n", || {
        format!("TCP answered {answer:?}")
    })?;
    let _ = service.join();

    let inner = net
        .host(1)
        .within(|| UdpSocket::bind(any).map_err(failed))?;
    inner.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let outer = [caller.within(udp::socket)?];
    udp::send(&outer[0], b"hello", to)?;
    let (_, peer) = inner.recv_from(&mut [0; 64]).map_err(failed)?;
    inner.send_to(b"and back", peer).map_err(failed)?;
    let answers = udp::collect(&outer, 1, PATIENCE);
    expect(answers.contains_key(&(0, address)), || {
        "UDP got no answer from the forwarded port".to_owned()
    })
}

/// The error about a forwarded packet names the port it was sent to.
fn forwarded_refusal(lab: &Lab, port: u16) -> Result<()> {
    let failed = |e: std::io::Error| e.to_string();
    let socket = lab.net.srv.within(udp::socket)?;
    socket.set_nonblocking(false).map_err(failed)?;
    socket.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    socket.connect((lab.line.ipv4(), port)).map_err(failed)?;
    socket.send(b"anybody?").map_err(failed)?;
    let error = socket
        .recv(&mut [0; 64])
        .err()
        .and_then(|e| e.raw_os_error());
    expect(error == Some(libc::ECONNREFUSED), || {
        format!("a closed port behind a forward answered {error:?}")
    })
}
