// SPDX-License-Identifier: GPL-2.0-or-later
//! What conntrack knows of our address: ports in use, and forgetting.

use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::nat::Protocol;

use super::netlink::{ACK, Attr, NESTED, Netfilter, REQUEST, array, attributes, put_message};

/// `NFNL_SUBSYS_CTNETLINK` as the high byte of the type of each message.
const SUBSYSTEM: u16 = 1 << 8;
const GET: u16 = 1;
const DELETE: u16 = 2;
const AF_INET: u8 = 2;

const CTA_TUPLE_ORIG: u16 = 1;
const CTA_TUPLE_REPLY: u16 = 2;
const CTA_ID: u16 = 12;
const CTA_ZONE: u16 = 18;
/// What makes the kernel leave out all connections but those with a given
/// destination in one direction.
const CTA_FILTER: u16 = 25;
/// `CTA_FILTER_F_CTA_IP_DST`, in host byte order.
const DESTINATION: [u8; 4] = (1u32 << 1).to_ne_bytes();
/// Within a tuple.
const CTA_TUPLE_IP: u16 = 1;
const CTA_TUPLE_PROTO: u16 = 2;
/// Within `CTA_TUPLE_IP`.
const CTA_IP_V4_SRC: u16 = 1;
const CTA_IP_V4_DST: u16 = 2;

/// One direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tuple {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    /// Destination port; ICMP has one identifier for both ends.
    number: u16,
}

/// Both directions of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    original: Tuple,
    reply: Tuple,
}

impl Entry {
    /// Reads a message in one pass: there may be tens of thousands.
    fn read(message: &[u8]) -> Option<Self> {
        let (mut original, mut reply) = (None, None);
        for (kind, content) in attributes(message) {
            match kind {
                CTA_TUPLE_ORIG => original = tuple(content),
                CTA_TUPLE_REPLY => reply = tuple(content),
                _ => continue,
            }
            if let (Some(original), Some(reply)) = (original, reply) {
                return Some(Entry { original, reply });
            }
        }
        None
    }

    /// Whether a host behind us talks to the Internet with its own address: what
    /// goes through an AFTR, which translates it.
    fn is_untranslated(&self) -> bool {
        let Entry { original, reply } = self;
        original.source == reply.destination
            && original.destination == reply.source
            && original.source.is_private()
            && is_public(original.destination)
    }

    fn is_of(&self, ours: Ipv4Net) -> bool {
        ours.contains(&self.reply.destination) || ours.contains(&self.original.destination)
    }

    /// What it is to us, if it uses our address: one that was opened from
    /// inside, or else one from outside that was forwarded or ends at the
    /// router.
    fn connection(&self, network: Ipv4Net) -> Option<Connection> {
        let Entry { original, reply } = self;
        let (number, host) = if network.contains(&reply.destination) {
            (reply.number, original.source)
        } else if network.contains(&original.destination) {
            (original.number, reply.source)
        } else {
            return None;
        };
        Some(Connection {
            protocol: Protocol::from_number(original.protocol)?,
            host,
            network,
            number,
        })
    }
}

/// Whether packets for that address leave the site.
fn is_public(address: Ipv4Addr) -> bool {
    let stays = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_unspecified();
    !stays
}

