// SPDX-License-Identifier: GPL-2.0-or-later
//! Names at the line's own resolvers, and everything these may answer.

use std::io::{Read, Write};
use std::net::{SocketAddrV6, TcpListener, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use mape::endpoint::DnsName;
use mape::provision::Uplink;
use mape::provision::resolve::{self, ResolveError};
use simple_dns::{Packet, PacketFlag, RCODE};

use crate::servers::{CE, DNS, Record, address, dns, ip, line, reply};

/// A line for tests that wait in vain.
fn impatient() -> Option<Uplink> {
    let patience = Duration::from_millis(600);
    line().map(|uplink| Uplink { patience, ..uplink })
}

fn name() -> DnsName {
    "gw.example".parse().unwrap()
}

fn asked(uplink: &Uplink, resolvers: &[SocketAddrV6]) -> Result<Vec<String>, ResolveError> {
    let uplink = Uplink {
        resolvers: resolvers.to_vec(),
        ..uplink.clone()
    };
    let addresses = resolve::aaaa(&name(), &uplink)?;
    Ok(addresses.iter().map(ToString::to_string).collect())
}

fn good(query: &Packet<'_>) -> Vec<Vec<u8>> {
    let records = [
        ("GW.example", Record::Aaaa("2001:db8::100")),
        ("gw.example", Record::Aaaa("2001:db8::101")),
        ("other.example", Record::Aaaa("2001:db8::102")),
    ];
    vec![reply(query, RCODE::NoError, &records)]
}

#[test]
fn all_addresses_are_taken_and_the_question_comes_from_the_ce() {
    let Some(uplink) = line() else { return };
    let (resolver, from) = dns(DNS[0], good);
    let found = asked(&uplink, &[resolver]).unwrap();
    assert_eq!(found, ["2001:db8::100", "2001:db8::101"]);
    assert_eq!(from.recv().unwrap(), address(CE));
}

/// Of the first second after the uplink came up, when the kernel looks for
/// somebody else who has its address.
#[test]
fn an_address_that_is_new_is_waited_for() {
    let Some(uplink) = line() else { return };
    let (resolver, from) = dns(DNS[0], good);
    ip("link add new type veth peer name other");
    ip("link set other up");
    ip("link set new up");
    ip("address add 2001:db8:e::1/64 dev new");
    let new = address("2001:db8:e::1");
    assert!(UdpSocket::bind((new, 0)).is_err(), "it can be used at once");
    let uplink = Uplink {
        source: Some(new),
        ..uplink
    };
    assert_eq!(asked(&uplink, &[resolver]).unwrap().len(), 2);
    assert_eq!(from.recv().unwrap(), new);
}

#[test]
fn every_resolver_is_asked_until_one_knows() {
    let Some(uplink) = line() else { return };
    let (silent, silent_told) = dns(DNS[0], |_| Vec::new());
    let (broken, broken_told) = dns(DNS[1], |query| {
        vec![reply(query, RCODE::ServerFailure, &[])]
    });
    let (knows, _) = dns(DNS[2], good);
    let nobody = SocketAddrV6::new(address(DNS[2]), 9, 0, 0);
    let found = asked(&uplink, &[silent, nobody, broken, knows]).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(silent_told.try_iter().count(), 1);
    assert_eq!(broken_told.try_iter().count(), 1);
}

#[test]
fn a_lost_datagram_is_sent_again() {
    let Some(uplink) = line() else { return };
    let first = std::sync::atomic::AtomicBool::new(true);
    let (resolver, _) = dns(DNS[0], move |query| {
        match first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            true => Vec::new(),
            false => good(query),
        }
    });
    assert_eq!(asked(&uplink, &[resolver]).unwrap().len(), 2);
}

#[test]
fn the_ways_not_to_answer_are_told_apart() {
    let Some(uplink) = line() else { return };
    let says = |rcode: RCODE, records: &'static [(&'static str, Record<'static>)]| {
        let (resolver, told) = dns(DNS[0], move |query| vec![reply(query, rcode, records)]);
        (
            asked(&uplink, &[resolver]).unwrap_err(),
            told.try_iter().count(),
        )
    };
    let (error, asked_times) = says(RCODE::NameError, &[]);
    assert!(matches!(error, ResolveError::NoName(_)) && error.is_absence());
    assert_eq!(error.to_string(), "gw.example: there is no such name");
    assert_eq!(asked_times, 1);
    let (error, _) = says(RCODE::NoError, &[]);
    assert!(matches!(error, ResolveError::NoData { .. }) && error.is_absence());
    assert_eq!(error.to_string(), "gw.example has no AAAA record");
    let (error, asked_times) = says(RCODE::ServerFailure, &[]);
    let expected = "DNS server 2001:db8:f::53 answers SERVFAIL when asked for gw.example";
    assert_eq!(error.to_string(), expected);
    assert!(!error.is_absence());
    assert_eq!(asked_times, 2);
    let (error, _) = says(RCODE::Refused, &[]);
    assert!(error.to_string().contains("answers REFUSED"));
    let (error, _) = says(RCODE::NoError, &[("gw.example", Record::Aaaa("::1"))]);
    assert!(matches!(error, ResolveError::Unusable(_)), "{error}");
    let error = asked(&uplink, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the uplink has no DNS server to ask for gw.example"
    );
}

