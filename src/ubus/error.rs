// SPDX-License-Identifier: GPL-2.0-or-later
//! What can go wrong on the bus.

use super::status::Status;
use ::ubus::UbusError;
use nix::errno::Errno;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a request to the bus failed.
#[derive(Debug, Error)]
pub enum Error {
    /// Nothing listens at the socket's path, or it may not be used.
    #[error("cannot connect to ubus at {path}: {cause}", path = .0.to_string_lossy(), cause = reason(*.1))]
    Connect(PathBuf, Errno),
    /// The deadline passed; the text says during what.
    #[error("ubus took too long to {0}")]
    Timeout(&'static str),
    /// The other side closed the connection, or half a message was sent or an
    /// unreadable one received before.
    #[error("the connection to ubus is closed")]
    Closed,
    /// The descriptor given to [`Client::cancel_on`](super::Client::cancel_on) became readable.
    #[error("interrupted while waiting for ubus")]
    Cancelled,
    /// A system call failed.
    #[error("talking to ubus: {}", reason(*.0))]
    Io(Errno),
    /// Nothing on the bus has that path: its daemon is not there, or not yet.
    #[error("nothing on ubus is called {0}")]
    NoObject(String),
    /// What arrived is not a message, or not the answer to the request.
    #[error("ubus sent an unreadable message: {0}")]
    Unreadable(UbusError),
    /// The answer is readable, but not what the method answers with; the text
    /// says why.
    #[error("{0}")]
    Unexpected(String),
    /// What was to be sent is not a message.
    #[error("cannot be sent over ubus: {0}")]
    Unsendable(UbusError),
    /// The bus or the object answered with a status other than [`Status::Ok`].
    #[error("ubus {what}: {status}")]
    Refused {
        /// `object` or `object method`.
        what: String,
        /// The answer.
        status: Status,
    },
}

/// The message of the C library, without the number that std adds.
fn reason(errno: Errno) -> String {
    let text = io::Error::from(errno).to_string();
    let words = text
        .rsplit_once(" (")
        .map_or(text.as_str(), |(words, _)| words);
    words.to_owned()
}

impl Error {
    /// The status the other side answered with, if it answered.
    pub fn status(&self) -> Option<Status> {
        match self {
            Error::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}
