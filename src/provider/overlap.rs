// SPDX-License-Identifier: GPL-2.0-or-later
//! Finds overlapping prefixes while a file is read.

/// Disjoint spans of addresses, each with its owner: provider and rule by
/// number. IPv4 addresses count as small ones, which keeps one copy of this
/// in the program instead of two.
#[derive(Default)]
pub(super) struct Spans(Vec<Span>);

/// First and last address, by which they are sorted.
struct Span {
    first: u128,
    last: u128,
    owner: Owner,
}

pub(super) type Owner = (usize, usize);

impl Spans {
    /// Adds `first..=last` unless it overlaps a span that is there already,
    /// whose owner is then returned.
    pub(super) fn insert(&mut self, first: u128, last: u128, owner: Owner) -> Result<(), Owner> {
        // Spans are disjoint: only the last one that starts no later than
        // `last` can reach into `first..=last`.
        let at = self.0.partition_point(|span| span.first <= last);
        match at.checked_sub(1).and_then(|before| self.0.get(before)) {
            Some(before) if before.last >= first => Err(before.owner),
            _ => {
                self.0.insert(at, Span { first, last, owner });
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
        let mut spans = Spans::default();
        assert_eq!(spans.insert(10, 19, (0, 1)), Ok(()));
        assert_eq!(spans.insert(20, 29, (0, 2)), Ok(()));
        assert_eq!(spans.insert(0, 9, (1, 1)), Ok(()));
        assert_eq!(spans.insert(12, 13, (9, 9)), Err((0, 1)));
        assert_eq!(spans.insert(19, 19, (9, 9)), Err((0, 1)));
        assert_eq!(spans.insert(29, 40, (9, 9)), Err((0, 2)));
        assert_eq!(spans.insert(0, 100, (9, 9)), Err((0, 2)));
    }
}
