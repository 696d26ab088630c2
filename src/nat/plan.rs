// SPDX-License-Identifier: GPL-2.0-or-later
//! What to do with a port set, and why.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::map::{Border, MapType, Mapping, PortRange, PortSet};

use super::options::{Mode, Timeouts};
use super::pool::Pool;
use super::ports::PortList;

/// Longest interface name: with `mape_` before it nft shows it whole, and
/// netifd has no longer ones.
const MAX_INTERFACE: usize = 64;

/// Longest device name in Linux, without the terminating zero.
const MAX_DEVICE: usize = 15;

/// Most ports a pool is built for: its four maps take about 300 bytes of
/// kernel memory a port. Larger sets have long ranges, which hashing fills
/// evenly.
pub const MAX_POOL: u32 = 8192;

/// How outgoing connections get their ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Technique {
    /// One range, or the whole address: netfilter does it alone. `None` keeps
    /// ports as they are where it can.
    Plain(Option<PortRange>),
    /// Numbers of a pool, exchanged for ports at the edge of the tunnel.
    Pool(Pool),
    /// The internal endpoint chooses one of several ranges.
    Hash,
}

/// A line as the mapping describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Logical interface, `[A-Za-z0-9_.-]`: names the tables.
    pub interface: String,
    /// Tunnel device.
    pub device: String,
    /// The CE's IPv4 address, or the prefix assigned to it.
    pub ipv4: Ipv4Net,
    /// The ports of that address that are ours.
    pub ports: PortSet,
    /// Encapsulation, where there is one.
    pub outer: Option<Outer>,
}

/// Who may send us IPv4 in IPv6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outer {
    /// Our end of the tunnel.
    pub ce: Ipv6Addr,
    /// The BR and, in mesh mode, the IPv6 prefixes of the FMRs.
    pub sources: Vec<Ipv6Net>,
}

/// What the user wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Option `nat`.
    pub mode: Mode,
    /// Option `reserve`: ports SNAT never takes; each must be in the set.
    pub reserve: PortList,
    /// Ports that the firewall configuration forwards or opens; those outside
    /// the set are ignored.
    pub opened: PortList,
    /// Whether the firewall configuration answers pings from outside.
    pub ping: bool,
    /// Option `conntrack`.
    pub timeouts: Timeouts,
}

/// What nft and the kernel accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// `netdev` tables with an egress hook, or why not, in nft's words.
    pub edge: Result<(), String>,
    /// Timeout policies (`ct timeout`), or why not.
    pub timeouts: Result<(), String>,
}

impl Kernel {
    /// Everything that any technique needs.
    pub fn full() -> Self {
        Kernel {
            edge: Ok(()),
            timeouts: Ok(()),
        }
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NatError {
    /// The name cannot be part of a table's name.
    #[error("interface {0:?}: 1 to {MAX_INTERFACE} letters, digits, _, . or -")]
    Interface(String),
    /// The kernel has no device of such a name.
    #[error("device {0:?}: 1 to {MAX_DEVICE} letters, digits, _, ., @ or -")]
    Device(String),
    /// Reserved ports that are not ours.
    #[error("reserve {ports}: not among the ports of this line, {}", brief(.allowed))]
    Reserve {
        /// The ports that are not ours.
        ports: PortList,
        /// The port set.
        allowed: PortList,
    },
    /// Nothing is left for outgoing connections.
    #[error("reserve and port forwards take all of {}; leave some", brief(.0))]
    NothingLeft(PortList),
    /// `nat pool` where the pool is impossible.
    #[error("nat pool: {0}; choose auto or hash")]
    NoPool(String),
}

/// Names ranges without flooding a log line.
pub(super) fn brief(ports: &PortList) -> String {
    const SHOWN: usize = 16;
    let mut text: Vec<String> = ports
        .ranges()
        .take(SHOWN)
        .map(|range| range.to_string())
        .collect();
    if let Some(more) = ports.range_count().checked_sub(SHOWN).filter(|&n| n > 0) {
        text.push(format!("and {more} more ranges"));
    }
    text.join(", ")
}

impl Technique {
    /// One word for logs and status: `plain`, `pool` or `hash`.
    pub fn name(&self) -> &'static str {
        match self {
            Technique::Plain(_) => "plain",
            Technique::Pool(_) => "pool",
            Technique::Hash => "hash",
        }
    }
}

impl fmt::Display for Technique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Line {
    /// The line of a mapping. With `mesh`, other CEs may send to us directly.
    pub fn new(interface: &str, device: &str, mapping: &Mapping, mesh: bool) -> Self {
        let br = match mapping.border() {
            Some(Border::Br(br)) => Some(Ipv6Net::from(br)),
            _ => None,
        };
        let fmrs = mapping.fmrs().iter().filter(|_| mesh);
        let sources: Vec<Ipv6Net> = br.into_iter().chain(fmrs.map(|rule| rule.ipv6())).collect();
        let encapsulated = mapping.map_type() != MapType::MapT && !sources.is_empty();
        Line {
            interface: interface.into(),
            device: device.into(),
            ipv4: mapping.ipv4(),
            ports: mapping.ports(),
            outer: encapsulated.then(|| Outer {
                ce: mapping.ce_address(),
                sources,
            }),
        }
    }

