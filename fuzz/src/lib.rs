// SPDX-License-Identifier: GPL-2.0-or-later
//! What must hold for any bytes from outside, one function for each reader.
//!
//! libFuzzer calls them through `targets/`, and `tests/fuzz_corpora.rs` calls
//! them with everything that `corpora/` keeps. Each panics where something
//! does not hold.

mod bus;
mod command;
mod kernel;
pub mod options;
pub mod packed;
mod provision;
mod rules;
mod table;

pub use bus::{netifd_dump, ubus_messages};
pub use command::{bus_arguments, command_line, mapcalc};
pub use kernel::{netlink_messages, proc_files};
pub use options::{config_json, firewall_config, rulesets, state_file};
pub use provision::{dns_answers, hb46pp_answers, http_answers, urls};
pub use rules::{rule_strings, s46_options};
pub use table::providers_file;

/// A function and the name of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 18] = [
    ("bus_arguments", bus_arguments),
    ("command_line", command_line),
    ("config_json", config_json),
    ("dns_answers", dns_answers),
    ("firewall_config", firewall_config),
    ("hb46pp_answers", hb46pp_answers),
    ("http_answers", http_answers),
    ("mapcalc", mapcalc),
    ("netifd_dump", netifd_dump),
    ("netlink_messages", netlink_messages),
    ("proc_files", proc_files),
    ("providers_file", providers_file),
    ("rule_strings", rule_strings),
    ("rulesets", rulesets),
    ("s46_options", s46_options),
    ("state_file", state_file),
    ("ubus_messages", ubus_messages),
    ("urls", urls),
];

/// The bytes as a file or argument of text would be read.
fn text(data: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(data)
}

/// An error quotes what was written as it was; whoever shows it cleans it.
fn is_said(error: &dyn std::fmt::Display) {
    assert!(!error.to_string().is_empty(), "nothing is said");
}

/// What people get to read is a line, and not a page.
fn is_a_line(said: &str) {
    assert!(!said.is_empty(), "nothing is said");
    assert!(!said.chars().any(char::is_control), "{said:?}");
    assert!(said.len() <= 2000, "{} bytes: {said:?}", said.len());
}
