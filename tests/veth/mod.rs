// SPDX-License-Identifier: GPL-2.0-or-later
//! CE and BR for tests of rules: a veth pair takes the tunnel's place. The
//! test that uses it has the module `netns`.

#![allow(dead_code, reason = "each test uses its part")]

use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::time::Duration;

use mape::map::{PortParams, PortSet};
use mape::nat::{Claim, Kernel, Line, Mode, Plan, Timeouts, Wishes};
use mape::netfilter::connections;
use mape::status::usage::Usage;
use nix::sched::{CloneFlags, setns};

use crate::netns::Namespace;

pub fn plan(mode: Mode, opened: &str, timeouts: Timeouts) -> Plan {
    let line = Line {
        interface: "wan4".into(),
        device: "map-wan4".into(),
        ipv4: "192.0.2.1/32".parse().unwrap(),
        ports: Some(PortSet::new(PortParams::new(4, 8).unwrap(), 0x34).unwrap()),
        outer: None,
    };
    let wishes = Wishes {
        mode,
        opened: vec![Claim {
            title: "port forward".into(),
            ports: opened.parse().unwrap(),
        }],
        timeouts,
        ..Wishes::default()
    };
    Plan::new(line, &wishes, &Kernel::full()).unwrap()
}

/// Ports of a line that are in use.
pub fn usage(plan: &Plan) -> Usage {
    let network = plan.line().ipv4;
    let all = connections(network, !plan.passing().is_empty()).unwrap();
    Usage::count(&all, network, &|number| plan.port_of(number))
}

/// CE and BR. This thread is in the CE from now on, and children with it.
pub struct Wire {
    pub ce: Namespace,
    pub br: Namespace,
}

impl Wire {
    pub fn new() -> Option<Self> {
        let (ce, br) = (Namespace::new("ce")?, Namespace::new("br")?);
        let wire = Wire { ce, br };
        wire.tunnel();
        wire.far_end();
        enter(&wire.ce);
        Some(wire)
    }

    pub fn far_end(&self) {
        self.br.ip("addr add 198.51.100.1/24 dev far");
        self.br.ip("link set far up");
        self.br.ip("route add 192.0.2.1 dev far");
        self.br
            .ip("neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev far");
    }

    pub fn tunnel(&self) {
        let far = format!(
            "link add map-wan4 address 02:00:00:00:00:01 type veth peer name far \
             address 02:00:00:00:00:02 netns {}",
            self.br.name()
        );
        self.ce.ip(&far);
        self.ce.ip("link set map-wan4 up");
        self.ce.ip("addr add 192.0.2.1/32 dev map-wan4");
        self.ce
            .ip("route add default via 198.51.100.1 dev map-wan4 onlink");
        self.ce
            .ip("neigh add 198.51.100.1 lladdr 02:00:00:00:00:02 dev map-wan4");
    }
}

pub fn enter(ns: &Namespace) {
    let file = std::fs::File::open(format!("/run/netns/{}", ns.name())).unwrap();
    setns(file.as_fd(), CloneFlags::CLONE_NEWNET).unwrap();
}

/// A socket of the BR's side; a socket stays where it was made.
pub fn far_socket(wire: &Wire, address: &str) -> UdpSocket {
    enter(&wire.br);
    let socket = UdpSocket::bind(address).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    enter(&wire.ce);
    socket
}

/// A socket of the router itself.
pub fn near_socket() -> UdpSocket {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    socket
}

/// What a connected socket is told within five seconds.
pub fn complaint(socket: &UdpSocket) -> Option<i32> {
    socket.recv(&mut [0; 16]).err()?.raw_os_error()
}

/// Sends until the socket is told something by an ICMP error: a kernel under
/// load does not answer every datagram with one.
pub fn told(socket: &UdpSocket, data: &[u8]) -> Option<i32> {
    let patience = socket.read_timeout().unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    let told = (0..8).find_map(|_| {
        let error = match socket.send(data) {
            Ok(_) => complaint(socket),
            Err(error) => error.raw_os_error(),
        };
        error.filter(|&errno| errno != nix::libc::EAGAIN)
    });
    socket.set_read_timeout(patience).unwrap();
    told
}
