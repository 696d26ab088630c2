// SPDX-License-Identifier: GPL-2.0-or-later
//! One child process: given its input, heard, limited in time, and gone when
//! we are.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getppid};

/// Most of what a child says that is kept, in bytes.
const MAX_HEARD: u64 = 64 * 1024;

/// Time between two looks at whether the child has ended.
const NAP: Duration = Duration::from_millis(2);

/// How a child ended.
#[derive(Debug)]
pub enum Ended {
    /// By itself.
    Exit {
        /// Its exit status.
        status: ExitStatus,
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
/// Its input and what it says are files without a name, so there is no pipe
/// that either side, or a process that the child leaves behind, could block.
///
/// # Errors
/// No process could be made, or it could not be waited for.
pub fn run(program: &Path, args: &[&str], input: &[u8], timeout: Duration) -> io::Result<Ended> {
    let deadline = Instant::now() + timeout;
    let mut stdin = nameless()?;
    stdin.write_all(input)?;
    stdin.rewind()?;
    let mut said = nameless()?;
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir("/")
        .stdin(stdin)
        .stdout(said.try_clone()?)
        .stderr(said.try_clone()?);
    die_with_us(&mut command);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if is_about_the_program(&error) => return Ok(Ended::NotStarted),
        Err(error) => return Err(error),
    };
    let Some(status) = wait_until(&mut child, deadline)? else {
        return Ok(Ended::Killed);
    };
    said.rewind()?;
    let mut beginning = Vec::new();
    said.take(MAX_HEARD).read_to_end(&mut beginning)?;
    Ok(Ended::Exit {
        status,
        said: beginning,
    })
}

/// A file in memory that goes with the last process that has it open.
fn nameless() -> io::Result<File> {
    Ok(memfd_create(c"mape", MFdFlags::MFD_CLOEXEC)?.into())
}

/// Has the child killed when this process ends. netifd kills a handler and
/// tears down right after; rules that an orphan loaded later would stay.
fn die_with_us(command: &mut Command) {
    let parent = Pid::this();
    let prepare = move || {
        set_pdeathsig(Signal::SIGKILL)?;
        // We may have died before it asked.
        match getppid() == parent {
            true => Ok(()),
            false => Err(ErrorKind::BrokenPipe.into()),
        }
    };
    // SAFETY: after the fork `prepare` makes two system calls; it allocates
    // nothing and takes no lock, which another thread could hold for ever.
    #[allow(unsafe_code, reason = "the only way to have a child die with us")]
    unsafe {
        command.pre_exec(prepare);
    }
}

/// Whether a program that is missing or damaged is the reason.
fn is_about_the_program(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error().map(Errno::from_raw),
        Some(Errno::ENOENT | Errno::EACCES | Errno::ENOEXEC)
    )
}

/// Waits for the child's end; `None` if it had to be killed.
fn wait_until(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            // It may have ended by itself meanwhile; either way it is gone.
            let _ = child.kill();
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(NAP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, input: &[u8], timeout: Duration) -> Ended {
        run(Path::new("/bin/sh"), &["-c", script], input, timeout).unwrap()
    }

    fn exit(ended: Ended) -> (Option<i32>, Vec<u8>) {
        match ended {
            Ended::Exit { status, said } => (status.code(), said),
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
        assert_eq!(said.len() as u64, MAX_HEARD);
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
        let missing = run(Path::new("/nowhere/nft"), &[], b"", LONG).unwrap();
        assert!(matches!(missing, Ended::NotStarted), "{missing:?}");
        assert_eq!(exit(sh("kill -9 $$", b"", LONG)).0, None);
    }
}
