// SPDX-License-Identifier: GPL-2.0-or-later
//! A program in the LAN of a router that is plugged in opens a port by itself.

use super::{Bench, expect};
use crate::Result;
use crate::guest::miniupnpd::nat_pmp;
use crate::guest::oracle::V6PLUS;
use crate::guest::topology::server;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::Duration;

/// How often a datagram is sent, a second apart: on a busy host the service is
/// restarted meanwhile, and has what it opened again after that.
const ATTEMPTS: usize = 120;

/// A host asks for a port by NAT-PMP, is given one of the set, and what a
/// server sends to that port arrives.
pub fn opened_port(bench: &mut Bench) -> Result<String> {
    let lab = bench.lab(V6PLUS)?;
    let failed = |e: std::io::Error| e.to_string();
    let inside = lab.host(0).within(|| {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).map_err(failed)?;
        let patience = Some(Duration::from_secs(1));
        socket.set_read_timeout(patience).map_err(failed)?;
        Ok(socket)
    })?;
    let port = inside.local_addr().map_err(failed)?.port();
    let external = nat_pmp(lab.host(0), port, 0)?;
    expect(lab.line.ports().contains(&external), || {
        format!("port {external} is not of the line")
    })?;
    let from = SocketAddrV4::new(server(0), 0);
    let outside = lab
        .net
        .srv
        .within(|| UdpSocket::bind(from).map_err(failed))?;
    let mut buffer = [0; 64];
    for _ in 0..ATTEMPTS {
        let to = (lab.line.ipv4(), external);
        outside.send_to(b"from outside", to).map_err(failed)?;
        if let Ok((_, SocketAddr::V4(who))) = inside.recv_from(&mut buffer)
            && *who.ip() == server(0)
        {
            return Ok(format!("port {external} reaches the host"));
        }
    }
    Err(format!("nothing that is sent to port {external} arrives"))
}
