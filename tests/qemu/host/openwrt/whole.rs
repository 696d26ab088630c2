// SPDX-License-Identifier: GPL-2.0-or-later
//! What a setup and a teardown take on a whole router, with netifd, hotplug and
//! firewall4, in instructions (docs/performance.md).

use super::disk::Disk;
use super::root;
use crate::Result;
use crate::guest::oracle::{OCN, V6PLUS};
use crate::host::figures::{all_measured, verdict};
use crate::host::{STOPPED, alone, boot, work_dir};
use crate::report::Outcome;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// What the router runs, and where the disk has it.
const SCRIPT: &str = include_str!("whole.sh");
const FOLDER: &str = "figures";

/// The packages of this version, those of an earlier one, the stock handler.
const COLUMNS: &[&str] = &["ours", "before", "stock"];

/// A figure, its meaning, and what may be left of it since the earlier version.
const ROWS: &[(&str, &str, Option<f64>)] = &[
    ("setup_v6plus", "setup, v6plus", Some(1.0 / 2.0)),
    ("setup_ocn", "setup, OCN", Some(1.0 / 3.0)),
    ("teardown_v6plus", "teardown, v6plus", None),
    ("teardown_ocn", "teardown, OCN", None),
    ("reload", "a reload of firewall4 without changes", None),
    ("include", "our part of it, `mape firewall`", None),
];

/// Measures, and prints the table. Whether all could be measured; a missed goal
/// is told and fails nothing.
pub fn main(image: &Path) -> Result<bool> {
    let variable = |name: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    let kernel = variable("KERNEL");
    let packages = variable("PACKAGES").ok_or("PACKAGES= names no folder")?;
    let stock = variable("STOCK");
    let dir = work_dir();
    fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let _alone = alone(&dir)?;
    let measure = |name: &str, mape: &Path, stock: Option<&Path>| {
        let disk = root::disk(image, kernel.as_deref(), &dir, |copy| {
            add(copy, name, mape, &packages, stock)
        })?;
        println!("booting the router with {}", mape.display());
        router(&disk, &dir)
    };
    let mut outcome = Outcome::default();
    if let Some(before) = variable("BEFORE") {
        let mut failed = |why| outcome.verdicts.push(("before".to_owned(), Err(why)));
        match measure("before", &before, None) {
            Ok(earlier) if earlier.finished => outcome = earlier,
            Ok(_) => failed(STOPPED.to_owned()),
            Err(why) => failed(why),
        }
    }
    let ours = measure("ours", &packages, stock.as_deref())?;
    outcome.kernel = ours.kernel;
    outcome.figures.extend(ours.figures);
    outcome.verdicts.extend(ours.verdicts);
    outcome.finished = ours.finished;
    print(&outcome);
    let all = all_measured(&outcome);
    if !outcome.finished {
        return Err(STOPPED.to_owned());
    }
    Ok(all)
}

/// Adds to a root file system what it runs after its boot. Of the packages,
/// ours and kernel modules: others that lie there would take part in a setup.
fn add(copy: &Path, name: &str, ours: &Path, packages: &Path, stock: Option<&Path>) -> Result<()> {
    let folder = copy.join(FOLDER);
    let place = folder.join("packages");
    fs::create_dir_all(&place).map_err(|e| format!("{}: {e}", place.display()))?;
    let kind = if copy.join("lib/apk").exists() {
        "apk"
    } else {
        "ipk"
    };
    take(packages, "kmod-", kind, &place)?;
    if take(ours, "mape", kind, &place)? == 0 {
        return Err(format!("{}: it has no mape*.{kind}", ours.display()));
    }
    if let Some(stock) = stock {
        let handler = stock.join("lib/netifd/proto/map.sh");
        put(&handler, &folder.join("map.sh"))?;
        let mapcalc = stock.join("usr/sbin/mapcalc");
        if mapcalc.exists() {
            put(&mapcalc, &folder.join("mapcalc"))?;
        }
    }
    let lines: String = [V6PLUS, OCN]
        .iter()
        .map(|line| {
            let prefix = line.end_user_prefix();
            format!("{} {prefix} {}\n", line.name, line.rule())
        })
        .collect();
    let start = format!("sh /{FOLDER}/whole.sh {name} </dev/null >/dev/console 2>&1 &\n");
    for (file, text) in [
        (folder.join("lines"), lines.as_str()),
        (folder.join("whole.sh"), SCRIPT),
        (copy.join("etc/rc.local"), &start),
    ] {
        fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    Ok(())
}

/// Copies the packages of a kind whose names begin with `word`, and counts them.
fn take(from: &Path, word: &str, kind: &str, to: &Path) -> Result<usize> {
    let entries = fs::read_dir(from).map_err(|e| format!("{}: {e}", from.display()))?;
    let mut taken = 0;
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let is_kind = path.extension().is_some_and(|ext| ext == kind);
        if is_kind && name.to_string_lossy().starts_with(word) {
            put(&path, &to.join(name))?;
            taken += 1;
        }
    }
    Ok(taken)
}

