// SPDX-License-Identifier: GPL-2.0-or-later
//! A program that died and was started again is easily overlooked: procd is
//! quick. Each step of the run ends with this look.

use super::router::Router;
use crate::Result;

/// What a step does with netifd.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Netifd {
    /// It is the same process before and after.
    Stays,
    /// The step restarts it, or the whole router.
    Restarts,
}

/// The kernel's and procd's words about programs that crashed, and their
/// cores, which OpenWrt keeps in /tmp.
const CRASHES: &str = "dmesg | grep -i 'segfault\\|general protection\\|traps:'; \
    logread | grep -i 'crash loop'; ls /tmp/*.core 2>/dev/null; true";

/// The router's programs as they were after the last step.
#[derive(Default)]
pub struct Health {
    netifd: String,
}

impl Health {
    /// Whether all is well after a step.
    pub fn check(&mut self, router: &Router, expected: Netifd) -> Result<()> {
        // A step may have restarted what the connection goes through.
        let crashes = router.until(CRASHES, |_| true)?;
        if !crashes.trim().is_empty() {
            return Err(format!("a program crashed: {}", crashes.trim()));
        }
        let pid = router.until("pidof netifd", |pid| !pid.trim().is_empty())?;
        let before = std::mem::replace(&mut self.netifd, pid.trim().to_owned());
        if expected == Netifd::Stays && before != self.netifd {
            return Err(format!("netifd was {before} and is {}", self.netifd));
        }
        Ok(())
    }
}
