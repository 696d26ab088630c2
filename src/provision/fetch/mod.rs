// SPDX-License-Identifier: GPL-2.0-or-later
//! HTTPS by `uclient-fetch`, which is in every image of OpenWrt: a TLS library
//! of our own would be three times as large as the rest of the program.
//!
//! It resolves names and chooses the source address by itself, and follows
//! redirections without asking us; `docs/hb46pp.md` says what that means.

mod handover;

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::http::Response;
use super::http::body::MAX_BODY;
use crate::paths::rooted;
use crate::reason::{Reason, Tell, said, sentence};
use handover::Handover;

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// There is no such program.
    Missing,
    /// The program has no TLS library.
    NoTls,
    /// The certificate is not trusted, not valid now or for another name.
    Certificate(String),
    /// No connection, or it broke.
    Connection(String),
    /// It took too long and was killed.
    Timeout(String),
    /// More than 1 MiB.
    TooLong(String),
    /// The program could not be started or heard.
    Io(#[from] io::Error),
}

impl Tell for FetchError {
    fn reason(&self) -> Reason {
        match self {
            Self::Missing => said!(
                "fetch_missing",
                "https needs uclient-fetch, which is not installed"
            ),
            Self::NoTls => said!(
                "fetch_no_tls",
                "https needs a TLS library: install libustream-mbedtls and ca-bundle"
            ),
            Self::Certificate(server) => said!(
                "fetch_certificate",
                "the certificate of {server} is not accepted",
                server
            ),
            Self::Connection(server) => said!(
                "fetch_connection",
                "cannot get an answer from {server} over https",
                server
            ),
            Self::Timeout(server) => {
                said!("server_timeout", "{server} does not answer in time", server)
            }
            Self::TooLong(server) => said!(
                "fetch_too_long",
                "the answer of {server} is longer than 1 MiB",
                server
            ),
            Self::Io(reason) => said!("fetch_io", "uclient-fetch: {reason}", reason),
        }
    }
}

sentence!(FetchError);

/// What is fetched, and how.
#[derive(Clone, Copy)]
pub struct Fetch<'a> {
    /// The URL, which may hold secrets, with user name and password before the
    /// host if they are to be sent as HTTP Basic.
    pub url: &'a str,
    /// The server, for messages.
    pub server: &'a str,
    /// Whether the server's certificate is verified.
    pub verify: bool,
    /// Whether the URL holds a secret, which must not become an argument of a
    /// program.
    pub is_secret: bool,
    /// Whether the URL has user name and password before the host.
    pub has_login: bool,
    /// When to give up.
    pub deadline: Instant,
}

/// Time between two looks at the child.
const NAP: Duration = Duration::from_millis(10);

/// Its exit status after a certificate was refused.
const CERTIFICATE_REFUSED: i32 = 5;

/// Most that is read of what it says.
const MAX_SAID: u64 = 16 * 1024;

/// Where OpenWrt has it.
fn program() -> Option<PathBuf> {
    let places = ["/bin/uclient-fetch", "/usr/bin/uclient-fetch"];
    places.map(rooted).into_iter().find(|place| place.is_file())
}

/// Fetches by a GET request. A redirection has been followed already, to
/// whatever scheme and port; `location` of the answer then says where, but for
/// these, as a URL of https.
///
/// # Errors
/// There is no answer. One with an error status is an answer.
pub fn get(fetch: Fetch<'_>) -> Result<Response, FetchError> {
    let program = program().ok_or(FetchError::Missing)?;
    let handover = match fetch.is_secret {
        true => Some(Handover::new(fetch.url, fetch.has_login)?),
        false => None,
    };
    let url = match &handover {
        Some(handover) => handover.url()?,
        None => fetch.url.to_owned(),
    };
    let (mut content, mut said) = (nameless()?, nameless()?);
    let seconds = fetch.deadline.saturating_duration_since(Instant::now());
    let seconds = seconds.as_secs().max(1);
    let child = command(&program, &url, seconds, fetch.verify)
        .stdout(content.try_clone()?)
        .stderr(said.try_clone()?)
        .spawn()?;
    let status = wait(child, &fetch, handover, &content)?;
    let (mut body, mut words) = (Vec::new(), Vec::new());
    content.rewind()?;
    content.read_to_end(&mut body)?;
    said.rewind()?;
    said.take(MAX_SAID).read_to_end(&mut words)?;
    let server = || fetch.server.to_owned();
    let words = String::from_utf8_lossy(&words);
    match (status, outcome(&words)) {
        (Some(0), _) => Ok(Response {
            location: redirected(&words, usize::from(fetch.is_secret)),
            ..answer(200, body)
        }),
        (Some(CERTIFICATE_REFUSED), _) => Err(FetchError::Certificate(server())),
        (_, Outcome::Status(status)) => Ok(answer(status, Vec::new())),
        (_, Outcome::NoTls) => Err(FetchError::NoTls),
        (_, Outcome::Other) => Err(FetchError::Connection(server())),
    }
}

