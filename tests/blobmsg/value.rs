// SPDX-License-Identifier: GPL-2.0-or-later
//! Values as blobmsg tells them apart: integers by their width.

use super::message::members;
use mape::ubus::{Answer, Arguments};
use ubus::blob::{align4, encode_into};
use ubus::{BlobType, UbusError};

/// Named members in order. A name may occur twice; the last counts.
pub type Members = Vec<(String, Value)>;

/// A typed value; tables keep the order of their members.
///
/// On the bus the receiver checks the kind, not only the number: netifd takes `mtu` as
/// [`Value::Int32`] and `link-up` as [`Value::Bool`], and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Value {
    /// No value: JSON's `null`, blobmsg's unspecified type.
    #[default]
    Null,
    /// blobmsg INT8, which the bus uses for truth values only.
    Bool(bool),
    /// blobmsg INT16.
    Int16(i16),
    /// blobmsg INT32. Unsigned numbers of other programs arrive as their two's complement.
    Int32(i32),
    /// blobmsg INT64.
    Int64(i64),
    /// blobmsg STRING.
    String(String),
    /// An ordered list.
    Array(Vec<Value>),
    /// JSON's object, see [`Value::get`].
    Table(Members),
}

impl Value {
    /// An empty table: the argument of a method that takes none.
    pub fn table() -> Self {
        Value::Table(Vec::new())
    }

    /// The table with that member, see [`Value::set`].
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value.into());
        self
    }

    /// Sets a member of a table, at the end where it is new; any other value stays as it is.
    pub fn set(&mut self, name: &str, value: Value) {
        if let Value::Table(members) = self {
            put(members, name, value);
        }
    }

    /// The member of that name. Of several the last counts, as for a JSON parser.
    pub fn get(&self, name: &str) -> Option<&Value> {
        get(self.as_table()?, name)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(s) => Some(s),
            _ => None,
        }
    }

    /// The number in an integer of any width; a truth value is none.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int16(n) => Some(i64::from(*n)),
            Value::Int32(n) => Some(i64::from(*n)),
            Value::Int64(n) => Some(*n),
            _ => None,
        }
    }

    /// The number in an integer that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        u64::try_from(self.as_i64()?).ok()
    }

    /// The truth value.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members of a table.
    pub fn as_table(&self) -> Option<&[(String, Value)]> {
        match self {
            Value::Table(members) => Some(members),
            _ => None,
        }
    }
}

impl Value {
    /// The value of that type in `payload`.
    pub fn read(kind: BlobType, payload: &[u8]) -> Result<Self, UbusError> {
        let wrong = |_| UbusError::Malformed("a value has the wrong size");
        Ok(match kind {
            BlobType::Unspec => Value::Null,
            BlobType::Array => Value::Array(
                members(payload)?
                    .into_iter()
                    .map(|(_, value)| value)
                    .collect(),
            ),
            BlobType::Table => Value::Table(members(payload)?),
            BlobType::String => {
                let text = payload.split(|byte| *byte == 0).next().unwrap_or_default();
                Value::String(String::from_utf8_lossy(text).into_owned())
            }
            BlobType::Int64 => Value::Int64(i64::from_be_bytes(payload.try_into().map_err(wrong)?)),
            BlobType::Int32 => Value::Int32(i32::from_be_bytes(payload.try_into().map_err(wrong)?)),
            BlobType::Int16 => Value::Int16(i16::from_be_bytes(payload.try_into().map_err(wrong)?)),
            BlobType::Int8 => Value::Bool(payload != [0]),
            BlobType::Double => return Err(UbusError::Malformed("a double")),
        })
    }

    fn kind(&self) -> BlobType {
        match self {
            Value::Null => BlobType::Unspec,
            Value::Array(_) => BlobType::Array,
            Value::Table(_) => BlobType::Table,
            Value::String(_) => BlobType::String,
            Value::Int64(_) => BlobType::Int64,
            Value::Int32(_) => BlobType::Int32,
            Value::Int16(_) => BlobType::Int16,
            Value::Bool(_) => BlobType::Int8,
        }
    }

