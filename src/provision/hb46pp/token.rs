// SPDX-License-Identifier: GPL-2.0-or-later
//! The token of the last answer, kept for years in a file that only root can
//! read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::values::Token;
use crate::paths::rooted;

/// Where the token of one interface is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFile {
    folder: PathBuf,
    interface: String,
}

impl TokenFile {
    /// The file for that interface.
    pub fn of(interface: &str) -> Self {
        TokenFile {
            folder: rooted("/etc/mape/tokens"),
            interface: interface.to_owned(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(&self.interface)
    }

    /// The token, if there is one. What is none counts as none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn load(&self) -> io::Result<Option<Token>> {
        match fs::read_to_string(self.path()) {
            Ok(text) => Ok(text.trim_end().parse().ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps `token` in place of the old one; writes nothing if it is the same,
    /// since the file is on flash memory. The file is whole at any moment.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn store(&self, token: &Token) -> io::Result<()> {
        if matches!(self.load(), Ok(Some(old)) if old == *token) {
            return Ok(());
        }
        let mut folder = DirBuilder::new();
        folder.recursive(true).mode(0o700).create(&self.folder)?;
        // No interface has a dot in its name.
        let new = self.folder.join(format!("{}.new", self.interface));
        let written = write(&new, token);
        written
            .and_then(|()| fs::rename(&new, self.path()))
            .inspect_err(|_| {
                // What was wrong is in the error already.
                let _ = fs::remove_file(&new);
            })
    }

    /// Forgets the token.
    ///
    /// # Errors
    /// The file is there and cannot be removed.
    pub fn forget(&self) -> io::Result<()> {
        remove_if_there(&self.path())
    }
}

/// Writes a new file that nobody else may read.
fn write(new: &Path, token: &Token) -> io::Result<()> {
    // One that was left behind may have other permissions.
    remove_if_there(new)?;
    let mut options = OpenOptions::new();
    let mut file: File = options.write(true).create_new(true).mode(0o600).open(new)?;
    writeln!(file, "{}", token.expose())?;
    file.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(name: &str) -> TokenFile {
        let folder = std::env::temp_dir().join(format!("mape-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        TokenFile {
            folder: folder.join("tokens"),
            interface: "wan4".into(),
        }
    }

    #[test]
    fn a_token_is_kept_for_root_alone() {
        let file = file("token");
        assert_eq!(file.load().unwrap(), None);
        let token: Token = "0123456789abcdef".repeat(4).parse().unwrap();
        file.store(&token).unwrap();
        assert_eq!(file.load().unwrap(), Some(token.clone()));
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(file.path()), 0o600);
        assert_eq!(mode(file.folder.clone()), 0o700);
        assert_eq!(fs::read_dir(&file.folder).unwrap().count(), 1);
        let other: Token = "f".repeat(64).parse().unwrap();
        file.store(&other).unwrap();
        assert_eq!(file.load().unwrap(), Some(other));
        file.forget().unwrap();
        file.forget().unwrap();
        assert_eq!(file.load().unwrap(), None);
        let _ = fs::remove_dir_all(file.folder.parent().unwrap());
    }

    #[test]
    fn what_is_no_token_counts_as_none() {
        let file = file("no-token");
        fs::create_dir_all(&file.folder).unwrap();
        for text in [&b""[..], b"short", b"\xff\xfe"] {
            fs::write(file.path(), text).unwrap();
            assert_eq!(file.load().unwrap(), None);
        }
        // A file that was left half written does not stand in the way.
        let left = file.folder.join("wan4.new");
        fs::write(&left, "x").unwrap();
        fs::set_permissions(&left, fs::Permissions::from_mode(0o666)).unwrap();
        let token: Token = "a".repeat(64).parse().unwrap();
        file.store(&token).unwrap();
        let mode = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!left.exists());
        let _ = fs::remove_dir_all(file.folder.parent().unwrap());
    }
}
