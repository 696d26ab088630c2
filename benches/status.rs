// SPDX-License-Identifier: GPL-2.0-or-later
//! What `mape status --json` costs with 10,000 connections: `cargo bench
//! --bench status`, as root (for network namespaces of its own).

#[path = "../tests/line/mod.rs"]
mod line;
#[path = "../tests/netns/mod.rs"]
mod netns;

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use line::{FAR, TestLine};
use serde_json::Value;

/// Sockets, and servers that each of them talks to.
const SOCKETS: u16 = 200;
const SERVERS: u16 = 50;

fn main() {
    let Some(line) = TestLine::new("bench", "") else {
        return;
    };
    let idle = fastest(&line);
    let sockets: Vec<UdpSocket> = (0..SOCKETS)
        .map(|_| UdpSocket::bind("0.0.0.0:0").expect("a socket"))
        .collect();
    for port in 0..SERVERS {
        for socket in &sockets {
            // Nobody answers, and conntrack knows the connection all the same.
            // An earlier refusal may be told here.
            while socket.send_to(b"x", (FAR, 7000 + port)).is_err() {}
        }
    }
    let status = line.mape(&["status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).expect("JSON");
    let used = &status["interfaces"][0]["ports"]["used"]["udp"];
    let busy = fastest(&line);
    let connections = u32::from(SOCKETS) * u32::from(SERVERS);
    println!("status --json with no connection, process included: {idle:?}");
    println!(
        "status --json with {connections} connections on {used} ports: {busy:?}, {:.1} times as long",
        busy.as_secs_f64() / idle.as_secs_f64()
    );
    println!(
        "child processes and threads of status --json: {}",
        children(&line)
    );
}

/// The fastest of several runs, which is the one least disturbed.
fn fastest(line: &TestLine) -> Duration {
    let run = || {
        let start = Instant::now();
        assert!(line.here(&["status", "--json"]), "status failed");
        start.elapsed()
    };
    (0..15).map(|_| run()).min().unwrap_or_default()
}

/// In a PID namespace of its own the shell is number 1 and `mape` number 2;
/// the last number given says how many came after it.
fn children(line: &TestLine) -> String {
    let script = format!(
        "{} status --json >/dev/null; read last < /proc/sys/kernel/ns_last_pid; echo $last",
        env!("CARGO_BIN_EXE_mape")
    );
    let done = line.run(&["unshare", "--pid", "--fork", "sh", "-c", &script]);
    let last = String::from_utf8_lossy(&done.stdout);
    match last.trim().parse::<u32>() {
        Ok(last) => last.saturating_sub(2).to_string(),
        Err(_) => "not known: this kernel does not tell the last PID".into(),
    }
}
