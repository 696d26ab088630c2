// SPDX-License-Identifier: GPL-2.0-or-later
//! The router's package manager, and packages for it.

use super::router::Router;
use crate::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// How a package manager is told things.
pub struct Manager {
    /// What the names of its packages end in.
    pub kind: &'static str,
    install: &'static str,
    remove: &'static str,
    installed: &'static str,
}

const OPKG: Manager = Manager {
    kind: "ipk",
    install: "opkg install",
    remove: "opkg remove",
    installed: "opkg list-installed",
};

const APK: Manager = Manager {
    kind: "apk",
    install: "apk add --allow-untrusted --no-network",
    remove: "apk del",
    installed: "apk list --installed --no-network",
};

/// Where packages are put on the router.
const FOLDER: &str = "/tmp/packages";

impl Manager {
    /// That of the router.
    pub fn of(router: &Router) -> Result<Self> {
        match router.run("command -v opkg || command -v apk")?.trim() {
            path if path.ends_with("/opkg") => Ok(OPKG),
            _ => Ok(APK),
        }
    }

    /// Installs all packages of its kind in a folder of this machine, and
    /// returns their names.
    pub fn install(&self, router: &Router, dir: &Path) -> Result<String> {
        router.run(&format!("rm -rf {FOLDER} && mkdir {FOLDER}"))?;
        let mut names = Vec::new();
        for path in self.packages(dir)? {
            let content = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            router.feed(&format!("cat >{FOLDER}/{name}"), &content)?;
            names.push(name.into_owned());
        }
        router.run(&format!("{} {FOLDER}/*.{}", self.install, self.kind))?;
        Ok(names.join(", "))
    }

    fn packages(&self, dir: &Path) -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        let mut found: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ext| ext == self.kind))
            .collect();
        found.sort();
        if found.is_empty() {
            return Err(format!("no .{} in {}", self.kind, dir.display()));
        }
        Ok(found)
    }

    /// Removes packages.
    pub fn remove(&self, router: &Router, names: &str) -> Result<()> {
        router.run(&format!("{} {names}", self.remove)).map(drop)
    }

    /// What it says of the installed packages whose names have `word`.
    pub fn installed(&self, router: &Router, word: &str) -> Result<String> {
        router.run(&format!("{} | grep {word} || true", self.installed))
    }
}
