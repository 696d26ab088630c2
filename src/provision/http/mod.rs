// SPDX-License-Identifier: GPL-2.0-or-later
//! A small HTTP/1.1 client that sends from a given address.
//!
//! Neither `uclient-fetch` nor BusyBox's `wget` can bind their socket, and
//! both the provisioning and the registration of a fixed address go by the
//! source address of the request. TLS is not for this client: see
//! [`fetch`](super::fetch).

use crate::reason::{Reason, Tell, said, sentence};

pub mod body;
pub mod head;
pub mod url;

use std::io::{self, Write};
use std::net::{Ipv6Addr, SocketAddrV6, TcpStream};
use std::time::Instant;

use super::resolve::{self, ResolveError};
use super::uplink::{Uplink, left, read};
use crate::endpoint::Endpoint;
use body::{Body, BodyError};
use head::{Head, HeadError};
pub use url::{Scheme, Url, UrlError};

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// `Location`, as it stands there.
    pub location: Option<String>,
    /// The body without its transfer coding.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The server's name was not resolved.
    Resolve(#[from] ResolveError),
    /// None of the server's addresses could be reached.
    Connect {
        /// The server.
        host: Endpoint,
        /// What the last attempt came to.
        error: io::Error,
    },
    /// The answer did not arrive in time.
    Timeout(Endpoint),
    /// The connection broke.
    Connection {
        /// The server.
        host: Endpoint,
        /// What happened.
        error: io::Error,
    },
    /// The server closed the connection without an answer.
    NoAnswer(Endpoint),
    /// The head of the answer cannot be used.
    Head {
        /// The server.
        host: Endpoint,
        /// What is wrong.
        error: HeadError,
    },
    /// The body of the answer cannot be used.
    Body {
        /// The server.
        host: Endpoint,
        /// What is wrong.
        error: BodyError,
    },
}

impl Tell for HttpError {
    fn reason(&self) -> Reason {
        match self {
            Self::Resolve(error) => error.reason(),
            Self::Connect { host, error } => said!(
                "http_connect",
                "cannot connect to {server}: {reason}",
                host,
                error
            ),
            Self::Timeout(server) => {
                said!("server_timeout", "{server} does not answer in time", server)
            }
            Self::Connection { host, error } => said!(
                "http_connection",
                "connection to {server}: {reason}",
                host,
                error
            ),
            Self::NoAnswer(server) => said!(
                "http_no_answer",
                "{server} closed the connection without an answer",
                server
            ),
            Self::Head { host, error } => said!("about", "{name}: {reason}", host, error),
            Self::Body { host, error } => said!("about", "{name}: {reason}", host, error),
        }
    }
}

sentence!(HttpError);

/// Sends a GET request for `url` in the clear, from the uplink's source
/// address, and reads the answer; redirections are left to the caller.
/// `authorization` is the value of that header, if any.
///
/// # Errors
/// There is no answer by `deadline`, or none that can be read.
pub fn get(
    url: &Url,
    authorization: Option<&str>,
    uplink: &Uplink,
    deadline: Instant,
) -> Result<Response, HttpError> {
    let host = url.host();
    let stream = connect(url, uplink, deadline)?;
    let exchange = Exchange {
        stream,
        host,
        deadline,
    };
    exchange.run(&request(url, authorization))
}

/// The request as it is sent.
pub fn request(url: &Url, authorization: Option<&str>) -> String {
    let (target, host) = (url.target(), url.authority());
    let authorization = authorization.map(|value| format!("Authorization: {value}\r\n"));
    format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: mape/{}\r\nAccept: */*\r\n\
         Connection: close\r\n{}\r\n",
        env!("CARGO_PKG_VERSION"),
        authorization.unwrap_or_default()
    )
}

/// A connection to the first address of the server that takes one.
fn connect(url: &Url, uplink: &Uplink, deadline: Instant) -> Result<TcpStream, HttpError> {
    let host = url.host();
    let addresses: Vec<Ipv6Addr> = match host {
        Endpoint::Address(address) => vec![*address],
        Endpoint::Name(name) => resolve::aaaa(name, uplink)?,
    };
    let mut error = io::Error::from(io::ErrorKind::NotFound);
    for (at, address) in addresses.iter().enumerate() {
        let remote = SocketAddrV6::new(*address, url.port(), 0, 0);
        // One that is silent must not take the time of the others.
        let others = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
        let share = left(deadline).map(|left| Instant::now() + left / others);
        match share.and_then(|until| uplink.connect(remote, until)) {
            Ok(stream) => return Ok(stream),
            Err(reason) => error = reason,
        }
    }
    let host = host.clone();
    Err(HttpError::Connect { host, error })
}

struct Exchange<'a> {
    stream: TcpStream,
    host: &'a Endpoint,
    deadline: Instant,
}

impl Exchange<'_> {
    fn run(mut self, request: &str) -> Result<Response, HttpError> {
        let sent = left(self.deadline)
            .and_then(|left| self.stream.set_write_timeout(Some(left)))
            .and_then(|()| self.stream.write_all(request.as_bytes()));
        sent.map_err(|error| self.broke(error))?;
        let (head, first) = self.head()?;
        let mut body = Body::new(head.framing).map_err(|error| self.bad_body(error))?;
        body.push(&first).map_err(|error| self.bad_body(error))?;
        let mut buffer = [0; 4096];
        while !body.is_complete() {
            match self.read(&mut buffer)? {
                [] => break,
                bytes => body.push(bytes).map_err(|error| self.bad_body(error))?,
            }
        }
        Ok(Response {
            status: head.status,
            location: head.location,
            body: body.finish().map_err(|error| self.bad_body(error))?,
        })
    }

    /// The final head, and what has arrived of the body with it.
    fn head(&mut self) -> Result<(Head, Vec<u8>), HttpError> {
        let mut arrived = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let head = Head::read(&arrived).map_err(|error| HttpError::Head {
                host: self.host.clone(),
                error,
            })?;
            match head {
                Some((head, len)) => {
                    arrived.drain(..len);
                    // Nobody has asked for an interim answer, but it is legal.
                    if !matches!(head.status, 100..200) {
                        return Ok((head, arrived));
                    }
                }
                None => match self.read(&mut buffer)? {
                    [] => return Err(HttpError::NoAnswer(self.host.clone())),
                    bytes => arrived.extend_from_slice(bytes),
                },
            }
        }
    }

    /// What arrives next; nothing once the server has closed the connection.
    fn read<'b>(&mut self, buffer: &'b mut [u8]) -> Result<&'b [u8], HttpError> {
        let len = read(&mut self.stream, buffer, self.deadline);
        let len = len.map_err(|error| self.broke(error))?;
        Ok(buffer.get(..len).unwrap_or_default())
    }

    fn broke(&self, error: io::Error) -> HttpError {
        let host = self.host.clone();
        match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => HttpError::Timeout(host),
            _ => HttpError::Connection { host, error },
        }
    }

    fn bad_body(&self, error: BodyError) -> HttpError {
        let host = self.host.clone();
        HttpError::Body { host, error }
    }
}
