// SPDX-License-Identifier: GPL-2.0-or-later
//! The rules of DS-Lite and of a fixed address in a kernel, with a host behind
//! the router and a firewall that would masquerade everything. A veth pair takes
//! the tunnel's place. Needs root (for network namespaces of its own) and nft.

mod netns;
mod veth;

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use mape::mechanism::{DsLite, InterfaceId, IpIp, Mechanism};
use mape::nat::{Kernel, Line, Plan, Wishes};
use mape::netfilter::{Counters, Nft, forget_connections, forget_untranslated};
use netns::Namespace;
use veth::{Wire, enter, far_socket};

const TIMEOUT: Duration = Duration::from_secs(20);
const HOST: &str = "192.168.1.20";

/// What firewall4 does in a zone with `masq '1'`.
const MASQUERADE: &str = "table inet fw4 { chain srcnat { type nat hook postrouting \
                          priority srcnat; policy accept; masquerade; }; }\n";

/// The router between a host and the far end, with the rules of a mechanism.
struct Site {
    wire: Wire,
    host: Namespace,
    far: UdpSocket,
}

impl Site {
    fn new(mechanism: &Mechanism) -> Option<Self> {
        let wire = Wire::new()?;
        let host = Namespace::new("host")?;
        let lan = format!(
            "link add br-lan type veth peer name eth0 netns {}",
            host.name()
        );
        wire.ce.ip(&lan);
        wire.ce.ip("addr add 192.168.1.1/24 dev br-lan");
        wire.ce.ip("link set br-lan up");
        host.ip(&format!("addr add {HOST}/24 dev eth0"));
        host.ip("link set eth0 up");
        host.ip("route add default via 192.168.1.1");
        wire.ce.sysctl("net.ipv4.ip_forward=1");
        // An AFTR reaches hosts by the tunnel, not by their addresses.
        for there in ["192.168.1.0/24", "203.0.113.0/24"] {
            wire.br
                .ip(&format!("route add {there} via 192.0.2.1 dev far onlink"));
        }
        let nft = Nft::find().unwrap();
        nft.run(MASQUERADE, TIMEOUT).unwrap();
        let line = Line::new("wan4", "map-wan4", mechanism, false);
        let plan = Plan::new(line, &Wishes::default(), &Kernel::full()).unwrap();
        nft.run(&plan.combined(), TIMEOUT).unwrap();
        let far = far_socket(&wire, "198.51.100.1:0");
        Some(Site { wire, host, far })
    }

    /// A socket of the host.
    fn host_socket(&self) -> UdpSocket {
        enter(&self.host);
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        enter(&self.wire.ce);
        socket
    }

    /// Sends something there and back; says what address it had outside.
    fn exchange(&self, socket: &UdpSocket) -> SocketAddr {
        let mut buffer = [0; 16];
        socket
            .send_to(b"ping", self.far.local_addr().unwrap())
            .unwrap();
        let (_, from) = self.far.recv_from(&mut buffer).unwrap();
        self.far.send_to(b"pong", from).unwrap();
        let (len, _) = socket.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..len], b"pong");
        from
    }

    /// Sends from outside, unasked for, until it is counted as dropped.
    fn assert_dropped(&self, to: &str, counted: impl Fn(&Counters) -> u64) {
        for _ in 0..100 {
            self.far.send_to(b"unasked", to).unwrap();
            if counted(&Counters::read("wan4").unwrap()) > 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("nothing was dropped");
    }
}

#[test]
fn ds_lite_leaves_addresses_alone_whatever_the_firewall_does() {
    let prefix = "2001:db8:7:100::/56".parse().unwrap();
    let line = DsLite::new(prefix, "2001:db8:ffff::1".parse().unwrap()).unwrap();
    let mechanism = line.into();
    let Some(site) = Site::new(&mechanism) else {
        return;
    };
    let socket = site.host_socket();
    let own = SocketAddr::new(HOST.parse().unwrap(), socket.local_addr().unwrap().port());
    assert_eq!(site.exchange(&socket), own);
    site.assert_dropped(&format!("{HOST}:7"), |counters| counters.unsolicited);

    // Another line takes over: what went through the AFTR is forgotten.
    mape::netfilter::remove("wan4").unwrap();
    assert_eq!(forget_connections(mechanism.ipv4()).unwrap(), 0);
    assert_eq!(forget_untranslated().unwrap(), 1);
    assert_eq!(forget_untranslated().unwrap(), 0);
    let translated = site.exchange(&socket);
    assert_eq!(translated.ip().to_string(), "192.0.2.1");
    assert_eq!(forget_untranslated().unwrap(), 0, "that one is translated");
}

#[test]
fn a_fixed_block_has_its_own_address_and_its_hosts_have_theirs() {
    let prefix = "2001:db8:7:100::/56".parse().unwrap();
    let (id, block) = (InterfaceId::Bits(0xfeed), "203.0.113.9/29".parse().unwrap());
    let br = "2001:db8:ffff::1".parse().unwrap();
    let mechanism = IpIp::new(prefix, id, block, br).unwrap().into();
    let Some(site) = Site::new(&mechanism) else {
        return;
    };
    let socket = site.host_socket();
    assert_eq!(site.exchange(&socket).ip().to_string(), "203.0.113.9");
    // An address that is not of the block is nobody's here.
    site.assert_dropped("203.0.113.77:7", |counters| counters.not_our_address);
    // A host with an address of the block keeps it.
    site.host.ip("addr add 203.0.113.10/32 dev eth0");
    site.wire.ce.ip("route add 203.0.113.10 dev br-lan");
    enter(&site.host);
    let public = UdpSocket::bind("203.0.113.10:0").unwrap();
    enter(&site.wire.ce);
    public
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let seen = site.exchange(&public);
    assert_eq!(seen, public.local_addr().unwrap());
    assert_eq!(forget_connections(mechanism.ipv4()).unwrap(), 2);
}
