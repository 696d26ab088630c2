// SPDX-License-Identifier: GPL-2.0-or-later
//! When a registration that failed is tried again.

use std::time::Duration;

/// The first retries: three of them, as the routers' manuals have it.
const FIRST: Duration = Duration::from_secs(10);
const FIRST_RETRIES: u32 = 3;

/// The next ones double their wait up to this, since somebody has to fix
/// something first.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// How long to wait after `failures` attempts that failed; at least one.
pub fn wait(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(FIRST_RETRIES).min(16);
    let wait = FIRST.saturating_mul(1 << doublings);
    wait.min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_times_ten_seconds_and_then_ever_longer() {
        let waits: Vec<u64> = (1..=13).map(|failures| wait(failures).as_secs()).collect();
        let expected = [
            10, 10, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600,
        ];
        assert_eq!(waits, expected);
        assert_eq!(wait(u32::MAX).as_secs(), 3600);
    }
}
