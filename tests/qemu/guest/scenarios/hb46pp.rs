// SPDX-License-Identifier: GPL-2.0-or-later
//! A line that describes itself, from the TXT record to traffic, and all that
//! can go wrong on the way.

use super::{Bench, expect};
use crate::Result;
use crate::guest::border;
use crate::guest::carrier::dns::{Fault, Resolver};
use crate::guest::carrier::softwire::Softwire;
use crate::guest::carrier::web::Web;
use crate::guest::carrier::{self, AFTR, PROVISION, PROVISION_NAME, RESOLVER, TXT};
use crate::guest::init::say;
use crate::guest::nat;
use crate::guest::router::{ADDRESS, INTERFACE, Router};
use crate::guest::server::Servers;
use crate::guest::tcp;
use crate::guest::topology::{Topology, server};
use ipnet::Ipv6Net;
use serde_json::{Value, json};
use std::fs;
use std::net::Ipv6Addr;
use std::thread::sleep;
use std::time::Duration;

/// A prefix that no table knows.
pub(super) const PREFIX: Ipv6Net =
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0x10, 0x1200, 0, 0, 0, 0), 56);
/// A resolver of somebody else, which nobody may ask.
const PUBLIC: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0x53, 0, 0, 0, 0x8888);
/// How long the answer holds, in seconds.
const TTL: u64 = 3600;
/// What a router of a DS-Lite line has as its address.
const B4: &str = "192.0.0.2";

/// Seconds until an attempt that is due has been made: a line is asked every
/// two minutes at most, and the process that sees to it naps for half a minute.
const NOTICED: u64 = 240;

/// What happens to the mechanism that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Stays,
    GoesDown,
}

/// A fault: of the resolver or, by its word, of the server.
struct Row {
    dns: Option<Fault>,
    answer: &'static str,
    /// Part of the line in the log.
    says: &'static str,
    then: Then,
    /// Minutes until the next attempt, at least and at most.
    again: (u64, u64),
}

const fn dns(fault: Fault, says: &'static str, then: Then, again: (u64, u64)) -> Row {
    Row {
        dns: Some(fault),
        answer: "ok",
        says,
        then,
        again,
    }
}

const fn answer(answer: &'static str, says: &'static str) -> Row {
    Row {
        dns: None,
        answer,
        says,
        then: Then::Stays,
        again: (10, 30),
    }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    dns(Fault::ServFail, "answers SERVFAIL", Then::Stays, (1, 10)),
    dns(Fault::Silent, "no DNS server of the uplink answers", Then::Stays, (1, 10)),
    answer("403", "does not know this line (HTTP status 403)"),
    answer("404", "does not know this line (HTTP status 404)"),
    answer("500", "answers with HTTP status 500"),
    answer("loop", "redirect more than 5 times"),
    answer("empty", "not valid JSON"),
    answer("cut", "cut off"),
    answer("long", "longer than 1 MiB"),
    answer("slow", "does not answer in time"),
    answer("invalid", "not valid JSON"),
    answer("nested", "not valid JSON"),
    answer("types", "ttl: "),
    answer("ttl", "ttl: "),
    answer("multicast", "multicast"),
    answer("rules", "map_e.rules: "),
    Row { dns: None, answer: "strange", says: "teleport", then: Then::Stays, again: (57, 60) },
    Row { dns: None, answer: "none", says: "provisioned by", then: Then::GoesDown, again: (57, 60) },
    Row { dns: None, answer: "bad", says: "provisioned by", then: Then::GoesDown, again: (57, 60) },
    dns(Fault::NxDomain, "there is no such name", Then::GoesDown, (60, 180)),
    dns(Fault::NoData, "has no TXT record", Then::GoesDown, (60, 180)),
    dns(Fault::Two, "has 2 TXT records", Then::GoesDown, (60, 180)),
    dns(Fault::Version, "is of version v6mig-9", Then::GoesDown, (60, 180)),
    dns(Fault::Unverifiable, "wants a certificate", Then::GoesDown, (60, 180)),
];

/// Such a line in use.
pub(super) struct Line {
    pub(super) net: Topology,
    resolver: Resolver,
    public: Resolver,
    pub(super) web: Web,
    pub(super) router: Router,
    _servers: Servers,
}

impl Line {
    /// One of DS-Lite.
    pub(super) fn up(bench: &mut Bench) -> Result<Self> {
        bench.leave();
        let net = Topology::routed(&PREFIX.to_string())?;
        let servers = Servers::start(&net.srv)?;
        let (resolver, public) = (
            Resolver::start(&net.acc, RESOLVER)?,
            Resolver::start(&net.acc, PUBLIC)?,
        );
        resolver.set(|zone| {
            zone.txt = Some(TXT.to_owned());
            zone.names
                .insert(PROVISION_NAME.to_owned(), vec![PROVISION]);
        });
        let web = Web::start(&net.acc, PROVISION, &carrier::offer().to_string())?;
        let aftr = Softwire::DsLite {
            aftr: AFTR,
            subscriber: PREFIX,
        };
        aftr.open(&net)?;
        net.ce.nft(&nat::firewall4("", ""))?;
        let router = Router::resolving(&net.ce, RESOLVER, &[])?;
        // What the router itself would ask; the line is not to be asked there.
        fs::write("/etc/resolv.conf", format!("nameserver {PUBLIC}\n"))
            .map_err(|e| e.to_string())?;
        let line = Self {
            net,
            resolver,
            public,
            web,
            router,
            _servers: servers,
        };
        let prefix = PREFIX.network().to_string();
        line.router.delegate(&line.net.ce, Some((&prefix, 56)))?;
        line.router.up(&line.net.ce)?;
        line.router.until_address(B4)?;
        Ok(line)
    }

