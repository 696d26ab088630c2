// SPDX-License-Identifier: GPL-2.0-or-later
//! JSON objects from a table of members.
//!
//! `serde_json::json!` lays out code to convert and insert each member where it
//! stands; a table costs a router a fraction of that, and addresses need no
//! detour through strings.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use serde_json::{Map, Value};

use crate::map::{Dmr, PortRange};

/// A value as one line. Its `Display` would bring the way to write it as many,
/// and errors that no text in memory has.
pub fn line(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// What a member of an object can hold.
pub trait ToJson {
    /// Its JSON: numbers as numbers, addresses and prefixes as text.
    fn to_json(&self) -> Value;
}

/// An object: `object!["name": &value, …]`. Names are data, and code puts
/// together nothing but the values.
macro_rules! object {
    ($($members:tt)*) => {
        serde_json::Value::Object(members![$($members)*])
    };
}

/// The members of `object!` as a map.
macro_rules! members {
    ($($name:literal: $value:expr),* $(,)?) => {
        $crate::json::members_of(&[$($name),*], &[$($value),*])
    };
}

/// Members from their names and as many values.
pub(crate) fn members_of(names: &[&str], values: &[&dyn ToJson]) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in names.iter().zip(values) {
        map.insert((*name).to_owned(), value.to_json());
    }
    map
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
                Value::from(*self)
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64, usize);

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
mod tests {
    use super::*;
    use serde_json::json;

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
        assert_eq!(made, expected);
    }

    #[test]
    fn the_last_of_two_members_of_a_name_stays() {
        assert_eq!(object!["a": &1u8, "a": &2u8], json!({ "a": 2 }));
    }
}
