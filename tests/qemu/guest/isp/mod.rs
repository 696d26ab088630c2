// SPDX-License-Identifier: GPL-2.0-or-later
//! The lab provider (docs/isp.md): the test bench's access network, BR, servers and
//! LAN hosts, around a router that is plugged into a network card.

mod control;
mod daemons;
mod forward;
pub mod hook;
mod kea;

pub use control::main;

use super::border;
use super::carrier::dns::{FAULTS, Resolver};
use super::carrier::softwire::Softwire;
use super::carrier::tls::Tls;
use super::carrier::web::Web;
use super::carrier::{
    self, AFTR, AFTR_NAME, BR, FIXED, PROVISION, PROVISION_NAME, RESOLVER, SECURE_TXT, TXT, UPDATE,
    UPDATE_NAME, fixed_ce,
};
use super::init::say;
use super::lab::Lab;
use super::oracle::{Dialect, LAB, Line};
use super::scenarios;
use super::server::Servers;
use super::topology::{Cards, Topology};
use crate::Result;
use daemons::Daemons;
use std::fmt::Write;

/// What the line gives a subscriber, and how it carries IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A /64 by router advertisement and nothing else.
    Ra,
    /// A prefix by DHCPv6, the rule being the provider's secret.
    Pd,
    /// The same with a MAP-E container (RFC 7598 section 5.1).
    MapE,
    /// The same with a MAP-T container (section 5.2).
    MapT,
    /// The same with a lw4o6 container (section 5.3).
    Lw4o6,
    /// The same with the name of an AFTR (RFC 6334).
    DsLite,
    /// A prefix by DHCPv6; the fixed address is in the provider's letter.
    IpIp,
    /// A prefix by DHCPv6; the line says itself that it is DS-Lite (HB46PP).
    Hb46pp,
}

impl Mode {
    /// What `MODE=` names.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "ra" => Ok(Self::Ra),
            "" | "pd" => Ok(Self::Pd),
            "mape" | "s46" => Ok(Self::MapE),
            "mapt" => Ok(Self::MapT),
            "lw4o6" => Ok(Self::Lw4o6),
            "dslite" | "ds-lite" => Ok(Self::DsLite),
            "ipip" => Ok(Self::IpIp),
            "hb46pp" => Ok(Self::Hb46pp),
            _ => Err(format!(
                "MODE={word}: one of ra, pd, mape, mapt, lw4o6, dslite, ipip, hb46pp"
            )),
        }
    }

    /// How IPv4 gets to the subscriber of `line`, unless by MAP.
    fn softwire(self, line: &Line) -> Option<Softwire> {
        match self {
            Self::DsLite | Self::Hb46pp => Some(Softwire::DsLite {
                aftr: AFTR,
                subscriber: line.network(),
            }),
            Self::IpIp => Some(Softwire::IpIp {
                br: BR,
                ce: fixed_ce(line.prefix()),
                ipv4: FIXED,
            }),
            _ => None,
        }
    }

    /// The subscriber's line: if no option brings the rule, that of a
    /// provider everybody knows.
    pub fn line(self, provider: &str) -> Result<Line> {
        match self {
            Self::Ra | Self::Pd => Line::of(provider),
            _ => Ok(LAB),
        }
    }
}

fn on_link(what: &str, line: &Line) -> String {
    format!("addr {what} {}fffe/64 dev ce\n", line.prefix())
}

/// The DMR prefix of MAP-T; servers are below it (RFC 6052 section 2.2).
const DMR: &str = "2001:db8:fffe::/64";

/// A lab provider that is in business.
pub struct Isp {
    mode: Mode,
    lab: Lab,
    resolver: Resolver,
    provision: Web,
    tls: Tls,
    /// What the TXT record says of a line with HB46PP.
    txt: &'static str,
    update: Web,
    daemons: Daemons,
}

