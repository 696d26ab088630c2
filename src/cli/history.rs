// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape history`: use of the ports over the last hours.

use std::fmt::Write as _;

use super::args::{Args, Command};
use super::failure::{Failure, Outcome};
use super::output::json;
use super::status::{choose, warn};
use crate::status::World;
use crate::status::history::{History, HistoryAnswer, Sample, record};

pub(super) const COMMAND: Command = Command {
    name: "history",
    about: "ports in use over the last six hours",
    help: "\
Usage: mape history [INTERFACE] [--json]
       mape history --record

Shows a line for each sample: how many seconds ago, TCP and UDP ports and ICMP
identifiers in use, and connections refused until then. INTERFACE may be left
out where there is one.

  --record  takes a sample of every interface that is up; the service `mape`
            does this once a minute
  --json    one JSON object, the same that `ubus call mape history` answers

Example:
  mape history wanmap
",
    options: &["json", "record"],
    words: 1,
    run,
};

fn run(args: &Args, out: &mut String) -> Outcome {
    let world = World::collect();
    let interfaces = world.interfaces();
    let now = world.boot_seconds;
    if args.has("record") {
        let recorded = record(&interfaces, now);
        return recorded.map_err(|error| Failure::failed(format!("cannot be recorded: {error}")));
    }
    let name = choose(&world, &interfaces, args.word())?.name;
    warn(&world);
    let history = History::load(name);
    if args.has("json") {
        return json(out, &HistoryAnswer::new(name, &history, now));
    }
    for Sample(time, tcp, udp, icmp, exhausted) in history.samples() {
        let ago = now.saturating_sub(*time);
        writeln!(
            out,
            "{ago:>6} s ago  tcp {tcp:>5}  udp {udp:>5}  icmp {icmp:>5}  refused {exhausted}"
        )?;
    }
    Ok(())
}
