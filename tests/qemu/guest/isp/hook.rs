// SPDX-License-Identifier: GPL-2.0-or-later
//! What Kea calls when a lease is given or taken: the provider's routers must
//! know where a delegated prefix is.

use std::env;
use std::process::{Command, ExitCode};

/// The name this program has when Kea calls it.
pub const NAME: &str = "isp-lease";

/// Whether this process is such a call.
pub fn called() -> bool {
    env::args().next().is_some_and(|name| name.ends_with(NAME))
}

/// Sets and removes routes, as the variables of Kea's hook library say.
pub fn main() -> ExitCode {
    let router = env::var("QUERY6_REMOTE_ADDR").unwrap_or_default();
    match env::args().nth(1).as_deref() {
        Some("leases6_committed") => {
            for prefix in prefixes("DELETED_LEASES6_") {
                ip(&["route", "del", &prefix, "proto", "dhcp"]);
            }
            for prefix in prefixes("LEASES6_") {
                ip(&[
                    "route", "replace", &prefix, "via", &router, "dev", "ce", "proto", "dhcp",
                ]);
            }
        }
        Some("lease6_expire" | "lease6_release") => {
            if let Some(prefix) = prefix("LEASE6_") {
                ip(&["route", "del", &prefix, "proto", "dhcp"]);
            }
        }
        _ => {}
    }
    ExitCode::SUCCESS
}

fn prefixes(list: &str) -> impl Iterator<Item = String> {
    let size: usize = env::var(format!("{list}SIZE"))
        .ok()
        .and_then(|size| size.parse().ok())
        .unwrap_or(0);
    (0..size).filter_map(move |index| prefix(&format!("{list}AT{index}_")))
}

fn prefix(lease: &str) -> Option<String> {
    let part = |name: &str| env::var(format!("{lease}{name}")).ok();
    (part("TYPE")? == "IA_PD").then_some(())?;
    Some(format!("{}/{}", part("ADDRESS")?, part("PREFIX_LEN")?))
}

fn ip(words: &[&str]) {
    // Kea hands on no PATH.
    let _ = Command::new("/sbin/ip").arg("-6").args(words).status();
}
