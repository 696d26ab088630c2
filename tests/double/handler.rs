// SPDX-License-Identifier: GPL-2.0-or-later
//! The state machine that runs the scripts of an interface.

use super::discovery::Handler;
use super::interface::State;
use super::record::Entry;
use super::world::{Happening, World};
use mape::ubus::Status;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, PipeReader};
use std::net::IpAddr;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

/// How long a setup that was told to end may take, and how long a teardown.
const ABORT: Duration = Duration::from_secs(1);
const TEARDOWN: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    Idle,
    Setup,
    Abort,
    Teardown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtoCommand {
    Setup,
    Teardown,
    Renew,
    Restart,
}

#[derive(Debug, Clone)]
pub struct Dependency {
    pub interface: String,
    pub host: Option<IpAddr>,
    /// The interface that satisfies it.
    pub met_by: Option<String>,
}

pub struct HandlerState {
    pub script: String,
    pub proto: String,
    pub config: String,
    pub machine: Machine,
    /// Pid and action of what runs.
    pub running: Option<(u32, String)>,
    pub task: Option<u32>,
    pub task_killed: bool,
    pub renew_pending: bool,
    pub restart_pending: bool,
    pub dependencies: Vec<Dependency>,
    pub task_exit: Option<i32>,
    pub renew: bool,
    pub restart: bool,
    pub no_task: bool,
    pub last_error: bool,
    /// Counts timers; only the newest may fire.
    timer: u32,
}

impl HandlerState {
    pub fn new(handler: &Handler, config: String) -> Self {
        HandlerState {
            script: handler.script.clone(),
            proto: handler.name.clone(),
            config,
            machine: Machine::Idle,
            running: None,
            task: None,
            task_killed: false,
            renew_pending: false,
            restart_pending: false,
            dependencies: Vec::new(),
            task_exit: None,
            renew: handler.renew,
            restart: handler.restart,
            no_task: handler.no_task,
            last_error: handler.last_error,
            timer: 0,
        }
    }
}

pub(super) enum Finished {
    Script,
    Task,
    Neither,
}

impl World {
    pub(super) fn proto_command(&mut self, name: &str, command: ProtoCommand) {
        let Some(handler) = self.handler(name) else {
            return;
        };
        let busy = matches!(handler.machine, Machine::Teardown | Machine::Abort);
        match command {
            ProtoCommand::Setup if handler.machine == Machine::Idle => {
                handler.task_exit = None;
                handler.dependencies.clear();
                handler.machine = Machine::Setup;
                self.run_script(name, "setup");
            }
            ProtoCommand::Setup => {}
            ProtoCommand::Renew if !handler.renew || busy => {}
            ProtoCommand::Renew if handler.running.is_some() => handler.renew_pending = true,
            ProtoCommand::Renew => {
                handler.renew_pending = false;
                self.run_script(name, "renew");
            }
            ProtoCommand::Restart if !handler.restart || busy => {}
            ProtoCommand::Restart if handler.running.is_some() => handler.restart_pending = true,
            ProtoCommand::Restart => {
                handler.restart_pending = false;
                self.run_script(name, "restart");
            }
            ProtoCommand::Teardown => self.teardown(name),
        }
    }

    fn teardown(&mut self, name: &str) {
        let Some(handler) = self.handler(name) else {
            return;
        };
        if matches!(handler.machine, Machine::Teardown | Machine::Abort) {
            return;
        }
        handler.renew_pending = false;
        handler.restart_pending = false;
        let running = handler.running.clone();
        let task = handler.task;
        if let (Machine::Setup, Some((pid, _))) = (handler.machine, running) {
            handler.machine = Machine::Abort;
            self.signal(pid, Signal::SIGTERM);
            if let Some(task) = task {
                self.signal(task, Signal::SIGTERM);
            }
            self.set_timer(name, ABORT);
        } else {
            handler.machine = Machine::Teardown;
            self.run_script(name, "teardown");
            self.set_timer(name, TEARDOWN);
        }
    }

