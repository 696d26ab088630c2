// SPDX-License-Identifier: GPL-2.0-or-later
//! What goes wrong on the way, and packets that are not quite ordinary.

use super::{Bench, expect, measure};
use crate::Result;
use crate::guest::nat::Technique;
use crate::guest::netns::Netns;
use crate::guest::oracle::V6PLUS;
use crate::guest::server::{NO_CHECKSUM, REFUSED, STREAM};
use crate::guest::tcp::{self, Attempt};
use crate::guest::topology::{NARROW, NARROW_MTU, Topology, server};
use crate::guest::{sys, udp};
use nix::libc;
use nix::sys::socket::{getsockopt, sockopt};
use std::net::{SocketAddrV4, UdpSocket};
use std::time::Duration;

/// Hops from a LAN host to the BR: the packet dies there.
const TTL_OF_THE_BR: i32 = 2;

/// Refused, too big and time exceeded, each for TCP and UDP.
pub fn icmp_errors(bench: &mut Bench) -> Result<String> {
    let lab = bench.lab(V6PLUS)?;
    lab.nat(Technique::Pool)?;
    let misunderstood = misunderstood(&lab.net);
    let understood = 3 - misunderstood.len();
    measure(bench, Technique::Pool, "icmp_errors", understood as f64)
        .map_err(|short| format!("{short}; {}", misunderstood.join("; ")))
}

/// Which of the three errors a LAN host does not understand, and why.
pub(super) fn misunderstood(net: &Topology) -> Vec<String> {
    [
        ("refused", refused(net)),
        ("too big", path_mtu(net)),
        ("time exceeded", time_exceeded(net)),
    ]
    .into_iter()
    .filter_map(|(name, result)| Some(format!("{name}: {}", result.err()?)))
    .collect()
}

/// 10 datagrams without a checksum, from 10 sockets.
pub fn no_checksum(bench: &mut Bench) -> Result<String> {
    let answered = echo(bench, NO_CHECKSUM, 100, |socket| {
        sys::set_option(socket, libc::SOL_SOCKET, libc::SO_NO_CHECK, 1)
    })?;
    measure(bench, Technique::Pool, "udp_no_checksum", answered)
}

/// 10 datagrams of 4,000 bytes.
pub fn fragments(bench: &mut Bench) -> Result<String> {
    let answered = echo(bench, STREAM, 4000, |_| Ok(()))?;
    measure(bench, Technique::Pool, "fragments", answered)
}

fn echo(
    bench: &mut Bench,
    port: u16,
    size: usize,
    prepare: fn(&UdpSocket) -> Result<()>,
) -> Result<f64> {
    let lab = bench.lab(V6PLUS)?;
    lab.nat(Technique::Pool)?;
    let data: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
    let mut sockets = Vec::new();
    for index in 0..10 {
        let socket = lab.host(index).within(udp::socket)?;
        prepare(&socket)?;
        udp::send(&socket, &data, SocketAddrV4::new(server(index), port))?;
        sockets.push(socket);
    }
    let answers = udp::collect(&sockets, 10, Duration::from_secs(3));
    let whole = answers.values().filter(|answer| **answer == data).count();
    let refused = lab.refused()?;
    expect(refused.total() == 0, || format!("the BR refused {refused}"))?;
    Ok(whole as f64)
}

/// The error of a TCP connection that cannot be made.
fn tcp_error(
    host: &Netns,
    to: SocketAddrV4,
    prepare: fn(&std::net::TcpStream) -> Result<()>,
) -> Result<Option<i32>> {
    let mut attempt = [host.within(|| Attempt::start_with(None, to, prepare))?];
    tcp::wait(&mut attempt, Duration::from_millis(2500));
    Ok(attempt[0].failed())
}

/// The error that a connected UDP socket gets for a datagram.
fn udp_error(socket: &UdpSocket, size: usize, to: SocketAddrV4) -> Result<Option<i32>> {
    let failed = |e: std::io::Error| e.to_string();
    socket.connect(to).map_err(failed)?;
    socket.set_nonblocking(false).map_err(failed)?;
    socket
        .set_read_timeout(Some(Duration::from_secs(2)))
        .map_err(failed)?;
    socket.send(&vec![0; size]).map_err(failed)?;
    Ok(socket
        .recv(&mut [0; 2048])
        .err()
        .and_then(|e| e.raw_os_error()))
}

fn must(what: &str, got: Option<i32>, wanted: i32) -> Result<()> {
    expect(got == Some(wanted), || {
        let got = got.map_or("nothing".to_owned(), |errno| {
            nix::errno::Errno::from_raw(errno).to_string()
        });
        format!("{what} saw {got}")
    })
}

fn refused(net: &Topology) -> Result<()> {
    let to = SocketAddrV4::new(server(1), REFUSED);
    must(
        "TCP",
        tcp_error(net.host(0), to, |_| Ok(()))?,
        libc::ECONNREFUSED,
    )?;
    let socket = net.host(1).within(udp::socket)?;
    must("UDP", udp_error(&socket, 10, to)?, libc::ECONNREFUSED)
}

fn time_exceeded(net: &Topology) -> Result<()> {
    let to = SocketAddrV4::new(server(1), STREAM);
    let seen = tcp_error(net.host(0), to, |stream| {
        sys::set_option(stream, libc::IPPROTO_IP, libc::IP_RECVERR, 1)?;
        sys::set_option(stream, libc::IPPROTO_IP, libc::IP_TTL, TTL_OF_THE_BR)
    })?;
    must("TCP", seen, libc::EHOSTUNREACH)?;
    let socket = net.host(1).within(udp::socket)?;
    sys::set_option(&socket, libc::IPPROTO_IP, libc::IP_RECVERR, 1)?;
    sys::set_option(&socket, libc::IPPROTO_IP, libc::IP_TTL, TTL_OF_THE_BR)?;
    must("UDP", udp_error(&socket, 10, to)?, libc::EHOSTUNREACH)
}

/// A path narrower than the tunnel is noticed by UDP and TCP.
pub(super) fn path_mtu(net: &Topology) -> Result<()> {
    for host in &net.lan {
        host.run(&["ip", "route", "flush", "cache"])?;
    }
    let socket = net.host(1).within(udp::socket)?;
    sys::set_option(
        &socket,
        libc::IPPROTO_IP,
        libc::IP_MTU_DISCOVER,
        libc::IP_PMTUDISC_DO,
    )?;
    let to = SocketAddrV4::new(server(NARROW), STREAM);
    must("UDP", udp_error(&socket, 1400, to)?, libc::EMSGSIZE)?;
    let learned = getsockopt(&socket, sockopt::IpMtu).map_err(|e| e.to_string())?;
    expect(learned == i32::from(NARROW_MTU), || {
        format!("UDP learned an MTU of {learned}")
    })?;
    let learned = net
        .host(2)
        .within(|| tcp::upload(server(NARROW), 200_000))?;
    expect(learned == u32::from(NARROW_MTU), || {
        format!("TCP learned an MTU of {learned}")
    })
}
