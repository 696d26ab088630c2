// SPDX-License-Identifier: GPL-2.0-or-later
//! What a call of netifd costs: processes, CPU time of our own, memory; next to the stock
//! handler's figures. The handler is the real binary, ubusd and netifd are the tests' double,
//! nft and the kernel's tables are real, in a network namespace.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/double/mod.rs"]
mod double;
#[path = "../tests/router/mod.rs"]
mod router;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use double::handler::Machine;
use double::{Double, NullEffects, State};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use router::V6PLUS;

/// Calls of each kind; the median of them counts.
const RUNS: usize = 31;

/// The stock handler, measured on real netifd: forks, execs, milliseconds of CPU and of time.
struct Stock {
    forks: usize,
    execs: usize,
    cpu: f64,
    wall: f64,
}

const CALLS: [(&str, Stock); 3] = [
    (
        "dump",
        Stock {
            forks: 2,
            execs: 2,
            cpu: 4.6,
            wall: 4.5,
        },
    ),
    (
        "setup",
        Stock {
            forks: 68,
            execs: 10,
            cpu: 40.0,
            wall: 49.0,
        },
    ),
    (
        "teardown",
        Stock {
            forks: 5,
            execs: 6,
            cpu: 6.0,
            wall: 6.0,
        },
    ),
];

fn main() {
    if unshare(CloneFlags::CLONE_NEWNET).is_err() {
        println!("skipped: a network namespace needs root");
        return;
    }
    let bench = Bench::new();
    println!("{RUNS} calls each; the stock handler's figures in parentheses\n");
    println!(
        "          forks     execs     CPU of our own              with nft  time           at link-up         peak"
    );
    println!("                              median          least");
    for (action, stock) in &CALLS {
        let costs = bench.measure(action);
        let (forks, execs) = bench.count(action);
        let number = |n: Option<usize>| n.map_or("?".to_owned(), |n| n.to_string());
        let at_link_up = bench.at_link_up(action).map(|(peak, own)| {
            format!(
                "  {own:>5.2} ms (1/{:<3.0})  {peak:>5} KiB",
                stock.cpu / own
            )
        });
        println!(
            "{action:<8} {:>3} ({:>2})  {:>3} ({:>2})  {:>5.2} ms (1/{:<3.0}) {:>5.2} ms (1/{:<3.0}) \
             {:>5.1} ms  {:>4.1} ms ({:>4}){}",
            number(forks),
            stock.forks,
            number(execs),
            stock.execs,
            costs.own,
            stock.cpu / costs.own,
            costs.least,
            stock.cpu / costs.least,
            costs.all,
            costs.wall,
            stock.wall,
            at_link_up.unwrap_or_default(),
        );
    }
    if Command::new("strace").arg("-V").output().is_err() {
        println!("\n? needs strace (apt-get install strace)");
    }
}

/// Milliseconds.
struct Costs {
    /// CPU of the handler's process.
    own: f64,
    /// The same in the call that was least disturbed.
    least: f64,
    /// With that of its children.
    all: f64,
    wall: f64,
}

/// The double, and a device that stands for the tunnel: making one is netifd's work.
struct Bench(Double);

impl Bench {
    fn new() -> Self {
        let net = Double::start_with(Path::new(env!("CARGO_BIN_EXE_mape")), NullEffects);
        V6PLUS.bring_up(&net);
        net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
        router::device("map-wanmap");
        Bench(net)
    }

    /// netifd as it is when it calls.
    fn before(&self, action: &str) {
        let state = match action {
            "setup" => State::Setup,
            _ => return,
        };
        self.0.with(|world| {
            let interface = world.interface_mut("wanmap");
            interface.state = state;
            interface.handler.as_mut().unwrap().machine = Machine::Setup;
        });
    }

    /// What must have happened, and what the next call needs.
    fn after(&self, action: &str) {
        match action {
            "setup" => assert!(self.0.with(|world| world.is_up("wanmap"))),
            "teardown" => {
                self.0.with(|world| world.set_down("wanmap"));
                self.0
                    .wait("down", |w| w.interface("wanmap").state == State::Down);
            }
            _ => {}
        }
    }

