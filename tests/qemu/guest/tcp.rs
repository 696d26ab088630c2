// SPDX-License-Identifier: GPL-2.0-or-later
//! TCP clients that know how many times their SYN was sent.

use super::server::{SINK, STREAM};
use super::sys;
use crate::Result;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, bind, connect, listen, setsockopt,
    socket, sockopt,
};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

/// Gives a listener a queue that a burst of connections fits in.
pub fn deepen(listener: &TcpListener) -> Result<()> {
    // musl's header knows no more than 128.
    let deep = Backlog::new(4096).unwrap_or(Backlog::MAXCONN);
    listen(listener, deep).map_err(|e| format!("listen: {e}"))
}

/// A connection on its way.
#[derive(Debug)]
pub struct Attempt {
    stream: TcpStream,
    open: bool,
    failed: Option<i32>,
}

impl Attempt {
    /// Sends a SYN, from a chosen port if one is given.
    pub fn start(from: Option<u16>, to: SocketAddrV4) -> Result<Self> {
        Self::start_with(from, to, |_| Ok(()))
    }

    /// The same, with `prepare` called on the socket before it connects.
    pub fn start_with(
        from: Option<u16>,
        to: SocketAddrV4,
        prepare: impl FnOnce(&TcpStream) -> Result<()>,
    ) -> Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let fd = socket(AddressFamily::Inet, SockType::Stream, flags, None)
            .map_err(|e| format!("socket: {e}"))?;
        if let Some(port) = from {
            setsockopt(&fd, sockopt::ReuseAddr, &true).map_err(|e| e.to_string())?;
            let any = SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port));
            bind(fd.as_raw_fd(), &any).map_err(|e| format!("bind {port}: {e}"))?;
        }
        let stream = TcpStream::from(fd);
        prepare(&stream)?;
        match connect(stream.as_raw_fd(), &SockaddrIn::from(to)) {
            Ok(()) | Err(nix::errno::Errno::EINPROGRESS) => Ok(Self {
                stream,
                open: false,
                failed: None,
            }),
            Err(e) => Err(format!("connect {to}: {e}")),
        }
    }

    /// Whether the handshake is done.
    pub fn open(&self) -> bool {
        self.open
    }

    /// The error it ended with.
    pub fn failed(&self) -> Option<i32> {
        self.failed
    }

    /// How many segments were sent again so far.
    pub fn retransmits(&self) -> u32 {
        sys::tcp_info(&self.stream).map_or(u32::MAX, |info| info.retransmits)
    }

    /// The port the server saw, if it says so within `patience`.
    pub fn seen_port(&self, patience: Duration) -> Option<u16> {
        self.stream.set_nonblocking(false).ok()?;
        self.stream.set_read_timeout(Some(patience)).ok()?;
        let mut line = String::new();
        BufReader::new(&self.stream).read_line(&mut line).ok()?;
        line.trim()
            .parse::<SocketAddrV4>()
            .ok()
            .map(|peer| peer.port())
    }

    /// Ends the connection by a reset.
    pub fn reset(self) {
        let at_once = nix::libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        let _ = setsockopt(&self.stream, sockopt::Linger, &at_once);
    }

    /// The stream of an open connection, blocking again.
    pub fn into_stream(self) -> Result<TcpStream> {
        self.stream
            .set_nonblocking(false)
            .map_err(|e| e.to_string())?;
        Ok(self.stream)
    }

    fn settle(&mut self) {
        match self.stream.take_error() {
            Ok(Some(error)) => self.failed = error.raw_os_error(),
            Ok(None) => self.open = self.stream.peer_addr().is_ok(),
            Err(_) => {}
        }
    }
}

/// The port that the server at `to` sees of a connection from here.
pub fn outside_port(to: SocketAddrV4, patience: Duration) -> Result<u16> {
    let mut attempt = [Attempt::start(None, to)?];
    wait(&mut attempt, patience);
    let [attempt] = &attempt;
    let port = attempt.seen_port(patience);
    port.ok_or_else(|| format!("{to} does not answer"))
}

