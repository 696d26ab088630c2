// SPDX-License-Identifier: GPL-2.0-or-later
//! The MAP algorithm (RFC 7597 section 5): pure arithmetic, no I/O.
//!
//! A [`Rule`] says how the bits of an end-user IPv6 prefix become an IPv4
//! address and a [`Psid`]; a [`Domain`] is what an operator or provider gives
//! its subscribers (rules, dialect, BR or DMR); a [`Mapping`] is what one CE
//! gets out of it.
//!
//! ```
//! use mape::map::{Dialect, Domain, MapType, RuleSpec};
//!
//! let spec: RuleSpec = "type=map-e,ipv6prefix=240b:10::,prefix6len=31,\
//!     ipv4prefix=106.72.0.0,prefix4len=15,ealen=25,offset=4,\
//!     br=2404:9200:225:100::64".parse()?;
//! let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Draft03)?;
//! let mapping = domain.map(&["240b:10:1:234::/56".parse()?])?;
//! assert_eq!(mapping.ipv4().to_string(), "106.72.0.1/32");
//! assert_eq!(mapping.ports().psid().value(), 2);
//! assert_eq!(mapping.ports().count(), 240);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod bits;
mod border;
mod domain;
mod flow;
mod map_type;
mod mapping;
mod ports;
mod psid;
mod range;
mod role;
mod rule;
pub mod s46;
mod spec;
pub mod stock;

pub use address::{Dialect, Dmr, DmrError};
pub use bits::covers;
pub use border::Border;
pub use domain::{Domain, DomainError, MAX_RULES};
pub use flow::{FlowError, Inner, Outer, Relay};
pub use map_type::MapType;
pub use mapping::{MapError, Mapping};
pub use ports::{PortParams, PortSet};
pub use psid::{Psid, PsidError, PsidReadings, WrittenPsid};
pub use range::PortRange;
pub use role::{RoleError, check_br, check_end_user};
pub use rule::{Rule, RuleError, RuleParts};
pub use spec::{Overrides, Resolved, RuleSpec, SpecError};
