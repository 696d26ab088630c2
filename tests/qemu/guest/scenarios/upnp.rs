// SPDX-License-Identifier: GPL-2.0-or-later
//! Ports that programs in the LAN ask for: those of the share arrive, others
//! are refused.

use super::doctor::UPNPD;
use super::{Bench, expect, inbound};
use crate::Result;
use crate::guest::border;
use crate::guest::init::say;
use crate::guest::miniupnpd::{Miniupnpd, Wish, add, add_any, nat_pmp};
use crate::guest::nat;
use crate::guest::oracle::{Line, V6PLUS};
use crate::guest::router::{ADDRESS, Router};
use crate::guest::server::Servers;
use crate::guest::topology::{Topology, lan_host};
use std::fs;

/// Permissions as the package installs them.
const SHIPPED: &str = "allow 1024-65535 0.0.0.0/0 1024-65535\n\
                       deny 0-65535 0.0.0.0/0 0-65535\n";
const LINE: Line = V6PLUS;
const SHARE: usize = 16;
/// `Action not authorized`.
const REFUSED: u16 = 606;
/// What a console asks for.
const CONSOLE: u16 = 3074;

/// Each way to ask, on one line.
pub fn upnp(bench: &mut Bench) -> Result<String> {
    bench.leave();
    let net = Topology::build(&LINE)?;
    border::load(&net.br, &LINE)?;
    let _servers = Servers::start(&net.srv)?;
    let firewall4 = nat::firewall4("jump upnp_prerouting", "jump upnp_forward");
    net.ce.nft(&firewall4)?;
    let rule = LINE.rule();
    let options = [
        ("tunlink", "wan6"),
        ("rule", rule.as_str()),
        ("legacymap", "1"),
        ("encaplimit", "ignore"),
        ("upnp", "16"),
    ];
    let router = Router::configured(&net.ce, ADDRESS, &LINE, &options)?;
    router.forward(&[])?;
    router.write("upnpd", UPNPD)?;
    router.describe(&options)?;
    router.up(&net.ce)?;
    let refusals = refusals(&net, &router)?;
    let permissions = format!("{refusals}{SHIPPED}");

    let daemon = Miniupnpd::start(&net.ce, net.host(1), &permissions)?;
    let own = LINE.ports();
    let share = own.get(own.len() - SHARE..).unwrap_or_default();
    let host = net.host(1);
    let wish = |outside| Wish {
        host: lan_host(1),
        inside: inbound::INSIDE,
        outside,
        protocol: "TCP",
    };
    let first = share.first().ok_or("no share")?;
    for protocol in ["TCP", "UDP"] {
        let wish = Wish {
            protocol,
            ..wish(*first)
        };
        let added = add(host, wish)?;
        expect(added == Ok(()), || {
            format!("{wish:?}: {added:?}; {}", Miniupnpd::log())
        })?;
    }
    inbound::forwarded(&net, LINE.ipv4(), *first).map_err(|why| format!("in the share: {why}"))?;
    say("    a port of the share arrives");

    // One that is another subscriber's, and one of ours that others use.
    for outside in [CONSOLE, own[0]] {
        let added = add(host, wish(outside))?;
        expect(added == Err(REFUSED), || format!("{outside}: {added:?}"))?;
    }
    // Not of the share, but near it: miniupnpd tries each port from there on, and
    // takes its time for it.
    let near = first - 100;
    // A second console: to the same host miniupnpd names the port that it has.
    let other = Wish {
        host: lan_host(0),
        ..wish(near)
    };
    let any = add_any(net.host(0), other)?;
    expect(share.contains(&any) && any != *first, || {
        format!(
            "any port gives {any}, with {first} taken of {share:?}; {}",
            Miniupnpd::log()
        )
    })?;
    say("    UPnP answers as it should");
    let pmp = nat_pmp(host, inbound::INSIDE + 2, near)
        .map_err(|why| format!("{why}; {}", Miniupnpd::log()))?;
    expect(share.contains(&pmp), || format!("NAT-PMP: {pmp}"))?;

    // firewall4 empties the chains when it loads; the lease file has all.
    net.ce.nft(&firewall4)?;
    router.mape(&net.ce, &["firewall"])?;
    drop(daemon);
    let _daemon = Miniupnpd::start(&net.ce, host, &permissions)?;
    inbound::forwarded(&net, LINE.ipv4(), *first).map_err(|why| format!("reloaded: {why}"))?;
    let refused = border::refused(&net.br)?;
    expect(refused.total() == 0, || format!("the BR refused {refused}"))?;
    Ok(format!(
        "{first} arrives, {CONSOLE} and {} are refused, any port gives {any}, NAT-PMP {pmp}",
        own[0]
    ))
}

/// What `mape firewall` has `uci` write, in miniupnpd's own words.
fn refusals(net: &Topology, router: &Router) -> Result<String> {
    let written = router.root().join("uci.batch");
    let script = router.root().join("usr/share/mape/upnp.sh");
    let failed = |e: std::io::Error| format!("{}: {e}", script.display());
    if let Some(folder) = script.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(&script, format!("cat >{}\n", written.display())).map_err(failed)?;
    router.mape(&net.ce, &["firewall"])?;
    let batch = fs::read_to_string(&written).map_err(|e| format!("no refusals: {e}"))?;
    let mut ports: Vec<&str> = batch
        .lines()
        .filter_map(|line| line.split_once(".ext_ports="))
        .map(|(_, ports)| ports)
        .collect();
    // Each is moved to the first place.
    ports.reverse();
    expect(ports.len() == 2, || format!("refusals: {batch:?}"))?;
    Ok(ports
        .iter()
        .map(|ports| format!("deny {ports} 0.0.0.0/0 0-65535\n"))
        .collect())
}
