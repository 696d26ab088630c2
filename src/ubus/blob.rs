// SPDX-License-Identifier: GPL-2.0-or-later
//! Attributes as bytes: a header word (1 bit "has a name", 7 bits type, 24 bits length with the
//! header), the payload, zeros up to a multiple of four. Everything is big-endian.

use super::{DecodeError, EncodeError, MAX_DEPTH, MAX_MESSAGE};
use crate::value::{Members, Value};

const HEADER: usize = 4;
const NAMED: u8 = 0x80;
const LENGTH: u32 = 0x00ff_ffff;

const UNSPECIFIED: u8 = 0;
const ARRAY: u8 = 1;
pub(super) const TABLE: u8 = 2;
pub(super) const STRING: u8 = 3;
const INT64: u8 = 4;
pub(super) const INT32: u8 = 5;
const INT16: u8 = 6;
pub(super) const INT8: u8 = 7;
const DOUBLE: u8 = 8;

const fn padded(len: usize) -> usize {
    len.next_multiple_of(4)
}

/// One attribute as it lies in the bytes.
pub(super) struct RawAttr<'a> {
    pub id: u8,
    named: bool,
    pub payload: &'a [u8],
}

/// Length in the header word at the start of `bytes`, if there are four bytes.
pub(super) fn peek_len(bytes: &[u8]) -> Option<usize> {
    let word = u32::from_be_bytes(*bytes.first_chunk()?);
    usize::try_from(word & LENGTH).ok()
}

/// Splits the first attribute off; `None` at the end.
pub(super) fn next_attr<'a>(rest: &mut &'a [u8]) -> Result<Option<RawAttr<'a>>, DecodeError> {
    if rest.is_empty() {
        return Ok(None);
    }
    let (header, _) = rest.split_first_chunk().ok_or(DecodeError::Length)?;
    let word = u32::from_be_bytes(*header);
    let len = usize::try_from(word & LENGTH).map_err(|_| DecodeError::Length)?;
    let payload = rest.get(HEADER..len).ok_or(DecodeError::Length)?;
    // The padding of the last attribute may be missing.
    *rest = rest.get(padded(len)..).unwrap_or_default();
    let [first, ..] = *header;
    Ok(Some(RawAttr {
        id: first & !NAMED,
        named: first & NAMED != 0,
        payload,
    }))
}

/// Begins an attribute and returns where: [`close`] ends it there once the
/// payload has been appended.
pub(super) fn open(out: &mut Vec<u8>, id: u8) -> usize {
    let start = out.len();
    out.extend_from_slice(&[id, 0, 0, 0]);
    start
}

/// Ends the attribute that was begun at `start`.
pub(super) fn close(out: &mut Vec<u8>, start: usize) -> Result<(), EncodeError> {
    let len = out.len() - start;
    if out.len() > MAX_MESSAGE {
        return Err(EncodeError::TooLong(out.len()));
    }
    // No message is so long that the length would reach into the first byte.
    if let Some([_, length @ ..]) = out.get_mut(start..start + HEADER) {
        let [_, high, middle, low] = (len as u32).to_be_bytes();
        length.copy_from_slice(&[high, middle, low]);
    }
    out.resize(start + padded(len), 0);
    Ok(())
}

/// Appends a C string: the text and a NUL.
fn put_text(out: &mut Vec<u8>, text: &str) -> Result<(), EncodeError> {
    if text.as_bytes().contains(&0) {
        return Err(EncodeError::Nul);
    }
    out.extend_from_slice(text.as_bytes());
    out.push(0);
    Ok(())
}

/// Reads a C string: must end with a NUL, counts up to the first.
fn text(payload: &[u8]) -> Result<String, DecodeError> {
    let (last, _) = payload.split_last().ok_or(DecodeError::Size(STRING))?;
    if *last != 0 {
        return Err(DecodeError::Size(STRING));
    }
    let end = payload.iter().position(|&b| b == 0).unwrap_or_default();
    let bytes = payload.get(..end).unwrap_or_default();
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// The type of a value.
pub(super) fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => UNSPECIFIED,
        Value::Array(_) => ARRAY,
        Value::Table(_) => TABLE,
        Value::String(_) | Value::Decimal(_) => STRING,
        Value::Int64(_) => INT64,
        Value::Int32(_) => INT32,
        Value::Int16(_) => INT16,
        Value::Bool(_) => INT8,
    }
}

