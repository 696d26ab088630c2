// SPDX-License-Identifier: GPL-2.0-or-later
//! What the user and the rest of the router ask for.

use super::options::{Mode, Timeouts};
use super::ports::PortList;
use super::share::{Claim, UpnpWish};

/// What the user wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Option `nat`.
    pub mode: Mode,
    /// Option `reserve`: ports SNAT never takes; those outside the set are
    /// ignored, since another prefix brings another set.
    pub reserve: PortList,
    /// What the firewall configuration forwards or opens, an entry each.
    pub opened: Vec<Claim>,
    /// What miniupnpd is to have.
    pub upnp: UpnpWish,
    /// Whether the firewall configuration answers pings from outside.
    pub ping: bool,
    /// Option `conntrack`.
    pub timeouts: Timeouts,
    /// Whether traffic control may redirect what the device receives, as SQM
    /// does: then the way in of the edge map comes after it.
    pub redirected: bool,
}
