// SPDX-License-Identifier: GPL-2.0-or-later
//! Packets made by hand, as nobody's socket would send them.

use crate::Result;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, SockaddrIn6, sendto,
    socket,
};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, OwnedFd};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const TTL: u8 = 60;
const SOURCE_PORT: u16 = 53;

/// A raw socket of the namespace it is opened in.
pub struct Sender(OwnedFd);

impl Sender {
    /// Opens the socket.
    pub fn open() -> Result<Self> {
        socket(
            AddressFamily::Inet,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::Raw,
        )
        .map(Self)
        .map_err(|e| format!("raw socket: {e}"))
    }

    /// Sends a whole IPv4 packet.
    pub fn send(&self, packet: &[u8], to: Ipv4Addr) -> Result<()> {
        let to = SockaddrIn::from(SocketAddrV4::new(to, 0));
        sendto(self.0.as_raw_fd(), packet, &to, MsgFlags::empty())
            .map(drop)
            .map_err(|e| format!("raw packet: {e}"))
    }
}

/// A SYN to `port`.
pub fn tcp_syn(from: Ipv4Addr, to: Ipv4Addr, port: u16) -> Vec<u8> {
    tcp_syn_from(
        SocketAddrV4::new(from, SOURCE_PORT),
        SocketAddrV4::new(to, port),
    )
}

/// A SYN from any port.
pub fn tcp_syn_from(from: SocketAddrV4, to: SocketAddrV4) -> Vec<u8> {
    let mut segment = Vec::new();
    segment.extend_from_slice(&from.port().to_be_bytes());
    segment.extend_from_slice(&to.port().to_be_bytes());
    segment.extend_from_slice(&[0, 0, 1, 0, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0]);
    with_checksum(*from.ip(), *to.ip(), TCP, segment, 16)
}

/// A datagram to `port`.
pub fn udp(from: Ipv4Addr, to: Ipv4Addr, port: u16) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend_from_slice(&SOURCE_PORT.to_be_bytes());
    datagram.extend_from_slice(&port.to_be_bytes());
    datagram.extend_from_slice(&[0, 12, 0, 0]);
    datagram.extend_from_slice(b"knok");
    with_checksum(from, to, UDP, datagram, 6)
}

