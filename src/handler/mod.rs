// SPDX-License-Identifier: GPL-2.0-or-later
//! netifd's protocol handler: the one place where the parts meet and effects
//! happen.

pub mod bus;
mod problem;
mod settings;

pub use problem::{Code, Problem};
pub use settings::{Protocol, Rules, Settings, device_name};
