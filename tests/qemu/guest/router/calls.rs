// SPDX-License-Identifier: GPL-2.0-or-later
//! netifd's calls of a handler, one by one, to see what each takes.

use super::{INTERFACE, Router};
use crate::Result;
use crate::double::State;
use crate::double::handler::Machine;
use crate::guest::netns::Netns;
use crate::guest::sys;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The stock handler, if it was added to the machine.
pub const STOCK: &str = "/lib/netifd/proto/map.sh";

/// The shell that came with it. Debian's takes `ifdown` for its own.
const SHELL: &str = "/usr/bin/busybox";

impl Router {
    /// A setup and a teardown of the interface, which is down, by our handler or
    /// by the one at `script`: how long a processor worked for each call.
    pub fn calls(&self, ce: &Netns, script: Option<&Path>) -> Result<(Duration, Duration)> {
        self.stock_finds_us()?;
        self.double.with(|world| {
            let interface = world.interface_mut(INTERFACE);
            interface.state = State::Setup;
            if let Some(handler) = interface.handler.as_mut() {
                handler.machine = Machine::Setup;
            }
        });
        let setup = self.call(ce, script, "setup")?;
        self.until(true)?;
        let teardown = self.call(ce, script, "teardown")?;
        ce.within(|| {
            self.double.with(|world| world.set_down(INTERFACE));
            self.until(false)
        })?;
        Ok((setup, teardown))
    }

    fn call(&self, ce: &Netns, script: Option<&Path>, action: &str) -> Result<Duration> {
        let own = self.root().join("lib/netifd/proto/map.sh");
        let script = script.unwrap_or(&own);
        let config = self.double.with(|world| {
            let handler = world.interface_mut(INTERFACE).handler.as_ref();
            handler.map(|handler| handler.config.clone())
        });
        let config = config.ok_or("the interface has no handler")?;
        let mut command = match Path::new(SHELL).exists() && script != own {
            true => Command::new(SHELL),
            false => Command::new(script),
        };
        if command.get_program() == SHELL {
            command.arg("sh").arg(script);
        }
        command
            .args(["map", action, INTERFACE, &config])
            .current_dir(script.parent().unwrap_or(script))
            .stdin(Stdio::null());
        self.environment(&mut command);
        ce.within(|| sys::cost_of(command))
    }

    /// The place where other programs look for the bus.
    fn stock_finds_us(&self) -> Result<()> {
        let place = Path::new("/var/run/ubus/ubus.sock");
        let failed = |e| format!("{}: {e}", place.display());
        fs::create_dir_all("/var/run/ubus").map_err(failed)?;
        let _ = fs::remove_file(place);
        symlink(self.double.socket(), place).map_err(failed)
    }
}
