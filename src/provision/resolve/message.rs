// SPDX-License-Identifier: GPL-2.0-or-later
//! DNS messages (RFC 1035): the query, and what an answer to it says.

use std::fmt;
use std::net::Ipv6Addr;

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};

use crate::endpoint::DnsName;
use crate::reason::named;

/// The types of record that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// IPv6 addresses (RFC 3596).
    Aaaa,
    /// Text (RFC 1035 section 3.3.14).
    Txt,
}

impl Kind {
    fn code(self) -> TYPE {
        match self {
            Kind::Aaaa => TYPE::AAAA,
            Kind::Txt => TYPE::TXT,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Aaaa => "AAAA",
            Kind::Txt => "TXT",
        })
    }
}

named!(Kind);

/// What a resolver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// AAAA records, in the order of the message; never empty.
    Addresses(Vec<Ipv6Addr>),
    /// TXT records, each with its character-strings joined; never empty.
    Texts(Vec<String>),
    /// The name does not exist (NXDOMAIN).
    NoName,
    /// The name exists and has no record of that type (RFC 2308 section 2.2).
    NoData,
    /// The answer did not fit into the datagram and must be asked for over TCP.
    Truncated,
    /// The resolver could not or would not answer: SERVFAIL, REFUSED and the
    /// like.
    Failed(&'static str),
}

/// Most CNAME records that are followed.
const MAX_ALIASES: usize = 8;

/// Bytes of a message's header.
const HEADER_LEN: usize = 12;

/// A query for the records of `name`, with recursion desired.
///
/// `None` if the name does not fit into a message, which [`DnsName`] rules
/// out.
pub fn query(id: u16, name: &DnsName, kind: Kind) -> Option<Vec<u8>> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    packet.questions.push(Question::new(
        Name::new(name.as_str()).ok()?,
        QTYPE::TYPE(kind.code()),
        QCLASS::CLASS(CLASS::IN),
        false,
    ));
    packet.build_bytes_vec().ok()
}

/// What `message` answers to the query with that id. `None` if it is no answer
/// to it, or damaged: whoever waits then waits on.
pub fn read(message: &[u8], id: u16, name: &DnsName, kind: Kind) -> Option<Reply> {
    if !counts_fit(message) {
        return None;
    }
    let [id_high, id_low, flags, ..] = *message else {
        return None;
    };
    let (is_reply, is_truncated) = (flags & 0x80 != 0, flags & 0x02 != 0);
    if u16::from_be_bytes([id_high, id_low]) != id || !is_reply {
        return None;
    }
    if is_truncated {
        // The rest may end within a record.
        return Some(Reply::Truncated);
    }
    let packet = Packet::parse(message).ok()?;
    let asked = Name::new(name.as_str()).ok()?;
    match packet.questions.as_slice() {
        // Some servers repeat nothing when they refuse.
        [] if packet.rcode() != RCODE::NoError => {}
        [question] if question.qname == asked && question.qtype == QTYPE::TYPE(kind.code()) => {}
        _ => return None,
    }
    Some(match packet.rcode() {
        RCODE::NoError => records(&packet, asked, kind),
        RCODE::NameError => Reply::NoName,
        RCODE::ServerFailure => Reply::Failed("SERVFAIL"),
        RCODE::Refused => Reply::Failed("REFUSED"),
        RCODE::FormatError => Reply::Failed("FORMERR"),
        RCODE::NotImplemented => Reply::Failed("NOTIMP"),
        _ => Reply::Failed("an unknown error"),
    })
}

/// Whether the numbers of records in the header can be true: the parser
/// reserves memory for as many.
fn counts_fit(message: &[u8]) -> bool {
    /// A record with an empty name, and a question with one, take this much.
    const SHORTEST: usize = 5;
    let Some((header, rest)) = message.split_at_checked(HEADER_LEN) else {
        return false;
    };
    let counts = header.get(4..).unwrap_or_default().chunks_exact(2);
    let records: usize = counts
        .filter_map(|count| count.try_into().ok())
        .map(|count| usize::from(u16::from_be_bytes(count)))
        .sum();
    records * SHORTEST <= rest.len()
}

/// The records of that kind which `owner` has, itself or under the name that
/// it is an alias of.
fn records<'a>(packet: &Packet<'a>, mut owner: Name<'a>, kind: Kind) -> Reply {
    for _ in 0..MAX_ALIASES {
        let own = packet.answers.iter().filter(|record| record.name == owner);
        let (mut addresses, mut texts, mut alias) = (Vec::new(), Vec::new(), None);
        for record in own.filter(|record| record.class == CLASS::IN) {
            match (&record.rdata, kind) {
                (RData::AAAA(found), Kind::Aaaa) => addresses.push(found.address.into()),
                (RData::TXT(found), Kind::Txt) => {
                    let text = String::try_from(found.clone());
                    texts.push(text.unwrap_or_else(|error| {
                        String::from_utf8_lossy(error.as_bytes()).into_owned()
                    }));
                }
                (RData::CNAME(found), _) => alias = Some(found.0.clone()),
                _ => {}
            }
        }
        if !addresses.is_empty() {
            return Reply::Addresses(addresses);
        }
        if !texts.is_empty() {
            return Reply::Texts(texts);
        }
        match alias {
            Some(name) => owner = name,
            None => break,
        }
    }
    Reply::NoData
}
