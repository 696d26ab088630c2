// SPDX-License-Identifier: GPL-2.0-or-later
//! Long transfers: offloaded, interrupted, and how fast.

use super::{Bench, expect, measure, softwires};
use crate::Result;
use crate::guest::init::say;
use crate::guest::lab::Lab;
use crate::guest::nat::{self, Technique};
use crate::guest::oracle::V6PLUS;
use crate::guest::server::ECHO;
use crate::guest::tcp;
use crate::guest::topology::{TUNNEL, Topology, server};
use crate::report::meets;
use mape::netfilter::exempt;
use serde_json::Value;
use std::net::SocketAddrV4;
use std::process::Stdio;
use std::time::{Duration, Instant};

const MEGABYTE: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(5);

/// A transfer through a flow table, with the devices that firewall4 names: those
/// of the zones, and so the one below the tunnel too. Where flow tables look
/// through tunnels, ours must stay out.
pub fn offload(bench: &mut Bench) -> Result<String> {
    let looks_through = exempt::looks_through_tunnels();
    let lab = bench.lab(V6PLUS)?;
    lab.rules(Technique::Pool, &[], "", FLOW_ADD)?;
    let (offloaded, done) = transfer(&lab.net)?;
    let refused = lab.refused()?;
    let good = offloaded == looks_through.is_none() && done.is_ok() && refused.total() == 0;
    let without = match &looks_through {
        Some(release) => {
            lab.net.ce.nft("delete table ip mape_exempt_wanmap")?;
            let (offloaded, done) = transfer(&lab.net)?;
            // As the doctor advises.
            lab.router()?.mape(&lab.net.ce, &["firewall"])?;
            lab.net
                .ce
                .run(&["nft", "list", "table", "ip", "mape_exempt_wanmap"])?;
            format!("left out; else, on Linux {release}: offloaded {offloaded}, {done:?}")
        }
        None => "offloaded".to_owned(),
    };
    lab.nat(Technique::Pool)?;
    for (name, kind) in [("ds-lite", &softwires::DS_LITE), ("ipip", &softwires::IPIP)] {
        let line = softwires::Line::up(bench, kind)?;
        line.net.ce.nft(&nat::firewall4("", FLOW_ADD))?;
        let (offloaded, done) = transfer(&line.net)?;
        expect(offloaded == looks_through.is_none() && done.is_ok(), || {
            format!("{name}: offloaded {offloaded}, {done:?}")
        })?;
        line.judge(0)?;
    }
    let value = f64::from(u8::from(good));
    measure(bench, Technique::Pool, "offload", value)
        .map(|_| without)
        .map_err(|short| {
            format!("{short}: offloaded {offloaded}, transfer {done:?}, the BR refused {refused}")
        })
}

/// firewall4's rule.
const FLOW_ADD: &str = "meta l4proto { tcp, udp } flow add @ft";

/// Whether a download was offloaded, and what became of it.
fn transfer(net: &Topology) -> Result<(bool, Result<()>)> {
    let transfer = net
        .host(0)
        .spawn(|| tcp::download(server(0), 60 * MEGABYTE))?;
    let started = Instant::now();
    let mut seen = false;
    while !seen && !transfer.is_finished() && started.elapsed() < Duration::from_secs(30) {
        let known = net.ce.run(&["conntrack", "-L", "-p", "tcp"])?;
        seen = known.contains("[OFFLOAD]");
    }
    let done = transfer.join().map_err(|_| "the transfer panicked")?;
    Ok((seen, done))
}

/// All tables are flushed in the middle of a transfer, and come back.
pub fn flush_recovery(bench: &mut Bench) -> Result<String> {
    let lab = bench.lab(V6PLUS)?;
    lab.nat(Technique::Pool)?;
    let to = SocketAddrV4::new(server(0), ECHO);
    let mut stream = lab.host(0).within(|| tcp::open(to, PATIENCE))?;
    let before = tcp::exchange(&mut stream, MEGABYTE);
    lab.net.ce.run(&["nft", "flush", "ruleset"])?;
    lab.reload()?;
    // What left while there were no rules at all is not ours to answer for.
    lab.forgive()?;
    let after = tcp::exchange(&mut stream, MEGABYTE);
    let refused = lab.refused()?;
    let good = before.is_ok() && after.is_ok() && refused.total() == 0;
    measure(
        bench,
        Technique::Pool,
        "flush_recovery",
        f64::from(u8::from(good)),
    )
    .map_err(|short| format!("{short}: before {before:?}, after {after:?}, refused {refused}"))
}

const PAIRS: usize = 5;

/// iperf3 with the pool and with one plain SNAT range, in turn.
pub fn throughput(bench: &mut Bench) -> Result<String> {
    let lab = bench.lab(V6PLUS)?;
    let mut server = lab
        .net
        .srv
        .command("iperf3")
        .args(["-s", "-p", "5201"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|e| format!("iperf3: {e}"))?;
    let ratios = pairs(lab);
    let _ = server.kill();
    let _ = server.wait();
    let mut ratios = ratios?;
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(PAIRS / 2).copied().unwrap_or_default();
    let shown: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
    let rounded = (median * 1000.0).round() / 1000.0;
    bench.figure(Technique::Pool, "throughput_ratio", rounded);
    expect(meets("throughput_ratio", rounded), || {
        format!("throughput_ratio is {rounded}: {}", shown.join(" "))
    })?;
    Ok(shown.join(" "))
}

fn pairs(lab: &mut Lab) -> Result<Vec<f64>> {
    std::thread::sleep(Duration::from_millis(500));
    let mut ratios = Vec::new();
    for pair in 0..PAIRS {
        // Who goes first changes, so that a drift counts for neither.
        let mut order = [Technique::Plain, Technique::Pool];
        if pair % 2 == 1 {
            order.reverse();
        }
        let (mut pool, mut plain) = (0.0, 1.0);
        for technique in order {
            lab.nat(technique)?;
            let speed = iperf3(lab)?;
            if technique == Technique::Pool {
                pool = speed;
            } else {
                plain = speed;
            }
        }
        say(&format!("    pair {}: {:.3}", pair + 1, pool / plain));
        ratios.push(pool / plain);
    }
    Ok(ratios)
}

fn iperf3(lab: &Lab) -> Result<f64> {
    let address = server(0).to_string();
    let text = lab
        .host(0)
        .run(&["iperf3", "-c", &address, "-p", "5201", "-n", "64M", "-J"])?;
    let report: Value = serde_json::from_str(&text).map_err(|e| format!("iperf3: {e}"))?;
    report
        .pointer("/end/sum_received/bits_per_second")
        .and_then(Value::as_f64)
        .ok_or_else(|| format!("iperf3 measured nothing over {TUNNEL}"))
}