    fn check(&self) -> Result<(), NatError> {
        check_interface(&self.interface)?;
        if !fits(&self.device, MAX_DEVICE, b"_.@-") {
            return Err(NatError::Device(self.device.clone()));
        }
        Ok(())
    }
}

/// Whether a name may stand in rules: nothing in it means anything to nft.
fn fits(name: &str, longest: usize, also: &[u8]) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || also.contains(&b);
    (1..=longest).contains(&name.len()) && name.bytes().all(fine)
}

/// Refuses what cannot be part of a table's name.
pub(super) fn check_interface(name: &str) -> Result<(), NatError> {
    if fits(name, MAX_INTERFACE, b"_.-") {
        return Ok(());
    }
    Err(NatError::Interface(name.chars().take(80).collect()))
}

/// Everything needed to print the rules of one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    line: Line,
    technique: Technique,
    reason: String,
    passing: PortList,
    free: PortList,
    ping: bool,
    tight: bool,
    netdev: bool,
}

impl Plan {
    /// Chooses the technique for `line`.
    ///
    /// # Errors
    /// Names that cannot be device or table, reserved ports outside the set,
    /// nothing left for outgoing connections, or a pool that cannot be.
    pub fn new(line: Line, wishes: Wishes, kernel: &Kernel) -> Result<Self, NatError> {
        line.check()?;
        let set = PortList::from(line.ports);
        let foreign = wishes.reserve.minus(&set);
        if !foreign.is_empty() {
            return Err(NatError::Reserve {
                ports: foreign,
                allowed: set,
            });
        }
        let passing = wishes.reserve.union(&wishes.opened).intersect(&set);
        let zero = PortList::from_iter(PortRange::new(0, 0));
        let free = set.minus(&passing).minus(&zero);
        if free.is_empty() {
            return Err(NatError::NothingLeft(set));
        }
        let (technique, reason) = choose(&line, &wishes, kernel, &free, &passing)?;
        Ok(Plan {
            line,
            technique,
            reason,
            passing,
            free,
            ping: wishes.ping,
            tight: wishes.timeouts == Timeouts::Tight && kernel.timeouts.is_ok(),
            netdev: kernel.edge.is_ok(),
        })
    }

    /// The line the plan is for.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// How outgoing connections get their ports.
    pub fn technique(&self) -> &Technique {
        &self.technique
    }

    /// Why it was chosen: half a sentence for log and status.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Ports of the set that reach DNAT and local sockets with their own
    /// number: forwarded, opened, reserved.
    pub fn passing(&self) -> &PortList {
        &self.passing
    }

    /// Ports of the set that outgoing connections may take.
    pub fn free(&self) -> &PortList {
        &self.free
    }

    /// Whether timeouts are shortened: asked for and possible.
    pub fn is_tight(&self) -> bool {
        self.tight
    }

    /// Whether there is an edge map to load once the device exists.
    pub fn has_edge(&self) -> bool {
        matches!(self.technique, Technique::Pool(_))
    }

    /// The port outside for a number that conntrack shows, if it is ours.
    pub fn port_of(&self, number: u16) -> Option<u16> {
        match &self.technique {
            Technique::Pool(pool) => pool
                .port_of(number)
                .or_else(|| self.passing.contains(number).then_some(number)),
            _ => self.line.ports.contains(number).then_some(number),
        }
    }

    /// Name of the tables, in each family.
    pub fn table(&self) -> String {
        table_of(&self.line.interface)
    }

