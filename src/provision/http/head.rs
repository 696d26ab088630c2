// SPDX-License-Identifier: GPL-2.0-or-later
//! The head of an HTTP/1.1 answer (RFC 9112).

use super::body::Framing;
use crate::reason::{Reason, Tell, said, sentence};

/// What matters of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Status code.
    pub status: u16,
    /// `Location`, as it stands there.
    pub location: Option<String>,
    /// How the body ends.
    pub framing: Framing,
}

/// Why a head was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Not HTTP.
    Syntax,
    /// More than [`MAX_HEAD`] bytes or [`MAX_FIELDS`] fields.
    TooLong,
    /// `Content-Length` that is no number, or several that differ.
    Length,
    /// A transfer coding other than `chunked`.
    Coding,
}

impl Tell for HeadError {
    fn reason(&self) -> Reason {
        match self {
            Self::Syntax => said!("head_syntax", "the server does not answer in HTTP"),
            Self::TooLong => said!(
                "head_too_long",
                "the head of the server's answer is too long"
            ),
            Self::Length => said!(
                "head_length",
                "the server's answer has an invalid Content-Length"
            ),
            Self::Coding => said!(
                "head_coding",
                "the server's answer has a transfer coding that is not supported"
            ),
        }
    }
}

sentence!(HeadError);

/// Longest head, in bytes.
pub const MAX_HEAD: usize = 16 * 1024;

/// Most fields of a head.
pub const MAX_FIELDS: usize = 64;

impl Head {
    /// Reads the head at the beginning of `bytes`, and says where the body
    /// begins. `None` while it is not complete. Interim answers (1xx) are heads
    /// like any other.
    ///
    /// # Errors
    /// It is no head, or one that cannot be dealt with.
    pub fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, HeadError> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut response = httparse::Response::new(&mut fields);
        let len = match response.parse(bytes) {
            Ok(httparse::Status::Complete(len)) if len <= MAX_HEAD => len,
            Ok(httparse::Status::Partial) if bytes.len() <= MAX_HEAD => return Ok(None),
            Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooLong),
            Err(_) => return Err(HeadError::Syntax),
        };
        let status = response.code.ok_or(HeadError::Syntax)?;
        let fields = &*response.headers;
        let head = Head {
            status,
            location: text(fields, "Location").next().map(str::to_owned),
            framing: framing(status, fields)?,
        };
        Ok(Some((head, len)))
    }
}

/// The values of the fields of that name; those that are not ASCII are left
/// out.
fn text<'a>(
    fields: &'a [httparse::Header<'a>],
    name: &'a str,
) -> impl Iterator<Item = &'a str> + 'a {
    let named = fields
        .iter()
        .filter(move |field| field.name.eq_ignore_ascii_case(name));
    named.filter_map(|field| str::from_utf8(field.value).ok().map(str::trim))
}

/// RFC 9112 section 6.3.
fn framing(status: u16, fields: &[httparse::Header<'_>]) -> Result<Framing, HeadError> {
    if matches!(status, 100..200 | 204 | 304) {
        return Ok(Framing::Length(0));
    }
    let mut codings = text(fields, "Transfer-Encoding");
    match (codings.next(), codings.next()) {
        (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => {
            return Ok(Framing::Chunked);
        }
        (None, _) => {}
        _ => return Err(HeadError::Coding),
    }
    let mut lengths = text(fields, "Content-Length");
    let Some(length) = lengths.next() else {
        return Ok(Framing::UntilClosed);
    };
    // A sign would be read, too.
    let is_number = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
    if !is_number || lengths.any(|other| other != length) {
        return Err(HeadError::Length);
    }
    // Longer than can be counted is longer than is allowed.
    Ok(Framing::Length(length.parse().unwrap_or(usize::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Result<Option<(Head, usize)>, HeadError> {
        Head::read(head.as_bytes())
    }

    fn framing_of(fields: &str) -> Result<Framing, HeadError> {
        let head = read(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n"))?;
        Ok(head.unwrap().0.framing)
    }

    #[test]
    fn a_head_is_read_once_it_is_complete() {
        let text = "HTTP/1.1 307 Temporary Redirect\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n";
        for end in 0..text.len() {
            assert_eq!(read(&text[..end]), Ok(None), "{end}");
        }
        let (head, len) = read(&format!("{text}body")).unwrap().unwrap();
        assert_eq!((head.status, len), (307, text.len()));
        assert_eq!(head.location.as_deref(), Some("/x"));
    }

    #[test]
    fn how_the_body_ends() {
        assert_eq!(framing_of(""), Ok(Framing::UntilClosed));
        assert_eq!(framing_of("Content-Length: 5\r\n"), Ok(Framing::Length(5)));
        let both = "Content-Length: 5\r\nTransfer-Encoding: Chunked\r\n";
        assert_eq!(framing_of(both), Ok(Framing::Chunked));
        let twice = "Content-Length: 5\r\nContent-Length: 5\r\n";
        assert_eq!(framing_of(twice), Ok(Framing::Length(5)));
        let differ = "Content-Length: 5\r\nContent-Length: 6\r\n";
        assert_eq!(framing_of(differ), Err(HeadError::Length));
        assert_eq!(framing_of("Content-Length: +5\r\n"), Err(HeadError::Length));
        assert_eq!(framing_of("Content-Length: -1\r\n"), Err(HeadError::Length));
        let huge = framing_of("Content-Length: 99999999999999999999\r\n");
        assert_eq!(huge, Ok(Framing::Length(usize::MAX)));
        let gzip = "Transfer-Encoding: gzip, chunked\r\n";
        assert_eq!(framing_of(gzip), Err(HeadError::Coding));
        let (head, _) = read("HTTP/1.1 204 No Content\r\n\r\n").unwrap().unwrap();
        assert_eq!(head.framing, Framing::Length(0));
    }

    #[test]
    fn what_is_no_head() {
        assert_eq!(read("SSH-2.0-OpenSSH\r\n\r\n"), Err(HeadError::Syntax));
        let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n", "a".repeat(MAX_HEAD));
        assert_eq!(read(&long), Err(HeadError::TooLong));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(65));
        assert_eq!(read(&many), Err(HeadError::TooLong));
    }
}
