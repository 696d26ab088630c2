// SPDX-License-Identifier: GPL-2.0-or-later
//! How the program ends.

/// The exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All was done.
    Done = 0,
    /// It could not be done.
    Failed = 1,
    /// It was called in a way there is none.
    Misused = 2,
}

impl<T, E> From<Result<T, E>> for Exit {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(_) => Exit::Done,
            Err(_) => Exit::Failed,
        }
    }
}
