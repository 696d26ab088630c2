// SPDX-License-Identifier: GPL-2.0-or-later
//! Names resolved at a line's own resolvers.
//!
//! The C library asks whoever `/etc/resolv.conf` names, which on a router is
//! dnsmasq and behind it the resolvers of all lines. What is provisioned on a
//! line is known to that line's resolvers only.
//!
//! ```no_run
//! use mape::provision::{Uplink, resolve};
//!
//! let resolver = "2404:1a8:7f01:a::3".parse()?;
//! let uplink = Uplink::new(&[resolver], None, None);
//! let addresses = resolve::aaaa(&"gw.transix.jp".parse()?, &uplink)?;
//! assert!(!addresses.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::reason::{Reason, Tell, said, sentence};

pub mod message;

use std::io::{self, Write};
use std::net::{Ipv6Addr, SocketAddrV6, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use super::uplink::{Uplink, left, read, uninterrupted};
use crate::endpoint::{DnsName, check_ipv6};
use message::{Kind, Reply};

/// Why a name was not resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The line has no resolver.
    NoResolver(DnsName),
    /// NXDOMAIN.
    NoName(DnsName),
    /// The name has no record of that type.
    NoData {
        /// The name.
        name: DnsName,
        /// What was asked for.
        kind: Kind,
    },
    /// No resolver was able or willing to answer.
    Failed {
        /// The name.
        name: DnsName,
        /// The last resolver that answered so.
        resolver: Ipv6Addr,
        /// Its answer.
        reason: &'static str,
    },
    /// No resolver answered in time.
    Timeout(DnsName),
    /// No resolver could be asked.
    Socket {
        /// The name.
        name: DnsName,
        /// The last resolver that was tried.
        resolver: Ipv6Addr,
        /// What went wrong.
        error: io::Error,
    },
    /// There are AAAA records, but none that packets can be sent to.
    Unusable(DnsName),
}

impl Tell for ResolveError {
    fn reason(&self) -> Reason {
        match self {
            Self::NoResolver(name) => said!(
                "resolve_no_resolver",
                "the uplink has no DNS server to ask for {name}",
                name
            ),
            Self::NoName(name) => said!("resolve_no_name", "{name}: there is no such name", name),
            Self::NoData { name, kind } => {
                said!("resolve_no_data", "{name} has no {kind} record", name, kind)
            }
            Self::Failed {
                name,
                resolver,
                reason,
            } => said!(
                "resolve_failed",
                "DNS server {server} answers {answer} when asked for {name}",
                resolver,
                reason,
                name
            ),
            Self::Timeout(name) => said!(
                "resolve_timeout",
                "no DNS server of the uplink answers when asked for {name}",
                name
            ),
            Self::Socket {
                name,
                resolver,
                error,
            } => said!(
                "resolve_socket",
                "cannot ask DNS server {server} for {name}: {reason}",
                resolver,
                name,
                error
            ),
            Self::Unusable(name) => said!(
                "resolve_unusable",
                "no address of {name} can be used: all are loopback, multicast, link-local or the like",
                name
            ),
        }
    }
}

sentence!(ResolveError);

impl ResolveError {
    /// Whether the answer is certain: the name or its record does not exist.
    pub fn is_absence(&self) -> bool {
        matches!(self, ResolveError::NoName(_) | ResolveError::NoData { .. })
    }
}

/// Longest wait for one resolver before the next is asked.
const ONE_TRY: Duration = Duration::from_secs(2);

/// How often each resolver is asked: datagrams get lost.
const ROUNDS: u32 = 2;

/// Largest datagram that is read; without EDNS 512 bytes are allowed.
const DATAGRAM: usize = 4096;

/// The IPv6 addresses of `name`, in the resolver's order and without those that
/// cannot be used; never empty.
///
/// # Errors
/// No resolver had one.
pub fn aaaa(name: &DnsName, uplink: &Uplink) -> Result<Vec<Ipv6Addr>, ResolveError> {
    let addresses = match ask(name, Kind::Aaaa, uplink)? {
        Reply::Addresses(addresses) => addresses,
        _ => Vec::new(),
    };
    let usable = addresses.into_iter().filter(|a| check_ipv6(*a).is_ok());
    let usable: Vec<Ipv6Addr> = usable.collect();
    match usable.is_empty() {
        true => Err(ResolveError::Unusable(name.clone())),
        false => Ok(usable),
    }
}

