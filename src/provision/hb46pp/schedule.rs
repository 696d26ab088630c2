// SPDX-License-Identifier: GPL-2.0-or-later
//! What to do after an attempt to ask the line, and when to ask again
//! (section 3.6 of the specification).

use std::ops::RangeInclusive;
use std::time::Duration;

use super::values::Ttl;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A valid answer, with its lifetime if it has one.
    Answered(Option<Ttl>),
    /// The line does not provision: the name or its TXT record does not exist,
    /// or the record is not one of this protocol.
    NoRecord,
    /// The resolvers did not answer, or could not.
    NoDns,
    /// The server was not reached, or did not give a valid answer.
    NoAnswer,
    /// The server's certificate was refused while the router's clock is not
    /// set: time servers answer soon.
    NoClock,
}

/// What happens to the mechanism that was provisioned earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The answer takes its place, unless it says the same.
    Apply,
    /// It stays as it is.
    Keep,
    /// It is taken down.
    TakeDown,
}

/// What to do, and how long to wait before the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What to do at once.
    pub action: Action,
    /// Time until the next attempt. A change of the line's prefix ends it
    /// early.
    pub wait: Duration,
}

/// Seconds to choose from at random, so that a whole city does not ask in the
/// same second after an outage.
type Window = RangeInclusive<u32>;

const NO_TTL: Window = 20 * HOUR..=24 * HOUR;
const NO_RECORD: Window = HOUR..=3 * HOUR;
const NO_DNS: Window = MINUTE..=10 * MINUTE;
const NO_ANSWER: Window = 10 * MINUTE..=30 * MINUTE;
const NO_CLOCK: Window = 30..=MINUTE;

/// Shortest wait after an answer: a lifetime of 0 is legal.
const SHORTEST: u32 = MINUTE;

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;

/// Source of random numbers: one from 0 to the argument.
pub type Random<'a> = &'a mut dyn FnMut(u32) -> u32;

/// Random numbers of the kernel.
pub fn random(most: u32) -> u32 {
    // Without them everybody waits equally long, which is no reason to fail.
    let number = getrandom::u32().unwrap_or(most);
    match most.checked_add(1) {
        Some(count) => number % count,
        None => number,
    }
}

/// What follows an attempt.
pub fn next(event: Event, random: Random<'_>) -> Step {
    let (action, window) = match event {
        Event::Answered(Some(ttl)) => (Action::Apply, before(ttl)),
        Event::Answered(None) => (Action::Apply, NO_TTL),
        Event::NoRecord => (Action::TakeDown, NO_RECORD),
        Event::NoDns => (Action::Keep, NO_DNS),
        Event::NoAnswer => (Action::Keep, NO_ANSWER),
        Event::NoClock => (Action::Keep, NO_CLOCK),
    };
    Step {
        action,
        wait: within(window, random),
    }
}

/// The last twentieth of a lifetime.
fn before(ttl: Ttl) -> Window {
    let last = ttl.as_secs().max(SHORTEST);
    (last - last / 20).max(SHORTEST)..=last
}

fn within(window: Window, random: Random<'_>) -> Duration {
    let (first, last) = window.into_inner();
    Duration::from_secs(u64::from(first) + u64::from(random(last - first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(event: Event) -> (Action, u64, u64) {
        let shortest = next(event, &mut |_| 0);
        let longest = next(event, &mut |most| most);
        assert_eq!(shortest.action, longest.action);
        (
            shortest.action,
            shortest.wait.as_secs(),
            longest.wait.as_secs(),
        )
    }

    #[test]
    fn the_times_of_the_specification() {
        assert_eq!(waits(Event::NoRecord), (Action::TakeDown, 3600, 10_800));
        assert_eq!(waits(Event::NoDns), (Action::Keep, 60, 600));
        assert_eq!(waits(Event::NoAnswer), (Action::Keep, 600, 1800));
        assert_eq!(waits(Event::NoClock), (Action::Keep, 30, 60));
        assert_eq!(
            waits(Event::Answered(None)),
            (Action::Apply, 72_000, 86_400)
        );
    }

    #[test]
    fn an_answer_is_asked_for_again_a_little_early() {
        let after = |seconds: u64| waits(Event::Answered(Ttl::try_from(seconds).ok()));
        assert_eq!(after(86_400), (Action::Apply, 82_080, 86_400));
        assert_eq!(after(604_800), (Action::Apply, 574_560, 604_800));
        assert_eq!(after(300), (Action::Apply, 285, 300));
        assert_eq!(after(61), (Action::Apply, 60, 61));
        for short in [0, 1, 59, 60] {
            assert_eq!(after(short), (Action::Apply, 60, 60), "{short}");
        }
    }

    #[test]
    fn random_numbers_stay_below_the_limit() {
        for most in [0, 1, 7, u32::MAX] {
            assert!((0..100).all(|_| random(most) <= most));
        }
    }
}
