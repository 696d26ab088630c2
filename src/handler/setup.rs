// SPDX-License-Identifier: GPL-2.0-or-later
//! `setup`: bring an interface up, or wait until it can be.
//!
//! The order matters. The CE's address stands on the uplink before the tunnel
//! that uses it; the guard stands before the device it holds back; the state
//! file is written last, when all of it is true.

use std::time::Instant;

use log::Level;

use super::address;
use super::attempt::{Attempt, interruptible};
use super::bus::{BusError, Netifd};
use super::clock::uptime;
use super::failure::Failure;
use super::link::{Link, address_interface};
use super::nat46;
use super::pause::Pause;
use super::plan::Plan;
use super::problem::{Code, Problem};
use super::provisioned::ask_if_due;
use super::registration::update_of;
use super::repair::renewed;
use super::router::{self, System};
use super::settings::{Request, Settings};
use super::state::State;
use super::store::{lock, remove_written, write_atomically};
use super::translate::{Subject, Translation};
use crate::mechanism::Mechanism;
use crate::netifd::{Dump, Notify};
use crate::paths;
use crate::provider::{self, Table};
use crate::reason::said;
use crate::ubus::Status;

/// Reads the configuration, which is more than what netifd passed.
pub type Read<'a> = &'a dyn Fn() -> Result<Settings, Problem>;

/// Sets the interface up. Returns when it is up or when netifd does not want
/// it; waits inside for everything else, so that nothing spins and no change of
/// the network is missed. SIGTERM ends it, between two attempts.
pub fn setup(interface: &str, read: Read<'_>) {
    let mut pause = Pause::default();
    let mut said = String::new();
    loop {
        match try_once(interface, read, &mut said, &mut pause) {
            Ok(Next::Done) | Err(Failure::Unwanted) => return,
            Ok(Next::Again) => {}
            // `try_once` has told netifd already; telling failed.
            Err(Failure::Problem(_)) => return,
            Err(Failure::Bus(error)) => {
                // A bus that is gone for an hour is worth one line.
                let line = error.to_string();
                if said != line {
                    log::error!("{interface}: {line}; trying again");
                    said = line;
                }
                std::thread::sleep(pause.next());
            }
        }
    }
}

/// What to do after a try.
enum Next {
    Done,
    Again,
}

/// Connects, tries, and if that fails tells netifd and waits for a better
/// moment. `said` is what netifd and the log know already.
///
/// A configuration that can never work is waited with, too: netifd ends us when
/// it changes, and the rest of it we read again. A setup that returned without
/// a link would be called again at once.
fn try_once(
    interface: &str,
    read: Read<'_>,
    said: &mut String,
    pause: &mut Pause,
) -> Result<Next, Failure> {
    let (mut bus, attempted) = match read() {
        Ok(settings) => {
            let mut bus = connect(&settings)?;
            let made = Attempt::begin(interface)
                .map_err(Failure::from)
                .and_then(|mut attempt| make(&mut bus, &settings, &mut attempt));
            (bus, made)
        }
        Err(problem) => (Netifd::connect(interface)?, Err(problem.into())),
    };
    let problem = match attempted {
        Ok(()) => return Ok(Next::Done),
        Err(Failure::Problem(problem)) => problem,
        Err(other) => return Err(other),
    };
    let line = problem.to_string();
    if *said != line {
        let level = if problem.fatal {
            Level::Error
        } else {
            Level::Warn
        };
        log::log!(level, "{interface}: {problem}");
        tell(&mut bus, &problem)?;
        *said = line;
    }
    wait_for_network(&mut bus, pause)?;
    Ok(Next::Again)
}

fn tell(bus: &mut Netifd, problem: &Problem) -> Result<(), BusError> {
    bus.notify(&Notify::Error {
        code: problem.code.as_str(),
        detail: &problem.detail,
        reason: &problem.reason,
    })
}

/// A connection, and the promise to go when the uplink goes.
fn connect(settings: &Settings) -> Result<Netifd, Failure> {
    let mut bus = Netifd::connect(&settings.interface)?;
    let dependency = Notify::HostDependency {
        host: "::",
        ifname: settings.tunlink.as_deref(),
    };
    match bus.notify(&dependency) {
        Ok(()) => Ok(bus),
        // The uplink is not there. netifd ends us now and starts us again
        // when it is.
        Err(error) if error.status() == Some(Status::NotFound) => {
            let (through, link) = match &settings.tunlink {
                Some(link) => (" through ", link.as_str()),
                None => ("", ""),
            };
            let what = format_args!("waiting for an IPv6 route{through}{link}");
            log::info!("{}: {what}", settings.interface);
            Err(Failure::Unwanted)
        }
        Err(error) => Err(error.into()),
    }
}

