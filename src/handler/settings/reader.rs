// SPDX-License-Identifier: GPL-2.0-or-later
//! Options that are read in the same way, and those that mean something only
//! together: accounts, far ends, fixed addresses.

use std::net::Ipv6Addr;

use ipnet::{Ipv4Net, Ipv6Net};

use super::protocol::Protocol;
use super::request::{FixedAddress, Request};
use crate::endpoint::{DnsNameError, Endpoint};
use crate::handler::problem::{Code, Problem};
use crate::map::{MapType, SpecError, check_end_user};
use crate::mechanism::{InterfaceId, Kind};
use crate::netifd::Config;
use crate::provision::hb46pp::{Credentials, SecretError};
use crate::provision::registration::Style;
use crate::reason::{Reason, Tell, said};
use crate::sanitize::excerpt;

/// Reads options. The first problem is kept; an option that has one reads as if
/// it were missing.
pub(super) struct Reader<'a> {
    pub(super) protocol: Protocol,
    config: &'a Config,
    problem: Option<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn of(protocol: Protocol, config: &'a Config) -> Self {
        Reader {
            protocol,
            config,
            problem: None,
        }
    }

    /// The first problem there was.
    pub(super) fn problem(&mut self) -> Option<Problem> {
        self.problem.take()
    }

    fn fail(&mut self, problem: Problem) {
        self.problem.get_or_insert(problem);
    }

    /// Keeps the problem, if it is one.
    pub(super) fn keep<T>(&mut self, read: Result<T, impl Into<Problem>>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(error) => {
                self.fail(error.into());
                None
            }
        }
    }

    pub(super) fn text(&mut self, option: &'static str) -> Option<String> {
        self.keep(self.config.text(option)).flatten()
    }

    pub(super) fn number(&mut self, option: &'static str, min: u16, max: u16) -> Option<u16> {
        self.keep(self.config.number(option, min, max)).flatten()
    }

    pub(super) fn flag(&mut self, option: &'static str) -> Option<bool> {
        self.keep(self.config.flag(option)).flatten()
    }

    pub(super) fn list(&mut self, option: &'static str) -> Vec<String> {
        self.keep(self.config.list(option)).unwrap_or_default()
    }

    /// An option that takes one of a few words.
    pub(super) fn word<T>(&mut self, option: &'static str) -> Option<T>
    where
        T: std::str::FromStr<Err: Tell>,
    {
        let word = self.text(option)?.parse::<T>();
        self.keep(word.map_err(|error| Problem::fatal(Code::InvalidConfig, error)))
    }

    /// `username`, `password` and `provision_server`. Messages never quote them.
    pub(super) fn credentials(&mut self) -> Option<Credentials> {
        let refuse = |option: &str, error: &dyn Tell| {
            let what = said!("option_refused", "{option}: {reason}", option, error);
            Problem::fatal(Code::InvalidConfig, what)
        };
        let (user, password) = match (self.text("username"), self.text("password")) {
            (Some(user), Some(password)) => (user, password),
            (None, None) => return None,
            _ => {
                self.fail(Problem::fatal(
                    Code::InvalidConfig,
                    said!("half_account", "username and password: only both together"),
                ));
                return None;
            }
        };
        let server = self.text("provision_server").map(|name| {
            let name = name.parse();
            name.map_err(|error: DnsNameError| refuse("provision_server", &error))
        });
        let server = self.keep(server.transpose())?;
        let user = user
            .parse()
            .map_err(|error: SecretError| refuse("username", &error));
        let password = password
            .parse()
            .map_err(|error: SecretError| refuse("password", &error));
        Some(Credentials::new(
            self.keep(user)?,
            self.keep(password)?,
            server,
        ))
    }

    /// Whether `update_url` is given. Messages never quote it: people write
    /// passwords into URLs.
    pub(super) fn update_url(&mut self) -> bool {
        let Some(text) = self.text("update_url") else {
            return false;
        };
        let style = text.parse::<Style>().map_err(|error| {
            Problem::fatal(
                Code::InvalidConfig,
                said!("update_url_refused", "update_url: {reason}", error),
            )
        });
        self.keep(style).is_some()
    }

    /// `maptype`, or `type` as older configurations say; `None` for `auto`.
    fn kind(&mut self) -> Result<Option<Kind>, Problem> {
        let word = self.text("maptype").or_else(|| self.text("type"));
        if let Some(problem) = self.problem() {
            return Err(problem);
        }
        match (word.as_deref(), self.protocol) {
            (Some("auto"), _) | (None, Protocol::Mape) => Ok(None),
            (None, Protocol::Map) => Ok(Some(Kind::MapE)),
            (Some(word), _) => match word.parse() {
                Ok(kind) => Ok(Some(kind)),
                Err(error) => Err(Problem::fatal(Code::UnsupportedType, error)),
            },
        }
    }

    /// What the configuration asks for, and how the stock package would write
    /// its rules.
    pub(super) fn request(&mut self) -> Result<(Request, String), Problem> {
        let request = match self.kind()? {
            Some(Kind::DsLite) => self.ds_lite(),
            Some(Kind::IpIp) => self.ipip(),
            // What only a fixed address has.
            None if self.text("interfaceid").is_some() => self.ipip(),
            kind => return self.rules(kind),
        };
        match (request, self.problem()) {
            (Some(request), None) => Ok((request, String::new())),
            (_, problem) => Err(problem
                .unwrap_or_else(|| missing("maptype", &said!("needs_type", "ds-lite or ipip")))),
        }
    }

    fn ds_lite(&mut self) -> Option<Request> {
        if let Some(aftr) = self.endpoint() {
            return Some(Request::DsLite(aftr));
        }
        Some(Request::Known {
            provider: self.provider(),
            only: Some(Kind::DsLite),
        })
    }

    fn ipip(&mut self) -> Option<Request> {
        let id = self.text("interfaceid");
        let id = id.map_or(Ok(InterfaceId::Draft03), |id| id.parse());
        let id = self.keep(id.map_err(|error| Problem::fatal(Code::InvalidConfig, error)))?;
        let br = self.endpoint();
        let provider = self.provider();
        let Some((text, len)) = self.address("ipaddr", "ip4prefixlen") else {
            self.fail(missing(
                "ipaddr",
                &said!("needs_fixed", "the fixed IPv4 address or block"),
            ));
            return None;
        };
        let len = self.bits("ip4prefixlen", 32).or(len).unwrap_or(32);
        let address = text.parse().ok();
        let Some(ipv4) = address.and_then(|address| Ipv4Net::new(address, len).ok()) else {
            self.fail(Problem::fatal(
                Code::InvalidConfig,
                said!(
                    "fixed_address",
                    "ipaddr {value}: must be an IPv4 address or block such as 203.0.113.0/29",
                    excerpt(&text)
                ),
            ));
            return None;
        };
        if br.is_none() && provider.is_none() {
            self.fail(missing("peeraddr", &relay()));
        }
        Some(Request::IpIp(FixedAddress {
            ipv4,
            id,
            br,
            provider,
        }))
    }

    /// `peeraddr` as an address or a name.
    fn endpoint(&mut self) -> Option<Endpoint> {
        let text = self.text("peeraddr")?;
        let endpoint = text.parse::<Endpoint>().map_err(|error| {
            let what = said!("peer", "peeraddr {value}: {reason}", excerpt(&text), error);
            Problem::fatal(Code::InvalidConfig, what)
        });
        self.keep(endpoint)
    }

    /// The provider that `provider` names.
    fn provider(&mut self) -> Option<String> {
        let id = self.text("provider");
        id.filter(|id| id != "none" && id != "auto")
    }

    /// A number of bits.
    pub(super) fn bits(&mut self, option: &'static str, max: u8) -> Option<u8> {
        self.number(option, 0, max.into()).map(|bits| bits as u8)
    }

    /// An address, and the length that some write with it.
    pub(super) fn address(
        &mut self,
        option: &'static str,
        key: &'static str,
    ) -> Option<(String, Option<u8>)> {
        let text = self.text(option)?;
        self.keep(with_length(option, key, text))
    }

    pub(super) fn ipv6(&mut self, key: &'static str, text: String) -> Option<Ipv6Addr> {
        let address = text.parse();
        self.keep(address.map_err(|_| SpecError::Ipv6 { key, value: text }))
    }

    pub(super) fn end_user(&mut self, map_type: Option<MapType>) -> Option<Ipv6Net> {
        let text = self.text("enduserprefix")?;
        let net = text.parse::<Ipv6Net>().map_err(|_| {
            Problem::fatal(
                Code::InvalidConfig,
                said!(
                    "end_user_prefix",
                    "enduserprefix {value}: must be an IPv6 prefix such as 240b:10:1:200::/56",
                    excerpt(&text)
                ),
            )
        });
        let net = self.keep(net)?.trunc();
        let checked = check_end_user(net, map_type);
        self.keep(checked.map_err(|error| Problem::fatal(Code::InvalidConfig, error)))?;
        Some(net)
    }

    pub(super) fn encaplimit(&mut self) -> Option<String> {
        let text = self.text("encaplimit")?;
        match (text.as_str(), text.parse::<u8>()) {
            ("ignore" | "none", _) => Some("ignore".into()),
            (_, Ok(limit)) => Some(format!("{limit}")),
            _ => {
                self.fail(Problem::fatal(
                    Code::InvalidConfig,
                    said!(
                        "encaplimit",
                        "encaplimit {value}: must be ignore or a number from 0 to 255",
                        excerpt(&text)
                    ),
                ));
                None
            }
        }
    }
}

/// An option without which nothing can be set up.
fn missing(option: &str, what: &Reason) -> Problem {
    Problem::fatal(
        Code::InvalidConfig,
        said!(
            "option_missing",
            "{option} is missing: {reason}",
            option,
            what
        ),
    )
}

pub(super) fn relay() -> Reason {
    said!("needs_relay", "the IPv6 address of the border relay")
}

/// Splits `address/length`, which people write if a length of its own is
/// asked for too.
fn with_length(
    option: &'static str,
    key: &'static str,
    text: String,
) -> Result<(String, Option<u8>), Problem> {
    let Some((address, len)) = text.split_once('/') else {
        return Ok((text, None));
    };
    match len.parse::<u8>() {
        Ok(len) if len <= 128 => Ok((address.into(), Some(len))),
        _ => Err(Problem::fatal(
            Code::InvalidMapRule,
            said!(
                "length_apart",
                "{option} {value}: write the address alone and its length as {other}",
                option,
                excerpt(&text),
                key
            ),
        )),
    }
}
