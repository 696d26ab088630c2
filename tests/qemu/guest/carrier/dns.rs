// SPDX-License-Identifier: GPL-2.0-or-later
//! Resolvers of a line, with a switch for each fault, that remember what they
//! were asked.

use crate::Result;
use crate::dns_answer::{Record, reply};
use crate::guest::netns::Netns;
use simple_dns::{Packet, PacketFlag, QTYPE, RCODE, TYPE};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv6Addr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The name whose TXT record leads to the provisioning server.
pub const DISCOVERY: &str = "4over6.info";

/// What is wrong with the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There is no such name.
    NxDomain,
    /// The name has no such record.
    NoData,
    ServFail,
    Silent,
    /// Two TXT records, each as it should be.
    Two,
    /// One TXT record of another version of the protocol.
    Version,
    /// A certificate is to be verified, of a server without TLS.
    Unverifiable,
}

/// Words for the faults, as a person switches them.
pub const FAULTS: &[(&str, Option<Fault>)] = &[
    ("ok", None),
    ("nxdomain", Some(Fault::NxDomain)),
    ("nodata", Some(Fault::NoData)),
    ("servfail", Some(Fault::ServFail)),
    ("silent", Some(Fault::Silent)),
    ("two", Some(Fault::Two)),
    ("version", Some(Fault::Version)),
    ("unverifiable", Some(Fault::Unverifiable)),
];

/// What a resolver knows.
#[derive(Debug, Default, Clone)]
pub struct Zone {
    /// The TXT record of [`DISCOVERY`].
    pub txt: Option<String>,
    pub names: BTreeMap<String, Vec<Ipv6Addr>>,
    pub fault: Option<Fault>,
}

/// A question, and who asked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub from: Ipv6Addr,
    /// Such as `4over6.info TXT`.
    pub what: String,
}

/// A resolver. Several addresses may share what they know.
#[derive(Clone, Default)]
pub struct Resolver {
    zone: Arc<Mutex<Zone>>,
    asked: Arc<Mutex<Vec<Question>>>,
}

impl Resolver {
    /// Starts at `address`, which the namespace gets on its loopback.
    pub fn start(host: &Netns, address: Ipv6Addr) -> Result<Self> {
        let resolver = Self::default();
        host.ip(&format!("addr replace {address}/128 dev lo nodad\n"))?;
        let failed = |e: std::io::Error| format!("DNS at {address}: {e}");
        let (udp, tcp) = host.within(|| {
            let udp = UdpSocket::bind((address, 53)).map_err(failed)?;
            Ok((udp, TcpListener::bind((address, 53)).map_err(failed)?))
        })?;
        let of_udp = resolver.clone();
        thread::spawn(move || {
            let mut buffer = [0; 1500];
            while let Ok((len, from)) = udp.recv_from(&mut buffer) {
                let query = buffer.get(..len).unwrap_or_default();
                if let Some(answer) = of_udp.answer(query, from.ip()) {
                    let _ = udp.send_to(&answer, from);
                }
            }
        });
        let of_tcp = resolver.clone();
        thread::spawn(move || {
            for mut stream in tcp.incoming().flatten() {
                // Each message after its length (RFC 1035 section 4.2.2).
                let mut len = [0; 2];
                let _ = stream.read_exact(&mut len);
                let mut query = vec![0; u16::from_be_bytes(len).into()];
                let peer = stream.peer_addr();
                if let (Ok(()), Ok(from)) = (stream.read_exact(&mut query), peer)
                    && let Some(answer) = of_tcp.answer(&query, from.ip())
                {
                    let len = u16::try_from(answer.len()).unwrap_or(u16::MAX);
                    let _ = stream.write_all(&[&len.to_be_bytes(), &answer[..]].concat());
                }
            }
        });
        Ok(resolver)
    }

    /// Changes what it knows.
    pub fn set(&self, change: impl FnOnce(&mut Zone)) {
        change(&mut self.zone.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What it was asked since the last call.
    pub fn asked(&self) -> Vec<Question> {
        std::mem::take(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answer(&self, query: &[u8], from: IpAddr) -> Option<Vec<u8>> {
        let query = Packet::parse(query).ok()?;
        if query.has_flags(PacketFlag::RESPONSE) {
            return None;
        }
        let question = query.questions.first()?;
        let name = question.qname.to_string().to_lowercase();
        let kind = match question.qtype {
            QTYPE::TYPE(TYPE::TXT) => "TXT",
            QTYPE::TYPE(TYPE::AAAA) => "AAAA",
            _ => "other",
        };
        if let (IpAddr::V6(from), Ok(mut asked)) = (from, self.asked.lock()) {
            let what = format!("{name} {kind}");
            asked.push(Question { from, what });
        }
        let zone = self.zone.lock().ok()?.clone();
        zone.answer(&query, &name, kind)
    }
}

impl Zone {
    fn answer(&self, query: &Packet<'_>, name: &str, kind: &str) -> Option<Vec<u8>> {
        let say = |rcode, records: &[(&str, Record<'_>)]| reply(query, rcode, records);
        match self.fault {
            Some(Fault::Silent) => return None,
            Some(Fault::NxDomain) => return say(RCODE::NameError, &[]),
            Some(Fault::NoData) => return say(RCODE::NoError, &[]),
            Some(Fault::ServFail) => return say(RCODE::ServerFailure, &[]),
            _ => {}
        }
        if name == DISCOVERY {
            let Some(txt) = &self.txt else {
                return say(RCODE::NameError, &[]);
            };
            if kind != "TXT" {
                return say(RCODE::NoError, &[]);
            }
            let txt = match self.fault {
                Some(Fault::Version) => txt.replace("v6mig-1", "v6mig-9"),
                Some(Fault::Unverifiable) => txt.replace("t=a", "t=b"),
                _ => txt.clone(),
            };
            // A string has at most 255 bytes; a record may have several.
            let middle = (0..=txt.len() / 2)
                .rev()
                .find(|at| txt.is_char_boundary(*at));
            let (first, second) = txt.split_at(middle.unwrap_or_default());
            let strings = [first, second];
            let record = (DISCOVERY, Record::Txt(&strings));
            let count = 1 + usize::from(self.fault == Some(Fault::Two));
            return say(RCODE::NoError, &vec![record; count]);
        }
        let Some(addresses) = self.names.get(name) else {
            return say(RCODE::NameError, &[]);
        };
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let records: Vec<_> = addresses
            .iter()
            .filter(|_| kind == "AAAA")
            .map(|address| (name, Record::Aaaa(address)))
            .collect();
        say(RCODE::NoError, &records)
    }
}
