// SPDX-License-Identifier: GPL-2.0-or-later
//! The bus object `mape`: rpcd runs `/usr/libexec/rpcd/mape list` once, and
//! `/usr/libexec/rpcd/mape call METHOD` with the arguments as JSON on standard
//! input for each call. The answer is what the command of that name prints.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Map, Value};

use super::{Failure, run};
use crate::json::object;

/// A method, which is a command by that name.
struct Method {
    name: &'static str,
    arguments: &'static [Argument],
}

/// What a method takes.
struct Argument {
    name: &'static str,
    kind: Kind,
    /// The option it becomes; `None` where it stands alone.
    option: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Texts,
    Flag,
}

const fn argument(name: &'static str, kind: Kind, option: Option<&'static str>) -> Argument {
    Argument { name, kind, option }
}

const INTERFACE: Argument = argument("interface", Kind::Text, None);

const METHODS: &[Method] = &[
    Method {
        name: "status",
        arguments: &[INTERFACE],
    },
    Method {
        name: "ports",
        arguments: &[INTERFACE],
    },
    Method {
        name: "calc",
        arguments: &[
            argument("prefix", Kind::Text, Some("prefix")),
            argument("provider", Kind::Text, Some("provider")),
            argument("rule", Kind::Texts, Some("rule")),
            argument("legacy", Kind::Flag, Some("legacy")),
        ],
    },
    Method {
        name: "lookup",
        arguments: &[argument("prefix", Kind::Text, None)],
    },
    Method {
        name: "doctor",
        arguments: &[INTERFACE, argument("probe", Kind::Text, Some("probe"))],
    },
];

/// The arguments of all calls are a few addresses and rules.
const MAX_INPUT: u64 = 256 * 1024;

/// Whether rpcd runs us: we are in a directory `rpcd` then.
pub fn is_called_by(path: &Path) -> bool {
    let parent = path.parent().and_then(Path::file_name);
    parent.is_some_and(|name| name == "rpcd")
}

