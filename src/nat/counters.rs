// SPDX-License-Identifier: GPL-2.0-or-later
//! Named counters of the rules.

/// Counters in the `inet` table.
pub(super) const INET: [&str; 10] = [
    "translated",
    "attempted",
    "confirmed",
    "held_back",
    "no_port_protocol",
    "not_br",
    "not_our_address",
    "not_our_port",
    "out_refused",
    "unsolicited",
];

/// Counters in the `netdev` table.
pub(super) const EDGE: [&str; 3] = ["not_our_address", "not_our_port", "out_refused"];
