// SPDX-License-Identifier: GPL-2.0-or-later
//! OpenWrt's bus, on the crate `ubus-zero` (whose library is called `ubus`).
//!
//! The crate has the codec, the requests and the order of their answers. This
//! layer adds what a protocol handler needs: one deadline for each call,
//! whatever it takes, cancellation by a signal, errors that read as sentences,
//! and the lookup of an object that came back under another number.
//! `docs/ubus.md` says what was left out of the crate and why.
//!
//! * [`Client`] looks up objects, calls methods and waits for notifications.
//! * [`Arguments`] is the table a method takes, written with
//!   [`Arguments::build`]. The receiver checks the type of each member: netifd
//!   takes `mtu` as INT32 and `link-up` as INT8, and nothing else.
//! * [`Answer`] is the table that comes back.
//!
//! ```no_run
//! use mape::ubus::{Arguments, Client};
//! use std::time::Duration;
//!
//! let second = Duration::from_secs(1);
//! let mut bus = Client::connect(&Client::default_path(), second)?;
//! let arguments = Arguments::build(|b| b.put_str(Some("interface"), "wan6"));
//! let status = bus.call("network.interface", "status", &arguments, second)?;
//! println!("wan6 is up: {:?}", status.flag("up"));
//! # Ok::<(), mape::ubus::Error>(())
//! ```

mod answer;
mod client;
mod error;
mod status;
mod transport;

pub use ::ubus::BlobBuilder as Builder;
pub use ::ubus::BlobMsgTable as Arguments;

pub use answer::{Answer, MAX_DEPTH};
pub use client::{Client, Event};
pub use error::Error;
pub use status::Status;
