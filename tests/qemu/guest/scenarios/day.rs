// SPDX-License-Identifier: GPL-2.0-or-later
//! A day in the life of a line: 24 hours, and every ten minutes something of
//! what docs/reliability.md lists. Nobody runs `ifup`.

mod watch;

use super::life::Life;
use super::{Bench, expect};
use crate::Result;
use crate::double::{Fault, When};
use crate::guest::init::say;
use crate::guest::oracle::{Line, V6PLUS};
use crate::guest::router::{INTERFACE, UPLINK};
use crate::guest::snapshot::Snapshot;
use crate::guest::topology::TUNNEL;
use crate::guest::{shell, sys};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};
use watch::Watch;

const HOURS: usize = 24;
const EVERY: Duration = Duration::from_secs(600);
const EVENTS: usize = HOURS * 6;
/// Of the time that the line itself is up.
const GOAL: f64 = 0.999;
const ZONE: &str = "config zone\n\toption name wan\n\tlist network wanmap\n";

/// The subscriber's other prefix.
const OTHER: Line = V6PLUS.renumbered();

type Event = fn(&mut Day) -> Result<()>;

/// What happens in turn.
const LIST: [(&str, Event); 13] = [
    ("the uplink goes and comes", Day::bounce),
    ("another prefix", Day::renumber),
    ("the prefix is gone for a minute", Day::withdraw),
    ("a setup is killed", Day::kill_setup),
    ("a renewal is killed", Day::kill_renewal),
    ("a teardown is killed", Day::kill_teardown),
    ("nft is killed", Day::kill_nft),
    ("the firewall forgets everything", Day::flush),
    ("the device is deleted", Day::delete_device),
    ("the CE's address is taken away", Day::take_address),
    ("ubusd dies during a renewal", Day::ubusd_dies),
    ("a forward of all ports", Day::forward_all),
    ("a second interface on the line", Day::second),
];

struct Day {
    life: Life,
    watch: Arc<Watch>,
    line: Line,
    /// What there was with each prefix when it was first up.
    normal: [Option<Snapshot>; 2],
    number: usize,
    /// Processes that were killed: some end before it is done.
    killed: usize,
}

/// What must not grow.
#[derive(Debug, Clone, Copy, Default)]
struct Measured {
    /// Most memory `mape status` took, in KiB.
    status: u64,
    /// Memory of the machine in use, in KiB; that of the test itself included.
    used: u64,
    processes: usize,
    /// Lines of the log in a round of all events.
    lines: usize,
}

pub fn day(bench: &mut Bench) -> Result<String> {
    let life = Life::up(bench)?;
    life.router.write("firewall", ZONE)?;
    life.ce().within(|| {
        life.router
            .double()
            .start_hotplug(Path::new("/usr/sbin/mape"));
        Ok(())
    })?;
    let watch = Arc::new(Watch::new());
    let probe = {
        let watch = watch.clone();
        life.lan(0).spawn(move || watch.probe())?
    };
    let mut day = Day {
        life,
        watch,
        line: V6PLUS,
        normal: [None, None],
        number: 0,
        killed: 0,
    };
    let outcome = day.pass();
    day.watch.end();
    probe
        .join()
        .map_err(|_| "the probe panicked".to_owned())??;
    let (first, last) = outcome?;
    day.life.router.down(day.life.ce())?;
    // Use of the ports over the last hours is kept until a reboot; the
    // configuration is of this test.
    let history = format!("var/run/mape/{INTERFACE}.history");
    for ours in [history.as_str(), "etc/config/firewall"] {
        fs::remove_file(day.life.router.root().join(ours)).map_err(|e| e.to_string())?;
    }
    let left = day.life.found()?;
    expect(left.is_empty(), || format!("left after a day: {left}"))?;
    let (up, dead) = day.watch.times();
    let share = 1.0 - dead as f64 / up as f64;
    expect(share >= GOAL, || format!("up for {share:.5} of the time"))?;
    Ok(format!(
        "{EVENTS} events, {} processes killed, up for {:.3} % of the time that the line was up, \
         dead for {:.1} s of {} s; first {first:?}, last {last:?}",
        day.killed,
        share * 100.0,
        dead as f64 / 1000.0,
        up / 1000
    ))
}

