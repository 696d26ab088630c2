// SPDX-License-Identifier: GPL-2.0-or-later
//! The rules in a kernel: loaded, recognised, counted, removed, and what
//! conntrack says about them. A veth pair takes the tunnel's place. Needs root
//! (for network namespaces of its own) and nft.

mod netns;
mod veth;

use std::net::UdpSocket;
use std::time::Duration;

use mape::nat::{Kernel, Mode, Plan, Protocol, Technique, Timeouts};
use mape::netfilter::{Counters, Nft, NftError, forget_connections, has_ingress_qdisc, is_loaded};
use nix::errno::Errno;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::Ipv4RecvErr;
use veth::{Wire, far_socket, near_socket, plan, told, usage};

const TIMEOUT: Duration = Duration::from_secs(20);

#[test]
fn the_kernel_takes_everything() {
    let Some(_wire) = Wire::new() else { return };
    for program in netns::nft_programs() {
        let nft = match program {
            "nft" => Nft::find().unwrap(),
            newer => Nft::at(newer),
        };
        assert_eq!(nft.probe(TIMEOUT).unwrap(), Kernel::full(), "{program}");
    }
}

#[test]
fn rules_are_recognised_until_they_change_or_go() {
    let Some(wire) = Wire::new() else { return };
    let nft = Nft::find().unwrap();
    for mode in [Mode::Pool, Mode::Hash] {
        let plan = plan(mode, "", Timeouts::Tight);
        assert!(!is_loaded(&plan));
        nft.run(&plan.combined(), TIMEOUT).unwrap();
        assert!(is_loaded(&plan));
        assert!(!is_loaded(&self::plan(mode, "4930", Timeouts::Tight)));
        if plan.has_edge() {
            nft.run("delete table netdev mape_wan4", TIMEOUT).unwrap();
            assert!(!is_loaded(&plan));
        }
        mape::netfilter::remove("wan4").unwrap();
        assert!(!is_loaded(&plan));
        mape::netfilter::remove("wan4").unwrap();
    }
    let left = wire.ce.run(&["nft", "list", "ruleset"]);
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
}

/// An ingress qdisc is noticed when it comes and when it has gone.
#[test]
fn traffic_control_is_noticed() {
    let Some(wire) = Wire::new() else { return };
    let tc = |words: &str| {
        let words: Vec<&str> = std::iter::once("tc").chain(words.split(' ')).collect();
        wire.ce.run(&words)
    };
    for kind in ["ingress", "clsact"] {
        assert!(!has_ingress_qdisc("map-wan4"));
        assert!(
            tc(&format!("qdisc add dev map-wan4 {kind}"))
                .status
                .success()
        );
        assert!(has_ingress_qdisc("map-wan4"));
        assert!(!has_ingress_qdisc("lo"));
        assert!(
            tc(&format!("qdisc del dev map-wan4 {kind}"))
                .status
                .success()
        );
    }
    assert!(!has_ingress_qdisc("map-wan4"));
    assert!(!has_ingress_qdisc("no-such-device"));
}

#[test]
fn a_device_that_is_missing_leaves_the_rules_as_they_were() {
    let Some(wire) = Wire::new() else { return };
    let nft = Nft::find().unwrap();
    let plan = plan(Mode::Pool, "", Timeouts::Normal);
    nft.run(&plan.combined(), TIMEOUT).unwrap();
    wire.ce.ip("link del map-wan4");
    // The index of the device is part of the rules.
    let refused = nft.run(&plan.combined(), TIMEOUT);
    assert!(matches!(refused, Err(NftError::Refused(_))), "{refused:?}");
    let table = wire.ce.run(&["nft", "list", "table", "ip", "mape_wan4"]);
    assert!(table.status.success());
}

#[test]
fn ports_of_the_set_are_seen_outside_and_counted() {
    let Some(wire) = Wire::new() else { return };
    let nft = Nft::find().unwrap();
    for mode in [Mode::Pool, Mode::Hash] {
        let plan = plan(mode, "4930", Timeouts::Normal);
        let set = plan.line().ports.unwrap();
        let server = far_socket(&wire, "198.51.100.1:0");
        let server_address = server.local_addr().unwrap();

        nft.run(&plan.combined(), TIMEOUT).unwrap();

        let mut seen = std::collections::BTreeSet::new();
        let sockets: Vec<UdpSocket> = (0..40).map(|_| near_socket()).collect();
        for socket in &sockets {
            socket.send_to(b"ping", server_address).unwrap();
            let mut buffer = [0; 16];
            let (_, from) = server.recv_from(&mut buffer).unwrap();
            assert_eq!(from.ip().to_string(), "192.0.2.1");
            assert!(set.contains(from.port()) && from.port() != 4930, "{from}");
            seen.insert(from.port());
            server.send_to(b"pong", from).unwrap();
            let (len, _) = socket.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..len], b"pong");
        }
        assert_eq!(seen.len(), 40);

        assert_eq!(usage(&plan).of(Protocol::Udp), seen.len());
        for range in set.ranges() {
            let count = seen.iter().filter(|port| range.contains(**port)).count();
            assert_eq!(
                usage(&plan).of_range(Protocol::Udp, range),
                count,
                "{range}"
            );
        }

        refused(&wire, &plan);
        assert!(usage(&plan).has(4930), "one from outside is not counted");
        // Two more are of the opened port.
        assert_eq!(forget_connections(plan.line().ipv4).unwrap(), 42);
        assert_eq!(usage(&plan).of(Protocol::Udp), 0);
        mape::netfilter::remove("wan4").unwrap();
    }
}

