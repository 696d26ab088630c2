// SPDX-License-Identifier: GPL-2.0-or-later
//! The bus object `mape`: rpcd runs `/usr/libexec/rpcd/mape list` once, and
//! `/usr/libexec/rpcd/mape call METHOD` with the arguments as JSON on standard
//! input for each call. The answer is what the command of that name prints.

use std::io::{self, Read as _};
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::args::Args;
use super::args::Command;
use super::command;
use super::failure::{Failure, MISUSED};
use super::output::{ErrorAnswer, line};
use crate::console::{complain, print};

/// What an argument of a method is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// What stands alone on a command line.
    Word,
    /// The value of an option.
    Text,
    /// Values of an option that may come several times.
    Texts,
    /// An option without a value.
    Flag,
}

impl Kind {
    fn expected(self) -> &'static str {
        match self {
            Kind::Word | Kind::Text => "a string",
            Kind::Texts => "an array of strings",
            Kind::Flag => "a boolean",
        }
    }
}

/// The arguments of a method by name.
type Arguments = &'static [(&'static str, Kind)];

/// The methods, which are commands by that name.
const METHODS: &[(&str, Arguments)] = &[
    ("status", &[("interface", Kind::Word)]),
    ("ports", &[("interface", Kind::Word)]),
    ("history", &[("interface", Kind::Word)]),
    (
        "calc",
        &[
            ("prefix", Kind::Text),
            ("provider", Kind::Text),
            ("rule", Kind::Texts),
            ("legacy", Kind::Flag),
        ],
    ),
    ("lookup", &[("prefix", Kind::Word)]),
    (
        "doctor",
        &[("interface", Kind::Word), ("probe", Kind::Text)],
    ),
];

/// The arguments of all calls are a few addresses and rules.
const MAX_INPUT: u64 = 256 * 1024;

/// Whether rpcd runs us: the name we are called by is that of a file in a
/// directory `rpcd` then.
pub fn is_called_by(path: &Path) -> bool {
    path.parent()
        .and_then(Path::file_name)
        .is_some_and(|directory| directory == "rpcd")
}

