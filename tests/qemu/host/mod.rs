// SPDX-License-Identifier: GPL-2.0-or-later
//! The driver: prepares, boots, collects, reports.

mod boot;
mod cpio;
mod figures;
mod image;
pub mod isp;
mod kernel;
mod openwrt;
mod table;

use crate::Result;
use crate::guest::oracle::Line;
use crate::report::Outcome;
use nix::fcntl::{Flock, FlockArg};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const SKIPPED: &str = "qemu: skipped, it boots a virtual machine. Run it with `make test-qemu`, \
one scenario with `make test-qemu SCENARIO=fill_v6plus`.";

const STOPPED: &str = "the machine stopped before its end; target/qemu/console.log has its words";

/// Where kernel, initramfs and results are kept.
fn work_dir() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    target.join("qemu")
}

/// Runs what the environment asks for: `MAPE_QEMU=test`, `demo` or nothing.
pub fn main() -> ExitCode {
    // Needs no machine, so that nobody finds out late.
    if let Err(why) = crate::guest::scenarios::doctor::complete() {
        eprintln!("qemu: {why}");
        return ExitCode::FAILURE;
    }
    let mode = std::env::var("MAPE_QEMU").unwrap_or_default();
    let done = match mode.as_str() {
        "" | "0" => {
            println!("{SKIPPED}");
            return ExitCode::SUCCESS;
        }
        "demo" => demo_line().and_then(|_| run("demo")).and_then(|outcome| {
            if outcome.finished {
                Ok(outcome.verdicts.iter().all(|(_, verdict)| verdict.is_ok()))
            } else {
                Err(STOPPED.to_owned())
            }
        }),
        "figures" => figures::main(),
        "openwrt" => openwrt::main(),
        "isp" => isp::main().map(|()| true),
        _ => run("test").and_then(|outcome| judge(&outcome)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("qemu: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The line that the demo shows.
fn demo_line() -> Result<Line> {
    Line::of(&std::env::var("PROVIDER").unwrap_or_default())
}

fn run(mode: &str) -> Result<Outcome> {
    let dir = work_dir();
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let _alone = alone(&dir)?;
    let kernel = kernel::prepare(&dir)?;
    let initramfs = image::build(&dir, &kernel, None)?;
    println!(
        "booting Linux {} in QEMU, which takes a while",
        kernel.release
    );
    boot::run(&dir, &kernel, &initramfs, mode)
}

/// The machine's files are the folder's only ones: a second run waits for the first.
fn alone(dir: &Path) -> Result<Flock<File>> {
    let path = dir.join("lock");
    let open = || File::create(&path).map_err(|e| format!("{}: {e}", path.display()));
    Flock::lock(open()?, FlockArg::LockExclusiveNonblock).or_else(|_| {
        println!("qemu: another run has {}, waiting for it", dir.display());
        Flock::lock(open()?, FlockArg::LockExclusive)
            .map_err(|(_, e)| format!("{}: {e}", path.display()))
    })
}

fn judge(outcome: &Outcome) -> Result<bool> {
    let path = work_dir().join("figures.json");
    let json = serde_json::to_string_pretty(&outcome.to_json()).map_err(|e| e.to_string())?;
    std::fs::write(&path, json + "\n").map_err(|e| format!("{}: {e}", path.display()))?;
    table::print(outcome);
    let failed = outcome.verdicts.iter().filter(|(_, v)| v.is_err()).count();
    let passed = outcome.verdicts.len() - failed;
    println!("{passed} passed, {failed} failed");
    if !outcome.finished {
        return Err(STOPPED.to_owned());
    }
    if outcome.verdicts.is_empty() {
        return Err("no scenario of that name".to_owned());
    }
    Ok(failed == 0)
}
