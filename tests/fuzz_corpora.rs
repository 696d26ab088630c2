// SPDX-License-Identifier: GPL-2.0-or-later
//! Everything the fuzzers found worth keeping, through the same functions
//! (`fuzz/src`), without a fuzzer.

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::path::{Path, PathBuf};

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpora")
}

fn inputs(name: &str) -> Vec<Vec<u8>> {
    let path = corpora().join(format!("{name}.txt"));
    let text = fs::read_to_string(&path).unwrap();
    text.lines()
        .map(|line| fuzz::packed::unpack(line).unwrap_or_else(|| panic!("{name}: {line}")))
        .collect()
}

#[test]
fn what_was_found_once_is_survived() {
    for (name, target) in fuzz::TARGETS {
        let inputs = inputs(name);
        assert!(inputs.len() >= 20, "{name}: {} inputs", inputs.len());
        for input in inputs {
            target(&input);
        }
    }
}

#[test]
fn cut_and_damaged_inputs_are_survived_too() {
    for (name, target) in fuzz::TARGETS {
        for (number, input) in inputs(name).iter().enumerate().step_by(7) {
            let at = number % input.len().max(1);
            target(input.get(..at).unwrap_or_default());
            let mut damaged = input.clone();
            if let Some(byte) = damaged.get_mut(at) {
                *byte ^= 1 << (number % 8);
            }
            target(&damaged);
        }
    }
}

#[test]
fn corpora_are_small_and_each_has_its_function() {
    let mut size = 0;
    for entry in fs::read_dir(corpora()).unwrap() {
        let entry = entry.unwrap();
        let file = entry.file_name().into_string().unwrap();
        let name = file.strip_suffix(".txt").unwrap();
        assert!(
            fuzz::TARGETS.iter().any(|target| target.0 == name),
            "{file}"
        );
        size += entry.metadata().unwrap().len();
    }
    assert!(size < 1 << 20, "{size} bytes");
}

#[test]
fn any_input_can_be_kept() {
    let all: Vec<u8> = (0..=255).collect();
    let line = fuzz::packed::pack(&all);
    assert!(line.is_ascii() && !line.contains(char::is_control));
    assert_eq!(fuzz::packed::unpack(&line), Some(all));
    assert_eq!(fuzz::packed::unpack("\\q"), None);
}
