// SPDX-License-Identifier: GPL-2.0-or-later
//! Asking an address whether it is there: a few ICMPv6 echo requests.

use std::io;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn6, bind, recvfrom, sendto,
    socket,
};

use super::facts::Reply;
use crate::reason::Tell;

const ECHO_REQUEST: u8 = 128;
const ECHO_REPLY: u8 = 129;

/// Requests that are sent before giving up.
const TRIES: u16 = 2;
/// How long each may take: less than a second, so that its milliseconds are
/// all there is to it.
const PATIENCE: Duration = Duration::from_millis(800);

/// Sends at most two echo requests to `address`, from `source` if this
/// router has it.
pub fn ping(address: Ipv6Addr, source: Option<Ipv6Addr>) -> Reply {
    match try_ping(address, source) {
        Ok(Some(after)) => Reply::Yes(after.subsec_millis()),
        Ok(None) => Reply::No,
        Err(error) => Reply::Error(error.reason()),
    }
}

/// A socket that every user may have if the system allows it
/// (`net.ipv4.ping_group_range`), or one that only root may have.
fn open() -> io::Result<OwnedFd> {
    let kind = |kind| {
        socket(
            AddressFamily::Inet6,
            kind,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::IcmpV6,
        )
    };
    Ok(kind(SockType::Datagram).or_else(|_| kind(SockType::Raw))?)
}

fn try_ping(address: Ipv6Addr, source: Option<Ipv6Addr>) -> io::Result<Option<Duration>> {
    let socket = open()?;
    if let Some(source) = source {
        // Without it the kernel chooses, which is good enough.
        let _ = bind(socket.as_raw_fd(), &place(source));
    }
    // The number lets us tell our replies from those to other programs.
    let id = std::process::id() as u16;
    for sequence in 1..=TRIES {
        let sent = Instant::now();
        let request = request(id, sequence);
        match sendto(
            socket.as_raw_fd(),
            &request,
            &place(address),
            MsgFlags::empty(),
        ) {
            Ok(_) => {}
            // An earlier request came back as an error.
            Err(errno) => return Err(errno.into()),
        }
        if let Some(after) = answer(&socket, address, sequence, sent)? {
            return Ok(Some(after));
        }
    }
    Ok(None)
}

fn place(address: Ipv6Addr) -> SockaddrIn6 {
    SockaddrIn6::from(SocketAddrV6::new(address, 0, 0, 0))
}

/// Type, code, checksum (the kernel's business), identifier, sequence.
fn request(id: u16, sequence: u16) -> [u8; 8] {
    let ([a, b], [c, d]) = (id.to_be_bytes(), sequence.to_be_bytes());
    [ECHO_REQUEST, 0, 0, 0, a, b, c, d]
}

fn is_reply(message: &[u8], sequence: u16) -> bool {
    // A datagram socket has an identifier of its own and sees only replies
    // to it; a raw one sees those of everybody, told apart by address.
    message.first() == Some(&ECHO_REPLY) && message.get(6..8) == Some(&sequence.to_be_bytes())
}

fn answer(
    socket: &OwnedFd,
    address: Ipv6Addr,
    sequence: u16,
    sent: Instant,
) -> io::Result<Option<Duration>> {
    let mut buffer = [0u8; 1500];
    loop {
        let Some(left) = PATIENCE.checked_sub(sent.elapsed()) else {
            return Ok(None);
        };
        let mut ready = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
        let left = left.subsec_millis() as u16;
        match poll(&mut ready, PollTimeout::from(left)) {
            Ok(0) => return Ok(None),
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
            Ok(_) => {}
        }
        let (len, from) = recvfrom::<SockaddrIn6>(socket.as_raw_fd(), &mut buffer)?;
        let message = buffer.get(..len).unwrap_or_default();
        if from.is_some_and(|from| from.ip() == address) && is_reply(message, sequence) {
            return Ok(Some(sent.elapsed()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ourselves() {
        // A raw socket sees the request too; only the reply counts.
        match ping(Ipv6Addr::LOCALHOST, None) {
            Reply::Yes(_) => {}
            Reply::Error(error) => assert!(error.to_string().contains("permi"), "{error}"),
            Reply::No => panic!("the loopback does not answer"),
        }
    }

    #[test]
    fn only_replies_to_that_request() {
        assert!(is_reply(&[129, 0, 0, 0, 9, 9, 0, 2], 2));
        assert!(!is_reply(&[128, 0, 0, 0, 9, 9, 0, 2], 2));
        assert!(!is_reply(&[129, 0, 0, 0, 9, 9, 0, 1], 2));
        assert!(!is_reply(&[129, 0, 0], 2));
    }
}
