// SPDX-License-Identifier: GPL-2.0-or-later
//! How much of a day IPv4 works.

use crate::Result;
use crate::guest::server::STREAM;
use crate::guest::topology::server;
use crate::guest::udp;
use std::net::SocketAddrV4;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So long after an event the line is probed twenty times a second.
const CLOSELY: Duration = Duration::from_secs(10);
const CLOSE: Duration = Duration::from_millis(50);
const NEW_PORT: Duration = Duration::from_millis(500);
/// And so often otherwise. A probe counts for all of the time until the next.
const CALM: Duration = Duration::from_secs(10);

/// What the probe and the events tell each other.
pub struct Watch {
    /// Even while the line itself is up.
    phase: AtomicU32,
    ended: AtomicBool,
    last_event: Mutex<Instant>,
    /// There was another event: the probe begins again.
    changed: Condvar,
    /// Milliseconds in which the line was up, and in which IPv4 was dead
    /// nevertheless.
    up: AtomicU32,
    dead: AtomicU32,
}

impl Watch {
    pub fn new() -> Self {
        Watch {
            phase: AtomicU32::new(0),
            ended: AtomicBool::new(false),
            last_event: Mutex::new(Instant::now()),
            changed: Condvar::new(),
            up: AtomicU32::new(0),
            dead: AtomicU32::new(0),
        }
    }

    /// The probe has seen enough.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Asks a server all day.
    pub fn probe(&self) -> Result<()> {
        let mut socket = udp::socket()?;
        let mut opened = Instant::now();
        while !self.ended.load(Ordering::Relaxed) {
            let begun = Instant::now();
            let phase = self.phase.load(Ordering::SeqCst);
            // Another port now and then, but not all of the line's.
            if opened.elapsed() > NEW_PORT {
                socket = udp::socket()?;
                opened = begun;
            }
            // Nobody has a route while the tunnel is gone: no answer either.
            let _ = udp::send(&socket, b"alive", SocketAddrV4::new(server(0), STREAM));
            let answers = udp::collect(std::slice::from_ref(&socket), 1, CLOSE);
            self.pause(begun);
            if phase.is_multiple_of(2) && self.phase.load(Ordering::SeqCst) == phase {
                let passed = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
                self.up.fetch_add(passed, Ordering::Relaxed);
                if answers.is_empty() {
                    self.dead.fetch_add(passed, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }

    /// Waits until the next probe is due, or until there is an event.
    fn pause(&self, begun: Instant) {
        let last = self
            .last_event
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let every = if last.elapsed() < CLOSELY {
            CLOSE
        } else {
            CALM
        };
        let left = every.saturating_sub(begun.elapsed());
        drop(self.changed.wait_timeout(last, left));
    }

    /// An event begins.
    pub fn event(&self) {
        *self
            .last_event
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.changed.notify_all();
    }

    /// The line goes down or comes up.
    pub fn turn(&self) {
        self.event();
        self.phase.fetch_add(1, Ordering::SeqCst);
    }

    /// Milliseconds in which the line was up, and in which IPv4 was dead.
    pub fn times(&self) -> (u64, u64) {
        let read = |time: &AtomicU32| u64::from(time.load(Ordering::Relaxed));
        (read(&self.up), read(&self.dead))
    }
}
