// SPDX-License-Identifier: GPL-2.0-or-later
//! What several commands print alike.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::failure::{Failure, Outcome};
use crate::map::Mapping;
use crate::status::answer::{MappingAnswer, RuleAnswer};

/// The answer of `mape calc`: the whole mapping of a CE.
#[derive(Debug, Serialize)]
pub(super) struct CalcAnswer<'a> {
    #[serde(flatten)]
    mapping: MappingAnswer,
    provider: Option<&'a str>,
    fmrs: Vec<RuleAnswer>,
    /// First and last port of each range.
    port_ranges: Vec<[u16; 2]>,
    port_count: u32,
    /// In bytes.
    mtu: u16,
}

impl<'a> CalcAnswer<'a> {
    /// The answer for a mapping by the rules of `provider`; `mtu` is in bytes.
    pub fn new(mapping: &Mapping, provider: Option<&'a str>, mtu: u16) -> Self {
        let ranges = mapping.ports().ranges();
        CalcAnswer {
            mapping: mapping.into(),
            provider,
            fmrs: mapping.fmrs().iter().map(RuleAnswer::from).collect(),
            port_ranges: ranges.map(|range| [range.first(), range.last()]).collect(),
            port_count: mapping.ports().count(),
            mtu,
        }
    }
}

/// What went wrong, for a caller who asked for JSON.
#[derive(Debug, Serialize)]
pub(super) struct ErrorAnswer {
    error: String,
    /// The same for programs, if there is a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Value>,
}

impl From<&Failure> for ErrorAnswer {
    fn from(failure: &Failure) -> Self {
        ErrorAnswer {
            error: failure.to_string(),
            reason: failure.reason(),
        }
    }
}

/// An answer as one line of JSON.
pub(super) fn line(answer: &impl Serialize) -> String {
    // Only a map whose keys are not strings could fail, and no answer has one.
    serde_json::to_string(answer).unwrap_or_default()
}

/// Prints an answer as one line of JSON.
pub(super) fn json(out: &mut String, answer: &impl Serialize) -> Outcome {
    Ok(writeln!(out, "{}", line(answer))?)
}
