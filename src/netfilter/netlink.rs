// SPDX-License-Identifier: GPL-2.0-or-later
//! nfnetlink: netfilter spoken to directly, without a child process.
//!
//! Headers are in host byte order, attributes' numbers in network byte order.
//! Nothing here trusts a length: what does not parse is left out.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};

/// `NLMSG_ERROR`.
pub(crate) const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

/// `NLM_F_REQUEST`.
pub(crate) const REQUEST: u16 = 0x1;
/// `NLM_F_ACK`.
pub(super) const ACK: u16 = 0x4;
/// `NLM_F_DUMP`.
pub(super) const DUMP: u16 = 0x300;
/// `NLA_F_NESTED`.
pub(super) const NESTED: u16 = 0x8000;
const NET_BYTE_ORDER: u16 = 0x4000;

/// `struct nlmsghdr`.
const HEADER: usize = 16;
/// `struct nfgenmsg`: family, version, resource.
const GENERIC: usize = 4;

/// The kernel fills at most this much per message when it dumps.
const BUFFER: usize = 32 * 1024;

/// How long a whole exchange may take. Ten thousand connections take a few
/// milliseconds; a router under load more.
const PATIENCE: Duration = Duration::from_secs(3);

/// A socket to netfilter.
pub(crate) struct Netfilter {
    socket: OwnedFd,
    deadline: Instant,
}

impl Netfilter {
    /// Opens a socket; everything on it must end within three seconds.
    pub(super) fn open() -> io::Result<Self> {
        Self::speaking(SockProtocol::NetlinkNetFilter)
    }

    /// The same socket to another part of the kernel.
    pub(crate) fn speaking(protocol: SockProtocol) -> io::Result<Self> {
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            protocol,
        )?;
        Ok(Netfilter {
            socket,
            deadline: Instant::now() + PATIENCE,
        })
    }

    /// Sends messages as they are.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<()> {
        let kernel = NetlinkAddr::new(0, 0);
        sendto(self.socket.as_raw_fd(), bytes, &kernel, MsgFlags::empty())?;
        Ok(())
    }

    /// Asks for everything of a kind, or what `filter` leaves of it, and hands
    /// over the attributes of each answer.
    pub(super) fn dump(
        &self,
        kind: u16,
        family: u8,
        filter: &[Attr<'_>],
        each: &mut dyn FnMut(&[u8]),
    ) -> io::Result<()> {
        let mut request = Vec::new();
        put_message(&mut request, kind, REQUEST | DUMP, family, 0, filter);
        self.send(&request)?;
        self.dumped(each)
    }

    /// Hands over each message of a dump that was asked for, without the first
    /// four bytes of its header, until the end.
    pub(super) fn dumped(&self, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let len = self.receive(&mut buffer)?;
            if let Some(end) = entries(buffer.get(..len).unwrap_or_default(), each) {
                return end;
            }
        }
    }

    /// Waits for the answers to `count` messages that asked for one.
    pub(super) fn acknowledged(&self, count: usize) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER];
        let mut left = count;
        while left > 0 {
            let len = self.receive(&mut buffer)?;
            for (kind, payload) in messages(buffer.get(..len).unwrap_or_default()) {
                if kind == NLMSG_ERROR {
                    verdict(payload)?;
                    left = left.saturating_sub(1);
                }
            }
        }
        Ok(())
    }

    /// Waits for a message.
    pub(crate) fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match recv(self.socket.as_raw_fd(), buffer, MsgFlags::empty()) {
                Ok(len) => return Ok(len),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => self.wait()?,
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn wait(&self) -> io::Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let timeout = u16::try_from(left.as_millis()).unwrap_or(u16::MAX);
        let mut ready = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        match poll(&mut ready, PollTimeout::from(timeout)) {
            Ok(0) => Err(io::ErrorKind::TimedOut.into()),
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// Hands over the attributes of each message of a dump. `Some` at its end.
pub(super) fn entries(received: &[u8], each: &mut dyn FnMut(&[u8])) -> Option<io::Result<()>> {
    for (kind, payload) in messages(received) {
        match kind {
            NLMSG_DONE => return Some(Ok(())),
            NLMSG_ERROR => return Some(verdict(payload)),
            _ => each(payload.get(GENERIC..).unwrap_or_default()),
        }
    }
    None
}

/// The messages in what was received: kind and payload of each.
pub(crate) fn messages(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let len = usize::try_from(u32::from_ne_bytes(array(bytes, 0)?)).ok()?;
        let kind = u16::from_ne_bytes(array(bytes, 4)?);
        let payload = bytes.get(HEADER..len)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, payload))
    })
}

