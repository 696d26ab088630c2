// SPDX-License-Identifier: GPL-2.0-or-later
//! Registration of a fixed IPv4 address: telling the provider's update server
//! which CE address it belongs to now.
//!
//! The server takes the source of the request for the CE address, so the
//! request must leave from it.

mod judge;
mod request;
mod schedule;

use std::time::Instant;

use super::fetch::{self, Fetch, FetchError};
use super::http::{self, HttpError, Scheme};
use super::uplink::Uplink;
use crate::reason::{Reason, Tell, sentence};

pub use judge::{Outcome, judge};
pub use request::{Account, Call, CallError, Style, StyleError};
pub use schedule::wait;

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// There is nothing to send.
    Call(#[from] CallError),
    /// The server was not reached in the clear.
    Http(#[from] HttpError),
    /// The server was not reached over TLS.
    Fetch(#[from] FetchError),
}

impl Tell for RegisterError {
    fn reason(&self) -> Reason {
        match self {
            Self::Call(error) => error.reason(),
            Self::Http(error) => error.reason(),
            Self::Fetch(error) => error.reason(),
        }
    }
}

sentence!(RegisterError);

/// Registers `uplink`'s source address, once.
///
/// # Errors
/// The server was not asked or gave no answer. What it answered is in the
/// outcome.
pub fn register(
    style: &Style,
    account: &Account,
    uplink: &Uplink,
) -> Result<Outcome, RegisterError> {
    let call = Call::new(style, account, uplink.source)?;
    let deadline = Instant::now() + uplink.patience;
    let response = match call.url().scheme() {
        Scheme::Http => http::get(
            call.url(),
            call.authorization().as_deref(),
            uplink,
            deadline,
        )?,
        Scheme::Https => fetch::get(Fetch {
            url: &call.url_with_login(),
            server: &call.url().host().to_string(),
            verify: true,
            is_secret: true,
            has_login: call.authorization().is_some(),
            deadline,
        })?,
    };
    Ok(judge(style, response.status, &response.body))
}
