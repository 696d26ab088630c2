// SPDX-License-Identifier: GPL-2.0-or-later
//! Handing a URL with secrets to a child that takes URLs only as arguments,
//! which any process of the router can read.
//!
//! The child is given the URL of a server on the loopback interface that
//! redirects it, once, to the real one.

use std::io::{self, Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::time::Duration;

/// A server of one answer.
pub(super) struct Handover {
    listener: TcpListener,
    /// Nobody can guess it, so a stranger who tries all ports gets nothing.
    path: String,
    location: String,
}

/// Longest wait for the child's request once it has connected.
const PATIENCE: Duration = Duration::from_secs(2);

impl Handover {
    /// A server that redirects to `location`.
    ///
    /// # Errors
    /// No socket, or no random numbers.
    pub(super) fn new(location: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let random = getrandom::u64().map_err(|_| io::Error::other("no random numbers"))?;
        Ok(Handover {
            listener,
            path: format!("/{random:016x}"),
            location: location.to_owned(),
        })
    }

    /// What the child is given in place of the real URL.
    pub(super) fn url(&self) -> io::Result<String> {
        let port = self.listener.local_addr()?.port();
        Ok(format!("http://[::1]:{port}{}", self.path))
    }

    /// Answers the child if it has asked; says whether it has.
    pub(super) fn serve(&self) -> io::Result<bool> {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        };
        // Whoever asks for something else only keeps the child waiting.
        Ok(self.answer(stream).unwrap_or(false))
    }

    fn answer(&self, mut stream: TcpStream) -> io::Result<bool> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut asked = Vec::new();
        let mut buffer = [0; 512];
        while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut buffer)? {
                0 => return Ok(false),
                len => asked.extend_from_slice(buffer.get(..len).unwrap_or_default()),
            }
            if asked.len() > 4096 {
                return Ok(false);
            }
        }
        if !asked.starts_with(format!("GET {} HTTP/", self.path).as_bytes()) {
            return Ok(false);
        }
        let location = &self.location;
        write!(
            stream,
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        )?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(handover: &Handover, target: &str) -> (bool, String) {
        let address = handover.listener.local_addr().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let served = loop {
            match handover.listener.accept() {
                Ok((stream, _)) => break handover.answer(stream).unwrap(),
                Err(_) => std::thread::yield_now(),
            }
        };
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (served, answer)
    }

    #[test]
    fn only_who_knows_the_path_is_redirected() {
        let handover = Handover::new("https://prov.example/?pass=secret").unwrap();
        assert!(!handover.serve().unwrap());
        assert_eq!(ask(&handover, "/"), (false, String::new()));
        let (served, answer) = ask(&handover, &handover.path);
        assert!(served);
        assert!(answer.contains("\r\nLocation: https://prov.example/?pass=secret\r\n"));
        assert!(!handover.url().unwrap().contains("secret"));
    }
}
