// SPDX-License-Identifier: GPL-2.0-or-later
//! The providers this machine knows, for every command that needs them, and
//! what to say if none or another one fits.

use std::fmt;

use ipnet::Ipv6Net;

use super::failure::Failure;
use crate::console::complain;
use crate::console::title;
use crate::map::MapError;
use crate::paths;
use crate::provider::{Provider, ProviderError, Table, Verdict, load};
use crate::reason::said;

/// The table of the installed files. What is wrong with them goes to standard error, a line each.
pub(super) fn table() -> Table {
    let loaded = load(paths::rooted(""));
    for warning in &loaded.warnings {
        complain(&format!("mape: warning: {warning}"));
    }
    loaded.table
}

/// A provider, as people get to see it.
#[derive(Debug)]
pub(super) struct Named {
    /// The word for `--provider`.
    pub id: String,
    name: String,
}

impl From<&Provider> for Named {
    fn from(provider: &Provider) -> Self {
        Named {
            id: provider.id().to_owned(),
            name: provider.name().to_owned(),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&title(&self.name, &self.id))
    }
}

/// Why the table has no rule for `prefix`, in terms of the command line. The error
/// itself names options of UCI.
pub(super) fn refused(error: &ProviderError, prefix: &Ipv6Net) -> Box<Failure> {
    match error {
        ProviderError::NoMatch { .. } => Failure::told(said!(
            "no_provider",
            "{prefix} belongs to no known provider; if yours named a rule, give it with --rule",
            prefix
        )),
        ProviderError::Unconfirmed { name, rule, id, .. } => Failure::told(said!(
            "unconfirmed_rule",
            "{prefix} may be {name} by rule {rule}, which nobody has confirmed yet; \
             --provider {provider} takes it",
            prefix,
            name,
            rule,
            id
        )),
        other => Failure::told(other),
    }
}

/// Why no rule of the provider that was asked for maps `prefix`, and whose the
/// prefix is.
pub(super) fn mismatch(asked: &Named, prefix: &Ipv6Net, error: &MapError) -> Box<Failure> {
    if !matches!(error, MapError::NoRule(_)) {
        return Failure::told(error);
    }
    let table = table();
    let whose = match table.lookup_line(prefix) {
        Verdict::Map(found) | Verdict::Unconfirmed(found) => {
            let named = Named::from(found.provider());
            said!(
                "belongs_to_provider",
                "it belongs to {name}: give --provider {provider}",
                named.to_string(),
                named.id
            )
        }
        Verdict::NotMap(line) => {
            let name = title(line.name(), line.id());
            said!("belongs_to_line", "it belongs to {name}", name)
        }
        Verdict::Unknown => said!(
            "belongs_to_nobody",
            "it belongs to no known provider; check the prefix"
        ),
    };
    Failure::told(said!(
        "no_rule_of",
        "no rule of {provider} matches {prefix}; {reason}",
        asked.to_string(),
        prefix,
        whose
    ))
}
