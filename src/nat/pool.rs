// SPDX-License-Identifier: GPL-2.0-or-later
//! The pool: one contiguous range of numbers that stands for scattered ports.
//!
//! netfilter's SNAT searches one range per rule. It is given a range as long as
//! the ports left to it, and the edge map exchanges each number for its port
//! where packets enter and leave the tunnel.

use crate::map::{PortRange, PortSet};

use super::ports::PortList;

/// Below are system ports, which no pool takes: a local service may listen.
const FIRST_NUMBER: u16 = 1024;

/// Where the pool goes if nothing speaks against it.
const FAVOURED: u16 = 0x8000;

/// A run of numbers and the equally long run of ports they stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The numbers netfilter sees.
    pub numbers: PortRange,
    /// The ports the BR sees.
    pub ports: PortRange,
}

impl Run {
    /// The run that leads from ports to numbers.
    pub(super) fn reversed(self) -> Run {
        Run {
            numbers: self.ports,
            ports: self.numbers,
        }
    }
}

/// A bijection between a contiguous range of numbers and ports of the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    numbers: PortRange,
    runs: Vec<Run>,
}

impl Pool {
    /// A pool over the ports of `set` that are not in `passing`. None of its
    /// numbers is a passing port. `None` if no ports are left, or if
    /// the passing ports lie so that no range is long enough.
    ///
    /// The numbering hardly changes with `passing`: a port that leaves the
    /// pool is replaced by the last one, so that connections on other ports
    /// survive a new port forward.
    pub fn new(set: PortSet, passing: &PortList) -> Option<Self> {
        let passing = passing.intersect(&set.into());
        let ports = numbered(set, &passing);
        let whole = usize::try_from(set.count()).ok()?;
        let base = in_gap(set, whole).or_else(|| beside(&passing, ports.len()))?;
        let last = usize::from(base).checked_add(ports.len().checked_sub(1)?)?;
        let numbers = PortRange::new(base, u16::try_from(last).ok()?)?;
        Some(Pool {
            numbers,
            runs: runs(base, &ports),
        })
    }

    /// The range that SNAT chooses from.
    pub fn numbers(&self) -> PortRange {
        self.numbers
    }

    /// The bijection as runs, ascending by number.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Every number with its port, ascending by number.
    pub fn pairs(&self) -> impl Iterator<Item = (u16, u16)> + '_ {
        let pairs = |run: &Run| run.numbers.ports().zip(run.ports.ports());
        self.runs.iter().flat_map(pairs)
    }

    /// The port a number stands for.
    pub fn port_of(&self, number: u16) -> Option<u16> {
        let at = self.runs.partition_point(|run| run.numbers.last() < number);
        let run = self.runs.get(at).filter(|r| r.numbers.contains(number))?;
        run.ports.first().checked_add(number - run.numbers.first())
    }
}

/// The ports left to the pool in the order of their numbers: each at its place
/// in the set, and those whose place lies behind the end in the holes.
fn numbered(set: PortSet, passing: &PortList) -> Vec<u16> {
    let is_usable = |port: u16| port > 0 && !passing.contains(port);
    let mut ports: Vec<u16> = Vec::new();
    for range in set.ranges() {
        ports.extend(range.ports());
    }
    let left = ports.iter().filter(|&&port| is_usable(port)).count();
    let mut spare = ports.split_off(left).into_iter();
    for port in &mut ports {
        if !is_usable(*port)
            && let Some(other) = spare.find(|&other| is_usable(other))
        {
            *port = other;
        }
    }
    ports
}

/// Base of `len` numbers between two ranges of the set.
fn in_gap(set: PortSet, len: usize) -> Option<u16> {
    let usable = PortRange::new(FIRST_NUMBER, u16::MAX)?;
    let gaps = PortList::of(vec![usable]).minus(&set.into());
    best(&gaps, len)
}

