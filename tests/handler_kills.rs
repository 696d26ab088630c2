// SPDX-License-Identifier: GPL-2.0-or-later
//! Handlers and nft are killed at random moments of setup, renewal and teardown. Whatever is
//! killed, the line is back by itself within a minute, nothing spins, and nothing is left when
//! the interface is down.
//!
//! `MAPE_KILL_RUNS` says how many runs; 100 were made (docs/reliability.md).

mod double;
mod random;
mod router;

use double::{Entry, State};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use random::Random;
use router::{Router, V6PLUS};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// Runs in `make test`.
const RUNS: u64 = 3;
/// Runs at a time, each in a network namespace of its own.
const ABREAST: u64 = 4;
const KILLS: usize = 30;
/// No line may be dead for longer.
const DEAD: Duration = Duration::from_secs(60);
/// So often netifd may start the handler after one kill.
const STARTS: usize = 10;

/// Another subscriber's prefix, and the IPv4 address of each.
const PREFIXES: [((&str, u8), &str); 2] = [
    (V6PLUS.prefix, "14.8.170.170"),
    (("240b:12:1:200::", 56), "14.8.0.1"),
];

fn pause(random: &mut Random, milliseconds: u64) {
    sleep(Duration::from_micros(random.below(milliseconds * 1000)));
}

