// SPDX-License-Identifier: GPL-2.0-or-later
//! Growing pauses between attempts.

use std::time::{Duration, Instant};

/// Counts failures in a row, and changes of the network in a burst.
#[derive(Debug, Default)]
pub struct Pause {
    failures: u32,
    changes: u32,
    last_change: Option<Instant>,
}

/// Longest pause.
const LONGEST: Duration = Duration::from_secs(30);

/// Changes of the network that come sooner after each other are a burst.
const BURST: Duration = Duration::from_secs(5);

/// How long to wait for more of them, after the first and at most.
const FIRST: Duration = Duration::from_millis(100);
const AT_MOST: Duration = Duration::from_millis(500);

impl Pause {
    /// Counts a failure and says how long to wait: 1, 2, 4, … 30 seconds.
    pub fn next(&mut self) -> Duration {
        let seconds = 1u64 << self.failures.min(5);
        self.failures = self.failures.saturating_add(1);
        Duration::from_secs(seconds).min(LONGEST)
    }

    /// Counts a change of the network and says how long to wait for those that
    /// come with it: the longer the more there were, so that an uplink which
    /// flaps does not drive us.
    pub fn gather(&mut self, now: Instant) -> Duration {
        let is_first = self
            .last_change
            .is_none_or(|last| now.saturating_duration_since(last) > BURST);
        self.changes = if is_first {
            0
        } else {
            self.changes.saturating_add(1)
        };
        self.last_change = Some(now);
        (FIRST * (1 << self.changes.min(4))).min(AT_MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_grow_and_stay() {
        let mut pause = Pause::default();
        let seconds: Vec<u64> = (0..9).map(|_| pause.next().as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30, 30, 30]);
    }

    #[test]
    fn changes_that_come_at_once_are_gathered() {
        let mut pause = Pause::default();
        let begin = Instant::now();
        let times = [0, 1, 2, 3, 8, 14, 19].map(|s| begin + Duration::from_secs(s));
        let waits = times.map(|now| pause.gather(now).as_millis());
        assert_eq!(waits, [100, 200, 400, 500, 500, 100, 200]);
    }
}
