// SPDX-License-Identifier: GPL-2.0-or-later
//! What a command comes to.

use std::fmt::{self, Display};

use crate::reason::{Reason, Tell};
use serde_json::Value;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line itself is wrong: exit status 2.
    #[error("{0}")]
    Usage(Reason),
    /// It was understood but cannot be done: exit status 1.
    #[error("{0}")]
    Failed(Reason),
    /// It could not be done, and all there is to say has been said: exit
    /// status 1.
    #[error("")]
    Said,
}

impl Failure {
    /// A failure of what was asked for.
    pub fn failed(reason: impl Display) -> Box<Self> {
        Failure::because(Failure::Failed, &reason)
    }

    /// A command line that cannot be understood.
    pub fn usage(reason: impl Display) -> Box<Self> {
        Failure::because(Failure::Usage, &reason)
    }

    fn because(kind: fn(Reason) -> Self, reason: &dyn Display) -> Box<Self> {
        Box::new(kind(Reason::Text(reason.to_string())))
    }

    /// A failure that a page can say in another language.
    pub fn told(what: impl Tell) -> Box<Self> {
        Box::new(Failure::Failed(what.reason()))
    }

    /// Its code and arguments, if it has a code.
    pub fn reason(&self) -> Option<Value> {
        match self {
            Failure::Usage(reason) | Failure::Failed(reason) => reason.coded(),
            Failure::Said => None,
        }
    }
}

impl From<fmt::Error> for Box<Failure> {
    fn from(error: fmt::Error) -> Self {
        Failure::failed(error)
    }
}

/// Exit status of a command line that cannot be understood.
pub(super) const MISUSED: u8 = 2;

/// What a command, or a step of it, comes to.
pub type Outcome<T = ()> = Result<T, Box<Failure>>;
