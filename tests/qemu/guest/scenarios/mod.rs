// SPDX-License-Identifier: GPL-2.0-or-later
//! The scenarios by name. To add one, write a function and a row.

mod aftr;
mod attacks;
mod beside;
mod changes;
mod compare;
mod cost;
mod counts;
mod day;
pub mod doctor;

mod errors;
mod exhaustion;
mod faults;
pub mod fill;
mod flows;
mod hb46pp;
mod inbound;
mod life;
mod line;
mod load;
mod opened;
mod operators;
mod setup;
mod softwires;
mod sqm;
mod told;
mod upnp;

use super::init::{say, tell};
use super::lab::{self, Lab};
use super::nat::Technique;
use super::oracle::{Line, OCN, V6PLUS};
use super::server::WHOAMI;
use crate::Result;
use crate::report::meets;
use serde_json::json;
use std::time::Instant;

/// What a scenario may use: a lab is built when a line is first asked for,
/// and kept while the scenarios want the same line.
#[derive(Default)]
pub struct Bench<'a> {
    lab: Option<Lab>,
    /// The lab around a router that is plugged in, instead of all others.
    plugged: Option<&'a mut Lab>,
}

impl Bench<'_> {
    /// The lab of `line`.
    pub fn lab(&mut self, line: Line) -> Result<&mut Lab> {
        if self.plugged.is_some() {
            return self.plugged.as_deref_mut().ok_or_else(String::new);
        }
        if self.lab.as_ref().is_none_or(|lab| lab.line != line) {
            self.lab = None;
            self.lab = Some(Lab::new(line)?);
        }
        self.lab.as_mut().ok_or_else(|| "no lab".to_owned())
    }

    /// Clears the place for a scenario that builds its own.
    pub fn leave(&mut self) {
        self.lab = None;
    }

    /// Of these techniques those that can be chosen here: a router that is
    /// plugged in has its own, which takes the pool's place.
    pub fn techniques<'t>(&self, all: &'t [Technique]) -> &'t [Technique] {
        match self.plugged {
            Some(_) => &[Technique::Pool],
            None => all,
        }
    }

    /// Reports a figure.
    pub fn figure(&self, technique: Technique, key: &str, value: f64) {
        let name = match self.plugged {
            Some(_) => "router",
            None => technique.name(),
        };
        tell_figure(name, key, value);
    }
}

fn tell_figure(name: &str, key: &str, value: f64) {
    say(&format!("    {name:<6} {key} = {value}"));
    tell(&json!({ "nat": name, "figure": key, "value": value }));
}

/// A named scenario; the text it returns goes into the report.
pub struct Scenario {
    pub name: &'static str,
    pub run: fn(&mut Bench) -> Result<String>,
}

impl Scenario {
    /// Runs it and reports its verdict.
    fn tell(&self, bench: &mut Bench) {
        say(&format!("{} ...", self.name));
        let started = Instant::now();
        let verdict = (self.run)(bench);
        let seconds = started.elapsed().as_secs_f64();
        match verdict {
            Ok(text) => {
                say(&format!("{} ok ({seconds:.1} s) {text}", self.name));
                tell(&json!({ "scenario": self.name, "passed": text }));
            }
            Err(why) => {
                say(&format!("{} FAILED ({seconds:.1} s): {why}", self.name));
                tell(&json!({ "scenario": self.name, "failed": why }));
            }
        }
    }
}

const fn row(name: &'static str, run: fn(&mut Bench) -> Result<String>) -> Scenario {
    Scenario { name, run }
}

/// All of them, in the order of a whole run.
pub const ALL: &[Scenario] = &[
    row("v6plus_draft03", line::v6plus_draft03),
    row("v6plus_rfc7597", line::v6plus_rfc7597),
    row("ocn_draft03", line::ocn_draft03),
    row("ocn_rfc7597", line::ocn_rfc7597),
    row("late_prefix", life::late_prefix),
    row("changed_prefix", life::changed_prefix),
    row("withdrawn_prefix", life::withdrawn_prefix),
    row("on_link_only", life::on_link_only),
    row("bounces", life::bounces),
    row("same_prefix", life::same_prefix),
    row("two_uplinks", life::two_uplinks),
    row("ds_lite", softwires::ds_lite),
    row("dead_aftr", aftr::dead_aftr),
    row("ipip", softwires::ipip),
    row("other_mechanism", changes::other_mechanism),
    row("side_by_side", changes::side_by_side),
    row("hb46pp", hb46pp::hb46pp),
    row("hb46pp_mechanisms", told::hb46pp_mechanisms),
    row("lw4o6", operators::lw4o6),
    row("mesh", operators::mesh),
    row("fill_v6plus", fill::v6plus),
    row("fill_ocn", fill::ocn),
    row("exhaustion", exhaustion::exhaustion),
    row("eim_udp", compare::eim_udp),
    row("eim_tcp", compare::eim_tcp),
    row("interleaved_first_syn", compare::interleaved),
    row("churn_lost", compare::churn),
    row("ping", compare::ping),
    row("icmp_errors", errors::icmp_errors),
    row("udp_no_checksum", errors::no_checksum),
    row("fragments", errors::fragments),
    row("unsolicited_in", inbound::unsolicited),
    row("forged_in", attacks::forged),
    row("forward", inbound::forward),
    row("upnp", upnp::upnp),
    row("second_line", beside::second_line),
    row("containers", beside::containers),
    row("wireguard", beside::wireguard),
    row("hairpin", beside::hairpin),
    row("offload", flows::offload),
    row("sqm", sqm::sqm),
    row("flush_recovery", flows::flush_recovery),
    row("throughput_ratio", flows::throughput),
    row("port_counts", counts::ports),
    row("clock_jumps", faults::clock_jumps),
    row("no_tunnel_module", faults::no_tunnel_module),
    row("doctor_healthy", doctor::healthy),
    row("doctor_faults", doctor::faults),
    // Last: it sums up what the others caused.
    row("bad_ports_at_br", bad_ports_at_br),
];