#[test]
fn silence_ends_in_time() {
    let Some(uplink) = impatient() else { return };
    let (resolver, _) = dns(DNS[0], |_| Vec::new());
    let begin = Instant::now();
    let error = asked(&uplink, &[resolver]).unwrap_err();
    assert!(matches!(error, ResolveError::Timeout(_)), "{error}");
    assert!(begin.elapsed() < uplink.patience + Duration::from_millis(500));
    let foreign = Uplink {
        source: Some("2001:db8:dead::1".parse().unwrap()),
        ..uplink
    };
    let error = asked(&foreign, &[resolver]).unwrap_err();
    assert!(matches!(error, ResolveError::Socket { .. }), "{error}");
}

#[test]
fn what_is_no_answer_to_the_question_is_passed_over() {
    let Some(uplink) = line() else { return };
    let (resolver, _) = dns(DNS[0], |query| {
        let forged = |change: &dyn Fn(&mut Packet<'_>)| {
            let mut packet = query.clone().into_reply();
            change(&mut packet);
            packet.build_bytes_vec().unwrap()
        };
        let other = simple_dns::Name::new("gw.example.org").unwrap();
        vec![
            forged(&|packet| packet.set_id(query.id().wrapping_add(1))),
            forged(&|packet| packet.remove_flags(PacketFlag::RESPONSE)),
            forged(&|packet| packet.questions[0].qname = other.clone()),
            forged(&|packet| packet.questions.clear()),
            b"nonsense".to_vec(),
            // A header that promises 65535 answers.
            [&reply(query, RCODE::NoError, &[])[..6], &[0xff; 20]].concat(),
            good(query).remove(0),
        ]
    });
    assert_eq!(asked(&uplink, &[resolver]).unwrap().len(), 2);
}

#[test]
fn a_stranger_is_not_heard() {
    let Some(uplink) = impatient() else { return };
    let stranger = UdpSocket::bind((address(DNS[1]), 0)).unwrap();
    let socket = UdpSocket::bind((address(DNS[0]), 0)).unwrap();
    let at = SocketAddrV6::new(address(DNS[0]), socket.local_addr().unwrap().port(), 0, 0);
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((len, from)) = socket.recv_from(&mut buffer) {
            let query = Packet::parse(&buffer[..len]).unwrap();
            stranger.send_to(&good(&query)[0], from).unwrap();
        }
    });
    let error = asked(&uplink, &[at]).unwrap_err();
    assert!(matches!(error, ResolveError::Timeout(_)), "{error}");
}

#[test]
fn aliases_are_followed_but_not_for_ever() {
    let Some(uplink) = line() else { return };
    let (resolver, _) = dns(DNS[0], |query| {
        let records = [
            ("gw.example", Record::Cname("a.example")),
            ("a.example", Record::Cname("b.example")),
            ("b.example", Record::Aaaa("2001:db8::7")),
        ];
        vec![reply(query, RCODE::NoError, &records)]
    });
    assert_eq!(asked(&uplink, &[resolver]).unwrap(), ["2001:db8::7"]);
    let (resolver, _) = dns(DNS[1], |query| {
        let records = [
            ("gw.example", Record::Cname("a.example")),
            ("a.example", Record::Cname("gw.example")),
        ];
        vec![reply(query, RCODE::NoError, &records)]
    });
    let error = asked(&uplink, &[resolver]).unwrap_err();
    assert!(matches!(error, ResolveError::NoData { .. }), "{error}");
}

#[test]
fn an_answer_too_long_for_a_datagram_comes_over_tcp() {
    let Some(uplink) = line() else { return };
    let listener = TcpListener::bind((address(DNS[0]), 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let udp = UdpSocket::bind((address(DNS[0]), port)).unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 512];
        let (len, from) = udp.recv_from(&mut buffer).unwrap();
        let mut cut = Packet::parse(&buffer[..len]).unwrap().into_reply();
        cut.set_flags(PacketFlag::TRUNCATION);
        udp.send_to(&cut.build_bytes_vec().unwrap(), from).unwrap();
        let (mut stream, from) = listener.accept().unwrap();
        assert_eq!(from.ip(), address(CE));
        let mut len = [0; 2];
        stream.read_exact(&mut len).unwrap();
        let mut query = vec![0; usize::from(u16::from_be_bytes(len))];
        stream.read_exact(&mut query).unwrap();
        let query = Packet::parse(&query).unwrap();
        let names: Vec<String> = (0..100).map(|n| format!("2001:db8::{n:x}")).collect();
        let records: Vec<_> = names
            .iter()
            .map(|n| ("gw.example", Record::Aaaa(n)))
            .collect();
        let answer = reply(&query, RCODE::NoError, &records);
        let len = u16::try_from(answer.len()).unwrap().to_be_bytes();
        for part in [&len[..], &answer[..700], &answer[700..]] {
            stream.write_all(part).unwrap();
        }
    });
    let resolver = SocketAddrV6::new(address(DNS[0]), port, 0, 0);
    assert_eq!(asked(&uplink, &[resolver]).unwrap().len(), 100);
}

#[test]
fn text_in_several_strings_is_one_text() {
    let Some(uplink) = line() else { return };
    let (resolver, _) = dns(DNS[0], |query| {
        let records = [(
            "gw.example",
            Record::Txt(&["v=v6mig-1 url=ht", "tp://a/ t=a"]),
        )];
        vec![reply(query, RCODE::NoError, &records)]
    });
    let uplink = Uplink {
        resolvers: vec![resolver],
        ..uplink
    };
    let texts = resolve::txt(&name(), &uplink).unwrap();
    assert_eq!(texts, ["v=v6mig-1 url=http://a/ t=a"]);
}