    fn set_timer(&mut self, name: &str, pause: Duration) {
        let Some(handler) = self.handler(name) else {
            return;
        };
        handler.timer += 1;
        let (timer, name) = (handler.timer, name.to_owned());
        self.after(pause, move |world| {
            if world.handler(&name).is_some_and(|h| h.timer == timer) {
                world.kill_script(&name);
                world.kill_task(&name);
                world.finished(&name, Finished::Neither);
            }
        });
    }

    fn kill_script(&mut self, name: &str) {
        let running = self.handler(name).and_then(|h| h.running.take());
        if let Some((pid, _)) = running {
            self.signal(pid, Signal::SIGKILL);
        }
    }

    fn kill_task(&mut self, name: &str) {
        if let Some(pid) = self.handler(name).and_then(|h| h.task.take()) {
            self.signal(pid, Signal::SIGKILL);
        }
    }

    pub(super) fn signal(&mut self, pid: u32, signal: Signal) {
        self.record.push(Entry::Signal {
            pid,
            signal: signal.as_str(),
        });
        let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
    }

    fn run_script(&mut self, name: &str, action: &str) {
        self.kill_script(name);
        let Some(handler) = self.handler(name) else {
            return;
        };
        let arguments = [&handler.proto, action, name, &handler.config].map(str::to_owned);
        let mut command = Command::new(&handler.script);
        command.args(arguments);
        if let (Some(code), "teardown") = (handler.task_exit, action) {
            command.env("ERROR", code.to_string());
        }
        let pid = self.spawn(name, action, command);
        if let Some(handler) = self.handler(name) {
            handler.running = Some((pid, action.to_owned()));
        }
    }

    /// Starts a process as netifd does: in the folder of the scripts, with all three standard
    /// descriptors the write end of a pipe whose lines are logged.
    fn spawn(&mut self, name: &str, action: &str, mut command: Command) -> u32 {
        let (reader, writer) = std::io::pipe().unwrap();
        command
            .current_dir(&self.scripts)
            .stdin(Stdio::from(writer.try_clone().unwrap()))
            .stdout(Stdio::from(writer.try_clone().unwrap()))
            .stderr(Stdio::from(writer));
        for (variable, value) in &self.env {
            command.env(variable, value);
        }
        let child = command
            .spawn()
            .unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let pid = child.id();
        self.record.push(Entry::Spawn {
            interface: name.to_owned(),
            action: action.to_owned(),
            pid,
        });
        self.collect_log(name, pid, reader);
        self.await_exit(name, action, child);
        pid
    }

    fn collect_log(&mut self, name: &str, pid: u32, reader: PipeReader) {
        *self.open_logs.entry(name.to_owned()).or_default() += 1;
        let (shared, name) = (self.shared.clone(), name.to_owned());
        thread::spawn(move || {
            for line in BufReader::new(reader).split(b'\n') {
                let (Ok(line), Some(shared)) = (line, shared.upgrade()) else {
                    return;
                };
                let line = String::from_utf8_lossy(&line).into_owned();
                shared.with(|world| world.log.push(format!("{name} ({pid}): {line}")));
            }
            if let Some(shared) = shared.upgrade() {
                shared.with(|world| {
                    let open = world.open_logs.entry(name).or_default();
                    *open = open.saturating_sub(1);
                });
            }
        });
    }

    fn await_exit(&self, name: &str, action: &str, mut child: Child) {
        let (shared, name, action) = (self.shared.clone(), name.to_owned(), action.to_owned());
        thread::spawn(move || {
            let pid = child.id();
            // Looked at first and collected under the lock, so that no signal is ever sent to
            // a number that belongs to somebody else by then.
            let pid_of = |pid: u32| Id::Pid(Pid::from_raw(pid.cast_signed()));
            let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
            while waitid(pid_of(pid), flags) == Err(nix::errno::Errno::EINTR) {}
            let Some(shared) = shared.upgrade() else {
                let _ = child.wait();
                return;
            };
            shared.with(|world| {
                let status = child.wait().unwrap();
                world.record.push(Entry::Exit {
                    interface: name.clone(),
                    action,
                    pid,
                    how: how(status),
                });
                if !world.stopping {
                    world.exited(&name, pid, status);
                }
            });
        });
    }