fn tuple(bytes: &[u8]) -> Option<Tuple> {
    let (mut source, mut destination, mut protocol, mut number) = (None, None, None, 0);
    for (kind, nest) in attributes(bytes) {
        for (part, content) in attributes(nest) {
            match (kind, part) {
                (CTA_TUPLE_IP, CTA_IP_V4_SRC) => source = array::<4>(content, 0),
                (CTA_TUPLE_IP, CTA_IP_V4_DST) => destination = array::<4>(content, 0),
                (CTA_TUPLE_PROTO, 1) => protocol = content.first().copied(),
                // Destination port, or identifier of ICMP.
                (CTA_TUPLE_PROTO, 3 | 4) => number = u16::from_be_bytes(array(content, 0)?),
                _ => {}
            }
        }
    }
    Some(Tuple {
        source: source?.into(),
        destination: destination?.into(),
        protocol: protocol?,
        number,
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

/// Every connection that uses an address of `network`. Those that were opened
/// from outside are looked for only if there can be any (`inbound`), since the
/// kernel walks through its whole table for them once more.
///
/// # Errors
/// The kernel has no conntrack over netlink (kmod-nf-conntrack-netlink), or
/// does not let us.
pub fn connections(network: Ipv4Net, inbound: bool) -> io::Result<Vec<Connection>> {
    let netfilter = Netfilter::open()?;
    let mut found = Vec::new();
    entries(&netfilter, network, inbound, &mut |_, entry| {
        found.extend(entry.connection(network));
    })?;
    Ok(found)
}

/// Calls `each` with every connection that uses an address of `network`, as the
/// kernel sent it and as it was read. With `inbound`, one that goes from the
/// network to itself may come twice.
fn entries(
    netfilter: &Netfilter,
    network: Ipv4Net,
    inbound: bool,
    each: &mut dyn FnMut(&[u8], &Entry),
) -> io::Result<()> {
    // Says whether there was anything that is not ours.
    let mut ask = |filter: &[Attr<'_>]| {
        let mut foreign = false;
        let mut one = |message: &[u8]| match Entry::read(message) {
            Some(entry) if entry.is_of(network) => each(message, &entry),
            _ => foreign = true,
        };
        netfilter.dump(SUBSYSTEM | GET, AF_INET, filter, &mut one)?;
        io::Result::Ok(foreign)
    };
    // The kernel compares whole addresses.
    let alone = network.prefix_len() == 32;
    let address = network.addr().octets();
    let mut ask_for = |direction| match alone {
        true => ask(&[
            // Flags of a direction have the number that its tuple has.
            Attr::Nest(CTA_FILTER, &[Attr::Bytes(direction, &DESTINATION)]),
            Attr::Nest(
                direction,
                &[Attr::Nest(
                    CTA_TUPLE_IP,
                    &[Attr::Bytes(CTA_IP_V4_DST, &address)],
                )],
            ),
        ]),
        false => ask(&[]),
    };
    match ask_for(CTA_TUPLE_REPLY) {
        // A kernel before 5.8 leaves nothing out, and we have seen all.
        Ok(foreign) if foreign || !inbound || !alone => {}
        Ok(_) => drop(ask_for(CTA_TUPLE_ORIG)?),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(error),
        Err(_) => drop(ask(&[])?),
    }
    Ok(())
}

/// The connection of one message, if it uses an address of `network`.
pub(super) fn connection(message: &[u8], network: Ipv4Net) -> Option<Connection> {
    Entry::read(message)?.connection(network)
}

/// Forgets every connection that uses an address of `ours`: when the line gets
/// another address, they could only send to a place that nothing comes back from.
/// Says how many there were.
///
/// # Errors
/// The kernel has no conntrack over netlink (kmod-nf-conntrack-netlink).
pub fn forget_connections(ours: Ipv4Net) -> io::Result<usize> {
    let netfilter = Netfilter::open()?;
    let mut doomed = Vec::new();
    entries(&netfilter, ours, true, &mut |message, _| {
        doomed.push(deletion(message));
    })?;
    delete(&netfilter, &doomed)
}

/// Forgets every connection from a host behind us to the Internet that nobody
/// here translates, as those of DS-Lite are: through another line they would go
/// on with an address that nothing comes back to. Says how many there were.
///
/// # Errors
/// The kernel has no conntrack over netlink (kmod-nf-conntrack-netlink).
pub fn forget_untranslated() -> io::Result<usize> {
    let netfilter = Netfilter::open()?;
    let mut doomed = Vec::new();
    netfilter.dump(SUBSYSTEM | GET, AF_INET, &[], &mut |message| {
        if Entry::read(message).is_some_and(|entry| entry.is_untranslated()) {
            doomed.push(deletion(message));
        }
    })?;
    delete(&netfilter, &doomed)
}

/// What the kernel is sent to forget the connection of a message.
fn deletion(message: &[u8]) -> Vec<u8> {
    let (kind, handle) = (SUBSYSTEM | DELETE, handle(message));
    let mut request = Vec::new();
    put_message(&mut request, kind, REQUEST | ACK, AF_INET, 0, &handle);
    request
}

fn delete(netfilter: &Netfilter, doomed: &[Vec<u8>]) -> io::Result<usize> {
    let mut forgotten = 0;
    for request in doomed {
        netfilter.send(request)?;
        match netfilter.acknowledged(1) {
            Ok(()) => forgotten += 1,
            // It ended by itself in the meantime, or was named twice.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(forgotten)
}

/// The attributes that name a connection.
pub(super) fn handle(message: &[u8]) -> Vec<Attr<'_>> {
    let mut named = Vec::new();
    for (kind, content) in attributes(message) {
        match kind {
            CTA_TUPLE_ORIG => named.push(Attr::Bytes(kind | NESTED, content)),
            CTA_ID | CTA_ZONE => named.push(Attr::Bytes(kind, content)),
            _ => {}
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::netlink::Attr::{Bytes, Nest};
    use super::super::netlink::{find, written};
    use super::*;

    fn side(from: [u8; 4], to: [u8; 4], protocol: u8, ports: &[(u16, u16)]) -> Vec<u8> {
        let ports: Vec<_> = ports.iter().map(|(k, p)| (*k, p.to_be_bytes())).collect();
        let mut proto = vec![Bytes(1, std::slice::from_ref(&protocol))];
        proto.extend(ports.iter().map(|(kind, port)| Bytes(*kind, port)));
        written(&[Nest(1, &[Bytes(1, &from), Bytes(2, &to)]), Nest(2, &proto)])
    }

    fn entry(original: &[u8], reply: &[u8]) -> Vec<u8> {
        written(&[
            Bytes(CTA_TUPLE_ORIG, original),
            Bytes(CTA_TUPLE_REPLY, reply),
            Bytes(CTA_ID, &[1, 2, 3, 4]),
            Bytes(7, &[0; 4]),
        ])
    }

    const US: [u8; 4] = [192, 0, 2, 1];
    const HOST: [u8; 4] = [10, 0, 0, 2];
    const FAR: [u8; 4] = [198, 51, 100, 1];

    fn found(entry: &[u8]) -> Option<(Protocol, u16, [u8; 4])> {
        let found = connection(entry, Ipv4Addr::from(US).into())?;
        Some((found.protocol, found.number, found.host.octets()))
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
    fn what_goes_through_an_aftr_is_not_translated_here() {
        let is = |from, to, back_from, back_to| {
            let out = side(from, to, 6, &[(2, 40000), (3, 443)]);
            let back = side(back_from, back_to, 6, &[(2, 443), (3, 40000)]);
            Entry::read(&entry(&out, &back)).unwrap().is_untranslated()
        };
        assert!(is(HOST, FAR, FAR, HOST));
        assert!(!is(HOST, FAR, FAR, US), "translated");
        assert!(!is(US, FAR, FAR, US), "the router's own");
        let other = [192, 168, 1, 9];
        assert!(!is(HOST, other, other, HOST), "within the site");
        assert!(!is(FAR, HOST, HOST, FAR), "from outside");
        let group = [224, 0, 0, 251];
        assert!(!is(HOST, group, group, HOST), "multicast");
    }

    #[test]
    fn a_connection_is_named_by_what_it_had_first() {
        let out = side(HOST, FAR, 6, &[(2, 40000), (3, 443)]);
        let entry = entry(&out, &side(FAR, US, 6, &[(2, 443), (3, 5000)]));
        let handle = written(&handle(&entry));
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
