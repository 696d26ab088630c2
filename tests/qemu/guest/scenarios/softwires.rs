// SPDX-License-Identifier: GPL-2.0-or-later
//! Lines without MAP: DS-Lite, where the router must not translate, and a fixed
//! address over IPIP, where all ports are its own.

use super::{Bench, errors, expect, line};
use crate::Result;
use crate::guest::border;
use crate::guest::carrier::dns::Resolver;
use crate::guest::carrier::softwire::Softwire;
use crate::guest::carrier::{AFTR, AFTR_NAME, BR, FIXED, RESOLVER, fixed_ce};
use crate::guest::init::say;
use crate::guest::nat;
use crate::guest::router::Router;
use crate::guest::server::Servers;
use crate::guest::snapshot::Snapshot;
use crate::guest::tcp;
use crate::guest::topology::{Topology, server};
use std::net::Ipv6Addr;

/// A /56 before and after a renumbering.
pub(super) const PREFIXES: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0x2001, 0xdb8, 0x10, 0x1200, 0, 0, 0, 0),
    Ipv6Addr::new(0x2001, 0xdb8, 0x56, 0x7800, 0, 0, 0, 0),
];
/// Interface identifier of a B4: the form of RFC 7597 for 192.0.0.2 and no
/// PSID.
const B4_ID: u128 = 0x0000_c000_0002_0000;

/// A kind of line: what the router is told, and what its address is then.
pub(super) struct Kind {
    options: &'static [(&'static str, &'static str)],
    address: &'static str,
    /// The provider's end for a subscriber with that prefix.
    softwire: fn(Ipv6Addr) -> Softwire,
    /// The counter of hosts' packets at the far end, and that of packets that
    /// do not come from hosts.
    counters: [&'static str; 2],
}

pub(super) const DS_LITE: Kind = Kind {
    options: &[("maptype", "ds-lite"), ("peeraddr", AFTR_NAME)],
    address: "192.0.0.2",
    softwire: |prefix| Softwire::DsLite {
        aftr: AFTR,
        subscriber: Ipv6Addr::from_bits(prefix.to_bits() | B4_ID).into(),
    },
    counters: ["good_lan", "good_b4"],
};

pub(super) const IPIP: Kind = Kind {
    options: &[
        ("maptype", "ipip"),
        ("ipaddr", "192.0.2.8/29"),
        ("interfaceid", "::feed"),
        ("peeraddr", "2001:db8:ffff::102"),
    ],
    address: "192.0.2.8",
    softwire: |prefix| Softwire::IpIp {
        br: BR,
        ce: fixed_ce(prefix),
        ipv4: FIXED,
    },
    counters: ["good_shared", "good_block"],
};

const FLAPS: usize = 50;
const MEGABYTES: usize = 100;

/// A line in use.
pub(super) struct Line {
    kind: &'static Kind,
    pub(super) net: Topology,
    resolver: Resolver,
    pub(super) router: Router,
    before: Snapshot,
    _servers: Servers,
}

impl Line {
    /// A line that is up.
    pub(super) fn up(bench: &mut Bench, kind: &'static Kind) -> Result<Self> {
        let line = Self::open(bench, kind, &[AFTR])?;
        line.meet()?;
        Ok(line)
    }

    /// A line whose far end may not be there yet; the AFTR's name has these
    /// addresses.
    pub(super) fn open(bench: &mut Bench, kind: &'static Kind, aftrs: &[Ipv6Addr]) -> Result<Self> {
        bench.leave();
        let [today, _] = PREFIXES;
        let net = Topology::routed(&format!("{today}/56"))?;
        let servers = Servers::start(&net.srv)?;
        let resolver = Resolver::start(&net.acc, RESOLVER)?;
        resolver.set(|zone| drop(zone.names.insert(AFTR_NAME.to_owned(), aftrs.to_vec())));
        (kind.softwire)(today).open(&net)?;
        // A zone that masquerades, as that of the uplink does.
        net.ce.nft(&nat::firewall4("", ""))?;
        let router = Router::resolving(&net.ce, RESOLVER, kind.options)?;
        let before = Snapshot::take(&net.ce, &router)?;
        let line = Self {
            kind,
            net,
            resolver,
            router,
            before,
            _servers: servers,
        };
        line.delegate(today)?;
        line.router.up(&line.net.ce)?;
        Ok(line)
    }

    fn delegate(&self, prefix: Ipv6Addr) -> Result<()> {
        let prefix = prefix.to_string();
        self.router.delegate(&self.net.ce, Some((&prefix, 56)))
    }