/// From the network's state to an interface that is up.
fn make(bus: &mut Netifd, settings: &Settings, attempt: &mut Attempt) -> Result<(), Failure> {
    let loaded = provider::load(paths::rooted(""));
    for warning in &loaded.warnings {
        log::warn!("{warning}");
    }
    let dump = bus.dump()?;
    let router = System::in_setup();
    let plan = plan(settings, &dump, &loaded.table, &router)?;
    let mut translation = Translation::new(&Subject::planned(settings, &plan), &router)?;
    claim_address(bus, settings, &plan, &dump, attempt)?;
    warn_of(&settings.interface, &plan.warnings);
    warn_of(&settings.interface, translation.warnings());
    place_address(bus, settings, &plan, &dump)?;
    translation.guard()?;
    make_device(&plan).inspect_err(|_| translation.remove())?;
    let device = plan.device.clone();
    let registers = settings.registers || update_of(&plan, &loaded.table).is_some();
    let needs_task = plan.is_provisioned() || registers || is_named(&plan.mechanism);
    let update = plan.link_up(router::firewall_rules(&plan));
    attempt.links();
    let linked = bus.notify(&Notify::LinkUp(&update));
    if let Err(error) = linked {
        // If the answer was lost, netifd may have made the tunnel: the guard
        // stays until an attempt succeeds or a teardown clears up.
        if error.status().is_some() {
            undo(&translation, &device);
        }
        return Err(tunnel_failure(error));
    }
    let finished = match stands(bus, settings, &plan)? {
        true => finish(settings, plan, &mut translation),
        false => Err(Problem::passing(
            Code::NoUplinkPrefix,
            said!(
                "uplink_went",
                "{uplink} went away during the setup",
                plan.uplink
            ),
        )),
    };
    match finished {
        Ok(()) => renewed(&settings.interface),
        Err(problem) => {
            undo(&translation, &device);
            let _ = remove_written(&paths::rules_file(&settings.interface));
            return start_over(bus, settings, attempt, &problem);
        }
    }
    if needs_task {
        start_task(bus, &settings.interface);
    }
    Ok(())
}

/// Has netifd begin again, since it counts the interface as up and nobody must
/// use it like that. This setup must not wait for a better moment itself: netifd
/// follows a setup that dies by another one only until it has a link.
fn start_over(
    bus: &mut Netifd,
    settings: &Settings,
    attempt: &mut Attempt,
    problem: &Problem,
) -> Result<(), Failure> {
    if attempt.start_over(&problem.to_string()) {
        log::warn!("{}: {problem}", settings.interface);
    }
    tell(bus, problem)?;
    // netifd ends us here.
    bus.notify(&Notify::SetupFailed)?;
    Err(Failure::Unwanted)
}

/// The plan. If nothing is known of the line, the line itself is asked.
fn plan(settings: &Settings, dump: &Dump, table: &Table, router: &System) -> Result<Plan, Problem> {
    let asked = |problem: &Problem| {
        problem.code == Code::UnknownProvider
            && matches!(settings.request, Request::Known { provider: None, .. })
            && interruptible(|| ask_if_due(settings, dump, uptime()))
    };
    match Plan::new(settings, dump, table, router) {
        Err(problem) if asked(&problem) => Plan::new(settings, dump, table, router),
        plan => plan,
    }
}

/// Whether the far end was found by a name, which may have other addresses.
fn is_named(mechanism: &Mechanism) -> bool {
    matches!(mechanism, Mechanism::DsLite(line) if line.name().is_some())
}

/// Has netifd run the process that has the line asked again when its answer
/// runs out, registers a fixed address, and watches the AFTR. netifd ends it with the interface.
fn start_task(bus: &mut Netifd, interface: &str) {
    let started = std::env::current_exe().map(|program| {
        let program = program.to_string_lossy();
        bus.notify(&Notify::RunTask {
            command: &[&program, "provision", interface],
        })
    });
    let failure = match started {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    log::warn!(
        "{interface}: the process that watches the line and registers its address could not be \
         started: {failure}"
    );
}

/// Logs what the user should know, a line each.
pub fn warn_of<'a>(interface: &str, warnings: impl IntoIterator<Item = &'a String>) {
    for warning in warnings {
        log::warn!("{interface}: {warning}");
    }
}

fn undo(translation: &Translation, device: &str) {
    translation.remove();
    nat46::remove(device);
}

/// What remains once the device exists: translation, and the record of it all.
fn finish(settings: &Settings, plan: Plan, translation: &mut Translation) -> Result<(), Problem> {
    let _lock = lock();
    translation.load()?;
    let state = new_state(settings, plan.link, translation, uptime());
    record(&state, settings)?;
    log::info!("{}: {}", settings.interface, summary(&state));
    Ok(())
}

