// SPDX-License-Identifier: GPL-2.0-or-later
//! The tunnel device itself, as far as translation has a say in it.

use std::io;

use nix::net::if_::if_nametoindex;
use nix::sys::socket::SockProtocol;

use super::netlink::{ACK, Netfilter, REQUEST};

/// `RTM_NEWLINK`, which also changes a link that is there.
const NEW_LINK: u16 = 16;

/// `RTM_DELLINK`.
const DELETE_LINK: u16 = 17;

/// Takes a device down, so that nothing leaves by it any more. netifd deletes
/// it only after the handler has ended, and routes still lead there when the
/// rules go: without this a packet could leave with the port it has inside.
///
/// # Errors
/// There is no such device, or the kernel does not let us.
pub fn close(device: &str) -> io::Result<()> {
    change(device, NEW_LINK)
}

/// Deletes a device that nobody manages any more.
///
/// # Errors
/// There is no such device, or the kernel does not let us.
pub fn delete_device(device: &str) -> io::Result<()> {
    change(device, DELETE_LINK)
}

fn change(device: &str, kind: u16) -> io::Result<()> {
    let index = if_nametoindex(device)?;
    let routing = Netfilter::speaking(SockProtocol::NetlinkRoute)?;
    routing.send(&message(kind, index))?;
    routing.acknowledged(1)
}

/// `struct nlmsghdr` and `struct ifinfomsg` with `IFF_UP` cleared.
fn message(kind: u16, index: u32) -> Vec<u8> {
    const UP: u32 = 1;
    let mut message = Vec::with_capacity(32);
    message.extend_from_slice(&32u32.to_ne_bytes());
    message.extend_from_slice(&kind.to_ne_bytes());
    message.extend_from_slice(&(REQUEST | ACK).to_ne_bytes());
    // Sequence number, port, family, padding and type.
    message.extend_from_slice(&[0; 12]);
    message.extend_from_slice(&index.to_ne_bytes());
    // Flags and which of them to change.
    message.extend_from_slice(&0u32.to_ne_bytes());
    message.extend_from_slice(&UP.to_ne_bytes());
    message
}