/// An echo request with `identifier`.
pub fn echo_request(from: Ipv4Addr, to: Ipv4Addr, identifier: u16) -> Vec<u8> {
    let mut message = vec![8, 0, 0, 0];
    message.extend_from_slice(&identifier.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    let sum = checksum(&message);
    message.splice(2..4, sum.to_be_bytes());
    ip(from, to, ICMP, &message)
}

fn with_checksum(
    from: Ipv4Addr,
    to: Ipv4Addr,
    protocol: u8,
    mut payload: Vec<u8>,
    at: usize,
) -> Vec<u8> {
    let mut pseudo = Vec::new();
    pseudo.extend_from_slice(&from.octets());
    pseudo.extend_from_slice(&to.octets());
    pseudo.extend_from_slice(&[0, protocol]);
    pseudo.extend_from_slice(&(payload.len() as u16).to_be_bytes());
    pseudo.extend_from_slice(&payload);
    let sum = checksum(&pseudo);
    payload.splice(at..at + 2, sum.to_be_bytes());
    ip(from, to, protocol, &payload)
}

fn ip(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend_from_slice(&(20 + payload.len() as u16).to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 0, TTL, protocol, 0, 0]);
    packet.extend_from_slice(&from.octets());
    packet.extend_from_slice(&to.octets());
    let sum = checksum(&packet);
    packet.splice(10..12, sum.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

/// The Internet checksum (RFC 1071).
fn checksum(data: &[u8]) -> u16 {
    let mut sum: u32 = data
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => u32::from(u16::from_be_bytes([high, low])),
            [high] => u32::from(high) << 8,
            _ => 0,
        })
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// A raw IPv6 socket of the namespace it is opened in.
pub struct Sender6(OwnedFd);

impl Sender6 {
    /// Opens the socket.
    pub fn open() -> Result<Self> {
        socket(
            AddressFamily::Inet6,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::Raw,
        )
        .map(Self)
        .map_err(|e| format!("raw socket: {e}"))
    }

    /// Sends a whole IPv6 packet, whatever its source.
    pub fn send(&self, packet: &[u8], to: Ipv6Addr) -> Result<()> {
        let to = SockaddrIn6::from(SocketAddrV6::new(to, 0, 0, 0));
        sendto(self.0.as_raw_fd(), packet, &to, MsgFlags::empty())
            .map(drop)
            .map_err(|e| format!("raw packet: {e}"))
    }
}

/// A packet of a protocol that has no ports.
pub fn portless(from: Ipv4Addr, to: Ipv4Addr, protocol: u8) -> Vec<u8> {
    ip(from, to, protocol, &[0; 16])
}

/// An ICMP message of that type and code about `quoted`.
pub fn icmp(from: Ipv4Addr, to: Ipv4Addr, kind: [u8; 2], quoted: &[u8]) -> Vec<u8> {
    let mut message = vec![kind[0], kind[1], 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(quoted);
    let sum = checksum(&message);
    message.splice(2..4, sum.to_be_bytes());
    ip(from, to, ICMP, &message)
}

/// The part of a datagram that an ICMP error quotes.
pub fn quoted(from: (Ipv4Addr, u16), to: (Ipv4Addr, u16)) -> Vec<u8> {
    let mut packet = udp(from.0, to.0, to.1);
    packet.splice(20..22, from.1.to_be_bytes());
    packet.truncate(28);
    packet
}

/// Part of what `packet` carries, from `at` (a multiple of 8) on.
pub fn fragment(packet: &[u8], id: u16, at: usize, len: usize) -> Vec<u8> {
    let payload = packet.get(20..).unwrap_or_default();
    let end = (at + len).min(payload.len());
    let mut part = packet.get(..20).unwrap_or_default().to_vec();
    let more = if end < payload.len() { 0x2000 } else { 0 };
    part.splice(2..4, (20 + (end - at) as u16).to_be_bytes());
    part.splice(4..6, id.to_be_bytes());
    part.splice(6..8, (more | (at / 8) as u16).to_be_bytes());
    part.splice(10..12, [0, 0]);
    let sum = checksum(&part);
    part.splice(10..12, sum.to_be_bytes());
    part.extend_from_slice(payload.get(at..end).unwrap_or_default());
    part
}

/// `packet` in IPv6.
pub fn encapsulated(from: Ipv6Addr, to: Ipv6Addr, packet: &[u8]) -> Vec<u8> {
    const IPV4: u8 = 4;
    ip6(from, to, IPV4, packet)
}

/// Part of an IPv6 packet's payload in a fragment of its own.
pub fn fragment6(packet: &[u8], id: u16, at: usize, len: usize) -> Vec<u8> {
    const FRAGMENT: u8 = 44;
    let (header, payload) = packet.split_at(40);
    let end = (at + len).min(payload.len());
    let more = u16::from(end < payload.len());
    let mut part = vec![header[6], 0];
    part.extend_from_slice(&(at as u16 | more).to_be_bytes());
    part.extend_from_slice(&[0, 0]);
    part.extend_from_slice(&id.to_be_bytes());
    part.extend_from_slice(payload.get(at..end).unwrap_or_default());
    let mut whole = header.to_vec();
    whole.splice(4..6, (part.len() as u16).to_be_bytes());
    whole[6] = FRAGMENT;
    whole.extend(part);
    whole
}

fn ip6(from: Ipv6Addr, to: Ipv6Addr, next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&(payload.len() as u16).to_be_bytes());
    packet.extend_from_slice(&[next, TTL]);
    packet.extend_from_slice(&from.octets());
    packet.extend_from_slice(&to.octets());
    packet.extend_from_slice(payload);
    packet
}
