// SPDX-License-Identifier: GPL-2.0-or-later
//! The check of a fixed address's registration.

use crate::handler::RegistrationResult;

use super::facts::Facts;
use super::finding::{Finding, fail, ok};
use super::remedy::Remedy;
use super::seen::Seen;

/// Whether the fixed address is registered. Nothing is said of an interface that
/// registers none.
pub(super) fn registration(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(found) = facts.registration else {
        return Vec::new();
    };
    let (server, address) = (found.server.clone(), found.address);
    let detail = found.detail.clone();
    let (seen, remedy) = match found.result {
        RegistrationResult::Registered => return vec![ok(Seen::Registered { server, address })],
        RegistrationResult::Refused => {
            let seen = Seen::RegistrationRefused {
                server,
                address,
                answer: detail,
            };
            (seen, Remedy::CheckAccount {})
        }
        RegistrationResult::Unclear => {
            let seen = Seen::RegistrationUnclear {
                server,
                address,
                answer: detail,
            };
            (seen, Remedy::CheckAccount {})
        }
        RegistrationResult::Unreached => {
            let seen = Seen::RegistrationUnreached {
                server,
                address,
                error: found.why(),
            };
            (seen, Remedy::CheckUpdateServer {})
        }
        RegistrationResult::Incomplete => {
            let seen = Seen::RegistrationIncomplete {
                server,
                address,
                option: detail,
            };
            (seen, Remedy::CheckAccount {})
        }
    };
    vec![fail(seen, remedy)]
}
