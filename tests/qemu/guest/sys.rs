// SPDX-License-Identifier: GPL-2.0-or-later
//! Socket options that neither std nor nix offers.
#![allow(unsafe_code)]

use crate::Result;
use nix::libc;
use std::io::Error;
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Sets an option whose value is an int.
pub fn set_option(socket: &impl AsRawFd, level: i32, name: i32, value: i32) -> Result<()> {
    // SAFETY: the kernel reads exactly the four bytes of `value`.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<i32>() as libc::socklen_t,
        )
    };
    if done == 0 {
        return Ok(());
    }
    Err(format!(
        "setsockopt {level}/{name}: {}",
        Error::last_os_error()
    ))
}

/// Runs a command to its end and says how much memory it took at most, in KiB.
pub fn peak_of(command: Command) -> Result<u64> {
    let [.., memory] = usage_of(command)?;
    Ok(memory)
}

/// Runs a command to its end and says how long a processor worked for it and
/// its children.
pub fn cost_of(command: Command) -> Result<Duration> {
    let [seconds, micros, more_seconds, more_micros, _] = usage_of(command)?;
    let time = Duration::from_secs(seconds + more_seconds);
    Ok(time + Duration::from_micros(micros + more_micros))
}

/// The kernel's `struct rusage`, which is made of longs everywhere: seconds and
/// microseconds in user mode, the same in the kernel, the most memory. Asked for by
/// the system call: musl's `wait4` of programs with 32-bit times fills in nothing.
fn usage_of(mut command: Command) -> Result<[u64; 5]> {
    let child = command
        .stdout(Stdio::null())
        .spawn()
        .map_err(|e| e.to_string())?;
    let pid = libc::c_long::from(i32::try_from(child.id()).map_err(|e| e.to_string())?);
    let mut status: libc::c_int = 0;
    let mut usage: [libc::c_long; 18] = [0; 18];
    let (status_at, usage_at) = (&raw mut status, usage.as_mut_ptr());
    // SAFETY: the kernel writes into both, and nobody else waits for the child.
    let waited = unsafe { libc::syscall(libc::SYS_wait4, pid, status_at, 0, usage_at) };
    if (waited, status) != (pid, 0) {
        return Err(format!("{command:?} ended with {status}"));
    }
    let mut told = [0; 5];
    for (told, word) in told.iter_mut().zip(usage) {
        *told = u64::try_from(word).map_err(|e| e.to_string())?;
    }
    Ok(told)
}

/// Makes the calling thread run only when nothing else wants to, so that what it
/// causes is done before it goes on.
pub fn give_way() -> Result<()> {
    // SAFETY: all zero is a value of this struct of numbers.
    let parameters: libc::sched_param = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel reads the struct; 0 is the calling thread.
    let done = unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameters) };
    if done == 0 {
        return Ok(());
    }
    Err(format!("SCHED_IDLE: {}", Error::last_os_error()))
}

/// What TCP_INFO says of a connection.
#[derive(Debug, Clone, Copy)]
pub struct TcpInfo {
    /// Segments sent again, the SYN included.
    pub retransmits: u32,
    /// The path MTU the connection has learned.
    pub path_mtu: u32,
}

/// Words of `struct tcp_info` (linux/tcp.h) up to `tcpi_total_retrans`.
const WORDS: usize = 26;
const PATH_MTU: usize = 15;
const TOTAL_RETRANS: usize = 25;

/// Asks the kernel for TCP_INFO.
pub fn tcp_info(socket: &impl AsRawFd) -> Result<TcpInfo> {
    let mut words = [0u32; WORDS];
    let mut length = size_of_val(&words) as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes into `words`.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            words.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    match (done, words.get(TOTAL_RETRANS), words.get(PATH_MTU)) {
        (0, Some(&retransmits), Some(&path_mtu)) => Ok(TcpInfo {
            retransmits,
            path_mtu,
        }),
        _ => Err(format!("TCP_INFO: {}", Error::last_os_error())),
    }
}
