// SPDX-License-Identifier: GPL-2.0-or-later
//! The life of a line: prefixes that come late, change, go and come back, on
//! a router that was told nothing but `proto mape` and `tunlink wan6`.

use super::{Bench, expect};
use crate::Result;
use crate::guest::border;
use crate::guest::netns::Netns;
use crate::guest::oracle::{Line, V6PLUS};
use crate::guest::router::Router;
use crate::guest::server::{Servers, WHOAMI};
use crate::guest::snapshot::Snapshot;
use crate::guest::tcp;
use crate::guest::topology::{Topology, lan_host, server};
use std::net::SocketAddrV4;
use std::time::Duration;

/// The same subscriber after a night.
const TOMORROW: Line = V6PLUS.subscriber("v6plus-tomorrow", 0x12_3456);

const PATIENCE: Duration = Duration::from_secs(5);

/// A line of its own; the labs of other scenarios are configured by hand.
pub(super) struct Life {
    net: Topology,
    _servers: Servers,
    pub(super) router: Router,
    before: Snapshot,
}

impl Life {
    fn start(bench: &mut Bench, address: (&str, u8)) -> Result<Self> {
        bench.leave();
        let net = Topology::build(&V6PLUS)?;
        border::load(&net.br, &V6PLUS)?;
        let servers = Servers::start(&net.srv)?;
        let router = Router::two_lines(&net.ce, address)?;
        let before = Snapshot::take(&net.ce, &router)?;
        Ok(Life {
            net,
            _servers: servers,
            router,
            before,
        })
    }

    /// A line that is up, with traffic.
    pub(super) fn up(bench: &mut Bench) -> Result<Self> {
        let life = Life::start(bench, ("2001:db8:0:1::2", 64))?;
        life.delegate(Some(&V6PLUS))?;
        life.router.up(&life.net.ce)?;
        life.traffic()?;
        Ok(life)
    }

    /// One of the hosts in the LAN, 0 to 2.
    pub(super) fn lan(&self, index: usize) -> &Netns {
        &self.net.lan[index % 3]
    }

    pub(super) fn ce(&self) -> &Netns {
        &self.net.ce
    }

    pub(super) fn delegate(&self, line: Option<&Line>) -> Result<()> {
        let prefix = line.map(|line| (line.prefix().to_string(), line.prefix_len() as u8));
        let prefix = prefix.as_ref().map(|(net, len)| (net.as_str(), *len));
        self.router.delegate(self.ce(), prefix)
    }

    /// The provider's side of a renumbering.
    pub(super) fn renumber(&self, old: &Line, new: &Line) -> Result<()> {
        self.net.renumber(old, new)?;
        self.net.br.nft("flush ruleset")?;
        border::load(&self.net.br, new)
    }

    /// A download, and not one packet that the BR refuses.
    pub(super) fn traffic(&self) -> Result<()> {
        let [host, ..] = &self.net.lan;
        host.within(|| tcp::download(server(0), 1 << 20))?;
        let refused = border::refused(&self.net.br)?;
        expect(refused.total() == 0, || format!("the BR refused {refused}"))
    }

    /// What is there beyond an idle router.
    pub(super) fn found(&self) -> Result<String> {
        Ok(Snapshot::take(self.ce(), &self.router)?.beyond(&self.before))
    }

    /// Nothing of `line` is left anywhere, the kernel's memory of connections
    /// included.
    fn nothing_of(&self, line: &Line) -> Result<()> {
        let (v4, ce) = (line.ipv4().to_string(), line.ce_address().to_string());
        let found = self.found()?;
        let rules = self.ce().run(&["nft", "list", "ruleset"])?;
        let connections = self.ce().run(&["conntrack", "-L"])?;
        for (place, text, old) in [
            ("router", &found, &v4),
            ("router", &found, &ce),
            ("rules", &rules, &v4),
            ("rules", &rules, &ce),
            ("connections", &connections, &v4),
        ] {
            expect(!text.contains(old.as_str()), || {
                format!("{old} is still among the {place}: {text}")
            })?;
        }
        Ok(())
    }
}

/// The uplink is up before it has a prefix.
pub fn late_prefix(bench: &mut Bench) -> Result<String> {
    let life = Life::start(bench, ("2001:db8:0:1::2", 64))?;
    life.router.want(life.ce())?;
    life.router.until_error("MAPE_UNKNOWN_PROVIDER")?;
    life.delegate(Some(&V6PLUS))?;
    life.router.until_address(&V6PLUS.ipv4().to_string())?;
    life.traffic()?;
    let setups = life.router.spawned("setup");
    expect(setups == 1, || format!("{setups} setups"))?;
    Ok("up as soon as the prefix came, by the setup that waited".into())
}

