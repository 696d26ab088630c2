// SPDX-License-Identifier: GPL-2.0-or-later
//! NAT over a MAP port set: from ports and wishes to nftables rules.
//!
//! ```text
//! Line (device, address, ports) ─┐
//! Wishes (mode, reserved, tight) ├─> Plan ──> ruleset text ──> Nft
//! Kernel (what nft accepts)     ─┘
//! ```
//!
//! [`Plan`] and everything before it is pure; [`Nft`] is the one child process
//! of the crate; [`Counters`], [`connections`] and [`is_loaded`] ask the kernel
//! over netlink. See `docs/nat.md`.
//!
//! ```
//! use mape::map::{PortParams, PortSet};
//! use mape::nat::{Kernel, Line, Plan, Wishes};
//!
//! let line = Line {
//!     interface: "wan4".into(),
//!     device: "map-wan4".into(),
//!     ipv4: "192.0.2.1/32".parse()?,
//!     ports: PortSet::new(PortParams::new(4, 8)?, 0x34)?,
//!     outer: None,
//! };
//! let plan = Plan::new(line, &Wishes::default(), &Kernel::full())?;
//! assert_eq!(plan.technique().name(), "pool");
//! assert!(plan.combined().contains("table ip mape_wan4"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod chains;
mod child;
mod conntrack;
mod counters;
mod edge;
mod error;
mod exhaustion;
mod firewall;
mod forward;
pub mod guard;
mod inside;
mod kernel;
mod line;
mod link;
pub(crate) mod netlink;
mod nft;
mod options;
mod outer;
mod plan;
mod pool;
mod ports;
mod received;
mod removal;
mod ruleset;
mod technique;
mod uci;

pub use chains::{Chain, chains};
pub use conntrack::{Connection, Protocol, connections, forget_connections};
pub use counters::{Counters, is_loaded};
pub use error::NatError;
pub use firewall::{Opened, zones_of};
pub use forward::Forward;
pub use kernel::Kernel;
pub use line::{Line, Outer};
pub use link::close;
pub use nft::{Nft, NftError};
pub use options::{Mode, OptionError, Timeouts};
pub use plan::{Plan, Wishes};
pub use pool::{Pool, Run};
pub use ports::{PortList, PortListError};
pub use received::Received;
pub use removal::remove;
pub use technique::{MAX_POOL, Technique};
pub use uci::Section;