/// Base of `len` numbers none of which passes untranslated.
fn beside(passing: &PortList, len: usize) -> Option<u16> {
    let usable = PortRange::new(FIRST_NUMBER, u16::MAX)?;
    best(&PortList::of(vec![usable]).minus(passing), len)
}

/// Where in `room` to put `len` numbers: near [`FAVOURED`] if possible.
fn best(room: &PortList, len: usize) -> Option<u16> {
    let fits = |range: PortRange| {
        let latest = u32::from(range.last()) + 1;
        let latest = latest.checked_sub(u32::try_from(len).ok()?)?;
        let latest = u16::try_from(latest).ok()?;
        (range.first() <= latest).then(|| FAVOURED.clamp(range.first(), latest))
    };
    let distance = |base: &u16| base.abs_diff(FAVOURED);
    room.ranges().filter_map(fits).min_by_key(distance)
}

/// Joins neighbours: number and port both go up by one.
fn runs(base: u16, ports: &[u16]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (&port, number) in ports.iter().zip(base..=u16::MAX) {
        match runs.last_mut() {
            Some(run) if run.ports.last().checked_add(1) == Some(port) => {
                run.ports = run.ports.up_to(port);
                run.numbers = run.numbers.up_to(number);
            }
            _ => runs.push(Run {
                numbers: PortRange::only(number),
                ports: PortRange::only(port),
            }),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::map::PortParams;

    fn set(offset: u8, len: u8, psid: u16) -> PortSet {
        PortSet::new(PortParams::new(offset, len).unwrap(), psid).unwrap()
    }

    #[test]
    fn v6plus_and_ocn_fit_into_a_gap() {
        for (set, count) in [(set(4, 8, 0x34), 240), (set(6, 6, 1), 1008)] {
            let pool = Pool::new(set, &PortList::EMPTY).unwrap();
            assert_eq!(pool.numbers().count(), count);
            assert!(pool.numbers().ports().all(|n| !set.contains(n)));
        }
    }

    #[test]
    fn a_new_forward_moves_one_port() {
        let set = set(4, 8, 0x34);
        let before = Pool::new(set, &PortList::EMPTY).unwrap();
        let port = set.ranges().nth(5).unwrap().first() + 3;
        let after = Pool::new(set, &PortList::parse(&port.to_string()).unwrap()).unwrap();
        let old: HashSet<_> = before.pairs().collect();
        let new: HashSet<_> = after.pairs().collect();
        assert_eq!(new.len(), 239);
        assert_eq!(new.difference(&old).count(), 1);
    }

    proptest! {
        #[test]
        fn numbers_and_ports_are_one_to_one(
            offset in 0u8..=12, len in 1u8..=8, psid in any::<u16>(),
            reserve in proptest::collection::vec((any::<u16>(), 0u16..20), 0..8),
        ) {
            prop_assume!(offset + len <= 16 && len > 2);
            let set = set(offset, len, psid & ((1 << len) - 1));
            let reserve: PortList = reserve
                .into_iter()
                .filter_map(|(first, more)| PortRange::new(first, first.saturating_add(more)))
                .collect();
            let left = PortList::from(set).minus(&reserve);
            let Some(pool) = Pool::new(set, &reserve) else { return Ok(()) };
            let passing = reserve.intersect(&set.into());
            prop_assert!(!passing.overlaps(pool.numbers()));
            let mut ports = HashSet::new();
            for (number, port) in pool.pairs() {
                prop_assert!(left.contains(port) && port > 0);
                prop_assert!(ports.insert(port));
                prop_assert_eq!(pool.port_of(number), Some(port));
            }
            let zero = u32::from(left.contains(0));
            prop_assert_eq!(ports.len() as u32, left.count() - zero);
            prop_assert_eq!(pool.numbers().count() as usize, ports.len());
            prop_assert_eq!(pool.port_of(pool.numbers().first() - 1), None);
        }
    }
}
