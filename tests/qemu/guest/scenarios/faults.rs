// SPDX-License-Identifier: GPL-2.0-or-later
//! A machine that is not as it should be: its clock, its modules.

use super::life::Life;
use super::{Bench, expect};
use crate::Result;
use crate::guest::oracle::V6PLUS;
use crate::guest::router::Router;
use crate::guest::shell;
use crate::guest::topology::Topology;
use serde_json::Value;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// 1971, 2038 and a second later, 2106, and today.
const DATES: [u32; 5] = [
    31_536_000,
    2_147_483_647,
    2_147_483_648,
    4_294_967_000,
    1_790_000_000,
];

/// The clock jumps by years while interfaces come and go, as a router's does
/// when it finds the time.
pub fn clock_jumps(bench: &mut Bench) -> Result<String> {
    let life = Life::up(bench)?;
    let done = AtomicBool::new(false);
    let jumps = std::thread::scope(|scope| {
        let clock = scope.spawn(|| {
            let mut jumps = 0;
            while !done.load(Ordering::Relaxed) {
                let date = DATES[jumps % DATES.len()];
                let set = ["-s".to_owned(), format!("@{date}")];
                shell::run(Command::new("date").args(set))?;
                jumps += 1;
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok::<usize, String>(jumps)
        });
        let outcome = bounces(&life);
        done.store(true, Ordering::Relaxed);
        let jumps = clock
            .join()
            .map_err(|_| "the clock panicked".to_owned())??;
        outcome.map(|()| jumps)
    })?;
    life.traffic()?;
    let text = life.router.mape(life.ce(), &["status", "--json"])?;
    let status: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    let up = status
        .pointer("/interfaces/0/uptime")
        .and_then(Value::as_u64);
    let booted = std::fs::read_to_string("/proc/uptime").map_err(|e| e.to_string())?;
    let booted: f64 = booted
        .split_whitespace()
        .next()
        .and_then(|seconds| seconds.parse().ok())
        .ok_or("no uptime")?;
    expect(up.is_some_and(|up| (up as f64) <= booted), || {
        format!("up for {up:?} s, booted {booted} s ago: {text}")
    })?;
    Ok(format!("{jumps} jumps during 10 setups and a wait"))
}

/// Setups, and one that must wait for its prefix: pauses end, too.
fn bounces(life: &Life) -> Result<()> {
    let address = V6PLUS.ipv4().to_string();
    for _ in 0..10 {
        life.router.down(life.ce())?;
        life.router.up(life.ce())?;
    }
    life.router.down(life.ce())?;
    life.delegate(None)?;
    life.router.want(life.ce())?;
    life.router.until_error("MAPE_UNKNOWN_PROVIDER")?;
    life.delegate(Some(&V6PLUS))?;
    life.router.until_address(&address)
}

/// A kernel that has no tunnels, until somebody installs the module.
pub fn no_tunnel_module(bench: &mut Bench) -> Result<String> {
    const LOADER: &str = "/proc/sys/kernel/modprobe";
    bench.leave();
    let net = Topology::build(&V6PLUS)?;
    // The BR has its tunnel by that module, and must do without meanwhile.
    net.br.run(&["ip", "link", "del", "dev", "ce"])?;
    shell::run(Command::new("modprobe").args(["-r", "ip6_tunnel"]))?;
    let loader = std::fs::read_to_string(LOADER).map_err(|e| e.to_string())?;
    std::fs::write(LOADER, "/nowhere").map_err(|e| e.to_string())?;
    let outcome = without_module(&net);
    std::fs::write(LOADER, loader.trim()).map_err(|e| e.to_string())?;
    shell::run(Command::new("modprobe").arg("ip6_tunnel"))?;
    let (router, tries) = outcome?;
    router.until_address(&V6PLUS.ipv4().to_string())?;
    let setups = router.spawned("setup");
    expect(setups == 1, || format!("{setups} setups"))?;
    router.down(&net.ce)?;
    Ok(format!("{tries} tries without it, then up by itself"))
}

fn without_module(net: &Topology) -> Result<(Router, usize)> {
    let router = Router::two_lines(&net.ce, ("2001:db8:0:1::2", 64))?;
    let (prefix, len) = (V6PLUS.prefix().to_string(), V6PLUS.prefix_len() as u8);
    router.delegate(&net.ce, Some((&prefix, len)))?;
    router.want(&net.ce)?;
    router.until_error("MAPE_TUNNEL_FAILED")?;
    let said = router.details();
    expect(said.contains("kmod-ip6-tunnel"), || format!("said: {said}"))?;
    // Tries at 0, 1, 3, 7 and 15 seconds, and nothing in between.
    std::thread::sleep(Duration::from_secs(10));
    let tries = router.tunnels_refused();
    expect((2..=6).contains(&tries), || {
        format!("{tries} tries in 10 s")
    })?;
    expect(router.spawned("setup") == 1, || {
        "it was started again".to_owned()
    })?;
    let tables = net.ce.run(&["nft", "list", "tables"])?;
    expect(!tables.contains("mape_wanmap"), || {
        format!("left: {tables}")
    })?;
    Ok((router, tries))
}
