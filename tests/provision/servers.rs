// SPDX-License-Identifier: GPL-2.0-or-later
//! A line of its own for a test: a network namespace with addresses, and
//! small DNS and HTTP servers in it that answer as they are told.

use crate::dns_answer;
pub use crate::dns_answer::Record;
use std::io::{Read, Write};
use std::net::{Ipv6Addr, SocketAddrV6, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use mape::provision::Uplink;
use nix::sched::{CloneFlags, unshare};
use simple_dns::{Packet, RCODE};

pub const CE: &str = "2001:db8:f::1";
pub const DNS: [&str; 3] = ["2001:db8:f::53", "2001:db8:f::54", "2001:db8:f::55"];
pub const WEB: [&str; 2] = ["2001:db8:f::80", "2001:db8:f::81"];

/// Puts this test's thread, and those it starts, into a network namespace of
/// its own; `None`, with the reason, if that is not possible here.
pub fn line() -> Option<Uplink> {
    if !nix::unistd::Uid::effective().is_root() {
        eprintln!("SKIPPED: network namespaces need root");
        return None;
    }
    if unshare(CloneFlags::CLONE_NEWNET).is_err() {
        eprintln!("SKIPPED: no network namespace can be made");
        return None;
    }
    ip("link set lo up");
    let all: Vec<&str> = [&[CE], &DNS[..], &WEB[..]].concat();
    for address in &all {
        ip(&format!("address add {address}/128 dev lo nodad"));
    }
    until_reached(CE, &all);
    Some(Uplink {
        resolvers: Vec::new(),
        source: Some(address(CE)),
        patience: Duration::from_secs(8),
    })
}

/// Waits until datagrams from `ce` reach all of these addresses, and come back:
/// the kernel makes the routes to them a little later, and drops what comes
/// before.
pub fn until_reached(ce: &str, all: &[&str]) {
    while !all.iter().all(|to| is_reached(ce, address(to)).is_ok()) {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Sends a datagram from the CE to `to`, and one back.
fn is_reached(ce: &str, to: Ipv6Addr) -> std::io::Result<()> {
    let ce = UdpSocket::bind((address(ce), 0))?;
    let other = UdpSocket::bind((to, 0))?;
    for (from, to) in [(&ce, &other), (&other, &ce)] {
        from.send_to(b"?", to.local_addr()?)?;
        to.set_read_timeout(Some(Duration::from_millis(20)))?;
        to.recv(&mut [0])?;
    }
    Ok(())
}

pub fn ip(words: &str) {
    let done = Command::new("ip").args(words.split(' ')).output().unwrap();
    assert!(done.status.success(), "{words}: {done:?}");
}

pub fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

/// A DNS server that answers each query with what `answer` makes of it, and
/// tells who asked.
pub fn dns(
    at: &str,
    answer: impl Fn(&Packet<'_>) -> Vec<Vec<u8>> + Send + 'static,
) -> (SocketAddrV6, Receiver<Ipv6Addr>) {
    dns_on(UdpSocket::bind((address(at), 0)).unwrap(), at, answer)
}

/// The same on a socket that is bound already.
pub fn dns_on(
    socket: UdpSocket,
    at: &str,
    answer: impl Fn(&Packet<'_>) -> Vec<Vec<u8>> + Send + 'static,
) -> (SocketAddrV6, Receiver<Ipv6Addr>) {
    let (tell, told) = channel();
    let port = socket.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((len, from)) = socket.recv_from(&mut buffer) {
            if let std::net::IpAddr::V6(from) = from.ip() {
                let _ = tell.send(from);
            }
            let query = Packet::parse(&buffer[..len]).unwrap();
            for message in answer(&query) {
                socket.send_to(&message, from).unwrap();
            }
        }
    });
    (SocketAddrV6::new(address(at), port, 0, 0), told)
}

/// An answer to `query` with these records.
pub fn reply(query: &Packet<'_>, rcode: RCODE, records: &[(&str, Record<'_>)]) -> Vec<u8> {
    dns_answer::reply(query, rcode, records).unwrap()
}

/// A resolver that knows the web servers and, if there is one, the record of
/// `4over6.info`.
pub fn resolver(txt: Option<String>) -> SocketAddrV6 {
    let answer = move |query: &Packet<'_>| {
        let name = query.questions[0].qname.to_string();
        let records: Vec<(&str, Record<'_>)> = match (name.as_str(), txt.as_deref()) {
            ("4over6.info", Some(txt)) => {
                return vec![reply(
                    query,
                    RCODE::NoError,
                    &[("4over6.info", Record::Txt(&[txt]))],
                )];
            }
            ("prov.example", _) => vec![("prov.example", Record::Aaaa(WEB[0]))],
            ("both.example", _) => WEB.map(|web| ("both.example", Record::Aaaa(web))).to_vec(),
            _ => return vec![reply(query, RCODE::NameError, &[])],
        };
        vec![reply(query, RCODE::NoError, &records)]
    };
    dns(DNS[0], answer).0
}

/// A request that arrived.
#[derive(Clone)]
pub struct Request {
    pub from: Ipv6Addr,
    pub head: String,
}

impl Request {
    /// Path and query.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }
}

/// An HTTP server that gives each connection the bytes that `answer` makes of
/// its request, and tells of the requests.
pub fn web(
    at: &str,
    answer: impl Fn(&Request, &mut TcpStream) + Send + 'static,
) -> (u16, Receiver<Request>) {
    web_on(TcpListener::bind((address(at), 0)).unwrap(), answer)
}

/// The same on a socket that is bound already.
pub fn web_on(
    listener: TcpListener,
    answer: impl Fn(&Request, &mut TcpStream) + Send + 'static,
) -> (u16, Receiver<Request>) {
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = channel();
    thread::spawn(move || {
        while let Ok((mut stream, from)) = listener.accept() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n > 0) {
                head.push(byte[0]);
            }
            let std::net::IpAddr::V6(from) = from.ip() else {
                panic!("{from}")
            };
            let head = String::from_utf8(head).unwrap();
            let request = Request { from, head };
            let _ = tell.send(request.clone());
            answer(&request, &mut stream);
        }
    });
    (port, told)
}

/// The same with an answer that does not depend on the request.
pub fn web_with(at: &str, answer: impl Into<Vec<u8>>) -> (u16, Receiver<Request>) {
    let answer = answer.into();
    web(at, move |_, stream| {
        // Whoever has read enough has gone.
        let _ = stream.write_all(&answer);
    })
}

/// A whole answer with a body.
pub fn http(status: &str, body: &str) -> String {
    let len = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {len}\r\n\r\n{body}")
}
