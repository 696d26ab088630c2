// SPDX-License-Identifier: GPL-2.0-or-later
//! What the line itself says of how it carries IPv4 (HB46PP): asked when
//! nothing else is known, and kept until it is to be asked again.

use std::net::Ipv6Addr;
use std::time::SystemTime;

use ipnet::Ipv6Net;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::nat46;
use super::section::{credentials, last_change};
use super::settings::{Provision, Settings};
use super::store::{read_json, write_json};
use crate::endpoint::Endpoint;
use crate::map::{Border, Mapping, Overrides};
use crate::netifd::Dump;
use crate::paths::provision_file;
use crate::provision::hb46pp::schedule::{self, Action, Event};
use crate::provision::hb46pp::{
    Answer, Capability, Label, Mechanism, Reply, Request, SUPPORTED, TokenFile, Unusable, ask,
};
use crate::provision::{self, resolve};
use crate::reason::{Reason, Tell, said};
use crate::sanitize::one_line;
use crate::uplink::{self, Uplink};

/// What an attempt to ask the line came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The prefixes of the line that was asked.
    prefixes: Vec<Ipv6Net>,
    /// When to ask again, in seconds since boot.
    pub next: u64,
    /// When the configuration, which has the account, had been written last.
    #[serde(default)]
    configured: Option<SystemTime>,
    /// What the server answered, without the token; `None` if the line does
    /// not provision, or did not answer.
    answer: Option<Value>,
    /// The lwAFTR, if the answer names it by a name.
    lwaftr: Option<Ipv6Addr>,
    /// Why the last attempt failed: a sentence.
    #[serde(default)]
    failure: Option<String>,
    /// The same for programs.
    #[serde(default)]
    reason: Option<Value>,
}

/// The part of a provisioning server's answer that a plan needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Provisioned {
    answer: Answer,
    lwaftr: Option<Ipv6Addr>,
}

impl Record {
    /// What is known of that interface's line. A file that cannot be read is
    /// none: the line is asked again.
    pub fn load(interface: &str) -> Option<Self> {
        read_json(&provision_file(interface))
    }

    fn save(&self, interface: &str) {
        let path = provision_file(interface);
        if let Err(error) = write_json(&path, self) {
            log::warn!("{interface}: {}: {error}", path.display());
        }
    }

    /// Why a line with these prefixes gave no answer when it was asked last.
    pub(super) fn failure_of(interface: &str, prefixes: &[Ipv6Net]) -> Option<Reason> {
        let record = Record::load(interface)?;
        record.failure().filter(|_| record.prefixes == prefixes)
    }

    /// Why the last attempt failed.
    pub fn failure(&self) -> Option<Reason> {
        Some(Reason::kept(self.failure.clone()?, self.reason.clone()))
    }

    /// Whether it is time to ask again: an answer may depend on the account, so
    /// a new configuration counts at once.
    pub fn is_due(&self, now: u64) -> bool {
        now >= self.next || self.configured != last_change()
    }

    /// What the line said, if it has these prefixes still.
    fn answer(&self, prefixes: &[Ipv6Net]) -> Option<Provisioned> {
        if self.prefixes != prefixes {
            return None;
        }
        let json = self.answer.as_ref()?.to_string();
        Some(Provisioned {
            answer: Answer::parse(json.as_bytes()).ok()?,
            lwaftr: self.lwaftr,
        })
    }
}

/// What this router can set up: MAP-T needs a kernel module.
fn supported() -> Vec<Capability> {
    let all = SUPPORTED.into_iter();
    all.filter(|one| *one != Capability::MapT || nat46::is_there())
        .collect()
}

impl Provisioned {
    /// What the line of that interface said when it had these prefixes.
    pub fn load(interface: &str, prefixes: &[Ipv6Net]) -> Option<Self> {
        Record::load(interface)?.answer(prefixes)
    }

    /// An answer as a server gives it.
    pub fn of(answer: Answer) -> Self {
        Provisioned {
            answer,
            lwaftr: None,
        }
    }

    /// The mechanism that it offers to a line with these prefixes.
    ///
    /// # Errors
    /// Why none can be used, for people.
    pub fn offer(&self, prefixes: &[Ipv6Net]) -> Result<Mechanism, Reason> {
        let mechanism = self.answer.mechanism(&supported(), Some(prefixes));
        mechanism.map_err(|error| error.reason())
    }

