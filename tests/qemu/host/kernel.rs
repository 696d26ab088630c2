// SPDX-License-Identifier: GPL-2.0-or-later
//! A Debian kernel package, downloaded and unpacked once, never installed.

use crate::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The metapackage whose kernel is booted when `MAPE_KERNEL` names none.
const DEFAULT: &str = "linux-image-cloud-amd64";

/// An unpacked kernel package.
pub struct Kernel {
    pub image: PathBuf,
    pub modules: PathBuf,
    pub release: String,
}

impl Kernel {
    /// The modules whose path below `modules`, with a slash before it, is
    /// `wanted`, and all that these need.
    pub fn wanted(&self, wanted: impl Fn(&str) -> bool) -> Result<BTreeSet<String>> {
        let path = self.modules.join("modules.dep");
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let depends: BTreeMap<&str, &str> = text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .collect();
        Ok(depends
            .iter()
            .filter(|(module, _)| wanted(&format!("/{module}")))
            .flat_map(|(module, needs)| std::iter::once(*module).chain(needs.split_whitespace()))
            .map(str::to_owned)
            .collect())
    }
}

/// Downloads and unpacks the kernel under `dir`, unless it is there already.
pub fn prepare(dir: &Path) -> Result<Kernel> {
    let wanted = std::env::var("MAPE_KERNEL")
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| DEFAULT.to_owned());
    let root = dir.join(&wanted);
    if !root.join("ready").exists() {
        unpack(&root, &wanted)?;
    }
    let modules = root.join("lib/modules");
    let release = fs::read_dir(&modules)
        .map_err(|e| format!("{}: {e}", modules.display()))?
        .find_map(|entry| entry.ok()?.file_name().into_string().ok())
        .ok_or_else(|| format!("{wanted} has no modules"))?;
    Ok(Kernel {
        image: root.join("boot").join(format!("vmlinuz-{release}")),
        modules: modules.join(&release),
        release,
    })
}

fn unpack(root: &Path, wanted: &str) -> Result<()> {
    let package = real_package(wanted)?;
    println!("qemu: fetching {package}");
    // A leftover of an interrupted run must not mix with the new kernel.
    let _ = fs::remove_dir_all(root);
    fs::create_dir_all(root).map_err(|e| format!("{}: {e}", root.display()))?;
    download(root, &[&package])?;
    unpack_into(root)?;
    for entry in fs::read_dir(root.join("lib/modules")).map_err(|e| e.to_string())? {
        let release = entry.map_err(|e| e.to_string())?.file_name();
        run(Command::new("depmod").arg("-b").arg(root).arg(release))?;
    }
    fs::write(root.join("ready"), package).map_err(|e| e.to_string())
}

/// Programs of Debian packages, downloaded and unpacked under `root` once: so
/// no daemon is started where it is not wanted.
pub fn programs(root: &Path, packages: &[&str]) -> Result<()> {
    if root.join("ready").exists() {
        return Ok(());
    }
    println!("qemu: fetching {}", packages.join(", "));
    let _ = fs::remove_dir_all(root);
    fs::create_dir_all(root).map_err(|e| format!("{}: {e}", root.display()))?;
    download(root, packages)?;
    unpack_into(root)?;
    fs::write(root.join("ready"), packages.join(" ")).map_err(|e| e.to_string())
}

fn download(root: &Path, packages: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(["-q", "download"]).args(packages);
    run(command.current_dir(root))
}

/// Unpacks what was downloaded.
fn unpack_into(root: &Path) -> Result<()> {
    let mut found = false;
    for entry in fs::read_dir(root).map_err(|e| e.to_string())?.flatten() {
        let deb = entry.path();
        if deb.extension().is_some_and(|ext| ext == "deb") {
            run(Command::new("dpkg").arg("-x").arg(&deb).arg(root))?;
            let _ = fs::remove_file(&deb);
            found = true;
        }
    }
    if found {
        return Ok(());
    }
    Err(format!("apt-get downloaded nothing to {}", root.display()))
}

/// The image that a metapackage depends on, or the package itself.
fn real_package(wanted: &str) -> Result<String> {
    let out = Command::new("apt-cache")
        .args(["depends", wanted])
        .output()
        .map_err(|e| format!("apt-cache: {e}"))?;
    if !out.status.success() {
        return Err(format!(
            "apt knows no package {wanted}; run apt-get update or set MAPE_KERNEL"
        ));
    }
    let image = String::from_utf8_lossy(&out.stdout)
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: ").map(str::to_owned))
        .find(|name| name.starts_with("linux-image-"));
    Ok(image.unwrap_or_else(|| wanted.to_owned()))
}

/// Runs a program that must succeed.
pub fn run(command: &mut Command) -> Result<()> {
    command.env(
        "PATH",
        format!(
            "{}:/usr/sbin:/sbin",
            std::env::var("PATH").unwrap_or_default()
        ),
    );
    let out = command.output().map_err(|e| {
        format!(
            "{}: {e}; `make setup-qemu` installs it",
            command.get_program().to_string_lossy()
        )
    })?;
    if out.status.success() {
        return Ok(());
    }
    Err(format!(
        "{}: {}",
        command.get_program().to_string_lossy(),
        String::from_utf8_lossy(&out.stderr).trim()
    ))
}
