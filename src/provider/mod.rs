// SPDX-License-Identifier: GPL-2.0-or-later
//! Rules that providers are known to use: which of them an end-user IPv6
//! prefix belongs to, so that nobody has to type an EA length.
//!
//! The table is a file, `/usr/share/mape/providers.json`, that later files in
//! `/etc/mape/providers.d` override. `docs/providers.md` describes the format and
//! tells where each rule comes from.
//!
//! ```
//! use mape::provider::{Verdict, load};
//!
//! // On a router this is `/`.
//! let table = load("files").table;
//! let prefix = "240b:10:1:200::/56".parse()?;
//! let Verdict::Map(found) = table.lookup_line(&prefix) else {
//!     return Err("a v6plus line".into());
//! };
//! assert_eq!(found.provider().id(), "v6plus");
//! let mapping = found.domain(false)?.map(&[prefix])?;
//! assert_eq!(mapping.ipv4().to_string(), "106.72.0.1/32");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod known;
mod load;
mod overlap;
mod parse;
mod problem;
mod read;
mod table;

pub use known::{Carrier, Confidence, EncapLimit, KnownRule, OtherLine, Provider};
pub use load::{Loaded, load};
pub use problem::{Problem, Warning};
pub use table::{Match, ProviderError, Table, Verdict};
