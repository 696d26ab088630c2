// SPDX-License-Identifier: GPL-2.0-or-later
//! The options of an interface, checked: everything that can be said without
//! looking at the network.

use ipnet::Ipv6Net;

use super::problem::{Code, Problem};
use crate::map::{Border, MapType, Overrides, SpecError};
use crate::nat::{Mode, Timeouts, Upnp};
use crate::netifd::{Config, ConfigError};
use crate::provision::hb46pp::Credentials;
use crate::sanitize::quoted;

mod device;
mod protocol;
mod reader;
mod request;
mod rules;

use crate::reason::{Reason, said};
pub use device::device_name;
pub use protocol::Protocol;
use reader::Reader;
pub use request::{FixedAddress, Request};

/// `provision`: whether the line itself is asked how it carries IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provision {
    /// If nothing else is known.
    Auto,
    /// First of all.
    Hb46pp,
    /// Never.
    Off,
}

impl std::str::FromStr for Provision {
    type Err = Reason;

    fn from_str(word: &str) -> Result<Self, Reason> {
        match word {
            "auto" => Ok(Provision::Auto),
            "hb46pp" => Ok(Provision::Hb46pp),
            "off" => Ok(Provision::Off),
            _ => Err(said!(
                "provision",
                "provision {value}: must be auto, hb46pp or off",
                quoted(word)
            )),
        }
    }
}

/// A checked configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Logical interface.
    pub interface: String,
    /// `proto`.
    pub protocol: Protocol,
    /// Mechanism, rules or provider.
    pub request: Request,
    /// `provision`.
    pub provision: Provision,
    /// `username` and `password` of the contract, for `provision_server` if
    /// that is given. With `update_url` they are those of the update server.
    pub credentials: Option<Credentials>,
    /// `update_url` is given: the CE's address is to be registered.
    pub registers: bool,
    /// `peeraddr` if it is to replace the provider's.
    pub border: Option<Border>,
    /// `offset`, `ealen`, `psidlen` and `psid`, which correct what the line
    /// itself says.
    pub overrides: Overrides,
    /// `enduserprefix`.
    pub end_user: Option<Ipv6Net>,
    /// `tunlink`.
    pub tunlink: Option<String>,
    /// `mtu` in bytes.
    pub mtu: Option<u16>,
    /// `ttl`.
    pub ttl: u8,
    /// `encaplimit`: `ignore` or a number.
    pub encaplimit: Option<String>,
    /// `zone`; `Some(None)` if it is `-`, which asks for none.
    pub zone: Option<Option<String>>,
    /// `nat`.
    pub nat: Mode,
    /// `mesh`.
    pub mesh: Option<bool>,
    /// `conntrack`.
    pub timeouts: Timeouts,
    /// `reserve`, unread: which ports are allowed depends on the mapping.
    pub reserve: Vec<String>,
    /// `upnp`.
    pub upnp: Upnp,
    /// The default route has the metric of the uplink: the DHCPv6 client made
    /// the interface, so nobody could set one.
    pub inherits_metric: bool,
    /// What `/tmp/map-<interface>.rules` shows as the rule.
    pub rule_text: String,
}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Self {
        Problem::fatal(Code::InvalidConfig, error)
    }
}

impl From<SpecError> for Problem {
    fn from(error: SpecError) -> Self {
        Box::new(error).into()
    }
}

impl From<Box<SpecError>> for Problem {
    fn from(error: Box<SpecError>) -> Self {
        let code = match *error {
            SpecError::Type(_) => Code::UnsupportedType,
            _ => Code::InvalidMapRule,
        };
        Problem::fatal(code, error)
    }
}