/// Another prefix at night.
pub fn changed_prefix(bench: &mut Bench) -> Result<String> {
    let life = Life::up(bench)?;
    life.renumber(&V6PLUS, &TOMORROW)?;
    life.delegate(Some(&TOMORROW))?;
    life.router.until_address(&TOMORROW.ipv4().to_string())?;
    life.traffic()?;
    life.nothing_of(&V6PLUS)?;
    Ok("traffic again by itself, nothing of the old prefix left".into())
}

/// The prefix goes, and comes back.
pub fn withdrawn_prefix(bench: &mut Bench) -> Result<String> {
    let life = Life::up(bench)?;
    life.delegate(None)?;
    life.router.until_error("MAPE_UNKNOWN_PROVIDER")?;
    life.nothing_of(&V6PLUS)?;
    life.delegate(Some(&V6PLUS))?;
    life.router.until_address(&V6PLUS.ipv4().to_string())?;
    life.traffic()?;
    Ok("nothing left while it was gone, traffic when it was back".into())
}

/// A line without prefix delegation: the /64 is on the link, and the CE's
/// address answers neighbour discovery there.
pub fn on_link_only(bench: &mut Bench) -> Result<String> {
    let address = format!("{}a:b:c:d", V6PLUS.prefix()).replace("::a", ":a");
    let life = Life::start(bench, (&address, 64))?;
    life.net.on_link(&V6PLUS)?;
    life.router.up(life.ce())?;
    life.traffic()?;
    Ok("works on the /64 alone".into())
}

const BOUNCES: usize = 50;

/// The uplink flaps.
pub fn bounces(bench: &mut Bench) -> Result<String> {
    let life = Life::up(bench)?;
    let once = life.found()?;
    for bounce in 0..BOUNCES {
        life.router.bounce_uplink(life.ce())?;
        // Some are waited for, some are interrupted at whatever they do.
        if bounce % 5 == 0 {
            life.router.until_address(&V6PLUS.ipv4().to_string())?;
        }
    }
    life.router.until_address(&V6PLUS.ipv4().to_string())?;
    let now = life.found()?;
    expect(now == once, || {
        format!("after {BOUNCES} bounces: {now}; after one setup: {once}")
    })?;
    life.traffic()?;
    Ok(format!("{BOUNCES} bounces, one set of everything"))
}

/// The uplink reports the prefix it had already.
pub fn same_prefix(bench: &mut Bench) -> Result<String> {
    let life = Life::up(bench)?;
    let [host, ..] = &life.net.lan;
    let transfer = host.spawn(|| tcp::download(server(1), 20 << 20))?;
    for _ in 0..5 {
        life.delegate(Some(&V6PLUS))?;
    }
    transfer
        .join()
        .map_err(|_| "the transfer panicked".to_owned())??;
    let torn = life.router.spawned("teardown");
    expect(torn == 0, || format!("{torn} teardowns"))?;
    life.traffic()?;
    Ok("five renewals, a running transfer lived on".into())
}

/// Two lines at once, each with its own tunnel; one host goes by the second.
pub fn two_uplinks(bench: &mut Bench) -> Result<String> {
    const OTHER: Line = V6PLUS.subscriber("v6plus-other", 0x65_4321);
    let life = Life::up(bench)?;
    life.net.second_uplink(&OTHER)?;
    life.router.add_second(life.ce(), &OTHER, "wanmapb")?;
    life.ce().ip(&format!(
        "route add default dev map-wanmapb table 201\nrule add from {} lookup 201\n",
        lan_host(1)
    ))?;
    let [first, second, _] = &life.net.lan;
    for (host, line) in [(first, &V6PLUS), (second, &OTHER)] {
        let to = SocketAddrV4::new(server(0), WHOAMI);
        let port = host.within(|| tcp::outside_port(to, PATIENCE))?;
        expect(line.owns(port), || {
            format!("{} came from port {port}", line.name)
        })?;
    }
    life.router.remove_second(life.ce(), "wanmapb")?;
    let tables = life.ce().run(&["nft", "list", "tables"])?;
    expect(!tables.contains("wanmapb"), || format!("left: {tables}"))?;
    life.traffic()?;
    Ok("each host by its own line; the first went on when the second was gone".into())
}
