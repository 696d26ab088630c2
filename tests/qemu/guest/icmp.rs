// SPDX-License-Identifier: GPL-2.0-or-later
//! Pings, as many as wanted at a time, with identifiers of our choice.

use crate::Result;
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, SockaddrIn, bind, socket};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;

/// A ping socket: the kernel fills in identifier and checksum.
pub fn pinger(identifier: u16) -> Result<UdpSocket> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let fd = socket(
        AddressFamily::Inet,
        SockType::Datagram,
        flags,
        SockProtocol::Icmp,
    )
    .map_err(|e| format!("ping socket: {e}"))?;
    let id = SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, identifier));
    bind(fd.as_raw_fd(), &id).map_err(|e| format!("ping identifier {identifier}: {e}"))?;
    Ok(UdpSocket::from(fd))
}

/// An echo request with `sequence` and some bytes to come back.
pub fn echo_request(sequence: u16) -> Vec<u8> {
    let mut packet = vec![8, 0, 0, 0, 0, 0];
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(b"it was a dark and stormy night; the packets fell in torrents");
    packet
}
