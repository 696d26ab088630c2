// SPDX-License-Identifier: GPL-2.0-or-later
//! What `mape status --json` costs with 10,000 connections: `cargo bench
//! --bench status`, as root (for network namespaces of its own).

#[path = "../tests/line/mod.rs"]
mod line;
#[path = "../tests/netns/mod.rs"]
mod netns;

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Instant;

use line::{FAR, TestLine};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use serde_json::Value;

/// Sockets, and servers that each of them talks to.
const SOCKETS: u16 = 200;
const SERVERS: u16 = 50;
const CONNECTIONS: u32 = SOCKETS as u32 * SERVERS as u32;

/// Calls of each kind.
const RUNS: usize = 31;

fn main() {
    let Some(line) = TestLine::new("bench", "") else {
        return;
    };
    let idle = Costs::of(&line);
    println!("status --json, process included, median of {RUNS}:");
    idle.print("with no connection", &idle);
    let ours = flood(Ipv4Addr::UNSPECIFIED, FAR);
    let status = line.mape(&["status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).expect("JSON");
    let used = &status["interfaces"][0]["ports"]["used"]["udp"];
    let through = Costs::of(&line);
    through.print(&format!("{CONNECTIONS} of ours, on {used} ports"), &idle);
    let others = flood(Ipv4Addr::LOCALHOST, "127.0.0.2");
    let both = Costs::of(&line);
    both.print(&format!("and {CONNECTIONS} of the LAN besides"), &idle);
    drop((ours, others));
    println!("child processes and threads: {}", children(&line));
}

/// Sockets that have sent something to each server. Nobody answers, and
/// conntrack knows the connections all the same.
fn flood(from: Ipv4Addr, to: &str) -> Vec<UdpSocket> {
    let socket = |_| UdpSocket::bind((from, 0)).expect("a socket");
    let sockets: Vec<UdpSocket> = (0..SOCKETS).map(socket).collect();
    for port in 0..SERVERS {
        for socket in &sockets {
            // An earlier refusal may be told here.
            while socket.send_to(b"x", (to, 7000 + port)).is_err() {}
        }
    }
    sockets
}

/// Milliseconds of one call.
struct Costs {
    /// CPU time of the process, in the kernel and outside.
    cpu: f64,
    wall: f64,
}

impl Costs {
    fn of(line: &TestLine) -> Self {
        let calls: Vec<(f64, f64)> = (0..RUNS).map(|_| call(line)).collect();
        let median = |pick: fn(&(f64, f64)) -> f64| {
            let mut values: Vec<f64> = calls.iter().map(pick).collect();
            values.sort_by(f64::total_cmp);
            values.get(RUNS / 2).copied().unwrap_or_default()
        };
        Costs {
            cpu: median(|call| call.0),
            wall: median(|call| call.1),
        }
    }

    fn print(&self, what: &str, idle: &Costs) {
        println!(
            "  {what:<40} CPU {:>5.1} ms ({:>3.1} times), wall {:>5.1} ms",
            self.cpu,
            self.cpu / idle.cpu,
            self.wall
        );
    }
}

fn call(line: &TestLine) -> (f64, f64) {
    let start = Instant::now();
    let mut child = line.start(&["status", "--json"]);
    let id = Id::Pid(Pid::from_raw(child.id().cast_signed()));
    waitid(id, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).expect("a child");
    let wall = start.elapsed().as_secs_f64() * 1e3;
    let path = format!("/proc/{}/schedstat", child.id());
    let stat = std::fs::read_to_string(path).unwrap_or_default();
    let cpu = stat.split(' ').next().and_then(|n| n.parse::<f64>().ok());
    assert!(child.wait().expect("a child").success(), "status failed");
    (cpu.unwrap_or(f64::NAN) / 1e6, wall)
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
