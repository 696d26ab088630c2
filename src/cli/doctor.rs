// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape doctor`: why a line does not work.

use std::fmt::{self, Write as _};
use std::net::Ipv6Addr;

use super::args::{Args, Command};
use super::failure::{Failure, Outcome};
use super::output::json;
use super::providers;
use super::status::{choose, warn};
use crate::console::{Hue, Paint};
use crate::doctor::{self, Check, Verdict};
use crate::sanitize::quoted;
use crate::status::World;

pub(super) const COMMAND: Command = Command {
    name: "doctor",
    about: "why a line does not work: a verdict and a remedy per check",
    help: "\
Usage: mape doctor [INTERFACE] [--probe ADDRESS] [--json]

Checks everything from the uplink to the BR and back: a line for each check
with ok, warn, fail or unknown, what was seen, and what to do. Sends at most
two ICMPv6 echo requests to the BR; as root it sees more. INTERFACE may be left
out where there is one.

  --probe ADDRESS  also asks this IPv6 address whether it answers
  --json           one JSON object, the same that `ubus call mape doctor` answers

Exit status 1 when something fails.

Examples:
  mape doctor
  mape doctor wanmap --probe 2001:4860:4860::8888
",
    options: &["json", "probe="],
    words: 1,
    run,
};

fn run(args: &Args, out: &mut String) -> Outcome {
    let probe = args.get("probe").map(address).transpose()?;
    let world = World::collect();
    let interfaces = world.interfaces();
    let interface = choose(&world, &interfaces, args.word())?;
    warn(&world);
    // A provider may be unknown because its file is.
    let table = providers::table();
    let checks = doctor::checks(&doctor::gather(interface, probe, &table));
    if args.has("json") {
        json(out, &doctor::Answer::new(interface.name, &checks))?;
    } else {
        for check in &checks {
            print(out, check, Paint::for_stdout())?;
        }
        summary(out, &checks)?;
    }
    match doctor::is_ok(&checks) {
        true => Ok(()),
        false => Err(Failure::Said.into()),
    }
}

fn address(text: &str) -> Outcome<Ipv6Addr> {
    text.parse()
        .map_err(|_| Failure::failed(format!("--probe {}: must be an IPv6 address", quoted(text))))
}

/// Prints how many checks came to each verdict.
fn summary(out: &mut String, checks: &[Check]) -> fmt::Result {
    let count = |verdict| {
        let alike = checks.iter().filter(|c| c.finding.verdict == verdict);
        alike.count()
    };
    writeln!(
        out,
        "{} checks: {} ok, {} warn, {} fail, {} unknown",
        checks.len(),
        count(Verdict::Ok),
        count(Verdict::Warn),
        count(Verdict::Fail),
        count(Verdict::Unknown)
    )
}

fn print(out: &mut String, check: &Check, paint: Paint) -> fmt::Result {
    let finding = &check.finding;
    let word = format!("{:<8}", finding.verdict.as_str());
    let word = match finding.verdict {
        Verdict::Ok => paint.hue(Hue::Good, &word),
        Verdict::Warn => paint.hue(Hue::Doubtful, &word),
        Verdict::Fail => paint.hue(Hue::Bad, &word),
        Verdict::Unknown => word,
    };
    writeln!(out, "{word}{:<12}{}", check.id, finding.seen)?;
    match &finding.remedy {
        Some(remedy) => writeln!(out, "{:20}-> {remedy}", ""),
        None => Ok(()),
    }
}