impl Settings {
    /// Reads and checks the options of `interface`.
    ///
    /// # Errors
    /// The first option that can never work, by name and with what is allowed.
    pub fn new(protocol: Protocol, interface: &str, config: &Config) -> Result<Self, Problem> {
        device_name(interface)?;
        let mut reader = Reader::of(protocol, config);
        let (request, rule_text) = reader.request()?;
        let (border, map_type, named) = match &request {
            Request::Rules(domain) => (None, Some(domain.map_type()), domain.named_end_user()),
            Request::Known { .. } => (reader.border(MapType::MapE), Some(MapType::MapE), None),
            Request::DsLite(_) | Request::IpIp(_) => (None, None, None),
        };
        // A form may keep these options for a provider that is named.
        let overrides = match &request {
            Request::Known { provider: None, .. } => reader.overrides(),
            _ => Overrides::default(),
        };
        let registers = reader.update_url();
        // A fixed address has an account of another kind, if any.
        let credentials = match registers || matches!(request, Request::IpIp(_)) {
            true => None,
            false => reader.credentials(),
        };
        let settings = Settings {
            interface: interface.into(),
            protocol,
            request,
            provision: reader.word("provision").unwrap_or(Provision::Auto),
            credentials,
            registers,
            border,
            overrides,
            end_user: reader.end_user(map_type).or(named),
            tunlink: reader.text("tunlink"),
            // 576 is the least IPv4 guarantees; 9200 is LuCI's limit.
            mtu: reader.number("mtu", 576, 9200),
            ttl: reader.number("ttl", 0, 255).map_or(64, |n| n as u8),
            encaplimit: reader.encaplimit(),
            zone: reader.text("zone").map(|z| (z != "-").then_some(z)),
            nat: reader.word("nat").unwrap_or(Mode::Auto),
            mesh: reader.flag("mesh"),
            timeouts: reader.word("conntrack").unwrap_or(Timeouts::Normal),
            reserve: reader.list("reserve"),
            upnp: reader.word("upnp").unwrap_or_default(),
            inherits_metric: config.is_from_dhcp() && reader.text("metric").is_none(),
            rule_text,
        };
        match reader.problem() {
            None => Ok(settings),
            Some(problem) => Err(problem),
        }
    }

