// SPDX-License-Identifier: GPL-2.0-or-later
//! NAT over a MAP port set: from ports and wishes to nftables rules.
//!
//! ```text
//! Line (device, address, ports) ─┐
//! Wishes (mode, reserved, tight) ├─> Plan ──> ruleset text
//! Kernel (what nft accepts)     ─┘
//! ```
//!
//! Nothing here has an effect: the room `netfilter` loads the text. See
//! `docs/nat.md`.
//!
//! ```
//! use mape::map::{PortParams, PortSet};
//! use mape::nat::{Kernel, Line, Plan, Wishes};
//!
//! let line = Line {
//!     interface: "wan4".into(),
//!     device: "map-wan4".into(),
//!     ipv4: "192.0.2.1/32".parse()?,
//!     ports: Some(PortSet::new(PortParams::new(4, 8)?, 0x34)?),
//!     outer: None,
//! };
//! let plan = Plan::new(line, &Wishes::default(), &Kernel::full())?;
//! assert_eq!(plan.technique().name(), "pool");
//! assert!(plan.combined().contains("table ip mape_wan4"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod edge;
mod error;
mod exhaustion;
mod inside;
mod kernel;
mod line;
pub mod names;
mod options;
mod outer;
mod passing;
mod plan;
mod pool;
mod ports;
pub mod probe;
mod protocol;
mod ruleset;
mod share;
mod technique;
mod untranslated;
mod wishes;

pub use error::NatError;
pub(crate) use error::brief;
pub use kernel::Kernel;
pub use line::{Line, Outer};
pub use options::{Mode, OptionError, Timeouts, Upnp};
pub use plan::Plan;
pub use pool::{Pool, Run};
pub use ports::{PortList, PortListError};
pub use protocol::Protocol;
pub use share::{Claim, UpnpWish};
pub use technique::{MAX_POOL, Technique};
pub use wishes::Wishes;
