// SPDX-License-Identifier: GPL-2.0-or-later
//! Why an attempt to bring an interface up came to nothing.

use super::bus::BusError;
use super::problem::Problem;
use crate::ubus::Status;

/// Why an attempt did not bring the interface up.
pub enum Failure {
    /// Something people should read.
    Problem(Problem),
    /// The bus does not work; nobody can be told.
    Bus(BusError),
    /// netifd does not want the interface now. It calls again when it does.
    Unwanted,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Failure::Problem(problem)
    }
}

impl From<BusError> for Failure {
    fn from(error: BusError) -> Self {
        match error.status() {
            // Teardown has begun.
            Some(Status::PermissionDenied) => Failure::Unwanted,
            _ => Failure::Bus(error),
        }
    }
}
