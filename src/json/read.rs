// SPDX-License-Identifier: GPL-2.0-or-later
//! JSON texts (RFC 8259) as values.

use crate::value::{self, Members, Value};

/// Deepest nesting of arrays and objects that is read.
pub const MAX_DEPTH: usize = 100;

/// Most members an object may have: each is looked for among the ones before.
pub const MAX_MEMBERS: usize = 4096;

/// Where a text stops being JSON, and what would have to stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {expected}")]
pub struct Syntax {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is expected there.
    pub expected: &'static str,
}

/// Reads a text that is one value. Of members of the same name the last counts,
/// in the place of the first.
///
/// # Errors
/// Anything but one JSON value; more than [`MAX_DEPTH`] arrays and objects in
/// each other, more than [`MAX_MEMBERS`] members of one object.
pub fn parse(text: &str) -> Result<Value, Syntax> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0).and_then(|value| {
        reader.skip_space();
        match reader.peek() {
            None => Ok(value),
            Some(_) => Err("nothing more may follow"),
        }
    });
    value.map_err(|expected| reader.problem(expected))
}

/// A value, or what is expected instead where the reader stands.
type Read<T> = Result<T, &'static str>;

struct Reader<'a> {
    text: &'a str,
    /// Bytes read, always whole characters.
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().bytes().next()
    }

    /// Goes on over `byte` where it is next.
    fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn problem(&self, expected: &'static str) -> Syntax {
        let before = self.text.get(..self.at).unwrap_or_default();
        let last = before.rsplit('\n').next().unwrap_or_default();
        Syntax {
            line: before.bytes().filter(|&b| b == b'\n').count() + 1,
            column: last.chars().count() + 1,
            expected,
        }
    }

    fn value(&mut self, depth: usize) -> Read<Value> {
        if depth > MAX_DEPTH {
            return Err("arrays and objects are nested too deeply");
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Read<Value> {
        for (word, value) in [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
        ] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err("expected a value")
    }

    fn object(&mut self, depth: usize) -> Read<Value> {
        let mut members = Members::new();
        let mut is_more = self.begins(b'}');
        while is_more {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err("expected a name in quotes");
            }
            let name = self.string()?;
            self.skip_space();
            if !self.skip(b':') {
                return Err("expected a colon");
            }
            if members.len() >= MAX_MEMBERS {
                return Err("the object has too many members");
            }
            let value = self.value(depth + 1)?;
            value::put(&mut members, &name, value);
            is_more = self.goes_on(b'}', "expected a comma or }")?;
        }
        Ok(Value::Table(members))
    }

    fn array(&mut self, depth: usize) -> Read<Value> {
        let mut items = Vec::new();
        let mut is_more = self.begins(b']');
        while is_more {
            items.push(self.value(depth + 1)?);
            is_more = self.goes_on(b']', "expected a comma or ]")?;
        }
        Ok(Value::Array(items))
    }

    /// Goes over the opening bracket; whether anything is in it.
    fn begins(&mut self, end: u8) -> bool {
        self.at += 1;
        self.skip_space();
        !self.skip(end)
    }

    /// Goes over what follows an element; whether another one follows.
    fn goes_on(&mut self, end: u8, expected: &'static str) -> Read<bool> {
        self.skip_space();
        match self.skip(b',') {
            true => Ok(true),
            false if self.skip(end) => Ok(false),
            false => Err(expected),
        }
    }

    fn string(&mut self) -> Read<String> {
        let mut text = String::new();
        self.at += 1;
        loop {
            let rest = self.rest();
            let is_special = |b: &u8| *b < b' ' || *b == b'"' || *b == b'\\';
            let plain = rest.bytes().take_while(|b| !is_special(b)).count();
            text.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escaped()?),
                Some(_) => return Err("a control character must be escaped"),
                None => return Err("expected the quote that ends the text"),
            }
        }
    }

    fn escaped(&mut self) -> Read<char> {
        self.at += 1;
        let letter = self.peek();
        let character = match letter {
            Some(b'"' | b'\\' | b'/') => char::from(letter.unwrap_or_default()),
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => return self.code_point(),
            _ => return Err("no such escape"),
        };
        self.at += 1;
        Ok(character)
    }

    /// `uXXXX`, or two of them that make one character of UTF-16.
    fn code_point(&mut self) -> Read<char> {
        const PAIR: &str = "expected the other half of a surrogate pair";
        let mut code = self.unit()?;
        if let 0xd800..=0xdbff = code {
            if !self.skip(b'\\') {
                return Err(PAIR);
            }
            let low = match self.peek() {
                Some(b'u') => self.unit()?,
                _ => return Err(PAIR),
            };
            let low = low.wrapping_sub(0xdc00);
            if low > 0x3ff {
                return Err(PAIR);
            }
            code = 0x10000 + ((code - 0xd800) << 10) + low;
        }
        char::from_u32(code).ok_or(PAIR)
    }

    /// Four hexadecimal digits after the `u` that is next.
    fn unit(&mut self) -> Read<u32> {
        self.at += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            unit = unit << 4 | digit.ok_or("expected four hexadecimal digits")?;
            self.at += 1;
        }
        Ok(unit)
    }

    fn number(&mut self) -> Read<Value> {
        let start = self.at;
        self.skip(b'-');
        if !self.skip(b'0') {
            self.digits()?;
        }
        if self.skip(b'.') {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if !self.skip(b'-') {
                self.skip(b'+');
            }
            self.digits()?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        Ok(match text.parse::<i64>() {
            Ok(number) => Value::from(number),
            Err(_) => Value::Decimal(text.into()),
        })
    }

    fn digits(&mut self) -> Read<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        match self.at > start {
            true => Ok(()),
            false => Err("expected a digit"),
        }
    }
}
