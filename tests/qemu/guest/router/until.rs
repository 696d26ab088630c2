// SPDX-License-Identifier: GPL-2.0-or-later
//! Waiting until the interface under test is as it should be.

use super::{INTERFACE, Router};
use crate::Result;
use crate::guest::netns::Netns;
use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

impl Router {
    /// Waits until something is so; `missed` says what was not.
    fn poll(&self, is_so: impl Fn() -> bool, missed: impl FnOnce() -> String) -> Result<()> {
        let started = Instant::now();
        while !is_so() {
            if started.elapsed() > PATIENCE {
                return Err(format!("{}: {}", missed(), self.double.log().join("; ")));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Waits until `wanmap` is up with `address`.
    pub fn until_address(&self, address: &str) -> Result<()> {
        let has = || {
            self.double.with(|world| {
                let found = world.interfaces.get(INTERFACE);
                world.is_up(INTERFACE)
                    && found.is_some_and(|i| i.addresses.iter().any(|a| a.address == address))
            })
        };
        self.poll(has, || {
            format!("{INTERFACE} did not come up with {address}")
        })?;
        self.double.wait_idle(INTERFACE);
        Ok(())
    }

    /// Waits until netifd shows an error of that code.
    pub fn until_error(&self, code: &str) -> Result<()> {
        let is_shown = || {
            self.double.with(|world| {
                let found = world.interfaces.get(INTERFACE);
                found.is_some_and(|i| i.error_codes().contains(&code))
            })
        };
        self.poll(is_shown, || format!("no {code}"))
    }

    /// Waits until the tunnel has these ends and `wanmap` is up.
    pub fn until_tunnel(&self, ends: (Ipv6Addr, Ipv6Addr)) -> Result<()> {
        self.poll(
            || self.tunnel() == Some(ends),
            || format!("{ends:?} is not the tunnel {:?}", self.tunnel()),
        )?;
        self.until(true)?;
        self.double.wait_idle(INTERFACE);
        Ok(())
    }

    /// `ifup wanmap`, until it is up.
    pub fn up(&self, ce: &Netns) -> Result<()> {
        ce.within(|| {
            self.double.ifup(INTERFACE);
            self.until(true)
        })
    }

    /// `ifdown wanmap`, until nothing of it runs any more.
    pub fn down(&self, ce: &Netns) -> Result<()> {
        ce.within(|| {
            self.double.ifdown(INTERFACE);
            self.until(false)
        })
    }

    /// Waits until `wanmap` is down.
    pub fn until_down(&self) -> Result<()> {
        self.until(false)
    }

    pub(super) fn until(&self, up: bool) -> Result<()> {
        let is_so = || self.double.with(|world| world.is_up(INTERFACE)) == up;
        let state = if up { "up" } else { "down" };
        self.poll(is_so, || format!("{INTERFACE} did not come {state}"))?;
        // A setup that waits for better times may go on.
        self.double.wait("no other call is at work", |world| {
            let handler = world.interfaces.get(INTERFACE);
            let running = handler.and_then(|i| i.handler.as_ref()?.running.as_ref());
            running.is_none_or(|(_, action)| !up && action == "setup")
        });
        Ok(())
    }
}