impl Day {
    fn pass(&mut self) -> Result<(Measured, Measured)> {
        self.service()?;
        self.compare()?;
        let mut rounds = Vec::new();
        let mut lines = 0;
        for number in 0..EVENTS {
            self.number = number;
            let (name, event) = LIST.get(number % LIST.len()).ok_or("no event")?;
            let (_, dead) = self.watch.times();
            self.watch.event();
            let begun = Instant::now();
            event(self).map_err(|why| format!("{name}: {why}"))?;
            self.slot(EVERY.saturating_sub(begun.elapsed()))?;
            lines += self
                .calm()
                .map_err(|why| format!("after \"{name}\": {why}"))?;
            let (_, now) = self.watch.times();
            say(&format!("    {number}: {name}, dead for {} ms", now - dead));
            if (number + 1) % LIST.len() == 0 {
                let measured = self.measure(std::mem::take(&mut lines))?;
                say(&format!("    {measured:?}"));
                rounds.push(measured);
            }
        }
        let (Some(first), Some(last)) = (rounds.first().copied(), rounds.last().copied()) else {
            return Err("not one round".to_owned());
        };
        let flat = last.status <= first.status + first.status / 10
            && last.processes <= first.processes
            && last.lines <= first.lines + first.lines / 2
            && last.used <= first.used + first.used / 5;
        expect(flat, || format!("first {first:?}, then {last:?}"))?;
        Ok((first, last))
    }

    /// What the service does once a minute.
    fn service(&self) -> Result<()> {
        self.mape(&["repair"])?;
        self.mape(&["history", "--record"]).map(drop)
    }