#[derive(Clone, Copy)]
enum Victim {
    /// Whatever handler of that interface is at work.
    Handler(&'static str),
    Nft,
}

const VICTIMS: [Victim; 5] = [
    Victim::Handler("wanmap"),
    Victim::Handler("wanmap"),
    Victim::Handler("wanmap"),
    Victim::Handler("wanmap_"),
    Victim::Nft,
];

/// A run: a router, and what was killed so far.
struct Run {
    number: u64,
    net: Router,
    random: Random,
    /// Index into [`PREFIXES`].
    prefix: usize,
    killed: BTreeMap<String, usize>,
}

#[test]
fn killed_at_random_moments() {
    let asked = std::env::var("MAPE_KILL_RUNS");
    let runs = asked.ok().and_then(|n| n.parse().ok()).unwrap_or(RUNS);
    let next = AtomicU64::new(1);
    let tally = Mutex::new(BTreeMap::<String, usize>::new());
    thread::scope(|scope| {
        for _ in 0..runs.min(ABREAST) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number > runs {
                        return;
                    }
                    let Some(mut run) = Run::start(number) else {
                        return;
                    };
                    run.kill_and_recover();
                    let mut tally = tally.lock().unwrap();
                    for (what, times) in run.killed {
                        *tally.entry(what).or_default() += times;
                    }
                    println!("run {number}: {tally:?}");
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    for what in ["setup", "renew", "teardown", "nft"] {
        let hit = tally.contains_key(what);
        assert!(tally.is_empty() || hit, "no {what} was hit: {tally:?}");
    }
}

impl Run {
    fn start(number: u64) -> Option<Self> {
        let net = Router::with_uplink(&V6PLUS)?;
        net.start_hotplug(Path::new(env!("CARGO_BIN_EXE_mape")));
        net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
        net.ifup("wanmap");
        Some(Run {
            number,
            net,
            random: Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            prefix: 0,
            killed: BTreeMap::new(),
        })
    }

    fn kill_and_recover(&mut self) {
        self.until_it_works();
        let mut kills = 0;
        while kills < KILLS {
            self.net.with(|world| world.record.clear());
            let goes = self.stir();
            let Some(what) = self.strike() else {
                if goes {
                    self.until_it_is_gone();
                    self.net.ifup("wanmap");
                }
                continue;
            };
            kills += 1;
            *self.killed.entry(what).or_default() += 1;
            if goes {
                self.until_it_is_gone();
                self.net.ifup("wanmap");
            } else if self.random.below(2) == 0 {
                self.until_it_works();
            } else {
                pause(&mut self.random, 300);
            }
            let starts = self.net.spawned("wanmap", "setup");
            assert!(starts <= STARTS, "{starts} setups\n{}", self.net.story());
        }
        self.until_it_works();
        self.net.ifdown("wanmap");
        self.until_it_is_gone();
    }

    /// Something that makes handlers run. Says whether the interface is to be down then.
    fn stir(&mut self) -> bool {
        match self.random.below(6) {
            0 => {
                self.net.ifdown("wanmap");
                pause(&mut self.random, 20);
                self.net.ifup("wanmap");
            }
            1 => {
                self.net.ifdown("wan6");
                pause(&mut self.random, 20);
                self.net.ifup("wan6");
            }
            2 => self.net.renew("wanmap"),
            3 => {
                self.net.ifdown("wanmap");
                return true;
            }
            _ => {
                self.prefix = 1 - self.prefix;
                self.net.set_prefix("wan6", Some(PREFIXES[self.prefix].0));
            }
        }
        false
    }

    /// Kills a victim some time after it has begun. What was killed, if it was still there.
    fn strike(&mut self) -> Option<String> {
        let victim = VICTIMS[usize::try_from(self.random.below(5)).unwrap()];
        let deadline = Instant::now() + Duration::from_millis(500);
        while self.find(victim).is_none() {
            if Instant::now() > deadline {
                return None;
            }
            sleep(Duration::from_micros(200));
        }
        if let Victim::Handler(_) = victim {
            pause(&mut self.random, 40);
        }
        let (pid, what) = self.find(victim)?;
        kill(Pid::from_raw(pid), Signal::SIGKILL).ok()?;
        if let Victim::Handler(_) = victim {
            // It may have ended just before.
            let mut was_killed = false;
            self.net.wait("it has ended", |world| {
                let end = world.record.iter().find_map(|entry| match entry {
                    Entry::Exit {
                        pid: other, how, ..
                    } if i64::from(*other) == i64::from(pid) => Some(how),
                    _ => None,
                });
                was_killed = end.is_some_and(|how| how == "signal SIGKILL");
                end.is_some()
            });
            return was_killed.then_some(what);
        }
        Some(what)
    }

    /// Process and what it does.
    fn find(&self, victim: Victim) -> Option<(i32, String)> {
        let running = |name: &str| {
            self.net.with(|world| {
                let handler = world.interfaces.get(name)?.handler.as_ref()?;
                let (pid, action) = handler.running.clone()?;
                Some((i32::try_from(pid).ok()?, action))
            })
        };
        match victim {
            Victim::Handler(name) if name.ends_with('_') => {
                running(name).map(|(pid, action)| (pid, format!("{action} of the address")))
            }
            Victim::Handler(name) => running(name),
            Victim::Nft => {
                let (handler, _) = running("wanmap")?;
                let children = format!("/proc/{handler}/task/{handler}/children");
                let children = fs::read_to_string(children).ok()?;
                let child = children.split_whitespace().next()?;
                let name = fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
                (name == "nft\n").then_some((child.parse().ok()?, "nft".to_owned()))
            }
        }
    }

    fn until_it_works(&self) {
        self.until("it works", Run::fault);
    }

    fn until_it_is_gone(&self) {
        self.until("nothing of it is left", |run| {
            let down = run.net.with(|w| w.interface("wanmap").state == State::Down);
            match down {
                true => run.net.leftovers("wanmap"),
                false => Some("not down".to_owned()),
            }
        });
    }

    fn until(&self, what: &str, fault: impl Fn(&Self) -> Option<String>) {
        let deadline = Instant::now() + DEAD;
        while let Some(why) = fault(self) {
            let story = || self.net.story();
            assert!(
                Instant::now() < deadline,
                "waited in vain until {what}: {why}\nrun {}\n{}",
                self.number,
                story()
            );
            sleep(Duration::from_millis(50));
        }
    }

    /// What keeps the line from carrying IPv4 with the present prefix.
    fn fault(&self) -> Option<String> {
        let address = PREFIXES[self.prefix].1;
        let has_address = self.net.with(|world| {
            let wanmap = world.interface("wanmap");
            wanmap.is_up() && wanmap.addresses.iter().any(|a| a.address == address)
        });
        match has_address {
            true => self.net.fault("wanmap"),
            false => Some(format!("not up with {address}")),
        }
    }
}
