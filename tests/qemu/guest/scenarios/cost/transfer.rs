// SPDX-License-Identifier: GPL-2.0-or-later
//! A TCP transfer of which each run does the same: nobody reads before all has
//! arrived, each segment is acknowledged by itself, and nothing but the window
//! of congestion control, which is wide open after the first run, sets the pace.
//! Otherwise segments and acknowledgements group as the clock will have it, and
//! that weighs more than a ruleset.

use super::host;
use crate::Result;
use crate::guest::lab::Lab;
use crate::guest::netns::Netns;
use crate::guest::tcp::Attempt;
use crate::guest::topology::{GATEWAY, server};
use crate::guest::{sys, tcp};
use nix::libc::{SO_RCVLOWAT, SOL_SOCKET};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{setsockopt, sockopt};
use std::io::{Read, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Transfers in each direction, of which the median counts.
const RUNS: usize = 7;
/// The kernel counts a segment as larger than its data.
const BUFFER: usize = 16 << 20;
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection between the LAN host and the server.
pub struct Transfer {
    near: TcpStream,
    far: TcpStream,
}

impl Transfer {
    /// Connects, with segments of at most `segment` bytes.
    pub fn open(lab: &Lab, segment: Option<u16>) -> Result<Self> {
        for (netns, gateway) in [
            (host(lab), GATEWAY.to_string()),
            (&lab.net.srv, "198.51.100.254".to_owned()),
        ] {
            prepare(netns, &gateway, segment)?;
        }
        let listener = lab.net.srv.within(|| {
            let listener = TcpListener::bind(SocketAddrV4::new(server(0), 0));
            let listener = listener.map_err(|e| format!("listen: {e}"))?;
            widen(&listener)?;
            Ok(listener)
        })?;
        let SocketAddr::V4(to) = listener.local_addr().map_err(|e| e.to_string())? else {
            return Err("the server listens at an IPv6 address".to_owned());
        };
        let near = host(lab).within(|| {
            let mut attempt = [Attempt::start_with(None, to, widen)?];
            tcp::wait(&mut attempt, PATIENCE);
            let [attempt] = attempt;
            attempt.into_stream()
        })?;
        let (far, _) = listener.accept().map_err(|e| format!("accept: {e}"))?;
        Ok(Self { near, far })
    }

    /// How long `size` bytes take to the server.
    pub fn up(&self, size: usize) -> Result<Duration> {
        median(&self.near, &self.far, size)
    }

    /// How long `size` bytes take from the server.
    pub fn down(&self, size: usize) -> Result<Duration> {
        median(&self.far, &self.near, size)
    }
}

fn prepare(netns: &Netns, gateway: &str, segment: Option<u16>) -> Result<()> {
    let limit = segment.map_or_else(String::new, |size| format!(" advmss {size}"));
    netns.ip(&format!(
        "route replace default via {gateway} quickack 1{limit}\n"
    ))?;
    netns.within(|| {
        for (name, value) in [
            ("tcp_congestion_control", "reno"),
            ("tcp_no_metrics_save", "1"),
            ("tcp_slow_start_after_idle", "0"),
        ] {
            std::fs::write(format!("/proc/sys/net/ipv4/{name}"), value)
                .map_err(|e| format!("{name}: {e}"))?;
        }
        Ok(())
    })
}

/// Room for a whole transfer.
fn widen(socket: &impl AsFd) -> Result<()> {
    let failed = |e: nix::errno::Errno| format!("buffers: {e}");
    setsockopt(socket, sockopt::SndBufForce, &BUFFER).map_err(failed)?;
    setsockopt(socket, sockopt::RcvBufForce, &BUFFER).map_err(failed)
}

fn median(from: &TcpStream, to: &TcpStream, size: usize) -> Result<Duration> {
    // The first opens the window.
    once(from, to, size)?;
    let runs: Result<Vec<Duration>> = (0..RUNS).map(|_| once(from, to, size)).collect();
    let mut runs = runs?;
    runs.sort();
    Ok(runs.get(RUNS / 2).copied().unwrap_or_default())
}

fn once(mut from: &TcpStream, mut to: &TcpStream, size: usize) -> Result<Duration> {
    let failed = |e: std::io::Error| format!("transfer: {e}");
    let mut data = vec![0x5a; size];
    let all = i32::try_from(size).map_err(|e| e.to_string())?;
    sys::set_option(to, SOL_SOCKET, SO_RCVLOWAT, all)?;
    let started = Instant::now();
    from.write_all(&data).map_err(failed)?;
    let mut ready = [PollFd::new(to.as_fd(), PollFlags::POLLIN)];
    let patience = PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::MAX);
    if poll(&mut ready, patience).map_err(|e| e.to_string())? == 0 {
        return Err(format!("{size} bytes did not arrive"));
    }
    let spent = started.elapsed();
    to.read_exact(&mut data).map_err(failed)?;
    Ok(spent)
}
