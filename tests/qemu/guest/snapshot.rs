// SPDX-License-Identifier: GPL-2.0-or-later
//! Everything a teardown could forget.

use super::netns::Netns;
use super::router::Router;
use crate::Result;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Tables, links, addresses, routes, rules and files of the CE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeSet<String>);

impl Snapshot {
    /// Looks at the CE as it is now.
    pub fn take(ce: &Netns, router: &Router) -> Result<Self> {
        let mut found = BTreeSet::new();
        for words in [
            &["nft", "list", "tables"][..],
            &["ip", "-brief", "link"],
            &["ip", "-brief", "address"],
            &["ip", "-4", "route", "show", "table", "all"],
            &["ip", "-6", "route", "show", "table", "all"],
            &["ip", "-4", "rule"],
            &["ip", "-6", "rule"],
        ] {
            let what = words.join(" ");
            for line in ce.run(words)?.lines() {
                if let Some(line) = lasting(line) {
                    found.insert(format!("{what}: {line}"));
                }
            }
        }
        files(router.root(), &mut found);
        Ok(Self(found))
    }

    /// What there is now and was not in `before`, or the other way round.
    pub fn beyond(&self, before: &Self) -> String {
        let new = self.0.difference(&before.0).map(|line| format!("+ {line}"));
        let gone = before.0.difference(&self.0).map(|line| format!("- {line}"));
        new.chain(gone).collect::<Vec<_>>().join("; ")
    }
}

/// A line without what comes and goes by itself: the state of the carrier and
/// the link-local addresses and routes that follow it.
fn lasting(line: &str) -> Option<String> {
    if line.contains(" fe80::") && line.contains(" dev ") || line.starts_with("fe80::") {
        return None;
    }
    let words: Vec<&str> = line
        .split_whitespace()
        .filter(|word| !["UP", "DOWN", "UNKNOWN"].contains(word))
        .filter(|word| !word.starts_with("fe80::") && !word.starts_with('<'))
        .collect();
    Some(words.join(" "))
}

fn files(place: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        }
        found.insert(format!("file: {}", path.display()));
    }
}