    /// The account for HB46PP that `config` has: username, password and server.
    ///
    /// # Errors
    /// What is wrong with it, without quoting it.
    pub fn credentials(config: &Config) -> Result<Option<Credentials>, Problem> {
        let mut reader = Reader::of(Protocol::Mape, config);
        let credentials = reader.credentials();
        reader.problem().map_or(Ok(credentials), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::Domain;
    use crate::mechanism::{InterfaceId, Kind};

    fn read(protocol: Protocol, json: &str) -> Result<Settings, Problem> {
        Settings::new(protocol, "wanmap", &Config::parse(json).unwrap())
    }

    fn domain(settings: Settings) -> Domain {
        match settings.request {
            Request::Rules(domain) => domain,
            other => panic!("{other:?}"),
        }
    }

    const V6PLUS: &str = r#""maptype":"map-e","legacymap":true,"peeraddr":"2404:9200:225:100::64",
        "ipaddr":"14.8.0.0","ip4prefixlen":15,"ip6prefix":"240b:12::","ip6prefixlen":31"#;

    #[test]
    fn corrections_are_no_rule() {
        for option in ["offset", "ealen", "psidlen", "psid"] {
            let json = format!(r#"{{"tunlink":"wan6","{option}":"4"}}"#);
            let settings = read(Protocol::Mape, &json).unwrap();
            let is_known = matches!(settings.request, Request::Known { provider: None, .. });
            assert!(is_known && !settings.overrides.is_empty(), "{option}");
        }
    }

    #[test]
    fn the_stock_options() {
        let json = format!(r#"{{{V6PLUS},"ealen":25,"psidlen":8,"offset":4,"mtu":1460}}"#);
        let settings = read(Protocol::Map, &json).unwrap();
        assert_eq!(settings.mtu, Some(1460));
        assert_eq!(settings.ttl, 64);
        assert!(
            settings
                .rule_text
                .starts_with("type=map-e,ipv6prefix=240b:12::")
        );
        let mapping = domain(settings)
            .map(&["240b:12:aaaa:bb00::/56".parse().unwrap()])
            .unwrap();
        assert_eq!(mapping.ipv4().to_string(), "14.8.170.170/32");
        assert_eq!(
            mapping.ce_address().to_string(),
            "240b:12:aaaa:bb00:e:8aa:aa00:bb00"
        );
    }

    #[test]
    fn two_lines_of_configuration() {
        let settings = read(Protocol::Mape, r#"{"tunlink":"wan6"}"#).unwrap();
        let known = |provider, only| Request::Known { provider, only };
        assert_eq!(settings.request, known(None, None));
        let named = read(Protocol::Mape, &format!(r#"{{{V6PLUS},"provider":"ocn"}}"#)).unwrap();
        assert_eq!(named.request, known(Some("ocn".into()), Some(Kind::MapE)));
    }

    #[test]
    fn lines_without_map() {
        let request = |json: &str| Ok::<_, Problem>(read(Protocol::Mape, json)?.request);
        let aftr = request(r#"{"maptype":"ds-lite","peeraddr":"gw.transix.jp"}"#);
        assert_eq!(aftr, Ok(Request::DsLite("gw.transix.jp".parse().unwrap())));
        let known = Request::Known {
            provider: None,
            only: Some(Kind::DsLite),
        };
        assert_eq!(request(r#"{"maptype":"ds-lite"}"#), Ok(known));
        let fixed = FixedAddress {
            ipv4: "203.0.113.0/29".parse().unwrap(),
            id: InterfaceId::Bits(0xfeed),
            br: Some("2001:db8:ffff::1".parse().unwrap()),
            provider: None,
        };
        let json =
            r#""peeraddr":"2001:db8:ffff::1","ipaddr":"203.0.113.0/29","interfaceid":"::feed""#;
        let fixed = Ok(Request::IpIp(fixed));
        assert_eq!(request(&format!(r#"{{{json},"maptype":"ipip"}}"#)), fixed);
        // An identifier says enough.
        assert_eq!(request(&format!("{{{json}}}")), fixed);
        for (json, says) in [
            (r#"{"maptype":"ipip"}"#, "ipaddr is missing"),
            (
                r#"{"maptype":"ipip","ipaddr":"203.0.113.1"}"#,
                "peeraddr is missing",
            ),
            (r#"{"maptype":"ipip","ipaddr":"x"}"#, "ipaddr x: must be"),
            (r#"{"interfaceid":"feed"}"#, "interfaceid feed: must be"),
            (
                r#"{"maptype":"ds-lite","peeraddr":"192.0.2.1"}"#,
                "peeraddr 192.0.2.1: must be an IPv6 address or a DNS name",
            ),
        ] {
            let problem = request(json).unwrap_err();
            assert!(problem.detail.starts_with(says), "{json}: {problem}");
            assert!(problem.fatal);
        }
    }

    #[test]
    fn a_psid_is_left_justified_in_map_and_a_number_in_mape() {
        let json = r#"{"ipaddr":"192.0.2.18","ip6prefix":"2001:db8:12:3400::","ip6prefixlen":56,
            "ealen":0,"psidlen":8,"offset":6,"psid":PSID,"peeraddr":"2001:db8:ffff::1"}"#;
        let psid = |protocol, psid: &str| {
            let settings = read(protocol, &json.replace("PSID", psid))?;
            let mapping = domain(settings).map(&["2001:db8:12:3400::/56".parse().unwrap()]);
            Ok::<_, Problem>(mapping.unwrap().ports().psid().value())
        };
        assert_eq!(psid(Protocol::Mape, "52"), Ok(0x34));
        assert_eq!(psid(Protocol::Map, "13312"), Ok(0x34));
        // Only one of both forms makes sense of it.
        assert_eq!(psid(Protocol::Map, "52"), Ok(0x34));
        let neither = psid(Protocol::Map, "13313").unwrap_err();
        assert_eq!(neither.code, Code::InvalidMapRule);
        assert!(
            neither.detail.contains("neither left-justified"),
            "{neither}"
        );
    }

    #[test]
    fn every_option_out_of_range_is_named() {
        for (json, code, detail) in [
            (
                r#""ealen":99"#,
                Code::InvalidConfig,
                "ealen 99: must be a number from 0 to 48",
            ),
            (
                r#""mtu":68"#,
                Code::InvalidConfig,
                "mtu 68: must be a number from 576 to 9200",
            ),
            (r#""ttl":300"#, Code::InvalidConfig, "ttl 300: must be"),
            (
                r#""provision":"yes""#,
                Code::InvalidConfig,
                "provision \"yes\": must be auto, hb46pp or off",
            ),
            (
                r#""username":"u","password":"s3cret!""#,
                Code::InvalidConfig,
                "password: must be 1 to 32 letters",
            ),
            (
                r#""username":"u""#,
                Code::InvalidConfig,
                "username and password: only both together",
            ),
            (
                r#""username":"u","password":"p","provision_server":"192.0.2.1""#,
                Code::InvalidConfig,
                "provision_server: a DNS name cannot end in a number",
            ),
            (
                r#""update_url":"v6pluss""#,
                Code::InvalidConfig,
                "update_url: must be v6plus, transix, ocn, xpass or a URL",
            ),
            (
                r#""update_url":"ftp://a.example/""#,
                Code::InvalidConfig,
                "update_url: ",
            ),
            (
                r#""encaplimit":"256""#,
                Code::InvalidConfig,
                "encaplimit 256: must be ignore",
            ),
            (r#""nat":"full""#, Code::InvalidConfig, "nat full: must be"),
            (
                r#""conntrack":"x""#,
                Code::InvalidConfig,
                "conntrack x: must be",
            ),
            (r#""upnp":"on""#, Code::InvalidConfig, "upnp on: must be"),
            (
                r#""mesh":"x""#,
                Code::InvalidConfig,
                "mesh x: must be 0 or 1",
            ),
            (
                r#""maptype":"dslite""#,
                Code::UnsupportedType,
                "type dslite: must be",
            ),
            (
                r#""enduserprefix":"1.2.3.4""#,
                Code::InvalidConfig,
                "enduserprefix 1.2.3.4: must",
            ),
            (
                r#""peeraddr":"br.example""#,
                Code::InvalidMapRule,
                "peeraddr br.example: must",
            ),
            (
                r#""rule":"ealen=99""#,
                Code::InvalidMapRule,
                "ealen 99: at most 48",
            ),
            (
                r#""rule":"bogus=1""#,
                Code::InvalidMapRule,
                "bogus is not known",
            ),
            (
                r#""ealen":25,"ip6prefix":"x","ip6prefixlen":31"#,
                Code::InvalidMapRule,
                "ip6prefix x",
            ),
            (
                r#""ealen":25,"ip6prefixlen":31"#,
                Code::InvalidMapRule,
                "ip6prefix is missing",
            ),
        ] {
            let problem = read(Protocol::Mape, &format!("{{{json}}}")).unwrap_err();
            assert_eq!(problem.code, code, "{json}");
            assert!(problem.detail.starts_with(detail), "{json}: {problem}");
            assert!(problem.fatal);
        }
    }

    #[test]
    fn contradictions_are_named_as_options() {
        let problem = |more: &str| {
            let json = format!(r"{{{V6PLUS},{more}}}");
            read(Protocol::Mape, &json).unwrap_err().detail.clone()
        };
        assert_eq!(
            problem(r#""ealen":40"#),
            "ip6prefixlen 31 and ealen 40: together at most 64"
        );
        assert!(problem(r#""ealen":25,"psidlen":26"#).starts_with("psidlen 26: must be"));
        assert!(problem(r#""ealen":25,"psidlen":6"#).contains("leave 8 bits"));
        assert!(problem(r#""ealen":25,"offset":9"#).contains("together at most 16"));
        let no_peer =
            r#"{"ipaddr":"192.0.2.1","ip6prefix":"2001:db8::","ip6prefixlen":56,"ealen":0}"#;
        assert!(
            read(Protocol::Map, no_peer)
                .unwrap_err()
                .detail
                .starts_with("peeraddr is missing")
        );
    }
}
