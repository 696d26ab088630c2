// SPDX-License-Identifier: GPL-2.0-or-later
//! A wait that lasts for days: the process is put in place of itself, now and
//! then, since its memory only goes back when it ends (`heap`). Its number, by
//! which netifd knows it, stays.

use std::convert::Infallible;
use std::ffi::CString;
use std::io;

use nix::unistd::execv;

use crate::files;
use crate::heap;

/// Bytes that a wait may take until then: an attempt takes a tenth of it and
/// less, unless files of providers are large.
const ENOUGH: usize = 1 << 20;

/// Words of a call of netifd: name, protocol, action, interface, configuration,
/// and perhaps a device.
const WORDS: usize = 6;

/// Whether this process has taken enough.
pub fn is_due() -> bool {
    heap::taken() > ENOUGH
}

/// Starts the same call again in this process; what has been `said` already is
/// the argument after those of netifd.
///
/// # Errors
/// It cannot be started, and goes on as it is.
pub fn begin(said: &str) -> io::Result<Infallible> {
    let call = files::read("/proc/self/cmdline", usize::MAX)?;
    let mut words: Vec<CString> = Vec::new();
    for word in call.split(|&byte| byte == 0).take(WORDS) {
        words.push(CString::new(word)?);
    }
    words.resize(WORDS, CString::default());
    words.push(CString::new(said)?);
    Ok(execv(c"/proc/self/exe", &words)?)
}
