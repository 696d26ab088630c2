// SPDX-License-Identifier: GPL-2.0-or-later
//! What checks find.

use serde::Serialize;

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
    pub(super) fn with_remedy(self, seen: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding {
            verdict: self,
            seen: seen.into(),
            remedy: Some(remedy.into()),
        }
    }
}

/// What a check says, without its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it comes to.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// What to do, if something is to be done.
    pub remedy: Option<String>,
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
pub(super) fn ok(seen: impl Into<String>) -> Finding {
    Finding {
        verdict: Verdict::Ok,
        seen: seen.into(),
        remedy: None,
    }
}

/// It could not be found out.
pub(super) fn unknown(seen: impl Into<String>) -> Finding {
    Finding {
        verdict: Verdict::Unknown,
        seen: seen.into(),
        remedy: None,
    }
}

/// What only exists while the interface is up.
pub(super) fn not_up() -> Finding {
    unknown("the interface is not up")
}

/// It may work, but should not stay so.
pub(super) fn warn(seen: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Verdict::Warn.with_remedy(seen, remedy)
}

/// IPv4 cannot work like this.
pub(super) fn fail(seen: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Verdict::Fail.with_remedy(seen, remedy)
}
