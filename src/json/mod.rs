// SPDX-License-Identifier: GPL-2.0-or-later
//! JSON: read, written as one line, and objects from a table of members.
//!
//! A router pays 25 KB for `serde_json`, most of it for floating point numbers
//! and for being generic, which nothing here needs; this is a quarter of it.
//! Tests and fuzzing read and write everything by both.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::map::{Dmr, PortRange};
use crate::value::{self, Members, Value};

mod read;
mod write;

pub use read::{MAX_DEPTH, MAX_MEMBERS, Syntax, parse};
pub use write::line;

/// What a member of an object can hold.
pub trait ToJson {
    /// Its JSON: numbers as numbers, addresses and prefixes as text.
    fn to_json(&self) -> Value;
}

/// An object: `object!["name": &value, …]`. Names are data, and code puts
/// together nothing but the values.
macro_rules! object {
    ($($members:tt)*) => {
        $crate::value::Value::Table(members![$($members)*])
    };
}

/// The members of `object!`, to add more.
macro_rules! members {
    ($($name:literal: $value:expr),* $(,)?) => {
        $crate::json::members_of(&[$($name),*], &[$($value),*])
    };
}

/// Members from their names and as many values.
pub(crate) fn members_of(names: &[&str], values: &[&dyn ToJson]) -> Members {
    let mut members = Members::new();
    for (name, value) in names.iter().zip(values) {
        value::put(&mut members, name, value.to_json());
    }
    members
}

impl ToJson for bool {
    fn to_json(&self) -> Value {
        Value::Bool(*self)
    }
}

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl ToJson for $kind {
            fn to_json(&self) -> Value {
                (*self as u64).to_json()
            }
        }
    )*};
}

numbers!(u8, u16, u32, usize);

impl ToJson for u64 {
    fn to_json(&self) -> Value {
        i64::try_from(*self).map_or_else(|_| Value::Decimal(self.to_string()), Value::from)
    }
}

impl ToJson for &str {
    fn to_json(&self) -> Value {
        Value::String((*self).to_owned())
    }
}

impl ToJson for String {
    fn to_json(&self) -> Value {
        self.as_str().to_json()
    }
}

macro_rules! texts {
    ($($kind:ty),*) => {$(
        impl ToJson for $kind {
            fn to_json(&self) -> Value {
                Value::String(self.to_string())
            }
        }
    )*};
}

texts!(Ipv4Addr, Ipv6Addr, Ipv4Net, Ipv6Net);

impl ToJson for Dmr {
    fn to_json(&self) -> Value {
        self.prefix().to_json()
    }
}

/// First and last port.
impl ToJson for PortRange {
    fn to_json(&self) -> Value {
        vec![self.first(), self.last()].to_json()
    }
}

impl ToJson for Value {
    fn to_json(&self) -> Value {
        self.clone()
    }
}

impl<T: ToJson> ToJson for &T {
    fn to_json(&self) -> Value {
        (*self).to_json()
    }
}

/// `null` for `None`.
impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_json)
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self) -> Value {
        let mut array = Vec::new();
        for item in self {
            array.push(item.to_json());
        }
        Value::Array(array)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    /// What a test writes with `json!`.
    pub(crate) fn of(there: serde_json::Value) -> Value {
        parse(&there.to_string()).unwrap()
    }

    #[test]
    fn members_become_what_json_makes_of_them() {
        let address = Ipv6Addr::LOCALHOST;
        let made = object![
            "flag": &true,
            "number": &u64::MAX,
            "small": &7u8,
            "text": &"a \"word\"",
            "address": &address,
            "prefix": &Ipv4Net::from(Ipv4Addr::LOCALHOST),
            "nothing": &None::<u16>,
            "something": &Some("x".to_owned()),
            "list": &vec![1u16, 2],
            "inner": &object!["a": &1usize],
        ];
        let expected = json!({
            "flag": true, "number": u64::MAX, "small": 7, "text": "a \"word\"",
            "address": "::1", "prefix": "127.0.0.1/32", "nothing": null,
            "something": "x", "list": [1, 2], "inner": { "a": 1 },
        });
        let read: serde_json::Value = serde_json::from_str(&line(&made)).unwrap();
        assert_eq!(read, expected);
    }

    #[test]
    fn the_last_of_two_members_of_a_name_stays() {
        assert_eq!(line(&object!["a": &1u8, "a": &2u8]), r#"{"a":2}"#);
    }
}
