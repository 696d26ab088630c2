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
use super::init::say;
use super::lab::Lab;
use super::oracle::{Dialect, LAB, Line, OCN, V6PLUS};
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
            _ => Err(format!("MODE={word}: one of ra, pd, mape, mapt, lw4o6")),
        }
    }

    /// The subscriber's line: where no option brings the rule, that of a
    /// provider everybody knows.
    fn line(self, provider: &str) -> Result<Line> {
        match (self, provider) {
            (Self::Ra | Self::Pd, "" | "v6plus") => Ok(V6PLUS),
            (Self::Ra | Self::Pd, "ocn") => Ok(OCN),
            (Self::Ra | Self::Pd, other) => Err(format!("PROVIDER={other}: one of v6plus, ocn")),
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
    daemons: Daemons,
}

impl Isp {
    /// Opens for business.
    pub fn start(mode: Mode, provider: &str, cards: &Cards) -> Result<Self> {
        let line = mode.line(provider)?;
        let net = Topology::plugged(cards)?;
        let servers = Servers::start(&net.srv)?;
        let daemons = Daemons::new(&net.acc)?;
        let mut isp = Self {
            mode,
            lab: Lab::plugged(net, line, servers),
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
        net.to_relay(line)?;
        if self.mode == Mode::Ra {
            // The /64 is on the link: the host that has an address answers for it.
            net.acc.ip(&on_link("add", line))?;
        }
        if self.mode == Mode::MapT {
            self.daemons.translate(net, line, DMR)?;
        } else {
            net.tunnel(line)?;
        }
        border::load(&net.br, line)?;
        self.daemons.advertise(net, self.mode, line, old)?;
        if self.mode == Mode::Ra {
            self.daemons.delegate_nothing();
            return Ok(());
        }
        self.daemons.delegate(net, self.mode, line)
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

    /// What a router must make of this line, and what it has made of it.
    pub fn status(&self) -> Result<String> {
        let Lab { line, net, .. } = &self.lab;
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
        let mut text = format!(
            "line       {:?}, {} ({dialect})\n\
             prefix     {}\n\
             IPv4       {} PSID {}, {} ports: {shown} …\n\
             CE         {}\n",
            self.mode,
            line.name,
            line.end_user_prefix(),
            line.ipv4(),
            line.psid(),
            line.ports().len(),
            line.ce_address(),
        );
        let _ = match self.mode {
            Mode::MapT => writeln!(text, "DMR        {DMR}"),
            _ => writeln!(text, "BR         {}", line.br),
        };
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
        let seen = border::ports_seen(&net.br)?;
        let _ = write!(
            text,
            "ports      {} of {} seen at the BR",
            seen.len(),
            line.ports().len()
        );
        Ok(text)
    }

    /// The scenarios' view of it.
    pub fn lab(&mut self) -> &mut Lab {
        &mut self.lab
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
