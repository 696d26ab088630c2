// SPDX-License-Identifier: GPL-2.0-or-later
//! What is up now, for the command line, the bus and LuCI alike.
//!
//! ```text
//! netifd, state files, /sys, conntrack, counters, UCI -> World
//!     -> Interface -> JSON (docs/bus.md) or text
//! ```
//!
//! A [`World`] is a router as plain values; everything after it is pure.

pub mod answer;
mod collect;
pub mod history;
pub mod netifd;
pub mod ports;
pub mod text;
pub mod usage;
mod world;

pub use collect::leases;
pub use world::{Dropped, Interface, LineUp, Measured, World};
