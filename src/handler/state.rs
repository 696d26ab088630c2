// SPDX-License-Identifier: GPL-2.0-or-later
//! What was set up for an interface: `/var/run/mape/<interface>.json`.
//!
//! Written when an interface comes up, read by status, by the firewall's
//! reload, by renew (is anything different?) and by teardown, which must undo
//! what was done and not what the configuration says now.

use std::fs;
use std::io::{self, ErrorKind};
use std::ops::Deref;
use std::path::PathBuf;
use std::str::FromStr;

use super::link::Link;
use super::settings::Protocol;
use super::store::{make_directory, remove_written, write_atomically};
use crate::json;
use crate::map::{Domain, Mapping, RuleSpec};
use crate::nat::{Mode, Timeouts};
use crate::paths::{self, stems_in};
use crate::value::Value;

/// An interface that is set up.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Logical interface.
    pub interface: String,
    /// Its protocol.
    pub protocol: Protocol,
    /// The link itself.
    pub link: Link,
    /// `nat` as configured.
    pub nat: Mode,
    /// Technique that was chosen, and why.
    pub technique: (String, String),
    /// `conntrack` as configured.
    pub timeouts: Timeouts,
    /// `reserve` as configured.
    pub reserve: Vec<String>,
    /// Seconds from boot to the moment the interface came up. Not a date:
    /// a router's clock jumps when it finds the time.
    pub since: u64,
}

impl Deref for State {
    type Target = Link;

    fn deref(&self) -> &Link {
        &self.link
    }
}

/// Why a state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It does not hold what we write.
    #[error("{}: {what} is missing or damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The member.
        what: &'static str,
    },
}

impl State {
    /// Writes the file whole or not at all.
    ///
    /// # Errors
    /// The directory cannot be made or the file not written.
    pub fn save(&self) -> Result<(), StateError> {
        let path = paths::state_file(&self.interface);
        let text = self.to_text();
        make_directory(&paths::run_dir())
            .and_then(|()| write_atomically(&path, text.as_bytes()))
            .map_err(|error| io_error(path, error))
    }

    /// Reads the state of an interface; `None` where it is not set up.
    ///
    /// # Errors
    /// The file is there but cannot be used.
    pub fn load(interface: &str) -> Result<Option<Self>, StateError> {
        let path = paths::state_file(interface);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error(path, error)),
        };
        let damaged = |what| StateError::Damaged { path, what };
        Self::parse(&text).map(Some).map_err(damaged)
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        json::line(&self.to_json()) + "\n"
    }

    /// Reads what [`State::to_text`] wrote.
    ///
    /// # Errors
    /// Name of the member that is missing or damaged.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let value = json::parse(text).map_err(|_| "JSON")?;
        Self::from_json(&value)
    }

    /// Every interface that is set up, by name. Files that cannot be used are
    /// left out; doctor finds them.
    pub fn load_all() -> Vec<Self> {
        let names = stems_in(&paths::run_dir(), "json").unwrap_or_default();
        let states = names.iter().filter_map(|name| State::load(name).ok()?);
        states.collect()
    }

    /// Removes the file; one that is gone is no error.
    ///
    /// # Errors
    /// It is there and cannot be removed.
    pub fn remove(interface: &str) -> Result<(), StateError> {
        let path = paths::state_file(interface);
        remove_written(&path).map_err(|error| io_error(path, error))
    }

    fn to_json(&self) -> Value {
        let mapping = &self.mapping;
        let map_type = mapping.map_type();
        let bmr = RuleSpec::from_rule(mapping.bmr(), map_type, mapping.border());
        let mut fmrs: Vec<String> = Vec::new();
        for rule in mapping.fmrs() {
            let mut spec = RuleSpec::from_rule(rule, map_type, None);
            spec.fmr = true;
            fmrs.push(spec.to_string());
        }
        object![
            "interface": &self.interface,
            "proto": &self.protocol.as_str(),
            "device": &self.device,
            "type": &map_type.as_str(),
            "dialect": &mapping.dialect().as_str(),
            "end_user_prefix": &mapping.end_user(),
            "rule": &bmr.to_string(),
            "fmrs": &fmrs,
            "provider": &self.provider.as_ref().map(|p| &p.0),
            "provider_name": &self.provider.as_ref().map(|p| &p.1),
            "uplink": &self.uplink,
            "prefix_source": &self.prefix_source,
            "mtu": &self.mtu,
            "encaplimit": &self.encaplimit,
            "zone": &self.zone,
            "mesh": &self.mesh,
            "nat": &self.nat.as_str(),
            "nat_mode": &self.technique.0,
            "nat_reason": &self.technique.1,
            "conntrack": &self.timeouts.as_str(),
            "reserve": &self.reserve,
            "since": &self.since,
        ]
    }

    fn from_json(value: &Value) -> Result<Self, &'static str> {
        let mut saved = Saved {
            value,
            damaged: None,
        };
        let optional = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let provider = optional("provider").map(|id| {
            let name = optional("provider_name").unwrap_or_else(|| id.clone());
            (id, name)
        });
        let interface = saved.text("interface").to_owned();
        let protocol = Protocol::from_name(saved.text("proto"));
        let protocol = saved.keep("proto", protocol);
        let mapping = saved.mapping();
        let (Some(protocol), Some(mapping)) = (protocol, mapping) else {
            return Err(saved.damaged.unwrap_or("JSON"));
        };
        let mtu = saved.number("mtu").and_then(|mtu| mtu.try_into().ok());
        let mesh = value.get("mesh").and_then(Value::as_bool);
        let state = State {
            interface,
            protocol,
            link: Link {
                device: saved.text("device").into(),
                mapping,
                provider,
                uplink: saved.text("uplink").into(),
                prefix_source: saved.text("prefix_source").into(),
                mtu: saved.keep("mtu", mtu).unwrap_or_default(),
                encaplimit: optional("encaplimit"),
                zone: optional("zone"),
                mesh: saved.keep("mesh", mesh).unwrap_or_default(),
            },
            nat: saved.word("nat").unwrap_or_default(),
            technique: (
                saved.text("nat_mode").into(),
                saved.text("nat_reason").into(),
            ),
            timeouts: saved.word("conntrack").unwrap_or_default(),
            reserve: saved.texts("reserve"),
            since: saved.number("since").unwrap_or_default(),
        };
        match saved.damaged {
            None => Ok(state),
            Some(what) => Err(what),
        }
    }
}

