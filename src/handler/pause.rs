// SPDX-License-Identifier: GPL-2.0-or-later
//! Growing pauses between attempts.

use std::time::Duration;

/// Counts failures in a row.
#[derive(Debug, Default)]
pub struct Pause {
    failures: u32,
}

/// Longest pause.
const LONGEST: Duration = Duration::from_secs(30);

impl Pause {
    /// Counts a failure and says how long to wait: 1, 2, 4, … 30 seconds.
    pub fn next(&mut self) -> Duration {
        let seconds = 1u64 << self.failures.min(5);
        self.failures = self.failures.saturating_add(1);
        Duration::from_secs(seconds).min(LONGEST)
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
}
