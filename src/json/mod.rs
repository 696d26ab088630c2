// SPDX-License-Identifier: GPL-2.0-or-later
//! JSON as untyped values, for what netifd says. Everything else is read and
//! written by serde.

mod read;
mod write;

pub use read::{MAX_DEPTH, MAX_MEMBERS, Syntax, parse};
pub use write::line;

#[cfg(test)]
pub(crate) mod tests {
    use crate::value::Value;

    /// What a test writes with `json!`.
    pub(crate) fn of(there: serde_json::Value) -> Value {
        super::parse(&there.to_string()).unwrap()
    }
}
