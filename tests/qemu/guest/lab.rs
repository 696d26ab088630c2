// SPDX-License-Identifier: GPL-2.0-or-later
//! The bench a scenario works at: topology, servers, and a CE with a line and
//! a way to translate.

use super::border::{self, Refused};
use super::nat::{self, Technique};
use super::netns::Netns;
use super::oracle::{Dialect, Line};
use super::server::Servers;
use super::shell;
use super::topology::{MTU, TUNNEL, Topology};
use crate::Result;

/// A line in use. Scenarios share it as long as they want the same one.
pub struct Lab {
    pub net: Topology,
    pub line: Line,
    pub servers: Servers,
}

impl Lab {
    /// Builds the line with a tunnel, but nothing that translates yet.
    pub fn new(line: Line) -> Result<Self> {
        let net = Topology::build(&line)?;
        border::load(&net.br, &line)?;
        let servers = Servers::start(&net.srv)?;
        let lab = Self { net, line, servers };
        lab.tunnel()?;
        Ok(lab)
    }

    /// What netifd does with the handler's message.
    fn tunnel(&self) -> Result<()> {
        let Line { br, .. } = self.line;
        self.net.ce.ip(&format!(
            "addr add {ce}/128 dev wan nodad
             link add name {TUNNEL} type ip6tnl mode ipip6 local {ce} remote {br} encaplimit none ttl 64
             link set {TUNNEL} mtu {MTU} up
             addr add {v4}/32 dev {TUNNEL}
             route add default dev {TUNNEL}",
            ce = self.line.ce_address(),
            v4 = self.line.ipv4(),
        ))
    }

    /// Makes the CE translate with `technique`, from a clean slate.
    pub fn nat(&mut self, technique: Technique) -> Result<()> {
        self.rules(technique, &[], "", "")
    }

    /// The same with ports that the pool leaves alone and lines for
    /// firewall4's `dstnat` and `forward` chains.
    pub fn rules(
        &mut self,
        technique: Technique,
        reserve: &[u16],
        dnat: &str,
        forward: &str,
    ) -> Result<()> {
        self.settle()?;
        self.net.ce.run(&["nft", "flush", "ruleset"])?;
        self.net.ce.nft(&nat::firewall4(dnat, forward))?;
        self.net.ce.nft(&self.ruleset(technique, reserve)?)?;
        self.refused().map(drop)
    }

    /// What the CE loads for `technique`: ours as the real binary prints it.
    pub fn ruleset(&self, technique: Technique, reserve: &[u16]) -> Result<String> {
        match technique {
            Technique::Stock => Ok(nat::stock(&self.line)),
            Technique::Forks => Ok(nat::forks(&self.line)),
            Technique::Plain => Ok(nat::plain(&self.line)),
            Technique::Hash => self.mape_nft("hash", reserve),
            Technique::Pool => self
                .mape_nft("pool", reserve)
                .or_else(|_| Ok(nat::pool(&self.line))),
        }
    }

    fn mape_nft(&self, mode: &str, reserve: &[u16]) -> Result<String> {
        let mut command = self.net.ce.command("mape");
        command.args(["nft", "--device", TUNNEL, "--nat", mode]);
        command.args(["--prefix", &self.line.end_user_prefix()]);
        command.args(["--rule", &self.line.rule()]);
        if self.line.dialect == Dialect::Draft03 {
            command.arg("--legacy");
        }
        if !reserve.is_empty() {
            let ports: Vec<String> = reserve.iter().map(u16::to_string).collect();
            command.args(["--reserve", &ports.join(",")]);
        }
        shell::run(&mut command)
    }

    /// Brings the pool back after a flush, as firewall4's include does.
    pub fn reload(&self) -> Result<()> {
        self.net.ce.nft(&nat::firewall4("", ""))?;
        self.net.ce.nft(&self.ruleset(Technique::Pool, &[])?)
    }

    /// Ends all connections and forgets them.
    pub fn settle(&self) -> Result<()> {
        self.servers.drop_all();
        self.net.ce.run(&["conntrack", "-F"]).map(drop)
    }

    /// What the BR refused since it was last asked.
    pub fn refused(&self) -> Result<Refused> {
        border::refused(&self.net.br)
    }

    /// The LAN host, 0 to 2.
    pub fn host(&self, index: usize) -> &Netns {
        let [first, second, third] = &self.net.lan;
        match index % 3 {
            0 => first,
            1 => second,
            _ => third,
        }
    }
}
