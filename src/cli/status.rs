// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape status` and `mape ports`: what is up, and which ports are in use.

use std::fmt::Write as _;

use super::args::{Args, Command};
use super::failure::{Failure, Outcome};
use super::output::json;
use crate::console::Paint;
use crate::console::complain;
use crate::reason::said;
use crate::sanitize::excerpt;
use crate::status::answer::StatusAnswer;
use crate::status::ports::PortsAnswer;
use crate::status::text;
use crate::status::{Interface, World};

pub(super) const STATUS: Command = Command {
    name: "status",
    about: "what is up: addresses, provider, NAT, ports in use, counters",
    help: "\
Usage: mape status [INTERFACE] [--json]

Shows every interface of proto mape or map, or the one that is named: where it
stands and why, its mapping, its NAT, how many ports are in use, and what was
dropped. Connections and counters are for root alone.

  --json  one JSON object, the same that `ubus call mape status` answers

Examples:
  mape status
  mape status wanmap --json
",
    options: &["json"],
    words: 1,
    run: run_status,
};

pub(super) const PORTS: Command = Command {
    name: "ports",
    about: "each port range and its use, and which hosts use most",
    help: "\
Usage: mape ports [INTERFACE] [--json]

A row for each range of the port set: ports in use by protocol, and a picture
of the range with its reserved and forwarded ports; then the LAN hosts that use
most. INTERFACE may be left out where there is one.

  --json  one JSON object, the same that `ubus call mape ports` answers

Example:
  mape ports wanmap
",
    options: &["json"],
    words: 1,
    run: run_ports,
};

/// What could not be seen goes to standard error: the answer is incomplete.
pub(super) fn warn(world: &World) {
    for note in &world.notes {
        complain(&format!("mape: warning: {note}"));
    }
}

fn run_status(args: &Args, out: &mut String) -> Outcome {
    let world = World::collect();
    let mut interfaces = world.interfaces();
    if let Some(name) = args.word() {
        let all = names(&interfaces);
        interfaces.retain(|interface| interface.name == name);
        if interfaces.is_empty() {
            return Err(Failure::failed(no_such(&world, name, &all)));
        }
    }
    if interfaces.is_empty() && world.dump.is_none() {
        return Err(Failure::failed(none(&world)));
    }
    warn(&world);
    if args.has("json") {
        return json(out, &StatusAnswer::new(&interfaces));
    }
    if interfaces.is_empty() {
        writeln!(out, "{}", none(&world))?;
    }
    let paint = Paint::for_stdout();
    for (at, interface) in interfaces.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        text::status(out, interface, paint)?;
    }
    Ok(())
}

fn run_ports(args: &Args, out: &mut String) -> Outcome {
    let world = World::collect();
    let interfaces = world.interfaces();
    let interface = choose(&world, &interfaces, args.word())?;
    warn(&world);
    match args.has("json") {
        true => json(out, &PortsAnswer::new(interface)),
        false => Ok(text::ports(out, interface, Paint::for_stdout())?),
    }
}

const NONE: &str = "no interface of proto mape or map is configured; \
                    for a MAP line: proto 'mape', tunlink 'wan6' in /etc/config/network";

/// Why there is no interface to show. Without netifd only the configuration
/// names them, and it may be unreadable, too.
fn none(world: &World) -> String {
    match world.dump {
        Some(_) => NONE.into(),
        None if world.network_hidden => world.notes.join("; "),
        None => format!(
            "{}; and /etc/config/network names no interface of proto mape or map; is this an \
             OpenWrt router?",
            world.notes.join("; ")
        ),
    }
}

/// The interface of that name; without one the only one, or the only one that
/// is up.
///
/// # Errors
/// A sentence that names those there are.
pub(super) fn choose<'a, 'w>(
    world: &World,
    interfaces: &'a [Interface<'w>],
    name: Option<&str>,
) -> Outcome<&'a Interface<'w>> {
    let all = names(interfaces);
    if let Some(name) = name {
        let mut found = interfaces.iter().filter(|i| i.name == name);
        return found.next().ok_or_else(|| no_such(world, name, &all));
    }
    let mut up = interfaces.iter().filter(|i| i.line.is_some());
    match (interfaces, up.next(), up.next()) {
        ([], _, _) => Err(Failure::failed(none(world))),
        ([only], _, _) => Ok(only),
        (_, Some(only), None) => Ok(only),
        _ => Err(Failure::told(said!(
            "which_interface",
            "which interface? There are {others}",
            all
        ))),
    }
}

fn names(interfaces: &[Interface<'_>]) -> String {
    let names: Vec<&str> = interfaces.iter().map(|i| i.name).collect();
    names.join(", ")
}

fn no_such(world: &World, name: &str, all: &str) -> Box<Failure> {
    let name = excerpt(name);
    match all {
        "" if world.network_hidden && world.dump.is_none() => {
            Failure::failed(world.notes.join("; "))
        }
        "" if world.dump.is_none() => Failure::failed(format_args!(
            "{}; and /etc/config/network has no interface {name} of proto mape or map",
            world.notes.join("; ")
        )),
        "" => Failure::told(said!(
            "interface_unknown_alone",
            "there is no interface {name} of proto mape or map, nor any other",
            name
        )),
        one if !one.contains(", ") => Failure::told(said!(
            "interface_unknown_one",
            "there is no interface {name} of proto mape or map; there is {others}",
            name,
            one
        )),
        all => Failure::told(said!(
            "interface_unknown",
            "there is no interface {name} of proto mape or map; there are {others}",
            name,
            all
        )),
    }
}
