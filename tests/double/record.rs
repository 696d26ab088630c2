// SPDX-License-Identifier: GPL-2.0-or-later
//! What the double remembers, for tests to look at.

use super::blobmsg::Value;
use super::effects::Tunnel;
use super::interface::{Address, Route};
use super::world::Happening;
use mape::ubus::Status;

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Name, tunnel, whether it could be made.
    CreateTunnel(String, Tunnel, bool),
    DeleteLink(String),
    AddAddress(String, Address),
    DeleteAddress(String, Address),
    AddRoute(String, Route),
    DeleteRoute(String, Route),
}

/// A call of a method, with what was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Who called.
    pub pid: i32,
    pub object: String,
    pub method: String,
    pub arguments: Value,
    pub status: Status,
}

impl Call {
    /// The action of a `notify_proto`.
    pub fn action(&self) -> Option<i64> {
        (self.method == "notify_proto")
            .then(|| self.arguments.get("action")?.as_i64())
            .flatten()
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A script was started.
    Spawn {
        interface: String,
        action: String,
        pid: u32,
    },
    /// It ended: `exit 0` or `signal SIGTERM`.
    Exit {
        interface: String,
        action: String,
        pid: u32,
        how: String,
    },
    Signal {
        pid: u32,
        signal: &'static str,
    },
    Call(Call),
    Effect(Effect),
    Event {
        interface: String,
        what: Happening,
    },
}
