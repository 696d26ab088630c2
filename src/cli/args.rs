// SPDX-License-Identifier: GPL-2.0-or-later
//! A command line as the table of its command reads it.

use std::fmt::Display;
use std::str::FromStr;

use lexopt::{Arg, ValueExt as _};

use super::failure::{Failure, Outcome};

/// A subcommand.
pub(super) struct Command {
    /// Its name.
    pub(super) name: &'static str,
    /// One line for the list of commands.
    pub(super) about: &'static str,
    /// What `--help` prints: usage, options and an example.
    pub(super) help: &'static str,
    /// Its options; `=` ends those that take a value. All have `help`.
    pub(super) options: &'static [&'static str],
    /// Most arguments that are no options.
    pub(super) words: usize,
    /// Does what it is for, and writes to the text.
    pub(super) run: fn(&Args, &mut String) -> Outcome,
}

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
    /// Reads `line`, what follows the command's name. Nothing after `--help`
    /// is looked at.
    ///
    /// # Errors
    /// What of it the command does not know.
    pub fn read(command: &Command, line: &[String]) -> Outcome<Self> {
        Self::parse(command, line).map_err(Failure::usage)
    }

    fn parse(command: &Command, line: &[String]) -> Result<Self, lexopt::Error> {
        let mut args = Args::default();
        let mut parser = lexopt::Parser::from_args(line);
        while let Some(arg) = parser.next()? {
            let known = match &arg {
                Arg::Value(_) if args.words.len() == command.words => {
                    return Err(arg.unexpected());
                }
                Arg::Value(word) => {
                    args.words.push(word.clone().string()?);
                    continue;
                }
                Arg::Short('h') => Some(HELP),
                Arg::Short(_) => None,
                Arg::Long(name) => command.option(name),
            };
            let option = known.ok_or_else(|| arg.unexpected())?;
            if option == HELP {
                args.options.push((HELP, String::new()));
                break;
            }
            let (name, value) = match option.strip_suffix('=') {
                Some(name) => (name, parser.value()?.string()?),
                None => (option, String::new()),
            };
            if name != REPEATED && args.has(name) {
                return Err(format!("--{name} is given twice").into());
            }
            args.options.push((name, value));
        }
        Ok(args)
    }

    /// Whether an option is given.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The value of an option.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut options = self.options.iter().rev();
        let found = options.find(|(known, _)| *known == name)?;
        Some(&found.1)
    }

    /// The value of an option as what it must be.
    ///
    /// # Errors
    /// It is something else, in words that begin with the option's name.
    pub fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Outcome<Option<T>> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let value = text.parse();
        value
            .map(Some)
            .map_err(|error| Failure::failed(format_args!("--{error}")))
    }

    /// The only word.
    pub fn word(&self) -> Option<&str> {
        self.words.first().map(String::as_str)
    }
}

/// The only option that may be given several times.
const REPEATED: &str = "rule";

/// The option that every command has.
pub(super) const HELP: &str = "help";

impl Command {
    /// The entry of `name` in the table of options.
    fn option(&self, name: &str) -> Option<&'static str> {
        let mut all = self.options.iter().copied().chain([HELP]);
        all.find(|option| option.trim_end_matches('=') == name)
    }
}
