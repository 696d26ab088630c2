// SPDX-License-Identifier: GPL-2.0-or-later
//! Mechanisms that take turns on a line, and some that run beside each other.

use super::softwires::{self, DS_LITE};
use super::{Bench, expect};
use crate::Result;
use crate::guest::border;
use crate::guest::carrier::{RESOLVER, transix};
use crate::guest::init::say;
use crate::guest::nat;
use crate::guest::oracle::{Line, V6PLUS};
use crate::guest::router::Router;
use crate::guest::server::{Servers, WHOAMI};
use crate::guest::tcp;
use crate::guest::topology::{Topology, lan_host, server};
use std::net::SocketAddrV4;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

/// The line becomes one of DS-Lite when its prefix changes, and one of MAP-E
/// again, on a router that was told nothing but `tunlink`.
pub fn other_mechanism(bench: &mut Bench) -> Result<String> {
    bench.leave();
    let net = Topology::build(&V6PLUS)?;
    border::load(&net.br, &V6PLUS)?;
    let _servers = Servers::start(&net.srv)?;
    let resolver = transix::resolver(&net)?;
    net.ce.nft(&nat::firewall4("", ""))?;
    let router = Router::resolving(&net.ce, RESOLVER, &[])?;
    let map_e = V6PLUS.prefix().to_string();
    router.delegate(&net.ce, Some((&map_e, 56)))?;
    router.up(&net.ce)?;
    let traffic = || {
        // The first packet shows an AFTR where the B4 is.
        let ping = ["ping", "-c", "2", "-W", "1", &server(0).to_string()];
        net.host(0).run(&ping)?;
        border::refused(&net.br)?;
        net.host(0).within(|| tcp::download(server(0), 1 << 20))?;
        let refused = border::refused(&net.br)?;
        expect(refused.total() == 0, || format!("refused: {refused}"))
    };
    traffic()?;
    let asked = resolver.asked();
    expect(asked.is_empty(), || format!("asked on MAP-E: {asked:?}"))?;

    transix::take_over(&net, &router)?;
    traffic()?;
    let rules = net.ce.run(&["nft", "list", "ruleset"])?;
    let old = V6PLUS.ipv4().to_string();
    expect(!rules.contains(&old), || format!("{old} is left: {rules}"))?;

    net.br.ip("link del dev ce\n")?;
    net.br.nft("flush ruleset")?;
    net.to_relay(&V6PLUS)?;
    net.tunnel(&V6PLUS)?;
    border::load(&net.br, &V6PLUS)?;
    router.delegate(&net.ce, Some((&map_e, 56)))?;
    router.until_address(&old)?;
    traffic()?;
    Ok("MAP-E, DS-Lite, MAP-E, each by its prefix alone, 0 refused".into())
}

/// DS-Lite on one uplink, MAP-E on another; one host goes by the second.
pub fn side_by_side(bench: &mut Bench) -> Result<String> {
    const OTHER: Line = V6PLUS.subscriber("v6plus-other", 0x65_4321);
    let line = softwires::Line::up(bench, &DS_LITE)?;
    say("    DS-Lite");
    line.net.to_relay(&OTHER)?;
    line.net.second_uplink(&OTHER)?;
    line.router.add_second(&line.net.ce, &OTHER, "wanmapb")?;
    // The zone has the second device as well.
    line.net
        .ce
        .nft("insert rule inet fw4 forward iifname \"br-lan\" oifname \"map-wanmapb\" accept")?;
    line.net.ce.ip(&format!(
        "route add default dev map-wanmapb table 201\nrule add from {} lookup 201\n",
        lan_host(1)
    ))?;
    let to = SocketAddrV4::new(server(0), WHOAMI);
    let host = line.net.host(1);
    let port = host.within(|| tcp::outside_port(to, PATIENCE))?;
    expect(OTHER.owns(port), || format!("port {port} is not the CE's"))?;
    say("    MAP-E");
    line.traffic()?;
    line.router.remove_second(&line.net.ce, "wanmapb")?;
    line.traffic()?;
    Ok("hosts of each by their own line; DS-Lite went on when MAP-E was gone".into())
}