impl Isp {
    /// Opens for business.
    pub fn start(mode: Mode, provider: &str, cards: &Cards) -> Result<Self> {
        let line = mode.line(provider)?;
        let net = Topology::plugged(cards)?;
        let servers = Servers::start(&net.srv)?;
        let resolver = Resolver::start(&net.acc, RESOLVER)?;
        resolver.set(|zone| {
            for (name, address) in [
                (AFTR_NAME, AFTR),
                (PROVISION_NAME, PROVISION),
                (UPDATE_NAME, UPDATE),
            ] {
                zone.names.insert(name.to_owned(), vec![address]);
            }
        });
        let provision = Web::start(&net.acc, PROVISION, &carrier::offer().to_string())?;
        let tls = Tls::new(&[PROVISION_NAME])?;
        provision.secure(&net.acc, PROVISION, &tls)?;
        let update = Web::start(&net.acc, UPDATE, "OK\n")?;
        let daemons = Daemons::new(&net.acc)?;
        let mut isp = Self {
            mode,
            lab: Lab::plugged(net, line, servers),
            resolver,
            provision,
            tls,
            txt: TXT,
            update,
            daemons,
        };
        isp.provision(None)?;
        Ok(isp)
    }

    /// Gives the subscriber another prefix, address and PSID. With DHCPv6 it
    /// learns so at its next renewal, as on a real line.
    pub fn renumber(&mut self) -> Result<()> {
        self.become_line(self.mode, self.lab.line.renumbered())
    }

    /// The subscriber orders another kind of line.
    pub fn switch(&mut self, mode: Mode, provider: &str) -> Result<()> {
        self.become_line(mode, mode.line(provider)?)
    }

    fn become_line(&mut self, mode: Mode, line: Line) -> Result<()> {
        self.withdraw()?;
        let old = (self.mode == Mode::Ra).then_some(self.lab.line);
        self.mode = mode;
        self.lab.line = line;
        self.provision(old.as_ref())
    }

    /// Unplugs the line, or plugs it in again.
    pub fn plug(&self, into: &str) -> Result<()> {
        self.lab.net.acc.ip(&format!("link set dev ce {into}\n"))
    }

    /// What the provider has of the subscriber's line. `old` was advertised
    /// before it.
    fn provision(&mut self, old: Option<&Line>) -> Result<()> {
        let (net, line) = (&self.lab.net, &self.lab.line);
        if self.mode == Mode::Ra {
            // The /64 is on the link: the host that has an address answers for it.
            net.acc.ip(&on_link("add", line))?;
        }
        self.name_server();
        if let Some(softwire) = self.mode.softwire(line) {
            softwire.open(net)?;
        } else {
            net.to_relay(line)?;
            match self.mode {
                Mode::MapT => self.daemons.translate(net, line, DMR)?,
                _ => net.tunnel(line)?,
            }
            border::load(&net.br, line)?;
        }
        self.daemons.advertise(net, self.mode, line, old)?;
        if self.mode == Mode::Ra {
            self.daemons.delegate_nothing();
            return Ok(());
        }
        self.daemons.delegate(net, self.mode, line)
    }

    /// The TXT record that leads to the provisioning server.
    fn name_server(&self) {
        let txt = (self.mode == Mode::Hb46pp).then(|| self.txt.to_owned());
        self.resolver.set(|zone| zone.txt = txt);
    }

    /// Which certificate the provisioning server shows from now on; without
    /// one the line leads to plain HTTP.
    pub fn secure(&mut self, word: &str) -> Result<()> {
        self.txt = match self.tls.show(word)? {
            true => SECURE_TXT,
            false => TXT,
        };
        self.name_server();
        Ok(())
    }

    /// The authority that routers are to trust, as PEM.
    pub fn authority(&self) -> &str {
        self.tls.authority()
    }

    fn withdraw(&mut self) -> Result<()> {
        let (net, line) = (&self.lab.net, &self.lab.line);
        net.acc.ip("route flush proto dhcp dev ce\n")?;
        if self.mode == Mode::Ra {
            net.acc.ip(&on_link("del", line))?;
        }
        net.br.nft("flush ruleset")?;
        self.daemons.end_translation();
        net.br.ip("link del dev ce\n")
    }

