// SPDX-License-Identifier: GPL-2.0-or-later
//! Finds overlapping prefixes while a file is read.

use std::collections::BTreeMap;

/// Disjoint spans `first..=last` of addresses, each with its owner.
pub(super) struct Spans<A, T> {
    by_first: BTreeMap<A, (A, T)>,
}

impl<A: Ord + Copy, T: Copy> Spans<A, T> {
    pub(super) fn new() -> Self {
        Spans {
            by_first: BTreeMap::new(),
        }
    }

    /// Adds a span unless it overlaps one that is there already, whose owner
    /// is then returned.
    pub(super) fn insert(&mut self, first: A, last: A, owner: T) -> Result<(), T> {
        // Spans are disjoint: only the last one that starts no later than
        // `last` can reach into `first..=last`.
        match self.by_first.range(..=last).next_back() {
            Some((_, &(end, other))) if end >= first => Err(other),
            _ => {
                self.by_first.insert(first, (last, owner));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_fine_and_overlaps_are_not() {
        let mut spans = Spans::new();
        assert_eq!(spans.insert(10, 19, 'a'), Ok(()));
        assert_eq!(spans.insert(20, 29, 'b'), Ok(()));
        assert_eq!(spans.insert(0, 9, 'c'), Ok(()));
        assert_eq!(spans.insert(12, 13, 'd'), Err('a'));
        assert_eq!(spans.insert(19, 19, 'd'), Err('a'));
        assert_eq!(spans.insert(29, 40, 'd'), Err('b'));
        assert_eq!(spans.insert(0, 100, 'd'), Err('b'));
    }
}
