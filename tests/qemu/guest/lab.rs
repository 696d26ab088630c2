// SPDX-License-Identifier: GPL-2.0-or-later
//! The bench a scenario works at: topology, servers, and a CE with a line and
//! a way to translate.

use super::border::{self, Refused};
use super::nat::{self, Technique};
use super::netns::Netns;
use super::oracle::{Dialect, Line};
use super::router::{Router, UPLINK};
use super::server::Servers;
use super::snapshot::Snapshot;
use super::topology::{TUNNEL, Topology};
use crate::Result;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A line in use. Scenarios share it as long as they want the same one.
pub struct Lab {
    pub net: Topology,
    pub line: Line,
    pub servers: Servers,
    ce: Ce,
    technique: Technique,
}

/// What translates.
enum Ce {
    /// Our handler in the CE's namespace, and how that was without it.
    Ours { router: Router, before: Snapshot },
    /// A router outside, which does as it likes.
    Plugged,
}

/// How long a router remembers a TCP connection that was reset.
const RESET: Duration = Duration::from_secs(11);

/// Packets that the BR refused from the pool, over all labs of the run. Of 32
/// bits: MIPS has no atomics of 64.
static BAD_PORTS: AtomicU32 = AtomicU32::new(0);

/// What the BR has refused from the pool in the whole run.
pub fn bad_ports() -> u32 {
    BAD_PORTS.load(Ordering::Relaxed)
}

impl Lab {
    /// Builds the line; the handler brings the interface up.
    pub fn new(line: Line) -> Result<Self> {
        let lab = Self::with(line, |net| Router::start(&net.ce, &line))?;
        lab.router()?.up(&lab.net.ce)?;
        Ok(lab)
    }

    /// A line of a known provider, with the two lines of configuration that
    /// suffice there, not up yet; and that configuration's text.
    pub fn two_lines(line: Line) -> Result<(Self, String)> {
        let lab = Self::with(line, |net| {
            Router::two_lines(&net.ce, ("2001:db8:0:1::2", 64))
        })?;
        // After the snapshot, which must not follow links into /proc.
        let config = lab.router()?.furnish(&[("tunlink", UPLINK)])?;
        let len = u8::try_from(line.prefix_len()).unwrap_or(128);
        let prefix = line.prefix().to_string();
        lab.router()?.delegate(&lab.net.ce, Some((&prefix, len)))?;
        Ok((lab, config))
    }

    fn with(line: Line, router: impl FnOnce(&Topology) -> Result<Router>) -> Result<Self> {
        let net = Topology::build(&line)?;
        border::load(&net.br, &line)?;
        let servers = Servers::start(&net.srv)?;
        net.ce.nft(&nat::firewall4("", ""))?;
        let router = router(&net)?;
        // The firewall's configuration is there before us.
        router.forward(&[])?;
        let before = Snapshot::take(&net.ce, &router)?;
        Ok(Self {
            net,
            line,
            servers,
            ce: Ce::Ours { router, before },
            technique: Technique::Pool,
        })
    }

    /// The bench around a router that is plugged in; the caller sees to its
    /// line.
    pub fn plugged(net: Topology, line: Line, servers: Servers) -> Self {
        Self {
            net,
            line,
            servers,
            ce: Ce::Plugged,
            technique: Technique::Pool,
        }
    }

    /// The router under the handler's care, where it is ours.
    pub fn router(&self) -> Result<&Router> {
        self.ours().map(|(router, _)| router)
    }

    fn ours(&self) -> Result<(&Router, &Snapshot)> {
        match &self.ce {
            Ce::Ours { router, before } => Ok((router, before)),
            Ce::Plugged => Err("only with our own CE".to_owned()),
        }
    }

    /// Makes the CE translate with `technique`, from a clean slate.
    pub fn nat(&mut self, technique: Technique) -> Result<()> {
        self.rules(technique, &[], "", "")
    }

    /// The same with ports that the firewall's configuration forwards, and lines
    /// for firewall4's `dstnat` and `forward` chains.
    pub fn rules(
        &mut self,
        technique: Technique,
        forwarded: &[u16],
        dnat: &str,
        forward: &str,
    ) -> Result<()> {
        self.settle()?;
        self.refused()?;
        let Ce::Ours { router, .. } = &self.ce else {
            return self.forgive();
        };
        self.net.ce.run(&["nft", "flush", "ruleset"])?;
        self.net.ce.nft(&nat::firewall4(dnat, forward))?;
        router.forward(forwarded)?;
        match technique {
            Technique::Pool => drop(router.mape(&self.net.ce, &["firewall"])?),
            Technique::Hash => self.net.ce.nft(&self.hash()?)?,
            Technique::Stock => self.net.ce.nft(&nat::stock(&self.line))?,
            Technique::Forks => self.net.ce.nft(&nat::forks(&self.line))?,
            Technique::Plain => self.net.ce.nft(&nat::plain(&self.line))?,
            Technique::Untranslated => self.net.ce.nft("flush chain inet fw4 srcnat")?,
        }
        self.technique = technique;
        self.forgive()
    }

    /// Our ruleset without a pool, as the real binary prints it.
    fn hash(&self) -> Result<String> {
        let (prefix, rule) = (self.line.end_user_prefix(), self.line.rule());
        let mut words = vec!["nft", "--device", TUNNEL, "--nat", "hash"];
        words.extend(["--prefix", &prefix, "--rule", &rule]);
        if self.line.dialect == Dialect::Draft03 {
            words.push("--legacy");
        }
        self.router()?.mape(&self.net.ce, &words)
    }

    /// Brings everything back after a flush, as firewall4 does: its own table,
    /// then the include.
    pub fn reload(&self) -> Result<()> {
        self.net.ce.nft(&nat::firewall4("", ""))?;
        let words = ["firewall"];
        self.router()?.mape(&self.net.ce, &words).map(drop)
    }

    /// Takes the interface down, says what is left of it, and brings it up.
    pub fn bounce(&mut self) -> Result<String> {
        self.nat(Technique::Pool)?;
        let (router, before) = self.ours()?;
        router.down(&self.net.ce)?;
        let left = Snapshot::take(&self.net.ce, router)?.beyond(before);
        router.up(&self.net.ce)?;
        Ok(left)
    }

    /// Ends all connections and forgets them.
    pub fn settle(&self) -> Result<()> {
        self.servers.drop_all();
        if matches!(self.ce, Ce::Plugged) {
            std::thread::sleep(RESET);
            return Ok(());
        }
        self.net.ce.run(&["conntrack", "-F"]).map(drop)
    }

    /// What the BR refused since it was last asked; what was the pool's doing
    /// also counts for the whole run.
    pub fn refused(&self) -> Result<Refused> {
        let refused = border::refused(&self.net.br)?;
        if self.technique == Technique::Pool {
            let refused = u32::try_from(refused.total()).unwrap_or(u32::MAX);
            BAD_PORTS.fetch_add(refused, Ordering::Relaxed);
        }
        Ok(refused)
    }

    /// Resets the BR's count: what left while nothing translated is
    /// nobody's figure.
    pub fn forgive(&self) -> Result<()> {
        border::refused(&self.net.br).map(drop)
    }

    /// The LAN host, 0 to 2.
    pub fn host(&self, index: usize) -> &Netns {
        self.net.host(index)
    }
}
