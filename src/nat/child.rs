// SPDX-License-Identifier: GPL-2.0-or-later
//! One child process: given its input, heard, limited in time, and gone when
//! we are.
//!
//! Its input and what it says are files without a name, so there is no pipe
//! that either side could wait for. `std::process` would do all of this too; a
//! router pays 25 KB for it.

use std::ffi::{CStr, CString, c_char};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};
use std::{ptr, thread};

use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{
    ForkResult, Pid, Whence, chdir, dup2_stderr, dup2_stdin, dup2_stdout, fork, getppid, lseek,
};

use crate::streams;

/// Most of what a child says that is kept.
const MAX_HEARD: usize = 64 * 1024;

/// Time between two looks at whether the child has ended.
const NAP: Duration = Duration::from_millis(2);

/// Exit status of a child that could not become the program, as of shells.
const NOT_STARTED: i32 = 127;

/// How a child ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// By itself.
    Exit {
        /// Its exit status; `None` where a signal ended it.
        status: Option<i32>,
        /// The beginning of what it said.
        said: Vec<u8>,
    },
    /// It never began: there is no such program, or it cannot be run.
    NotStarted,
    /// It took too long and was killed.
    Killed,
}

/// Runs `program` to its end with `input` as its standard input.
///
/// # Errors
/// No process could be made, or it could not be waited for.
pub(super) fn run(
    program: &str,
    args: &[&CStr],
    input: &[u8],
    timeout: Duration,
) -> io::Result<Ended> {
    let deadline = Instant::now() + timeout;
    let stdin = nameless()?;
    streams::write_all(stdin.as_fd(), input)?;
    lseek(&stdin, 0, Whence::SeekSet)?;
    let said = nameless()?;
    let program = CString::new(program)?;
    let mut argv = vec![program.as_ptr()];
    argv.extend(args.iter().map(|arg| arg.as_ptr()));
    argv.push(ptr::null());
    let parent = Pid::this();
    // SAFETY: all the child does is `become_program`, which allocates nothing
    // and takes no lock: other threads' locks stay taken in it for ever.
    #[allow(unsafe_code, reason = "the only way to have a child die with us")]
    let child = match unsafe { fork() }? {
        ForkResult::Parent { child } => child,
        ForkResult::Child => become_program(&argv, &stdin, &said, parent),
    };
    let status = match end_of(child, deadline)? {
        WaitStatus::StillAlive => return Ok(Ended::Killed),
        WaitStatus::Exited(_, NOT_STARTED) => return Ok(Ended::NotStarted),
        WaitStatus::Exited(_, status) => Some(status),
        _ => None,
    };
    lseek(&said, 0, Whence::SeekSet)?;
    let mut said = streams::all(said.as_fd(), MAX_HEARD)?;
    said.truncate(MAX_HEARD);
    Ok(Ended::Exit { status, said })
}

/// A file in memory that goes with the last process that has it open.
fn nameless() -> io::Result<OwnedFd> {
    Ok(memfd_create(c"mape", MFdFlags::MFD_CLOEXEC)?)
}

/// What the child does of itself. netifd kills a handler and tears down right
/// after; rules that an orphan loaded later would stay for ever.
fn become_program(argv: &[*const c_char], stdin: &OwnedFd, said: &OwnedFd, parent: Pid) -> ! {
    let is_ready = set_pdeathsig(Signal::SIGKILL).is_ok()
        // We may have died before it asked.
        && getppid() == parent
        && dup2_stdin(stdin.as_fd()).is_ok()
        && dup2_stdout(said.as_fd()).is_ok()
        && dup2_stderr(said.as_fd()).is_ok()
        && chdir(c"/").is_ok();
    // SAFETY: `argv` holds strings that end in a NUL, the program's first, and
    // ends in a null pointer; all outlive the call, which returns only where it
    // failed.
    #[allow(unsafe_code, reason = "what nix offers would allocate")]
    unsafe {
        if let (true, Some(program)) = (is_ready, argv.first()) {
            libc::execv(*program, argv.as_ptr());
        }
        libc::_exit(NOT_STARTED)
    }
}

/// Waits for the child's end; `StillAlive` where it had to be killed.
fn end_of(child: Pid, deadline: Instant) -> io::Result<WaitStatus> {
    loop {
        match waitpid(child, Some(WaitPidFlag::WNOHANG))? {
            WaitStatus::StillAlive if Instant::now() < deadline => thread::sleep(NAP),
            WaitStatus::StillAlive => {
                // It may have ended by itself meanwhile; either way it is gone.
                let _ = kill(child, Signal::SIGKILL);
                let _ = waitpid(child, None);
                return Ok(WaitStatus::StillAlive);
            }
            ended => return Ok(ended),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, input: &[u8], timeout: Duration) -> Ended {
        let script = CString::new(script).unwrap();
        run("/bin/sh", &[c"-c", &script], input, timeout).unwrap()
    }

    fn exit(ended: Ended) -> (Option<i32>, Vec<u8>) {
        match ended {
            Ended::Exit { status, said } => (status, said),
            other => panic!("{other:?}"),
        }
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn input_larger_than_a_pipe_arrives() {
        let input = vec![b'x'; 1 << 20];
        let (status, said) = exit(sh("wc -c >&2", &input, LONG));
        assert_eq!(status, Some(0));
        assert_eq!(said.trim_ascii(), b"1048576");
    }

    #[test]
    fn a_child_that_reads_nothing_is_heard() {
        let input = vec![b'x'; 1 << 20];
        let ended = exit(sh("echo no >&2; exit 3", &input, LONG));
        assert_eq!(ended, (Some(3), b"no\n".to_vec()));
    }

    #[test]
    fn a_child_that_says_too_much_is_cut_short() {
        let (status, said) = exit(sh("head -c 300000 /dev/zero >&2", b"", LONG));
        assert_eq!(status, Some(0));
        assert_eq!(said.len(), MAX_HEARD);
    }

    #[test]
    fn a_child_that_hangs_is_killed() {
        let short = Duration::from_millis(100);
        let ended = sh("exec sleep 1000", b"input", short);
        assert!(matches!(ended, Ended::Killed), "{ended:?}");
    }

    #[test]
    fn a_grandchild_holds_nobody_up() {
        let (status, _) = exit(sh("sleep 3 & exit 0", b"input", LONG));
        assert_eq!(status, Some(0));
    }

    #[test]
    fn what_cannot_be_run_is_told_from_what_fails() {
        let missing = run("/nowhere/nft", &[], b"", LONG).unwrap();
        assert!(matches!(missing, Ended::NotStarted), "{missing:?}");
        assert_eq!(exit(sh("kill -9 $$", b"", LONG)).0, None);
    }
}
