// SPDX-License-Identifier: GPL-2.0-or-later
//! Parts of a providers file that are not used, and why.

use std::fmt;

use crate::map::{MAX_RULES, MapType, SpecError};

/// Format of the file this version reads.
pub(super) const FORMAT: u64 = 1;
/// A part of a providers file that was not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The file.
    pub source: String,
    /// The entry in it, such as `ocn rule 3`; empty for the whole file.
    pub entry: String,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.source)?;
        if !self.entry.is_empty() {
            write!(f, "{}: ", self.entry)?;
        }
        write!(f, "{}", self.problem)
    }
}

/// Why a part of a providers file was not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The packaged file is missing, or nothing in it can be used.
    #[error("no provider is known without this file; install the package mape again")]
    NoTable,
    /// Not JSON.
    #[error("is not JSON: {0}")]
    Syntax(String),
    /// Something else, although an object is needed.
    #[error("must be an object")]
    NotObject,
    /// Written for another version.
    #[error("format must be {FORMAT}, the only one this version reads")]
    Format,
    /// A key nobody knows, perhaps misspelt.
    #[error("{0} is not a known key")]
    Key(String),
    /// An id that cannot be an option's value.
    #[error("an id must be 1 to 32 of a-z, 0-9, - and _, and not auto, none or hb46pp")]
    Id,
    /// A value of another kind, or out of range.
    #[error("{key}: {reason}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong with its value.
        reason: String,
    },
    /// A key that is missing or not known.
    #[error("{0}")]
    Entry(String),
    /// `dmr` outside MAP-T or `br` in MAP-T.
    #[error("{key} does not belong to {map_type}")]
    Foreign {
        /// The key.
        key: &'static str,
        /// Type of the provider.
        map_type: MapType,
    },
    /// A part that every rule needs.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The parts contradict each other.
    #[error(transparent)]
    Rule(#[from] Box<SpecError>),
    /// Another rule of the file has some of the same addresses.
    #[error("{key} overlaps that of rule {rule} of {provider}")]
    Overlap {
        /// `ipv6` or `ipv4`.
        key: &'static str,
        /// Id of the other rule's provider.
        provider: String,
        /// Number of the other rule, counted from 1.
        rule: usize,
    },
    /// The table is full.
    #[error(
        "no room for more than {MAX_RULES} rules, and as many providers and prefixes of other lines"
    )]
    Full,
    /// Further warnings are left out.
    #[error("{0} more problems")]
    More(usize),
}
