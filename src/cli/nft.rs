// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape nft`: the ruleset of a CE, not applied.

use serde::Serialize;

use super::args::{Args, Command};
use super::failure::{Failure, Outcome};
use super::mapping_args::MappingArgs;
use super::output::json;
use crate::console::complain;
use crate::nat::{Kernel, Line, NatError, Plan, PortList, Wishes};

pub(super) const COMMAND: Command = Command {
    name: "nft",
    about: "the nftables rules of an end-user prefix, not applied",
    help: "\
Usage: mape nft PREFIX --device NAME [--provider ID | --rule RULE ...] [--legacy]
                [--nat MODE] [--reserve PORTS] [--conntrack WORD] [--json]

Prints the rules that would be loaded for a tunnel device: what `nft -f` takes.
With the pool the device must exist when they are loaded.

  PREFIX           end-user prefix, or any address within (then its /64);
                   --prefix PREFIX means the same
  --device NAME    tunnel device, such as map-wanmap
  --provider ID    rules of a known provider; auto, the default, finds it
  --rule RULE      a rule in the stock form, several times for several rules
  --legacy         rules are of draft-03 (UCI's legacymap), not of RFC 7597
  --nat MODE       auto, pool or hash; auto prints what a full kernel gets
  --reserve PORTS  ports or ranges that outgoing connections never take
  --conntrack WORD normal, the default, or tight for shorter timeouts
  --json           one JSON object with the rules as text

Example:
  mape nft 240b:10:1:200::/56 --device map-wanmap --reserve 4128
",
    options: &[
        "json",
        "device=",
        "nat=",
        "conntrack=",
        "reserve=",
        "prefix=",
        "provider=",
        "rule=",
        "legacy",
    ],
    words: 1,
    run,
};

fn run(args: &Args, out: &mut String) -> Outcome {
    let defaults = Wishes::default();
    let wishes = Wishes {
        mode: args.parsed("nat")?.unwrap_or(defaults.mode),
        timeouts: args.parsed("conntrack")?.unwrap_or(defaults.timeouts),
        reserve: PortList::parse(args.get("reserve").unwrap_or_default())
            .map_err(|error| Failure::failed(format_args!("--reserve: {error}")))?,
        ..defaults
    };
    let device = args.get("device");
    let device = device.ok_or_else(|| Failure::usage("--device is missing"))?;
    let found = MappingArgs::read(args)?.find()?;
    // Tables are named after the interface, of which the device is made.
    let interface = device.strip_prefix("map-").unwrap_or(device);
    let line = Line::new(interface, device, &found.mapping.clone().into(), false);
    let plan = Plan::new(line, &wishes, &Kernel::full()).map_err(|error| match error {
        // Only the device was named here.
        NatError::Interface(_) => Failure::failed(NatError::Device(device.to_owned())),
        other => Failure::failed(other),
    })?;
    for warning in plan.warnings() {
        complain(&format!("mape: warning: --{warning}"));
    }
    let ruleset = plan.combined();
    if args.has("json") {
        json(
            out,
            &Answer {
                mode: plan.technique().name(),
                reason: plan.reason(),
                ruleset: &ruleset,
            },
        )
    } else {
        out.push_str(&ruleset);
        Ok(())
    }
}

/// The answer of `mape nft`.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    mode: &'a str,
    reason: &'a str,
    ruleset: &'a str,
}
