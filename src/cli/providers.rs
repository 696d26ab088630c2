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
        ProviderError::NoMatch { .. } => Failure::failed(format_args!(
            "{prefix} belongs to no known provider; if yours named a rule, give it with --rule"
        )),
        ProviderError::Unconfirmed { name, rule, id, .. } => Failure::failed(format_args!(
            "{prefix} may be {name} by rule {rule}, which nobody has confirmed yet; \
             --provider {id} takes it"
        )),
        other => Failure::failed(other),
    }
}

/// Why no rule of the provider that was asked for maps `prefix`, and whose the
/// prefix is.
pub(super) fn mismatch(asked: &Named, prefix: &Ipv6Net, error: &MapError) -> Box<Failure> {
    if !matches!(error, MapError::NoRule(_)) {
        return Failure::failed(error);
    }
    let table = table();
    let whose = match table.lookup_line(prefix) {
        Verdict::Map(found) | Verdict::Unconfirmed(found) => {
            let named = Named::from(found.provider());
            format!("it belongs to {named}: give --provider {}", named.id)
        }
        Verdict::NotMap(line) => format!("it belongs to {}", title(line.name(), line.id())),
        Verdict::Unknown => "it belongs to no known provider; check the prefix".into(),
    };
    Failure::failed(format_args!("no rule of {asked} matches {prefix}; {whose}"))
}
