// SPDX-License-Identifier: GPL-2.0-or-later
//! What conntrack knows of our address: ports in use, and forgetting.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::map::PortRange;

use super::netlink::{ACK, Netfilter, REQUEST, array, attribute, attributes, find, message};
use super::plan::Plan;

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
    /// All of them, in the order of the arrays of [`Usage`].
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

    fn index(self) -> usize {
        match self {
            Protocol::Tcp => 0,
            Protocol::Udp => 1,
            Protocol::Icmp => 2,
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

/// Ports and connections of one protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Connections that conntrack knows.
    pub connections: u32,
    /// Different ports outside that they have; several connections to
    /// different destinations can share one.
    pub ports: u32,
}

/// How much of the port set is in use. Arrays are in the order of
/// [`Protocol::ALL`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Per protocol.
    pub protocols: [Count; 3],
    /// Per range of the port set, ascending: ports in use of each protocol.
    /// Without sharing there is one range.
    pub ranges: Vec<(PortRange, [u32; 3])>,
    /// Per internal host: connections and ports of all protocols together.
    pub hosts: Vec<(Ipv4Addr, Count)>,
}

impl Usage {
    /// Reads the connections of the line of `plan`.
    ///
    /// # Errors
    /// The kernel has no conntrack over netlink (kmod-nf-conntrack-netlink).
    pub fn read(plan: &Plan) -> io::Result<Self> {
        let mut tally = Tally::default();
        Netfilter::open()?.dump(SUBSYSTEM | GET, AF_INET, |message| {
            tally.add(plan, message);
        })?;
        Ok(tally.close(plan))
    }
}

/// Ports in use by protocol and port, while messages come in.
#[derive(Default)]
struct Tally {
    connections: [u32; 3],
    ports: BTreeSet<(Protocol, u16)>,
    hosts: BTreeMap<Ipv4Addr, (u32, BTreeSet<(Protocol, u16)>)>,
}

impl Tally {
    fn add(&mut self, plan: &Plan, message: &[u8]) {
        let Some((protocol, number, host)) = use_of(message, plan.network()) else {
            return;
        };
        let Some(port) = plan.port_of(number) else {
            return;
        };
        if let Some(count) = self.connections.get_mut(protocol.index()) {
            *count = count.saturating_add(1);
        }
        self.ports.insert((protocol, port));
        let (connections, ports) = self.hosts.entry(host).or_default();
        *connections = connections.saturating_add(1);
        ports.insert((protocol, port));
    }

    fn close(self, plan: &Plan) -> Usage {
        let of = |protocol: Protocol, range: PortRange| {
            let (first, last) = ((protocol, range.first()), (protocol, range.last()));
            self.ports.range(first..=last).count() as u32
        };
        let protocols = Protocol::ALL.map(|protocol| Count {
            connections: self
                .connections
                .get(protocol.index())
                .copied()
                .unwrap_or_default(),
            ports: of(protocol, PortRange::ALL),
        });
        let set = plan.line().ports;
        let ranges = set
            .ranges()
            .map(|range| (range, Protocol::ALL.map(|protocol| of(protocol, range))))
            .collect();
        let hosts = self
            .hosts
            .into_iter()
            .map(|(host, (connections, ports))| {
                let ports = ports.len() as u32;
                (host, Count { connections, ports })
            })
            .collect();
        Usage {
            protocols,
            ranges,
            hosts,
        }
    }
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
    let each = |message: &[u8]| {
        let of = |network: &Ipv4Net| {
            let (protocol, number, host) = use_of(message, *network)?;
            Some(Connection {
                protocol,
                host,
                network: *network,
                number,
            })
        };
        found.extend(networks.iter().find_map(of));
    };
    Netfilter::open()?.dump(SUBSYSTEM | GET, AF_INET, each)?;
    Ok(found)
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
fn handle(message: &[u8]) -> Vec<u8> {
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
    use super::super::{Kernel, Line, Pool, Technique, Wishes};
    use super::*;
    use crate::map::{PortParams, PortSet};

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

    fn plan() -> Plan {
        let line = Line {
            interface: "wan".into(),
            device: "map-wan".into(),
            ipv4: "192.0.2.1/32".parse().unwrap(),
            ports: PortSet::new(PortParams::new(4, 8).unwrap(), 0x34).unwrap(),
            outer: None,
        };
        let wishes = Wishes {
            opened: "4930".parse().unwrap(),
            ..Wishes::default()
        };
        Plan::new(line, wishes, &Kernel::full()).unwrap()
    }

    fn pool(plan: &Plan) -> &Pool {
        match plan.technique() {
            Technique::Pool(pool) => pool,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn numbers_are_counted_as_ports() {
        let plan = plan();
        let (number, port) = pool(&plan).pairs().nth(20).unwrap();
        let mut tally = Tally::default();
        for far in [1, 2] {
            let far = [198, 51, 100, far];
            let out = side(HOST, far, 6, &[(2, 40000), (3, 443)]);
            tally.add(
                &plan,
                &entry(&out, &side(far, US, 6, &[(2, 443), (3, number)])),
            );
        }
        let ping = side(HOST, FAR, 1, &[(4, 77)]);
        tally.add(&plan, &entry(&ping, &side(FAR, US, 1, &[(4, number)])));
        let inbound = side(FAR, US, 17, &[(2, 9), (3, 4930)]);
        let to = side([10, 0, 0, 9], FAR, 17, &[(2, 4930), (3, 9)]);
        tally.add(&plan, &entry(&inbound, &to));
        let foreign = side(HOST, FAR, 6, &[(2, 1), (3, 2)]);
        tally.add(
            &plan,
            &entry(&foreign, &side(FAR, HOST, 6, &[(2, 2), (3, 1)])),
        );

        let usage = tally.close(&plan);
        let counts = usage.protocols.map(|c| (c.connections, c.ports));
        assert_eq!(counts, [(2, 1), (1, 1), (1, 1)]);
        let used: Vec<_> = usage.ranges.iter().filter(|(_, n)| *n != [0; 3]).collect();
        assert_eq!(used.len(), 2);
        assert_eq!(used[0].1, [0, 1, 0]);
        assert!(used[1].0.contains(port));
        assert_eq!(used[1].1, [1, 0, 1]);
        let hosts: Vec<_> = usage
            .hosts
            .iter()
            .map(|(host, count)| (host.octets()[3], count.connections, count.ports))
            .collect();
        assert_eq!(hosts, [(2, 3, 2), (9, 1, 1)]);
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
            let mut tally = Tally::default();
            tally.add(&plan(), &bytes);
            let _ = handle(&bytes);
        }
    }
}
