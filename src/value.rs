// SPDX-License-Identifier: GPL-2.0-or-later
//! One kind of value for the bus and for JSON: blobmsg's, which tells integers
//! by their width.

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
    /// A number of JSON that is no integer of 64 bits, in its own words: nothing here calculates
    /// with one. The bus has it as a text, and its own DOUBLE arrives as [`Value::Null`].
    Decimal(String),
    /// blobmsg STRING. What is not UTF-8 on the wire arrives as U+FFFD.
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

    /// A table of texts.
    pub fn texts(members: &[(&str, &str)]) -> Self {
        let mut table = Vec::with_capacity(members.len());
        for (name, text) in members {
            table.push(((*name).to_owned(), Value::from(*text)));
        }
        Value::Table(table)
    }

    /// The table with that member, see [`Value::put`].
    ///
    /// ```
    /// # use mape::value::Value;
    /// let v = Value::table().with("action", 0).with("link-up", true);
    /// assert_eq!(v.get("link-up"), Some(&Value::Bool(true)));
    /// ```
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.put(name, value.into());
        self
    }

    /// Sets a member of a table, at the end where it is new; any other value stays as it is.
    pub fn put(&mut self, name: &str, value: Value) {
        if let Value::Table(members) = self {
            put(members, name, value);
        }
    }

    /// Adds a text as [`Value::put`] does.
    pub fn put_text(&mut self, name: &str, text: &str) {
        self.put(name, Value::from(text));
    }

    /// Adds a text where there is one.
    pub fn put_known(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.put_text(name, text);
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