    /// Lets the time until the next event pass, with the service at work every
    /// five minutes.
    fn slot(&self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            sleep(left.min(Duration::from_secs(300)));
            self.service()?;
            // A machine that says nothing for long is taken to have hung.
            say("    …");
        }
        Ok(())
    }

    /// Everything is as it was when this prefix was first up. Returns how many
    /// lines were logged since the last time.
    fn calm(&mut self) -> Result<usize> {
        self.compare()?;
        let lines = self.life.router.double().with(|world| {
            world.record.clear();
            std::mem::take(&mut world.log).len()
        });
        Ok(lines)
    }

    fn compare(&mut self) -> Result<()> {
        self.life
            .router
            .until_address(&self.line.ipv4().to_string())?;
        let now = Snapshot::take(self.life.ce(), &self.life.router)?;
        let index = usize::from(self.line == OTHER);
        let normal = self.normal.get_mut(index).ok_or("no such line")?;
        let normal = normal.get_or_insert(now.clone());
        let beyond = now.beyond(normal);
        expect(beyond.is_empty(), || beyond)
    }

    fn measure(&self, lines: usize) -> Result<Measured> {
        let info = fs::read_to_string("/proc/meminfo").map_err(|e| e.to_string())?;
        let kib = |name: &str| -> u64 {
            let line = info.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next());
            number.and_then(|n| n.parse().ok()).unwrap_or_default()
        };
        let processes = fs::read_dir("/proc").map_err(|e| e.to_string())?.flatten();
        let status = self
            .life
            .router
            .command(self.life.ce(), &["status", "--json"]);
        Ok(Measured {
            status: sys::peak_of(status)?,
            used: kib("MemTotal:") - kib("MemAvailable:"),
            processes: processes
                // Those of the kernel come and go, and have no program.
                .filter(|entry| fs::read_link(entry.path().join("exe")).is_ok())
                .count(),
            lines,
        })
    }

    fn mape(&self, arguments: &[&str]) -> Result<String> {
        self.life.router.mape(self.life.ce(), arguments)
    }

    /// Does something to the router's daemons, in its namespace.
    fn within(&self, act: impl FnOnce(&crate::double::Double) + Send) -> Result<()> {
        self.life.ce().within(|| {
            act(self.life.router.double());
            Ok(())
        })
    }

    /// netifd tells of the uplink, as when DHCPv6 renews.
    fn update_uplink(&self) -> Result<()> {
        self.within(|double| double.update(UPLINK, "data", |_| {}))
    }

    fn give(&self, line: Option<&Line>) -> Result<()> {
        let prefix = line.map(|line| (line.prefix().to_string(), line.prefix_len() as u8));
        self.within(move |double| {
            let prefix = prefix.as_ref().map(|(net, len)| (net.as_str(), *len));
            double.set_prefix(UPLINK, prefix);
        })
    }

    /// A point in time after something began, another one for each event.
    fn moment(&self) -> Duration {
        Duration::from_millis((self.number as u64 * 37) % 40)
    }

    fn bounce(&mut self) -> Result<()> {
        self.watch.turn();
        self.life.router.uplink(self.life.ce(), false)?;
        sleep(Duration::from_secs(5));
        self.life.router.uplink(self.life.ce(), true)?;
        self.watch.turn();
        Ok(())
    }

    fn renumber(&mut self) -> Result<()> {
        let old = self.line;
        let new = if old == OTHER { V6PLUS } else { OTHER };
        self.watch.turn();
        self.life.renumber(&old, &new)?;
        self.line = new;
        self.give(Some(&new))?;
        self.watch.turn();
        Ok(())
    }

    fn withdraw(&mut self) -> Result<()> {
        self.watch.turn();
        self.give(None)?;
        sleep(Duration::from_secs(60));
        self.give(Some(&self.line))?;
        self.watch.turn();
        Ok(())
    }

    fn kill_setup(&mut self) -> Result<()> {
        self.bounce()?;
        self.strike("setup")
    }

    fn kill_renewal(&mut self) -> Result<()> {
        self.renumber()?;
        self.strike("renew")
    }

    fn kill_teardown(&mut self) -> Result<()> {
        self.renumber()?;
        self.strike("teardown")
    }

    fn kill_nft(&mut self) -> Result<()> {
        self.bounce()?;
        self.strike("nft")
    }

    /// Kills the handler in that action, or its nft, some time after it began. It may have ended
    /// by then.
    fn strike(&mut self, what: &str) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut struck = false;
        while !struck && Instant::now() < deadline {
            if self.find(what).is_some() {
                if what != "nft" {
                    sleep(self.moment());
                }
                if let Some(pid) = self.find(what) {
                    kill(Pid::from_raw(pid), Signal::SIGKILL).map_err(|e| e.to_string())?;
                    self.killed += 1;
                }
                struck = true;
            }
            sleep(Duration::from_millis(1));
        }
        expect(struck, || format!("no {what} ran"))
    }

    fn find(&self, what: &str) -> Option<i32> {
        let running = self.life.router.double().with(|world| {
            let handler = world.interfaces.get(INTERFACE)?.handler.as_ref()?;
            handler.running.clone()
        });
        let (pid, action) = running?;
        if action == what {
            return i32::try_from(pid).ok();
        }
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        let child = children.split_whitespace().next()?;
        let name = fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
        (name.trim() == what).then(|| child.parse().ok()).flatten()
    }

    fn flush(&mut self) -> Result<()> {
        self.life.ce().run(&["nft", "flush", "ruleset"])?;
        self.mape(&["firewall"]).map(drop)
    }

    fn delete_device(&mut self) -> Result<()> {
        self.life.ce().run(&["ip", "link", "del", TUNNEL])?;
        self.update_uplink()
    }

    fn take_address(&mut self) -> Result<()> {
        self.within(|double| double.ifdown(&format!("{INTERFACE}_")))?;
        self.update_uplink()
    }

    fn ubusd_dies(&mut self) -> Result<()> {
        self.within(|double| double.with(|world| world.plan_fault(9, Fault::Die(When::Between))))?;
        self.renumber()
    }

    /// For five minutes.
    fn forward_all(&mut self) -> Result<()> {
        let redirect = "config redirect\n\toption src wan\n\toption src_dport '1-65535'\n\
                        \toption dest lan\n\toption dest_ip 192.168.1.12\n\toption target DNAT\n";
        let router = &self.life.router;
        router.write("firewall", &format!("{ZONE}{redirect}"))?;
        self.mape(&["firewall"])?;
        self.slot(Duration::from_secs(300))?;
        router.write("firewall", ZONE)?;
        self.mape(&["firewall"]).map(drop)
    }

    /// For five minutes. The date jumps, too.
    fn second(&mut self) -> Result<()> {
        self.within(|double| {
            double.configure("second", "mape", &[("tunlink", UPLINK)]);
            double.ifup("second");
        })?;
        let date = 1_790_000_000 + self.number * 86_400;
        shell::run(Command::new("date").args(["-s", &format!("@{date}")]))?;
        self.slot(Duration::from_secs(300))?;
        self.within(|double| {
            double.ifdown("second");
            double.wait_idle("second");
            double.with(|world| world.remove_interface("second"));
        })
    }
}
