// SPDX-License-Identifier: GPL-2.0-or-later
//! Answers of a DNS server.

use simple_dns::rdata::{AAAA, CNAME, RData, TXT};
use simple_dns::{CLASS, Name, Packet, PacketFlag, RCODE, ResourceRecord};
use std::net::Ipv6Addr;

/// What a resource record says.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "not every test has all types")]
pub enum Record<'a> {
    Aaaa(&'a str),
    Cname(&'a str),
    /// The strings of one TXT record.
    Txt(&'a [&'a str]),
}

/// An answer to `query` with these records; none if something in it cannot be
/// said in DNS.
pub fn reply(query: &Packet<'_>, rcode: RCODE, records: &[(&str, Record<'_>)]) -> Option<Vec<u8>> {
    let mut packet = Packet::new_reply(query.id());
    packet.questions.clone_from(&query.questions);
    packet.set_flags(PacketFlag::RECURSION_DESIRED | PacketFlag::RECURSION_AVAILABLE);
    *packet.rcode_mut() = rcode;
    for (owner, record) in records {
        let rdata = match record {
            Record::Aaaa(address) => RData::AAAA(AAAA {
                address: address.parse::<Ipv6Addr>().ok()?.into(),
            }),
            Record::Cname(name) => RData::CNAME(CNAME(Name::new(name).ok()?)),
            Record::Txt(strings) => {
                let mut txt = TXT::new();
                for string in *strings {
                    txt.add_string(string).ok()?;
                }
                RData::TXT(txt)
            }
        };
        let owner = Name::new(owner).ok()?;
        packet
            .answers
            .push(ResourceRecord::new(owner, CLASS::IN, 60, rdata));
    }
    packet.build_bytes_vec_compressed().ok()
}