/// What nobody asked for reaches the router on an opened port alone.
fn refused(wire: &Wire, plan: &Plan) {
    let before = Counters::read("wan4").unwrap();
    let inside: Vec<u16> = match plan.technique() {
        Technique::Pool(pool) => vec![pool.numbers().first(), pool.numbers().last()],
        _ => vec![5000, 60000],
    };
    let opened = UdpSocket::bind("192.0.2.1:4930").unwrap();
    opened
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let stranger = far_socket(wire, "198.51.100.1:0");
    for port in &inside {
        stranger.send_to(b"x", ("192.0.2.1", *port)).unwrap();
    }
    for port in [4931, 9025] {
        stranger.send_to(b"x", ("192.0.2.1", port)).unwrap();
    }
    stranger.send_to(b"welcome", ("192.0.2.1", 4930)).unwrap();
    let mut buffer = [0; 16];
    let (len, _) = opened.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..len], b"welcome");
    // What an opened port sends first keeps its number as well.
    opened
        .send_to(b"hello", stranger.local_addr().unwrap())
        .unwrap();
    let (_, from) = stranger.recv_from(&mut buffer).unwrap();
    assert_eq!(from.port(), 4930);
    let other = far_socket(wire, "198.51.100.1:0");
    opened
        .send_to(b"hello", other.local_addr().unwrap())
        .unwrap();
    assert_eq!(other.recv_from(&mut buffer).unwrap().1.port(), 4930);

    let after = Counters::read("wan4").unwrap();
    assert_eq!(after.not_our_port - before.not_our_port, 2);
    assert_eq!(after.unsolicited - before.unsolicited, 2);
    assert_eq!(after.no_free_port, 0);
}

#[test]
fn icmp_errors_find_their_connection_in_both_directions() {
    let Some(wire) = Wire::new() else { return };
    let nft = Nft::find().unwrap();
    // Beyond the BR there is a narrow link, and routers that count hops.
    wire.br
        .ip("link add narrow mtu 1300 type veth peer name end");
    wire.br.ip("link set end up");
    wire.br.ip("link set narrow up");
    wire.br.ip("addr add 203.0.113.1/24 dev narrow");
    wire.br.sysctl("net.ipv4.ip_forward=1");
    wire.br.sysctl("net.ipv4.icmp_ratelimit=0");
    wire.ce.sysctl("net.ipv4.icmp_ratelimit=0");
    for (mode, far) in [(Mode::Pool, "203.0.113.8:9"), (Mode::Hash, "203.0.113.9:9")] {
        nft.run(&plan(mode, "4930", Timeouts::Normal).combined(), TIMEOUT)
            .unwrap();

        let refused = near_socket();
        refused.connect("198.51.100.1:9").unwrap();
        assert_eq!(told(&refused, b"x"), Some(Errno::ECONNREFUSED as i32));

        let expired = near_socket();
        setsockopt(&expired, Ipv4RecvErr, &true).unwrap();
        expired.set_ttl(1).unwrap();
        expired.connect(far).unwrap();
        assert_eq!(told(&expired, b"x"), Some(Errno::EHOSTUNREACH as i32));

        let too_big = near_socket();
        setsockopt(&too_big, Ipv4RecvErr, &true).unwrap();
        too_big.connect(far).unwrap();
        assert_eq!(told(&too_big, &[0; 1400]), Some(Errno::EMSGSIZE as i32));

        // The opened port and a translated one: both are closed when an
        // answer comes.
        for local in ["192.0.2.1:4930", "0.0.0.0:0"] {
            let server = far_socket(&wire, "198.51.100.1:0");
            let near = UdpSocket::bind(local).unwrap();
            near.send_to(b"x", server.local_addr().unwrap()).unwrap();
            let (_, from) = server.recv_from(&mut [0; 16]).unwrap();
            drop(near);
            server.connect(from).unwrap();
            assert_eq!(told(&server, b"late"), Some(Errno::ECONNREFUSED as i32));
        }
        assert_eq!(Counters::read("wan4").unwrap().not_our_port, 0);
        assert_eq!(Counters::read("wan4").unwrap().out_refused, 0);
        mape::netfilter::remove("wan4").unwrap();
    }
}

#[test]
fn another_device_of_that_name_is_held_back_until_rules_are_loaded_for_it() {
    let Some(wire) = Wire::new() else { return };
    let nft = Nft::find().unwrap();
    let plan = plan(Mode::Pool, "", Timeouts::Normal);
    nft.run(&plan.combined(), TIMEOUT).unwrap();
    let server = far_socket(&wire, "198.51.100.1:0");
    let to = server.local_addr().unwrap();
    let socket = near_socket();
    socket.send_to(b"one", to).unwrap();
    let (_, before) = server.recv_from(&mut [0; 16]).unwrap();

    wire.ce.ip("link del map-wan4");
    wire.tunnel();
    wire.far_end();
    // A new connection: what looks after that is asked once for each.
    assert!(near_socket().send_to(b"two", to).is_err());
    assert!(Counters::read("wan4").unwrap().held_back > 0);

    nft.run(&plan.combined(), TIMEOUT).unwrap();
    socket.send_to(b"three", to).unwrap();
    let mut buffer = [0; 16];
    let (len, after) = server.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..len], b"three");
    assert_eq!(after, before);
}
