// SPDX-License-Identifier: GPL-2.0-or-later
//! Every port in use to one destination: who is refused, and who is not. A
//! veth pair takes the tunnel's place. Needs root (for network namespaces of
//! its own) and nft.

mod netns;
mod veth;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread::sleep;
use std::time::Duration;

use mape::nat::{Kernel, Mode, Plan, Protocol, Timeouts, Wishes};
use mape::netfilter::{Counters, Nft, forget_connections};
use netns::Namespace;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, listen, sendto,
    socket,
};
use veth::{Wire, complaint, enter, far_socket, near_socket, plan, usage};

const TIMEOUT: Duration = Duration::from_secs(20);
const PORTS: usize = 240;

/// A CE with a pool, a host in its LAN, and the far end.
struct Scene {
    wire: Wire,
    lan: Namespace,
    plan: Plan,
}

impl Scene {
    /// Ports of `opened` are left out of the pool.
    fn new(opened: &str) -> Option<Self> {
        let wire = Wire::new()?;
        let lan = Namespace::new("lan")?;
        let link = format!("link add lan type veth peer name eth0 netns {}", lan.name());
        wire.ce.ip(&link);
        wire.ce.ip("addr add 10.0.0.1/24 dev lan");
        wire.ce.ip("link set lan up");
        wire.ce.sysctl("net.ipv4.ip_forward=1");
        wire.ce.sysctl("net.ipv4.icmp_ratelimit=0");
        lan.ip("addr add 10.0.0.2/24 dev eth0");
        lan.ip("link set eth0 up");
        lan.ip("route add default via 10.0.0.1");
        wire.br.ip("addr add 198.51.100.2/24 dev far");
        let plan = plan(Mode::Pool, opened, Timeouts::Normal);
        Nft::find().unwrap().run(&plan.combined(), TIMEOUT).unwrap();
        // On a busy machine it takes longer than the usual 30 s to fill the set.
        wire.ce.sysctl("net.netfilter.nf_conntrack_udp_timeout=600");
        wire.ce
            .sysctl("net.netfilter.nf_conntrack_icmp_timeout=600");
        Some(Scene { wire, lan, plan })
    }

    /// What the LAN host does; afterwards this thread is back in the CE.
    fn host<T>(&self, job: impl FnOnce() -> T) -> T {
        enter(&self.lan);
        let done = job();
        enter(&self.wire.ce);
        done
    }

    fn connect(&self, to: SocketAddr) -> std::io::Result<TcpStream> {
        self.host(|| TcpStream::connect_timeout(&to, Duration::from_secs(30)))
    }

    /// A socket of the LAN host that has sent a datagram.
    fn sender(&self, to: SocketAddr) -> UdpSocket {
        let socket = self.host(near_socket);
        socket.connect(to).unwrap();
        socket.send(b"x").unwrap();
        socket
    }

    fn far_listener(&self, address: &str) -> TcpListener {
        enter(&self.wire.br);
        let listener = TcpListener::bind(address).unwrap();
        listen(&listener, Backlog::new(1024).unwrap()).unwrap();
        enter(&self.wire.ce);
        listener
    }

    /// UDP ports in use.
    fn used(&self) -> usize {
        usage(&self.plan).of(Protocol::Udp)
    }
}

/// Slower than what is let through uncounted, however fast the machine.
fn pace(index: usize) {
    if index % 8 == 7 {
        sleep(Duration::from_millis(25));
    }
}

fn exhausted() -> u64 {
    Counters::read("wan4").unwrap().exhausted.unwrap()
}