    /// Its bytes, without a header.
    pub fn payload(&self) -> Vec<u8> {
        let named = |name: &str, value: &Value| {
            let len = u16::try_from(name.len()).unwrap();
            let mut inner = [&len.to_be_bytes(), name.as_bytes(), &[0]].concat();
            inner.resize(align4(inner.len()), 0);
            inner.extend(value.payload());
            let mut bytes = Vec::new();
            encode_into(&mut bytes, value.kind() as u8, true, &inner);
            bytes
        };
        match self {
            Value::Null => Vec::new(),
            Value::Bool(b) => vec![u8::from(*b)],
            Value::Int16(n) => n.to_be_bytes().into(),
            Value::Int32(n) => n.to_be_bytes().into(),
            Value::Int64(n) => n.to_be_bytes().into(),
            Value::String(s) => [s.as_bytes(), &[0]].concat(),
            Value::Table(members) => members.iter().flat_map(|(n, v)| named(n, v)).collect(),
            Value::Array(items) => items.iter().flat_map(|v| named("", v)).collect(),
        }
    }

    /// The table as the client takes it for arguments.
    pub fn to_arguments(&self) -> Arguments {
        let Value::Table(members) = self else {
            panic!("arguments are a table");
        };
        Arguments::build(|builder| {
            for (name, value) in members {
                value.put(builder, Some(name));
            }
        })
    }

    fn put(&self, builder: &mut mape::ubus::Builder, name: Option<&str>) {
        match self {
            Value::Null => builder.put_null(name),
            Value::Bool(b) => builder.put_bool(name, *b),
            Value::Int16(_) => panic!("the crate's builder has no INT16"),
            Value::Int32(n) => builder.put_i32(name, *n),
            Value::Int64(n) => builder.put_i64(name, *n),
            Value::String(s) => builder.put_str(name, s),
            Value::Table(members) => {
                builder.open_table(name);
                for (name, value) in members {
                    value.put(builder, Some(name));
                }
                builder.close_table();
            }
            Value::Array(items) => {
                builder.open_array(name);
                for value in items {
                    value.put(builder, None);
                }
                builder.close_array();
            }
        }
    }

    /// The table as the client returns it from a call.
    pub fn to_answer(&self) -> Answer {
        Answer::new(self.payload())
    }

    /// What JSON makes of it: integers of any width are numbers.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::from_str(&self.to_answer().to_json().unwrap()).unwrap()
    }
}

/// As `ubus call` and netifd read JSON: numbers in the least width that is in use.
impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(b),
            serde_json::Value::Number(n) => Value::from(n.as_i64().unwrap()),
            serde_json::Value::String(s) => Value::String(s),
            serde_json::Value::Array(items) => {
                Value::Array(items.into_iter().map(Value::from).collect())
            }
            serde_json::Value::Object(members) => {
                let members = members.into_iter();
                Value::Table(members.map(|(name, v)| (name, Value::from(v))).collect())
            }
        }
    }
}

/// The member of that name; of several the last.
pub fn get<'a>(members: &'a [(String, Value)], name: &str) -> Option<&'a Value> {
    let mut all = members.iter().rev();
    all.find(|(n, _)| n == name).map(|(_, value)| value)
}

/// Sets a member, at the end where it is new.
pub fn put(members: &mut Members, name: &str, value: Value) {
    match members.iter_mut().rev().find(|(n, _)| n == name) {
        Some((_, place)) => *place = value,
        None => members.push((name.to_owned(), value)),
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::Bool(b)
    }
}

impl From<i32> for Value {
    fn from(n: i32) -> Self {
        Value::Int32(n)
    }
}

/// In the least width of the bus's that holds it and is in use, as `ubus call` chooses it.
impl From<i64> for Value {
    fn from(n: i64) -> Self {
        i32::try_from(n).map_or(Value::Int64(n), Value::Int32)
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Value::String(s.to_owned())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Value::String(s)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Value::Array(items)
    }
}

impl From<Members> for Value {
    fn from(members: Members) -> Self {
        Value::Table(members)
    }
}