/// Two tunnels from one address cannot be told apart: whoever is up keeps it,
/// of two at once the first by name.
fn claim_address(
    bus: &mut Netifd,
    settings: &Settings,
    plan: &Plan,
    dump: &Dump,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    if plan.remote().is_none() {
        return Ok(());
    }
    let ce = plan.mechanism.ce_address();
    let mut holder = attempt.claim(ce);
    // Also of one that is just being torn down: the address goes with it.
    holder = holder.or_else(|| address::holder(dump, &settings.interface, ce).map(str::to_owned));
    for state in State::load_all() {
        let holds = state.remote().is_some() && state.mechanism.ce_address() == ce;
        if holds && state.interface != settings.interface && bus.is_up(&state.interface)? {
            holder = Some(state.interface);
        }
    }
    match holder {
        None => Ok(()),
        Some(other) => Err(Failure::Problem(Problem::passing(
            Code::AddressInUse,
            said!(
                "tunnel_exists",
                "interface {interface} already has a tunnel from {address}; remove one of the \
                 two, or give this one another prefix",
                other,
                ce
            ),
        ))),
    }
}

/// The CE's address, on the uplink, before anything uses it.
fn place_address(
    bus: &mut Netifd,
    settings: &Settings,
    plan: &Plan,
    dump: &Dump,
) -> Result<(), Failure> {
    if plan.remote().is_none() {
        return Ok(());
    }
    let address = plan.mechanism.ce_address();
    address::place(
        bus,
        dump,
        &settings.interface,
        &plan.uplink,
        plan.uplink_device.as_deref(),
        address,
    )
}

/// Whether the CE's address is there still. netifd only begins to watch the
/// uplink for us when the tunnel is up, and takes the address away with it.
fn stands(bus: &mut Netifd, settings: &Settings, plan: &Plan) -> Result<bool, BusError> {
    match plan.remote() {
        Some(_) => bus.is_up(&address_interface(&settings.interface)),
        None => Ok(true),
    }
}

/// The device of MAP-T; that of a tunnel is netifd's to make.
fn make_device(plan: &Plan) -> Result<(), Problem> {
    let mapping = match plan.mapping() {
        Some(mapping) if plan.remote().is_none() => mapping,
        _ => return Ok(()),
    };
    let fmrs = if plan.mesh { mapping.fmrs() } else { &[] };
    nat46::create(&plan.device, mapping, fmrs, plan.mtu)
}

fn tunnel_failure(error: BusError) -> Failure {
    match error.status() {
        Some(Status::PermissionDenied) => Failure::Unwanted,
        Some(status) => Failure::Problem(Problem::passing(
            Code::TunnelFailed,
            said!(
                "tunnel_refused",
                "netifd could not make the tunnel ({status}); is kmod-ip6-tunnel installed and \
                 the uplink up?",
                status.to_string()
            ),
        )),
        None => Failure::Bus(error),
    }
}

/// Waits for a change of the network, or for a pause that grows.
fn wait_for_network(bus: &mut Netifd, pause: &mut Pause) -> Result<(), Failure> {
    let longest = pause.next();
    bus.listen()?;
    if bus.wait_until(Instant::now() + longest)? {
        std::thread::sleep(pause.gather(Instant::now()));
    }
    Ok(())
}

fn new_state(settings: &Settings, link: Link, translation: &Translation, since: u64) -> State {
    State {
        interface: settings.interface.clone(),
        protocol: settings.protocol,
        link,
        nat: settings.nat,
        technique: translation.technique(),
        timeouts: settings.timeouts,
        reserve: settings.reserve.clone(),
        upnp: settings.upnp,
        since,
    }
}

/// The state file, and the one that scripts of the stock package read.
fn record(state: &State, settings: &Settings) -> Result<(), Problem> {
    if let Some(mapping) = state.mapping() {
        let rules = super::rules_file::text(mapping, &settings.rule_text, &state.uplink);
        let path = paths::rules_file(&state.interface);
        // /tmp is everybody's: what somebody put there keeps nobody offline.
        if let Err(error) = write_atomically(&path, rules.as_bytes()) {
            log::warn!(
                "{}: {}: {error}; scripts will miss it",
                settings.interface,
                path.display()
            );
        }
    }
    state
        .save()
        .map_err(|error| Problem::passing(Code::NatFailed, error))
}

/// What was set up and why, for the log.
fn summary(state: &State) -> String {
    let mechanism = &state.mechanism;
    let (provider, comma) = match &state.provider {
        Some((_, name)) => (name.as_str(), ", "),
        None => ("", ""),
    };
    let (kind, ipv4, ce) = (mechanism.kind(), mechanism.ipv4(), mechanism.ce_address());
    let what = match mechanism {
        Mechanism::Map(mapping) => format!("{ipv4}, {} ports", mapping.ports().count()),
        Mechanism::DsLite(line) => match line.name() {
            Some(name) => format!("AFTR {name} ({})", line.aftr()),
            None => format!("AFTR {}", line.aftr()),
        },
        Mechanism::IpIp(line) => format!("{ipv4}, BR {}", line.br()),
    };
    let why = match state.why.as_str() {
        "" => String::new(),
        why => format!("; {why}"),
    };
    format!(
        "{provider}{comma}{kind} {what}, CE {ce}, NAT {} ({}){why}",
        state.technique.0, state.technique.1
    )
}
