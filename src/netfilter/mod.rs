// SPDX-License-Identifier: GPL-2.0-or-later
//! The kernel's side of address translation: loading and removing rules, and
//! asking netfilter over netlink what is loaded, counted and connected.
//!
//! [`Nft`] is its only child process.

mod batch;
mod chains;
mod conntrack;
mod counters;
pub mod exempt;
pub mod guard;
mod link;
pub(crate) mod netlink;
mod nft;
mod received;
mod removal;
mod traffic;

pub use chains::{Chain, chains};
pub use conntrack::{Connection, connections, forget_connections, forget_untranslated};
pub use counters::{Counters, is_loaded};
pub use link::{close, delete_device, has_ingress_qdisc, index_of};
pub use nft::{Nft, NftError};
pub use received::Received;
pub use removal::remove;
pub use traffic::Traffic;
