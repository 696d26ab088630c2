// SPDX-License-Identifier: GPL-2.0-or-later
//! HB46PP, the HTTP-Based IPv4 over IPv6 Provisioning Protocol
//! (<https://github.com/v6pc/v6mig-prov>): a line tells its CE how it carries
//! IPv4.

mod answer;
mod ask;
mod mechanism;
mod offers;
mod read;
mod request;
pub mod schedule;
mod token;
mod txt;
mod values;

pub use answer::{Answer, AnswerError, Order};
pub use ask::{AskError, MAX_REDIRECTS, Reply, ask, ask_server, discover};
pub use mechanism::{Mechanism, SUPPORTED, Unusable};
pub use offers::{DsLite, IpIp, Lw4o6, MapE, MapT, Rule, Xlat464};
pub use request::{Addressed, Credentials, Request, Secret, SecretError};
pub use token::TokenFile;
pub use txt::{Certificate, NAME, Server, TxtError};
pub use values::{
    Auth, Capability, CapabilityError, Label, LabelError, Token, TokenError, Ttl, TtlError,
};
