// SPDX-License-Identifier: GPL-2.0-or-later
//! What conntrack knows of our address: ports in use, and forgetting.

use std::io;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::netlink::{ACK, Netfilter, REQUEST, array, attribute, attributes, find, message};

/// `NFNL_SUBSYS_CTNETLINK` as the high byte of the type of each message.
const SUBSYSTEM: u16 = 1 << 8;
const GET: u16 = 1;
const DELETE: u16 = 2;
const AF_INET: u8 = 2;

const CTA_TUPLE_ORIG: u16 = 1;
const CTA_TUPLE_REPLY: u16 = 2;
const CTA_ID: u16 = 12;
const CTA_ZONE: u16 = 18;

/// A protocol that has ports, or something like them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP, whose echo identifiers are ports to us.
    Icmp,
}

impl Protocol {
    /// All of them, in the order of every count by protocol.
    pub const ALL: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Icmp];

    /// Name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Icmp => "icmp",
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        match number {
            6 => Some(Protocol::Tcp),
            17 => Some(Protocol::Udp),
            1 => Some(Protocol::Icmp),
            _ => None,
        }
    }
}

/// One direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tuple {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    destination_port: u16,
    /// ICMP has one identifier for both ends.
    icmp_id: Option<u16>,
}

/// Protocol, number and internal host of a connection that uses our address:
/// one that was opened from inside, or else one from outside that was
/// forwarded or ends at the router.
fn use_of(message: &[u8], ours: Ipv4Net) -> Option<(Protocol, u16, Ipv4Addr)> {
    let original = tuple(find(message, CTA_TUPLE_ORIG)?)?;
    let reply = tuple(find(message, CTA_TUPLE_REPLY)?)?;
    let protocol = Protocol::from_number(original.protocol)?;
    let (end, host) = if ours.contains(&reply.destination) {
        (reply, original.source)
    } else if ours.contains(&original.destination) {
        (original, reply.source)
    } else {
        return None;
    };
    Some((protocol, end.icmp_id.unwrap_or(end.destination_port), host))
}

fn tuple(bytes: &[u8]) -> Option<Tuple> {
    const IP: u16 = 1;
    const PROTOCOL: u16 = 2;
    let (ip, proto) = (find(bytes, IP)?, find(bytes, PROTOCOL)?);
    let address = |kind| Some(Ipv4Addr::from(array::<4>(find(ip, kind)?, 0)?));
    let number = |kind| Some(u16::from_be_bytes(array(find(proto, kind)?, 0)?));
    Some(Tuple {
        source: address(1)?,
        destination: address(2)?,
        protocol: *find(proto, 1)?.first()?,
        destination_port: number(3).unwrap_or_default(),
        icmp_id: number(4),
    })
}

/// A connection that uses one of our addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection {
    /// Its protocol.
    pub protocol: Protocol,
    /// The host behind us; ourselves for what the router does.
    pub host: Ipv4Addr,
    /// The network our address is in.
    pub network: Ipv4Net,
    /// Port or echo identifier at our address, before any edge map.
    pub number: u16,
}

/// Every connection that uses an address of `networks`.
///
/// # Errors
/// The kernel has no conntrack over netlink (kmod-nf-conntrack-netlink), or
/// does not let us.
pub fn connections(networks: &[Ipv4Net]) -> io::Result<Vec<Connection>> {
    let mut found = Vec::new();
    Netfilter::open()?.dump(SUBSYSTEM | GET, AF_INET, |message| {
        found.extend(connection(message, networks));
    })?;
    Ok(found)
}

/// The connection of one message, if it uses an address of `networks`.
pub(super) fn connection(message: &[u8], networks: &[Ipv4Net]) -> Option<Connection> {
    networks.iter().find_map(|network| {
        let (protocol, number, host) = use_of(message, *network)?;
        Some(Connection {
            protocol,
            host,
            network: *network,
            number,
        })
    })
}

