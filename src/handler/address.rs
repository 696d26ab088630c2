// SPDX-License-Identifier: GPL-2.0-or-later
//! The CE's address on the uplink.
//!
//! Neighbour discovery answers only for addresses of the device that was asked
//! (RFC 4861 section 7.2.3), so the CE's address must be on the uplink's own
//! device, and netifd must know it. A dynamic interface `INTERFACE_` carries it.
//!
//! Its protocol is ours. With netifd's `static` it would be one of netifd's
//! *immediate* protocols, and every release before July 2026 uses memory after
//! it has freed it when the uplink of such an interface goes down: netifd
//! crashes. A protocol with a handler comes and goes in its own time instead,
//! so that setup waits for both.

use std::net::Ipv6Addr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::bus::{BusError, Netifd};
use super::failure::Failure;
use super::link::{ADDRESS_OPTION, address_interface, address_owner};
use super::problem::{Code, Problem};
use crate::netifd::{Config, Dump, Interface, Notify};
use crate::reason::said;

/// Name of the protocol in netifd.
pub const PROTOCOL: &str = "mapeaddr";

/// Longest wait for netifd to finish with the interface. Its handler takes
/// milliseconds; netifd gives a teardown five seconds.
const PATIENCE: Duration = Duration::from_secs(6);

/// Puts `address` on the `device` of `uplink`, and returns when it is there.
/// `dump` is what netifd said at the beginning.
///
/// # Errors
/// netifd refuses it or does not finish, or the bus does not work.
pub fn place(
    bus: &mut Netifd,
    dump: &Dump,
    interface: &str,
    uplink: &str,
    device: Option<&str>,
    address: Ipv6Addr,
) -> Result<(), Failure> {
    let name = address_interface(interface);
    match bus.status(&name)? {
        None => {}
        Some(status) if carries(&status, device, address) => return Ok(()),
        // netifd takes a definition that changed for a reason to remove the
        // interface, and one that did not change for nothing to do, even while
        // the interface is on its way out. So the old one must be gone first.
        Some(status) if status.dynamic => clear(bus, interface)?,
        Some(_) => {
            return Err(Failure::Problem(Problem::passing(
                Code::InvalidConfig,
                said!(
                    "address_name_taken",
                    "the configuration has an interface {name}, and {interface} needs that name \
                     for its address; call one of them something else",
                    name,
                    interface
                ),
            )));
        }
    }
    if others(dump, &name).next().is_some() {
        let_others_go(bus, &name)?;
    }
    // Before the interface is there: its coming up is one of the changes.
    bus.listen()?;
    bus.add_address(&name, uplink, PROTOCOL, address)
        .map_err(|error| match error.status() {
            Some(_) => Failure::Problem(Problem::passing(
                Code::TunnelFailed,
                said!(
                    "address_refused",
                    "netifd does not take the CE's address: {reason}",
                    error.to_string()
                ),
            )),
            None => Failure::Bus(error),
        })?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match bus.status(&name)? {
            Some(status) if carries(&status, device, address) => return Ok(()),
            Some(status) if status.pending => {}
            // The uplink went down meanwhile, and the interface with it.
            Some(_) | None => break,
        }
        if !bus.wait_for(&name, deadline)? {
            break;
        }
    }
    Err(Failure::Problem(Problem::passing(
        Code::TunnelFailed,
        said!(
            "address_not_up",
            "the CE's address {address} did not come up on {uplink}; if mape was installed just \
             now, run /etc/init.d/network restart",
            address,
            uplink
        ),
    )))
}

/// The interface that has `address` on an uplink for another one than
/// `interface`, according to netifd.
pub fn holder<'a>(dump: &'a Dump, interface: &str, address: Ipv6Addr) -> Option<&'a str> {
    others(dump, &address_interface(interface))
        .find(|known| known.up && known.ipv6.iter().any(|entry| entry.address == address))
        .and_then(|known| address_owner(&known.name))
}

/// Interfaces like the one called `own` that carry addresses for others.
fn others<'a>(dump: &'a Dump, own: &str) -> impl Iterator<Item = &'a Interface> {
    let is_other = move |known: &&Interface| known.proto == PROTOCOL && known.name != own;
    dump.interfaces.iter().filter(is_other)
}

/// Waits while others are on their way out. netifd does not say any more which
/// address they carry, and takes it from the device at their end, whoever else
/// has put the same one there by then.
fn let_others_go(bus: &mut Netifd, own: &str) -> Result<(), BusError> {
    let deadline = Instant::now() + PATIENCE;
    let leaves = |known: &Interface| known.dynamic && known.available && !known.up;
    while Instant::now() < deadline {
        let dump = bus.dump()?;
        if !others(&dump, own).any(|known| leaves(known) && !known.pending) {
            break;
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Whether the interface of that `status` is ours, up on `device`, and has
/// `address`.
fn carries(status: &Interface, device: Option<&str>, address: Ipv6Addr) -> bool {
    status.up
        && status.proto == PROTOCOL
        && status.l3_device.as_deref() == device
        && status.ipv6.iter().any(|entry| entry.address == address)
}

/// Has netifd take away the interface that carries the address of `interface`.
///
/// # Errors
/// The bus does not work.
pub fn take_away(bus: &mut Netifd, interface: &str) -> Result<(), BusError> {
    let name = address_interface(interface);
    // One of that name in the configuration is not ours.
    let Some(status) = bus.status(&name)?.filter(|known| known.dynamic) else {
        return Ok(());
    };
    bus.take_down(&name)?;
    if !status.up && !status.pending {
        // One that never came up is not removed by taking it down.
        bus.remove(&name)?;
    }
    Ok(())
}

/// Takes the interface away, and returns when it is gone.
fn clear(bus: &mut Netifd, interface: &str) -> Result<(), Failure> {
    let name = &address_interface(interface);
    take_away(bus, interface)?;
    if is_gone(bus, name)? {
        return Ok(());
    }
    bus.remove(name)?;
    if is_gone(bus, name)? {
        return Ok(());
    }
    Err(Failure::Problem(Problem::passing(
        Code::TunnelFailed,
        said!(
            "address_not_removed",
            "netifd does not remove the old interface {name}",
            name
        ),
    )))
}

/// Asks until the interface is gone; netifd tells nobody when that is. Says
/// whether it went.
fn is_gone(bus: &mut Netifd, name: &str) -> Result<bool, BusError> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_millis(2);
    while bus.status(name)?.is_some() {
        if Instant::now() >= deadline {
            return Ok(false);
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(200));
    }
    Ok(true)
}

/// Shortest time before a call that reported nothing ends: netifd makes the next
/// one at once, as often as it takes.
const AGAIN: Duration = Duration::from_secs(1);

/// netifd's call for the address interface itself: setup reports the address,
/// and a teardown has nothing to undo, since netifd removes addresses itself.
pub fn handle(action: &str, interface: &str, config: &str) {
    if action != "setup" {
        return;
    }
    let Some(address) = configured(config) else {
        log::error!("{interface}: {ADDRESS_OPTION} is missing or not an IPv6 address");
        // Nobody but a person writes this, and corrects it: netifd ends us then.
        loop {
            sleep(PATIENCE);
        }
    };
    let told = Netifd::connect(interface).and_then(|mut bus| bus.notify(&Notify::Address(address)));
    if let Err(error) = told {
        log::error!("{interface}: {error}");
        sleep(AGAIN);
    }
}

fn configured(config: &str) -> Option<Ipv6Addr> {
    Config::parse(config)
        .ok()?
        .text(ADDRESS_OPTION)
        .ok()??
        .parse()
        .ok()
}
