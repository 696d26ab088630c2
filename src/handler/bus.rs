// SPDX-License-Identifier: GPL-2.0-or-later
//! netifd on the bus, as a handler for one interface uses it.

use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use super::link::{ADDRESS_OPTION, address_interface};
use crate::netifd::{Dump, DumpError, Interface, Notify};
use crate::paths;
use crate::ubus::{Answer, Arguments, Client, Error, Status};

/// Longest wait for any single answer. netifd answers within milliseconds;
/// a bus that hangs must not hang us.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait in a teardown, all of which netifd gives five seconds.
const SHORT_TIMEOUT: Duration = Duration::from_millis(1500);

/// netifd's object for what concerns interfaces.
const INTERFACE: &str = "network.interface";

/// What can go wrong on the bus. In a box, since whoever talks to netifd may
/// return it.
pub type BusError = Box<Error>;

/// An answer that is not netifd's.
fn unexpected(error: DumpError) -> BusError {
    Box::new(Error::Unexpected(error.to_string()))
}

/// A connection on behalf of one interface.
pub struct Netifd {
    client: Box<Client>,
    interface: String,
    timeout: Duration,
    listens: bool,
}

impl Netifd {
    /// Connects to the bus.
    ///
    /// # Errors
    /// Nobody listens, or nobody answers.
    pub fn connect(interface: &str) -> Result<Self, BusError> {
        Self::connect_within(interface, TIMEOUT)
    }

    /// Connects for a teardown, which has little time.
    ///
    /// # Errors
    /// Nobody listens, or nobody answers.
    pub fn connect_in_haste(interface: &str) -> Result<Self, BusError> {
        Self::connect_within(interface, SHORT_TIMEOUT)
    }

    /// Connects, and waits no longer than `timeout` for any answer.
    ///
    /// # Errors
    /// Nobody listens, or nobody answers.
    pub fn connect_within(interface: &str, timeout: Duration) -> Result<Self, BusError> {
        let path = paths::ubus_socket().unwrap_or_else(Client::default_path);
        Ok(Netifd {
            client: Box::new(Client::connect(&path, timeout)?),
            interface: interface.into(),
            timeout,
            listens: false,
        })
    }

    /// Calls a method of netifd.
    fn call(
        &mut self,
        object: &str,
        method: &str,
        arguments: &Arguments,
    ) -> Result<Answer, BusError> {
        let answer = self.client.call(object, method, arguments, self.timeout);
        answer.map_err(Box::new)
    }

    /// Calls a method of netifd about one interface.
    fn about(&mut self, name: &str, method: &str) -> Result<Answer, BusError> {
        let arguments = Arguments::build(|b| b.put_str(Some("interface"), name));
        self.call(INTERFACE, method, &arguments)
    }

    /// Tells netifd something about our interface.
    ///
    /// # Errors
    /// What netifd refused, or a bus that does not work.
    pub fn notify(&mut self, notify: &Notify<'_>) -> Result<(), BusError> {
        let arguments = notify.to_arguments(&self.interface);
        self.call(INTERFACE, "notify_proto", &arguments).map(drop)
    }

    /// State of all interfaces.
    ///
    /// # Errors
    /// A bus that does not work, or another answer than netifd's.
    pub fn dump(&mut self) -> Result<Dump, BusError> {
        let answer = self.call(INTERFACE, "dump", &Arguments::empty())?;
        Dump::from_json(&answer.to_json()?).map_err(unexpected)
    }

    /// Makes an interface of `protocol` that puts `address` on the device of
    /// `parent`.
    ///
    /// # Errors
    /// netifd refused it.
    pub fn add_address(
        &mut self,
        name: &str,
        parent: &str,
        protocol: &str,
        address: Ipv6Addr,
    ) -> Result<(), BusError> {
        let arguments = Arguments::build(|b| {
            b.put_str(Some("name"), name);
            b.put_str(Some("ifname"), &format!("@{parent}"));
            b.put_str(Some("proto"), protocol);
            b.put_str(Some(ADDRESS_OPTION), &address.to_string());
        });
        self.call("network", "add_dynamic", &arguments).map(drop)
    }

    /// What netifd says of an interface; `None` if there is none of that name.
    ///
    /// # Errors
    /// A bus that does not work.
    pub fn status(&mut self, name: &str) -> Result<Option<Interface>, BusError> {
        match self.about(name, "status") {
            Ok(status) => Interface::from_json(name, &status.to_json()?)
                .map(Some)
                .map_err(unexpected),
            Err(error) if error.status() == Some(Status::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Has netifd forget an interface, whatever its state.
    ///
    /// # Errors
    /// A bus that does not work.
    pub fn remove(&mut self, name: &str) -> Result<(), BusError> {
        match self.about(name, "remove") {
            // Gone, or about to be.
            Err(error) if error.status().is_some() => Ok(()),
            other => other.map(drop),
        }
    }

    /// Whether an interface is there and up.
    ///
    /// # Errors
    /// A bus that does not work.
    pub fn is_up(&mut self, name: &str) -> Result<bool, BusError> {
        let status = self.status(name)?;
        Ok(status.is_some_and(|status| status.up))
    }

    /// Takes an interface down. One that does not exist is down already: when
    /// its parent goes, netifd removes it before we are asked to.
    ///
    /// # Errors
    /// A bus that does not work.
    pub fn take_down(&mut self, name: &str) -> Result<(), BusError> {
        match self.about(name, "down") {
            Err(error) if error.status() == Some(Status::NotFound) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Asks netifd to run `renew` of our interface.
    ///
    /// # Errors
    /// netifd refused it.
    pub fn ask_renew(&mut self) -> Result<(), BusError> {
        let own = self.interface.clone();
        self.about(&own, "renew").map(drop)
    }

    /// Listens to what happens to interfaces, for [`Netifd::wait_until`] and
    /// [`Netifd::wait_for`]. Once is enough.
    ///
    /// # Errors
    /// The bus does not let us.
    pub fn listen(&mut self) -> Result<(), BusError> {
        if !self.listens {
            self.client.subscribe(INTERFACE, self.timeout)?;
            self.listens = true;
        }
        Ok(())
    }

    /// Waits until something happens to an interface other than ours and the
    /// one of its address, or until `deadline`. Says whether something did.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn wait_until(&mut self, deadline: Instant) -> Result<bool, BusError> {
        let ours = [self.interface.clone(), address_interface(&self.interface)];
        self.wait(deadline, |name| !ours.iter().any(|own| own == name))
    }

    /// Waits until something happens to interface `name`, or until `deadline`.
    /// Says whether something did.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn wait_for(&mut self, name: &str, deadline: Instant) -> Result<bool, BusError> {
        self.wait(deadline, |other| other == name)
    }

    fn wait(
        &mut self,
        deadline: Instant,
        matters: impl Fn(&str) -> bool,
    ) -> Result<bool, BusError> {
        while let Some(event) = self.client.next_event(deadline)? {
            if event.interface().is_none_or(&matters) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
