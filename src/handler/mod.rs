// SPDX-License-Identifier: GPL-2.0-or-later
//! netifd's protocol handler: the one place where the parts meet and effects
//! happen.

mod address;
mod attempt;
pub mod bus;
mod choice;
mod clock;
mod entry;
mod failure;
mod link;
mod marks;
mod names;
mod nat46;
mod owner;
mod pause;
mod plan;
mod problem;
mod provisioned;
mod record;
mod refresh;
mod registration;
mod renew;
mod repair;
mod router;
mod rules_file;
mod section;
mod settings;
mod setup;
mod silence;
mod state;
pub(crate) mod store;
mod teardown;
mod translate;
mod upnp;
mod watch;

pub use attempt::has_died;
pub use choice::Router;
pub use clock::uptime;
pub use entry::main;
pub use link::Link;
pub use names::{PATIENCE, resolve};
pub use plan::Plan;
pub use problem::{Code, Problem};
pub use provisioned::{Provisioned, Record};
pub use record::ParseError;
pub use refresh::{look_after_rules, refresh};
pub use registration::{Registrar, Registration, RegistrationResult};
pub use repair::{follow_event, repair};
pub use router::{System, uplink_mtu};
pub use section::our_interface;
pub use settings::{FixedAddress, Protocol, Provision, Request, Settings, device_name};
pub use state::{State, StateError};
pub use translate::{Subject, Translation, known_kernel};
pub use upnp::follow as follow_upnp;
pub use watch::Watch;
