// SPDX-License-Identifier: GPL-2.0-or-later
//! Watches whether anything comes back through a tunnel. The name of an AFTR
//! often has several addresses; if one of them is dead, the next is tried.
//!
//! Many AFTRs do not answer to echo requests, so what counts is the tunnel
//! itself: it sent packets for a while, and received none.

use super::bus::Netifd;
use super::clock::uptime;
use super::names::{SETUP_PATIENCE, resolve};
use super::silence::{self, REMEMBERED};
use super::state::State;
use crate::mechanism::{DsLite, Mechanism};
use crate::netfilter::Traffic;
use crate::netifd::Notify;
use crate::uplink::addresses;

/// Packets without an answer that mean something.
const SENT: u64 = 10;

/// How long nothing must come back, in seconds; twice as long after each change
/// that did not help.
const SILENCE: u64 = 60;

/// Since when a tunnel sends without an answer.
#[derive(Debug, Clone, Copy)]
struct Unanswered {
    since: u64,
    /// What was counted then.
    first: Traffic,
    /// What was counted last.
    last: Traffic,
}

impl Unanswered {
    /// What a look at `now` adds. A tunnel that has nothing to send waits for no
    /// answer.
    fn look(before: Option<Self>, counts: Traffic, now: u64) -> Self {
        match before {
            Some(before)
                if counts.rx_packets == before.first.rx_packets
                    && counts.tx_packets > before.last.tx_packets =>
            {
                Unanswered {
                    last: counts,
                    ..before
                }
            }
            _ => Unanswered {
                since: now,
                first: counts,
                last: counts,
            },
        }
    }

    /// Whether the far end counts as dead after `changes` of it did not help.
    fn is_dead(&self, changes: usize, now: u64) -> bool {
        let patience = SILENCE << changes.min(6);
        self.last.tx_packets.saturating_sub(self.first.tx_packets) >= SENT
            && now.saturating_sub(self.since) >= patience.min(REMEMBERED)
    }
}

/// Watches the tunnel of an interface that is up.
pub struct Watch {
    interface: String,
    unanswered: Option<Unanswered>,
}

impl Watch {
    /// For an interface that has just been set up.
    pub fn new(interface: &str) -> Self {
        Watch {
            interface: interface.to_owned(),
            unanswered: None,
        }
    }

    /// Looks at the tunnel, at least twice a minute. If the far end is dead and
    /// its name has another address, netifd is asked to start over, which takes
    /// that one.
    pub fn step(&mut self, state: &State) {
        let line = match &state.mechanism {
            Mechanism::DsLite(line) if line.name().is_some() => line,
            _ => return,
        };
        let Some(counts) = Traffic::of(&state.device) else {
            return;
        };
        let now = uptime();
        let answered = self
            .unanswered
            .is_some_and(|u| counts.rx_packets > u.first.rx_packets);
        if answered {
            silence::answered(&self.interface, line.aftr());
        }
        let unanswered = Unanswered::look(self.unanswered, counts, now);
        self.unanswered = Some(unanswered);
        if unanswered.is_dead(silence::silent(&self.interface).len(), now) {
            self.unanswered = None;
            self.change(state, line);
        }
    }

    fn change(&self, state: &State, line: &DsLite) {
        let (interface, aftr) = (&self.interface, line.aftr());
        let Some(name) = line.name() else { return };
        let other = Netifd::connect(interface).and_then(|mut bus| {
            let dump = bus.dump()?;
            let uplink = dump.find(&state.uplink);
            let all = uplink.and_then(|uplink| {
                let device = uplink.l3_device.as_deref();
                let source = addresses(uplink).first().copied();
                resolve(name, &uplink.dns, source, device, SETUP_PATIENCE).ok()
            });
            let others = all.unwrap_or_default();
            if others.iter().all(|address| *address == aftr) {
                return Ok(false);
            }
            if let Err(error) = silence::remember(interface, aftr) {
                log::debug!("{interface}: {error}");
            }
            log::warn!("{interface}: nothing comes back from {aftr}: trying another of {name}");
            bus.notify(&Notify::SetupFailed).map(|()| true)
        });
        match other {
            Ok(true) => {}
            Ok(false) => log::debug!("{interface}: {name} has no other address than {aftr}"),
            Err(error) => log::warn!("{interface}: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(sent: u64, received: u64) -> Traffic {
        Traffic {
            tx_packets: sent,
            rx_packets: received,
            ..Traffic::default()
        }
    }

    /// Whether it is dead after these looks, half a minute apart.
    fn is_dead(looks: &[(u64, u64)], changes: usize) -> bool {
        let mut now = 100;
        let mut unanswered = None;
        for (sent, received) in looks {
            now += 30;
            unanswered = Some(Unanswered::look(unanswered, counts(*sent, *received), now));
        }
        unanswered.unwrap().is_dead(changes, now)
    }

    #[test]
    fn a_minute_of_sending_without_an_answer_is_too_long() {
        assert!(is_dead(&[(0, 0), (5, 0), (10, 0)], 0));
        assert!(!is_dead(&[(0, 0), (50, 0)], 0), "too soon");
        assert!(!is_dead(&[(0, 0), (5, 0), (9, 0)], 0), "too few");
        assert!(!is_dead(&[(0, 0), (5, 1), (10, 1)], 0), "answered");
        assert!(
            !is_dead(&[(0, 0), (0, 0), (0, 0), (20, 0)], 0),
            "idle before"
        );
        assert!(!is_dead(&[(0, 0), (5, 0), (10, 0)], 1), "after a change");
        assert!(is_dead(&[(0, 0), (5, 0), (10, 0), (11, 0), (12, 0)], 1));
    }
}
