// SPDX-License-Identifier: GPL-2.0-or-later
//! Why there is no uplink.

use crate::reason::{Reason, Tell, said, sentence};

/// Why there is no uplink to use. Waiting can help with all of it: interfaces
/// come up, appear (`wan_6`) and get their prefixes without anybody changing
/// the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UplinkError {
    /// No interface has that name.
    NotFound {
        /// The name asked for.
        name: String,
        /// All names, separated by commas.
        known: String,
    },
    /// The interface is not up.
    Down(String),
    /// The interface is up but has no prefix to offer.
    NoPrefix(String),
    /// `tunlink` is not given, and no interface that is up has a prefix.
    NoUplink,
}

impl Tell for UplinkError {
    fn reason(&self) -> Reason {
        match self {
            Self::NotFound { name, known } => said!(
                "uplink_not_found",
                "tunlink {uplink}: there is no such interface; netifd has {others}",
                name,
                known
            ),
            Self::Down(uplink) => said!("uplink_down", "{uplink} is not up yet", uplink),
            Self::NoPrefix(uplink) => said!(
                "uplink_no_prefix",
                "{uplink} is up but has no IPv6 prefix yet",
                uplink
            ),
            Self::NoUplink => said!(
                "uplink_no_uplink",
                "no interface that is up has an IPv6 prefix yet; option tunlink names the one to wait for"
            ),
        }
    }
}

sentence!(UplinkError);