    /// Something of each kind, of which nothing is refused.
    pub(super) fn traffic(&self) -> Result<()> {
        let host = self.net.host(0);
        host.run(&["ping", "-c", "2", "-W", "1", &server(0).to_string()])?;
        host.within(|| tcp::download(server(0), 100_000))?;
        let refused = border::refused(&self.net.br)?;
        expect(refused.total() == 0, || format!("refused: {refused}"))
    }

    /// The record of the last attempt.
    fn record(&self) -> Result<Value> {
        let text = fs::read_to_string(self.place()).map_err(|e| e.to_string())?;
        serde_json::from_str(&text).map_err(|e| e.to_string())
    }

    fn place(&self) -> std::path::PathBuf {
        let name = format!("var/run/mape/{INTERFACE}.hb46pp");
        self.router.root().join(name)
    }

    /// The time of the next attempt has come. Returns the lines that it logs.
    pub(super) fn ask_again(&self) -> Result<Vec<String>> {
        let before = self.router.double().log().len();
        let mut record = self.record()?;
        record["next"] = json!(0);
        fs::write(self.place(), record.to_string()).map_err(|e| e.to_string())?;
        for _ in 0..NOTICED {
            let log = self.router.double().log();
            let new = log.get(before..).unwrap_or_default();
            if new.iter().any(|line| line.contains("asking again in")) {
                return Ok(new.to_vec());
            }
            sleep(Duration::from_secs(1));
        }
        let log = self.router.double().log();
        let new = log.get(before..).unwrap_or_default().join("; ");
        Err(format!("the line was not asked again: {new}"))
    }

    /// Seconds until the next attempt.
    fn wait(&self) -> Result<u64> {
        let next = self.record()?["next"].as_u64().ok_or("no next")?;
        let uptime = fs::read_to_string("/proc/uptime").map_err(|e| e.to_string())?;
        let now: u64 = uptime
            .split('.')
            .next()
            .unwrap_or_default()
            .parse()
            .unwrap_or(0);
        Ok(next.saturating_sub(now))
    }

    fn row(&self, row: &Row) -> Result<()> {
        let torn = self.router.spawned("teardown");
        self.resolver.set(|zone| zone.fault = row.dns);
        self.web.confuse(row.answer)?;
        let said = self.ask_again()?;
        let wait = self.wait()?;
        let (least, most) = row.again;
        expect(said.iter().any(|line| line.contains(row.says)), || {
            format!("the log says {}", said.join("; "))
        })?;
        expect(
            (least * 60).saturating_sub(60) <= wait && wait <= most * 60,
            || format!("asking again in {wait} s"),
        )?;
        self.resolver.set(|zone| zone.fault = None);
        self.web.confuse("ok")?;
        match row.then {
            Then::Stays => {
                let now = self.router.spawned("teardown");
                expect(now == torn, || "the interface was torn down".to_owned())?;
            }
            Then::GoesDown => {
                self.router.until_error("MAPE_UNKNOWN_PROVIDER")?;
                self.ask_again()?;
            }
        }
        self.router.until_address(B4)?;
        self.traffic()
    }
}

/// From the TXT record to traffic; each fault with its line in the log, what
/// becomes of the tunnel, and when the line is asked again.
pub fn hb46pp(bench: &mut Bench) -> Result<String> {
    let line = Line::up(bench)?;
    line.traffic()?;
    let requests = line.web.seen();
    let [request] = requests.as_slice() else {
        return Err(format!("{} requests: {requests:?}", requests.len()));
    };
    for part in [
        "/config?",
        "vendorid=",
        "product=mape",
        "version=",
        "capability=",
        "dslite",
    ] {
        expect(request.target.contains(part), || {
            format!("no {part} in {}", request.target)
        })?;
    }
    let own: Ipv6Addr = ADDRESS.parse().map_err(|e| format!("{e}"))?;
    expect(
        request.from == own || PREFIX.contains(&request.from),
        || format!("asked from {}", request.from),
    )?;
    let wait = line.wait()?;
    expect((TTL * 19 / 20 - 60..=TTL).contains(&wait), || {
        format!("asking again in {wait} s")
    })?;
    // The same again touches nothing.
    let torn = line.router.spawned("teardown");
    for word in ["ok", "307", "html"] {
        line.web.confuse(word)?;
        line.ask_again()?;
        say(&format!("    the same, {word}"));
    }
    let now = line.router.spawned("teardown");
    expect(now == torn, || format!("{now} teardowns"))?;
    let mut failed = Vec::new();
    for row in ROWS {
        let name = format!("{:?} {}", row.dns, row.answer);
        let verdict = line.row(row);
        say(&format!("    {name}: {verdict:?}"));
        if let Err(why) = verdict {
            failed.push(format!("{name}: {why}"));
            line.resolver.set(|zone| zone.fault = None);
            line.web.confuse("ok")?;
        }
    }
    expect(failed.is_empty(), || failed.join("\n"))?;
    let strangers = line.public.asked();
    expect(strangers.is_empty(), || {
        format!("another resolver was asked {strangers:?}")
    })?;
    Ok(format!(
        "{} faults; no other resolver was asked",
        ROWS.len()
    ))
}
