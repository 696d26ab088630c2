// SPDX-License-Identifier: GPL-2.0-or-later
//! What is wrong, for people and for programs.
//!
//! An error that may end on a page tells its [`Reason`]: a code with arguments,
//! of which LuCI makes a sentence in the user's language, and the same in English.
//! Reasons are nested as the errors are.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::sanitize::one_line;

/// What is wrong. Its `Display` is English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A sentence of ours.
    Said {
        /// Its code and, in English, its text.
        sentence: Sentence,
        /// The arguments, in the order of the sentence.
        args: Vec<Reason>,
    },
    /// Several of equal weight.
    All(Vec<Reason>),
    /// What sentences name, or others' words.
    Text(String),
    /// One that a file has kept.
    Kept {
        /// English.
        text: String,
        /// As [`Reason::to_json`] made it.
        json: String,
    },
}

/// What a reason says but for its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentence {
    /// For programs; it is never given another meaning.
    pub code: &'static str,
    /// English, in which `{name}` stands for an argument.
    pub text: &'static str,
}

impl Sentence {
    /// What is before each name, and the name; last what is after all of them,
    /// with an empty name.
    fn pieces(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.text
            .split('}')
            .map(|piece| piece.split_once('{').unwrap_or((piece, "")))
    }
}

/// What can be said, alone or within a sentence.
pub trait Tell {
    /// As a reason.
    fn reason(&self) -> Reason;
}

/// Most characters of an argument: users and servers have written some of them.
const LONGEST: usize = 200;

/// The reason with that code and English sentence, in which `{name}` stands for
/// an argument: `said!("uplink_down", "{uplink} is not up yet", uplink)`.
/// Arguments come in the order of the sentence; that there are as many as names
/// is checked when the program is built.
macro_rules! said {
    ($code:literal, $text:literal $(, $arg:expr)* $(,)?) => {{
        const _: [&str; $crate::reason::names($text)] = [$(stringify!($arg)),*];
        let sentence = $crate::reason::Sentence { code: $code, text: $text };
        $crate::reason::Reason::of(sentence, &[$(&$arg),*])
    }};
}
pub(crate) use said;

/// The `Display` of types that tell: the sentence.
macro_rules! sentence {
    ($($type:ty),+) => {$(
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::reason::show(self, f)
            }
        }
    )+};
}
pub(crate) use sentence;

/// Displays what is told.
///
/// # Errors
/// Those of `f`.
pub fn show(what: &dyn Tell, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    fmt::Display::fmt(&what.reason(), f)
}

/// How many names there are in a sentence.
pub const fn names(sentence: &str) -> usize {
    let (mut bytes, mut count) = (sentence.as_bytes(), 0);
    while let [first, rest @ ..] = bytes {
        count += (*first == b'{') as usize;
        bytes = rest;
    }
    count
}

impl Reason {
    /// A sentence with its arguments; `said!` counts them.
    pub fn of(sentence: Sentence, args: &[&dyn Tell]) -> Self {
        Reason::Said {
            sentence,
            args: args.iter().map(Tell::reason).collect(),
        }
    }

    /// As the bus has it: `{"code":…,"args":{…}}`, or a text.
    pub fn to_json(&self) -> Value {
        match self {
            Reason::Said { sentence, args } => {
                let mut named = Map::new();
                for ((_, name), arg) in sentence.pieces().zip(args) {
                    named.insert(name.to_owned(), arg.to_json());
                }
                json!({ "code": sentence.code, "args": named })
            }
            Reason::All(all) => all.iter().map(Reason::to_json).collect(),
            Reason::Text(text) => one_line(text, LONGEST).into(),
            Reason::Kept { json, .. } => serde_json::from_str(json).unwrap_or_default(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Said { sentence, args } => {
                let mut args = args.iter();
                for (before, name) in sentence.pieces() {
                    f.write_str(before)?;
                    match args.next() {
                        Some(arg) if !name.is_empty() => arg.fmt(f)?,
                        _ => {}
                    }
                }
                Ok(())
            }
            Reason::All(all) => {
                for (at, one) in all.iter().enumerate() {
                    let between = if at == 0 { "" } else { "; " };
                    write!(f, "{between}{one}")?;
                }
                Ok(())
            }
            Reason::Text(text) | Reason::Kept { text, .. } => f.write_str(text),
        }
    }
}

impl Reason {
    /// The same with every text as `change` makes it, such as without secrets.
    #[must_use]
    pub fn changed(&self, change: &dyn Fn(&str) -> String) -> Self {
        let all = |reasons: &[Reason]| reasons.iter().map(|one| one.changed(change)).collect();
        match self {
            Reason::Said { sentence, args } => Reason::Said {
                sentence: *sentence,
                args: all(args),
            },
            Reason::All(reasons) => Reason::All(all(reasons)),
            Reason::Text(text) => Reason::Text(change(text)),
            Reason::Kept { .. } => self.clone(),
        }
    }

    /// What is displayed, as a name.
    pub fn named(what: &dyn fmt::Display) -> Self {
        Reason::Text(what.to_string())
    }

