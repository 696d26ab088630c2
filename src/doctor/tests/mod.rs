// SPDX-License-Identifier: GPL-2.0-or-later
//! One row per fault: what is broken, which check says so, and that nothing
//! else does.

mod faults;
mod routers;

use super::*;
use crate::handler::RegistrationResult;
use crate::netfilter::Traffic;
use crate::status::netifd::Phase;
use faults::FAULTS;
use routers::*;
use serde_json::Value;

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/data/bus/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn answer(facts: &Facts<'_>) -> Value {
    serde_json::to_value(Answer::new("wanmap", &checks(facts))).unwrap()
}

#[test]
fn the_answers_that_the_page_is_tested_with() {
    let mut facts = healthy();
    facts.foreign = vec![("web".into(), "443".into())];
    assert_eq!(answer(&facts), fixture("doctor"));

    let mut facts = healthy();
    facts.offer = None;
    let found = answer(&facts);
    let expected = fixture("doctor-fail");
    // The file has the first two lines of it.
    assert_eq!(found["ok"], expected["ok"]);
    for line in 0..2 {
        assert_eq!(found["checks"][line], expected["checks"][line]);
    }
}

#[test]
fn codes_are_those_that_the_page_has_words_for() {
    let text = include_str!("../../../tests/data/bus/findings.json");
    let vocabulary: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(vocabulary.len() > 80);
    let all: Vec<Seen> = serde_json::from_str(text).unwrap();
    for (seen, row) in all.iter().zip(&vocabulary) {
        assert_eq!(row["seen"], seen.to_string());
    }
    let mut with_remedy = vocabulary.clone();
    with_remedy.retain(|row| !row["remedy"].is_null());
    let text = String::leak(serde_json::to_string(&with_remedy).unwrap());
    let all: Vec<Remedy> = serde_json::from_str(text).unwrap();
    for (remedy, row) in all.iter().zip(&with_remedy) {
        assert_eq!(row["remedy"], remedy.to_string());
    }

    // What the faults of this file make has no code or argument beyond those.
    let names = |args: &Value| {
        let names = args.as_object().into_iter().flatten();
        names.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    for row in FAULTS {
        let mut facts = healthy();
        (row.make)(&mut facts);
        for check in answer(&facts)["checks"].as_array().unwrap() {
            for (code, args) in [("code", "args"), ("remedy_code", "remedy_args")] {
                let same = |known: &&Value| {
                    known[code] == check[code] && names(&known[args]) == names(&check[args])
                };
                assert!(vocabulary.iter().find(same).is_some(), "{code}: {check}");
            }
        }
    }
}

/// A fixed address has the prefix of its provider's MAP lines, and nothing else of them.
#[test]
fn a_fixed_address_is_no_wrong_map_line() {
    let mut facts = healthy();
    ipip(&mut facts);
    assert!(matches!(facts.known, Known::Map { .. }));
    let warned = checks(&facts).iter().any(|check| {
        matches!(check.id, "provider" | "br_route") && check.finding.verdict != Verdict::Ok
    });
    assert!(!warned);
    set_up(&mut facts, |state| {
        state.link.provider = Some(("v6plus-static".into(), "v6 Plus fixed IP".into()));
    });
    let found = checks(&facts);
    let provider = found.iter().find(|check| check.id == "provider").unwrap();
    assert_eq!(provider.finding.verdict, Verdict::Ok);
}

/// What is said of a silent line names nothing that it has not, and nothing that is done.
#[test]
fn each_mechanism_has_its_own_reasons_for_silence() {
    let said = |make: fn(&mut Facts<'static>)| {
        let mut facts = healthy();
        make(&mut facts);
        facts.traffic = Some(Traffic {
            tx_packets: 50,
            ..Traffic::default()
        });
        let all = checks(&facts);
        let found = all.iter().find(|check| check.id == "replies").unwrap();
        found.finding.remedy.as_ref().unwrap().to_string()
    };
    for (make, is_registered) in [
        (ds_lite as fn(&mut Facts<'static>), true),
        (ipip, false),
        (
            |facts| {
                ipip(facts);
                register(facts, RegistrationResult::Registered, "");
            },
            true,
        ),
    ] {
        let said = said(make);
        for word in ["MAP", "dialect", "psid"] {
            assert!(!said.contains(word), "{said}");
        }
        assert_eq!(!said.contains("update_url"), is_registered, "{said}");
    }
}

#[test]
fn each_fault_is_seen_and_mended() {
    for row in FAULTS {
        let mut facts = healthy();
        let before: Vec<Check> = checks(&facts);
        (row.make)(&mut facts);
        let after = checks(&facts);
        let finding = |all: &[Check]| {
            let found = all.iter().find(|check| check.id == row.id);
            found.map(|check| check.finding.clone())
        };
        let found = finding(&after).unwrap();
        let said = format!(
            "{} -> {}",
            found.seen,
            found
                .remedy
                .as_ref()
                .map(Remedy::to_string)
                .unwrap_or_default()
        );
        assert_eq!(found.verdict, row.verdict, "{}: {said}", row.fault);
        assert!(said.contains(row.says), "{}: {said}", row.fault);
        let needs_remedy = matches!(row.verdict, Verdict::Warn | Verdict::Fail);
        assert_eq!(found.remedy.is_some(), needs_remedy, "{}", row.fault);
        assert_eq!(is_ok(&after), row.verdict != Verdict::Fail, "{}", row.fault);
        // Mended, it is as before: nothing but the facts counts.
        // A MAP line has no AFTR to check.
        if let Some(healthy) = finding(&before) {
            let never_worse = matches!(healthy.verdict, Verdict::Ok | Verdict::Unknown);
            assert!(never_worse, "{}: {healthy:?}", row.fault);
        }
    }
}

#[test]
fn what_a_line_without_map_cannot_have_is_left_out() {
    let mut facts = healthy();
    ds_lite(&mut facts);
    let all = checks(&facts);
    for id in ["rule", "dialect", "ports"] {
        assert!(all.iter().all(|check| check.id != id), "{id}");
    }
    assert!(is_ok(&all));
}

#[test]
fn every_check_has_a_fault() {
    for (id, _) in &CHECKS {
        assert!(FAULTS.iter().any(|row| row.id == *id), "{id}");
    }
}

#[test]
fn a_fault_does_not_make_others_fail() {
    // Except for those that follow from it, which say that they do not know.
    for row in FAULTS.iter().filter(|row| row.verdict == Verdict::Fail) {
        let mut facts = healthy();
        (row.make)(&mut facts);
        let all = checks(&facts);
        let failing: Vec<&str> = all
            .iter()
            .filter(|check| check.finding.verdict == Verdict::Fail)
            .map(|check| check.id)
            .collect();
        let both = ["provider", "rule", "aftr"];
        let expected = failing == [row.id] || failing.iter().all(|id| both.contains(id));
        assert!(expected, "{}: {failing:?}", row.fault);
    }
}

#[test]
fn without_netifd_nothing_is_guessed() {
    let mut facts = healthy();
    take_down(&mut facts, Phase::Down, None);
    (facts.bus, facts.uplink, facts.offer, facts.known) = (false, None, None, Known::No);
    for root in [true, false] {
        facts.root = root;
        let all = checks(&facts);
        let silent = all
            .iter()
            .filter(|check| check.finding.seen == Seen::NetifdSilent {});
        let others: Vec<&str> = all
            .iter()
            .filter(|check| check.finding.seen != Seen::NetifdSilent {})
            .map(|check| check.id)
            .collect();
        assert_eq!(others, ["offload", "packages", "conflicts"]);
        // Who is not root may just not be let in.
        assert_eq!(is_ok(&all), !root);
        assert_eq!(
            silent
                .filter(|check| check.finding.remedy.is_some())
                .count(),
            usize::from(root)
        );
    }
}

#[test]
fn a_probe_adds_a_line() {
    let mut facts = healthy();
    facts.probe = Some(("2001:db8::1".parse().unwrap(), Reply::No));
    let all = checks(&facts);
    let last = all.last().unwrap();
    assert_eq!((last.id, last.finding.verdict), ("probe", Verdict::Warn));
}
