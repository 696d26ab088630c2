// SPDX-License-Identifier: GPL-2.0-or-later
//! The body of an HTTP/1.1 answer (RFC 9112 sections 6 and 7), as it arrives.

use crate::reason::{Reason, Tell, said, sentence};

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes.
    Length(usize),
    /// With a chunk of length 0.
    Chunked,
    /// When the server closes the connection.
    UntilClosed,
}

/// Why a body was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More than [`MAX_BODY`].
    TooLong,
    /// The connection ended before the body did.
    Cut,
    /// A chunk without a length.
    Chunk,
}

impl Tell for BodyError {
    fn reason(&self) -> Reason {
        match self {
            Self::TooLong => said!("body_too_long", "the server's answer is longer than 1 MiB"),
            Self::Cut => said!("body_cut", "the server's answer is cut off"),
            Self::Chunk => said!("body_chunk", "the server's answer has an invalid chunk"),
        }
    }
}

sentence!(BodyError);

/// Longest body, in bytes: a hundred times what the largest answer takes.
pub const MAX_BODY: usize = 1 << 20;

/// Longest line with the length of a chunk.
const MAX_CHUNK_LINE: usize = 1024;

/// A body, as far as it has arrived.
#[derive(Debug)]
pub struct Body {
    framing: Framing,
    /// Without the transfer coding.
    content: Vec<u8>,
    /// What has not been decoded yet.
    rest: Vec<u8>,
    /// Bytes of the current chunk still to come, its line end included.
    chunk_left: usize,
    is_complete: bool,
}

impl Body {
    /// A body of which nothing has arrived.
    ///
    /// # Errors
    /// It will be too long.
    pub fn new(framing: Framing) -> Result<Self, BodyError> {
        if matches!(framing, Framing::Length(len) if len > MAX_BODY) {
            return Err(BodyError::TooLong);
        }
        Ok(Body {
            framing,
            content: Vec::new(),
            rest: Vec::new(),
            chunk_left: 0,
            is_complete: framing == Framing::Length(0),
        })
    }

    /// Whether nothing more has to arrive.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Takes what has arrived next.
    ///
    /// # Errors
    /// It is too long or has no legal transfer coding.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), BodyError> {
        match self.framing {
            Framing::Length(len) => {
                self.append(bytes)?;
                self.content.truncate(len);
                self.is_complete = self.content.len() == len;
            }
            Framing::UntilClosed => self.append(bytes)?,
            Framing::Chunked => {
                self.rest.extend_from_slice(bytes);
                self.decode()?;
            }
        }
        Ok(())
    }

    /// The content, once the server has closed the connection or the body is
    /// complete.
    ///
    /// # Errors
    /// Something is missing.
    pub fn finish(self) -> Result<Vec<u8>, BodyError> {
        match self.is_complete || self.framing == Framing::UntilClosed {
            true => Ok(self.content),
            false => Err(BodyError::Cut),
        }
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), BodyError> {
        if self.content.len() + bytes.len() > MAX_BODY {
            return Err(BodyError::TooLong);
        }
        self.content.extend_from_slice(bytes);
        Ok(())
    }

    /// Decodes as many chunks as have arrived. A trailer is not waited for.
    fn decode(&mut self) -> Result<(), BodyError> {
        /// After each chunk's data.
        const LINE_END: usize = 2;
        let rest = std::mem::take(&mut self.rest);
        let mut rest = rest.as_slice();
        while !rest.is_empty() && !self.is_complete {
            if self.chunk_left == 0 {
                match httparse::parse_chunk_size(rest) {
                    Ok(httparse::Status::Complete((line, size))) => {
                        let size = usize::try_from(size).unwrap_or(usize::MAX);
                        if size > MAX_BODY {
                            return Err(BodyError::TooLong);
                        }
                        rest = rest.get(line..).unwrap_or_default();
                        self.is_complete = size == 0;
                        self.chunk_left = size + LINE_END;
                    }
                    Ok(httparse::Status::Partial) if rest.len() <= MAX_CHUNK_LINE => break,
                    _ => return Err(BodyError::Chunk),
                }
                continue;
            }
            let (now, later) = rest.split_at(rest.len().min(self.chunk_left));
            let data = self.chunk_left.saturating_sub(LINE_END).min(now.len());
            let (data, line_end) = now.split_at(data);
            if !line_end.iter().all(|b| matches!(b, b'\r' | b'\n')) {
                return Err(BodyError::Chunk);
            }
            self.append(data)?;
            self.chunk_left -= now.len();
            rest = later;
        }
        self.rest = rest.to_vec();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(framing: Framing, parts: &[&[u8]]) -> Result<Vec<u8>, BodyError> {
        let mut body = Body::new(framing)?;
        for part in parts {
            body.push(part)?;
        }
        body.finish()
    }

    #[test]
    fn bodies_end_as_they_say() {
        assert_eq!(
            body(Framing::Length(5), &[b"he", b"lloXX"]),
            Ok(b"hello".to_vec())
        );
        assert_eq!(body(Framing::Length(5), &[b"hell"]), Err(BodyError::Cut));
        assert_eq!(body(Framing::Length(0), &[]), Ok(Vec::new()));
        assert_eq!(
            body(Framing::UntilClosed, &[b"he", b"llo"]),
            Ok(b"hello".to_vec())
        );
        assert_eq!(
            body(Framing::Length(MAX_BODY + 1), &[]),
            Err(BodyError::TooLong)
        );
        let half = vec![b'x'; MAX_BODY / 2 + 1];
        assert_eq!(
            body(Framing::UntilClosed, &[&half, &half]),
            Err(BodyError::TooLong)
        );
    }

    #[test]
    fn chunks_may_be_cut_anywhere() {
        let coded = b"3\r\nhel\r\n2;name=value\r\nlo\r\n0\r\n\r\n";
        for at in 0..=coded.len() {
            let (one, two) = coded.split_at(at);
            assert_eq!(
                body(Framing::Chunked, &[one, two]),
                Ok(b"hello".to_vec()),
                "{at}"
            );
        }
        let each: Vec<&[u8]> = coded.chunks(1).collect();
        assert_eq!(body(Framing::Chunked, &each), Ok(b"hello".to_vec()));
    }

    #[test]
    fn chunks_that_are_none() {
        let chunked = |bytes: &[u8]| body(Framing::Chunked, &[bytes]);
        assert_eq!(chunked(b"3\r\nhel\r\n"), Err(BodyError::Cut));
        assert_eq!(chunked(b"nonsense\r\n"), Err(BodyError::Chunk));
        assert_eq!(chunked(b"3\r\nhello\r\n0\r\n"), Err(BodyError::Chunk));
        assert_eq!(chunked(b"ffffffff\r\n"), Err(BodyError::TooLong));
        assert_eq!(chunked(&[b'1'; 2000]), Err(BodyError::Chunk));
        let mut many = Vec::new();
        for _ in 0..=MAX_BODY / 65536 {
            many.extend_from_slice(b"10000\r\n");
            many.extend_from_slice(&vec![b'x'; 65536]);
            many.extend_from_slice(b"\r\n");
        }
        assert_eq!(chunked(&many), Err(BodyError::TooLong));
    }
}