/// The members of a state file. The first that is missing or damaged is kept.
struct Saved<'a> {
    value: &'a Value,
    damaged: Option<&'static str>,
}

impl<'a> Saved<'a> {
    /// Notes that what was made of a member is nothing.
    fn keep<T>(&mut self, key: &'static str, made: Option<T>) -> Option<T> {
        if made.is_none() {
            self.note(key);
        }
        made
    }

    // What each kind of member is made of is different, what is missing is not.
    #[inline(never)]
    fn note(&mut self, key: &'static str) {
        self.damaged.get_or_insert(key);
    }

    fn text(&mut self, key: &'static str) -> &'a str {
        let text = self.value.get(key).and_then(Value::as_str);
        self.keep(key, text).unwrap_or_default()
    }

    fn number(&mut self, key: &'static str) -> Option<u64> {
        let number = self.value.get(key).and_then(Value::as_u64);
        self.keep(key, number)
    }

    fn word<T: FromStr>(&mut self, key: &'static str) -> Option<T> {
        let word = self.text(key).parse().ok();
        self.keep(key, word)
    }

    fn texts(&mut self, key: &'static str) -> Vec<String> {
        let list = self.value.get(key).and_then(Value::as_array);
        let mut texts = Vec::new();
        for item in self.keep(key, list).into_iter().flatten() {
            let text = self.keep(key, item.as_str());
            texts.extend(text.map(str::to_owned));
        }
        texts
    }

    fn mapping(&mut self) -> Option<Mapping> {
        let (map_type, dialect) = (self.word("type"), self.word("dialect"));
        let (bmr, end_user) = (self.word("rule"), self.word("end_user_prefix"));
        let mut specs: Vec<RuleSpec> = vec![bmr?];
        for fmr in self.texts("fmrs") {
            if let Some(spec) = self.keep("fmrs", fmr.parse().ok()) {
                specs.push(spec);
            }
        }
        // The BMR stands first and no FMR that contains the prefix is longer,
        // so the mapping picks the same rule again.
        let domain = Domain::from_specs(&specs, map_type?, dialect?).ok();
        let mapping = self.keep("rule", domain)?.map(&[end_user?]).ok();
        self.keep("end_user_prefix", mapping)
    }
}

fn io_error(path: PathBuf, error: io::Error) -> StateError {
    StateError::Io { path, error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::{Dialect, MapType};

    fn state() -> State {
        let specs = [
            "ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,prefix4len=15,ealen=25,\
             br=2404:9200:225:100::64,fmr",
            "ipv6prefix=240b:12::,prefix6len=31,ipv4prefix=14.8.0.0,prefix4len=15,ealen=25,fmr",
        ]
        .map(|text| text.parse().unwrap());
        let domain = Domain::from_specs(&specs, MapType::MapE, Dialect::Draft03).unwrap();
        State {
            interface: "wanmap".into(),
            protocol: Protocol::Mape,
            link: Link {
                device: "map-wanmap".into(),
                mapping: domain
                    .map(&["240b:10:1:200::/56".parse().unwrap()])
                    .unwrap(),
                provider: Some(("v6plus".into(), "JPNE v6plus".into())),
                uplink: "wan6".into(),
                prefix_source: "delegated".into(),
                mtu: 1460,
                encaplimit: Some("ignore".into()),
                zone: None,
                mesh: true,
            },
            nat: Mode::Auto,
            technique: ("pool".into(), "the kernel can".into()),
            timeouts: Timeouts::Normal,
            reserve: vec!["4128".into()],
            since: 12,
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let state = state();
        let json = state.to_json();
        assert_eq!(State::from_json(&json), Ok(state));
    }

    #[test]
    fn damage_is_named() {
        let mut json = state().to_json();
        json.put("mtu", "1460".into());
        assert_eq!(State::from_json(&json), Err("mtu"));
        assert_eq!(State::parse("[]"), Err("interface"));
        assert_eq!(State::parse("{"), Err("JSON"));
    }
}
