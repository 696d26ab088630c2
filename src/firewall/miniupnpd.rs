// SPDX-License-Identifier: GPL-2.0-or-later
//! What `/etc/config/upnpd` says: the configuration of miniupnpd, which opens
//! ports when programs in the LAN ask for them by UPnP, NAT-PMP or PCP.

use crate::map::PortRange;
use crate::nat::{PortList, Upnp, UpnpWish};

use super::refusals::Refusals;
use super::uci::Section;

/// The configuration of miniupnpd.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Miniupnpd {
    /// Whether it is to run.
    enabled: bool,
    interface: Option<String>,
    zone: Option<String>,
    rules: Vec<Permission>,
    refusals: Refusals,
    /// It has a file of its own, which we do not read.
    own_file: bool,
}

/// A `perm_rule`. The first one that fits a request decides.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Permission {
    allows: bool,
    /// It is for every host and every port inside.
    everybody: bool,
    ports: PortList,
}

impl Miniupnpd {
    /// Reads the file; `None` if it has nothing about miniupnpd.
    pub fn read(config: &str) -> Option<Self> {
        let sections = Section::parse_all(config);
        let main = sections
            .iter()
            .find(|section| section.kind() == "upnpd" && section.name() == Some("config"))?;
        let text = |key| main.get(key).filter(|text| !text.is_empty());
        Some(Miniupnpd {
            enabled: main.flag("enabled") != Some(false),
            interface: text("external_iface").map(str::to_owned),
            zone: text("external_zone").map(str::to_owned),
            rules: sections.iter().filter_map(Permission::read).collect(),
            refusals: Refusals::read(&sections),
            own_file: text("config_file").is_some(),
        })
    }

    /// Whether it is to run.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Whether `interface`, which is in `zones`, is the one it opens ports on when
    /// it runs. Without a word about that it takes the one with the default route.
    pub fn serves(&self, interface: &str, zones: &[String]) -> bool {
        match (&self.interface, &self.zone) {
            (Some(name), _) => name == interface,
            (None, Some(zone)) => zones.contains(zone),
            (None, None) => true,
        }
    }

    /// Those of `ports` that it may open for some program; `None` if that
    /// cannot be told.
    pub fn allowed(&self, ports: &PortList) -> Option<PortList> {
        if self.own_file {
            return None;
        }
        let mut allowed = PortList::EMPTY;
        let mut left = ports.clone();
        for rule in &self.rules {
            if rule.allows {
                allowed = allowed.union(&left.intersect(&rule.ports));
            }
            // What is refused to one host may be allowed to another.
            if rule.allows || rule.everybody {
                left = left.minus(&rule.ports);
            }
        }
        // What no rule is about is allowed.
        Some(allowed.union(&left))
    }

    /// Commands for `uci batch` that have it refuse every port but `share`; if
    /// there is none, that take our refusals away. `None` if all is as it
    /// should be.
    pub fn correction(&self, share: Option<&PortList>) -> Option<String> {
        self.refusals.correction(share)
    }
}

/// What miniupnpd is to have of `set`, by option `upnp` and the configuration
/// of a miniupnpd that serves the line.
///
/// By default that is what its rules name. Rules that allow everything, as the
/// package installs them, name nothing: half of the set at most.
pub fn upnp_wish(option: Upnp, miniupnpd: Option<&Miniupnpd>, set: &PortList) -> UpnpWish {
    let allowed = || miniupnpd?.allowed(set);
    match option {
        Upnp::Off => UpnpWish::Nothing,
        Upnp::Ports(count) => UpnpWish::Count(count.get()),
        Upnp::Auto => match allowed() {
            Some(ports) if ports.count() <= set.count() / 2 => UpnpWish::Named(ports),
            _ => UpnpWish::Nothing,
        },
    }
}

impl Permission {
    fn read(section: &Section) -> Option<Self> {
        if section.kind() != "perm_rule" {
            return None;
        }
        let all = PortList::of(vec![PortRange::ALL]);
        let ports = |key| match section.get(key) {
            None | Some("") => Some(all.clone()),
            Some(text) => ports(text),
        };
        let any_host = section
            .get("int_addr")
            .is_none_or(|host| matches!(host, "" | "0.0.0.0/0"));
        // Nobody listens to the lowest port.
        let any_inside = ports("int_ports").is_some_and(|inside| inside.count() >= 65535);
        Some(Permission {
            allows: section.get("action") == Some("allow"),
            everybody: any_host && any_inside,
            // miniupnpd leaves out a rule that it cannot read.
            ports: ports("ext_ports")?,
        })
    }
}

