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

/// Part of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Attr {
    /// The outcome.
    Status(Status),
    /// An object's path, such as `network.interface`.
    ObjPath(String),
    /// An object's number.
    ObjId(u32),
    /// The name of a method or notification.
    Method(String),
    /// The number of an object's type.
    ObjType(u32),
    /// An object's methods: a table of tables.
    Signature(Value),
    /// Arguments or answer: a table.
    Data(Value),
    /// The object to subscribe to.
    Target(u32),
    /// Whether an object has subscribers.
    Active(bool),
    /// The sender wants no status.
    NoReply(bool),
    /// The objects that will get a notification.
    Subscribers(Vec<u32>),
    /// The caller's user name.
    User(String),
    /// The caller's group name.
    Group(String),
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
    pub attrs: Vec<Attr>,
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident: $variant:ident -> $type:ty, $v:ident => $get:expr;)*) => {
        $($(#[$doc])*
        pub fn $name(&self) -> Option<$type> {
            self.attrs.iter().rev().find_map(|attr| match attr {
                Attr::$variant($v) => Some($get),
                _ => None,
            })
        })*
    };
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
    pub fn with(mut self, attr: Attr) -> Self {
        self.attrs.push(attr);
        self
    }

    getters! {
        /// The outcome, if the message has one.
        status: Status -> Status, v => *v;
        /// The object's path.
        objpath: ObjPath -> &str, v => v.as_str();
        /// The object's number.
        objid: ObjId -> u32, v => *v;
        /// The method's name.
        method: Method -> &str, v => v.as_str();
        /// The number of the object's type.
        objtype: ObjType -> u32, v => *v;
        /// The object's methods.
        signature: Signature -> &Value, v => v;
        /// Arguments or answer.
        data: Data -> &Value, v => v;
        /// The object to subscribe to.
        target: Target -> u32, v => *v;
        /// Whether the object has subscribers.
        active: Active -> bool, v => *v;
        /// Whether the sender wants no status.
        no_reply: NoReply -> bool, v => *v;
        /// The objects that will get the notification.
        subscribers: Subscribers -> &[u32], v => v.as_slice();
        /// The caller's user name.
        user: User -> &str, v => v.as_str();
        /// The caller's group name.
        group: Group -> &str, v => v.as_str();
    }

    /// Arguments or answer; an empty table where there is none.
    pub(super) fn into_data(self) -> Value {
        for attr in self.attrs.into_iter().rev() {
            if let Attr::Data(table) = attr {
                return table;
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
        for attr in &self.attrs {
            put_attr(&mut out, attr)?;
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
            message.attrs.extend(attr(raw.id, raw.payload)?);
        }
        Ok(message)
    }
}

fn put_attr(out: &mut Vec<u8>, attr: &Attr) -> Result<(), EncodeError> {
    let id = match attr {
        Attr::Status(_) => 1,
        Attr::ObjPath(_) => 2,
        Attr::ObjId(_) => 3,
        Attr::Method(_) => 4,
        Attr::ObjType(_) => 5,
        Attr::Signature(_) => 6,
        Attr::Data(_) => 7,
        Attr::Target(_) => 8,
        Attr::Active(_) => 9,
        Attr::NoReply(_) => 10,
        Attr::Subscribers(_) => 11,
        Attr::User(_) => 12,
        Attr::Group(_) => 13,
    };
    let number = |out: &mut Vec<u8>, n: u32| out.extend_from_slice(&n.to_be_bytes());
    let start = blob::open(out, id);
    match attr {
        Attr::Status(status) => number(out, status.code()),
        Attr::ObjId(n) | Attr::ObjType(n) | Attr::Target(n) => number(out, *n),
        Attr::Active(flag) | Attr::NoReply(flag) => out.push(u8::from(*flag)),
        Attr::ObjPath(text) | Attr::Method(text) | Attr::User(text) | Attr::Group(text) => {
            blob::put_text(out, text)?;
        }
        Attr::Signature(table) | Attr::Data(table) => {
            let members = table.as_table().ok_or(EncodeError::NotATable)?;
            blob::put_members(out, members, 0)?;
        }
        Attr::Subscribers(ids) => {
            for id in ids {
                let start = blob::open(out, 0);
                number(out, *id);
                blob::close(out, start)?;
            }
        }
    }
    blob::close(out, start)
}

fn attr(id: u8, payload: &[u8]) -> Result<Option<Attr>, DecodeError> {
    let number = |payload: &[u8]| {
        let bytes = payload.try_into().map_err(|_| DecodeError::Size(id))?;
        Ok(u32::from_be_bytes(bytes))
    };
    let flag = || {
        let [byte] = payload.try_into().map_err(|_| DecodeError::Size(id))?;
        Ok(byte != 0)
    };
    let table = || blob::members(payload, 0).map(Value::Table);
    let text = || blob::text(payload).map_err(|_| DecodeError::Size(id));
    Ok(Some(match id {
        1 => Attr::Status(Status::from_code(number(payload)?)),
        2 => Attr::ObjPath(text()?),
        3 => Attr::ObjId(number(payload)?),
        4 => Attr::Method(text()?),
        5 => Attr::ObjType(number(payload)?),
        6 => Attr::Signature(table()?),
        7 => Attr::Data(table()?),
        8 => Attr::Target(number(payload)?),
        9 => Attr::Active(flag()?),
        10 => Attr::NoReply(flag()?),
        11 => {
            let mut ids = Vec::new();
            let mut rest = payload;
            while let Some(raw) = blob::next_attr(&mut rest)? {
                ids.push(number(raw.payload)?);
            }
            Attr::Subscribers(ids)
        }
        12 => Attr::User(text()?),
        13 => Attr::Group(text()?),
        _ => return Ok(None),
    }))
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
