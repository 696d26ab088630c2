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

use ipnet::Ipv6Net;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::link::Link;
use super::record::{MechanismRecord, ParseError};
use super::settings::Protocol;
use super::store::{make_directory, remove_written, write_atomically};
use crate::firewall::Member;
use crate::nat::{Mode, Timeouts, Upnp};
use crate::paths::{self, stems_in};
use crate::reason::{Reason, Tell, said, sentence};

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
    /// `upnp` as configured.
    pub upnp: Upnp,
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
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It does not hold what we write.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: ParseError,
    },
}

impl Tell for StateError {
    fn reason(&self) -> Reason {
        match self {
            Self::Io { path, error } => said!(
                "file",
                "{file}: {reason}",
                path.display().to_string(),
                error
            ),
            Self::Damaged { path, error } => said!(
                "state_damaged",
                "{file} is damaged: {reason}",
                path.display().to_string(),
                error.to_string()
            ),
        }
    }
}

sentence!(StateError);

impl State {
    /// The interface as a member of firewall zones.
    pub fn member(&self) -> Member<'_> {
        self.link.member(&self.interface)
    }

    /// Writes the file whole or not at all.
    ///
    /// # Errors
    /// The directory cannot be made or the file not written.
    pub fn save(&self) -> Result<(), StateError> {
        let path = paths::state_file(&self.interface);
        make_directory(&paths::run_dir())
            .and_then(|()| Ok(self.to_text()?))
            .and_then(|text| write_atomically(&path, text.as_bytes()))
            .map_err(|error| io_error(path, error))
    }

    /// Reads the state of an interface; `None` if it is not set up.
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
        let damaged = |error| StateError::Damaged { path, error };
        Self::parse(&text).map(Some).map_err(damaged)
    }

    /// The text of the file: a line of JSON.
    ///
    /// # Errors
    /// None for what a state holds; the type is that of the serializer.
    pub fn to_text(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string(&Record::from(self))? + "\n")
    }

    /// Reads what [`State::to_text`] wrote.
    ///
    /// # Errors
    /// What [`ParseError`] says.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        // By way of `Value`, like all else that is read: a second deserializer
        // would cost 10 KB.
        let value: Value = serde_json::from_str(text)?;
        Record::deserialize(value)?.try_into()
    }

    /// Whether its ports are exchanged by the edge map: technique `pool`.
    pub fn has_edge(&self) -> bool {
        self.technique.0 == "pool"
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
}

/// The file, member by member.
#[derive(Serialize, Deserialize)]
struct Record {
    interface: String,
    proto: Protocol,
    device: String,
    #[serde(flatten)]
    mechanism: MechanismRecord,
    /// Older versions did not say.
    #[serde(default)]
    why: String,
    end_user_prefix: Ipv6Net,
    provider: Option<String>,
    provider_name: Option<String>,
    uplink: String,
    prefix_source: String,
    mtu: u16,
    encaplimit: Option<String>,
    zone: Option<String>,
    mesh: bool,
    nat: Mode,
    nat_mode: String,
    nat_reason: String,
    conntrack: Timeouts,
    reserve: Vec<String>,
    #[serde(default)]
    upnp: Upnp,
    since: u64,
}

impl From<&State> for Record {
    fn from(state: &State) -> Self {
        let (provider, provider_name) = state.provider.clone().unzip();
        let (nat_mode, nat_reason) = state.technique.clone();
        Record {
            interface: state.interface.clone(),
            proto: state.protocol,
            device: state.device.clone(),
            mechanism: (&state.mechanism).into(),
            why: state.why.clone(),
            end_user_prefix: state.mechanism.end_user(),
            provider,
            provider_name,
            uplink: state.uplink.clone(),
            prefix_source: state.prefix_source.clone(),
            mtu: state.mtu,
            encaplimit: state.encaplimit.clone(),
            zone: state.zone.clone(),
            mesh: state.mesh,
            nat: state.nat,
            nat_mode,
            nat_reason,
            conntrack: state.timeouts,
            reserve: state.reserve.clone(),
            upnp: state.upnp,
            since: state.since,
        }
    }
}

impl TryFrom<Record> for State {
    type Error = ParseError;