    fn command(&self, action: &str, through: &[&str]) -> Command {
        let script = ["./mape.sh"];
        let words: Vec<&str> = through.iter().chain(&script).copied().collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        match action {
            "dump" => command.args(["", "dump"]),
            _ => command.args(["mape", action, "wanmap", r#"{"tunlink":"wan6"}"#]),
        };
        command
            .current_dir(self.0.root().join("lib/netifd/proto"))
            .envs(self.0.with(|world| world.env.clone()))
            // cargo's folders, in each of which the dynamic linker would look for libraries.
            .env_remove("LD_LIBRARY_PATH")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Runs `action`, with a setup before a teardown and the other way round.
    fn whole<T>(&self, action: &str, call: impl Fn(&mut Command) -> T, through: &[&str]) -> T {
        if action == "teardown" {
            self.before("setup");
            assert!(self.command("setup", &[]).status().unwrap().success());
        }
        self.before(action);
        let result = call(&mut self.command(action, through));
        self.after(action);
        if action == "setup" {
            assert!(self.command("teardown", &[]).status().unwrap().success());
            self.after("teardown");
        }
        result
    }

    fn measure(&self, action: &str) -> Costs {
        let runs: Vec<Costs> = (0..RUNS)
            .map(|_| self.whole(action, measured, &[]))
            .collect();
        let median = |of: fn(&Costs) -> f64| {
            let mut values: Vec<f64> = runs.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[RUNS / 2]
        };
        Costs {
            own: median(|c| c.own),
            least: runs.iter().map(|c| c.own).fold(f64::INFINITY, f64::min),
            all: median(|c| c.all),
            wall: median(|c| c.wall),
        }
    }

    /// Forks and execs, as strace sees them; threads are none.
    fn count(&self, action: &str) -> (Option<usize>, Option<usize>) {
        let file = self.0.root().join("strace");
        let through = [
            "strace",
            "-f",
            "-qq",
            "-e",
            "trace=fork,vfork,clone,clone3,execve",
            "-e",
            "signal=none",
            "-o",
            file.to_str().unwrap(),
        ];
        if Command::new("strace").arg("-V").output().is_err() {
            return (None, None);
        }
        let done = self.whole(action, |c| c.status().unwrap().success(), &through);
        assert!(done);
        let text = fs::read_to_string(&file).unwrap();
        let no_call = ["= -1", "resumed", "CLONE_THREAD"];
        let succeeded = |line: &&str| no_call.iter().all(|part| !line.contains(part));
        let calls = text.lines().filter(succeeded);
        let (execs, forks): (Vec<&str>, Vec<&str>) = calls.partition(|l| l.contains("execve("));
        (Some(forks.len()), Some(execs.len()))
    }

    /// The handler when it calls nft: the link is up then, all that needs memory is done, and
    /// only the rules are left to load. Peak memory in KiB; milliseconds of CPU, their median.
    fn at_link_up(&self, action: &str) -> Option<(u64, f64)> {
        if action != "setup" {
            return None;
        }
        let root = self.0.root();
        let (peaks, times) = (root.join("peaks"), root.join("times"));
        let fake = root.join("usr/sbin/nft");
        fs::create_dir_all(fake.parent().unwrap()).unwrap();
        let script = format!(
            "#!/bin/sh\nread own rest </proc/$PPID/schedstat\necho $own >>{}\n\
             grep VmHWM: /proc/$PPID/status >>{}\nexec /usr/sbin/nft \"$@\"\n",
            times.display(),
            peaks.display()
        );
        fs::write(&fake, script).unwrap();
        fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
        for _ in 0..RUNS {
            self.whole(action, |c| c.status().unwrap(), &[]);
        }
        fs::remove_file(&fake).unwrap();
        let numbers = |path: &Path| -> Vec<u64> {
            let text = fs::read_to_string(path).unwrap();
            let words = text.split_whitespace();
            words.filter_map(|word| word.parse().ok()).collect()
        };
        let mut times = numbers(&times);
        times.sort_unstable();
        let median = Duration::from_nanos(times[times.len() / 2]);
        Some((
            numbers(&peaks).into_iter().max()?,
            median.as_secs_f64() * 1e3,
        ))
    }
}

/// Runs a command and looks at what it cost before its remains are gone.
fn measured(command: &mut Command) -> Costs {
    let before = children();
    let start = Instant::now();
    let mut child = command.spawn().unwrap();
    let id = Id::Pid(Pid::from_raw(child.id().cast_signed()));
    waitid(id, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).unwrap();
    let wall = start.elapsed();
    // Nanoseconds of its one thread on a CPU, in user and kernel mode; children do not count.
    let stat = fs::read_to_string(format!("/proc/{}/schedstat", child.id())).unwrap();
    let own: u64 = stat.split_whitespace().next().unwrap().parse().unwrap();
    assert!(child.wait().unwrap().success());
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    Costs {
        own: ms(Duration::from_nanos(own)),
        least: ms(Duration::from_nanos(own)),
        all: ms(children().checked_sub(before).unwrap()),
        wall: ms(wall),
    }
}

/// CPU time of all children that have ended, and of theirs.
fn children() -> Duration {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN);
    let usage = usage.unwrap();
    [usage.user_time(), usage.system_time()]
        .iter()
        .map(|t| {
            Duration::from_micros(u64::try_from(t.tv_sec() * 1_000_000 + t.tv_usec()).unwrap())
        })
        .sum()
}
