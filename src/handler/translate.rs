// SPDX-License-Identifier: GPL-2.0-or-later
//! Address translation of one interface: planned, held back, loaded, removed.

use std::path::PathBuf;
use std::time::Duration;
use std::{fs, io};

use super::link::Link;
use super::plan::Plan as LinkPlan;
use super::problem::{Code, Problem};
use super::router::System;
use super::settings::Settings;
use super::state::{State, StateError};
use super::store::write_atomically;
use crate::mechanism::Kind;
use crate::nat::{self, Kernel, Line, Mode, Plan, PortList, Technique, Timeouts, Upnp, Wishes};
use crate::netfilter::{self, Nft, NftError, exempt, guard};
use crate::paths;
use crate::reason::{Reason, said};
use crate::sanitize::one_line;

/// Longest time nft may take. It answers within milliseconds, on a slow router
/// under load within a second.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What decides about the rules of an interface.
pub struct Subject<'a> {
    /// Logical interface.
    pub interface: &'a str,
    /// Its link.
    pub link: &'a Link,
    /// `nat`.
    pub mode: Mode,
    /// `conntrack`.
    pub timeouts: Timeouts,
    /// `reserve`.
    pub reserve: &'a [String],
    /// `upnp`.
    pub upnp: Upnp,
}

impl<'a> Subject<'a> {
    /// What setup is about to make.
    pub fn planned(settings: &'a Settings, plan: &'a LinkPlan) -> Self {
        Subject {
            interface: &settings.interface,
            link: &plan.link,
            mode: settings.nat,
            timeouts: settings.timeouts,
            reserve: &settings.reserve,
            upnp: settings.upnp,
        }
    }

    /// What setup has made.
    pub fn made(state: &'a State) -> Self {
        Subject {
            interface: &state.interface,
            link: &state.link,
            mode: state.nat,
            timeouts: state.timeouts,
            reserve: &state.reserve,
            upnp: state.upnp,
        }
    }
}

/// The rules of one interface and the program that loads them.
pub struct Translation {
    nft: Nft,
    wishes: Wishes,
    kernel: Kernel,
    plan: Plan,
    warnings: Vec<String>,
    /// What nft and the kernel said they can do, if they were asked.
    learned: Option<Kernel>,
}

impl Translation {
    /// Plans the rules. What this kernel cannot do is known from the last time
    /// it refused; until then it is taken to be able to do all.
    ///
    /// # Errors
    /// nft is missing, or what is reserved is not ours.
    pub fn new(subject: &Subject<'_>, router: &System) -> Result<Self, Problem> {
        let nft = Nft::find().map_err(nat_failed)?;
        let (interface, link) = (subject.interface, subject.link);
        let line = Line::new(interface, &link.device, &link.mechanism, link.mesh);
        let reserve = PortList::parse(&subject.reserve.join(" ")).map_err(|error| {
            Problem::fatal(
                Code::InvalidConfig,
                said!("reserve_refused", "reserve: {reason}", error),
            )
        })?;
        let member = link.member(interface);
        let ports = link.mechanism.ports();
        let opened = router.config.opened(member, ports);
        let upnp = router.config.upnp_wish(subject.upnp, member, ports);
        let wishes = Wishes {
            mode: subject.mode,
            reserve,
            opened: opened.claims,
            upnp,
            ping: opened.ping,
            timeouts: subject.timeouts,
            redirected: netfilter::has_ingress_qdisc(&link.device),
        };
        let kernel = known_kernel();
        let plan = Plan::new(line, &wishes, &kernel).map_err(nat_problem)?;
        Ok(Translation {
            nft,
            wishes,
            kernel,
            plan,
            warnings: opened.warnings,
            learned: None,
        })
    }

    /// Things the user should know, one line each.
    pub fn warnings(&self) -> impl Iterator<Item = &String> {
        self.warnings.iter().chain(self.plan.warnings())
    }

    fn interface(&self) -> &str {
        &self.plan.line().interface
    }

    /// The rules.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Technique and why it was chosen.
    pub fn technique(&self) -> (String, String) {
        let plan = &self.plan;
        (plan.technique().name().into(), plan.reason().into())
    }

    /// Whether exactly these rules are in force.
    pub fn is_loaded(&self) -> bool {
        let is_exempt = || exempt::stands(self.interface());
        netfilter::is_loaded(&self.plan) && (!self.must_be_exempt() || is_exempt())
    }

    /// Lets nothing out of the device until the rules are loaded.
    ///
    /// # Errors
    /// The kernel has no nf_tables.
    pub fn guard(&self) -> Result<(), Problem> {
        guard::put_up(self.interface(), &self.plan.line().device).map_err(|error| {
            Problem::passing(
                Code::NatFailed,
                said!(
                    "kernel_refuses",
                    "the kernel does not take rules: {reason}; is kmod-nft-core installed?",
                    error
                ),
            )
        })
    }