/// The attributes in a message or a nest: kind without flags, and content.
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let len = usize::from(u16::from_ne_bytes(array(bytes, 0)?));
        let kind = u16::from_ne_bytes(array(bytes, 2)?) & !(NESTED | NET_BYTE_ORDER);
        let content = bytes.get(4..len)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, content))
    })
}

/// The first attribute of that kind.
pub(crate) fn find(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(bytes)
        .find(|&(found, _)| found == kind)
        .map(|(_, content)| content)
}

/// `N` bytes from `at`, if there are so many.
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// A string without its terminating zero.
pub(super) fn string(content: &[u8]) -> &str {
    let text = content.split(|&b| b == 0).next().unwrap_or_default();
    std::str::from_utf8(text).unwrap_or_default()
}

/// Success, or the errno of an acknowledgement.
pub(crate) fn verdict(payload: &[u8]) -> io::Result<()> {
    match array(payload, 0).map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// An attribute to be written: its kind, and its content.
#[derive(Clone, Copy)]
pub(crate) enum Attr<'a> {
    /// As it is.
    Bytes(u16, &'a [u8]),
    /// A 32-bit number, in network byte order.
    Be32(u16, u32),
    /// A string with its terminating zero.
    Text(u16, &'a str),
    /// Others.
    Nest(u16, &'a [Attr<'a>]),
}

/// Appends one message with netfilter's own header to `out`.
pub(super) fn put_message(
    out: &mut Vec<u8>,
    kind: u16,
    flags: u16,
    family: u8,
    resource: u16,
    attributes: &[Attr<'_>],
) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(&flags.to_ne_bytes());
    // Sequence number and port: answers come in order, one request at a time.
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&[family, 0]);
    out.extend_from_slice(&resource.to_be_bytes());
    put(out, attributes);
    let len = (out.len() - start) as u32;
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&len.to_ne_bytes());
    }
}

/// Appends attributes to `out`, each padded to four bytes.
pub(crate) fn put(out: &mut Vec<u8>, attributes: &[Attr<'_>]) {
    for attribute in attributes {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        let kind = match attribute {
            Attr::Bytes(kind, bytes) => {
                out.extend_from_slice(bytes);
                *kind
            }
            Attr::Be32(kind, number) => {
                out.extend_from_slice(&number.to_be_bytes());
                *kind
            }
            Attr::Text(kind, text) => {
                out.extend_from_slice(text.as_bytes());
                out.push(0);
                *kind
            }
            Attr::Nest(kind, inner) => {
                put(out, inner);
                *kind | NESTED
            }
        };
        let len = (out.len() - start) as u16;
        if let Some(place) = out.get_mut(start..start + 4) {
            let (first, second) = place.split_at_mut(2);
            first.copy_from_slice(&len.to_ne_bytes());
            second.copy_from_slice(&kind.to_ne_bytes());
        }
        out.resize(out.len().next_multiple_of(4), 0);
    }
}

/// One attribute, padded to four bytes.
pub(crate) fn attribute(kind: u16, data: &[u8]) -> Vec<u8> {
    written(&[Attr::Bytes(kind, data)])
}

/// Attributes as bytes.
pub(crate) fn written(attributes: &[Attr<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, attributes);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let content = [
            Attr::Text(1, "name"),
            Attr::Nest(2, &[Attr::Be32(7, 9)]),
            Attr::Bytes(3, &[]),
        ];
        let mut bytes = Vec::new();
        put_message(&mut bytes, 0x102, REQUEST, 2, 0, &content);
        put_message(&mut bytes, 3, 0, 0, 0, &[]);
        let found: Vec<_> = messages(&bytes).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].0, 0x102);
        let inner = &found[0].1[GENERIC..];
        assert_eq!(find(inner, 1).map(string), Some("name"));
        assert_eq!(
            find(inner, 2).and_then(|n| find(n, 7)),
            Some(&[0, 0, 0, 9][..])
        );
        assert_eq!(find(inner, 3), Some(&[][..]));
        assert_eq!(find(inner, 4), None);
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(0u8..9, 0..200)) {
            for (_, payload) in messages(&bytes) {
                for (_, content) in attributes(payload) {
                    let _ = (string(content), verdict(content).is_ok());
                }
            }
            prop_assert!(attributes(&bytes).count() <= bytes.len());
        }
    }
}
