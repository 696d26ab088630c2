// SPDX-License-Identifier: GPL-2.0-or-later
//! Network address translation over a port set.

pub mod guard;
mod options;

pub use options::{Mode, OptionError, Timeouts};
