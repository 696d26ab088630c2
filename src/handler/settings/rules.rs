// SPDX-License-Identifier: GPL-2.0-or-later
//! Where the rules of an interface come from.

use crate::map::Domain;

/// Where the rules come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rules {
    /// The configuration has them.
    Explicit(Domain),
    /// The provider table has them: of one provider, or of whichever the
    /// prefix belongs to.
    Provider(Option<String>),
}