    fn try_from(record: Record) -> Result<Self, ParseError> {
        let mechanism = record.mechanism.read(record.end_user_prefix)?;
        let provider = record.provider.map(|id| {
            let name = record.provider_name.unwrap_or_else(|| id.clone());
            (id, name)
        });
        Ok(State {
            interface: record.interface,
            protocol: record.proto,
            link: Link {
                device: record.device,
                mechanism,
                why: record.why,
                provider,
                uplink: record.uplink,
                prefix_source: record.prefix_source,
                mtu: record.mtu,
                encaplimit: record.encaplimit,
                zone: record.zone,
                mesh: record.mesh,
            },
            nat: record.nat,
            technique: (record.nat_mode, record.nat_reason),
            timeouts: record.conntrack,
            reserve: record.reserve,
            upnp: record.upnp,
            since: record.since,
        })
    }
}

fn io_error(path: PathBuf, error: io::Error) -> StateError {
    StateError::Io { path, error }
}

#[cfg(test)]
impl State {
    /// A v6plus line that is up.
    pub(crate) fn example() -> State {
        use crate::map::{Dialect, Domain, MapType};
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
                mechanism: domain
                    .map(&["240b:10:1:200::/56".parse().unwrap()])
                    .unwrap()
                    .into(),
                why: "the prefix is theirs".into(),
                provider: Some(("v6plus".into(), "v6 Plus".into())),
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
            upnp: "16".parse().unwrap(),
            since: 12,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::{DsLite, InterfaceId, IpIp};

    #[test]
    fn what_is_written_is_read_again() {
        let state = State::example();
        assert_eq!(State::parse(&state.to_text().unwrap()).unwrap(), state);
    }

    #[test]
    fn lines_without_map() {
        let prefix = "2001:db8:7:100::/56".parse().unwrap();
        let br = "2001:db8:ffff::1".parse().unwrap();
        let name = "aftr.example".parse().unwrap();
        let block = "203.0.113.97/29".parse().unwrap();
        for mechanism in [
            DsLite::new(prefix, br).unwrap().named(Some(name)).into(),
            DsLite::new(prefix, br).unwrap().into(),
            IpIp::new(prefix, InterfaceId::Draft03, block, br)
                .unwrap()
                .into(),
        ] {
            let mut state = State::example();
            state.link.mechanism = mechanism;
            let text = state.to_text().unwrap();
            assert_eq!(State::parse(&text).unwrap(), state, "{text}");
        }
    }

    /// Written before there was anything but MAP.
    #[test]
    fn what_an_older_version_wrote_is_read() {
        let text = r#"{"interface":"wanmap","proto":"mape","device":"map-wanmap","type":"map-e",
            "dialect":"draft-03","end_user_prefix":"240b:10:1:200::/56",
            "rule":"type=map-e,ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,prefix4len=15,ealen=25,br=2404:9200:225:100::64",
            "fmrs":["type=map-e,ipv6prefix=240b:12::,prefix6len=31,ipv4prefix=14.8.0.0,prefix4len=15,ealen=25,fmr",
            "type=map-e,ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,prefix4len=15,ealen=25,fmr"],
            "provider":"v6plus","provider_name":"v6 Plus","uplink":"wan6",
            "prefix_source":"delegated","mtu":1460,"encaplimit":"ignore","zone":null,"mesh":true,
            "nat":"auto","nat_mode":"pool","nat_reason":"the kernel can","conntrack":"normal",
            "reserve":["4128"],"since":12}"#;
        let read = State::parse(text).unwrap();
        assert_eq!(
            read.mechanism.ce_address(),
            State::example().mechanism.ce_address()
        );
        assert_eq!(read.mechanism.fmrs().len(), 2);
    }

    #[test]
    fn damage_is_named() {
        let says = |text: &str| State::parse(text).unwrap_err().to_string();
        let text = State::example().to_text().unwrap();
        let mtu = says(&text.replace("1460", "\"1460\""));
        assert!(
            mtu.starts_with("invalid type: string \"1460\", expected u16"),
            "{mtu}"
        );
        assert!(says("{}").starts_with("missing field `interface`"));
        assert!(says("{").starts_with("EOF while parsing an object"));
        let prefix = says(&text.replace("240b:10:1:200::/56", "2001:db8::/56"));
        assert!(prefix.contains("2001:db8::/56"), "{prefix}");
    }
}
