// SPDX-License-Identifier: GPL-2.0-or-later
//! The line that is asked: its resolvers, and the address to ask from.

use std::io::{self, ErrorKind, Read};
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::net::if_::if_nametoindex;
use socket2::{Domain, Protocol, Socket, Type};

/// Where requests leave, and who resolves names there.
///
/// A router with several lines has several resolvers, and only the line's own
/// know what is provisioned on it (`4over6.info`, the names of AFTRs). Nothing
/// here ever asks another resolver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uplink {
    /// The line's resolvers, tried in this order.
    pub resolvers: Vec<SocketAddrV6>,
    /// Our address on the line. `None` leaves the choice to the kernel.
    pub source: Option<Ipv6Addr>,
    /// Longest time for one lookup or one request.
    pub patience: Duration,
}

/// Longest wait for an address that has just been added: until the kernel has
/// looked for somebody else who has it, nobody can send from it.
const TENTATIVE: Duration = Duration::from_secs(3);

/// Port of DNS.
const DNS_PORT: u16 = 53;

impl Uplink {
    /// [`Uplink::patience`] of [`Uplink::new`].
    pub const PATIENCE: Duration = Duration::from_secs(30);

    /// A line with these resolvers. Those with a link-local address are asked
    /// through `device`, the line's network device.
    pub fn new(resolvers: &[Ipv6Addr], source: Option<Ipv6Addr>, device: Option<&str>) -> Self {
        let index = device.and_then(|device| if_nametoindex(device).ok());
        let scope = |address: &Ipv6Addr| match address.is_unicast_link_local() {
            true => index.unwrap_or(0),
            false => 0,
        };
        Uplink {
            resolvers: resolvers
                .iter()
                .map(|address| SocketAddrV6::new(*address, DNS_PORT, 0, scope(address)))
                .collect(),
            source,
            patience: Self::PATIENCE,
        }
    }

    /// Our end of a socket; port 0 lets the kernel choose a random one.
    pub(super) fn local(&self) -> SocketAddr {
        (self.source.unwrap_or(Ipv6Addr::UNSPECIFIED), 0).into()
    }

    /// What `bind` gives, which is called until our address can be sent from.
    ///
    /// # Errors
    /// What `bind` says, which is last that the address is not ours.
    pub(super) fn bound<T>(&self, mut bind: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        let deadline = Instant::now() + TENTATIVE.min(self.patience);
        loop {
            match bind() {
                Err(error)
                    if error.kind() == ErrorKind::AddrNotAvailable && Instant::now() < deadline =>
                {
                    sleep(Duration::from_millis(100));
                }
                result => return result,
            }
        }
    }

    /// A connection from our address to `remote`.
    ///
    /// # Errors
    /// The source address is not ours, nobody listens, or `deadline` passed.
    pub(super) fn connect(&self, remote: SocketAddrV6, deadline: Instant) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP))?;
        self.bound(|| socket.bind(&self.local().into()))?;
        socket.connect_timeout(&SocketAddr::V6(remote).into(), left(deadline)?)?;
        Ok(socket.into())
    }
}

/// Time left until `deadline`.
///
/// # Errors
/// There is none.
pub(super) fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    match left.is_zero() {
        true => Err(ErrorKind::TimedOut.into()),
        false => Ok(left),
    }
}

/// Runs a system call again for as long as a signal interrupts it.
pub(super) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Reads what arrives next, 0 bytes once the other side has closed.
///
/// # Errors
/// The connection broke, or `deadline` passed.
pub(super) fn read(
    stream: &mut TcpStream,
    buffer: &mut [u8],
    deadline: Instant,
) -> io::Result<usize> {
    uninterrupted(|| {
        stream.set_read_timeout(Some(left(deadline)?))?;
        stream.read(buffer)
    })
}
