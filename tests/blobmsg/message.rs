// SPDX-License-Identifier: GPL-2.0-or-later
//! Messages.

use super::Value;
use mape::ubus::Status;
use ubus::envelope::{EnvBuilder, iter_attrs, unwrap};
use ubus::wire::{Codec, Frame, HEADER_SIZE};
use ubus::{BlobIter, BlobType, UbusError};

pub use ubus::MsgType as Kind;
pub use ubus::envelope::UbusAttr as Attr;

/// A number of a client, object or type, which has no sign, as a value.
pub fn number(n: u32) -> Value {
    Value::Int32(n.cast_signed())
}

/// One message. The order of the attributes is kept, so that what was read can be written back.
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

    pub fn number(&self, attr: Attr) -> Option<u32> {
        match self.get(attr)? {
            Value::Int32(n) => Some(n.cast_unsigned()),
            _ => None,
        }
    }

    pub fn text(&self, attr: Attr) -> Option<&str> {
        self.get(attr)?.as_str()
    }

    pub fn status(&self) -> Option<Status> {
        self.number(Attr::Status).map(Status::from_code)
    }

    pub fn objid(&self) -> Option<u32> {
        self.number(Attr::ObjId)
    }

    pub fn frame(&self) -> Frame {
        let mut envelope = EnvBuilder::new();
        for (attr, value) in &self.attrs {
            envelope.push_bytes_id(*attr as u8, &value.payload());
        }
        Frame::to_peer(self.kind, self.seq, self.peer, envelope.finish())
    }

    pub fn encode(&self) -> Vec<u8> {
        Codec::write_frame(&self.frame())
    }

    pub fn from_frame(frame: &Frame) -> Result<Self, UbusError> {
        let mut message = Message::new(frame.hdr.ty, frame.hdr.seq, frame.hdr.peer);
        let mut attrs = iter_attrs(unwrap(&frame.payload)?);
        while let Some(raw) = attrs.try_next()? {
            let Some(attr) = Attr::from_u8(raw.id) else {
                continue;
            };
            let kind = match attr {
                Attr::ObjPath | Attr::Method | Attr::User | Attr::Group => BlobType::String,
                Attr::Signature | Attr::Data | Attr::Subscribers => BlobType::Table,
                Attr::Active | Attr::NoReply => BlobType::Int8,
                Attr::Status | Attr::ObjId | Attr::ObjType | Attr::Target => BlobType::Int32,
            };
            message.attrs.push((attr, Value::read(kind, raw.payload)?));
        }
        Ok(message)
    }

    /// The message in `bytes`, which hold exactly one.
    pub fn decode(bytes: &[u8]) -> Self {
        let (frame, len) = Codec::read_frame(bytes).unwrap();
        assert_eq!(len, bytes.len());
        Message::from_frame(&frame).unwrap()
    }
}

/// Finds messages in a stream that arrives in pieces.
#[derive(Debug, Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
}

impl FrameReader {
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message that has arrived as a whole.
    pub fn next_message(&mut self) -> Result<Option<Message>, UbusError> {
        let frame = self.next_frame()?;
        frame.as_ref().map(Message::from_frame).transpose()
    }

    /// The same before its contents are read.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, UbusError> {
        if self.buffer.len() < HEADER_SIZE + 4 {
            return Ok(None);
        }
        match Codec::read_frame(&self.buffer) {
            Ok((frame, len)) => {
                self.buffer.drain(..len);
                Ok(Some(frame))
            }
            Err(UbusError::Short { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The members of a table or the elements of an array.
pub(super) fn members(payload: &[u8]) -> Result<Vec<(String, Value)>, UbusError> {
    let mut all = Vec::new();
    let mut rest = BlobIter::new(payload);
    while let Some(member) = rest.try_next()? {
        let name = member.name.unwrap_or_default().to_owned();
        all.push((name, Value::read(member.ty, member.payload)?));
    }
    Ok(all)
}
