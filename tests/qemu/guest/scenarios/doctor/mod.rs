// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape doctor` on a router that is broken on purpose, and mended.

mod clinic;
mod table;

use super::{Bench, expect};
use crate::Result;
use crate::guest::init::say;
use clinic::{Clinic, Examination};
pub use table::UPNPD;
use table::{ROWS, Row};

/// A healthy line raises no alarm, and few packets are sent.
pub fn healthy(bench: &mut Bench) -> Result<String> {
    let clinic = Clinic::open(bench)?;
    let unknown = well(&clinic.examine()?)?;
    expect(unknown.is_empty(), || format!("unknown: {unknown}"))?;
    // Nor has it anything against the same rule in an older configuration.
    clinic.configured(&table::by_hand(&[("legacymap", "1")]))?;
    clinic.traffic()?;
    well(&clinic.examine()?)?;
    table::packets(&clinic)
}

/// Each fault is named by its check, and gone when it is mended.
pub fn faults(bench: &mut Bench) -> Result<String> {
    let clinic = Clinic::open(bench)?;
    let found = clinic.examine()?;
    well(&found)?;
    for id in found.ids() {
        expect(ROWS.iter().any(|row| row.check == id), || {
            format!("no fault triggers the check {id}")
        })?;
    }
    let mut failed = Vec::new();
    for row in ROWS {
        if let Err(why) = trigger(&clinic, row) {
            failed.push(format!("{} ({}): {why}", row.check, row.fault));
        }
    }
    expect(failed.is_empty(), || failed.join("\n"))?;
    clinic.traffic()?;
    well(&clinic.examine()?)?;
    Ok(format!("{} faults named and mended", ROWS.len()))
}

/// That every check the program has is in the table, and no other.
pub fn complete() -> Result<()> {
    for id in mape::doctor::ids() {
        expect(ROWS.iter().any(|row| row.check == id), || {
            format!("the table of faults has no row for check {id} of mape doctor")
        })?;
    }
    let unknown = ROWS
        .iter()
        .find(|row| mape::doctor::ids().all(|id| id != row.check));
    expect(unknown.is_none(), || {
        "the table of faults has rows for checks that do not exist".to_owned()
    })
}

/// Nothing warns or fails; what could not be told.
fn well(found: &Examination) -> Result<String> {
    let alarms = found.alarms();
    expect(alarms.is_empty() && found.success, || {
        format!("a healthy line: {}", alarms.join("; "))
    })?;
    Ok(found.unknown().join(", "))
}

fn trigger(clinic: &Clinic, row: &Row) -> Result<()> {
    let made = (row.make)(clinic).and_then(|()| {
        let found = clinic.examine()?;
        let (verdict, said) = found.of(row.check).ok_or("no such check")?;
        say(&format!("    {:<13}{:<8}{said}", row.check, verdict));
        expect(verdict == row.verdict && said.contains(row.says), || {
            format!("{verdict}: {said}")
        })?;
        expect(found.success == (found_fails(&found) == 0), || {
            "the exit status is another".to_owned()
        })
    });
    let mended = (row.mend)(clinic).and_then(|()| {
        let found = clinic.examine()?;
        // A known MAP line need not be asked, and has neither an AFTR nor
        // anything to register; this one has no miniupnpd.
        let Some((verdict, said)) = found.of(row.check) else {
            let is_of_others = ["asked", "aftr", "registration", "upnp"].contains(&row.check);
            return expect(is_of_others, || "no such check".to_owned());
        };
        // After a restart nothing may have been sent.
        let well = verdict == "ok";
        expect(well, || format!("mended, {verdict}: {said}"))
    });
    made.and(mended)
}

fn found_fails(found: &Examination) -> usize {
    let fails = |id: &&str| found.of(id).is_some_and(|(verdict, _)| verdict == "fail");
    found.ids().into_iter().filter(fails).count()
}