    fn exited(&mut self, name: &str, pid: u32, status: ExitStatus) {
        let Some(handler) = self.handler(name) else {
            return;
        };
        if handler.running.as_ref().is_some_and(|(p, _)| *p == pid) {
            handler.running = None;
            self.finished(name, Finished::Script);
        } else if handler.task == Some(pid) {
            handler.task = None;
            if matches!(handler.machine, Machine::Idle | Machine::Setup) {
                handler.task_exit = Some(status.code().unwrap_or_default());
            }
            self.finished(name, Finished::Task);
        }
    }

    fn finished(&mut self, name: &str, what: Finished) {
        let Some(handler) = self.handler(name) else {
            return;
        };
        match (handler.machine, what) {
            (machine @ (Machine::Idle | Machine::Setup), Finished::Task) => {
                if machine == Machine::Idle {
                    self.link_lost(name);
                }
                self.proto_command(name, ProtoCommand::Teardown);
            }
            (machine @ (Machine::Idle | Machine::Setup), Finished::Script) => {
                if handler.restart_pending {
                    self.proto_command(name, ProtoCommand::Restart);
                } else if handler.renew_pending {
                    self.proto_command(name, ProtoCommand::Renew);
                } else if machine == Machine::Setup && handler.task.is_none() && !handler.no_task {
                    self.proto_command(name, ProtoCommand::Teardown);
                }
            }
            (Machine::Abort, _) if handler.running.is_none() && handler.task.is_none() => {
                handler.timer += 1;
                handler.machine = Machine::Idle;
                self.proto_command(name, ProtoCommand::Teardown);
            }
            (Machine::Teardown, _) if handler.running.is_none() => {
                if let Some(task) = handler.task {
                    if !handler.task_killed {
                        self.signal(task, Signal::SIGTERM);
                    }
                    return;
                }
                handler.timer += 1;
                handler.machine = Machine::Idle;
                self.down(name);
            }
            _ => {}
        }
    }

    /// The teardown is over.
    fn down(&mut self, name: &str) {
        if self.interface(name).state != State::Down {
            self.mark_down(name);
            self.finish_down(name);
        }
    }

    pub(super) fn link_lost(&mut self, name: &str) {
        if self.interface(name).state == State::Up {
            self.mark_down(name);
            self.interface_mut(name).state = State::Setup;
        }
    }

    /// A link-up was accepted.
    pub(super) fn link_up(&mut self, name: &str) {
        let interface = self.interface_mut(name);
        match interface.state {
            State::Setup => {
                self.install(name);
                let interface = self.interface_mut(name);
                interface.state = State::Up;
                interface.since = std::time::Instant::now();
                self.happened(name, Happening::Up);
            }
            State::Up if !interface.updated.is_empty() => self.happened(name, Happening::Update),
            _ => {}
        }
        if let Some(handler) = self.handler(name) {
            handler.machine = Machine::Idle;
        }
    }

    pub(super) fn run_task(&mut self, name: &str, command: &[&str], env: &[&str]) -> Status {
        let Some((program, arguments)) = command.split_first() else {
            return Status::InvalidArgument;
        };
        let mut task = Command::new(program);
        task.args(arguments);
        task.envs(env.iter().filter_map(|e| e.split_once('=')));
        self.kill_task(name);
        let pid = self.spawn(name, "task", task);
        if let Some(handler) = self.handler(name) {
            handler.task_killed = false;
            handler.task = Some(pid);
        }
        Status::Ok
    }
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => match Signal::try_from(signal) {
            Ok(signal) => format!("signal {signal}"),
            Err(_) => format!("signal {signal}"),
        },
        (None, None) => "nothing".to_owned(),
    }
}
