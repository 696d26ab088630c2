// SPDX-License-Identifier: GPL-2.0-or-later
//! Why there is no uplink.

/// Why there is no uplink to use. Waiting can help with all of it: interfaces
/// come up, appear (`wan_6`) and get their prefixes without anybody changing
/// the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UplinkError {
    /// No interface has that name.
    #[error("tunlink {name}: there is no such interface; netifd has {known}")]
    NotFound {
        /// The name asked for.
        name: String,
        /// All names, separated by commas.
        known: String,
    },
    /// The interface is not up.
    #[error("{0} is not up yet")]
    Down(String),
    /// The interface is up but has no prefix to offer.
    #[error("{0} is up but has no IPv6 prefix yet")]
    NoPrefix(String),
    /// `tunlink` is not given, and no interface that is up has a prefix.
    #[error(
        "no interface that is up has an IPv6 prefix yet; option tunlink names the one to wait for"
    )]
    NoUplink,
}