/// Those that take minutes: only if they are named.
const SLOW: &[Scenario] = &[
    row("load", load::load),
    row("day", day::day),
    row("setup", setup::setup),
];

/// Those of `make figures`.
const FIGURES: &[Scenario] = &[
    row("setup", setup::setup),
    row("translation", cost::translation),
    row("programs", cost::programs),
];

/// What the BR refused while the pool was in force, in the whole run; by
/// itself, of a full port set.
fn bad_ports_at_br(bench: &mut Bench) -> Result<String> {
    let lab = bench.lab(V6PLUS)?;
    lab.nat(Technique::Pool)?;
    drop(fill::fill(lab, V6PLUS.ports().len(), WHOAMI)?);
    lab.refused()?;
    measure(
        bench,
        Technique::Pool,
        "bad_ports_at_br",
        f64::from(lab::bad_ports()),
    )
}

/// Runs what `MAPE_SCENARIO` names of `make figures`, or all of it.
pub fn figures() {
    let wanted = std::env::var("MAPE_SCENARIO").unwrap_or_default();
    let wanted = names(&wanted);
    let mut bench = Bench::default();
    for scenario in FIGURES {
        if wanted.is_empty() || wanted.contains(&scenario.name) {
            scenario.tell(&mut bench);
        }
    }
}

/// The names in a list with commas.
fn names(list: &str) -> Vec<&str> {
    list.split(',').filter(|name| !name.is_empty()).collect()
}

/// Runs what `MAPE_SCENARIO` names (comma separated), or everything.
pub fn run() {
    let wanted = std::env::var("MAPE_SCENARIO").unwrap_or_default();
    let wanted = names(&wanted);
    let mut bench = Bench::default();
    let slow = SLOW.iter().filter(|slow| wanted.contains(&slow.name));
    for scenario in ALL.iter().chain(slow) {
        if wanted.is_empty() || wanted.contains(&scenario.name) {
            scenario.tell(&mut bench);
        }
    }
}

/// What can be asked of any router, without a hand on it.
const PLUGGED: &[&str] = &[
    "fill_v6plus",
    "fill_ocn",
    "eim_udp",
    "eim_tcp",
    "interleaved_first_syn",
    "ping",
    "icmp_errors",
    "udp_no_checksum",
    "fragments",
];

/// What only a router with more programs than ours can do: only if it is named.
const EQUIPPED: &[Scenario] = &[row("opened_port", opened::opened_port)];

/// Asks the router that is plugged in for what `names` say, or for all that
/// fits its line. Only a line with MAP shares its ports (`is_map`).
pub fn measure_plugged(lab: &mut Lab, is_map: bool, names: &[&str]) -> Result<()> {
    let fits = |name: &str| match name {
        "fill_v6plus" => is_map && lab.line != OCN,
        "fill_ocn" => is_map && lab.line == OCN,
        _ => true,
    };
    let usual: Vec<&str> = PLUGGED.iter().copied().filter(|name| fits(name)).collect();
    let equipped: Vec<&str> = EQUIPPED.iter().map(|row| row.name).collect();
    let known = [PLUGGED, &equipped].concat();
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        return Err(format!("measure {name}: one of {}", known.join(", ")));
    }
    let mut bench = Bench {
        lab: None,
        plugged: Some(lab),
    };
    let plugged = ALL.iter().filter(|row| PLUGGED.contains(&row.name));
    for scenario in plugged.chain(EQUIPPED) {
        if names.contains(&scenario.name) || names.is_empty() && usual.contains(&scenario.name) {
            scenario.tell(&mut bench);
        }
    }
    Ok(())
}

/// Reports a figure and holds it against its goal.
pub fn measure(bench: &Bench, technique: Technique, key: &str, value: f64) -> Result<String> {
    bench.figure(technique, key, value);
    expect(meets(key, value), || format!("{key} is {value}"))?;
    Ok(String::new())
}

/// A failed expectation as an error.
pub fn expect(holds: bool, why: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(why()) }
}
