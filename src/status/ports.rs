// SPDX-License-Identifier: GPL-2.0-or-later
//! The answer of `ports` as `docs/bus.md` describes it.

use std::net::Ipv4Addr;

use serde::Serialize;

use super::answer::{HostAnswer, hosts};
use super::world::{Interface, LineUp};
use crate::firewall::Forward;
use crate::map::PortRange;
use crate::nat::Protocol;

/// Most internal hosts that `ports` lists.
pub const MAX_HOSTS: usize = 10;

/// Most ports of each kind (reserved, of UPnP, forwarded) that `ports` lists of one range: an
/// address that is not shared is one range of 65,536.
const MAX_MARKS: usize = 256;

/// The answer of `ports`.
#[derive(Debug, Serialize)]
pub struct PortsAnswer<'a> {
    interface: &'a str,
    ipv4_address: Option<Ipv4Addr>,
    total: u32,
    ranges: Vec<RangeAnswer<'a>>,
    hosts: Vec<HostAnswer<'a>>,
}

/// One range of the port set. Counts are null if connections cannot be seen.
#[derive(Debug, Serialize)]
struct RangeAnswer<'a> {
    first: u16,
    last: u16,
    tcp: Option<usize>,
    udp: Option<usize>,
    icmp: Option<usize>,
    reserved: Vec<u16>,
    upnp: Vec<u16>,
    forwarded: Vec<ForwardAnswer<'a>>,
}

/// A port that the firewall forwards.
#[derive(Debug, Serialize)]
struct ForwardAnswer<'a> {
    port: u16,
    proto: &'static str,
    to: String,
    name: Option<&'a str>,
}

impl<'a> PortsAnswer<'a> {
    /// The ports of an interface; there are none while it is not up.
    pub fn new(interface: &'a Interface<'a>) -> Self {
        let line = interface.line.as_ref();
        PortsAnswer {
            interface: interface.name,
            ipv4_address: line.map(|line| line.state.mechanism.ipv4().addr()),
            total: line.map_or(0, LineUp::total),
            ranges: line.map_or_else(Vec::new, |line| {
                let ranges = line.ranges().map(|range| RangeAnswer::new(line, range));
                ranges.collect()
            }),
            hosts: line.map_or_else(Vec::new, |line| {
                hosts(line, interface.world()).take(MAX_HOSTS).collect()
            }),
        }
    }
}

impl<'a> RangeAnswer<'a> {
    fn new(line: &'a LineUp<'a>, range: PortRange) -> Self {
        let used = |protocol| Some(line.usage.as_ref()?.of_range(protocol, range));
        let reserved = range.ports().filter(|port| line.reserved.contains(*port));
        let upnp = range.ports().filter(|port| line.upnp.contains(*port));
        let forwarded = line.forwards.iter().flat_map(|forward| {
            let ports = forward.ports.ports();
            let ports = ports.filter(move |port| range.contains(*port));
            ports.map(move |port| ForwardAnswer::new(forward, port))
        });
        RangeAnswer {
            first: range.first(),
            last: range.last(),
            tcp: used(Protocol::Tcp),
            udp: used(Protocol::Udp),
            icmp: used(Protocol::Icmp),
            reserved: reserved.take(MAX_MARKS).collect(),
            upnp: upnp.take(MAX_MARKS).collect(),
            forwarded: forwarded.take(MAX_MARKS).collect(),
        }
    }
}

impl<'a> ForwardAnswer<'a> {
    fn new(forward: &'a Forward, port: u16) -> Self {
        ForwardAnswer {
            port,
            proto: forward.protocol.name(),
            to: forward.target(port),
            name: forward.name.as_deref(),
        }
    }
}
