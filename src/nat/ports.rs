// SPDX-License-Identifier: GPL-2.0-or-later
//! Lists of ports: what is reserved, opened, left over.

use std::fmt;

use crate::map::{PortRange, PortSet};
use crate::reason::{Reason, Tell, said, sentence};
use crate::sanitize::quoted;

/// Ports as ascending ranges that neither overlap nor touch; may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PortList(Vec<PortRange>);

/// Why a port or range was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortListError {
    /// Not a port and not a range.
    Syntax(String),
    /// The first port is above the last one.
    Reversed {
        /// First port as written.
        first: u16,
        /// Last port as written.
        last: u16,
    },
}

impl Tell for PortListError {
    fn reason(&self) -> Reason {
        match self {
            Self::Syntax(text) => said!(
                "port_list_syntax",
                "{text}: a port (1 to 65535) or a range such as 5000-5010 is wanted",
                quoted(text)
            ),
            Self::Reversed { first, last } => said!(
                "port_list_reversed",
                "{range}: the first port is above the last; write {other}",
                format_args!("{first}-{last}"),
                format_args!("{last}-{first}")
            ),
        }
    }
}

sentence!(PortListError);

impl PortList {
    /// No port.
    pub const EMPTY: PortList = PortList(Vec::new());

    /// Parses ports and ranges (`22`, `5000-5010`, `5000:5010`) separated by
    /// spaces or commas, in any order, overlapping or not.
    ///
    /// # Errors
    /// The first word that is no port, names port 0, or is reversed.
    pub fn parse(text: &str) -> Result<Self, PortListError> {
        let mut ranges = Vec::new();
        for word in text.split([' ', ',', '\t', '\n', '\r']) {
            if !word.is_empty() {
                ranges.push(parse_range(word)?);
            }
        }
        Ok(PortList::of(ranges))
    }

    /// The ports of these ranges, which may overlap.
    pub fn of(mut ranges: Vec<PortRange>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<PortRange> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if range.first() <= last.last().saturating_add(1) => {
                    *last = last.up_to(range.last());
                }
                _ => merged.push(range),
            }
        }
        PortList(merged)
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> impl Iterator<Item = PortRange> + '_ {
        self.0.iter().copied()
    }

    /// Number of ranges.
    pub fn range_count(&self) -> usize {
        self.0.len()
    }

    /// Number of ports.
    pub fn count(&self) -> u32 {
        self.ranges().map(PortRange::count).sum()
    }

    /// Whether there is no port at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `port` is among them.
    pub fn contains(&self, port: u16) -> bool {
        let at = self.0.partition_point(|range| range.last() < port);
        self.0.get(at).is_some_and(|range| range.contains(port))
    }

    /// Whether some port of `range` is among them.
    pub fn overlaps(&self, range: PortRange) -> bool {
        let at = self.0.partition_point(|own| own.last() < range.first());
        self.0.get(at).is_some_and(|own| own.overlaps(range))
    }

    /// The ports of either.
    #[must_use]
    pub fn union(&self, other: &PortList) -> PortList {
        PortList::of([self.0.as_slice(), &other.0].concat())
    }

    /// The ports that are in `self` but not in `other`.
    #[must_use]
    pub fn minus(&self, other: &PortList) -> PortList {
        let mut left = Vec::new();
        let mut cuts = other.ranges().peekable();
        for range in self.ranges() {
            let mut from = u32::from(range.first());
            while let Some(cut) = cuts.peek().copied() {
                if cut.last() < range.first() {
                    cuts.next();
                    continue;
                }
                if cut.first() > range.last() {
                    break;
                }
                push(&mut left, from, u32::from(cut.first()));
                from = u32::from(cut.last()) + 1;
                if cut.last() > range.last() {
                    break;
                }
                cuts.next();
            }
            push(&mut left, from, u32::from(range.last()) + 1);
        }
        PortList(left)
    }

    /// The ports that are in both.
    #[must_use]
    pub fn intersect(&self, other: &PortList) -> PortList {
        self.minus(&self.minus(other))
    }

    /// The first `count` ports of these.
    #[must_use]
    pub fn first(&self, count: u32) -> PortList {
        let mut left = count;
        let mut ranges = Vec::new();
        for range in self.ranges() {
            let end = u32::from(range.first()) + left.min(range.count());
            push(&mut ranges, range.first().into(), end);
            left = left.saturating_sub(range.count());
        }
        PortList(ranges)
    }

    /// The last `count` ports of these.
    #[must_use]
    pub fn last(&self, count: u32) -> PortList {
        self.minus(&self.first(self.count().saturating_sub(count)))
    }

    /// All ports, ascending.
    pub fn ports(&self) -> impl Iterator<Item = u16> + '_ {
        self.ranges().flat_map(PortRange::ports)
    }
}

