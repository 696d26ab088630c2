// SPDX-License-Identifier: GPL-2.0-or-later
//! Other packages that work with the tunnel, if `PACKAGES` has them.

use super::Bench;
use super::steps::{measure, up};
use crate::Result;

/// SQM shapes the tunnel in both directions; all ports work meanwhile.
pub fn sqm(bench: &mut Bench) -> Result<String> {
    let router = &bench.router;
    router.run(
        "while uci -q delete sqm.@queue[0]; do :; done; uci set sqm.wanmap=queue && \
         uci set sqm.wanmap.interface=map-wanmap && uci set sqm.wanmap.enabled=1 && \
         uci set sqm.wanmap.download=80000 && uci set sqm.wanmap.upload=80000 && \
         uci set sqm.wanmap.qdisc=cake && uci set sqm.wanmap.script=piece_of_cake.qos && \
         uci commit sqm && service sqm restart",
    )?;
    let queues = "tc qdisc show dev map-wanmap";
    router.until(queues, |text| {
        text.contains("cake") && text.contains("ingress")
    })?;
    // The way in of the edge map moves when `mape` has noticed.
    let way_in = "nft list table ip mape_wanmap";
    router.until(way_in, |text| text.contains("chain ingress"))?;
    // Cake drops a ping now and then, if the host keeps the machine waiting.
    let shaped = up(bench, "wanmap")?;
    let figures = measure("fill_v6plus eim_udp")?;
    router.run("mape doctor")?;
    router.run("service sqm stop; uci delete sqm.wanmap; uci commit sqm")?;
    router.until(way_in, |text| !text.contains("chain ingress"))?;
    Ok(format!(
        "{shaped}; {figures}; without it again {}",
        up(bench, "wanmap")?
    ))
}

/// A program in the LAN opens a port by NAT-PMP, and is reached.
pub fn miniupnpd(bench: &mut Bench) -> Result<String> {
    let router = &bench.router;
    router.run(
        "uci set network.wanmap.upnp=16 && uci set upnpd.config.enabled=1 && uci commit && \
         service network reload",
    )?;
    up(bench, "wanmap")?;
    router.until("uci show upnpd", |text| text.contains("mape_upnp_"))?;
    router.run("service miniupnpd restart")?;
    let seen = measure("opened_port")?;
    router.run("mape doctor")?;
    router.run(
        "service miniupnpd stop; uci delete network.wanmap.upnp && \
         uci set upnpd.config.enabled=0 && uci commit && service network reload",
    )?;
    router.until("uci show upnpd", |text| !text.contains("mape_upnp_"))?;
    Ok(format!("{seen}; without it again {}", up(bench, "wanmap")?))
}