    /// Code and arguments, if it has a code.
    pub fn coded(&self) -> Option<Value> {
        Some(self.to_json()).filter(Value::is_object)
    }

    /// A sentence from a file or from netifd; `json` is what [`Reason::coded`]
    /// made of it.
    pub fn kept(text: String, json: Option<Value>) -> Self {
        match json {
            Some(json) => Reason::Kept {
                text,
                json: json.to_string(),
            },
            None => Reason::Text(text),
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        Reason::Text(text.into())
    }
}

impl Tell for Reason {
    fn reason(&self) -> Reason {
        self.clone()
    }
}

impl<T: Tell + ?Sized> Tell for &T {
    fn reason(&self) -> Reason {
        (**self).reason()
    }
}

impl<T: Tell + ?Sized> Tell for Box<T> {
    fn reason(&self) -> Reason {
        (**self).reason()
    }
}

/// Types that are named as they are displayed.
macro_rules! named {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::reason::Tell for $type {
            fn reason(&self) -> $crate::reason::Reason {
                $crate::reason::Reason::named(self)
            }
        }
    )+};
}
pub(crate) use named;

/// Sentences in a file of examples; what is nested in them is a text there, or
/// says that the network is unreachable.
#[cfg(test)]
impl<'de> serde::Deserialize<'de> for Reason {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::String(text) => Reason::Text(text),
            json => {
                let reason = io::Error::from(ErrorKind::NetworkUnreachable).reason();
                assert_eq!(reason.to_json(), json);
                reason
            }
        })
    }
}

impl Tell for str {
    fn reason(&self) -> Reason {
        self.into()
    }
}

impl Tell for String {
    fn reason(&self) -> Reason {
        self.as_str().into()
    }
}

named!(
    u8,
    u16,
    u32,
    u64,
    usize,
    Ipv4Addr,
    Ipv6Addr,
    Ipv4Net,
    Ipv6Net,
    fmt::Arguments<'_>,
);

/// The kernel's own words differ from one C library to the next.
impl Tell for io::Error {
    fn reason(&self) -> Reason {
        match self.kind() {
            ErrorKind::ConnectionRefused => said!("connection_refused", "connection refused"),
            ErrorKind::ConnectionReset => said!("connection_reset", "connection reset"),
            ErrorKind::TimedOut => said!("timed_out", "no answer in time"),
            ErrorKind::HostUnreachable => said!("host_unreachable", "host unreachable"),
            ErrorKind::NetworkUnreachable => said!("network_unreachable", "network unreachable"),
            ErrorKind::AddrNotAvailable => said!("no_such_address", "the address is not there"),
            ErrorKind::PermissionDenied => said!("permission_denied", "permission denied"),
            ErrorKind::NotFound => said!("no_such_file", "no such file or directory"),
            ErrorKind::StorageFull => said!("no_space", "no space left"),
            _ => Reason::Text(self.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested() -> Reason {
        let inner = said!("number", "at most {max}", 48u8);
        said!(
            "refused",
            "{option} {value}: {reason}.",
            "ealen",
            "4\n9",
            inner
        )
    }

    #[test]
    fn a_sentence_and_the_same_for_programs() {
        assert_eq!(nested().to_string(), "ealen 4\n9: at most 48.");
        let json = json!({"code": "refused", "args": {
            "option": "ealen", "value": "4 9",
            "reason": {"code": "number", "args": {"max": "48"}},
        }});
        assert_eq!(nested().coded(), Some(json));
        assert_eq!(Reason::from("x").coded(), None);
        let alone = said!("alone", "no names");
        assert_eq!(alone.to_string(), "no names");
        assert_eq!(alone.to_json(), json!({"code": "alone", "args": {}}));
    }

    #[test]
    fn several_of_equal_weight() {
        let both = Reason::All(vec![nested(), "x".into()]);
        assert_eq!(both.to_string(), "ealen 4\n9: at most 48.; x");
        assert_eq!(both.to_json()[1], "x");
    }

    #[test]
    fn texts_can_be_changed_at_any_depth() {
        let hidden = nested().changed(&|text| text.replace("48", "***"));
        assert_eq!(hidden.to_string(), "ealen 4\n9: at most ***.");
    }

    #[test]
    fn one_that_was_kept_says_the_same() {
        let kept = Reason::kept(nested().to_string(), nested().coded());
        assert_eq!(kept.to_string(), nested().to_string());
        assert_eq!(kept.coded(), nested().coded());
        assert_eq!(Reason::kept("old".into(), None), "old".into());
        let outer = said!("outer", "first: {reason}", kept);
        assert_eq!(outer.to_json()["args"]["reason"]["code"], "refused");
    }

    #[test]
    fn what_the_kernel_says_is_told_in_words_of_ours() {
        let refused = io::Error::from(ErrorKind::ConnectionRefused).reason();
        assert_eq!(refused.to_json()["code"], "connection_refused");
        let other = io::Error::from_raw_os_error(7).reason();
        assert!(matches!(other, Reason::Text(_)));
    }
}
