// SPDX-License-Identifier: GPL-2.0-or-later
//! A non-blocking socket on which every wait has a deadline.

use super::{Error, FrameReader, Message};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, recv, send, socket,
};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Pause before knocking again at a socket whose queue of callers is full: the kernel offers
/// nothing to wait on.
const KNOCK: Duration = Duration::from_millis(20);
const READ_SIZE: usize = 8192;

#[derive(Debug)]
pub(super) struct Connection {
    socket: OwnedFd,
    reader: FrameReader,
    cancel: Option<OwnedFd>,
    /// Set once the stream cannot be followed any more: half a message was sent, an unreadable
    /// one came, or the other side left.
    lost: bool,
}

impl Connection {
    pub(super) fn open(path: &Path, deadline: Instant) -> Result<Self, Error> {
        let failed = |errno| Error::Connect(path.to_owned(), errno);
        let socket = socket(
            AddressFamily::Unix,
            SockType::Stream,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            None,
        )
        .map_err(failed)?;
        let address = UnixAddr::new(path).map_err(failed)?;
        loop {
            match connect(socket.as_raw_fd(), &address) {
                Ok(()) | Err(Errno::EISCONN) => break,
                Err(Errno::EAGAIN) if Instant::now() < deadline => sleep(KNOCK),
                Err(Errno::EAGAIN) => return Err(Error::Timeout("take the connection")),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(Connection {
            socket,
            reader: FrameReader::default(),
            cancel: None,
            lost: false,
        })
    }

    pub(super) fn cancel_on(&mut self, fd: OwnedFd) {
        self.cancel = Some(fd);
    }

    /// Sends a whole message or fails; after half a one the connection is lost.
    pub(super) fn send(&mut self, message: &Message, deadline: Instant) -> Result<(), Error> {
        if self.lost {
            return Err(Error::Closed);
        }
        let bytes = message.encode()?;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            match send(self.socket.as_raw_fd(), rest, MsgFlags::MSG_NOSIGNAL) {
                Ok(n) => {
                    rest = rest.get(n..).unwrap_or_default();
                    self.lost = !rest.is_empty();
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    if !self.wait(PollFlags::POLLOUT, deadline)? {
                        return Err(Error::Timeout("take a request"));
                    }
                }
                Err(errno) => return Err(self.lose(errno)),
            }
        }
        Ok(())
    }

    /// The next message, or `None` when the deadline passes first. What has arrived is returned
    /// even if the deadline is over already.
    pub(super) fn receive(&mut self, deadline: Instant) -> Result<Option<Message>, Error> {
        let mut chunk = [0; READ_SIZE];
        let mut flooded = false;
        loop {
            let next = self.reader.next_message();
            self.lost |= next.is_err();
            if let Some(message) = next? {
                return Ok(Some(message));
            }
            if self.lost {
                return Err(Error::Closed);
            }
            if flooded && Instant::now() >= deadline {
                return Ok(None);
            }
            match recv(self.socket.as_raw_fd(), &mut chunk, MsgFlags::empty()) {
                Ok(0) => self.lost = true,
                Ok(n) => {
                    self.reader.push(chunk.get(..n).unwrap_or_default());
                    // A peer that sends without pause must not keep us past the deadline.
                    flooded = true;
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    if !self.wait(PollFlags::POLLIN, deadline)? {
                        return Ok(None);
                    }
                }
                Err(errno) => return Err(self.lose(errno)),
            }
        }
    }

    fn lose(&mut self, errno: Errno) -> Error {
        self.lost = true;
        match errno {
            Errno::EPIPE | Errno::ECONNRESET => Error::Closed,
            other => Error::Io(other),
        }
    }

    /// Waits until the socket is ready; `false` when the deadline passes first.
    fn wait(&self, events: PollFlags, deadline: Instant) -> Result<bool, Error> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut fds = vec![PollFd::new(self.socket.as_fd(), events)];
            fds.extend(
                self.cancel
                    .as_ref()
                    .map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN)),
            );
            match poll(&mut fds, timeout(left)) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(Error::Io(errno)),
            }
            let mut ready = fds.iter().map(|fd| fd.any() == Some(true));
            let socket_ready = ready.next() == Some(true);
            if ready.next() == Some(true) {
                return Err(Error::Cancelled);
            }
            if socket_ready {
                return Ok(true);
            }
            if left.is_zero() {
                return Ok(false);
            }
        }
    }
}

/// Rounded up, so that the last fraction of a millisecond is not spent spinning.
fn timeout(left: Duration) -> PollTimeout {
    let up = Duration::from_nanos(999_999);
    let milliseconds = left.saturating_add(up).as_millis();
    u16::try_from(milliseconds).unwrap_or(u16::MAX).into()
}
