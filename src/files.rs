// SPDX-License-Identifier: GPL-2.0-or-later
//! Files by their paths. The C library does all of it; what `std::fs` and
//! `std::path` make of paths, flags and errors on the way is 10 KB.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{self, AT_FDCWD, OFlag, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, lstat, stat};
use nix::unistd::unlink;

use crate::streams;

/// Opens a file; a new one is everybody's to read.
pub(crate) fn open(path: &str, how: OFlag) -> io::Result<OwnedFd> {
    let mode = Mode::from_bits_truncate(0o644);
    let how = how | OFlag::O_CLOEXEC;
    Ok(fcntl::open(CString::new(path)?.as_c_str(), how, mode)?)
}

/// What is in a file, up to its end or a little more than `limit` bytes.
pub(crate) fn read(path: &str, limit: usize) -> io::Result<Vec<u8>> {
    streams::all(open(path, OFlag::O_RDONLY)?.as_fd(), limit)
}

/// The text of a file; what is not UTF-8 is replaced by U+FFFD.
pub(crate) fn text(path: &str) -> io::Result<String> {
    let bytes = read(path, usize::MAX)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Opens a file, and writes `contents` into it.
pub(crate) fn write(path: &str, how: OFlag, contents: &[u8]) -> io::Result<()> {
    streams::write_all(open(path, how | OFlag::O_WRONLY)?.as_fd(), contents)
}

/// Whether there is anything at that path, at the end of a link if it is one.
pub(crate) fn exists(path: &str) -> bool {
    at(path).is_ok()
}

/// Whether a plain file is at that path, at the end of a link if it is one.
///
/// # Errors
/// Nothing is there, or it cannot be seen.
pub(crate) fn is_file(path: &str) -> io::Result<bool> {
    Ok(is(&at(path)?, SFlag::S_IFREG))
}

/// Whether a plain file, and no link to one, is at that path.
pub(crate) fn is_file_itself(path: &str) -> bool {
    let found = CString::new(path).map(|path| lstat(path.as_c_str()));
    matches!(found, Ok(Ok(found)) if is(&found, SFlag::S_IFREG))
}

fn at(path: &str) -> io::Result<FileStat> {
    Ok(stat(CString::new(path)?.as_c_str())?)
}

fn is(found: &FileStat, kind: SFlag) -> bool {
    found.st_mode & SFlag::S_IFMT.bits() == kind.bits()
}

/// Whether what was asked for does not exist.
pub(crate) fn is_missing(error: &io::Error) -> bool {
    streams::is(error, Errno::ENOENT)
}

/// Names of the files in `directory` that are called SOMETHING`ending`, sorted,
/// as text and without the ending. None where there is no such directory.
///
/// # Errors
/// The directory cannot be read.
pub(crate) fn names_in(directory: &str, ending: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut directory = match open(directory, OFlag::O_DIRECTORY) {
        Ok(directory) => Dir::from_fd(directory)?,
        Err(error) if is_missing(&error) => return Ok(names),
        Err(error) => return Err(error),
    };
    for entry in directory.iter() {
        if let Ok(name) = entry?.file_name().to_str()
            && let Some(stem) = name.strip_suffix(ending)
            && !stem.is_empty()
        {
            let at = names.partition_point(|name: &String| name.as_str() < stem);
            names.insert(at, stem.to_owned());
        }
    }
    Ok(names)
}

/// Gives a file another name, whose old bearer goes.
pub(crate) fn rename(from: &str, to: &str) -> io::Result<()> {
    let (from, to) = (CString::new(from)?, CString::new(to)?);
    Ok(renameat(
        AT_FDCWD,
        from.as_c_str(),
        AT_FDCWD,
        to.as_c_str(),
    )?)
}

/// Removes a file; one that is gone is no error.
pub(crate) fn remove_if_there(path: &str) -> io::Result<()> {
    match unlink(CString::new(path)?.as_c_str()) {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