#[test]
fn one_connection_too_many_is_refused_and_all_others_live() {
    let Some(scene) = Scene::new("") else { return };
    let server = scene.far_listener("198.51.100.1:0");
    let to = server.local_addr().unwrap();
    let live: Vec<TcpStream> = (0..PORTS)
        .map(|index| {
            pace(index);
            scene.connect(to).unwrap()
        })
        .collect();
    assert_eq!(exhausted(), 0);

    for _ in 0..5 {
        let refused = scene.connect(to).map_err(|error| error.kind());
        assert!(
            matches!(refused, Err(ErrorKind::ConnectionRefused)),
            "{refused:?}"
        );
    }
    // The router's own connections are counted with the others.
    let own = TcpStream::connect_timeout(&to, Duration::from_secs(30));
    assert_eq!(own.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(exhausted(), 6);

    // The same ports serve other destinations.
    for other in ["198.51.100.1:0", "198.51.100.2:0"] {
        let other = scene.far_listener(other);
        scene.connect(other.local_addr().unwrap()).unwrap();
    }
    assert_eq!(exhausted(), 6);

    for mut near in live {
        let (mut far, _) = server.accept().unwrap();
        far.write_all(b"still here").unwrap();
        drop(far);
        let mut said = String::new();
        near.read_to_string(&mut said).unwrap();
        assert_eq!(said, "still here");
    }
}

#[test]
fn the_sender_of_a_datagram_is_told_and_ports_come_back() {
    let Some(scene) = Scene::new("4930") else {
        return;
    };
    let ports = scene.plan.free().count() as usize;
    let server = far_socket(&scene.wire, "198.51.100.1:0");
    let to = server.local_addr().unwrap();
    for round in 1..=2 {
        let mut live = Vec::new();
        // To look takes long where the kernel's table is large.
        while live.len() < ports || (scene.used() < ports && live.len() < 2 * ports) {
            pace(live.len());
            // netfilter may give up its search, and find a port the next time.
            live.push(scene.sender(to));
        }
        // The rules may count one that netfilter gave up on.
        let used = scene.used();
        assert!(used + 2 >= ports, "{used} used");
        let before = exhausted();
        let late = scene.sender(to);
        assert_eq!(complaint(&late), Some(Errno::EHOSTUNREACH as i32));
        assert_eq!(exhausted(), before + 1);

        // Those that have a port use it, and so does a port that passes.
        live[0].send(b"still here").unwrap();
        let opened = UdpSocket::bind("192.0.2.1:4930").unwrap();
        opened.send_to(b"x", to).unwrap();
        assert_eq!(exhausted(), before + 1, "round {round}");
        forget_connections(scene.plan.line().ipv4).unwrap();
    }
}

#[test]
fn many_datagrams_of_one_socket_are_one_connection() {
    let Some(scene) = Scene::new("") else { return };
    let server = far_socket(&scene.wire, "198.51.100.1:0");
    let to = server.local_addr().unwrap();
    let socket = scene.sender(to);
    // Nobody answers, and so each of them is new to conntrack.
    for _ in 0..2000 {
        socket.send(b"x").unwrap();
    }
    let _other = scene.sender(to);
    assert_eq!(exhausted(), 0);
    assert_eq!(scene.used(), 2);
}

/// An echo request with its checksum.
fn echo_request(id: u16) -> [u8; 8] {
    let id = id.to_be_bytes();
    let sum = !(0x0800 + u16::from_be_bytes(id));
    let sum = sum.to_be_bytes();
    [8, 0, sum[0], sum[1], id[0], id[1], 0, 0]
}

#[test]
fn pings_to_one_host_are_counted_as_well() {
    let Some(scene) = Scene::new("") else { return };
    let raw: OwnedFd = scene.host(|| {
        let icmp = Some(SockProtocol::Icmp);
        socket(AddressFamily::Inet, SockType::Raw, SockFlag::empty(), icmp).unwrap()
    });
    let ping = |host: &str, id: u16| {
        let to = SockaddrIn::from(SocketAddrV4::new(host.parse().unwrap(), 0));
        sendto(raw.as_raw_fd(), &echo_request(id), &to, MsgFlags::empty()).unwrap();
    };
    let used = || usage(&scene.plan).of(Protocol::Icmp);
    let mut id = 0;
    while usize::from(id) < PORTS || (used() < PORTS && id < 480) {
        pace(id.into());
        id += 1;
        ping("198.51.100.1", id);
    }
    // As above.
    assert!(used() + 2 >= PORTS, "{} used", used());
    let before = exhausted();
    ping("198.51.100.1", id + 1);
    assert_eq!(exhausted(), before + 1);
    ping("198.51.100.2", id + 2);
    assert_eq!(exhausted(), before + 1);
}

#[test]
fn a_kernel_that_cannot_count_translates_all_the_same() {
    let Some(wire) = Wire::new() else { return };
    let able = plan(Mode::Pool, "", Timeouts::Normal);
    let kernel = Kernel {
        connlimit: Err("No such file or directory".into()),
        ..Kernel::full()
    };
    let unable = Plan::new(able.line().clone(), &Wishes::default(), &kernel).unwrap();
    assert!(able.refuses_when_full() && !unable.refuses_when_full());
    assert!(!unable.combined().contains("ct count"));
    Nft::find()
        .unwrap()
        .run(&unable.combined(), TIMEOUT)
        .unwrap();
    let server = far_socket(&wire, "198.51.100.1:0");
    let to = server.local_addr().unwrap();
    let sockets: Vec<UdpSocket> = (0..300).map(|_| near_socket()).collect();
    let sent = sockets
        .iter()
        .filter(|socket| socket.send_to(b"x", to).is_ok())
        .count();
    let counters = Counters::read("wan4").unwrap();
    assert!((230..=PORTS).contains(&sent), "{sent}");
    assert_eq!(counters.exhausted, None);
    assert_eq!(counters.no_free_port as usize, 300 - sent);
    sockets[0].send_to(b"still here", to).unwrap();
}
