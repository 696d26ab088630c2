// SPDX-License-Identifier: GPL-2.0-or-later
//! netifd's contract as types: what a protocol handler says about itself
//! ([`Description`]), what it is given ([`Config`]), what it tells
//! ([`Notify`]), and what netifd knows of all interfaces ([`Dump`]).
//!
//! netifd takes a number only as INT32 and a truth value only as INT8, and
//! drops or refuses everything else.

mod config;
mod describe;
mod dump;
mod notify;

pub use config::{Config, ConfigError};
pub use describe::{Description, Device, Kind, OPTIONS};
pub use dump::{Dump, DumpError, Interface, InterfaceError, Ipv6Entry};
pub use notify::{FirewallRule, Fmr, Notify, Tunnel, Update};
