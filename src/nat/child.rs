// SPDX-License-Identifier: GPL-2.0-or-later
//! One child process: given its input, heard, limited in time, and gone when
//! we are.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getppid};

/// Most of what a child says that is kept.
const MAX_HEARD: usize = 64 * 1024;

/// Longest sleep while the pipes tell nothing: a grandchild may hold them open
/// after the child has ended.
const NAP: Duration = Duration::from_millis(50);

/// Sleep once the pipes are closed and the child is about to end.
const SHORT_NAP: Duration = Duration::from_millis(1);

/// How a child ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// The beginning of its standard error.
    pub said: Vec<u8>,
}

/// Runs `command` to its end with `input` as its standard input. `None` where
/// it did not end within `timeout` and was killed.
///
/// # Errors
/// It could not be started or waited for.
pub(super) fn run(
    command: &mut Command,
    input: &[u8],
    timeout: Duration,
) -> io::Result<Option<Ended>> {
    dies_with_us(command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let ended = converse(&mut child, input, Instant::now() + timeout);
    if !matches!(ended, Ok(Some(_))) {
        // It may have ended by itself meanwhile; either way it is gone.
        let _ = child.kill();
        let _ = child.wait();
    }
    ended
}

/// netifd kills a handler and tears down right after; rules that an orphan
/// loaded later would stay for ever.
fn dies_with_us(command: &mut Command) {
    let parent = Pid::this();
    let ask = move || {
        set_pdeathsig(Signal::SIGKILL)?;
        // We may have died before it asked.
        match getppid() == parent {
            true => Ok(()),
            false => Err(io::Error::from(ErrorKind::BrokenPipe)),
        }
    };
    // SAFETY: between fork and exec only async-signal-safe functions may run;
    // `ask` makes two system calls and allocates nothing.
    #[allow(unsafe_code, reason = "the only way to have a child die with us")]
    unsafe {
        command.pre_exec(ask);
    }
}

fn converse(child: &mut Child, input: &[u8], deadline: Instant) -> io::Result<Option<Ended>> {
    let mut pipes = Pipes::new(child, input)?;
    loop {
        if let Some(status) = child.try_wait()? {
            pipes.listen();
            return Ok(Some(Ended {
                status,
                said: pipes.said,
            }));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        pipes.wait(left)?;
        pipes.speak();
        pipes.listen();
    }
}

/// Our ends, neither of which ever blocks.
struct Pipes<'a> {
    stdin: Option<ChildStdin>,
    rest: &'a [u8],
    stderr: Option<ChildStderr>,
    said: Vec<u8>,
}

impl<'a> Pipes<'a> {
    fn new(child: &mut Child, input: &'a [u8]) -> io::Result<Self> {
        let pipes = Pipes {
            stdin: child.stdin.take(),
            rest: input,
            stderr: child.stderr.take(),
            said: Vec::new(),
        };
        let ends = [
            pipes.stdin.as_ref().map(AsFd::as_fd),
            pipes.stderr.as_ref().map(AsFd::as_fd),
        ];
        for end in ends.into_iter().flatten() {
            fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(pipes)
    }

    /// Waits until a pipe is ready, for `longest` at most.
    fn wait(&self, longest: Duration) -> io::Result<()> {
        let stdin = self.stdin.as_ref().map(|p| (p.as_fd(), PollFlags::POLLOUT));
        let stderr = self.stderr.as_ref().map(|p| (p.as_fd(), PollFlags::POLLIN));
        let mut ready: Vec<PollFd<'_>> = [stdin, stderr]
            .into_iter()
            .flatten()
            .map(|(fd, flags)| PollFd::new(fd, flags))
            .collect();
        if ready.is_empty() {
            thread::sleep(SHORT_NAP.min(longest));
            return Ok(());
        }
        let nap = u16::try_from(NAP.min(longest).as_millis()).unwrap_or(u16::MAX);
        match poll(&mut ready, PollTimeout::from(nap.max(1))) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Writes what the pipe takes, and closes it after the last byte.
    fn speak(&mut self) {
        while let Some(stdin) = self.stdin.as_mut().filter(|_| !self.rest.is_empty()) {
            match stdin.write(self.rest) {
                Ok(written) => self.rest = self.rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // The child has ended or does not care: its verdict tells.
                Err(_) => break,
            }
        }
        self.stdin = None;
    }

    /// Reads what is there; what is too much is thrown away.
    fn listen(&mut self) {
        let mut chunk = [0; 4096];
        while let Some(stderr) = self.stderr.as_mut() {
            match stderr.read(&mut chunk) {
                Ok(0) => self.stderr = None,
                Ok(read) => {
                    let room = MAX_HEARD.saturating_sub(self.said.len());
                    self.said.extend(chunk.iter().take(read.min(room)).copied());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.stderr = None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, input: &[u8], timeout: Duration) -> Option<Ended> {
        run(Command::new("sh").args(["-c", script]), input, timeout).unwrap()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn input_larger_than_a_pipe_arrives() {
        let input = vec![b'x'; 1 << 20];
        let ended = sh("wc -c >&2", &input, LONG).unwrap();
        assert!(ended.status.success());
        assert_eq!(ended.said.trim_ascii(), b"1048576");
    }

    #[test]
    fn a_child_that_reads_nothing_is_heard() {
        let input = vec![b'x'; 1 << 20];
        let ended = sh("echo no >&2; exit 3", &input, LONG).unwrap();
        assert_eq!(ended.status.code(), Some(3));
        assert_eq!(ended.said, b"no\n");
    }

    #[test]
    fn a_child_that_says_too_much_is_cut_short() {
        let ended = sh("head -c 300000 /dev/zero >&2", b"", LONG).unwrap();
        assert!(ended.status.success());
        assert_eq!(ended.said.len(), MAX_HEARD);
    }

    #[test]
    fn a_child_that_hangs_is_killed() {
        let short = Duration::from_millis(100);
        assert!(sh("exec sleep 1000", b"input", short).is_none());
    }

    #[test]
    fn a_grandchild_that_holds_the_pipes_holds_nobody_up() {
        let ended = sh("sleep 3 & exit 0", b"input", LONG).unwrap();
        assert!(ended.status.success());
    }
}
