// SPDX-License-Identifier: GPL-2.0-or-later
//! Which external ports are in use, and by whom.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::map::PortRange;
use crate::nat::Protocol;
use crate::netfilter::Connection;

/// Use of the ports of one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Every external port in use, once a protocol: sorted.
    ports: Vec<(Protocol, u16)>,
    hosts: Vec<HostUse>,
}

/// How much of the ports that translation may use is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Enough are left.
    Roomy,
    /// Four of five are taken.
    Scarce,
    /// A new connection may find none.
    Full,
}

impl Fill {
    /// How full `ports` ports are of which `used` are in use, and that in
    /// per cent.
    pub fn of(used: usize, ports: usize) -> (Self, usize) {
        let percent = used.saturating_mul(100) / ports.max(1);
        let fill = match percent {
            0..80 => Fill::Roomy,
            80..95 => Fill::Scarce,
            _ => Fill::Full,
        };
        (fill, percent)
    }
}

/// External ports that one internal address uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostUse {
    /// Internal address; our own for connections of the router itself.
    pub address: Ipv4Addr,
    /// Ports by protocol, in the order of [`Protocol::ALL`].
    pub ports: [usize; 3],
}

impl HostUse {
    /// Ports in all protocols.
    pub fn total(&self) -> usize {
        self.ports.iter().sum()
    }
}

impl Usage {
    /// Counts the connections of a line. `port_of` says which port a number
    /// stands for, or that it is none of ours.
    pub fn count(
        connections: &[Connection],
        network: Ipv4Net,
        port_of: &dyn Fn(u16) -> Option<u16>,
    ) -> Self {
        let mut all: Vec<(Protocol, u16, Ipv4Addr)> = Vec::new();
        for connection in connections.iter().filter(|c| c.network == network) {
            if let Some(port) = port_of(connection.number) {
                all.push((connection.protocol, port, connection.host));
            }
        }
        all.sort_unstable();
        all.dedup();
        let mut usage = Usage::default();
        let mut hosts: Vec<HostUse> = Vec::new();
        for (protocol, port, address) in all {
            if usage.ports.last() != Some(&(protocol, port)) {
                usage.ports.push((protocol, port));
            }
            let at = hosts.partition_point(|host| host.address < address);
            if hosts.get(at).is_none_or(|host| host.address != address) {
                let ports = [0; 3];
                hosts.insert(at, HostUse { address, ports });
            }
            if let Some(host) = hosts.get_mut(at) {
                let counts = Protocol::ALL.iter().zip(&mut host.ports);
                for (_, count) in counts.filter(|(known, _)| **known == protocol) {
                    *count += 1;
                }
            }
        }
        // Of those with as many ports the lower address stays first.
        for host in hosts {
            let total = host.total();
            let at = usage.hosts.partition_point(|known| known.total() >= total);
            usage.hosts.insert(at, host);
        }
        usage
    }

    /// Ports of a protocol in use.
    pub fn of(&self, protocol: Protocol) -> usize {
        self.of_range(protocol, PortRange::ALL)
    }

    /// Ports of a protocol in use within `range`.
    pub fn of_range(&self, protocol: Protocol, range: PortRange) -> usize {
        let below = |port: u32| {
            let before = |&(p, n): &(Protocol, u16)| (p, u32::from(n)) < (protocol, port);
            self.ports.partition_point(before)
        };
        below(u32::from(range.last()) + 1) - below(u32::from(range.first()))
    }

    /// Ports in use of the protocol that uses most.
    pub fn max(&self) -> usize {
        let [tcp, udp, icmp] = Protocol::ALL.map(|protocol| self.of(protocol));
        tcp.max(udp).max(icmp)
    }

    /// Whether a port is in use, by whatever protocol.
    pub fn has(&self, port: u16) -> bool {
        let used = |p: &Protocol| self.ports.binary_search(&(*p, port)).is_ok();
        Protocol::ALL.iter().any(used)
    }

    /// Internal addresses, those with most ports first.
    pub fn hosts(&self) -> &[HostUse] {
        &self.hosts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out() -> Ipv4Net {
        "106.72.0.1/32".parse().unwrap()
    }

    fn row(protocol: Protocol, host: u8, number: u16) -> Connection {
        Connection {
            protocol,
            host: Ipv4Addr::new(192, 168, 1, host),
            network: out(),
            number,
        }
    }

    #[test]
    fn ports_count_once_and_protocols_apart() {
        let connections = [
            row(Protocol::Tcp, 10, 4128),
            // The same port to another server.
            row(Protocol::Tcp, 10, 4128),
            row(Protocol::Udp, 10, 4128),
            row(Protocol::Tcp, 11, 4143),
            row(Protocol::Icmp, 11, 4144),
            // None of ours.
            row(Protocol::Tcp, 11, 80),
            Connection {
                network: "192.0.2.4/32".parse().unwrap(),
                ..row(Protocol::Tcp, 12, 4129)
            },
        ];
        let ours = |n| (4128..=4200).contains(&n).then_some(n);
        let usage = Usage::count(&connections, out(), &ours);
        let first = PortRange::new(4128, 4143).unwrap();
        assert_eq!(usage.of(Protocol::Tcp), 2);
        assert_eq!(usage.of_range(Protocol::Tcp, first), 2);
        assert_eq!(usage.of_range(Protocol::Udp, first), 1);
        assert_eq!(usage.of_range(Protocol::Icmp, first), 0);
        assert_eq!(usage.of(Protocol::Icmp), 1);
        assert_eq!(usage.max(), 2);
        assert!(usage.has(4144) && !usage.has(4129));
        let hosts = usage
            .hosts()
            .iter()
            .map(|h| (h.address.octets()[3], h.ports));
        assert_eq!(
            hosts.collect::<Vec<_>>(),
            [(10, [1, 1, 0]), (11, [1, 0, 1])]
        );
    }

    #[test]
    fn the_last_port_of_all() {
        let usage = Usage::count(&[row(Protocol::Udp, 1, 65535)], out(), &Some);
        assert_eq!(usage.of(Protocol::Udp), 1);
        assert_eq!(usage.of(Protocol::Tcp) + usage.of(Protocol::Icmp), 0);
    }
}
