// SPDX-License-Identifier: GPL-2.0-or-later
//! What the kernel knows: connections, counters, rules, routes.

mod connections;
mod netlink;
mod route;
mod rules;

pub use connections::connections;
pub use route::{Route6, route_to};
pub use rules::{Chain, Counter, chains, counters};