fn put(from: &Path, to: &Path) -> Result<()> {
    let copied = fs::copy(from, to).map_err(|e| format!("{}: {e}", from.display()));
    copied.map(drop)
}

/// Boots a router whose cards have a link and nobody at its other end. Its clock
/// runs ahead of this machine's, so that nobody could log in.
fn router(disk: &Disk, dir: &Path) -> Result<Outcome> {
    let mut command = boot::qemu(&boot::accelerator("figures"));
    command
        .args(["-m", "512", "-no-reboot", "-serial", "stdio"])
        .args(disk.arguments("quiet loglevel=3 panic=-1 random.trust_cpu=on mitigations=off"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    for (index, id) in ["lan", "wan"].into_iter().enumerate() {
        let device = format!(
            "virtio-net-pci,netdev={id},mac=02:00:5e:20:00:0{}",
            index + 1
        );
        // A hub takes packets only if it has another port, even one that leads nowhere.
        let port = format!("hubport,id={id},hubid={index}");
        let nowhere = format!("hubport,id={id}-end,hubid={index}");
        command.args(["-netdev", &port, "-netdev", &nowhere, "-device", &device]);
    }
    boot::collect(command, dir, "figures")
}

/// What is measured with nothing to do: to look for rest takes a little, too.
const NOTHING: &str = "nothing";

/// The least of a figure's runs: whatever else the router did comes on top.
fn least(outcome: &Outcome, column: &str, key: &str) -> Option<f64> {
    let of_key = |(name, figure, _): &&(String, String, f64)| name == column && figure == key;
    let values = outcome.figures.iter().filter(of_key);
    values.map(|(_, _, value)| *value).reduce(f64::min)
}

/// How many instructions that leaves for what was measured.
fn spent(outcome: &Outcome, column: &str, key: &str) -> Option<f64> {
    Some(least(outcome, column, key)? - least(outcome, column, NOTHING)?)
}

fn print(outcome: &Outcome) {
    let columns: Vec<&str> = COLUMNS
        .iter()
        .copied()
        .filter(|column| outcome.figures.iter().any(|(name, ..)| name == column))
        .collect();
    println!("\nkernel {}", outcome.kernel);
    if let Some(nothing) = least(outcome, "ours", NOTHING) {
        let million = number(Some(nothing / 1e6));
        println!("subtracted: {million} million for seeing that the router rests");
    }
    println!("\n{}", header(&columns));
    for (key, what, goal) in ROWS {
        let mut row = format!("| {what} |");
        for column in &columns {
            let million = spent(outcome, column, key).map(|ran| ran / 1e6);
            let made = least(outcome, column, &format!("{key}_processes"));
            row += &format!(" {} | {} |", number(million), number(made));
        }
        let ratio = spent(outcome, "ours", key).zip(spent(outcome, "before", key));
        row += &match (goal, ratio.map(|(ours, before)| ours / before)) {
            (Some(goal), Some(ratio)) => {
                let met = verdict(ratio <= *goal);
                format!(" {ratio:.2}, goal {goal:.2}: {met} |")
            }
            (None, Some(ratio)) => format!(" {ratio:.2} |"),
            (Some(goal), None) => format!(" goal {goal:.2} |"),
            (None, None) => "  |".to_owned(),
        };
        println!("{row}");
    }
}

fn header(columns: &[&str]) -> String {
    let names = columns.iter().enumerate().map(|(index, name)| match index {
        0 => format!(" {name}, million instructions | processes |"),
        _ => format!(" {name} | processes |"),
    });
    let names: String = names.collect();
    let rules = "---:|---:|".repeat(columns.len());
    format!("| |{names} ours / before |\n|---|{rules}---|")
}

/// A number as people read it, with a decimal if it is small.
fn number(value: Option<f64>) -> String {
    let Some(value) = value else {
        return String::new();
    };
    if value < 10.0 && value.fract() != 0.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(",")
}
