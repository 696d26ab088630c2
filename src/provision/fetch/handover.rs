// SPDX-License-Identifier: GPL-2.0-or-later
//! Handing a URL with secrets to a child that takes URLs only as arguments,
//! which any process of the router can read.
//!
//! The child is given the URL of a server on the loopback interface that
//! redirects it, once, to the real one.
//!
//! `uclient-fetch` sends an account (HTTP Basic) only to servers that asked it
//! for one, and after a redirection only if the first server did. So if the real
//! URL has an account, the child gets one without meaning for our server, which
//! asks for it before it redirects.

use std::io::{self, Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::time::Duration;

/// A server of one answer.
pub(super) struct Handover {
    listener: TcpListener,
    /// Nobody can guess it, so a stranger who tries all ports gets nothing.
    path: String,
    location: String,
    /// What the child sends to our server.
    login: Option<&'static str>,
}

/// The account for our server.
const LOGIN: &str = "mape:mape";

/// Longest wait for the child's request once it has connected.
const PATIENCE: Duration = Duration::from_secs(2);

impl Handover {
    /// A server that redirects to `location`, which has an account before the
    /// host if `has_login`.
    ///
    /// # Errors
    /// No socket, or no random numbers.
    pub(super) fn new(location: &str, has_login: bool) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let random = getrandom::u64().map_err(|_| io::Error::other("no random numbers"))?;
        Ok(Handover {
            listener,
            path: format!("/{random:016x}"),
            location: location.to_owned(),
            login: has_login.then_some(LOGIN),
        })
    }

    /// What the child is given in place of the real URL.
    pub(super) fn url(&self) -> io::Result<String> {
        let port = self.listener.local_addr()?.port();
        let login = self.login.map(|login| format!("{login}@"));
        let login = login.unwrap_or_default();
        Ok(format!("http://{login}[::1]:{port}{}", self.path))
    }

    /// Answers the child if it has asked; says whether it was redirected.
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
        let asked = String::from_utf8_lossy(&asked).to_ascii_lowercase();
        if self.login.is_some() && !asked.contains("\r\nauthorization: basic ") {
            write!(
                stream,
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"mape\"\r\n\
                 Content-Length: 0\r\nConnection: close\r\n\r\n"
            )?;
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
        ask_with(handover, target, "")
    }

    fn ask_with(handover: &Handover, target: &str, fields: &str) -> (bool, String) {
        let address = handover.listener.local_addr().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\n{fields}\r\n").unwrap();
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
        let handover = Handover::new("https://prov.example/?pass=secret", false).unwrap();
        assert!(!handover.serve().unwrap());
        assert_eq!(ask(&handover, "/"), (false, String::new()));
        let (served, answer) = ask(&handover, &handover.path);
        assert!(served);
        assert!(answer.contains("\r\nLocation: https://prov.example/?pass=secret\r\n"));
        assert!(!handover.url().unwrap().contains("secret"));
    }

    #[test]
    fn an_account_is_asked_for_before_it_is_passed_on() {
        let handover = Handover::new("https://user:secret@prov.example/", true).unwrap();
        let url = handover.url().unwrap();
        assert!(url.starts_with("http://mape:mape@[::1]:"), "{url}");
        let (served, answer) = ask(&handover, &handover.path);
        assert!(!served && answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert!(answer.contains("WWW-Authenticate: Basic ") && !answer.contains("secret"));
        let basic = "Authorization: Basic bWFwZTptYXBl\r\n";
        let (served, answer) = ask_with(&handover, &handover.path, basic);
        assert!(served);
        assert!(answer.contains("\r\nLocation: https://user:secret@prov.example/\r\n"));
    }
}
