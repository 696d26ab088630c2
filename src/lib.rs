// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape`: IPv4 for OpenWrt routers on IPv6-only lines.
//!
//! The crate is divided into rooms with one job each; data flows one way:
//!
//! ```text
//! config + uplink + provider -> map::Domain -> map::Mapping
//!     -> nat::Ruleset + netifd::Notify -> effects in handler
//! ```
//!
//! Lower rooms never import upper ones; see `docs/architecture.md`.

// Nothing that input can reach may panic; tests may say what they expect.
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod child;
pub mod cli;
pub mod console;
pub mod doctor;
pub mod endpoint;
pub mod firewall;
pub mod handler;
pub mod logging;
pub mod map;
pub mod mechanism;
mod members;
pub mod nat;
pub mod netfilter;
pub mod netifd;
pub mod paths;
pub mod provider;
pub mod provision;
pub mod reason;
mod sanitize;
pub mod status;
pub mod ubus;
mod uci;
pub mod uplink;
