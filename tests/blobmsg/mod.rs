// SPDX-License-Identifier: GPL-2.0-or-later
//! Messages of the bus as values, on the codec of `ubus-zero`: what a test
//! needs to play ubusd or netifd, and to look at what was sent.
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod message;
mod value;

pub use message::{Attr, FrameReader, Kind, Message, number};
pub use value::Value;