fn command(program: &Path, url: &str, seconds: u64, verify: bool) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stdin(Stdio::null());
    // A proxy of the environment would answer for another line.
    command.args(["-6", "-Y", "off", "-O", "-", "-T", &seconds.to_string()]);
    if !verify {
        command.arg("--no-check-certificate");
    }
    command.arg(url);
    command
}

fn answer(status: u16, body: Vec<u8>) -> Response {
    Response {
        status,
        location: None,
        body,
    }
}

/// A file in memory, so that there is no pipe that the child could block on.
fn nameless() -> io::Result<File> {
    Ok(memfd_create(c"mape", MFdFlags::MFD_CLOEXEC)?.into())
}

/// Waits for the child's end, and answers its first request if the URL is
/// handed over. Its exit status; `None` if a signal ended it.
fn wait(
    child: Child,
    fetch: &Fetch<'_>,
    mut handover: Option<Handover>,
    content: &File,
) -> Result<Option<i32>, FetchError> {
    let mut child = Killed(child);
    loop {
        if let Some(status) = child.0.try_wait()? {
            return Ok(status.code());
        }
        if let Some(waiting) = &handover
            && waiting.serve()?
        {
            handover = None;
        }
        if content.metadata()?.len() > MAX_BODY as u64 {
            return Err(FetchError::TooLong(fetch.server.to_owned()));
        }
        if Instant::now() >= fetch.deadline {
            return Err(FetchError::Timeout(fetch.server.to_owned()));
        }
        thread::sleep(NAP);
    }
}

/// A child that does not outlive its handle.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// The server answered with that status.
    Status(u16),
    NoTls,
    Other,
}

/// Where the last redirection led that came after `ours`.
fn redirected(said: &str, ours: usize) -> Option<String> {
    let all = said
        .lines()
        .filter_map(|line| line.strip_prefix("Redirected to "));
    let (path, host) = all.skip(ours).last()?.rsplit_once(" on ")?;
    let host = match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    };
    Some(format!("https://{host}{path}"))
}

/// What the program's messages mean. They may quote the URL, and are never
/// shown.
fn outcome(said: &str) -> Outcome {
    let status = said
        .lines()
        .find_map(|line| line.strip_prefix("HTTP error "));
    match status.and_then(|status| status.trim().parse().ok()) {
        Some(status) => Outcome::Status(status),
        None if said.contains("SSL support not available") => Outcome::NoTls,
        None => Outcome::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirections_of_others() {
        let ours = "Downloading 'http://[::1]:1/x'\nRedirected to /config?a=b on prov.example\n";
        assert_eq!(redirected(ours, 1), None);
        let theirs = format!("{ours}Redirected to /on on b.example\nRedirected to / on ::2\n");
        assert_eq!(redirected(&theirs, 1).as_deref(), Some("https://[::2]/"));
        let one = "Redirected to /on on b.example\n";
        assert_eq!(redirected(one, 0).as_deref(), Some("https://b.example/on"));
    }

    #[test]
    fn messages_of_the_program() {
        let started = "Downloading 'http://[::1]:1/x'\n";
        let of = |said: &str| outcome(&format!("{started}{said}\n"));
        assert_eq!(of("HTTP error 403"), Outcome::Status(403));
        let tls = "uclient-fetch: SSL support not available, please install one of the ";
        assert_eq!(of(tls), Outcome::NoTls);
        assert_eq!(of("Connection error: Connection failed"), Outcome::Other);
        assert_eq!(of("HTTP error x"), Outcome::Other);
    }
}
