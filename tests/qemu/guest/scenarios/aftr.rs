// SPDX-License-Identifier: GPL-2.0-or-later
//! AFTRs that are dead: of the addresses of a name, the first from the start,
//! another while it is in use.

use super::softwires::{DS_LITE, Line, PREFIXES};
use super::{Bench, expect};
use crate::Result;
use crate::guest::carrier::AFTR;
use crate::guest::carrier::softwire::Softwire;
use crate::guest::init::say;
use crate::guest::topology::server;
use std::net::Ipv6Addr;
use std::thread::sleep;
use std::time::Duration;

/// An AFTR that is dead at first, and lives when the other one has died.
const FIRST: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x100);

/// Pings, one a second or two, until the router has given an AFTR up: a minute
/// of silence the first time, two the next.
const PINGS: usize = 400;

/// A host goes on using the line until its tunnel leads to `aftr`.
fn until_changed(line: &Line, aftr: Ipv6Addr) -> Result<()> {
    let leads_to = || line.router.tunnel().map(|(_, remote)| remote);
    for _ in 0..PINGS {
        if leads_to() == Some(aftr) {
            return line.router.until_address("192.0.0.2");
        }
        let ping = ["ping", "-c", "1", "-W", "1", &server(0).to_string()];
        // Nobody answers yet.
        let _ = line.net.host(0).run(&ping);
        sleep(Duration::from_secs(1));
    }
    let log = line.router.double().log().join("; ");
    Err(format!("the tunnel leads to {:?}: {log}", leads_to()))
}

fn open(line: &Line, aftr: Ipv6Addr) -> Result<()> {
    let [today, _] = PREFIXES;
    let softwire = Softwire::DsLite {
        aftr,
        subscriber: ipnet::Ipv6Net::new(today, 56).map_err(|e| e.to_string())?,
    };
    softwire.open(&line.net)
}

/// The line comes up by itself each time, and nobody is asked but its resolver.
pub fn dead_aftr(bench: &mut Bench) -> Result<String> {
    let line = Line::open(bench, &DS_LITE, &[FIRST, AFTR])?;
    let _sys = line.router.show_devices(&line.net.ce)?;
    let (_, remote) = line.router.tunnel().ok_or("no tunnel")?;
    expect(remote == FIRST, || format!("the first used is {remote}"))?;
    until_changed(&line, AFTR)?;
    line.traffic()?;
    let log = line.router.double().log();
    let says = format!("nothing comes back from {FIRST}: trying another of");
    expect(log.iter().any(|line| line.contains(&says)), || {
        format!("the log says {}", log.join("; "))
    })?;
    say("    dead from the start");
    open(&line, FIRST)?;
    until_changed(&line, FIRST)?;
    line.traffic()?;
    say("    dead while it was in use");
    Ok(format!("{FIRST}, {AFTR} and back, by themselves"))
}
