// SPDX-License-Identifier: GPL-2.0-or-later
//! A socket to ubusd on which every wait has a deadline and can be cancelled.

use super::error::Error;
use ::ubus::wire::{Codec, Frame, HEADER_SIZE, MAX_MSG_LEN};
use ::ubus::{Transport, UbusError};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, recv, send, socket,
};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Pause before trying again to connect to a socket whose backlog is full: the
/// kernel offers nothing to wait on.
const CONNECT_PAUSE: Duration = Duration::from_millis(20);
const READ_SIZE: usize = 8192;

/// Shortest message: a header and the attribute that holds the others.
const SHORTEST: usize = HEADER_SIZE + 4;

/// The crate's [`Transport`] with one deadline for all operations until the
/// next one is set.
///
/// The crate's errors cannot say all that happens here. If an operation
/// fails, the reason is kept in `failure`, and the crate gets a stand-in.
#[derive(Debug)]
pub(super) struct Stream {
    socket: OwnedFd,
    received: Vec<u8>,
    cancel: Option<OwnedFd>,
    deadline: Instant,
    /// What is being waited for, for the message of a timeout.
    waiting_for: &'static str,
    /// Why the last operation failed.
    pub(super) failure: Option<Error>,
    /// The stream cannot be followed any more: half a message was sent, an
    /// unreadable one came, or the other side left.
    lost: bool,
}

impl Stream {
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
                Err(Errno::EAGAIN) if Instant::now() < deadline => sleep(CONNECT_PAUSE),
                Err(Errno::EAGAIN) => return Err(Error::Timeout("take the connection")),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(Stream {
            socket,
            received: Vec::new(),
            cancel: None,
            deadline,
            waiting_for: "greet",
            failure: None,
            lost: false,
        })
    }

    pub(super) fn cancel_on(&mut self, fd: OwnedFd) {
        self.cancel = Some(fd);
    }

    /// Everything from now on must be over by `deadline`.
    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
        self.waiting_for = "answer";
        self.failure = None;
    }

    /// Keeps the reason, and returns the crate's nearest error.
    fn fail(&mut self, error: Error) -> UbusError {
        self.failure = Some(error);
        UbusError::Closed
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match send(self.socket.as_raw_fd(), rest, MsgFlags::MSG_NOSIGNAL) {
                Ok(n) => {
                    rest = rest.get(n..).unwrap_or_default();
                    self.lost = !rest.is_empty();
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    if !self.wait(PollFlags::POLLOUT)? {
                        return Err(Error::Timeout("take a request"));
                    }
                }
                Err(errno) => return Err(self.lose(errno)),
            }
        }
        Ok(())
    }

    /// Takes what has arrived up to now, at most one buffer of it.
    fn read(&mut self) -> Result<(), Error> {
        let mut chunk = [0; READ_SIZE];
        match recv(self.socket.as_raw_fd(), &mut chunk, MsgFlags::empty()) {
            Ok(0) => {
                self.lost = true;
                Err(Error::Closed)
            }
            Ok(n) => {
                self.received.extend(chunk.iter().take(n));
                Ok(())
            }
            Err(Errno::EINTR | Errno::EAGAIN) => Ok(()),
            Err(errno) => Err(self.lose(errno)),
        }
    }

    /// The next message that has arrived as a whole.
    fn next_frame(&mut self) -> Result<Option<Frame>, UbusError> {
        // The crate takes a bare header for a message, but ubus has none.
        if self.received.len() < SHORTEST {
            return Ok(None);
        }
        match Codec::read_frame(&self.received) {
            Ok((frame, len)) => {
                self.received.drain(..len);
                Ok(Some(frame))
            }
            Err(UbusError::Short { .. }) => Ok(None),
            Err(error) => {
                self.lost = true;
                Err(error)
            }
        }
    }

    fn has_frame(&self) -> bool {
        let short = self.received.len() < SHORTEST
            || matches!(
                Codec::read_frame_borrowed(&self.received),
                Err(UbusError::Short { .. })
            );
        !short
    }

    fn lose(&mut self, errno: Errno) -> Error {
        self.lost = true;
        match errno {
            Errno::EPIPE | Errno::ECONNRESET => Error::Closed,
            other => Error::Io(other),
        }
    }

    /// Waits until the socket is ready; `false` when the deadline passes first.
    fn wait(&self, events: PollFlags) -> Result<bool, Error> {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
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

    /// Waits until a whole message has arrived.
    fn fill(&mut self) -> Result<(), Error> {
        while !self.has_frame() {
            if !self.wait(PollFlags::POLLIN)? {
                return Err(Error::Timeout(self.waiting_for));
            }
            self.read()?;
            // Nor must one that never ends a message.
            if Instant::now() >= self.deadline && !self.has_frame() {
                return Err(Error::Timeout(self.waiting_for));
            }
        }
        Ok(())
    }
}

impl Transport for Stream {
    /// Sends a whole message or fails; after half a one the connection is lost.
    fn send(&mut self, frame: &Frame) -> Result<(), UbusError> {
        if self.lost {
            return Err(self.fail(Error::Closed));
        }
        if frame.payload.len() > MAX_MSG_LEN {
            let error = UbusError::Malformed("longer than 1 MiB");
            return Err(self.fail(Error::Unsendable(error)));
        }
        self.write(&Codec::write_frame(frame))
            .map_err(|error| self.fail(error))
    }

    /// The next message if it is there. It does not wait, but reports why the
    /// last wait failed.
    fn recv(&mut self) -> Result<Option<Frame>, UbusError> {
        if let Some(frame) = self.next_frame()? {
            return Ok(Some(frame));
        }
        if self.failure.is_some() {
            return Err(UbusError::Closed);
        }
        if self.lost {
            return Err(self.fail(Error::Closed));
        }
        // A peer that sends without pause must not keep us past the deadline.
        if Instant::now() >= self.deadline {
            return Err(self.fail(Error::Timeout(self.waiting_for)));
        }
        self.read().map_err(|error| self.fail(error))?;
        self.next_frame()
    }

    /// Waits for a whole message until the deadline.
    fn wait_recv(&mut self) {
        if let Err(error) = self.fill() {
            self.failure = Some(error);
        }
    }
}

/// Rounded up, so that the last fraction of a millisecond is not spent spinning.
fn timeout(left: Duration) -> PollTimeout {
    let up = Duration::from_nanos(999_999);
    let milliseconds = left.saturating_add(up).as_millis();
    u16::try_from(milliseconds).unwrap_or(u16::MAX).into()
}
