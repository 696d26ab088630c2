// SPDX-License-Identifier: GPL-2.0-or-later
//! netifd's calls: `NAME.sh '' dump` and
//! `NAME.sh PROTO ACTION INTERFACE CONFIG [DEVICE]`.

use super::bus::Netifd;
use super::problem::Problem;
use super::renew::renew;
use super::settings::{Protocol, Settings};
use super::setup::{refuse, setup};
use super::teardown::teardown;
use crate::exit::Exit;
use crate::logging;
use crate::netifd::{Config, Description};
use crate::streams;

/// Runs a call for the protocol whose name we were called by.
pub fn main(protocol: Protocol, args: &[String]) -> Exit {
    match args {
        [_, action, ..] if action == "dump" => return dump(protocol),
        [_, action, interface, config, ..] => {
            logging::init();
            // None of netifd's arguments: `anew` adds it.
            let said = args.get(5).map_or("", String::as_str);
            return call(protocol, action, interface, config, said);
        }
        _ => {}
    }
    streams::complain(&format!(
        "mape: netifd calls this as ./{name}.sh {name} setup|renew|teardown INTERFACE CONFIG; \
         `mape` is the command for people",
        name = protocol.as_str()
    ));
    Exit::Misused
}

fn dump(protocol: Protocol) -> Exit {
    let description = Description {
        name: protocol.as_str(),
    };
    streams::print(format!("{}\n", description.to_line()).as_bytes()).into()
}

fn call(protocol: Protocol, action: &str, interface: &str, config: &str, said: &str) -> Exit {
    // Undoing must work with any configuration.
    if action == "teardown" {
        teardown(interface);
        return Exit::Done;
    }
    let settings = Config::parse(config)
        .map_err(Problem::from)
        .and_then(|config| Settings::new(protocol, interface, &config));
    match (action, &settings) {
        ("setup", Ok(settings)) => setup(settings, said),
        ("renew", Ok(settings)) => renew(settings, said),
        ("setup" | "renew", Err(problem)) => {
            let told = match Netifd::connect(interface) {
                Ok(mut bus) => refuse(&mut bus, interface, problem),
                Err(error) => {
                    logging::error(interface, problem);
                    Err(error)
                }
            };
            if let Err(error) = told {
                logging::error(interface, &error);
            }
        }
        (other, _) => {
            logging::error(interface, &format_args!("unknown action {other}"));
            return Exit::Misused;
        }
    }
    Exit::Done
}
