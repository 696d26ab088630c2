// SPDX-License-Identifier: GPL-2.0-or-later
//! Names that appear in rules, and that whoever reads the rules back from the
//! kernel looks for.

/// Longest interface name: with `mape_` before it nft shows it whole, and
/// netifd has no longer ones.
pub const MAX_INTERFACE: usize = 64;

/// Longest device name in Linux, without the terminating zero.
pub const MAX_DEVICE: usize = 15;

/// What the names of all our tables begin with.
const PREFIX: &str = "mape_";

/// Name of the tables of `interface`.
pub fn table(interface: &str) -> String {
    format!("{PREFIX}{interface}")
}

/// Name of the guard's table for an interface.
pub fn guard_table(interface: &str) -> String {
    format!("{PREFIX}guard_{interface}")
}

/// Whether a table is one of ours, of whatever interface.
pub fn is_ours(table: &str) -> bool {
    table.starts_with(PREFIX)
}

/// Name of the table that keeps connections of an interface out of flow tables.
pub fn exempt_table(interface: &str) -> String {
    format!("{PREFIX}exempt_{interface}")
}

/// Counters in the `ip` table.
pub const INSIDE: [&str; 7] = [
    "translated",
    "held_back",
    "no_port_protocol",
    "not_our_address",
    "not_our_port",
    "out_refused",
    "unsolicited",
];

/// The counter in the `ip6` table.
pub const NOT_BR: &str = "not_br";

/// Counters in the `netdev` table.
pub const EDGE: [&str; 3] = ["not_our_address", "not_our_port", "out_refused"];

/// Counter of refused packets.
pub const EXHAUSTED: &str = "exhausted";