    /// What is wrong with the resolver from now on.
    pub fn confuse(&self, word: &str) -> Result<()> {
        let known = FAULTS.iter().find(|(name, _)| *name == word);
        let (_, fault) = known.ok_or_else(|| {
            let names: Vec<&str> = FAULTS.iter().map(|(name, _)| *name).collect();
            format!("dns {word}: one of {}", names.join(", "))
        })?;
        self.resolver.set(|zone| zone.fault = *fault);
        Ok(())
    }

    /// What is wrong with the server's answers from now on: those of the
    /// provisioning server, or of the update server.
    pub fn answer(&self, server: &str, word: &str) -> Result<()> {
        match server {
            "answer" => self.provision.confuse(word),
            _ => self.update.confuse(word),
        }
    }

    /// What a router must make of this line, and what it has made of it.
    pub fn status(&self) -> Result<String> {
        let Lab { line, net, .. } = &self.lab;
        let mut text = format!(
            "line       {:?}\nprefix     {}\nresolver   {RESOLVER}\n",
            self.mode,
            line.end_user_prefix()
        );
        match self.mode.softwire(line) {
            Some(softwire) => text += &softwire.to_string(),
            None => text += &self.rule(),
        }
        let routes = net
            .acc
            .run(&["ip", "-6", "route", "show", "proto", "dhcp"])?;
        let neighbours = net.acc.run(&["ip", "-6", "neigh", "show", "dev", "ce"])?;
        for (name, found) in [("delegated", routes), ("neighbour", neighbours)] {
            for entry in found.lines() {
                let _ = writeln!(text, "{name:<10} {}", entry.trim());
            }
        }
        for (name, packets) in border::counters(&net.br)? {
            let _ = writeln!(text, "counter    {packets:>8} {}", name.replace('_', " "));
        }
        for question in self.resolver.asked() {
            let _ = writeln!(text, "asked      {} by {}", question.what, question.from);
        }
        for (server, web) in [("provision", &self.provision), ("update", &self.update)] {
            for request in web.seen() {
                let _ = writeln!(text, "{server:<10} {} by {}", request.target, request.from);
            }
        }
        if self.mode.softwire(line).is_none() {
            let seen = border::ports_seen(&net.br)?.len();
            let all = line.ports().len();
            let _ = writeln!(text, "ports      {seen} of {all} seen at the BR");
        }
        Ok(text.trim_end().to_owned())
    }

    /// The rule of a line with MAP, and what comes of it.
    fn rule(&self) -> String {
        let line = &self.lab.line;
        let ranges: Vec<String> = line
            .ranges()
            .iter()
            .map(|(first, last)| format!("{first}-{last}"))
            .collect();
        let shown = ranges.get(..3).unwrap_or(&ranges).join(" ");
        let dialect = match line.dialect {
            Dialect::Draft03 => "draft-03",
            Dialect::Rfc7597 => "RFC 7597",
        };
        let (far_end, address) = match self.mode {
            Mode::MapT => ("DMR", DMR.to_owned()),
            _ => ("BR", line.br.to_string()),
        };
        format!(
            "rule       {} ({dialect})\n\
             IPv4       {} PSID {}, {} ports: {shown} …\n\
             CE         {}\n\
             {far_end:<10} {address}\n",
            line.name,
            line.ipv4(),
            line.psid(),
            line.ports().len(),
            line.ce_address(),
        )
    }

    /// Measures the router that is plugged in, by the scenarios with these
    /// names.
    pub fn measure(&mut self, names: &[&str]) -> Result<()> {
        let is_map = self.mode.softwire(&self.lab.line).is_none();
        scenarios::measure_plugged(&mut self.lab, is_map, names)
    }

    /// Connections to `port` of this machine are passed to that of the
    /// router, from the first of its LAN's hosts.
    pub fn forward(&self, port: u16) -> Result<()> {
        forward::start(self.lab.host(0), port)
    }

    /// Says what has started.
    pub fn greet(&self) {
        match self.status() {
            Ok(text) => say(&text),
            Err(why) => say(&why),
        }
    }
}