/// Answers rpcd. Every answer is one JSON object: rpcd turns anything else
/// into a status that says nothing.
pub fn main(args: &[String]) -> ExitCode {
    let answer = match args {
        [word] if word == "list" => line(&signature()),
        [word, method] if word == "call" => match read_input() {
            Ok(input) => call(method, &String::from_utf8_lossy(&input)),
            Err(error) => refused(&Failure::failed(format_args!(
                "arguments cannot be read: {error}"
            ))),
        },
        _ => {
            complain("mape: rpcd calls this with list, or call METHOD");
            return MISUSED.into();
        }
    };
    match print(&format!("{}\n", answer.trim_end())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The beginning of standard input.
fn read_input() -> io::Result<Vec<u8>> {
    let mut input = Vec::new();
    io::stdin().take(MAX_INPUT).read_to_end(&mut input)?;
    Ok(input)
}

/// Methods with an example of each argument, whose type counts.
fn signature() -> Value {
    let example = |kind| match kind {
        Kind::Word | Kind::Text => json!("s"),
        Kind::Texts => json!([]),
        Kind::Flag => json!(true),
    };
    let examples = |arguments: Arguments| -> Value {
        let examples = arguments.iter().map(|(name, kind)| (*name, example(*kind)));
        examples.collect()
    };
    let methods = METHODS.iter();
    methods
        .map(|(name, arguments)| (*name, examples(arguments)))
        .collect()
}

/// The answer to a call; `input` is a JSON object, or empty.
pub fn call(method: &str, input: &str) -> String {
    let mut out = String::new();
    let outcome = arguments(method, input)
        .map_err(Failure::usage)
        .and_then(|(command, args)| (command.run)(&args, &mut out));
    if !out.is_empty() {
        // What a command has printed says why it failed, too.
        return out;
    }
    refused(
        &outcome
            .err()
            .unwrap_or_else(|| Failure::failed("no answer")),
    )
}

fn refused(failure: &Failure) -> String {
    line(&ErrorAnswer::from(failure))
}

/// The command that a call stands for, and what it is given.
fn arguments(method: &str, input: &str) -> Result<(&'static Command, Args), String> {
    let known = METHODS.iter().find(|(name, _)| *name == method);
    let (Some((_, known)), Some(command)) = (known, command(method)) else {
        return Err(format!("there is no method {method}"));
    };
    let given: Map<String, Value> = match input.trim() {
        "" => Map::new(),
        text => {
            serde_json::from_str(text).map_err(|_| "the arguments are no JSON object".to_owned())?
        }
    };
    let mut args = Args::default();
    args.options.push(("json", String::new()));
    for (name, value) in given {
        // uhttpd adds the session to whatever a page calls.
        if name == "ubus_rpc_session" {
            continue;
        }
        let Some((name, kind)) = known.iter().find(|(known, _)| *known == name) else {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            return Err(format!("{name} is not known; there is {names}"));
        };
        // A page sends an empty text for what nobody has filled in.
        let texts = |texts: Vec<String>| texts.into_iter().filter(|text| !text.is_empty());
        let wrong = || format!("{name} must be {}", kind.expected());
        match (kind, value) {
            (_, Value::Null) | (Kind::Flag, Value::Bool(false)) => {}
            (Kind::Flag, Value::Bool(true)) => args.options.push((name, String::new())),
            (Kind::Word, Value::String(text)) => args.words.extend(texts(vec![text])),
            (Kind::Text, Value::String(text)) => {
                args.options
                    .extend(texts(vec![text]).map(|text| (*name, text)));
            }
            (Kind::Texts, value @ Value::Array(_)) => {
                let list = serde_json::from_value(value).map_err(|_| wrong())?;
                args.options.extend(texts(list).map(|text| (*name, text)));
            }
            _ => return Err(wrong()),
        }
    }
    Ok((command, args))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(method: &str, input: &str) -> Value {
        serde_json::from_str(&call(method, input)).unwrap()
    }

    fn error(method: &str, input: &str) -> String {
        let answer = answer(method, input);
        answer["error"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn by_the_directory_it_is_in() {
        assert!(is_called_by(Path::new("/usr/libexec/rpcd/mape")));
        for other in [
            "/usr/sbin/mape",
            "mape",
            "rpcd",
            "/lib/netifd/proto/mape.sh",
        ] {
            assert!(!is_called_by(Path::new(other)), "{other}");
        }
    }

    #[test]
    fn arguments_are_checked() {
        assert_eq!(error("reboot", "{}"), "there is no method reboot");
        assert_eq!(error("lookup", "[]"), "the arguments are no JSON object");
        assert_eq!(error("lookup", "{"), "the arguments are no JSON object");
        assert_eq!(error("lookup", "{}"), "a prefix or address is missing");
        assert_eq!(
            error("lookup", r#"{"prefix":5}"#),
            "prefix must be a string"
        );
        assert_eq!(
            error("calc", r#"{"rule":"x"}"#),
            "rule must be an array of strings"
        );
        assert_eq!(
            error("calc", r#"{"legacy":"1"}"#),
            "legacy must be a boolean"
        );
        assert_eq!(
            error("lookup", r#"{"interface":"wan"}"#),
            "interface is not known; there is prefix"
        );
        // Values stay values whatever they look like.
        assert!(error("lookup", r#"{"prefix":"--help"}"#).starts_with("\"--help\" is neither"));
        assert!(error("calc", r#"{"prefix":"--json"}"#).starts_with("\"--json\" is neither"));
    }

    #[test]
    fn rpcd_gets_an_example_of_each_argument() {
        let signature: Value = serde_json::from_str(&line(&super::signature())).unwrap();
        assert_eq!(signature["calc"]["rule"], json!([]));
        assert_eq!(signature["status"], json!({ "interface": "s" }));
        // rpcd reads this in pieces of 1 KiB, but has always got it whole.
        assert!(line(&super::signature()).len() < 1024);
    }
}
