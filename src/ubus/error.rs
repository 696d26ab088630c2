// SPDX-License-Identifier: GPL-2.0-or-later
//! What can go wrong on the bus.

use super::{MAX_DEPTH, MAX_MESSAGE, Status};
use nix::errno::Errno;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why bytes are not a message or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// An attribute reaches past the end of what encloses it, or ends inside its own header.
    #[error("an attribute reaches past its end")]
    Length,
    /// The length in a frame's header is beyond [`MAX_MESSAGE`].
    #[error("a message of {0} bytes; at most {MAX_MESSAGE} are allowed")]
    TooLong(usize),
    /// A frame of another protocol version.
    #[error("protocol version {0}; only version 0 is known")]
    Version(u8),
    /// A value type, or the type of a message, that the protocol does not have.
    #[error("unknown type {0}")]
    Type(u8),
    /// A number, string or name whose length does not fit its type.
    #[error("a value of type {0} has the wrong size")]
    Size(u8),
    /// Arrays and tables nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    Depth,
}

/// Why a value or message cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// The message would be longer than [`MAX_MESSAGE`].
    #[error("a message of {0} bytes; at most {MAX_MESSAGE} are allowed")]
    TooLong(usize),
    /// A name or text contains a NUL, at which the receiver would stop reading.
    #[error("a text with a NUL character")]
    Nul,
    /// A member's name longer than 65535 bytes.
    #[error("a name of {0} bytes; at most 65535 are allowed")]
    Name(usize),
    /// Arrays and tables nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    Depth,
    /// A part of a message of another type than it has, such as a method's argument that is no
    /// [`Table`](super::Value::Table).
    #[error("a method's argument must be a table")]
    Kind,
}

/// Why a request to the bus failed.
#[derive(Debug, Error)]
pub enum Error {
    /// Nothing listens at the socket's path, or it may not be used.
    #[error("cannot connect to ubus at {path}: {cause}", path = .0.to_string_lossy(), cause = reason(*.1))]
    Connect(PathBuf, Errno),
    /// The deadline passed; the text says during what.
    #[error("ubus took too long to {0}")]
    Timeout(&'static str),
    /// The other side closed the connection, or it became unusable after half a message.
    #[error("the connection to ubus is closed")]
    Closed,
    /// The descriptor given to [`Client::cancel_on`](super::Client::cancel_on) became readable.
    #[error("interrupted while waiting for ubus")]
    Cancelled,
    /// A system call failed.
    #[error("talking to ubus: {}", reason(*.0))]
    Io(Errno),
    /// What arrived is not a message. The connection cannot be used any more.
    #[error("ubus sent an unreadable message: {0}")]
    Decode(#[from] DecodeError),
    /// What was to be sent is not a message.
    #[error("cannot be sent over ubus: {0}")]
    Encode(#[from] EncodeError),
    /// The bus or the object answered with a status other than [`Status::Ok`].
    #[error("ubus {what}: {status}")]
    Refused {
        /// `object` or `object method`.
        what: String,
        /// The answer.
        status: Status,
    },
}

/// In the words of the C library, which every router has: nix's own table of
/// them takes 5 KB.
fn reason(errno: Errno) -> String {
    let text = io::Error::from(errno).to_string();
    // The number tells people nothing.
    let words = text
        .rsplit_once('(')
        .map_or(text.as_str(), |(words, _)| words);
    words.trim_end().to_owned()
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