    /// The mapping that it means for a line with these prefixes, if the user
    /// has corrected nothing or these values.
    ///
    /// # Errors
    /// Why it means none, for people.
    pub fn mapping(&self, prefixes: &[Ipv6Net], overrides: &Overrides) -> Result<Mapping, Reason> {
        let Mechanism::Map { domain, lwaftr } = self.offer(prefixes)? else {
            return Err(said!(
                "answer_no_map",
                "the answer names no mechanism of MAP"
            ));
        };
        let domain = domain
            .corrected(overrides)
            .map_err(|error| error.reason())?;
        let mapping = domain.map(prefixes).map_err(|error| error.reason())?;
        match (mapping.border(), self.lwaftr, lwaftr) {
            (Some(_), _, _) => Ok(mapping),
            (None, Some(address), _) => mapping
                .with_border(Border::Br(address))
                .map_err(|error| error.reason()),
            (None, None, Some(name)) => Err(said!(
                "answer_lwaftr_not_found",
                "the lwAFTR {name} was not found",
                name
            )),
            (None, None, None) => Err(said!("answer_no_br", "the answer names no BR")),
        }
    }

    /// The names of operator and service, for people.
    pub fn name(&self) -> String {
        let names = [&self.answer.service_name, &self.answer.isp_name];
        let names = names.into_iter().flatten().map(Label::as_str);
        let all: Vec<&str> = std::iter::once(self.answer.enabler_name.as_str())
            .chain(names)
            .collect();
        one_line(&all.join(", "), 100)
    }
}

/// Asks the line if that may help and it is time to, and keeps what it said.
/// `now` is in seconds since boot. Says whether it was asked.
pub fn ask_if_due(settings: &Settings, dump: &Dump, now: u64) -> bool {
    if settings.provision == Provision::Off {
        return false;
    }
    let found = uplink::find(dump, settings.tunlink.as_deref(), settings.end_user);
    // The first is the one that is used if nothing else decides.
    let Some(uplink) = found.ok().and_then(|all| all.into_iter().next()) else {
        return false;
    };
    let prefixes = uplink.prefixes();
    let old = Record::load(&settings.interface).filter(|old| old.prefixes == prefixes);
    let is_due = old.as_ref().is_none_or(|old| old.is_due(now));
    if uplink.resolvers.is_empty() || !is_due {
        return false;
    }
    let (mut record, wait) = ask_line(settings, &uplink, prefixes, old);
    record.next = now + wait;
    record.save(&settings.interface);
    true
}

/// What the line says now, and how many seconds to wait before the next
/// attempt.
fn ask_line(
    settings: &Settings,
    uplink: &Uplink,
    prefixes: Vec<Ipv6Net>,
    old: Option<Record>,
) -> (Record, u64) {
    let interface = &settings.interface;
    let configured = last_change();
    let token = TokenFile::of(interface);
    let request = Request {
        capabilities: supported(),
        token: token.load().unwrap_or_else(|error| {
            log::warn!("{interface}: the token of the provisioning server: {error}");
            None
        }),
        credentials: credentials(settings),
    };
    let line = line(uplink);
    let asked = ask(&request, &line);
    let event = match &asked {
        Ok(reply) => Event::Answered(reply.answer.ttl),
        Err(error) => error.event(),
    };
    let step = schedule::next(event, &mut schedule::random);
    let usable = match &asked {
        Ok(reply) => unusable(&reply.answer, &prefixes).map_or(Ok(reply), Err),
        Err(error) => Err(error.reason()),
    };
    tell(interface, &usable, step.wait.as_secs());
    let failure = usable.err();
    if let Ok(Reply { answer, .. }) = &asked
        && let Some(new) = &answer.token
        && let Err(error) = token.store(new)
    {
        log::warn!("{interface}: the token of the provisioning server is not kept: {error}");
    }
    // An answer that cannot be used leaves what is there, as no answer does.
    let keeps = match &asked {
        Ok(_) => failure.is_some(),
        Err(_) => step.action == Action::Keep,
    };
    let kept = old.filter(|old| keeps && old.answer.is_some());
    let (answer, lwaftr) = match (kept, asked) {
        (Some(old), _) => (old.answer, old.lwaftr),
        (None, Ok(reply)) => (Some(reply.json), lwaftr(&reply.answer, &line)),
        (None, Err(_)) => (None, None),
    };
    let record = Record {
        prefixes,
        next: 0,
        configured,
        answer,
        lwaftr,
        reason: failure.as_ref().and_then(Reason::coded),
        failure: failure.map(|failure| one_line(&failure.to_string(), LONGEST)),
    };
    (record, step.wait.as_secs())
}

