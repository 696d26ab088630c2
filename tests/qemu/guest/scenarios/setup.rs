// SPDX-License-Identifier: GPL-2.0-or-later
//! What netifd's calls of the handler take, with all processes they start and all
//! that the kernel does for them, in instructions; and beside them those of the
//! stock handler, if its files were added to the machine (docs/performance.md).

use super::{Bench, tell_figure};
use crate::Result;
use crate::guest::lab::Lab;
use crate::guest::oracle::{OCN, V6PLUS};
use crate::guest::pace::pace;
use crate::guest::router::STOCK;
use std::path::Path;
use std::time::Duration;

/// Calls of each kind, of which the least counts: what else the machine had to
/// do comes on top.
const RUNS: usize = 3;

pub fn setup(bench: &mut Bench) -> Result<String> {
    bench.leave();
    let pace = pace()?;
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
            let million = |spent: Duration| (spent.as_nanos() as f64 / pace / 1e5).round() / 10.0;
            let key = |call: &str| format!("{call}_{}", line.name);
            tell_figure(name, &key("setup"), million(setup));
            tell_figure(name, &key("teardown"), million(teardown));
        }
    }
    Ok(String::new())
}
