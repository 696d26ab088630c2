// SPDX-License-Identifier: GPL-2.0-or-later
//! The values of blobmsg, ubus's counterpart of JSON.

/// A typed value; tables keep the order of their members.
///
/// The receiver checks the kind, not only the number: netifd takes `mtu` as [`Value::Int32`]
/// and `link-up` as [`Value::Bool`], and nothing else.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value: JSON's `null`, blobmsg's unspecified type.
    Null,
    /// blobmsg INT8, which the bus uses for truth values only.
    Bool(bool),
    /// blobmsg INT16.
    Int16(i16),
    /// blobmsg INT32. Unsigned numbers of other programs arrive as their two's complement.
    Int32(i32),
    /// blobmsg INT64.
    Int64(i64),
    /// blobmsg DOUBLE.
    Double(f64),
    /// blobmsg STRING. What is not UTF-8 on the wire arrives as U+FFFD.
    String(String),
    /// An ordered list.
    Array(Vec<Value>),
    /// Named members in order; a name may occur twice, see [`Value::get`].
    Table(Vec<(String, Value)>),
}

impl Value {
    /// An empty table: the argument of a method that takes none.
    pub fn table() -> Self {
        Value::Table(Vec::new())
    }

    /// A table of texts.
    pub fn texts(members: &[(&str, &str)]) -> Self {
        let mut table = Vec::with_capacity(members.len());
        for (name, text) in members {
            table.push(((*name).to_owned(), Value::from(*text)));
        }
        Value::Table(table)
    }

    /// Adds a member at the end of a table and returns it; any other value stays as it is.
    ///
    /// ```
    /// # use mape::ubus::Value;
    /// let v = Value::table().with("action", 0).with("link-up", true);
    /// assert_eq!(v.get("link-up"), Some(&Value::Bool(true)));
    /// ```
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.put(name, value.into());
        self
    }

    /// Adds a member at the end of a table; any other value stays as it is.
    pub fn put(&mut self, name: &str, value: Value) {
        if let Value::Table(members) = self {
            members.push((name.to_owned(), value));
        }
    }

    /// The member of that name. Of several the last counts, as for a JSON parser.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let members = self.as_table()?;
        let (_, value) = members.iter().rev().find(|(n, _)| n == name)?;
        Some(value)
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

    /// The number in a double.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Double(n) => Some(*n),
            _ => None,
        }
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

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Value::Int64(n)
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
