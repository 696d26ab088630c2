// SPDX-License-Identifier: GPL-2.0-or-later
//! What checks find.

use serde::{Serialize, Serializer};

use super::facts::Facts;
use super::remedy::Remedy;
use super::seen::Seen;

/// What a check comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It may work, but should not stay so.
    Warn,
    /// IPv4 cannot work like this.
    Fail,
    /// It could not be found out.
    Unknown,
}

impl Verdict {
    /// As the bus says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
            Verdict::Unknown => "unknown",
        }
    }
}

impl Verdict {
    /// A finding with something to do about it.
    pub(super) fn with_remedy(self, seen: Seen, remedy: Remedy) -> Finding {
        Finding {
            verdict: self,
            seen,
            remedy: Some(remedy),
        }
    }
}

/// What a check says, without its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it comes to.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: Seen,
    /// What to do, if something is to be done.
    pub remedy: Option<Remedy>,
}

impl Serialize for Finding {
    /// Codes and arguments for LuCI, and beside them the English sentences.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Members<'a> {
            verdict: Verdict,
            #[serde(flatten)]
            code: &'a Seen,
            seen: String,
            #[serde(flatten)]
            remedy_code: Option<&'a Remedy>,
            remedy: Option<String>,
        }
        let remedy = self.remedy.as_ref();
        let members = Members {
            verdict: self.verdict,
            code: &self.seen,
            seen: self.seen.to_string(),
            remedy_code: remedy,
            remedy: remedy.map(Remedy::to_string),
        };
        members.serialize(serializer)
    }
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, one of those in `docs/bus.md`.
    pub id: &'static str,
    /// What it found.
    #[serde(flatten)]
    pub finding: Finding,
}

/// As it should be.
pub(super) fn ok(seen: Seen) -> Finding {
    Finding {
        verdict: Verdict::Ok,
        seen,
        remedy: None,
    }
}

/// It could not be found out.
pub(super) fn unknown(seen: Seen) -> Finding {
    Finding {
        verdict: Verdict::Unknown,
        seen,
        remedy: None,
    }
}

/// What only exists while the interface is up; without netifd nobody knows
/// whether it is.
pub(super) fn not_up(facts: &Facts<'_>) -> Finding {
    unknown(match facts.bus {
        true => Seen::NotUp {},
        false => Seen::NetifdSilent {},
    })
}

/// It may work, but should not stay so.
pub(super) fn warn(seen: Seen, remedy: Remedy) -> Finding {
    Verdict::Warn.with_remedy(seen, remedy)
}

/// IPv4 cannot work like this.
pub(super) fn fail(seen: Seen, remedy: Remedy) -> Finding {
    Verdict::Fail.with_remedy(seen, remedy)
}
