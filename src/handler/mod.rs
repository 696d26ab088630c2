// SPDX-License-Identifier: GPL-2.0-or-later
//! netifd's protocol handler: the one place where the parts meet and effects
//! happen.

mod address;
mod attempt;
pub mod bus;
mod entry;
mod link;
mod nat46;
mod pause;
mod plan;
mod problem;
mod provisioned;
mod refresh;
mod renew;
mod repair;
mod router;
mod rules_file;
mod settings;
mod setup;
mod state;
pub(crate) mod store;
mod teardown;
mod translate;

pub use attempt::has_died;
pub use entry::main;
pub use link::Link;
pub use plan::{Plan, Router};
pub use problem::{Code, Problem};
pub use provisioned::{Provisioned, Record};
pub use refresh::refresh;
pub use repair::{renew_over, repair};
pub use router::{System, uplink_mtu, uptime};
pub use settings::{Protocol, Provision, Rules, Settings, device_name};
pub use state::{State, StateError};
pub use translate::{Subject, Translation};
