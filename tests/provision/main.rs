// SPDX-License-Identifier: GPL-2.0-or-later
//! Asking the line: real sockets, real servers, each test in a network
//! namespace of its own (needs root and `ip`).

mod ask;
mod dns;
#[path = "../dns_answer/mod.rs"]
mod dns_answer;
mod registration;
mod servers;
