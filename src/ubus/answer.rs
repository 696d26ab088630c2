// SPDX-License-Identifier: GPL-2.0-or-later
//! Tables of typed members, as they cross the bus.

use ::ubus::blobmsg::{lookup, to_json};
use ::ubus::{BlobIter, BlobType, UbusError};

use ubus::BlobMsgTable as Arguments;

use super::error::Error;

/// Deepest nesting of arrays and tables that is read or sent.
pub const MAX_DEPTH: usize = 32;

/// A table that came over the bus: the answer of a method, or what a
/// notification says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer(Vec<u8>);

impl Answer {
    /// The table whose members are `bytes`, in blobmsg's encoding.
    pub fn new(bytes: Vec<u8>) -> Self {
        Answer(bytes)
    }

    /// The text of a member; `None` if it is missing or of another type.
    pub fn text(&self, name: &str) -> Option<&str> {
        lookup(&self.0, name)?.as_str()
    }

    /// The truth value of a member; `None` if it is missing or of another type.
    pub fn flag(&self, name: &str) -> Option<bool> {
        lookup(&self.0, name)?.as_bool()
    }

    /// The whole table as JSON. INT8 is a truth value, as it is for OpenWrt's
    /// own tools; text that is not UTF-8 is `null`, because one odd byte must
    /// not hide all the rest.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if the table is malformed or nested deeper than
    /// [`MAX_DEPTH`].
    pub fn to_json(&self) -> Result<String, Error> {
        // The crate's own writer of JSON ends silently at what it cannot read,
        // and follows any nesting.
        check(&self.0, 0, &readable).map_err(Error::Unreadable)?;
        Ok(to_json(&self.0, true))
    }
}

/// Refuses arguments that the receiver would not read as they are meant: a
/// text with a NUL ends there.
pub(super) fn sendable(arguments: &Arguments) -> Result<(), Error> {
    check(arguments.contents(), 0, &sent).map_err(Error::Unsendable)
}

type Test = dyn Fn(BlobType, &[u8]) -> Result<(), UbusError>;

/// Looks at every value of a table or array, at any depth.
fn check(members: &[u8], depth: usize, test: &Test) -> Result<(), UbusError> {
    if depth > MAX_DEPTH {
        return Err(UbusError::Malformed("nested too deep"));
    }
    let mut all = BlobIter::new(members);
    while let Some(member) = all.try_next()? {
        match member.ty {
            BlobType::Array | BlobType::Table => check(member.payload, depth + 1, test)?,
            kind => test(kind, member.payload)?,
        }
    }
    Ok(())
}

fn readable(kind: BlobType, payload: &[u8]) -> Result<(), UbusError> {
    let is_readable = match kind {
        BlobType::Int8 => payload.len() == 1,
        BlobType::Int16 => payload.len() == 2,
        BlobType::Int32 => payload.len() == 4,
        BlobType::Int64 => payload.len() == 8,
        // JSON has no infinity.
        BlobType::Double => {
            <[u8; 8]>::try_from(payload).is_ok_and(|bytes| f64::from_be_bytes(bytes).is_finite())
        }
        BlobType::String => payload.last() == Some(&0),
        BlobType::Unspec | BlobType::Array | BlobType::Table => true,
    };
    match is_readable {
        true => Ok(()),
        false => Err(UbusError::Malformed("a value has the wrong size")),
    }
}

fn sent(kind: BlobType, payload: &[u8]) -> Result<(), UbusError> {
    let text = payload.split_last().map_or(payload, |(_, text)| text);
    match kind == BlobType::String && text.contains(&0) {
        true => Err(UbusError::Malformed("a text with a NUL character")),
        false => Ok(()),
    }
}
