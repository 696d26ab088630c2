// SPDX-License-Identifier: GPL-2.0-or-later
//! Registration of a fixed address with the provider's update server, from the
//! link's beginning until it has worked.
//!
//! `mape provision`, which netifd supervises, does it. What the configuration
//! says is read from its file: account and URL concern nobody but the update
//! server, so a change of them must not interrupt the link.

use std::fmt;
use std::io;
use std::net::Ipv6Addr;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bus::Netifd;
use super::clock::uptime;
use super::link::Link;
use super::section::{last_change, section_of};
use super::state::State;
use super::store::{self, lock, read_json, write_json};
use crate::firewall::Section;
use crate::mechanism::Mechanism;
use crate::paths::{self, registration_file};
use crate::provider::{self, Table};
use crate::provision::Uplink;
use crate::provision::registration::{
    Account, CallError, Outcome, RegisterError, Style, StyleError, register, wait,
};
use crate::reason::{Reason, Tell, said};

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegistrationResult {
    /// The address is registered.
    Registered,
    /// The server refused.
    Refused,
    /// The server answered something else, such as a web page.
    Unclear,
    /// No server answered.
    Unreached,
    /// The configuration lacks something, so nothing was sent.
    Incomplete,
}

impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Registration {
            server,
            address,
            detail,
            ..
        } = self;
        let link = match self.result {
            RegistrationResult::Registered => {
                return write!(f, "{address} is registered with {server}");
            }
            RegistrationResult::Refused => " refuses: ",
            RegistrationResult::Unclear => " gives no clear answer: ",
            RegistrationResult::Unreached => " is not reached: ",
            RegistrationResult::Incomplete => " needs option ",
        };
        write!(f, "{address} is not registered: {server}{link}{detail}")
    }
}

/// What the last attempt came to: `/var/run/mape/INTERFACE.registration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The server, without anything secret.
    pub server: String,
    /// The address that was to be registered.
    pub address: Ipv6Addr,
    /// What became of it.
    pub result: RegistrationResult,
    /// What the server said, why it was not reached, or the option that is
    /// missing; empty if the address is registered.
    pub detail: String,
    /// The same for programs, of a server that was not reached.
    #[serde(default)]
    pub reason: Option<Value>,
    /// When that was, in seconds since boot.
    pub at: u64,
    /// When it is tried again, in seconds since boot.
    pub next: Option<u64>,
}

impl Registration {
    /// What became of the registration of that interface's address; `None`
    /// before the first attempt ended. A file that cannot be read is none.
    pub fn load(interface: &str) -> Option<Self> {
        read_json(&registration_file(interface))
    }

    /// What `detail` says.
    pub fn why(&self) -> Reason {
        Reason::kept(self.detail.clone(), self.reason.clone())
    }

    /// Whether the address is registered.
    pub fn is_done(&self) -> bool {
        self.result == RegistrationResult::Registered
    }

    /// Keeps it, unless the interface is not set up any more.
    fn save(&self, interface: &str) -> io::Result<()> {
        let _lock = lock();
        if !paths::state_file(interface).exists() {
            return Ok(());
        }
        write_json(&registration_file(interface), self)
    }

    /// Forgets what became of it.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn remove(interface: &str) -> io::Result<()> {
        store::remove_written(&registration_file(interface))
    }
}

/// What the configuration says of the registration.
#[derive(Debug, PartialEq, Eq)]
struct Order {
    style: Style,
    account: Account,
}

/// The server that lines of the provider that `link` names are registered with.
pub(super) fn update_of<'a>(link: &Link, table: &'a Table) -> Option<&'a str> {
    let (id, _) = link.provider.as_ref()?;
    match link.mechanism {
        Mechanism::IpIp(_) => table.update_of(id),
        Mechanism::Map(_) | Mechanism::DsLite(_) => None,
    }
}

impl Order {
    /// Without `update_url` the server is `usual`.
    fn of(
        section: &Section,
        usual: impl FnOnce() -> Option<String>,
    ) -> Result<Option<Self>, StyleError> {
        let text = |option| section.get(option).unwrap_or_default().to_owned();
        let url = Some(text("update_url")).filter(|url| !url.is_empty());
        let Some(url) = url.or_else(usual) else {
            return Ok(None);
        };
        Ok(Some(Order {
            style: url.parse()?,
            account: Account {
                username: text("username"),
                password: text("password"),
                hostname: text("update_hostname"),
                ddns: (text("update_id"), text("update_key")),
            },
        }))
    }
}

/// Registers the address of one interface as often as it takes.
pub struct Registrar {
    interface: String,
    order: Option<Order>,
    /// When the configuration had been written that the order was read from.
    changed: Option<SystemTime>,
    failures: u32,
    /// When to try (again), in seconds since boot.
    next: Option<u64>,
    said: String,
}

/// Wait for an interface that is not set up, in seconds.
const NOT_UP: u64 = 10;

impl Registrar {
    /// For an interface that has just been set up.
    pub fn new(interface: &str) -> Self {
        Registrar {
            interface: interface.to_owned(),
            order: None,
            changed: None,
            failures: 0,
            next: None,
            said: String::new(),
        }
    }