/// Most characters of a failure that are kept: a server's words are among them.
const LONGEST: usize = 200;

/// Why nothing of what the answer offers can be used on a line with these
/// prefixes. An answer that offers nothing at all is another matter: then the
/// line has no IPv4 for us.
fn unusable(answer: &Answer, prefixes: &[Ipv6Net]) -> Option<Reason> {
    match answer.mechanism(&supported(), Some(prefixes)) {
        Err(error @ Unusable::NoneFits(_)) => Some(error.reason()),
        Ok(_) | Err(Unusable::Nothing(_)) => None,
    }
}

fn tell(interface: &str, usable: &Result<&Reply, Reason>, wait: u64) {
    let minutes = wait.div_ceil(60);
    match usable {
        Ok(reply) => {
            let name = Provisioned::of(reply.answer.clone()).name();
            log::info!("{interface}: provisioned by {name}; asking again in {minutes} min");
        }
        Err(failure) => {
            log::info!(
                "{interface}: the line does not say how it carries IPv4: {failure}; asking again in {minutes} min"
            );
        }
    }
}

fn line(uplink: &Uplink) -> provision::Uplink {
    let source = uplink.addresses.first().copied();
    provision::Uplink::new(&uplink.resolvers, source, uplink.l3_device.as_deref())
}

/// The address of the lwAFTR, if the answer has only its name.
fn lwaftr(answer: &Answer, line: &provision::Uplink) -> Option<Ipv6Addr> {
    match &answer.lw4o6.as_ref()?.lwaftr {
        Endpoint::Address(_) => None,
        Endpoint::Name(name) => resolve::aaaa(name, line).ok()?.first().copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(answer: &str) -> Record {
        Record {
            prefixes: vec!["2001:db8:10:1200::/56".parse().unwrap()],
            next: 100,
            configured: last_change(),
            answer: Some(serde_json::from_str(answer).unwrap()),
            lwaftr: None,
            failure: None,
            reason: None,
        }
    }

    const MAP_E: &str = include_str!("../../tests/data/hb46pp/map-e.json");
    const LW4O6: &str = include_str!("../../tests/data/hb46pp/lw4o6.json");

    #[test]
    fn an_answer_holds_for_the_prefixes_it_was_given_for() {
        let record = record(MAP_E);
        let provisioned = record.answer(&record.prefixes).unwrap();
        let mapping = provisioned
            .mapping(&record.prefixes, &Overrides::default())
            .unwrap();
        assert_eq!(mapping.ipv4().to_string(), "192.0.2.1/32");
        assert_eq!(provisioned.name(), "Lab VNE, Lab MAP-E, Lab ISP");
        assert_eq!(
            record.answer(&["2001:db8:10:1300::/56".parse().unwrap()]),
            None
        );
        assert!(!record.is_due(99) && record.is_due(100));
    }

    #[test]
    fn a_user_corrects_what_the_line_says() {
        let record = record(MAP_E);
        let provisioned = record.answer(&record.prefixes).unwrap();
        let overrides = Overrides {
            offset: Some(0),
            ..Overrides::default()
        };
        let corrected = provisioned.mapping(&record.prefixes, &overrides).unwrap();
        assert_eq!(corrected.ports().params().offset(), 0);
        let contradiction = Overrides {
            psid_len: Some(1),
            ..Overrides::default()
        };
        let refused = provisioned.mapping(&record.prefixes, &contradiction);
        assert!(refused.unwrap_err().to_string().contains("psidlen 1: "));
    }

    #[test]
    fn an_lwaftr_must_have_an_address() {
        let mut record = record(LW4O6);
        let prefixes = ["2001:db8:3:100::/56".parse().unwrap()];
        record.prefixes = prefixes.to_vec();
        let mapping = |record: &Record| {
            record
                .answer(&prefixes)
                .unwrap()
                .mapping(&prefixes, &Overrides::default())
        };
        let missing = mapping(&record).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "the lwAFTR lwaftr.lab.example was not found"
        );
        record.lwaftr = "2001:db8:ffff::46".parse().ok();
        let found = mapping(&record).unwrap().border();
        assert_eq!(found, record.lwaftr.map(Border::Br));
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let record = record(MAP_E);
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
    }
}