/// A port or a range, which may begin at 0.
fn ports(text: &str) -> Option<PortList> {
    let (first, last) = text.split_once(['-', ':']).unwrap_or((text, text));
    let range = PortRange::new(first.parse().ok()?, last.parse().ok()?)?;
    Some(PortList::of(vec![range]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the package installs, enabled.
    const SHIPPED: &str = "config upnpd config\n\toption enabled 1\n\toption internal_iface lan\n\
        config perm_rule\n\toption action allow\n\toption ext_ports 1024-65535\n\
        \toption int_addr 0.0.0.0/0\n\toption int_ports 1024-65535\n\
        config perm_rule\n\toption action deny\n\toption ext_ports 0-65535\n\
        \toption int_addr 0.0.0.0/0\n\toption int_ports 0-65535\n";

    fn allowed(rules: &str) -> String {
        let config = format!("config upnpd config\n\toption enabled 1\n{rules}");
        let miniupnpd = Miniupnpd::read(&config).unwrap();
        let set = "80 4928-4943 62272-62287".parse().unwrap();
        miniupnpd.allowed(&set).unwrap().to_string()
    }

    fn rule(action: &str, more: &str) -> String {
        format!("config perm_rule\n\toption action {action}\n{more}\n")
    }

    #[test]
    fn whom_it_serves() {
        assert_eq!(Miniupnpd::read(""), None);
        let enabled = |option: &str| {
            let config = format!("config upnpd config\n{option}");
            Miniupnpd::read(&config).unwrap().is_enabled()
        };
        assert!(enabled("") && enabled("option enabled 1") && !enabled("option enabled 0"));
        let serves = |more: &str| {
            let config = format!("config upnpd 'config'\n{more}\n");
            Miniupnpd::read(&config)
                .unwrap()
                .serves("wan4", &["wan".into()])
        };
        assert!(serves("") && serves("option external_iface wan4"));
        assert!(serves("option external_zone wan"));
        assert!(!serves("option external_iface wan") && !serves("option external_zone lan"));
        assert!(serves(
            "option external_iface wan4\noption external_zone lan"
        ));
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let config = Miniupnpd::read(SHIPPED).unwrap();
        let all = "80 4928-4943 62272-62287".parse().unwrap();
        let high = config.allowed(&all).unwrap();
        assert_eq!(high.to_string(), "4928-4943, 62272-62287");
        assert_eq!(allowed(""), "80, 4928-4943, 62272-62287");
        let few = rule("allow", "\toption ext_ports 62280-65535") + &rule("deny", "");
        assert_eq!(allowed(&few), "62280-62287");
        let one = rule("deny", "\toption ext_ports 0-62279") + &few;
        assert_eq!(allowed(&one), "62280-62287");
        // Refused to one host only, or for some ports inside.
        for some in ["int_addr 192.168.1.9", "int_ports 0-1023"] {
            let deny = rule("deny", &format!("\toption {some}"));
            assert_eq!(allowed(&(deny + &few)), "62280-62287", "{some}");
        }
        let unread = rule("deny", "\toption ext_ports many") + &few;
        assert_eq!(allowed(&unread), "62280-62287");
    }

    #[test]
    fn a_file_of_its_own_is_not_known() {
        let config = "config upnpd config\n\toption config_file /etc/miniupnpd.conf\n";
        let miniupnpd = Miniupnpd::read(config).unwrap();
        assert_eq!(miniupnpd.allowed(&PortList::EMPTY), None);
    }

    #[test]
    fn by_default_upnp_has_what_its_rules_name() {
        let set: PortList = "4928-4943 62272-62287".parse().unwrap();
        let wish = |option: &str, config: &str| {
            let miniupnpd = Miniupnpd::read(config);
            upnp_wish(option.parse().unwrap(), miniupnpd.as_ref(), &set)
        };
        assert_eq!(wish("auto", SHIPPED), UpnpWish::Nothing);
        assert_eq!(wish("auto", ""), UpnpWish::Nothing);
        let named = SHIPPED.replace("1024-65535", "62272-62287");
        let half = UpnpWish::Named("62272-62287".parse().unwrap());
        assert_eq!(wish("auto", &named), half);
        assert_eq!(wish("off", &named), UpnpWish::Nothing);
        assert_eq!(wish("5", &named), UpnpWish::Count(5));
        assert_eq!(wish("5", ""), UpnpWish::Count(5));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(\\PC|[\n'0-9-]|config (upnpd config|perm_rule)|option (ext_ports|action|int_ports) ){0,40}") {
            if let Some(miniupnpd) = Miniupnpd::read(&text) {
                let set: PortList = "1-65535".parse().unwrap();
                let _ = miniupnpd.allowed(&set);
            }
        }
    }
}
