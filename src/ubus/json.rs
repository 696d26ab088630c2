// SPDX-License-Identifier: GPL-2.0-or-later
//! [`Value`] to and from JSON, with the choices `ubus call` makes.

use super::Value;
use serde_json::{Map, Number, Value as Json};

impl From<&Json> for Value {
    /// An integer becomes [`Value::Int32`] where it fits, otherwise [`Value::Int64`] (the
    /// largest, if even that is too small), any other number [`Value::Double`].
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => from_number(n),
            Json::String(s) => Value::String(s.clone()),
            Json::Array(items) => Value::Array(items.iter().map(Value::from).collect()),
            Json::Object(members) => Value::Table(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), Value::from(value)))
                    .collect(),
            ),
        }
    }
}

fn from_number(n: &Number) -> Value {
    if let Some(wide) = n.as_i64() {
        i32::try_from(wide).map_or(Value::Int64(wide), Value::Int32)
    } else if n.is_u64() {
        Value::Int64(i64::MAX)
    } else {
        Value::Double(n.as_f64().unwrap_or(f64::NAN))
    }
}

impl From<&Value> for Json {
    /// Of members with the same name the last stays. A double that is not finite becomes `null`.
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Int16(n) => Json::from(*n),
            Value::Int32(n) => Json::from(*n),
            Value::Int64(n) => Json::from(*n),
            Value::Double(n) => Number::from_f64(*n).map_or(Json::Null, Json::Number),
            Value::String(s) => Json::String(s.clone()),
            Value::Array(items) => Json::Array(items.iter().map(Json::from).collect()),
            Value::Table(members) => {
                let mut map = Map::new();
                for (name, value) in members {
                    map.insert(name.clone(), Json::from(value));
                }
                Json::Object(map)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_survive_the_way_from_json() {
        let v = Value::from(&json!({
            "a": 1460, "b": 2147483648_i64, "c": true, "d": 1.5, "e": "x",
            "f": [null, -2147483648_i64], "g": 18446744073709551615_u64,
        }));
        assert_eq!(v.get("a"), Some(&Value::Int32(1460)));
        assert_eq!(v.get("b"), Some(&Value::Int64(2_147_483_648)));
        assert_eq!(v.get("c"), Some(&Value::Bool(true)));
        assert_eq!(v.get("d"), Some(&Value::Double(1.5)));
        assert_eq!(v.get("e"), Some(&Value::from("x")));
        let f = v.get("f").and_then(Value::as_array).unwrap();
        assert_eq!(f, [Value::Null, Value::Int32(i32::MIN)]);
        assert_eq!(v.get("g"), Some(&Value::Int64(i64::MAX)));
    }

    #[test]
    fn the_last_of_two_members_counts_in_both_views() {
        let v = Value::table().with("mtu", 1280).with("mtu", 1460);
        assert_eq!(v.get("mtu").and_then(Value::as_i64), Some(1460));
        assert_eq!(Json::from(&v), json!({"mtu": 1460}));
    }

    #[test]
    fn a_number_json_cannot_say_is_null() {
        assert_eq!(Json::from(&Value::Double(f64::NAN)), Json::Null);
    }
}
