// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape status`, `ports` and `doctor` on a line with real rules and real
//! connections: what they show is what the BR sees. Needs root (for network
//! namespaces of its own) and nft.

mod line;
mod netns;

use std::collections::BTreeSet;
use std::net::UdpSocket;

use line::{FAR, TestLine, connect};
use serde_json::{Value, json};

fn answer(line: &TestLine, args: &[&str]) -> Value {
    let done = line.mape(args);
    serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

/// Ports in use by range as the answer of `ports` has them.
fn by_range(ports: &Value, protocol: &str) -> Vec<(u64, u64)> {
    let ranges = ports["ranges"].as_array().unwrap().iter();
    let counts = ranges.map(|r| (r["first"].as_u64().unwrap(), r[protocol].as_u64().unwrap()));
    counts.filter(|(_, count)| *count > 0).collect()
}

/// The same of the ports that the BR has seen.
fn seen_by_range(line: &TestLine, seen: &BTreeSet<u16>) -> Vec<(u64, u64)> {
    let ranges = line.plan.line().ports.unwrap().ranges();
    let counts = ranges.map(|range| {
        let count = seen.iter().filter(|port| range.contains(**port)).count();
        (u64::from(range.first()), count as u64)
    });
    counts.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn counts_are_those_the_br_sees() {
    let Some(line) = TestLine::new("counts", "4128") else {
        return;
    };
    line.write(
        "etc/config/firewall",
        "config zone\n\toption name wan\n\tlist network wanmap\n\
         config redirect\n\toption name ssh\n\toption src wan\n\toption proto tcp\n\
         \toption src_dport 4128\n\toption dest_ip 192.168.1.10\n\toption dest_port 22\n",
    );
    let servers = [line.udp_server(7001), line.udp_server(7002)];
    let sockets: Vec<UdpSocket> = (0..30)
        .map(|_| UdpSocket::bind("0.0.0.0:0").unwrap())
        .collect();
    let mut udp = BTreeSet::new();
    for server in &servers {
        for socket in &sockets {
            socket.send_to(b"x", server.local_addr().unwrap()).unwrap();
            let (_, from) = server.recv_from(&mut [0; 8]).unwrap();
            udp.insert(from.port());
        }
    }
    let listener = line.tcp_server(7003);
    let connections: Vec<_> = (0..20).map(|_| connect(&listener)).collect();
    let ends = connections.iter().map(|(_, far)| far.peer_addr().unwrap());
    let tcp: BTreeSet<u16> = ends.map(|end| end.port()).collect();
    assert_eq!((udp.len(), tcp.len()), (30, 20));

    let ports = answer(&line, &["ports", "--json"]);
    assert_eq!(by_range(&ports, "udp"), seen_by_range(&line, &udp));
    assert_eq!(by_range(&ports, "tcp"), seen_by_range(&line, &tcp));
    let own = json!([{ "address": "106.72.0.1", "name": null, "tcp": 20, "udp": 30, "icmp": 0 }]);
    assert_eq!(ports["hosts"], own);
    let ssh = json!([{ "port": 4128, "proto": "tcp", "to": "192.168.1.10:22", "name": "ssh" }]);
    assert_eq!(ports["ranges"][0]["forwarded"], ssh);

    let status = answer(&line, &["status", "wanmap", "--json"]);
    let up = &status["interfaces"][0];
    assert_eq!(up["state"], "up");
    assert_eq!(
        up["ports"]["used"],
        json!({ "tcp": 20, "udp": 30, "icmp": 0 })
    );
    assert_eq!(up["ports"]["used_max"], 30);
    assert_eq!(up["ports"]["pool"], 239);
    assert_eq!(up["traffic"]["tx_packets"], 2);
    assert_eq!(up["dropped"]["not_ours"], 0);

    // For people: a mark for each port in use, and no colours in a pipe.
    let text = String::from_utf8(line.mape(&["ports"]).stdout).unwrap();
    let rows = text
        .lines()
        .filter(|row| row.split(' ').next().is_some_and(|word| word.contains('-')));
    let pictures: Vec<&str> = rows
        .filter_map(|row| row.split_whitespace().last())
        .collect();
    assert_eq!(pictures.len(), 15, "{text}");
    assert!(pictures[0].starts_with('F'), "{text}");
    let marks: usize = pictures.iter().map(|row| row.matches('#').count()).sum();
    assert_eq!(marks, udp.union(&tcp).count(), "{text}");
    assert!(!text.contains('\u{1b}'));
}

fn verdict(line: &TestLine, id: &str) -> (String, String, bool) {
    let done = line.mape(&["doctor", "--json"]);
    let doctor: Value = serde_json::from_slice(&done.stdout).unwrap();
    let checks = doctor["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["id"] == id).unwrap();
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    assert_eq!(done.status.success(), doctor["ok"] == true);
    (text("verdict"), text("remedy"), done.status.success())
}

#[test]
fn faults_are_seen_until_they_are_mended() {
    let Some(line) = TestLine::new("faults", "") else {
        return;
    };
    let nft = |rules: &str| {
        let done = line.run(&["nft", rules]);
        assert!(done.status.success(), "{done:?}");
    };
    let state = |id: &str| verdict(&line, id).0;
    assert_eq!((state("nat"), state("edge")), ("ok".into(), "ok".into()));

    nft("delete table netdev mape_wanmap");
    let (edge, remedy, success) = verdict(&line, "edge");
    assert_eq!((edge.as_str(), success), ("fail", false));
    assert!(remedy.contains("firewall reload"), "{remedy}");
    nft("flush ruleset");
    assert_eq!(state("nat"), "fail");
    line.load();
    assert_eq!((state("nat"), state("edge")), ("ok".into(), "ok".into()));

    for (table, verdict) in [("ip other", "warn"), ("inet fw4", "fail")] {
        nft(&format!("add table {table}"));
        let chain = "exit { type nat hook postrouting priority 90 ; }";
        nft(&format!("add chain {table} {chain}"));
        assert_eq!(state("nat"), verdict);
        nft(&format!("delete table {table}"));
    }
    nft("add table inet mape");
    nft("add chain inet mape c");
    assert_eq!(state("conflicts"), "fail");
    nft("delete table inet mape");
    assert_eq!(
        (state("nat"), state("conflicts")),
        ("ok".into(), "ok".into())
    );

    line.write(
        "etc/config/firewall",
        "config defaults\n\toption flow_offloading 1\n\
        \toption flow_offloading_hw 1\nconfig zone\n\toption name wan\n\tlist network wanmap\n\
        config redirect\n\toption src wan\n\toption src_dport 80\n\toption dest_ip 192.168.1.2\n",
    );
    assert_eq!(
        (state("offload"), state("forwards")),
        ("warn".into(), "warn".into())
    );
    line.write("etc/config/firewall", "");
    assert_eq!(
        (state("offload"), state("forwards")),
        ("ok".into(), "ok".into())
    );

    line.write("lib/netifd/proto/map.sh", "#!/bin/sh\n");
    assert_eq!(state("conflicts"), "fail");
}

#[test]
fn ports_that_run_short_are_told_with_the_host() {
    let Some(line) = TestLine::new("short", "") else {
        return;
    };
    let server = line.udp_server(7001);
    assert_eq!(verdict(&line, "ports").0, "ok");
    let sockets: Vec<UdpSocket> = (0..235)
        .map(|_| UdpSocket::bind("0.0.0.0:0").unwrap())
        .collect();
    for socket in &sockets {
        // The kernel's search for one of the last ports may give up; the next finds it.
        let sent = (0..50).any(|_| socket.send_to(b"x", (FAR, 7001)).is_ok());
        assert!(sent);
        server.recv_from(&mut [0; 8]).unwrap();
    }
    let doctor = answer(&line, &["doctor", "--json"]);
    let checks = doctor["checks"].as_array().unwrap();
    let ports = checks.iter().find(|check| check["id"] == "ports").unwrap();
    assert_eq!(ports["verdict"], "fail");
    assert!(
        ports["seen"]
            .as_str()
            .unwrap()
            .contains("106.72.0.1 has 235"),
        "{ports}"
    );
}
