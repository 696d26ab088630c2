// SPDX-License-Identifier: GPL-2.0-or-later
//! One attempt to ask the line: find the server, ask it, follow it.

use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::answer::{Answer, AnswerError};
use super::request::{Addressed, Request};
use super::schedule::Event;
use super::txt::{self, Certificate, Server, TxtError};
use crate::endpoint::DnsName;
use crate::provision::fetch::{self, Fetch, FetchError};
use crate::provision::http::{self, HttpError, Response, Scheme, UrlError};
use crate::provision::resolve::{self, ResolveError};
use crate::provision::uplink::Uplink;
use crate::reason::{Reason, Tell, said, sentence};

/// What the line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Read and checked.
    pub answer: Answer,
    /// The same as the server wrote it, but for the token: to be kept in a file
    /// that anybody may read.
    pub json: Value,
}

/// Why the line gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// `4over6.info` was not resolved.
    Discovery(ResolveError),
    /// Its TXT record cannot be used.
    Txt(#[from] TxtError),
    /// The server was not reached in the clear.
    Http(#[from] HttpError),
    /// The server was not reached over TLS.
    Fetch(#[from] FetchError),
    /// The server does not know the line (403 or 404).
    UnknownLine {
        /// The server.
        server: String,
        /// Its answer.
        status: u16,
    },
    /// The server answered with another status than 200.
    Status {
        /// The server.
        server: String,
        /// Its answer.
        status: u16,
    },
    /// A redirection that leads nowhere.
    NoLocation {
        /// The server.
        server: String,
    },
    /// A redirection to what cannot be used.
    Location {
        /// The server.
        server: String,
        /// What is wrong with it.
        error: UrlError,
    },
    /// A server whose certificate was verified redirects to one without.
    Downgrade {
        /// The server.
        server: String,
    },
    /// More redirections than [`MAX_REDIRECTS`].
    TooManyRedirects,
    /// The answer cannot be used.
    Answer {
        /// The server.
        server: String,
        /// What is wrong with it.
        error: AnswerError,
    },
}

impl Tell for AskError {
    fn reason(&self) -> Reason {
        match self {
            Self::Discovery(error) => error.reason(),
            Self::Txt(error) => error.reason(),
            Self::Http(error) => error.reason(),
            Self::Fetch(error) => error.reason(),
            Self::UnknownLine { server, status } => said!(
                "ask_unknown_line",
                "{server} does not know this line (HTTP status {status})",
                server,
                status
            ),
            Self::Status { server, status } => said!(
                "ask_status",
                "{server} answers with HTTP status {status}",
                server,
                status
            ),
            Self::NoLocation { server } => said!(
                "ask_no_location",
                "{server} redirects without saying where to",
                server
            ),
            Self::Location { server, error } => said!(
                "ask_location",
                "{server} redirects to a URL that cannot be used: {reason}",
                server,
                error
            ),
            Self::Downgrade { server } => said!(
                "ask_downgrade",
                "{server} redirects from https to http, which the TXT record forbids",
                server
            ),
            Self::TooManyRedirects => said!(
                "ask_too_many_redirects",
                "the provisioning servers redirect more than {count} times",
                MAX_REDIRECTS
            ),
            Self::Answer { server, error } => {
                said!("about", "{name}: {reason}", server, error)
            }
        }
    }
}

sentence!(AskError);

/// Most redirections that are followed.
pub const MAX_REDIRECTS: usize = 5;

/// Before this the router's clock has not been set: 2026-11-01.
const CLOCK_IS_SET: Duration = Duration::from_secs(1_793_491_200);

impl AskError {
    /// What the attempt counts as in the [schedule](super::schedule).
    pub fn event(&self) -> Event {
        match self {
            AskError::Discovery(error) if error.is_absence() => Event::NoRecord,
            AskError::Discovery(_) => Event::NoDns,
            // A record that is none of the protocol's counts as no record.
            AskError::Txt(_) => Event::NoRecord,
            AskError::Fetch(FetchError::Certificate(_)) if !clock_is_set() => Event::NoClock,
            _ => Event::NoAnswer,
        }
    }
}

fn clock_is_set() -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.is_ok_and(|now| now >= CLOCK_IS_SET)
}

/// Asks the line what it offers.
///
/// # Errors
/// Any step that failed; nothing has been changed then.
pub fn ask(request: &Request, uplink: &Uplink) -> Result<Reply, AskError> {
    ask_server(discover(uplink)?, request, uplink)
}

/// The server that the line's TXT record names.
///
/// # Errors
/// There is no record, or it cannot be used.
pub fn discover(uplink: &Uplink) -> Result<Server, AskError> {
    let name: Result<DnsName, _> = txt::NAME.parse();
    let name = name.map_err(|_| TxtError::Missing("v"))?;
    let records = resolve::txt(&name, uplink).map_err(AskError::Discovery)?;
    Ok(Server::from_records(&records)?)
}

/// Asks that server, or the one that it redirects to.
///
/// # Errors
/// None of them gave a valid answer.
pub fn ask_server(
    mut server: Server,
    request: &Request,
    uplink: &Uplink,
) -> Result<Reply, AskError> {
    let deadline = Instant::now() + uplink.patience;
    for _ in 0..=MAX_REDIRECTS {
        let name = server.url.host().to_string();
        let addressed = request.to(&server).map_err(|error| AskError::Location {
            server: name.clone(),
            error,
        })?;
        let response = get(&server, &addressed, uplink, deadline)?;
        match response.status {
            200 => {
                return read(&response.body).map_err(|error| AskError::Answer {
                    server: name,
                    error,
                });
            }
            307 => server = redirected(&server, &response)?,
            status @ (403 | 404) => {
                return Err(AskError::UnknownLine {
                    server: name,
                    status,
                });
            }
            status => {
                return Err(AskError::Status {
                    server: name,
                    status,
                });
            }
        }
    }
    Err(AskError::TooManyRedirects)
}

fn read(body: &[u8]) -> Result<Reply, AnswerError> {
    let answer = Answer::parse(body)?;
    let mut json: Value =
        serde_json::from_slice(body).map_err(|error| AnswerError::Json(error.to_string()))?;
    if let Some(members) = json.as_object_mut() {
        members.remove("token");
    }
    Ok(Reply { answer, json })
}

fn get(
    server: &Server,
    addressed: &Addressed,
    uplink: &Uplink,
    deadline: Instant,
) -> Result<Response, AskError> {
    match server.url.scheme() {
        Scheme::Http => Ok(http::get(&addressed.url, None, uplink, deadline)?),
        Scheme::Https => {
            let verify = server.certificate == Certificate::Verified;
            let response = fetch::get(Fetch {
                url: addressed.url.expose(),
                server: &server.url.host().to_string(),
                verify,
                is_secret: addressed.is_secret,
                has_login: false,
                deadline,
            })?;
            // It may have come in the clear: whoever is to be verified is asked
            // himself.
            Ok(match verify && response.location.is_some() {
                true => Response {
                    status: 307,
                    body: Vec::new(),
                    ..response
                },
                false => response,
            })
        }
    }
}

/// The server that `response` of `server` redirects to.
fn redirected(server: &Server, response: &Response) -> Result<Server, AskError> {
    let name = || server.url.host().to_string();
    let location = response.location.as_deref();
    let location = location.ok_or_else(|| AskError::NoLocation { server: name() })?;
    let url = server.url.join(location);
    let url = url.map_err(|error| AskError::Location {
        server: name(),
        error,
    })?;
    // The same again, of which only the scheme can have changed, and is not told.
    let is_other = url.scheme() == Scheme::Http || url == server.url;
    if server.certificate == Certificate::Verified && is_other {
        return Err(AskError::Downgrade { server: name() });
    }
    Ok(Server {
        url,
        certificate: server.certificate,
    })
}