    /// Loads the rules and takes the guard away, as one transaction. The
    /// device exists now. If the kernel refuses what it was taken to be able
    /// to do, the next best is loaded, and remembered.
    ///
    /// # Errors
    /// Even that was refused; the guard still stands.
    pub fn load(&mut self) -> Result<(), Problem> {
        self.keep_out_of_flow_tables();
        let mut given_up = Vec::new();
        let mut was_killed = false;
        loop {
            let rules = self.plan.combined() + &guard::removal(self.interface());
            let refused = match self.nft.run(&rules, TIMEOUT) {
                Ok(()) => {
                    // An nft that refuses everything says nothing of the kernel.
                    self.learned.iter().for_each(remember_kernel);
                    for what in given_up {
                        log::warn!("{}: {what}", self.interface());
                    }
                    return Ok(());
                }
                Err(NftError::Refused(why)) => why,
                // Once more: to start over costs seconds without IPv4.
                Err(NftError::Killed) if !was_killed => {
                    was_killed = true;
                    continue;
                }
                Err(error) => return Err(nat_failed(error)),
            };
            match self.device_exists() {
                true => given_up.push(self.step_back(&refused)?),
                false => return Err(Problem::passing(Code::NatFailed, Reason::Text(refused))),
            }
        }
    }

    /// Where flow tables look through tunnels, ours must stay out of them.
    fn keep_out_of_flow_tables(&self) {
        if !self.must_be_exempt() {
            return;
        }
        if let Err(error) = exempt::put_up(self.interface(), &self.plan.line().device) {
            log::warn!(
                "{}: connections may hang with flow offloading on, since the kernel does not let \
                 them be left out: {error}",
                self.interface()
            );
        }
    }

    fn must_be_exempt(&self) -> bool {
        // nat46 makes the device of MAP-T, and flow tables stop there.
        let is_tunnel = self.plan.line().outer.is_some();
        is_tunnel && exempt::looks_through_tunnels().is_some()
    }

    /// nft refuses every rule for a device that has just gone, which says
    /// nothing about the kernel.
    fn device_exists(&self) -> bool {
        netfilter::index_of(&self.plan.line().device).is_ok()
    }

    /// Plans again without what the kernel refuses on any device, or, if
    /// that tells nothing, without the most demanding thing the refused plan
    /// had. Returns what the user loses by it. Only what the kernel refuses on
    /// any device is remembered.
    ///
    /// # Errors
    /// Nothing is left to give up.
    fn step_back(&mut self, refused: &str) -> Result<String, Problem> {
        let able = self.nft.probe(TIMEOUT).map_err(nat_failed)?;
        let unclear = able == Kernel::full();
        let lacks = |part: &Result<(), String>| unclear || part.is_err();
        let (given_up, warning) = if self.plan.is_tight() && lacks(&able.timeouts) {
            (&mut self.kernel.timeouts, "no timeout policies:")
        } else if self.plan.refuses_when_full() && lacks(&able.connlimit) {
            let warning = "connections will wait in vain when all ports are in use, \
                           is kmod-nft-connlimit installed?";
            (&mut self.kernel.connlimit, warning)
        } else if matches!(self.plan.technique(), Technique::Pool(_)) && lacks(&able.edge) {
            let warning = "no edge map, is kmod-nft-netdev installed?";
            (&mut self.kernel.edge, warning)
        } else {
            return Err(Problem::passing(
                Code::NatFailed,
                Reason::Text(refused.to_owned()),
            ));
        };
        *given_up = Err(refused.into());
        self.plan =
            Plan::new(self.plan.line().clone(), &self.wishes, &self.kernel).map_err(nat_problem)?;
        self.learned = Some(able).filter(|able| *able != Kernel::full());
        Ok(format!("{warning} {refused}"))
    }

    /// Removes rules and guard; for a link that did not come up.
    pub fn remove(&self) {
        if let Err(error) = netfilter::remove(self.interface()) {
            log::warn!("{}: {error}", self.interface());
        }
    }
}

/// Removes every rule of an interface, and what the kernel remembers of its
/// address: no connection of an old address leaves by a new line.
///
/// # Errors
/// What the kernel says.
pub fn remove(interface: &str, state: Option<&State>) -> io::Result<()> {
    let removed = netfilter::remove(interface);
    if let Some(state) = state {
        // A kernel that does not let us forgets by itself in time.
        let forgotten = netfilter::forget_connections(state.mechanism.ipv4()).and_then(|_| {
            match state.mechanism.kind() {
                Kind::DsLite => netfilter::forget_untranslated(),
                _ => Ok(0),
            }
        });
        if let Err(error) = forgotten {
            log::info!("{interface}: old connections stay for a while: {error}");
        }
    }
    removed
}

/// What the kernel has refused since boot: a line of text for each capability.
fn kernel_file() -> PathBuf {
    paths::rooted("/var/run/mape/kernel")
}

/// What this kernel can do, as far as it has been asked since boot.
pub fn known_kernel() -> Kernel {
    let text = fs::read_to_string(kernel_file()).unwrap_or_default();
    let mut lines = text.lines();
    let mut next = || match lines.next() {
        None | Some("") => Ok(()),
        Some(why) => Err(why.to_owned()),
    };
    Kernel {
        edge: next(),
        timeouts: next(),
        connlimit: next(),
    }
}

fn remember_kernel(kernel: &Kernel) {
    let mut text = String::new();
    for part in [&kernel.edge, &kernel.timeouts, &kernel.connlimit] {
        if let Err(why) = part {
            text += &one_line(why, why.len());
        }
        text.push('\n');
    }
    // Not remembering costs a refused transaction at the next setup.
    let _: io::Result<()> = write_atomically(&kernel_file(), text.as_bytes());
}

fn nat_failed(error: NftError) -> Problem {
    Problem::passing(Code::NatFailed, error)
}

/// The set depends on the prefix, and another prefix may come.
fn nat_problem(error: nat::NatError) -> Problem {
    Problem::passing(Code::NatFailed, error)
}

impl From<StateError> for Problem {
    fn from(error: StateError) -> Self {
        Problem::passing(Code::NatFailed, error)
    }
}
