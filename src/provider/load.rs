// SPDX-License-Identifier: GPL-2.0-or-later
//! The files the table comes from.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use super::problem::{Problem, Warning};
use super::table::Table;
use crate::paths::stems_in;

/// The table of the package.
const PACKAGED: &str = "/usr/share/mape/providers.json";
/// Files of the user, read in the order of their names.
const LOCAL: &str = "/etc/mape/providers.d";
/// Largest file that is read, in bytes: several times what 4,096 rules take.
const MAX_SIZE: u64 = 1 << 20;

/// A table and what was wrong with its files.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// All that could be used.
    pub table: Table,
    /// One for each file or entry that was not.
    pub warnings: Vec<Warning>,
}

/// Reads the packaged table and the user's files under `root` (`/` on a
/// router).
pub fn load(root: impl AsRef<Path>) -> Loaded {
    below(root.as_ref().to_string_lossy().trim_end_matches('/'))
}

fn below(root: &str) -> Loaded {
    let packaged = format!("{root}{PACKAGED}");
    let (mut table, mut warnings) = match read(&packaged) {
        Ok(text) => Table::parse(&text, &packaged),
        Err(error) if error.is_missing() => (Table::default(), Vec::new()),
        Err(error) => (Table::default(), vec![unreadable(packaged.clone(), &error)]),
    };
    if table.rule_count() == 0 {
        warnings.push(Warning {
            source: packaged,
            entry: String::new(),
            problem: Problem::NoTable,
        });
    }
    let local = format!("{root}{LOCAL}");
    match stems_in(Path::new(&local), "json") {
        Ok(names) => {
            for name in names {
                extend(&mut table, format!("{local}/{name}.json"), &mut warnings);
            }
        }
        Err(error) => warnings.push(unreadable(local, &error)),
    }
    Loaded { table, warnings }
}

fn extend(table: &mut Table, path: String, warnings: &mut Vec<Warning>) {
    match read(&path) {
        Ok(text) => warnings.extend(table.extend(&text, &path)),
        Err(error) => warnings.push(unreadable(path, &error)),
    }
}

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("{0}")]
    System(#[from] io::Error),
    #[error("{0}")]
    Unfit(&'static str),
}

impl Unreadable {
    fn is_missing(&self) -> bool {
        matches!(self, Unreadable::System(error) if error.kind() == ErrorKind::NotFound)
    }
}

fn read(path: &str) -> Result<String, Unreadable> {
    // A FIFO or device in the directory must not hold up the handler.
    if !fs::metadata(path)?.is_file() {
        return Err(Unreadable::Unfit("not a regular file"));
    }
    let mut text = String::new();
    File::open(path)?
        .take(MAX_SIZE + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_SIZE {
        return Err(Unreadable::Unfit("larger than 1 MiB"));
    }
    Ok(text)
}

fn unreadable(source: String, error: &dyn Display) -> Warning {
    Warning {
        source,
        entry: String::new(),
        problem: Problem::Unreadable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packaged_file_is_all_used() {
        let loaded = load("files");
        assert_eq!(loaded.warnings, []);
        assert_eq!(loaded.table.rule_count(), 4 + 258 + 160 + 18);
    }
}
