// SPDX-License-Identifier: GPL-2.0-or-later
//! `--help` teaches: every command has examples, and those that need no router
//! do what they promise.

use std::process::{Command, Output};

/// Commands that look at a router, or change it.
const ON_A_ROUTER: [&str; 9] = [
    "status",
    "ports",
    "history",
    "doctor",
    "mapcalc",
    "firewall",
    "hotplug",
    "repair",
    "provision",
];

/// Has the table of providers.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/files");

fn mape(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mape"));
    // Files that examples name are there.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/hb46pp");
    command
        .args(args)
        .current_dir(folder)
        .env("MAPE_ROOT", ROOT);
    command.output().unwrap()
}

fn text(args: &[&str]) -> String {
    let done = mape(args);
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
    String::from_utf8(done.stdout).unwrap()
}

/// The names of all commands, from the list that `mape` alone prints.
fn commands() -> Vec<String> {
    let list = text(&[]);
    let rows = list.lines().filter_map(|line| line.strip_prefix("  "));
    let names = rows.filter_map(|row| row.split(' ').next());
    names.map(str::to_owned).collect()
}

/// The examples of a command's help, each as its words; a line that ends with
/// a backslash goes on.
fn examples(help: &str) -> Vec<Vec<String>> {
    let (_, examples) = help.rsplit_once("Example").unwrap_or_default();
    let joined = examples.replace("\\\n", "");
    let lines = joined
        .lines()
        .filter_map(|line| line.trim().strip_prefix("mape "));
    lines
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

#[test]
fn every_command_has_examples_that_work() {
    let commands = commands();
    assert!(commands.len() >= 11, "{commands:?}");
    for name in &commands {
        let help = text(&[name, "--help"]);
        assert!(help.starts_with(&format!("Usage: mape {name}")), "{help}");
        let examples = examples(&help);
        assert!(!examples.is_empty(), "{help}");
        for words in examples {
            assert_eq!(&words[0], name, "{help}");
            if !ON_A_ROUTER.contains(&name.as_str()) {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                assert!(!text(&words).is_empty(), "{words:?}");
            }
        }
    }
}

#[test]
fn a_wrong_option_is_one_line_that_leads_to_the_help() {
    for name in commands() {
        for option in ["--nonsense", "-x"] {
            let done = mape(&[&name, option]);
            let said = String::from_utf8(done.stderr).unwrap();
            assert_eq!(done.status.code(), Some(2), "{name}: {said}");
            assert_eq!(said.lines().count(), 1, "{name}: {said}");
            let end = format!("'{option}'; see `mape {name} --help`\n");
            assert!(
                said.starts_with("mape: ") && said.ends_with(&end),
                "{name}: {said}"
            );
            assert!(done.stdout.is_empty(), "{name}");
        }
    }
}

/// The caller may have closed the streams we would read or write.
#[test]
fn closed_files_are_no_failure() {
    let shell = |script: &str| {
        let script = script.replace("mape", env!("CARGO_BIN_EXE_mape"));
        let mut command = Command::new("sh");
        command.args(["-c", &script]).env("MAPE_ROOT", ROOT);
        let done = command.output().unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap())
    };
    let nothing = String::new();
    let lookup = "mape lookup 240b:10:1:200::/56";
    assert_eq!(shell(&format!("{lookup} >&-")), (Some(0), nothing.clone()));
    let all = format!("{lookup} <&- >&- 2>&-");
    assert_eq!(shell(&all), (Some(0), nothing));
}

/// A reader that closes the pipe early is not a failure.
#[test]
fn a_pipe_without_a_reader_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_mape"));
    let done = command.arg("help").stdout(writer).output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
}

/// `mape help COMMAND` is `mape COMMAND --help`.
#[test]
fn help_of_a_command() {
    for name in commands() {
        assert_eq!(text(&["help", &name]), text(&[&name, "--help"]));
    }
}

/// The exit status and the only line on standard error.
fn refusal(args: &[&str]) -> (Option<i32>, String) {
    let done = mape(args);
    assert!(done.stdout.is_empty(), "{args:?}");
    (
        done.status.code(),
        String::from_utf8(done.stderr)
            .unwrap()
            .trim_end()
            .to_owned(),
    )
}

#[test]
fn what_is_misspelt_gets_a_suggestion() {
    for (args, said) in [
        (
            &["stauts"][..],
            "there is no command \"stauts\"; did you mean `mape status`?",
        ),
        (
            &["help", "stauts"],
            "there is no command \"stauts\"; did you mean `mape status`?",
        ),
        (
            &["frobnicate"],
            "there is no command \"frobnicate\"; `mape --help` lists them",
        ),
        (&["--foo"], "invalid option \"--foo\"; see `mape --help`"),
    ] {
        assert_eq!(refusal(args), (Some(2), format!("mape: {said}")));
    }
}

/// 2: called in a way there is none. 1: a value is wrong.
#[test]
fn exit_status_tells_wrong_use_from_a_wrong_value() {
    let prefix = "240b:10:1:200::/56";
    for (status, args) in [
        (2, &["calc"][..]),
        (2, &["calc", prefix, prefix]),
        (2, &["calc", prefix, "--prefix", prefix]),
        (2, &["calc", "--prefix", prefix, "--prefix", prefix]),
        (2, &["nft", "--prefix", prefix]),
        (1, &["calc", ""]),
        (1, &["calc", prefix, "--provider", "foo"]),
        (1, &["calc", prefix, "--rule", ""]),
        (1, &["calc", prefix, "--rule", "foo=bar"]),
        (1, &["nft", "--prefix", prefix, "--device", "bad name"]),
        (
            1,
            &["nft", "--prefix", prefix, "--device", "wan", "--nat", "foo"],
        ),
        (
            1,
            &[
                "nft",
                "--prefix",
                prefix,
                "--device",
                "wan",
                "--reserve",
                "x",
            ],
        ),
        (
            1,
            &[
                "br",
                "--prefix",
                prefix,
                "--from",
                "x",
                "--to",
                "192.0.2.1:443",
            ],
        ),
        (1, &["doctor", "--probe", "x"]),
        (1, &["lookup", "nowhere"]),
    ] {
        let (code, said) = refusal(args);
        assert_eq!(code, Some(status), "{args:?}: {said}");
    }
}

#[test]
fn calc_takes_the_prefix_as_lookup_does() {
    let prefix = "240b:10:1:200::/56";
    assert_eq!(text(&["calc", prefix]), text(&["calc", "--prefix", prefix]));
}