    /// Tries if it is time to. Says when to call again, in seconds since boot;
    /// `None` if nothing is left to do unless the configuration changes.
    pub fn step(&mut self, state: Option<&State>) -> Option<u64> {
        let Some(state) = state else {
            return Some(uptime() + NOT_UP);
        };
        self.read_configuration(state);
        let order = self.order.as_ref()?;
        if self.next? > uptime() {
            return self.next;
        }
        let done = attempt(&self.interface, order, state);
        let result = self.conclude(done);
        if let Err(error) = result.save(&self.interface) {
            log::warn!("{}: the registration's result: {error}", self.interface);
        }
        self.next
    }

    /// Another account, or another server, is tried at once.
    fn read_configuration(&mut self, state: &State) {
        let changed = last_change();
        if changed == self.changed {
            return;
        }
        self.changed = changed;
        let usual = || {
            let table = provider::load(paths::rooted("")).table;
            update_of(state, &table).map(str::to_owned)
        };
        let section = section_of(&self.interface);
        let order = section.map_or(Ok(None), |section| Order::of(&section, usual));
        let order = order.unwrap_or_else(|error| {
            log::warn!("{}: update_url: {error}", self.interface);
            None
        });
        if order == self.order {
            return;
        }
        if order
            .as_ref()
            .is_some_and(|o| o.style.needs_unbound_source())
        {
            log::warn!(
                "{}: update_url: over https the request leaves from an address that the kernel \
                 chooses; if the server goes by that, write [IP] into the URL or use http",
                self.interface
            );
        }
        self.order = order;
        self.failures = 0;
        self.next = Some(uptime());
    }

    /// What became of an attempt, and when the next one follows.
    fn conclude(&mut self, mut done: Registration) -> Registration {
        self.next = None;
        if !done.is_done() {
            self.failures = self.failures.saturating_add(1);
            self.next = Some(done.at + wait(self.failures).as_secs());
        }
        done.next = self.next;
        let line = done.to_string();
        // A server that is gone for a day is worth one line.
        if line != self.said {
            match self.next {
                None => log::info!("{}: {line}", self.interface),
                Some(next) => {
                    let seconds = next - done.at;
                    log::warn!("{}: {line}; trying again in {seconds} s", self.interface);
                }
            }
            self.said = line;
        }
        done
    }
}

/// One call of the update server, from the CE's address.
fn attempt(interface: &str, order: &Order, state: &State) -> Registration {
    let address = state.mechanism.ce_address();
    let (result, detail) = match call(interface, order, state) {
        Ok(Outcome::Registered) => (RegistrationResult::Registered, "".reason()),
        Ok(Outcome::Refused(words)) => (RegistrationResult::Refused, words.reason()),
        Ok(Outcome::Unclear(words)) => (RegistrationResult::Unclear, words.reason()),
        Err(Failure::Missing(option)) => (RegistrationResult::Incomplete, option.reason()),
        Err(Failure::Unreached(why)) => (RegistrationResult::Unreached, why),
    };
    let detail = detail.changed(&|text| order.account.hide_in(text));
    Registration {
        server: order.style.server(),
        address,
        result,
        reason: detail.coded(),
        detail: detail.to_string(),
        at: uptime(),
        next: None,
    }
}

/// Why a call got no answer.
enum Failure {
    Missing(&'static str),
    Unreached(Reason),
}

impl From<RegisterError> for Failure {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Call(CallError::Missing(option)) => Failure::Missing(option),
            error => Failure::Unreached(error.reason()),
        }
    }
}

fn call(interface: &str, order: &Order, state: &State) -> Result<Outcome, Failure> {
    let source = state.mechanism.ce_address();
    let dump = Netifd::connect(interface).and_then(|mut bus| bus.dump());
    let dump = dump.map_err(|error| Failure::Unreached(error.to_string().reason()))?;
    let uplink = dump.find(&state.uplink);
    let missing = || {
        Failure::Unreached(said!(
            "no_interface",
            "there is no interface {uplink}",
            state.uplink
        ))
    };
    let uplink = uplink.ok_or_else(missing)?;
    let line = Uplink::new(&uplink.dns, Some(source), uplink.l3_device.as_deref());
    Ok(register(&order.style, &order.account, &line)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(options: &str) -> Result<Option<Order>, StyleError> {
        let text = format!("config interface 'wan4'\n{options}");
        Order::of(&Section::parse_all(&text)[0], || None)
    }

    #[test]
    fn the_configuration_says_what_to_send() {
        assert_eq!(order(""), Ok(None));
        assert_eq!(order("option update_url ''"), Ok(None));
        assert_eq!(order("option update_url 'x'"), Err(StyleError::Unknown));
        let all = "option update_url 'xpass'\noption username 'u'\noption password 'p'\n\
                   option update_hostname 'h'\noption update_id 'i'\noption update_key 'k'\n";
        let account = Account {
            username: "u".into(),
            password: "p".into(),
            hostname: "h".into(),
            ddns: ("i".into(), "k".into()),
        };
        let style = "xpass".parse().unwrap();
        assert_eq!(order(all), Ok(Some(Order { style, account })));
    }
}
