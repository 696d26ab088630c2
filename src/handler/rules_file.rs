// SPDX-License-Identifier: GPL-2.0-or-later
//! `/tmp/map-<interface>.rules` as the stock package writes it: the rule, then
//! what the helper computed from it. Scripts of users read it.

use crate::map::stock::{Link, report};
use crate::map::{Mapping, RuleSpec};

/// The file's text. `rule_text` is the rules as configured; those that came
/// from a provider are written as if they had been. `uplink` is the logical
/// interface the prefix is from.
pub fn text(mapping: &Mapping, rule_text: &str, uplink: &str) -> String {
    let rule = match rule_text {
        "" => provider_rule(mapping),
        configured => configured.to_owned(),
    };
    let link = Link {
        interface: uplink.into(),
        prefixes: vec![mapping.end_user()],
    };
    let mut rules = Vec::new();
    rules.extend(rule.split_whitespace());
    let report = report(&rules, mapping.dialect(), uplink, &[link]);
    format!("rule={rule}\n{}", report.output)
}

fn provider_rule(mapping: &Mapping) -> String {
    let bmr = mapping.bmr();
    let mut spec = RuleSpec::from_rule(bmr, mapping.map_type(), mapping.border());
    spec.fmr = mapping.fmrs().contains(bmr);
    spec.to_string()
}