    /// The first packet shows an AFTR where the B4 is.
    fn meet(&self) -> Result<()> {
        let ping = ["ping", "-c", "3", "-W", "1", &server(0).to_string()];
        self.net.host(0).run(&ping)?;
        border::refused(&self.net.br).map(drop)
    }

    /// What arrived at the far end since it was last asked: nothing wrong,
    /// packets of hosts as they must be, and `others`. Returns how many there
    /// were of hosts.
    pub(super) fn judge(&self, others: u64) -> Result<u64> {
        let counters = border::counters(&self.net.br)?;
        let count = |name: &str| {
            let found = counters.iter().find(|(known, _)| known == name);
            found.map_or(0, |(_, packets)| *packets)
        };
        let refused = border::refused(&self.net.br)?;
        expect(refused.total() == 0, || format!("refused: {refused}"))?;
        let [hosts, rest] = self.kind.counters.map(count);
        expect(hosts > 0 && rest == others, || {
            format!("{hosts} packets of hosts, {rest} others instead of {others}")
        })?;
        let outer = count("good_outer");
        expect(outer == hosts + rest, || {
            format!("{outer} tunnel packets with {} inside", hosts + rest)
        })?;
        Ok(hosts)
    }

    /// A download after something has changed.
    pub(super) fn traffic(&self) -> Result<()> {
        self.meet()?;
        self.net
            .host(0)
            .within(|| tcp::download(server(0), 1 << 20))?;
        self.judge(0).map(drop)
    }

    /// What a subscriber does all day. Returns how many packets that were.
    fn day(&self) -> Result<u64> {
        line::pings(&self.net)?;
        line::datagrams(&self.net)?;
        self.net
            .host(0)
            .within(|| tcp::download(server(0), MEGABYTES << 20))?;
        self.net
            .host(1)
            .within(|| tcp::upload(server(1), 1 << 20))?;
        let misunderstood = errors::misunderstood(&self.net);
        expect(misunderstood.is_empty(), || misunderstood.join("; "))?;
        self.judge(0)
    }

    /// The uplink flaps; some setups are waited for, some are interrupted.
    fn flaps(&self) -> Result<()> {
        let look = || Snapshot::take(&self.net.ce, &self.router);
        let once = look()?;
        for flap in 0..FLAPS {
            self.router.bounce_uplink(&self.net.ce)?;
            if flap % 5 == 0 {
                self.router.until_address(self.kind.address)?;
            }
        }
        self.router.until_address(self.kind.address)?;
        let changed = look()?.beyond(&once);
        expect(changed.is_empty(), || {
            format!("after {FLAPS} flaps: {changed}")
        })?;
        self.traffic()
    }

    /// The provider gives the subscriber another prefix.
    fn renumber(&self) -> Result<()> {
        let [_, tomorrow] = PREFIXES;
        (self.kind.softwire)(tomorrow).open(&self.net)?;
        self.net.route_to_subscriber(&format!("{tomorrow}/56"))?;
        self.delegate(tomorrow)?;
        self.router.until_address(self.kind.address)?;
        self.traffic()
    }

    fn whole_life(self) -> Result<String> {
        let packets = self.day()?;
        say(&format!("    {MEGABYTES} MB, {packets} packets"));
        self.flaps()?;
        say(&format!("    {FLAPS} flaps"));
        self.renumber()?;
        self.router.down(&self.net.ce)?;
        let left = Snapshot::take(&self.net.ce, &self.router)?.beyond(&self.before);
        expect(left.is_empty(), || format!("after teardown: {left}"))?;
        Ok(format!(
            "{packets} packets at the far end as they must be, 0 refused; renumbered, nothing left"
        ))
    }
}

/// Hosts' packets reach the AFTR as hosts sent them, although the zone
/// masquerades.
pub fn ds_lite(bench: &mut Bench) -> Result<String> {
    let line = Line::up(bench, &DS_LITE)?;
    let asked = line.resolver.asked();
    let wanted = format!("{AFTR_NAME} AAAA");
    expect(asked.iter().all(|question| question.what == wanted), || {
        format!("the resolver was asked {asked:?}")
    })?;
    expect(!asked.is_empty(), || {
        "the resolver was not asked".to_owned()
    })?;
    // The router's own.
    let ping = ["ping", "-c", "2", "-W", "1", &server(0).to_string()];
    line.net.ce.run(&ping)?;
    line.net.host(0).run(&ping)?;
    line.judge(2)?;
    line.whole_life()
}

/// All hosts share the first address of a block.
pub fn ipip(bench: &mut Bench) -> Result<String> {
    Line::up(bench, &IPIP)?.whole_life()
}
