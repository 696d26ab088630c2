// SPDX-License-Identifier: GPL-2.0-or-later
//! netifd's calls: `NAME.sh '' dump` and
//! `NAME.sh PROTO ACTION INTERFACE CONFIG [DEVICE]`.

use std::process::ExitCode;

use super::address;
use super::link::ADDRESS_OPTION;
use super::problem::Problem;
use super::renew::renew;
use super::repair::renewed;
use super::section::completed;
use super::settings::{Protocol, Settings};
use super::setup::setup;
use super::teardown::{teardown, undo};
use crate::console::{complain, print};
use crate::logging;
use crate::netifd::{Config, Description, Device, Kind, OPTIONS};
use crate::paths::state_file;

/// Exit status of a call that netifd never makes.
const MISUSED: u8 = 2;

/// Runs a call for the protocol whose name we were called by.
pub fn main(protocol: Protocol, args: &[String]) -> ExitCode {
    match args {
        [_, action, ..] if action == "dump" => return dump(protocol),
        [name, action, interface, config, ..] => {
            logging::init();
            if name == address::PROTOCOL {
                address::handle(action, interface, config);
                return ExitCode::SUCCESS;
            }
            return call(protocol, action, interface, config);
        }
        _ => {}
    }
    complain(&format!(
        "mape: netifd calls this as ./{name}.sh {name} setup|renew|teardown INTERFACE CONFIG; \
         `mape` is the command for people",
        name = protocol.as_str()
    ));
    ExitCode::from(MISUSED)
}

fn dump(protocol: Protocol) -> ExitCode {
    let described = Description::new(protocol.as_str(), OPTIONS, Device::Own);
    let mut text = described.to_line() + "\n";
    // One script announces the protocol of the address, for both.
    if protocol == Protocol::Mape {
        let options = &[(ADDRESS_OPTION, Kind::String)];
        let of_address = Description::new(address::PROTOCOL, options, Device::OfParent);
        text += &(of_address.to_line() + "\n");
    }
    match print(&text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn call(protocol: Protocol, action: &str, interface: &str, config: &str) -> ExitCode {
    // Undoing must work with any configuration.
    if action == "teardown" {
        teardown(interface);
        return ExitCode::SUCCESS;
    }
    let read = || read(protocol, interface, config);
    match action {
        "setup" => {
            if state_file(interface).exists() {
                // An interface that is being set up is not up: a teardown was
                // cut short, or netifd has been restarted.
                undo(interface);
            }
            setup(interface, &read);
        }
        "renew" => match read() {
            Ok(settings) => renew(&settings),
            // What runs stays until netifd or the DHCPv6 client says better.
            Err(problem) => {
                log::error!("{interface}: {problem}");
                renewed(interface);
            }
        },
        other => {
            log::error!("{interface}: unknown action {other}");
            return ExitCode::from(MISUSED);
        }
    }
    ExitCode::SUCCESS
}

/// What netifd passed, completed by what our files say now.
fn read(protocol: Protocol, interface: &str, config: &str) -> Result<Settings, Problem> {
    let config = completed(Config::parse(config)?, interface);
    Settings::new(protocol, interface, &config)
}
