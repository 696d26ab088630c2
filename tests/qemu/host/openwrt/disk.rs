// SPDX-License-Identifier: GPL-2.0-or-later
//! What a router boots from.

use super::root;
use crate::Result;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A disk that the router may write to, and the kernel if the disk has none.
pub struct Disk {
    pub file: PathBuf,
    pub kernel: Option<PathBuf>,
    pub initramfs: Option<PathBuf>,
}

impl Disk {
    /// Made below `dir` from what the user gave: a disk image, or a root file
    /// system as a folder or a tar, with `kernel` or Debian's.
    pub fn make(image: &Path, kernel: Option<&Path>, dir: &Path) -> Result<Self> {
        let name = image.to_string_lossy();
        let is_tar = [".tar", ".tar.gz", ".tgz", ".tar.xz"]
            .iter()
            .any(|ending| name.ends_with(ending));
        if image.is_dir() || is_tar {
            return root::disk(image, kernel, dir, |_| Ok(()));
        }
        let file = dir.join("openwrt.img");
        copy(image, &file)?;
        Ok(Self {
            file,
            kernel: kernel.map(Path::to_owned),
            initramfs: None,
        })
    }

    /// What QEMU is told. A kernel that is not on the disk gets `words` on its
    /// command line; one that is gets none.
    pub fn arguments(&self, words: &str) -> Vec<String> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let drive = format!("file={},format=raw,if=virtio", self.file.display());
        let mut arguments = vec!["-drive".to_owned(), drive];
        if let Some(kernel) = &self.kernel {
            let append = format!("console=ttyS0 root=/dev/vda rootwait rw {words}");
            arguments.extend(["-kernel".to_owned(), path(kernel)]);
            arguments.extend(["-append".to_owned(), append]);
        }
        if let Some(initramfs) = &self.initramfs {
            arguments.extend(["-initrd".to_owned(), path(initramfs)]);
        }
        arguments
    }
}

/// A copy of a disk image that the router may write to.
fn copy(image: &Path, disk: &Path) -> Result<()> {
    let failed = |e: std::io::Error| format!("{}: {e}", image.display());
    if image.extension().is_none_or(|ext| ext != "gz") {
        return fs::copy(image, disk).map(drop).map_err(failed);
    }
    let file = File::create(disk).map_err(failed)?;
    let status = Command::new("gzip")
        .arg("-dc")
        .arg(image)
        .stdout(file)
        .stderr(Stdio::null())
        .status()
        .map_err(failed)?;
    // 2 is a warning: official images carry metadata behind their end.
    match status.code() {
        Some(0 | 2) => Ok(()),
        _ => Err(format!("{} cannot be unpacked", image.display())),
    }
}
