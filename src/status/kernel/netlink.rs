// SPDX-License-Identifier: GPL-2.0-or-later
//! Questions to the kernel over netlink. Each has one request and as many
//! answers as the kernel has; nothing here changes anything.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};

const REQUEST: u16 = 0x1;
/// `NLM_F_DUMP`: everything there is.
pub(super) const DUMP: u16 = 0x300;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

/// How long the kernel may take for one more piece of an answer.
const PATIENCE_MS: u16 = 2000;

/// The kernel fills messages up to the size of the reader's buffer, at most
/// 32 KiB: fewer system calls for many connections.
const BUFFER: usize = 32 * 1024;

/// A question: the type of message, flags besides the usual one, and what
/// follows the header of netlink.
pub(super) struct Question {
    pub protocol: SockProtocol,
    pub kind: u16,
    pub flags: u16,
    pub body: Vec<u8>,
}

impl Question {
    /// One for netfilter: subsystem, message, address family.
    pub fn netfilter(subsystem: u16, message: u16, family: u8, attributes: &[u8]) -> Self {
        let mut body = vec![family, 0, 0, 0];
        body.extend_from_slice(attributes);
        Question {
            protocol: SockProtocol::NetlinkNetFilter,
            kind: subsystem << 8 | message,
            flags: DUMP,
            body,
        }
    }

    /// Asks, and gives the body of each answer (behind netlink's header) to
    /// `take`.
    ///
    /// # Errors
    /// What the kernel says, such as that only root may ask.
    pub fn ask(&self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            self.protocol,
        )?;
        let request = self.bytes();
        sendto(
            socket.as_raw_fd(),
            &request,
            &NetlinkAddr::new(0, 0),
            MsgFlags::empty(),
        )?;
        let mut buffer = vec![0u8; BUFFER];
        loop {
            let len = receive(&socket, &mut buffer)?;
            let mut rest = buffer.get(..len).unwrap_or_default();
            while let Some((kind, body, next)) = message(rest) {
                rest = next;
                match kind {
                    NLMSG_DONE => return Ok(()),
                    NLMSG_ERROR => return verdict(body),
                    _ => take(body),
                }
                if self.flags & DUMP == 0 {
                    return Ok(());
                }
            }
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let len = 16 + self.body.len() as u32;
        let mut bytes = len.to_ne_bytes().to_vec();
        bytes.extend_from_slice(&self.kind.to_ne_bytes());
        bytes.extend_from_slice(&(REQUEST | self.flags).to_ne_bytes());
        // Sequence number and port: there is one question a socket.
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    let mut ready = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
    loop {
        match poll(&mut ready, PollTimeout::from(PATIENCE_MS)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => break,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(recv(socket.as_raw_fd(), buffer, MsgFlags::empty())?)
}

/// An error, or an acknowledgement, which says 0.
fn verdict(body: &[u8]) -> io::Result<()> {
    match body.first_chunk().map(|code| i32::from_ne_bytes(*code)) {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// The first message of `bytes`: type, body, and what comes after it.
fn message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let len = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
    let kind = u16::from_ne_bytes(*bytes.get(4..)?.first_chunk()?);
    let body = bytes.get(16..len)?;
    let next = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
    Some((kind, body, next))
}

/// The attributes in `bytes` as type and value; what is damaged ends them.
pub(super) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let len = usize::from(u16::from_ne_bytes(*bytes.first_chunk()?));
        // The two highest bits say "nested" and "network byte order".
        let kind = u16::from_ne_bytes(*bytes.get(2..)?.first_chunk()?) & 0x3fff;
        let value = bytes.get(4..len)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The value of one attribute.
pub(super) fn attribute(bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut all = attributes(bytes);
    all.find(|(kind, _)| *kind == wanted)
        .map(|(_, value)| value)
}

/// Text that ends with a zero.
pub(super) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|&b| b == 0).unwrap_or(value.len());
    String::from_utf8_lossy(value.get(..end).unwrap_or_default()).into_owned()
}

/// An attribute, padded.
pub(super) fn encode(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_there_and_back() {
        let bytes = [encode(1, b"abc\0"), encode(0x8002, &[7]), encode(3, &[])].concat();
        let read: Vec<_> = attributes(&bytes).collect();
        assert_eq!(read, [(1, &b"abc\0"[..]), (2, &[7][..]), (3, &[][..])]);
        assert_eq!(attribute(&bytes, 2), Some(&[7][..]));
        assert_eq!(text(b"abc\0def"), "abc");
    }

    #[test]
    fn damage_ends_the_list() {
        let bytes = encode(1, &[1, 2, 3, 4]);
        for cut in 0..bytes.len() {
            assert_eq!(attributes(&bytes[..cut]).count(), 0, "{cut}");
        }
        // A length below that of its own header.
        assert_eq!(attributes(&[2, 0, 1, 0]).count(), 0);
        assert!(message(&[15, 0, 0, 0, 0, 0, 0, 0]).is_none());
        assert!(message(&[0; 16]).is_none());
    }

    #[test]
    fn the_kernel_lists_its_links() {
        // RTM_GETLINK: struct ifinfomsg of zeros.
        let links = Question {
            protocol: SockProtocol::NetlinkRoute,
            kind: 18,
            flags: DUMP,
            body: vec![0; 16],
        };
        let mut names = Vec::new();
        let take = |body: &[u8]| {
            let attributes = body.get(16..).unwrap_or_default();
            // IFLA_IFNAME
            names.extend(attribute(attributes, 3).map(text));
        };
        links.ask(take).unwrap();
        assert!(names.contains(&"lo".to_owned()), "{names:?}");
    }
}
