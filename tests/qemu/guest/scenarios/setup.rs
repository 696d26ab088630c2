// SPDX-License-Identifier: GPL-2.0-or-later
//! What netifd's calls of the handler take, with all processes they start and all
//! that the kernel does for them, in instructions; and beside them those of the
//! stock handler, if its files were added to the machine (docs/performance.md).

use super::{Bench, tell_figure};
use crate::Result;
use crate::guest::init::say;
use crate::guest::lab::Lab;
use crate::guest::oracle::{OCN, V6PLUS};
use crate::guest::router::STOCK;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Calls of each kind, of which the least counts: what else the machine had to
/// do comes on top.
const RUNS: usize = 3;

pub fn setup(bench: &mut Bench) -> Result<String> {
    // The machine's clock advances by so many nanoseconds an instruction.
    let tick = std::env::var("MAPE_TICK").unwrap_or_default();
    let tick = match tick.parse::<f64>() {
        Ok(tick) => tick * pace()?,
        Err(_) => 1.0,
    };
    bench.leave();
    for line in [V6PLUS, OCN] {
        let lab = Lab::new(line)?;
        lab.router()?.down(&lab.net.ce)?;
        let mut handlers = vec![("pool", None)];
        if Path::new(STOCK).exists() {
            handlers.push(("stock", Some(Path::new(STOCK))));
        }
        for (name, script) in handlers {
            let (mut setup, mut teardown) = (Duration::MAX, Duration::MAX);
            for _ in 0..RUNS {
                let (up, down) = lab.router()?.calls(&lab.net.ce, script)?;
                (setup, teardown) = (setup.min(up), teardown.min(down));
            }
            let million = |spent: Duration| (spent.as_nanos() as f64 / tick / 1e5).round() / 10.0;
            let key = |call: &str| format!("{call}_{}", line.name);
            tell_figure(name, &key("setup"), million(setup));
            tell_figure(name, &key("teardown"), million(teardown));
        }
    }
    Ok(String::new())
}

/// How fast the kernel's clock goes, measured by the board's: a kernel that has
/// to find out the frequency of its counter finds it only roughly.
fn pace() -> Result<f64> {
    const SECONDS: u64 = 100;
    let second = || -> Result<u64> {
        let text = fs::read_to_string("/sys/class/rtc/rtc0/since_epoch");
        let text = text.map_err(|e| format!("the board's clock: {e}"))?;
        text.trim()
            .parse()
            .map_err(|_| format!("the board's clock: {text}"))
    };
    let next = |from: u64| -> Result<Instant> {
        while second()? < from {
            sleep(Duration::from_millis(20));
        }
        Ok(Instant::now())
    };
    let now = second()?;
    let started = next(now + 1)?;
    let pace = next(now + 1 + SECONDS)?
        .duration_since(started)
        .as_secs_f64()
        / SECONDS as f64;
    say(&format!(
        "    the kernel's clock goes {pace:.4} times as fast as the board's"
    ));
    Ok(pace)
}
