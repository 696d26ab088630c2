// SPDX-License-Identifier: GPL-2.0-or-later
//! Rules for ports that pass untranslated.

use std::fmt::{self, Formatter};

use super::plan::Plan;
use crate::map::PortRange;

/// Writes a rule for TCP and UDP packets whose `port`, as nft names it, passes
/// untranslated; nothing if no port does. `condition` comes first in
/// the rule and ends in a space, or is empty.
pub(super) fn write_rule(
    f: &mut Formatter<'_>,
    plan: &Plan,
    condition: &str,
    port: &str,
    verdict: &str,
) -> fmt::Result {
    let passing = plan.passing();
    if passing.is_empty() {
        return Ok(());
    }
    writeln!(
        f,
        "\t\t{condition}meta l4proto {{ tcp, udp }} {port} {{ {passing} }} {verdict}"
    )
}

/// Writes, for each range of UPnP's ports, a rule for TCP and UDP packets that
/// come from it.
pub(super) fn write_upnp_rules(
    f: &mut Formatter<'_>,
    plan: &Plan,
    verdict: &dyn Fn(PortRange) -> String,
) -> fmt::Result {
    for range in plan.upnp().ranges() {
        let verdict = verdict(range);
        writeln!(
            f,
            "\t\tmeta l4proto {{ tcp, udp }} th sport {range} {verdict}"
        )?;
    }
    Ok(())
}