/// Adds the ports from `from` up to but without `end`, if any.
fn push(ranges: &mut Vec<PortRange>, from: u32, end: u32) {
    let first = u16::try_from(from);
    let last = end.checked_sub(1).map(u16::try_from);
    if let (Ok(first), Some(Ok(last))) = (first, last) {
        ranges.extend(PortRange::new(first, last));
    }
}

fn parse_range(word: &str) -> Result<PortRange, PortListError> {
    let syntax = || PortListError::Syntax(word.chars().take(40).collect());
    let port = |text: &str| {
        // `parse` also takes a sign.
        match text.parse::<u16>() {
            Ok(port) if port > 0 && !text.starts_with('+') => Ok(port),
            _ => Err(syntax()),
        }
    };
    let (first, last) = match word.split_once(['-', ':']) {
        Some((first, last)) => (port(first)?, port(last)?),
        None => (port(word)?, port(word)?),
    };
    PortRange::new(first, last).ok_or(PortListError::Reversed { first, last })
}

impl FromIterator<PortRange> for PortList {
    fn from_iter<I: IntoIterator<Item = PortRange>>(iter: I) -> Self {
        PortList::of(iter.into_iter().collect())
    }
}

impl From<PortSet> for PortList {
    fn from(set: PortSet) -> Self {
        let mut ranges = Vec::new();
        for range in set.ranges() {
            ranges.push(range);
        }
        PortList::of(ranges)
    }
}

impl std::str::FromStr for PortList {
    type Err = PortListError;

    fn from_str(text: &str) -> Result<Self, PortListError> {
        PortList::parse(text)
    }
}

impl fmt::Display for PortList {
    /// Ranges with comma and space between them, as nft's sets want it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.ranges().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{range}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(text: &str) -> PortList {
        PortList::parse(text).unwrap()
    }

    #[test]
    fn words_in_any_order_become_ranges() {
        assert_eq!(list("22").to_string(), "22");
        assert_eq!(list("5011 22,5000-5010").to_string(), "22, 5000-5011");
        assert_eq!(list("5:9  7-12\n1").to_string(), "1, 5-12");
        assert_eq!(list(" , "), PortList::EMPTY);
        assert_eq!(list("65535 1-65535").count(), 65535);
    }

    #[test]
    fn nonsense_is_named() {
        let says = |text| PortList::parse(text).unwrap_err().to_string();
        assert_eq!(
            says("22 ssh"),
            "\"ssh\": a port (1 to 65535) or a range such as 5000-5010 is wanted"
        );
        assert_eq!(
            says("10-5"),
            "10-5: the first port is above the last; write 5-10"
        );
        for text in ["0", "65536", "1-", "-1", "1-2-3", "+5", "0x10", "١"] {
            assert!(PortList::parse(text).is_err(), "{text}");
        }
    }

    fn some_list() -> impl Strategy<Value = PortList> {
        let range = (1u16..300, 0u16..40)
            .prop_filter_map("order", |(first, more)| PortRange::new(first, first + more));
        proptest::collection::vec(range, 0..12).prop_map(|ranges| ranges.into_iter().collect())
    }

    proptest! {
        #[test]
        fn set_arithmetic_is_that_of_sets(a in some_list(), b in some_list()) {
            let (minus, both, either) = (a.minus(&b), a.intersect(&b), a.union(&b));
            for port in 0..400 {
                let (in_a, in_b) = (a.contains(port), b.contains(port));
                prop_assert_eq!(minus.contains(port), in_a && !in_b);
                prop_assert_eq!(both.contains(port), in_a && in_b);
                prop_assert_eq!(either.contains(port), in_a || in_b);
            }
            for count in [0, 1, 7, 50, 5000] {
                let first = either.first(count);
                prop_assert!(first.ports().eq(either.ports().take(count as usize)));
                let before = (either.count() as usize).saturating_sub(count as usize);
                prop_assert!(either.last(count).ports().eq(either.ports().skip(before)));
            }
            prop_assert_eq!(minus.ports().count() as u32, minus.count());
            prop_assert_eq!(PortList::parse(&either.to_string()).unwrap(), either);
        }

        #[test]
        fn any_text_gives_a_list_or_an_error(text in "\\PC*") {
            let _ = PortList::parse(&text);
        }
    }
}
