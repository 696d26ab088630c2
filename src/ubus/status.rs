// SPDX-License-Identifier: GPL-2.0-or-later
//! The answer every request ends with.

use std::fmt;

/// Status code of an answer; displays as what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 0: done.
    Ok,
    /// 1: the bus does not know this kind of message.
    InvalidCommand,
    /// 2: an argument is missing, or of the wrong type or value.
    InvalidArgument,
    /// 3: the object has no such method.
    MethodNotFound,
    /// 4: no such object, or none of what the arguments name.
    NotFound,
    /// 5: there is no answer.
    NoData,
    /// 6: the caller may not do that, or not now.
    PermissionDenied,
    /// 7: the callee took too long.
    Timeout,
    /// 8: the callee does not do that.
    NotSupported,
    /// 9: something else went wrong; netifd says this of a tunnel it could not make.
    UnknownError,
    /// 10: the callee is gone.
    ConnectionFailed,
    /// 11: out of memory.
    NoMemory,
    /// 12: the message could not be read.
    ParseError,
    /// 13: a system call of the callee failed.
    SystemError,
    /// A code that is not in the protocol.
    Other(u32),
}

const KNOWN: [(Status, &str); 14] = [
    (Status::Ok, "done"),
    (Status::InvalidCommand, "invalid command"),
    (Status::InvalidArgument, "invalid argument"),
    (Status::MethodNotFound, "no such method"),
    (Status::NotFound, "not found"),
    (Status::NoData, "no answer"),
    (Status::PermissionDenied, "permission denied"),
    (Status::Timeout, "timed out"),
    (Status::NotSupported, "not supported"),
    (Status::UnknownError, "failed for a reason it does not say"),
    (Status::ConnectionFailed, "connection failed"),
    (Status::NoMemory, "out of memory"),
    (Status::ParseError, "message not understood"),
    (Status::SystemError, "system error"),
];

impl Status {
    /// The status of that code.
    pub fn from_code(code: u32) -> Self {
        usize::try_from(code)
            .ok()
            .and_then(|i| KNOWN.get(i))
            .map_or(Status::Other(code), |(status, _)| *status)
    }

    /// The code as a message has it.
    pub fn code(self) -> u32 {
        match self {
            Status::Other(code) => code,
            _ => KNOWN
                .iter()
                .zip(0_u32..)
                .find(|((status, _), _)| *status == self)
                .map_or(0, |(_, code)| code),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match KNOWN.iter().find(|(status, _)| status == self) {
            Some((_, text)) => write!(f, "{text} (status {})", self.code()),
            None => write!(f, "unknown status {}", self.code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_agree() {
        for code in 0..20 {
            assert_eq!(Status::from_code(code).code(), code);
        }
        assert_eq!(Status::from_code(6), Status::PermissionDenied);
        assert_eq!(Status::from_code(9).code(), 9);
        assert_eq!(Status::from_code(13), Status::SystemError);
        assert_eq!(Status::NotFound.to_string(), "not found (status 4)");
        assert_eq!(Status::from_code(77).to_string(), "unknown status 77");
    }
}
