// SPDX-License-Identifier: GPL-2.0-or-later
//! The newc archive that Linux unpacks as its first root
//! (Documentation/driver-api/early-userspace/buffer-format.rst).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// An initramfs under construction.
#[derive(Default)]
pub struct Archive {
    bytes: Vec<u8>,
    entries: u32,
    seen: BTreeSet<PathBuf>,
}

const DIRECTORY: u32 = 0o040_755;
const FILE: u32 = 0o100_755;
const SYMLINK: u32 = 0o120_777;
const CONSOLE: u32 = 0o020_600;

impl Archive {
    /// Whether `path` is in the archive.
    pub fn has(&self, path: &Path) -> bool {
        self.seen.contains(relative(path))
    }

    /// Adds a directory and its parents.
    pub fn directory(&mut self, path: &Path) {
        for part in relative(path).ancestors().collect::<Vec<_>>().iter().rev() {
            if part.as_os_str().is_empty() || !self.seen.insert(part.to_path_buf()) {
                continue;
            }
            self.entry(part, DIRECTORY, &[], (0, 0));
        }
    }

    /// Adds an executable file.
    pub fn file(&mut self, path: &Path, content: &[u8]) {
        self.add(path, FILE, content, (0, 0));
    }

    /// Adds a symbolic link.
    pub fn symlink(&mut self, path: &Path, to: &str) {
        self.add(path, SYMLINK, to.as_bytes(), (0, 0));
    }

    /// Adds `/dev/console`, which the kernel opens for the first process.
    pub fn console(&mut self) {
        self.add(Path::new("dev/console"), CONSOLE, &[], (5, 1));
    }

    /// The finished archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry(Path::new("TRAILER!!!"), 0, &[], (0, 0));
        self.bytes
    }

    fn add(&mut self, path: &Path, mode: u32, content: &[u8], device: (u32, u32)) {
        let path = relative(path).to_path_buf();
        if let Some(parent) = path.parent() {
            self.directory(parent);
        }
        if self.seen.insert(path.clone()) {
            self.entry(&path, mode, content, device);
        }
    }

    fn entry(&mut self, path: &Path, mode: u32, content: &[u8], device: (u32, u32)) {
        let name = path.to_string_lossy();
        self.entries += 1;
        let fields = [
            self.entries,
            mode,
            0,
            0,
            1,
            0,
            u32::try_from(content.len()).unwrap_or(u32::MAX),
            0,
            0,
            device.0,
            device.1,
            u32::try_from(name.len() + 1).unwrap_or(u32::MAX),
            0,
        ];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes
                .extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        while !self.bytes.len().is_multiple_of(4) {
            self.bytes.push(0);
        }
    }
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}
