// SPDX-License-Identifier: GPL-2.0-or-later
//! netifd's contract as types: what a protocol handler says of itself
//! ([`Description`]), what it is given ([`Config`]) and what it tells
//! ([`Notify`]).
//!
//! The kinds of values are netifd's own: it takes a number only as INT32 and a
//! truth value only as BOOL, and drops or refuses everything else.

mod config;
mod describe;
mod notify;

pub use config::{Config, ConfigError};
pub use describe::{Description, Kind, OPTIONS};
pub use notify::{Fmr, Notify, Tunnel, Update};
