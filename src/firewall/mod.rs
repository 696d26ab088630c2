// SPDX-License-Identifier: GPL-2.0-or-later
//! What the configuration of firewall4 says about a line: the zones it is in,
//! and the ports that are forwarded or opened.

mod configuration;
mod forward;
mod miniupnpd;
mod opened;
mod refusals;
mod uci;

pub use configuration::{Configuration, Member};
pub use forward::Forward;
pub use miniupnpd::Miniupnpd;
pub use opened::Opened;
pub use uci::Section;
