// SPDX-License-Identifier: GPL-2.0-or-later
//! Rules for ports that pass untranslated.

use std::fmt::{self, Formatter};

use super::plan::Plan;

/// Writes a rule for TCP and UDP packets whose `port` (`sport` or `dport`)
/// passes untranslated; nothing if no port does. `condition` comes first in
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
        "\t\t{condition}meta l4proto {{ tcp, udp }} th {port} {{ {passing} }} {verdict}"
    )
}
