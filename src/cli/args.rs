// SPDX-License-Identifier: GPL-2.0-or-later
//! A command line as the table of its command reads it.

use std::fmt::Display;
use std::str::FromStr;

use super::{Command, Failure, Outcome};

/// What a command was given.
#[derive(Debug, Default)]
pub(super) struct Args {
    /// Options without dashes, in order; those that take no value have an
    /// empty one.
    pub options: Vec<(&'static str, String)>,
    /// What stands alone.
    pub words: Vec<String>,
}

impl Args {
    /// Reads `line`, what follows the command's name.
    ///
    /// # Errors
    /// What of it the command does not know.
    pub fn read(command: &Command, line: &[String]) -> Outcome<Self> {
        let mut args = Args::default();
        let mut line = line.iter();
        let mut only_words = false;
        while let Some(arg) = line.next() {
            if only_words || arg == "-" || !arg.starts_with('-') {
                if args.words.len() == command.words {
                    return Err(Failure::usage(format_args!(
                        "unexpected argument \"{arg}\""
                    )));
                }
                args.words.push(arg.clone());
                continue;
            }
            let (name, given) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (arg.as_str(), None),
            };
            let known = match name {
                "--" if given.is_none() => {
                    only_words = true;
                    continue;
                }
                "-h" => Some(HELP),
                _ => name
                    .strip_prefix("--")
                    .and_then(|name| command.option(name)),
            };
            let Some(option) = known else {
                return Err(Failure::usage(format_args!("invalid option '{name}'")));
            };
            let value = match (option.strip_suffix('='), given) {
                (None, None) => "",
                (Some(_), Some(value)) => value,
                (Some(_), None) => line.next().map(String::as_str).ok_or_else(|| {
                    Failure::usage(format_args!("missing argument for option '{name}'"))
                })?,
                (None, Some(value)) => {
                    return Err(Failure::usage(format_args!(
                        "unexpected argument for option '{name}': \"{value}\""
                    )));
                }
            };
            args.options
                .push((option.trim_end_matches('='), value.to_owned()));
            if option == HELP {
                break;
            }
        }
        Ok(args)
    }

    /// Whether an option is given.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The value of an option; the last one counts.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut options = self.options.iter().rev();
        let found = options.find(|(known, _)| *known == name)?;
        Some(&found.1)
    }

    /// The value of an option as what it must be.
    ///
    /// # Errors
    /// It is something else.
    pub fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Outcome<Option<T>> {
        let value = self.get(name).map(str::parse).transpose();
        value.map_err(Failure::usage)
    }

    /// The only word.
    pub fn word(&self) -> Option<&str> {
        self.words.first().map(String::as_str)
    }
}

/// The option that every command has.
pub(super) const HELP: &str = "help";

impl Command {
    /// The entry of `name` in the table of options.
    fn option(&self, name: &str) -> Option<&'static str> {
        let mut all = self.options.iter().copied().chain([HELP]);
        all.find(|option| option.trim_end_matches('=') == name)
    }
}
