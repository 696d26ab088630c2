// SPDX-License-Identifier: GPL-2.0-or-later
//! How long an instruction takes by the kernel's clock.
//!
//! QEMU's clock advances by so many nanoseconds an instruction, and the kernel's
//! should follow it. But a kernel may have to guess the frequency of its counter,
//! and whatever runs is interrupted by the kernel's tick, which counts for it. So a
//! loop of known length is run first: what it takes is the measure of all the rest.
#![allow(unsafe_code)]

use super::init::say;
use crate::Result;
use nix::time::{ClockId, clock_gettime};
use std::arch::asm;
use std::time::Duration;

/// Rounds of the loop, of two instructions each.
const ROUNDS: u32 = 20_000_000;

/// How far the measure may be from what QEMU was told: less if the kernel guessed
/// the frequency of its counter wrong, more if so or by the tick.
const LEAST: f64 = 0.98;
const MOST: f64 = 1.1;

/// Nanoseconds of a processor's time for an instruction, measured. Fails if the
/// machine's clock does not count instructions, or the kernel's goes astray.
pub fn pace() -> Result<f64> {
    let told = std::env::var("MAPE_TICK").unwrap_or_default();
    let told: f64 = told
        .parse()
        .map_err(|_| "the machine does not count instructions")?;
    let before = worked()?;
    count_down(ROUNDS);
    let spent = worked()?.saturating_sub(before);
    let pace = spent.as_nanos() as f64 / (2.0 * f64::from(ROUNDS));
    say(&format!(
        "    an instruction takes {pace:.3} ns, QEMU says {told}"
    ));
    match pace / told {
        LEAST..=MOST => Ok(pace),
        _ => Err(format!("an instruction takes {pace:.3} ns, not {told}")),
    }
}

/// For how long a processor has worked for this thread. (What `getrusage` says of a
/// thread that runs ends with the last tick.)
fn worked() -> Result<Duration> {
    let worked = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    worked
        .map(Duration::from)
        .map_err(|e| format!("clock_gettime: {e}"))
}

/// Executes two instructions a round.
fn count_down(rounds: u32) {
    // SAFETY: it counts a register down, and touches nothing else.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("2: dec {0:e}", "jnz 2b", inout(reg) rounds => _, options(nomem, nostack));
        #[cfg(target_arch = "arm")]
        asm!("2: subs {0}, {0}, #1", "bne 2b", inout(reg) rounds => _, options(nomem, nostack));
        // The instruction behind a branch is part of the loop.
        #[cfg(target_arch = "mips")]
        asm!(
            ".set push", ".set noreorder", "2: bnez {0}, 2b", "addiu {0}, {0}, -1", ".set pop",
            inout(reg) rounds => _, options(nomem, nostack)
        );
    }
}
