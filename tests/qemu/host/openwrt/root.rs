// SPDX-License-Identifier: GPL-2.0-or-later
//! A root file system, as a folder or a tar, made into a disk that boots.

use super::disk::Disk;
use crate::Result;
use crate::host::image;
use crate::host::kernel::{self, Kernel, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Modules that a router loads; what these depend on comes along.
const MODULES: &[&str] = &[
    "/kernel/net/",
    "/kernel/drivers/net/dummy.",
    "/kernel/drivers/net/ifb.",
    "/kernel/drivers/net/ppp/",
    "/kernel/drivers/net/tun.",
    "/kernel/drivers/net/veth.",
    "/kernel/crypto/",
    "/kernel/lib/",
];

/// What the kernel must have before OpenWrt's own init runs. OpenWrt's kernels
/// for virtual machines have these drivers built in, Debian's have not.
const EARLY: &[&str] = &["virtio_pci", "virtio_blk", "virtio_net", "ext4"];

/// Megabytes of the disk.
const SIZE: &str = "512M";

/// Makes the disk below `dir`. `own` is a kernel of the user's, which finds its
/// modules in the root file system; without it, Debian's kernel and modules.
/// `add` is shown the files before they are on the disk.
pub fn disk(
    root: &Path,
    own: Option<&Path>,
    dir: &Path,
    add: impl Fn(&Path) -> Result<()>,
) -> Result<Disk> {
    let copy = dir.join("openwrt-root");
    unpack(root, &copy)?;
    add(&copy)?;
    let (kernel, initramfs) = match own {
        Some(kernel) => (kernel.to_owned(), None),
        None => {
            let kernel = kernel::prepare(dir)?;
            add_modules(&copy, &kernel)?;
            let initramfs = initramfs(dir, &kernel)?;
            (kernel.image, Some(initramfs))
        }
    };
    let file = dir.join("openwrt.img");
    let _ = fs::remove_file(&file);
    run(Command::new("mke2fs")
        .args(["-q", "-t", "ext4", "-E", "root_owner=0:0", "-d"])
        .args([&copy, &file])
        .arg(SIZE))?;
    fs::remove_dir_all(&copy).map_err(|e| format!("{}: {e}", copy.display()))?;
    Ok(Disk {
        file,
        kernel: Some(kernel),
        initramfs,
    })
}

/// A copy of the root file system that may be changed.
fn unpack(root: &Path, copy: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(copy);
    fs::create_dir_all(copy).map_err(|e| format!("{}: {e}", copy.display()))?;
    if root.is_dir() {
        run(Command::new("cp").arg("-a").arg(root.join(".")).arg(copy))?;
    } else {
        run(Command::new("tar")
            .args(["--numeric-owner", "-xpf"])
            .arg(root)
            .arg("-C")
            .arg(copy))?;
    }
    match copy.join("sbin/init").symlink_metadata() {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{}: it has no /sbin/init", root.display())),
    }
}

/// OpenWrt looks for modules in one folder without subfolders, and cannot
/// decompress them.
fn add_modules(root: &Path, kernel: &Kernel) -> Result<()> {
    let place = root.join("lib/modules").join(&kernel.release);
    fs::create_dir_all(&place).map_err(|e| format!("{}: {e}", place.display()))?;
    for module in kernel.wanted(|path| MODULES.iter().any(|part| path.starts_with(part)))? {
        let from = kernel.modules.join(module);
        let to = place.join(from.file_name().unwrap_or_default());
        fs::copy(&from, &to).map_err(|e| format!("{}: {e}", from.display()))?;
        if to.extension().is_some_and(|ext| ext == "xz") {
            run(Command::new("xz").arg("-d").arg(&to))?;
        }
    }
    Ok(())
}

/// The first root: loads what the disk needs and goes on there.
fn initramfs(dir: &Path, kernel: &Kernel) -> Result<PathBuf> {
    let mut archive = image::skeleton();
    image::tools(&mut archive, &["busybox", "kmod"])?;
    for applet in ["sh", "mount", "switch_root"] {
        archive.symlink(&Path::new("usr/bin").join(applet), "/usr/sbin/busybox");
    }
    archive.symlink(Path::new("usr/sbin/modprobe"), "kmod");
    image::modules(&mut archive, kernel, |path| {
        EARLY
            .iter()
            .any(|name| path.contains(&format!("/{name}.ko")))
    })?;
    let init = format!(
        "#!/usr/bin/sh\n\
         mount -t proc proc /proc\n\
         mount -t sysfs sys /sys\n\
         mount -t devtmpfs dev /dev\n\
         modprobe -a {}\n\
         mount -t ext4 /dev/vda /root && exec switch_root /root /sbin/init\n",
        EARLY.join(" ")
    );
    archive.file(Path::new("init"), init.as_bytes());
    let path = dir.join("openwrt-initramfs");
    fs::write(&path, archive.finish()).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(path)
}
