// SPDX-License-Identifier: GPL-2.0-or-later
//! JSON objects that other people write, read member by member so that an
//! error says which key it is about.

use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Error, Map, Value};

/// The members of an object that have not been read yet.
#[derive(Debug, Clone)]
pub struct Members(Map<String, Value>);

/// A member that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberError {
    /// Where it is, such as `map_e.rules[3].ipv4`; empty for the object itself.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

/// A type that is written as an object.
pub trait FromMembers: Sized {
    /// Reads the object.
    ///
    /// # Errors
    /// The first member that is missing or wrong.
    fn from_members(members: Members) -> Result<Self, MemberError>;

    /// Reads a value that must be an object.
    ///
    /// # Errors
    /// As [`FromMembers::from_members`], and for any other value.
    fn from_value(value: Value) -> Result<Self, MemberError> {
        match value {
            Value::Object(members) => Self::from_members(Members(members)),
            _ => Err(MemberError {
                path: String::new(),
                reason: "must be an object".into(),
            }),
        }
    }
}

impl Members {
    /// Refuses keys other than these.
    pub fn only(&self, keys: &'static [&'static str]) -> Result<(), MemberError> {
        match self.0.keys().find(|key| !keys.contains(&key.as_str())) {
            Some(key) => Err(MemberError::new(key, &Error::unknown_field(key, keys))),
            None => Ok(()),
        }
    }

    /// The value of `key`; `None` if it is missing or null.
    pub fn optional<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>, MemberError> {
        Ok(self
            .optional_with(key, serde_json::from_value::<Option<T>>)?
            .flatten())
    }

    /// The value of `key` as `read` understands it; `None` if it is missing.
    pub fn optional_with<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(Value) -> Result<T, Error>,
    ) -> Result<Option<T>, MemberError> {
        let value = self.0.remove(key).map(read).transpose();
        value.map_err(|error| MemberError::new(key, &error))
    }

    /// The value of `key`, which must be there.
    pub fn required<T: DeserializeOwned>(&mut self, key: &'static str) -> Result<T, MemberError> {
        self.required_with(key, serde_json::from_value)
    }

    /// The value of `key`, which must be there, as `read` understands it.
    pub fn required_with<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(Value) -> Result<T, Error>,
    ) -> Result<T, MemberError> {
        self.optional_with(key, read)?
            .ok_or_else(|| MemberError::missing(key))
    }

    /// The object of `key`; `None` if it is missing or null.
    pub fn object<T: FromMembers>(&mut self, key: &str) -> Result<Option<T>, MemberError> {
        match self.0.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => T::from_value(value)
                .map(Some)
                .map_err(|error| error.below(key)),
        }
    }

    /// The objects in the array of `key`; `None` if it is missing.
    pub fn objects<T: FromMembers>(&mut self, key: &str) -> Result<Option<Vec<T>>, MemberError> {
        let Some(values) = self.optional_with(key, serde_json::from_value::<Vec<Value>>)? else {
            return Ok(None);
        };
        let objects = values.into_iter().enumerate().map(|(at, value)| {
            T::from_value(value).map_err(|error| error.below(&format!("{key}[{at}]")))
        });
        objects.collect::<Result<_, _>>().map(Some)
    }

    /// The objects in the array of `key`, which must be there.
    pub fn required_objects<T: FromMembers>(
        &mut self,
        key: &'static str,
    ) -> Result<Vec<T>, MemberError> {
        self.objects(key)?.ok_or_else(|| MemberError::missing(key))
    }
}

impl MemberError {
    fn new(path: &str, error: &Error) -> Self {
        MemberError {
            path: path.into(),
            reason: error.to_string(),
        }
    }

    fn missing(key: &'static str) -> Self {
        MemberError::new("", &Error::missing_field(key))
    }

    /// The same error as the object sees it that holds this one as `key`.
    fn below(self, key: &str) -> Self {
        let path = match self.path.as_str() {
            "" => key.into(),
            path => format!("{key}.{path}"),
        };
        MemberError { path, ..self }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Outer {
        inner: Option<Inner>,
        list: Option<Vec<Inner>>,
    }

    #[derive(Debug, PartialEq)]
    struct Inner {
        size: u8,
        name: Option<String>,
    }

    impl FromMembers for Outer {
        fn from_members(mut members: Members) -> Result<Self, MemberError> {
            members.only(&["inner", "list"])?;
            Ok(Outer {
                inner: members.object("inner")?,
                list: members.objects("list")?,
            })
        }
    }

    impl FromMembers for Inner {
        fn from_members(mut members: Members) -> Result<Self, MemberError> {
            Ok(Inner {
                size: members.required("size")?,
                name: members.optional("name")?,
            })
        }
    }

    #[test]
    fn members_may_be_missing_or_null() {
        let outer = Outer::from_value(json!({"inner": null, "list": [{"size": 1, "name": null}]}));
        let inner = Inner {
            size: 1,
            name: None,
        };
        let expected = Outer {
            inner: None,
            list: Some(vec![inner]),
        };
        assert_eq!(outer, Ok(expected));
    }

    #[test]
    fn errors_name_the_key() {
        let error = |value| {
            let MemberError { path, reason } = Outer::from_value(value).unwrap_err();
            format!("{path}: {reason}")
        };
        assert_eq!(error(json!([])), ": must be an object");
        assert_eq!(
            error(json!({"name": 1})),
            "name: unknown field `name`, expected `inner` or `list`"
        );
        assert_eq!(error(json!({"inner": {}})), "inner: missing field `size`");
        assert_eq!(
            error(json!({"list": [{"size": 1}, {"size": 256}]})),
            "list[1].size: invalid value: integer `256`, expected u8"
        );
        assert_eq!(
            error(json!({"list": {}})),
            "list: invalid type: map, expected a sequence"
        );
    }
}