/// The TXT records of `name`; never empty.
///
/// # Errors
/// No resolver had one.
pub fn txt(name: &DnsName, uplink: &Uplink) -> Result<Vec<String>, ResolveError> {
    match ask(name, Kind::Txt, uplink)? {
        Reply::Texts(texts) => Ok(texts),
        _ => Err(ResolveError::NoData {
            name: name.clone(),
            kind: Kind::Txt,
        }),
    }
}

/// Asks one resolver after the other until one of them knows.
fn ask(name: &DnsName, kind: Kind, uplink: &Uplink) -> Result<Reply, ResolveError> {
    let deadline = Instant::now() + uplink.patience;
    let tries = u32::try_from(uplink.resolvers.len()).unwrap_or(u32::MAX);
    let Some(one_try) = uplink.patience.checked_div(tries.saturating_mul(ROUNDS)) else {
        return Err(ResolveError::NoResolver(name.clone()));
    };
    let mut failure = ResolveError::Timeout(name.clone());
    for resolver in uplink.resolvers.repeat(ROUNDS as usize) {
        let until = deadline.min(Instant::now() + one_try.min(ONE_TRY));
        match ask_one(resolver, name, kind, uplink, until) {
            Ok(Reply::NoName) => return Err(ResolveError::NoName(name.clone())),
            Ok(Reply::NoData) => {
                let name = name.clone();
                return Err(ResolveError::NoData { name, kind });
            }
            Ok(Reply::Failed(reason)) => {
                failure = ResolveError::Failed {
                    name: name.clone(),
                    resolver: *resolver.ip(),
                    reason,
                };
            }
            Ok(Reply::Truncated) => {}
            Ok(reply) => return Ok(reply),
            Err(error) if is_timeout(&error) => {}
            Err(error) => {
                failure = ResolveError::Socket {
                    name: name.clone(),
                    resolver: *resolver.ip(),
                    error,
                };
            }
        }
    }
    Err(failure)
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    )
}

fn ask_one(
    resolver: SocketAddrV6,
    name: &DnsName,
    kind: Kind,
    uplink: &Uplink,
    deadline: Instant,
) -> io::Result<Reply> {
    let id = random_id()?;
    let query = message::query(id, name, kind).ok_or(io::ErrorKind::InvalidInput)?;
    let reply = over_udp(resolver, &query, uplink, deadline, |answer| {
        message::read(answer, id, name, kind)
    })?;
    if reply != Reply::Truncated {
        return Ok(reply);
    }
    let answer = over_tcp(resolver, &query, uplink, deadline)?;
    message::read(&answer, id, name, kind).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// With the random source port that the kernel picks, what a forger has to
/// guess.
fn random_id() -> io::Result<u16> {
    let random = getrandom::u32().map_err(|_| io::Error::other("no random numbers"))?;
    Ok(random as u16)
}

/// Sends `query` and hands datagrams to `read` until it takes one for the
/// answer. The socket is connected, so that only the resolver is heard.
fn over_udp(
    resolver: SocketAddrV6,
    query: &[u8],
    uplink: &Uplink,
    deadline: Instant,
    read: impl Fn(&[u8]) -> Option<Reply>,
) -> io::Result<Reply> {
    let socket = uplink.bound(|| UdpSocket::bind(uplink.local()))?;
    socket.connect(resolver)?;
    socket.send(query)?;
    let mut buffer = [0; DATAGRAM];
    loop {
        let len = uninterrupted(|| {
            socket.set_read_timeout(Some(left(deadline)?))?;
            socket.recv(&mut buffer)
        })?;
        if let Some(reply) = buffer.get(..len).and_then(&read) {
            return Ok(reply);
        }
    }
}

/// The same over TCP, each message after its length (RFC 1035 section 4.2.2).
fn over_tcp(
    resolver: SocketAddrV6,
    query: &[u8],
    uplink: &Uplink,
    deadline: Instant,
) -> io::Result<Vec<u8>> {
    let mut stream = uplink.connect(resolver, deadline)?;
    let len = u16::try_from(query.len()).map_err(io::Error::other)?;
    stream.set_write_timeout(Some(left(deadline)?))?;
    stream.write_all(&[&len.to_be_bytes(), query].concat())?;
    let mut len = [0; 2];
    read_exact(&mut stream, &mut len, deadline)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(len))];
    read_exact(&mut stream, &mut answer, deadline)?;
    Ok(answer)
}

fn read_exact(stream: &mut TcpStream, mut buffer: &mut [u8], deadline: Instant) -> io::Result<()> {
    while !buffer.is_empty() {
        match read(stream, buffer, deadline)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            len => buffer = buffer.get_mut(len..).unwrap_or_default(),
        }
    }
    Ok(())
}
