// SPDX-License-Identifier: GPL-2.0-or-later
//! UDP clients: a datagram out, an answer or none.

use crate::Result;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// A socket of the namespace it is opened in.
pub fn socket() -> Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).map_err(|e| format!("udp: {e}"))?;
    socket.set_nonblocking(true).map_err(|e| e.to_string())?;
    Ok(socket)
}

/// Sends `data` to `to`.
pub fn send(socket: &UdpSocket, data: &[u8], to: SocketAddrV4) -> Result<()> {
    socket
        .send_to(data, to)
        .map(drop)
        .map_err(|e| format!("send to {to}: {e}"))
}

/// Answers by socket index and by who sent them.
pub type Answers = BTreeMap<(usize, Ipv4Addr), Vec<u8>>;

/// Collects answers until there are `count`, at most `patience`.
pub fn collect(sockets: &[UdpSocket], count: usize, patience: Duration) -> Answers {
    let until = Instant::now() + patience;
    let mut answers = Answers::new();
    let mut buffer = [0; 8192];
    while answers.len() < count {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        let mut fds: Vec<PollFd> = sockets
            .iter()
            .map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN))
            .collect();
        if poll(
            &mut fds,
            PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX),
        )
        .is_err()
        {
            break;
        }
        let ready: Vec<usize> = fds
            .iter()
            .enumerate()
            .filter(|(_, fd)| fd.any().unwrap_or(false))
            .map(|(index, _)| index)
            .collect();
        for index in ready {
            let Some(socket) = sockets.get(index) else {
                continue;
            };
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                if let std::net::IpAddr::V4(from) = from.ip() {
                    let data = buffer.get(..length).unwrap_or_default().to_vec();
                    answers.insert((index, from), data);
                }
            }
        }
    }
    answers
}

/// The port that an answer of the `WHOAMI` server names.
pub fn seen_port(answer: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(answer).ok()?;
    text.parse::<SocketAddrV4>().ok().map(|peer| peer.port())
}