    /// Our address, or the first of the prefix assigned to us.
    pub(super) fn address(&self) -> Ipv4Addr {
        self.line.ipv4.addr()
    }

    /// All addresses that are ours.
    pub(super) fn network(&self) -> Ipv4Net {
        self.line.ipv4.trunc()
    }

    /// Whether other CEs use other ports of the address.
    pub(super) fn is_shared(&self) -> bool {
        self.line.ports.is_shared()
    }

    /// Whether inbound connections to our pings are the firewall's business.
    pub(super) fn answers_ping(&self) -> bool {
        self.ping
    }

    /// The rules that can be loaded before the device exists. They hold back
    /// whatever would leave the tunnel before the edge map is in.
    pub fn inet_ruleset(&self) -> String {
        self.inet(!self.has_edge())
    }

    /// The edge map, where there is one. nft refuses it while the device is
    /// missing, and with it the whole transaction it is part of.
    pub fn edge_ruleset(&self) -> Option<String> {
        let pool = self.pool()?;
        let body = super::edge::body(self, pool);
        Some(replace("netdev", &self.table(), &body))
    }

    /// Everything, as one transaction that replaces what was loaded before.
    /// The device must exist.
    pub fn combined(&self) -> String {
        let mut text = self.inet(true);
        match self.edge_ruleset() {
            Some(edge) => text.push_str(&edge),
            None if self.netdev => text.push_str(&delete("netdev", &self.table())),
            None => {}
        }
        text
    }

    fn inet(&self, open: bool) -> String {
        let mut body = super::inet::body(self, open);
        if open {
            body.push_str(&format!("\tchain {} {{\n\t}}\n", self.marker()));
        }
        replace("inet", &self.table(), &body)
    }

    /// Deletes every table of `interface`, whatever technique made it, also
    /// where there is none.
    pub fn removal(&self) -> String {
        removal(&self.line.interface)
    }

    /// Changes when the rules change: 16 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let edge = self.pool().map(|pool| super::edge::body(self, pool));
        let text = super::inet::body(self, true) + &edge.unwrap_or_default();
        // FNV-1a, 64 bits: compares texts of our own, keeps nobody out.
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }

    /// Name of an empty chain by which loaded rules are recognised.
    pub(super) fn marker(&self) -> String {
        format!("rules_{}", self.fingerprint())
    }

    fn pool(&self) -> Option<&Pool> {
        match &self.technique {
            Technique::Pool(pool) => Some(pool),
            _ => None,
        }
    }
}

fn choose(
    line: &Line,
    wishes: &Wishes,
    kernel: &Kernel,
    free: &PortList,
    passing: &PortList,
) -> Result<(Technique, String), NatError> {
    if !line.ports.is_shared() {
        let range = widest(free).filter(|_| !wishes.reserve.is_empty());
        return Ok((Technique::Plain(range), "the address is not shared".into()));
    }
    if let (1, Some(range)) = (free.range_count(), widest(free)) {
        let reason = format!("the ports are one range, {range}");
        return Ok((Technique::Plain(Some(range)), reason));
    }
    let ranges = free.range_count();
    if wishes.mode == Mode::Hash {
        return Ok((Technique::Hash, "the configuration says so".into()));
    }
    let obstacle = match &kernel.edge {
        Err(why) => format!("no netdev egress (kmod-nft-netdev is missing?): {why}"),
        Ok(()) if free.count() > MAX_POOL => {
            format!("{} ports are more than {MAX_POOL}", free.count())
        }
        Ok(()) => match Pool::new(line.ports, passing) {
            Some(pool) => {
                let reason = format!("all {} ports of {ranges} ranges as one", free.count());
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

/// Name of the tables of `interface`.
pub(super) fn table_of(interface: &str) -> String {
    format!("mape_{interface}")
}

/// Deletes a table that may or may not be there.
pub(super) fn delete(family: &str, table: &str) -> String {
    // Deleting a missing table is an error, adding an existing one is not.
    format!("table {family} {table}\ndelete table {family} {table}\n")
}

/// Puts a table in place of one that may or may not be there.
fn replace(family: &str, table: &str, body: &str) -> String {
    let delete = delete(family, table);
    format!("{delete}table {family} {table} {{\n{body}}}\n")
}

/// Deletes every table of `interface`, also where there is none.
pub(super) fn removal(interface: &str) -> String {
    let table = table_of(interface);
    delete("netdev", &table) + &delete("inet", &table)
}
