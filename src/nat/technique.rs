// SPDX-License-Identifier: GPL-2.0-or-later
//! Which way of translating fits a port set and a kernel.

use std::fmt;

use crate::map::PortRange;

use super::error::NatError;
use super::kernel::Kernel;
use super::line::Line;
use super::options::Mode;
use super::pool::Pool;
use super::ports::PortList;
use super::wishes::Wishes;

/// Most ports a pool is built for: its four maps take about 300 bytes of
/// kernel memory a port. Larger sets have long ranges, which hashing fills
/// evenly.
pub const MAX_POOL: u32 = 4096;

/// How outgoing connections get their ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Technique {
    /// One range, or the whole address: netfilter does it alone. `None` keeps
    /// ports as they are if it can.
    Plain(Option<PortRange>),
    /// Numbers of a pool, exchanged for ports at the edge of the tunnel.
    Pool(Pool),
    /// The internal endpoint chooses one of several ranges.
    Hash,
    /// None here: the AFTR translates.
    Untranslated,
}

impl Technique {
    /// One word for logs and status: `plain`, `pool`, `hash` or `none`.
    pub fn name(&self) -> &'static str {
        match self {
            Technique::Plain(_) => "plain",
            Technique::Pool(_) => "pool",
            Technique::Hash => "hash",
            Technique::Untranslated => "none",
        }
    }
}

impl fmt::Display for Technique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Chooses, and says why in half a sentence.
pub(super) fn choose(
    line: &Line,
    wishes: &Wishes,
    kernel: &Kernel,
    free: &PortList,
    passing: &PortList,
) -> Result<(Technique, String), NatError> {
    let Some(ports) = line.ports else {
        return Ok((Technique::Untranslated, "the AFTR translates".into()));
    };
    if !ports.is_shared() {
        let range = widest(free).filter(|_| !wishes.reserve.is_empty());
        return Ok((Technique::Plain(range), "the address is not shared".into()));
    }
    if let (1, Some(range)) = (free.range_count(), widest(free)) {
        let reason = format!("the ports are one range, {range}");
        return Ok((Technique::Plain(Some(range)), reason));
    }
    // Those of the line, also if some of their ports are kept out.
    let ranges = match ports.ranges().count() {
        1 => "1 range".into(),
        count => format!("{count} ranges"),
    };
    if wishes.mode == Mode::Hash {
        return Ok((Technique::Hash, "the configuration says so".into()));
    }
    let obstacle = match &kernel.edge {
        Err(why) => format!("no netdev egress (kmod-nft-netdev is missing?): {why}"),
        Ok(()) if free.count() > MAX_POOL => {
            format!("{} ports are more than {MAX_POOL}", free.count())
        }
        Ok(()) => match Pool::new(ports, passing) {
            Some(pool) => {
                let reason = format!("all {} ports of {ranges} as one", free.count());
                return Ok((Technique::Pool(pool), reason));
            }
            None => "the forwarded ports leave no room for a pool".into(),
        },
    };
    match wishes.mode {
        Mode::Pool => Err(NatError::NoPool(obstacle)),
        _ => Ok((Technique::Hash, obstacle)),
    }
}

fn widest(ports: &PortList) -> Option<PortRange> {
    ports.ranges().max_by_key(|range| range.count())
}
