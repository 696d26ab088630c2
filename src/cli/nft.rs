// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape nft`: the ruleset of a CE, not applied.

use std::io::Write;

use lexopt::Arg;

use super::mapping_args::MappingArgs;
use super::output::json_line;
use super::{Command, Failure, Outcome, text, unknown};
use crate::json::object;
use crate::nat::{Kernel, Line, Plan, PortList, Wishes};

pub(super) const COMMAND: Command = Command {
    name: "nft",
    about: "the nftables rules of an end-user prefix, not applied",
    help: "\
Usage: mape nft --device NAME [calc's arguments] [--nat MODE] [--reserve PORTS]
                [--conntrack normal|tight] [--json]

Prints the rules that would be loaded for a tunnel device: what `nft -f` takes.
With the pool the device must exist when they are loaded.

  --device NAME    tunnel device, such as map-wanmap
  --nat MODE       auto, pool or hash; auto prints what a full kernel gets
  --reserve PORTS  ports or ranges that outgoing connections never take
  --conntrack WORD tight for shorter timeouts
  --json           one JSON object with the rules as text
and those of `mape calc`: --prefix, --provider, --rule, --legacy

Example:
  mape nft --prefix 240b:10:1:200::/56 --device map-wanmap --reserve 4128
",
    run,
};

fn run(parser: &mut lexopt::Parser, out: &mut dyn Write) -> Outcome {
    let mut args = MappingArgs::default();
    let mut device = None;
    let mut wishes = Wishes::default();
    let mut json = false;
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("json") => json = true,
            Arg::Long("device") => device = Some(text(parser)?),
            Arg::Long("nat") => {
                wishes.mode = text(parser)?.parse().map_err(Failure::usage)?;
            }
            Arg::Long("conntrack") => {
                wishes.timeouts = text(parser)?.parse().map_err(Failure::usage)?;
            }
            Arg::Long("reserve") => {
                wishes.reserve = PortList::parse(&text(parser)?).map_err(Failure::usage)?;
            }
            Arg::Long(name) if MappingArgs::knows(name) => {
                let name = name.to_owned();
                args.take(&name, parser)?;
            }
            other => return Err(unknown(other)),
        }
    }
    let device = device.ok_or_else(|| Failure::usage("--device is missing"))?;
    let found = args.find()?;
    // Tables are named after the interface, of which the device is made.
    let interface = device.strip_prefix("map-").unwrap_or(&device);
    let line = Line::new(interface, &device, &found.mapping, false);
    let plan = Plan::new(line, wishes, &Kernel::full()).map_err(Failure::failed)?;
    if json {
        let answer = object(&[
            ("mode", &plan.technique().name()),
            ("reason", &plan.reason()),
            ("ruleset", &plan.combined()),
        ]);
        return Ok(json_line(out, &answer)?);
    }
    Ok(out.write_all(plan.combined().as_bytes())?)
}