/// Answers rpcd. Every answer is one JSON object: rpcd turns anything else
/// into a status that says nothing.
pub fn main(args: &[String]) -> ExitCode {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let answer = match args.as_slice() {
        ["list"] => signature().to_string(),
        ["call", method] => {
            let mut input = String::new();
            match io::stdin().take(MAX_INPUT).read_to_string(&mut input) {
                Ok(_) => call(method, &input),
                Err(error) => says(format!("arguments cannot be read: {error}")),
            }
        }
        _ => {
            let _ = writeln!(
                io::stderr(),
                "mape: rpcd calls this with list, or call METHOD"
            );
            return ExitCode::from(2);
        }
    };
    match writeln!(io::stdout(), "{}", answer.trim_end()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Methods with an example of each argument, whose type counts.
fn signature() -> Value {
    let example = |argument: &Argument| match argument.kind {
        Kind::Text => "s".into(),
        Kind::Texts => Value::Array(Vec::new()),
        Kind::Flag => true.into(),
    };
    let arguments = |method: &Method| -> Map<String, Value> {
        let all = method.arguments.iter();
        all.map(|argument| (argument.name.into(), example(argument)))
            .collect()
    };
    let methods = METHODS.iter();
    methods
        .map(|method| (method.name.to_owned(), Value::Object(arguments(method))))
        .collect::<Map<_, _>>()
        .into()
}

fn says(reason: impl std::fmt::Display) -> String {
    object(&[("error", &reason.to_string())]).to_string()
}

/// The answer to a call; `input` is a JSON object, or empty.
pub fn call(method: &str, input: &str) -> String {
    let args = match command_line(method, input) {
        Ok(args) => args,
        Err(reason) => return says(reason),
    };
    let mut out = Vec::new();
    let outcome = run(args, &mut out);
    match (String::from_utf8(out), outcome) {
        // What a command has printed says why it failed, too.
        (Ok(text), _) if !text.trim().is_empty() => text,
        (_, Err(Failure::Usage(reason))) => {
            let reason = reason.split("; see `").next().unwrap_or_default();
            says(reason)
        }
        (_, Err(failure)) => says(failure),
        (_, Ok(())) => says("no answer"),
    }
}

/// The command line that a call stands for.
fn command_line(method: &str, input: &str) -> Result<Vec<OsString>, String> {
    let found = METHODS.iter().find(|known| known.name == method);
    let method = found.ok_or_else(|| format!("there is no method {method}"))?;
    let given = match input.trim() {
        "" => Map::new(),
        text => match serde_json::from_str(text) {
            Ok(Value::Object(members)) => members,
            _ => return Err("the arguments are no JSON object".into()),
        },
    };
    let mut line: Vec<OsString> = vec![method.name.into(), "--json".into()];
    let mut alone: Vec<OsString> = Vec::new();
    for (name, value) in &given {
        // uhttpd adds the session to whatever a page calls.
        if name == "ubus_rpc_session" {
            continue;
        }
        let known = method.arguments.iter().find(|a| a.name == *name);
        let Some(argument) = known else {
            let names: Vec<&str> = method.arguments.iter().map(|a| a.name).collect();
            return Err(format!(
                "{name} is not known; there is {}",
                names.join(", ")
            ));
        };
        for text in texts(argument, value)? {
            match argument.option {
                Some(option) if argument.kind == Kind::Flag => {
                    line.push(format!("--{option}").into())
                }
                Some(option) => line.push(format!("--{option}={text}").into()),
                None => alone.push(text.into()),
            }
        }
    }
    if !alone.is_empty() {
        // What stands alone may begin with a dash and is no option.
        line.push("--".into());
        line.append(&mut alone);
    }
    Ok(line)
}

/// The values of an argument: none where it is empty or a flag that is off.
fn texts(argument: &Argument, value: &Value) -> Result<Vec<String>, String> {
    let name = argument.name;
    let text = |value: &Value| {
        let text = value
            .as_str()
            .ok_or_else(|| format!("{name} must be a string"))?;
        Ok::<_, String>((!text.is_empty()).then(|| text.to_owned()))
    };
    Ok(match (argument.kind, value) {
        (_, Value::Null) => Vec::new(),
        (Kind::Text, value) => text(value)?.into_iter().collect(),
        (Kind::Texts, Value::Array(list)) => {
            let all: Vec<Option<String>> = list.iter().map(text).collect::<Result<_, _>>()?;
            all.into_iter().flatten().collect()
        }
        (Kind::Texts, _) => return Err(format!("{name} must be an array of strings")),
        (Kind::Flag, Value::Bool(on)) => on.then(String::new).into_iter().collect(),
        (Kind::Flag, _) => return Err(format!("{name} must be a boolean")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
    fn answers_are_those_of_the_commands() {
        let session = r#"{"prefix":"240b:10:1:200::/56","ubus_rpc_session":"00"}"#;
        assert_eq!(answer("lookup", session)["provider"], "v6plus");
        let calc = r#"{"prefix":"2001:db8:12:3400::/56","legacy":false,"provider":"","rule":
            ["ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,ealen=16"]}"#;
        let calc = answer("calc", calc);
        assert_eq!(calc["ipv4_address"], "192.0.2.18");
        assert_eq!(calc["dialect"], "rfc7597");
        let legacy = r#"{"prefix":"240b:10:1:200::/56","provider":"auto"}"#;
        assert_eq!(answer("calc", legacy)["psid"], 2);
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
        assert!(error("lookup", r#"{"prefix":"--help"}"#).starts_with("--help is neither"));
        assert!(error("calc", r#"{"prefix":"--json"}"#).starts_with("--json is neither"));
    }

    #[test]
    fn rpcd_gets_an_example_of_each_argument() {
        let signature = signature();
        assert_eq!(signature["calc"]["rule"], json!([]));
        assert_eq!(signature["status"], json!({ "interface": "s" }));
        // rpcd reads this in pieces of 1 KiB, but has always got it whole.
        assert!(signature.to_string().len() < 1024);
    }
}