/// Forgets every connection that uses an address of `ours`: when the line gets
/// another address, they could only send to where nothing comes back from.
/// Says how many there were.
///
/// # Errors
/// The kernel has no conntrack over netlink (kmod-nf-conntrack-netlink).
pub fn forget_connections(ours: Ipv4Net) -> io::Result<usize> {
    let netfilter = Netfilter::open()?;
    let mut doomed = Vec::new();
    netfilter.dump(SUBSYSTEM | GET, AF_INET, |message| {
        if use_of(message, ours).is_some() {
            doomed.push(handle(message));
        }
    })?;
    let mut forgotten = 0;
    for handle in doomed {
        netfilter.send(&self::message(
            SUBSYSTEM | DELETE,
            REQUEST | ACK,
            AF_INET,
            0,
            &handle,
        ))?;
        match netfilter.acknowledged(1) {
            Ok(()) => forgotten += 1,
            // It ended by itself in the meantime.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(forgotten)
}

/// The attributes that name a connection.
pub(super) fn handle(message: &[u8]) -> Vec<u8> {
    const NESTED: u16 = 0x8000;
    attributes(message)
        .filter_map(|(kind, content)| match kind {
            CTA_TUPLE_ORIG => Some(attribute(kind | NESTED, content)),
            CTA_ID | CTA_ZONE => Some(attribute(kind, content)),
            _ => None,
        })
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::netlink::nest;
    use super::*;

    fn side(from: [u8; 4], to: [u8; 4], protocol: u8, ports: &[(u16, u16)]) -> Vec<u8> {
        let ip = [attribute(1, &from), attribute(2, &to)].concat();
        let mut proto = attribute(1, &[protocol]);
        for &(kind, port) in ports {
            proto.extend(attribute(kind, &port.to_be_bytes()));
        }
        [nest(1, &ip), nest(2, &proto)].concat()
    }

    fn entry(original: &[u8], reply: &[u8]) -> Vec<u8> {
        [
            nest(CTA_TUPLE_ORIG, original),
            nest(CTA_TUPLE_REPLY, reply),
            attribute(CTA_ID, &[1, 2, 3, 4]),
            attribute(7, &[0; 4]),
        ]
        .concat()
    }

    const US: [u8; 4] = [192, 0, 2, 1];
    const HOST: [u8; 4] = [10, 0, 0, 2];
    const FAR: [u8; 4] = [198, 51, 100, 1];

    fn found(entry: &[u8]) -> Option<(Protocol, u16, [u8; 4])> {
        let (protocol, number, host) = use_of(entry, Ipv4Addr::from(US).into())?;
        Some((protocol, number, host.octets()))
    }

    #[test]
    fn what_uses_our_address_is_found_with_its_host() {
        let out = side(HOST, FAR, 6, &[(2, 40000), (3, 443)]);
        let back = side(FAR, US, 6, &[(2, 443), (3, 32788)]);
        let expected = Some((Protocol::Tcp, 32788, HOST));
        assert_eq!(found(&entry(&out, &back)), expected);
        let (ping, back) = (side(HOST, FAR, 1, &[(4, 77)]), side(FAR, US, 1, &[(4, 9)]));
        let expected = Some((Protocol::Icmp, 9, HOST));
        assert_eq!(found(&entry(&ping, &back)), expected);
        let inbound = side(FAR, US, 17, &[(2, 9), (3, 4930)]);
        let to = side([10, 0, 0, 9], FAR, 17, &[(2, 4930), (3, 9)]);
        let expected = Some((Protocol::Udp, 4930, [10, 0, 0, 9]));
        assert_eq!(found(&entry(&inbound, &to)), expected);
        let foreign = side(HOST, FAR, 6, &[(2, 1), (3, 2)]);
        let back = side(FAR, HOST, 6, &[(2, 2), (3, 1)]);
        assert_eq!(found(&entry(&foreign, &back)), None);
        assert_eq!(found(&entry(&side(HOST, FAR, 47, &[]), &back)), None);
    }

    #[test]
    fn a_connection_is_named_by_what_it_had_first() {
        let out = side(HOST, FAR, 6, &[(2, 40000), (3, 443)]);
        let entry = entry(&out, &side(FAR, US, 6, &[(2, 443), (3, 5000)]));
        let handle = handle(&entry);
        assert_eq!(find(&handle, CTA_TUPLE_ORIG), Some(out.as_slice()));
        assert_eq!(find(&handle, CTA_ID), Some(&[1, 2, 3, 4][..]));
        assert_eq!(attributes(&handle).count(), 2);
    }

    proptest! {
        #[test]
        fn any_message_is_survived(bytes in proptest::collection::vec(0u8..12, 0..160)) {
            let _ = found(&bytes);
            let _ = handle(&bytes);
        }
    }
}
