// SPDX-License-Identifier: GPL-2.0-or-later
//! The servers: they answer, and say from which port they were asked.

use super::netns::Netns;
use super::sys;
use super::topology::server;
use crate::Result;
use nix::libc;
use nix::sys::socket::{setsockopt, sockopt};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};

/// TCP: writes `ADDRESS:PORT` of the peer and holds the connection. UDP: the
/// same as a datagram.
pub const WHOAMI: u16 = 7000;
/// TCP: reads a number and sends as many bytes. UDP: echoes.
pub const STREAM: u16 = 7001;
/// TCP: reads everything and answers how much it was.
pub const SINK: u16 = 7002;
/// TCP: echoes.
pub const ECHO: u16 = 7003;
/// UDP: echoes without a checksum, as IPsec's NAT traversal does.
pub const NO_CHECKSUM: u16 = 4500;
/// TCP: an HTTP server with one page.
pub const HTTP: u16 = 80;
/// TCP and UDP: refused with an ICMP error.
pub const REFUSED: u16 = 7999;

type Held = Arc<Mutex<Vec<TcpStream>>>;

/// The running servers.
pub struct Servers {
    held: Held,
}

impl Servers {
    /// Starts all of them on all addresses.
    pub fn start(srv: &Netns) -> Result<Self> {
        srv.nft(&format!(
            "table ip refuse {{
                chain input {{
                    type filter hook input priority 0; policy accept;
                    meta l4proto {{ tcp, udp }} th dport {REFUSED} reject with icmp port-unreachable
                }}
            }}"
        ))?;
        let held = Held::default();
        let keep = Arc::clone(&held);
        serve(srv, WHOAMI, move |mut stream| {
            if let Ok(peer) = stream.peer_addr() {
                let _ = stream.write_all(format!("{peer}\n").as_bytes());
            }
            // A reset leaves no TIME_WAIT behind that would meet the SYN of the
            // next measurement.
            let at_once = libc::linger {
                l_onoff: 1,
                l_linger: 0,
            };
            let _ = setsockopt(&stream, sockopt::Linger, &at_once);
            if let Ok(mut held) = keep.lock() {
                held.push(stream);
            }
        })?;
        serve(srv, STREAM, |stream| apart(move || send_bytes(stream)))?;
        serve(srv, SINK, |stream| apart(move || count_bytes(stream)))?;
        serve(srv, ECHO, |stream| {
            apart(move || std::io::copy(&mut stream.try_clone()?, &mut &stream).map(drop));
        })?;
        serve(srv, HTTP, |stream| apart(move || page(stream)))?;
        for index in 0..5 {
            let address = server(index);
            answer(srv, address, WHOAMI, |_, peer| peer.into_bytes())?;
            answer(srv, address, STREAM, |data, _| data.to_vec())?;
            answer(srv, address, NO_CHECKSUM, |data, _| data.to_vec())?;
        }
        Ok(Self { held })
    }

    /// Resets every connection that is held but the first ones.
    pub fn drop_all_but(&self, first: usize) {
        if let Ok(mut held) = self.held.lock() {
            held.truncate(first);
        }
    }

    /// Resets every connection that is held.
    pub fn drop_all(&self) {
        if let Ok(mut held) = self.held.lock() {
            held.clear();
        }
    }
}

fn apart(job: impl FnOnce() -> std::io::Result<()> + Send + 'static) {
    std::thread::spawn(job);
}

fn serve(srv: &Netns, port: u16, each: impl Fn(TcpStream) + Send + 'static) -> Result<()> {
    let listener = srv.within(|| {
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).map_err(|e| format!("port {port}: {e}"))
    })?;
    super::tcp::deepen(&listener)?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            each(stream);
        }
    });
    Ok(())
}

fn answer(
    srv: &Netns,
    address: Ipv4Addr,
    port: u16,
    reply: impl Fn(&[u8], String) -> Vec<u8> + Send + 'static,
) -> Result<()> {
    let socket = srv.within(|| {
        UdpSocket::bind((address, port)).map_err(|e| format!("{address}:{port}: {e}"))
    })?;
    if port == NO_CHECKSUM {
        sys::set_option(&socket, libc::SOL_SOCKET, libc::SO_NO_CHECK, 1)?;
    }
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            let data = reply(buffer.get(..length).unwrap_or_default(), peer.to_string());
            let _ = socket.send_to(&data, peer);
        }
    });
    Ok(())
}

fn send_bytes(mut stream: TcpStream) -> std::io::Result<()> {
    let mut line = String::new();
    BufReader::new(stream.try_clone()?).read_line(&mut line)?;
    let mut left: usize = line.trim().parse().unwrap_or(0);
    let block = vec![0x5a; 65536];
    while left > 0 {
        let part = block.get(..left.min(block.len())).unwrap_or_default();
        stream.write_all(part)?;
        left -= part.len();
    }
    Ok(())
}

fn count_bytes(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; 65536];
    let mut total = 0;
    loop {
        match stream.read(&mut buffer)? {
            0 => break,
            length => total += length,
        }
    }
    stream.write_all(format!("{total}\n").as_bytes())
}

fn page(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    while request.read_line(&mut line)? > 2 {
        line.clear();
    }
    let body = format!(
        "<h1>It works</h1>\n<p>You came from {}.</p>\n",
        stream.peer_addr()?
    );
    write!(
        stream,
        "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