fn put_value(
    out: &mut Vec<u8>,
    name: &str,
    value: &Value,
    depth: usize,
) -> Result<(), EncodeError> {
    let inner = depth + 1;
    if inner > MAX_DEPTH {
        return Err(EncodeError::Depth);
    }
    let start = open(out, NAMED | kind(value));
    put_name(out, name)?;
    put_payload(out, value, inner)?;
    close(out, start)
}

/// Appends what a value consists of, at that depth, without a header.
pub(super) fn put_payload(
    out: &mut Vec<u8>,
    value: &Value,
    depth: usize,
) -> Result<(), EncodeError> {
    match value {
        Value::Null => {}
        Value::Bool(b) => out.push(u8::from(*b)),
        Value::Int16(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::Int32(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::Int64(n) => out.extend_from_slice(&n.to_be_bytes()),
        Value::String(s) | Value::Decimal(s) => put_text(out, s)?,
        Value::Table(members) => {
            for (name, value) in members {
                put_value(out, name, value, depth)?;
            }
        }
        Value::Array(items) => {
            for item in items {
                put_value(out, "", item, depth)?;
            }
        }
    }
    Ok(())
}

fn put_name(out: &mut Vec<u8>, name: &str) -> Result<(), EncodeError> {
    let len = u16::try_from(name.len()).map_err(|_| EncodeError::Name(name.len()))?;
    let start = out.len();
    out.extend_from_slice(&len.to_be_bytes());
    put_text(out, name)?;
    let used = out.len() - start;
    out.resize(start + padded(used), 0);
    Ok(())
}

/// Reads the members of a table up to the end of `bytes`.
fn members(mut bytes: &[u8], depth: usize) -> Result<Members, DecodeError> {
    let mut found = Vec::new();
    while let Some(attr) = next_attr(&mut bytes)? {
        found.push(named_value(&attr, depth)?);
    }
    Ok(found)
}

fn named_value(attr: &RawAttr<'_>, depth: usize) -> Result<(String, Value), DecodeError> {
    let (name, payload) = if attr.named {
        split_name(attr)?
    } else {
        (String::new(), attr.payload)
    };
    Ok((name, value(attr.id, payload, depth + 1)?))
}

fn split_name<'a>(attr: &RawAttr<'a>) -> Result<(String, &'a [u8]), DecodeError> {
    let wrong = DecodeError::Size(attr.id);
    let (len, rest) = attr.payload.split_first_chunk().ok_or(wrong)?;
    let len = usize::from(u16::from_be_bytes(*len));
    let name = text(rest.get(..=len).ok_or(wrong)?).map_err(|_| wrong)?;
    let payload = attr.payload.get(padded(2 + len + 1)..).ok_or(wrong)?;
    Ok((name, payload))
}

/// The value of that kind in `payload`, which lies that deep.
pub(super) fn value(kind: u8, payload: &[u8], depth: usize) -> Result<Value, DecodeError> {
    if depth > MAX_DEPTH {
        return Err(DecodeError::Depth);
    }
    let wrong = |_| DecodeError::Size(kind);
    Ok(match kind {
        UNSPECIFIED => Value::Null,
        ARRAY => {
            let mut items = Vec::new();
            for (_, item) in members(payload, depth)? {
                items.push(item);
            }
            Value::Array(items)
        }
        TABLE => Value::Table(members(payload, depth)?),
        STRING => Value::String(text(payload)?),
        INT64 => Value::Int64(i64::from_be_bytes(payload.try_into().map_err(wrong)?)),
        INT32 => Value::Int32(i32::from_be_bytes(payload.try_into().map_err(wrong)?)),
        INT16 => Value::Int16(i16::from_be_bytes(payload.try_into().map_err(wrong)?)),
        INT8 => {
            let [byte] = payload.try_into().map_err(wrong)?;
            Value::Bool(byte != 0)
        }
        // Nothing here wants one.
        DOUBLE if payload.len() == 8 => Value::Null,
        DOUBLE => return Err(DecodeError::Size(kind)),
        other => return Err(DecodeError::Type(other)),
    })
}
