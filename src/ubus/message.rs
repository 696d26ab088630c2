// SPDX-License-Identifier: GPL-2.0-or-later
//! Frames: an 8-byte header (version, kind, sequence number, peer) and one attribute that
//! holds the others.

use super::{DecodeError, EncodeError, MAX_MESSAGE, Status, Value, blob};

const HEADER: usize = 8;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// What a message is for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $name = $code,)*
        }

        impl Kind {
            fn from_code(code: u8) -> Result<Self, DecodeError> {
                match code {
                    $($code => Ok(Kind::$name),)*
                    other => Err(DecodeError::Type(other)),
                }
            }
        }
    };
}

kinds! {
    /// The server's greeting; its peer is the number of the client.
    Hello = 0,
    /// Ends the answer to a request.
    Status = 1,
    /// Part of an answer.
    Data = 2,
    /// Is anybody there?
    Ping = 3,
    /// Asks for objects by path.
    Lookup = 4,
    /// Calls a method; also how a notification reaches a subscriber.
    Invoke = 5,
    /// Offers an object.
    AddObject = 6,
    /// Takes it back.
    RemoveObject = 7,
    /// Asks for the notifications of an object.
    Subscribe = 8,
    /// Ends that; from the server: the object is gone.
    Unsubscribe = 9,
    /// Sends a notification; from the server: whether anybody listens.
    Notify = 10,
    /// Watches the whole bus.
    Monitor = 11,
}

macro_rules! attrs {
    ($($(#[$doc:meta])* $name:ident = $code:literal: $kind:ident,)*) => {
        /// A part of a message that is used on either side; others are left out when read.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Attr {
            $($(#[$doc])* $name = $code,)*
        }

        impl Attr {
            fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Attr::$name),)*
                    _ => None,
                }
            }

            /// blobmsg's type of its value.
            fn kind(self) -> u8 {
                match self {
                    $(Attr::$name => blob::$kind,)*
                }
            }
        }
    };
}

attrs! {
    /// The outcome: [`Status::code`] as a [`number`].
    Status = 1: INT32,
    /// An object's path, such as `network.interface`.
    ObjPath = 2: STRING,
    /// An object's [`number`].
    ObjId = 3: INT32,
    /// The name of a method or notification.
    Method = 4: STRING,
    /// The [`number`] of an object's type.
    ObjType = 5: INT32,
    /// An object's methods: a table of tables.
    Signature = 6: TABLE,
    /// Arguments or answer: a table.
    Data = 7: TABLE,
    /// The [`number`] of the object to subscribe to.
    Target = 8: INT32,
    /// Whether an object has subscribers.
    Active = 9: INT8,
    /// The sender wants no status.
    NoReply = 10: INT8,
    /// The caller's user name.
    User = 12: STRING,
    /// The caller's group name.
    Group = 13: STRING,
}

/// A number of a client, object or type, which has no sign, as a value.
pub fn number(n: u32) -> Value {
    Value::Int32(n.cast_signed())
}

/// One frame. The order of the attributes is kept, so that what was read can be written back.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// What it is for.
    pub kind: Kind,
    /// Number of the request it belongs to.
    pub seq: u16,
    /// In requests the object, in answers and greetings the client.
    pub peer: u32,
    /// The contents.
    pub attrs: Vec<(Attr, Value)>,
}

impl Message {
    /// A message without contents.
    pub fn new(kind: Kind, seq: u16, peer: u32) -> Self {
        Message {
            kind,
            seq,
            peer,
            attrs: Vec::new(),
        }
    }

    /// Adds an attribute at the end.
    #[must_use]
    pub fn with(mut self, attr: Attr, value: impl Into<Value>) -> Self {
        self.attrs.push((attr, value.into()));
        self
    }

    /// A part of it; of several the last.
    pub fn get(&self, attr: Attr) -> Option<&Value> {
        let mut all = self.attrs.iter().rev();
        all.find(|(a, _)| *a == attr).map(|(_, value)| value)
    }

    /// A part that is a [`number`].
    pub fn number(&self, attr: Attr) -> Option<u32> {
        match self.get(attr)? {
            Value::Int32(n) => Some(n.cast_unsigned()),
            _ => None,
        }
    }

    /// A part that is a text.
    pub fn text(&self, attr: Attr) -> Option<&str> {
        self.get(attr)?.as_str()
    }

    /// The outcome, if the message has one.
    pub fn status(&self) -> Option<Status> {
        self.number(Attr::Status).map(Status::from_code)
    }

    /// The object's number.
    pub fn objid(&self) -> Option<u32> {
        self.number(Attr::ObjId)
    }

    /// Arguments or answer; an empty table where there is none.
    pub(super) fn into_data(self) -> Value {
        for (attr, value) in self.attrs.into_iter().rev() {
            if attr == Attr::Data {
                return value;
            }
        }
        Value::table()
    }

    /// The bytes on the wire.
    ///
    /// # Errors
    /// If it would be too long or deep, or holds a text with a NUL.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = vec![0, self.kind as u8];
        out.extend_from_slice(&self.seq.to_be_bytes());
        out.extend_from_slice(&self.peer.to_be_bytes());
        let start = blob::open(&mut out, 0);
        for (attr, value) in &self.attrs {
            if blob::kind(value) != attr.kind() {
                return Err(EncodeError::Kind);
            }
            let start = blob::open(&mut out, *attr as u8);
            blob::put_payload(&mut out, value, 0)?;
            blob::close(&mut out, start)?;
        }
        blob::close(&mut out, start)?;
        Ok(out)
    }

    /// The message in `frame`, which holds exactly one. Attributes unknown to this version of
    /// the protocol are left out.
    ///
    /// # Errors
    /// If the bytes are no message.
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        let (header, mut body) = frame
            .split_first_chunk::<HEADER>()
            .ok_or(DecodeError::Length)?;
        let [version, kind, s0, s1, p0, p1, p2, p3] = *header;
        if version != 0 {
            return Err(DecodeError::Version(version));
        }
        let outer = blob::next_attr(&mut body)?.ok_or(DecodeError::Length)?;
        if !body.is_empty() {
            return Err(DecodeError::Length);
        }
        let mut message = Message::new(
            Kind::from_code(kind)?,
            u16::from_be_bytes([s0, s1]),
            u32::from_be_bytes([p0, p1, p2, p3]),
        );
        let mut rest = outer.payload;
        while let Some(raw) = blob::next_attr(&mut rest)? {
            if let Some(attr) = Attr::from_code(raw.id) {
                let value = blob::value(attr.kind(), raw.payload, 0)?;
                message.attrs.push((attr, value));
            }
        }
        Ok(message)
    }
}

/// Finds messages in a stream: bytes go in as they come, whole messages come out.
///
/// Half a message stays until the rest arrives, so giving up waiting loses nothing.
#[derive(Debug, Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
}

impl FrameReader {
    /// Takes what was read from the socket.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message that has arrived as a whole.
    ///
    /// # Errors
    /// If the bytes are no message. After an error in a frame's length the stream is lost.
    pub fn next_message(&mut self) -> Result<Option<Message>, DecodeError> {
        let Some(len) = self.buffer.get(HEADER..).and_then(blob::peek_len) else {
            return Ok(None);
        };
        let whole = HEADER + len;
        if whole > MAX_MESSAGE {
            return Err(DecodeError::TooLong(whole));
        }
        let Some(frame) = self.buffer.get(..whole) else {
            return Ok(None);
        };
        let message = Message::decode(frame);
        self.buffer.drain(..whole);
        message.map(Some)
    }
}
