// SPDX-License-Identifier: GPL-2.0-or-later
//! Connections, from conntrack itself. Numbers are those of
//! `linux/netfilter/nfnetlink_conntrack.h`.

use std::io;
use std::net::Ipv4Addr;

use super::super::usage::{Connection, Protocol};
use super::netlink::{Question, attribute};

/// `NFNL_SUBSYS_CTNETLINK` and `IPCTNL_MSG_CT_GET`.
const CONNTRACK: (u16, u16) = (1, 1);
const AF_INET: u8 = 2;

/// One direction of a connection.
#[derive(Debug, Clone, Copy)]
struct Tuple {
    protocol: Protocol,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    to: u16,
}

/// Every connection that has one of `ours` as its outer address.
///
/// # Errors
/// What the kernel says: only root may ask, or it has no conntrack.
pub fn connections(ours: impl Fn(Ipv4Addr) -> bool) -> io::Result<Vec<Connection>> {
    let mut found = Vec::new();
    let question = Question::netfilter(CONNTRACK.0, CONNTRACK.1, AF_INET, &[]);
    question.ask(|body| found.extend(connection(body, &ours)))?;
    Ok(found)
}

fn connection(body: &[u8], ours: impl Fn(Ipv4Addr) -> bool) -> Option<Connection> {
    let attributes = body.get(4..)?;
    let there = tuple(attribute(attributes, 1)?)?;
    let back = tuple(attribute(attributes, 2)?)?;
    // Outbound, answers come to our address; inbound, the request did.
    let (address, number, host) = if ours(back.destination) {
        (back.destination, back.to, there.source)
    } else if ours(there.destination) {
        (there.destination, there.to, back.source)
    } else {
        return None;
    };
    Some(Connection {
        protocol: there.protocol,
        host,
        address,
        number,
    })
}

fn tuple(bytes: &[u8]) -> Option<Tuple> {
    let (ip, proto) = (attribute(bytes, 1)?, attribute(bytes, 2)?);
    let address = |kind| Some(Ipv4Addr::from(*attribute(ip, kind)?.first_chunk::<4>()?));
    let number = |kind| Some(u16::from_be_bytes(*attribute(proto, kind)?.first_chunk()?));
    let protocol = Protocol::from_number(*attribute(proto, 1)?.first()?)?;
    let to = match protocol {
        // An echo has one identifier in both directions.
        Protocol::Icmp => number(4)?,
        _ => number(3)?,
    };
    Some(Tuple {
        protocol,
        source: address(1)?,
        destination: address(2)?,
        to,
    })
}

#[cfg(test)]
mod tests {
    use super::super::netlink::encode;
    use super::*;

    fn side(kind: u16, protocol: u8, from: [u8; 5], to: [u8; 5], ports: [u16; 2]) -> Vec<u8> {
        let ip = [encode(1, &from[..4]), encode(2, &to[..4])].concat();
        let number = |kind, port: u16| encode(kind, &port.to_be_bytes());
        let mut proto = encode(1, &[protocol]);
        match protocol {
            1 => proto.extend(number(4, ports[0])),
            _ => proto.extend([number(2, ports[0]), number(3, ports[1])].concat()),
        }
        let tuple = [encode(0x8001, &ip), encode(0x8002, &proto)].concat();
        encode(kind | 0x8000, &tuple)
    }

    const LAN: [u8; 5] = [192, 168, 1, 10, 0];
    const OUT: [u8; 5] = [106, 72, 0, 1, 0];
    const FAR: [u8; 5] = [203, 0, 113, 9, 0];

    fn read(there: Vec<u8>, back: Vec<u8>) -> Option<(u8, u16, Protocol)> {
        let body = [vec![2, 0, 0, 0], there, back].concat();
        let found = connection(&body, |address| address == Ipv4Addr::new(106, 72, 0, 1))?;
        Some((found.host.octets()[3], found.number, found.protocol))
    }

    #[test]
    fn both_directions_and_strangers() {
        let out = read(
            side(1, 6, LAN, FAR, [50000, 443]),
            side(2, 6, FAR, OUT, [443, 4128]),
        );
        assert_eq!(out, Some((10, 4128, Protocol::Tcp)));
        let inbound = read(
            side(1, 17, FAR, OUT, [7000, 4129]),
            side(2, 17, LAN, FAR, [22, 7000]),
        );
        assert_eq!(inbound, Some((10, 4129, Protocol::Udp)));
        let ping = read(
            side(1, 1, LAN, FAR, [77, 0]),
            side(2, 1, FAR, OUT, [4130, 0]),
        );
        assert_eq!(ping, Some((10, 4130, Protocol::Icmp)));
        let other = read(
            side(1, 6, LAN, FAR, [50000, 443]),
            side(2, 6, FAR, LAN, [443, 50000]),
        );
        assert_eq!(other, None);
        let gre = side(1, 47, LAN, FAR, [0, 0]);
        assert_eq!(read(gre.clone(), gre), None);
    }

    #[test]
    fn a_cut_message_is_none() {
        let body = [
            vec![2, 0, 0, 0],
            side(1, 6, LAN, FAR, [50000, 443]),
            side(2, 6, FAR, OUT, [443, 4128]),
        ]
        .concat();
        for cut in 0..body.len() {
            assert!(connection(&body[..cut], |_| true).is_none(), "{cut}");
        }
    }
}
