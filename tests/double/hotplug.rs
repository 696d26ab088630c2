// SPDX-License-Identifier: GPL-2.0-or-later
//! netifd's queue of hotplug events: one call at a time, and of each interface at most one event
//! that waits (interface-event.c).

use super::world::{Happening, World};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

#[derive(Default)]
pub struct Hotplug {
    /// What is run; without it, events come to nothing.
    program: Option<PathBuf>,
    pending: VecDeque<(String, Happening)>,
    current: Option<(String, Happening)>,
}

impl Hotplug {
    fn queue(&mut self, name: &str, event: Happening) {
        let waiting = self.pending.iter_mut().find(|(other, _)| other == name);
        let handled = self.current.as_ref().filter(|(other, _)| other == name);
        match (waiting, handled) {
            (Some((_, waiting)), Some(_)) if event != Happening::Update => *waiting = event,
            (Some((_, waiting)), None)
                if (*waiting, event) != (Happening::Up, Happening::Update) =>
            {
                *waiting = event;
            }
            (Some(_), _) => {}
            (None, Some((_, handled))) if *handled == event && event != Happening::Update => {}
            (None, _) => self.pending.push_back((name.to_owned(), event)),
        }
    }
}

impl World {
    /// From now on the events of interfaces run `program`, as firewall4's and our own hotplug
    /// scripts do.
    pub fn start_hotplug(&mut self, program: PathBuf) {
        self.hotplug.program = Some(program);
    }

    /// From now on events come to nothing.
    pub fn stop_hotplug(&mut self) {
        self.hotplug.program = None;
        self.hotplug.pending.clear();
    }

    /// Whether all events have been dealt with.
    pub fn is_hotplug_idle(&self) -> bool {
        self.hotplug.current.is_none() && self.hotplug.pending.is_empty()
    }

    pub(super) fn queue_event(&mut self, name: &str, event: Happening) {
        if self.hotplug.program.is_some() {
            self.hotplug.queue(name, event);
            self.next_event();
        }
    }

    /// netifd frees an interface, and forgets its events.
    pub(super) fn forget_events(&mut self, name: &str) {
        self.hotplug.pending.retain(|(other, _)| other != name);
    }

    fn next_event(&mut self) {
        if self.hotplug.current.is_some() || self.stopping {
            return;
        }
        let Some((name, event)) = self.hotplug.pending.pop_front() else {
            return;
        };
        let commands = self.commands_of(&name, event);
        self.hotplug.current = Some((name, event));
        let shared = self.shared.clone();
        thread::spawn(move || {
            for mut command in commands {
                let _ = command.status();
            }
            if let Some(shared) = shared.upgrade() {
                shared.with(|world| {
                    world.hotplug.current = None;
                    world.next_event();
                });
            }
        });
    }

    /// 20-firewall loads the firewall at `ifup`, and 90-mape follows.
    fn commands_of(&self, name: &str, event: Happening) -> Vec<Command> {
        let Some(program) = &self.hotplug.program else {
            return Vec::new();
        };
        let command = |arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(arguments).envs(self.env.iter().cloned());
            command
        };
        match event {
            Happening::Up => vec![command(&["firewall"]), command(&["hotplug", name])],
            Happening::Update | Happening::Down | Happening::UpFailed => {
                vec![command(&["hotplug", name])]
            }
        }
    }
}
