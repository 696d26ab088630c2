// SPDX-License-Identifier: GPL-2.0-or-later
//! A way from the machine that runs QEMU to the router's LAN side, through a
//! host there, so that nothing but hosts is in that LAN.

use crate::Result;
use crate::guest::netns::Netns;
use crate::guest::shell;
use crate::guest::topology::GATEWAY;
use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::thread;

/// The card that QEMU's user network is at, and the address it expects there.
const CARD: &str = "eth2";
const ADDRESS: &str = "10.0.2.15/24";

/// Starts to forward `port`.
pub fn start(host: &Netns, port: u16) -> Result<()> {
    let ip = |words: &[&str]| shell::run(Command::new("ip").args(words));
    ip(&["address", "replace", ADDRESS, "dev", CARD])?;
    ip(&["link", "set", "dev", CARD, "up"])?;
    let place = (Ipv4Addr::UNSPECIFIED, port);
    let listener = TcpListener::bind(place).map_err(|e| format!("port {port}: {e}"))?;
    let (clients, arrived) = mpsc::channel::<TcpStream>();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let _ = clients.send(client);
        }
    });
    // Sockets belong to the namespace of the thread that opens them.
    host.spawn(move || {
        for client in arrived {
            thread::spawn(move || join(client, TcpStream::connect((GATEWAY, port))?));
        }
        Ok(())
    })
    .map(drop)
}

fn join(client: TcpStream, router: TcpStream) -> io::Result<()> {
    let back = (router.try_clone()?, client.try_clone()?);
    let returning = thread::spawn(move || pump(&back.0, &back.1));
    pump(&client, &router)?;
    let _ = returning.join();
    Ok(())
}

fn pump(mut from: &TcpStream, mut to: &TcpStream) -> io::Result<()> {
    let done = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
    done.map(drop)
}
