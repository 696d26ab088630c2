// SPDX-License-Identifier: GPL-2.0-or-later
//! The DHCPv6 options that provision MAP and lw4o6 (RFC 7598).
//!
//! ```
//! use mape::map::s46;
//!
//! let bytes = s46::bytes_of_hex("005a0010 20010db8ffff00000000000000000001")?;
//! let options = s46::decode(&bytes)?;
//! assert_eq!(options[0].to_string(), "S46_BR 2001:db8:ffff::1");
//! # Ok::<(), Box<s46::S46Error>>(())
//! ```

mod codes;
mod decode;
mod error;
mod option;
mod provisioned;

pub use decode::{bytes_of_hex, decode};
pub use error::S46Error;
pub use option::{PortParamsOption, S46Option};
pub use provisioned::{Provisioned, provisioned};
