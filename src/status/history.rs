// SPDX-License-Identifier: GPL-2.0-or-later
//! Use of the ports over the last hours: a small ring in a file of its own,
//! which `mape history --record` adds to once a minute.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io;

use serde::Serialize;

use crate::handler::store::{make_directory, write_atomically};
use crate::nat::Protocol;
use crate::paths::{history_file, read_lossy, run_dir};

use super::world::{Interface, LineUp};

/// Seconds between two samples.
pub const INTERVAL: u64 = 60;

/// Most samples that are kept: six hours of them, ten kilobytes.
const KEPT: usize = 360;

/// What was in use at one moment. In JSON an array in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sample(
    /// Seconds since the router was started.
    pub u64,
    /// TCP ports in use.
    pub usize,
    /// UDP ports in use.
    pub usize,
    /// ICMP identifiers in use.
    pub usize,
    /// Connections refused since setup because every port was in use.
    pub u64,
);

impl Sample {
    /// What `line` uses at `now`, in seconds since the start; `None` if its
    /// connections cannot be seen.
    pub fn of(line: &LineUp<'_>, now: u64) -> Option<Self> {
        let usage = line.usage.as_ref()?;
        let [tcp, udp, icmp] = Protocol::ALL.map(|protocol| usage.of(protocol));
        let exhausted = line.dropped.map_or(0, |dropped| dropped.exhausted);
        Some(Sample(now, tcp, udp, icmp, exhausted))
    }

    /// A line of the file.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let sample = Sample(
            words.next()?.parse().ok()?,
            words.next()?.parse().ok()?,
            words.next()?.parse().ok()?,
            words.next()?.parse().ok()?,
            words.next()?.parse().ok()?,
        );
        words.next().is_none().then_some(sample)
    }
}

/// The samples of one interface, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    samples: VecDeque<Sample>,
}

impl History {
    /// What is kept of an interface: nothing if there is no file, or only one
    /// that cannot be read.
    pub fn load(interface: &str) -> Self {
        read_lossy(history_file(interface))
            .map_or_else(|_| History::default(), |text| Self::parse(&text))
    }

    /// Reads the text of a file; lines that are no samples are left out.
    pub fn parse(text: &str) -> Self {
        let mut history = History::default();
        for sample in text.lines().filter_map(Sample::parse) {
            history.add(sample);
        }
        history
    }

    /// Adds a sample, and drops what is too old. Samples of a time that has
    /// not come yet are from before the router was started again.
    pub fn add(&mut self, sample: Sample) {
        self.samples.retain(|kept| kept.0 < sample.0);
        if self.samples.len() >= KEPT {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    /// Writes the file.
    ///
    /// # Errors
    /// What the system says.
    pub fn save(&self, interface: &str) -> io::Result<()> {
        let mut text = String::new();
        for Sample(time, tcp, udp, icmp, exhausted) in &self.samples {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{time} {tcp} {udp} {icmp} {exhausted}");
        }
        make_directory(&run_dir())?;
        write_atomically(&history_file(interface), text.as_bytes())
    }

    /// The samples, the oldest first.
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter()
    }
}

/// The answer of `history` as `docs/bus.md` describes it.
#[derive(Debug, Serialize)]
pub struct HistoryAnswer<'a> {
    interface: &'a str,
    /// In seconds, as all times here.
    interval: u64,
    now: u64,
    samples: &'a VecDeque<Sample>,
}

impl<'a> HistoryAnswer<'a> {
    /// The samples of an interface; the router has been up for `now` seconds.
    pub fn new(interface: &'a str, history: &'a History, now: u64) -> Self {
        HistoryAnswer {
            interface,
            interval: INTERVAL,
            now,
            samples: &history.samples,
        }
    }
}

/// Adds a sample of every interface that is up.
///
/// # Errors
/// The first file that cannot be written; the others are.
pub fn record(interfaces: &[Interface<'_>], now: u64) -> io::Result<()> {
    let mut outcome = Ok(());
    for interface in interfaces {
        let line = interface.line.as_ref();
        if let Some(sample) = line.and_then(|line| Sample::of(line, now)) {
            let mut history = History::load(interface.name);
            history.add(sample);
            outcome = outcome.and(history.save(interface.name));
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_hours_are_kept_and_no_more() {
        let mut history = History::default();
        for minute in 0..1000 {
            history.add(Sample(minute * INTERVAL, 1, 2, 3, 0));
        }
        assert_eq!(history.samples().count(), KEPT);
        assert_eq!(
            history.samples().next(),
            Some(&Sample(640 * 60, 1, 2, 3, 0))
        );
    }

    #[test]
    fn after_a_restart_it_begins_again() {
        let mut history = History::parse("7200 1 2 3 0\n7260 4 5 6 1\n");
        history.add(Sample(60, 1, 1, 1, 0));
        assert_eq!(
            history.samples().collect::<Vec<_>>(),
            [&Sample(60, 1, 1, 1, 0)]
        );
    }

    #[test]
    fn what_is_no_sample_is_left_out() {
        let text = "60 1 2 3 0\n\nnonsense\n120 1 2 3\n180 1 2 3 4 5\n-1 1 1 1 1\n240 9 9 9 9\n";
        let expected = [&Sample(60, 1, 2, 3, 0), &Sample(240, 9, 9, 9, 9)];
        assert_eq!(History::parse(text).samples().collect::<Vec<_>>(), expected);
    }
}
