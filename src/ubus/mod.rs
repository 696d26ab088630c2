// SPDX-License-Identifier: GPL-2.0-or-later
//! OpenWrt's bus: its values, its messages and a client in which every wait has an end.
//!
//! * [`Value`] is what methods take and return, with the integer kinds kept apart, because
//!   netifd refuses a number of the wrong width.
//! * [`Message`] is one frame, for either side of the socket; [`FrameReader`] finds frames in a
//!   stream that arrives in pieces.
//! * [`Client`] looks up objects, calls methods and waits for notifications.
//!
//! The wire format and the reasons for this implementation are in `docs/ubus.md`.
//!
//! ```no_run
//! use mape::ubus::{Client, Value};
//! use std::time::Duration;
//!
//! let second = Duration::from_secs(1);
//! let mut bus = Client::connect(&Client::default_path(), second)?;
//! let dump = bus.call("network.interface", "dump", &Value::table(), second)?;
//! for interface in dump.get("interface").and_then(Value::as_array).unwrap_or_default() {
//!     println!("{:?}", interface.get("interface").and_then(Value::as_str));
//! }
//! # Ok::<(), mape::ubus::Error>(())
//! ```

mod blob;
mod client;
mod connection;
mod error;
mod message;
mod status;

pub use client::{Client, Event};
pub use error::{DecodeError, EncodeError, Error};
pub use message::{Attr, FrameReader, Kind, Message, number};
pub use status::Status;

pub use crate::value::Value;

/// Longest message either side may send, header included: what ubusd and libubus accept.
///
/// The format itself could hold 16 MiB.
pub const MAX_MESSAGE: usize = 1024 * 1024;

/// Deepest nesting of arrays and tables that is read or written.
pub const MAX_DEPTH: usize = 32;
