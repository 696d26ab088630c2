// SPDX-License-Identifier: GPL-2.0-or-later
//! The tunnel device itself, as far as translation has a say in it.

use std::io;

use nix::errno::Errno;
use nix::net::if_::{Interface, if_nameindex};
use nix::sys::socket::SockProtocol;

use super::netlink::{ACK, DUMP, Netfilter, REQUEST, array};

/// `RTM_NEWLINK`, which also changes a link that is there.
const NEW_LINK: u16 = 16;

/// `RTM_DELLINK`.
const DELETE_LINK: u16 = 17;

/// `RTM_GETQDISC`.
const GET_QDISC: u16 = 38;

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

/// The index of a device, from the list of all. Asked by a name that no device
/// has, the kernel looks for a module of that name, and calls modprobe twice: on
/// OpenWrt that takes almost as long as nft takes for all rules of a v6plus line.
///
/// # Errors
/// There is no such device, or the kernel does not say.
pub fn index_of(device: &str) -> io::Result<u32> {
    let devices = if_nameindex()?;
    let found = devices
        .iter()
        .find(|known| known.name().to_bytes() == device.as_bytes());
    Ok(found.map(Interface::index).ok_or(Errno::ENODEV)?)
}

/// Whether traffic control sees what `device` receives, by an ingress or clsact
/// qdisc. A filter there may redirect packets to another device, as SQM does to
/// an IFB, and packets that come back from it skip the ingress hooks of
/// `netdev` tables.
pub fn has_ingress_qdisc(device: &str) -> bool {
    ingress_qdisc(device).unwrap_or(false)
}

fn ingress_qdisc(device: &str) -> io::Result<bool> {
    /// `TC_H_INGRESS`, the parent of either kind.
    const INGRESS: [u8; 4] = 0xffff_fff1_u32.to_ne_bytes();
    let index = index_of(device)?;
    let routing = Netfilter::speaking(SockProtocol::NetlinkRoute)?;
    // `struct tcmsg`: handle, parent, info. The kernel answers for all devices.
    routing.send(&message(GET_QDISC, DUMP, index, &[0, 0, 0]))?;
    let mut found = false;
    routing.dumped(&mut |answer| {
        let of_device = array(answer, 0) == Some(index.to_ne_bytes());
        found |= of_device && array(answer, 8) == Some(INGRESS);
    })?;
    Ok(found)
}

fn change(device: &str, kind: u16) -> io::Result<()> {
    const UP: u32 = 1;
    // `struct ifinfomsg`: flags, and which of them to change: `IFF_UP` is cleared.
    let request = message(kind, ACK, index_of(device)?, &[0, UP]);
    let routing = Netfilter::speaking(SockProtocol::NetlinkRoute)?;
    routing.send(&request)?;
    routing.acknowledged(1)
}

/// `struct nlmsghdr` and a structure of four bytes (family, padding, type), the
/// index of a device, and `words`.
fn message(kind: u16, flags: u16, index: u32, words: &[u32]) -> Vec<u8> {
    let len = 24 + 4 * words.len() as u32;
    let mut message = Vec::with_capacity(len as usize);
    message.extend_from_slice(&len.to_ne_bytes());
    message.extend_from_slice(&kind.to_ne_bytes());
    message.extend_from_slice(&(REQUEST | flags).to_ne_bytes());
    // Sequence number, port, family, padding and type.
    message.extend_from_slice(&[0; 12]);
    message.extend_from_slice(&index.to_ne_bytes());
    for word in words {
        message.extend_from_slice(&word.to_ne_bytes());
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_found_by_their_whole_name() {
        assert_eq!(index_of("lo").unwrap(), 1);
        for name in ["l", "lo0", ""] {
            let error = index_of(name).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(Errno::ENODEV as i32), "{name}");
        }
    }
}
