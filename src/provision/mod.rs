// SPDX-License-Identifier: GPL-2.0-or-later
//! Asking the line how it carries IPv4: HB46PP, and the registration of a
//! fixed address. `docs/hb46pp.md` and `docs/fixed-address.md` are the
//! guides.

pub mod fetch;
pub mod hb46pp;
pub mod http;
pub mod registration;
pub mod resolve;
mod uplink;

pub use uplink::Uplink;