/// Waits until every attempt is open or has failed, at most `patience`.
pub fn wait(attempts: &mut [Attempt], patience: Duration) {
    let until = Instant::now() + patience;
    loop {
        let mut waiting: Vec<&mut Attempt> = attempts
            .iter_mut()
            .filter(|attempt| !attempt.open && attempt.failed.is_none())
            .collect();
        let left = until.saturating_duration_since(Instant::now());
        if waiting.is_empty() || left.is_zero() {
            return;
        }
        let ready: Vec<bool> = {
            let mut fds: Vec<PollFd> = waiting
                .iter()
                .map(|attempt| PollFd::new(attempt.stream.as_fd(), PollFlags::POLLOUT))
                .collect();
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            if poll(&mut fds, timeout).is_err() {
                return;
            }
            fds.iter().map(|fd| fd.any().unwrap_or(false)).collect()
        };
        for (attempt, ready) in waiting.iter_mut().zip(ready) {
            if ready {
                attempt.settle();
            }
        }
    }
}

/// Opens one connection or says why not.
pub fn open(to: SocketAddrV4, patience: Duration) -> Result<TcpStream> {
    let mut attempt = [Attempt::start(None, to)?];
    wait(&mut attempt, patience);
    let [attempt] = attempt;
    match (attempt.open, attempt.failed) {
        (true, _) => attempt.into_stream(),
        (false, Some(errno)) => Err(format!("{to}: {}", nix::errno::Errno::from_raw(errno))),
        (false, None) => Err(format!("{to}: no answer")),
    }
}

/// How long a transfer may make no progress.
const STALL: Duration = Duration::from_secs(20);

/// Downloads `size` bytes and checks that all came.
pub fn download(from: Ipv4Addr, size: usize) -> Result<()> {
    let mut stream = open(SocketAddrV4::new(from, STREAM), STALL)?;
    let failed = |e: std::io::Error| format!("download from {from}: {e}");
    stream.set_read_timeout(Some(STALL)).map_err(failed)?;
    stream
        .write_all(format!("{size}\n").as_bytes())
        .map_err(failed)?;
    let mut buffer = vec![0; 65536];
    let mut total = 0;
    loop {
        match stream.read(&mut buffer).map_err(failed)? {
            0 => break,
            length => total += length,
        }
    }
    if total == size {
        return Ok(());
    }
    Err(format!("download from {from}: {total} of {size} bytes"))
}

/// Uploads `size` bytes, checks that all arrived, and returns the path MTU.
pub fn upload(to: Ipv4Addr, size: usize) -> Result<u32> {
    let mut stream = open(SocketAddrV4::new(to, SINK), STALL)?;
    let failed = |e: std::io::Error| format!("upload to {to}: {e}");
    stream.set_read_timeout(Some(STALL)).map_err(failed)?;
    stream.set_write_timeout(Some(STALL)).map_err(failed)?;
    let block = vec![0xa5; 65536];
    let mut left = size;
    while left > 0 {
        let part = block.get(..left.min(block.len())).unwrap_or_default();
        stream.write_all(part).map_err(failed)?;
        left -= part.len();
    }
    stream.shutdown(Shutdown::Write).map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    if answer.trim() == size.to_string() {
        return Ok(sys::tcp_info(&stream)?.path_mtu);
    }
    Err(format!("upload to {to}: {} of {size} bytes", answer.trim()))
}

/// Sends a word to an echo server, and reads it back.
pub fn exchange_word(stream: &mut TcpStream, word: &[u8]) -> Result<()> {
    let failed = |e: std::io::Error| format!("exchange: {e}");
    stream.set_read_timeout(Some(STALL)).map_err(failed)?;
    stream.write_all(word).map_err(failed)?;
    let mut answer = vec![0; word.len()];
    stream.read_exact(&mut answer).map_err(failed)?;
    match answer == word {
        true => Ok(()),
        false => Err(format!("{answer:?} came back")),
    }
}

/// Sends `size` bytes to the echo service and reads them back.
pub fn exchange(stream: &mut TcpStream, size: usize) -> Result<()> {
    let failed = |e: std::io::Error| format!("exchange: {e}");
    stream.set_read_timeout(Some(STALL)).map_err(failed)?;
    stream.set_write_timeout(Some(STALL)).map_err(failed)?;
    let block = [0x3c; 8192];
    let mut back = [0; 8192];
    for _ in 0..size.div_ceil(block.len()) {
        stream.write_all(&block).map_err(failed)?;
        stream.read_exact(&mut back).map_err(failed)?;
        if back != block {
            return Err("exchange: what came back is not what was sent".to_owned());
        }
    }
    Ok(())
}
