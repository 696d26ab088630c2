// SPDX-License-Identifier: GPL-2.0-or-later
//! Ports of others: what the firewall configuration forwards or opens.
//!
//! Such ports stay out of the pool and keep their number on the way in, so
//! that DNAT rules and local services see what the configuration says.

use crate::map::PortSet;
use crate::nat::{Claim, PortList, Protocol, brief};
use crate::sanitize::quoted;

use super::forward::Forward;
use super::uci::Section;

/// Longest name of a section that is repeated in a warning.
const MAX_NAME: usize = 40;

/// What the firewall configuration does with the ports of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// Ports of the set that it forwards to hosts or opens to the router, an
    /// entry each.
    pub claims: Vec<Claim>,
    /// Everything it forwards or opens, also outside the set.
    pub forwards: Vec<Forward>,
    /// Whether pings from outside are its business: it lets them in somewhere.
    pub ping: bool,
    /// What the user should know, a sentence each.
    pub warnings: Vec<String>,
}

impl Opened {
    /// Reads the sections of `/etc/config/firewall` for a line in one of `zones`.
    pub fn read(config: &[Section], zones: &[String], set: PortSet) -> Self {
        let own = PortList::from(set);
        let mut opened = Opened::default();
        for section in config {
            match section.kind() {
                "zone" if names(section, "name", zones) => {
                    opened.ping |= accepts(section, "input");
                    opened.check_mss(section);
                }
                "redirect" if counts(section, zones) && is_dnat(section) => {
                    opened.redirect(section, &own);
                }
                "rule" if counts(section, zones) && is_input(section) => {
                    opened.rule(section, &own);
                }
                _ => {}
            }
        }
        opened
    }

    /// A tunnel takes smaller packets than hosts expect. Where the ICMP error
    /// gets lost, only a smaller MSS keeps connections from hanging.
    fn check_mss(&mut self, zone: &Section) {
        if zone.flag("mtu_fix") != Some(true) {
            self.warnings.push(format!(
                "zone {}: connections to some sites may hang without option mtu_fix '1'",
                title(zone)
            ));
        }
    }

    fn redirect(&mut self, section: &Section, own: &PortList) {
        let protocols = protocols(section);
        if protocols.is_empty() {
            return;
        }
        let title = title(section);
        let ports = match ports(section, "src_dport") {
            Ports::Some(ports) => ports,
            Ports::All => {
                self.warnings.push(format!(
                    "port forward {title}: names no src_dport, and only named ports of \
                     the line can be forwarded ({})",
                    brief(own)
                ));
                return;
            }
            Ports::Bad => return,
        };
        let foreign = ports.minus(own);
        if !foreign.is_empty() {
            self.warnings.push(format!(
                "port forward {title}: {} can never be reached, the ports of the line are {}",
                brief(&foreign),
                brief(own)
            ));
        }
        self.take(section, "port forward", &protocols, &ports, own);
    }

    fn rule(&mut self, section: &Section, own: &PortList) {
        if speaks(section, &["icmp", "1"]) {
            let types = section.words("icmp_type");
            let is_echo = |kind: &&str| matches!(*kind, "echo-request" | "8");
            self.ping |= types.is_empty() || types.iter().any(is_echo);
        }
        // A rule without a port opens what listens, and takes no port away.
        let protocols = protocols(section);
        if protocols.is_empty() {
            return;
        }
        if let Ports::Some(ports) = ports(section, "dest_port") {
            self.take(section, "firewall rule", &protocols, &ports, own);
        }
    }

    fn take(
        &mut self,
        section: &Section,
        kind: &str,
        speaks: &[Protocol],
        ports: &PortList,
        own: &PortList,
    ) {
        let ours = ports.intersect(own);
        if !ours.is_empty() {
            self.claims.push(Claim {
                title: format!("{kind} {}", title(section)),
                ports: ours,
            });
        }
        Forward::add(&mut self.forwards, section, speaks, ports);
    }
}

/// Ports an option names.
enum Ports {
    Some(PortList),
    /// None is named or some are excluded: every other.
    All,
    /// firewall4 would refuse the section.
    Bad,
}

fn ports(section: &Section, key: &str) -> Ports {
    let words = section.words(key);
    if words.is_empty() || words.iter().any(|word| word.starts_with('!')) {
        return Ports::All;
    }
    match PortList::parse(&words.join(" ")) {
        Ok(list) => Ports::Some(list),
        Err(_) => Ports::Bad,
    }
}

/// Whether a section is in force for IPv4 packets from one of the zones.
fn counts(section: &Section, zones: &[String]) -> bool {
    let from_us = section.get("src") == Some("*") || names(section, "src", zones);
    let family = section.get("family").unwrap_or_default();
    let other_family = family.contains('6') && !family.contains('4');
    let mut ipv6 = false;
    for key in ["src_ip", "dest_ip", "src_dip"] {
        ipv6 |= section.words(key).iter().any(|word| word.contains(':'));
    }
    from_us && is_enabled(section) && !other_family && !ipv6
}

pub(super) fn is_enabled(section: &Section) -> bool {
    section.flag("enabled") != Some(false)
}

fn is_dnat(section: &Section) -> bool {
    // firewall4 takes anything that is not SNAT for DNAT.
    !says(section, "target", "snat")
}

/// Whether a rule lets packets in that are for the router itself.
fn is_input(section: &Section) -> bool {
    section.get("dest").is_none() && accepts(section, "target")
}

fn accepts(section: &Section, key: &str) -> bool {
    says(section, key, "accept")
}

fn says(section: &Section, key: &str, word: &str) -> bool {
    let value = section.get(key);
    value.is_some_and(|value| value.eq_ignore_ascii_case(word))
}

fn names(section: &Section, key: &str, zones: &[String]) -> bool {
    let name = section.get(key);
    name.is_some_and(|name| zones.iter().any(|zone| zone == name))
}

/// Those of TCP and UDP that a section is about: both, where it has no `proto`.
fn protocols(section: &Section) -> Vec<Protocol> {
    let any = section.words("proto").is_empty();
    let mut protocols = Vec::new();
    for (protocol, names) in [
        (Protocol::Tcp, ["tcp", "6", "tcpudp"]),
        (Protocol::Udp, ["udp", "17", "tcpudp"]),
    ] {
        if any || speaks(section, &names) {
            protocols.push(protocol);
        }
    }
    protocols
}

/// Whether `proto` names a protocol by one of its names, or excludes others.
fn speaks(section: &Section, protocol: &[&str]) -> bool {
    section.words("proto").iter().any(|word| {
        let word = word.to_ascii_lowercase();
        match word.strip_prefix('!') {
            Some(other) => !protocol.contains(&other),
            None => protocol.contains(&word.as_str()) || ["all", "any", "*"].contains(&&*word),
        }
    })
}

/// What to call a section in a warning: one line, whatever its name is.
fn title(section: &Section) -> String {
    let name = section.get("name").or(section.name()).unwrap_or("unnamed");
    let plain = name.chars().filter(|c| !c.is_control()).take(MAX_NAME);
    quoted(&plain.collect::<String>())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::firewall::{Configuration, Member};
    use crate::map::PortParams;

    /// 4928-4943, 9024-9039, … 62272-62287 hold PSID 0x34.
    fn set() -> PortSet {
        PortSet::new(PortParams::new(4, 8).unwrap(), 0x34).unwrap()
    }

    fn member<'a>(interface: &'a str, device: &'a str) -> Member<'a> {
        Member {
            interface,
            device,
            reported: None,
        }
    }

    fn read(config: &str) -> Opened {
        Opened::read(&Section::parse_all(config), &["wan".into()], set())
    }

    /// Ports of the set that are forwarded or opened.
    fn ports(opened: &Opened) -> PortList {
        let own = PortList::from(set());
        let all = opened.claims.iter();
        all.fold(PortList::EMPTY, |all, claim| {
            all.union(&claim.ports.intersect(&own))
        })
    }

    const DEFAULT: &str = "
config zone
\toption name\t\twan
\tlist   network\t\t'wan'
\tlist   network\t\t'wan6'
\toption input\t\tREJECT
\toption mtu_fix\t\t1
config rule
\toption name\t\tAllow-DHCP-Renew
\toption src\t\twan
\toption proto\t\tudp
\toption dest_port\t68
\toption target\t\tACCEPT
\toption family\t\tipv4
config rule
\toption name\t\tAllow-DHCPv6
\toption src\t\twan
\toption proto\t\tudp
\toption dest_port\t546
\toption family\t\tipv6
\toption target\t\tACCEPT
";

    #[test]
    fn the_configuration_as_shipped_takes_no_port() {
        let opened = read(DEFAULT);
        assert_eq!(ports(&opened), PortList::EMPTY);
        assert!(!opened.ping && opened.warnings.is_empty(), "{opened:?}");
        let config = Configuration::parse(DEFAULT, "");
        assert_eq!(config.zones(member("wan6", "map-wan6")), ["wan"]);
        assert!(config.zones(member("lan", "br-lan")).is_empty());
        let ping = "config rule\noption src wan\noption proto icmp\n\
                    option icmp_type echo-request\noption family ipv4\noption target ACCEPT\n";
        assert!(read(ping).ping);
        assert!(read("config zone\noption name wan\noption input ACCEPT").ping);
    }

    #[test]
    fn a_zone_that_leaves_the_mss_alone() {
        for (more, count) in [("", 1), ("option mtu_fix 0", 1), ("option mtu_fix 1", 0)] {
            let opened = read(&format!("config zone\noption name wan\n{more}\n"));
            assert_eq!(opened.warnings.len(), count, "{opened:?}");
            let says = "zone \"wan\": connections to some sites may hang";
            assert!(
                opened.warnings.iter().all(|w| w.starts_with(says)),
                "{opened:?}"
            );
        }
        assert!(read("config zone\noption name lan\n").warnings.is_empty());
    }

    #[test]
    fn forwards_and_opened_ports_are_found() {
        let forward = |more: &str| {
            let text = format!("config redirect\noption name Game\noption src wan\n{more}\n");
            ports(&read(&text)).to_string()
        };
        assert_eq!(forward("option src_dport 4930\noption dest lan"), "4930");
        assert_eq!(
            forward("option src_dport 4930-4931\nlist proto udp"),
            "4930-4931"
        );
        assert_eq!(
            forward("option src_dport 4900:4929\noption target DNAT"),
            "4928-4929"
        );
        assert_eq!(
            forward("option src_dport 4930\noption proto '!udp'"),
            "4930"
        );
        for none in [
            "option src_dport 4930\noption enabled 0",
            "option src_dport 4930\noption proto icmp",
            "option src_dport 4930\noption target SNAT",
            "option src_dport 4930\noption family ipv6",
            "option src_dport 4930\noption dest_ip fd00::1",
            "option src_dport 4930\noption src lan",
            "option src_dport '4930; drop'",
            "option src_dport 0",
            "option src_dport '!4930'",
        ] {
            assert_eq!(forward(none), "", "{none}");
        }
        let rule = "config rule\noption src '*'\noption target accept\nlist dest_port 9024\n\
                    list dest_port '9030-9031 9039'\nconfig rule\noption src wan\n\
                    option target ACCEPT\noption dest lan\noption dest_port 9033\n";
        assert_eq!(ports(&read(rule)).to_string(), "9024, 9030-9031, 9039");
    }

    #[test]
    fn what_cannot_work_is_said() {
        let text = "config redirect\noption name \"A\nB\"\noption src wan\noption src_dport 25565\n\
                    config redirect 'dmz'\noption src wan\noption dest_ip 10.0.0.2\n";
        let warnings = read(text).warnings;
        assert!(
            warnings[0].starts_with(
                "port forward \"AB\": 25565 can never be reached, the ports of the line are \
                 4928-4943, 9024-9039,"
            ),
            "{}",
            warnings[0]
        );
        assert!(warnings[1].starts_with("port forward \"dmz\": names no src_dport"));
        assert_eq!(warnings.len(), 2);
    }

    const CONFIG: &str = "
config zone
	option name 'wan'
	list network 'wan'
	list network 'wanmap'
config redirect
	option name 'ssh'
	option src 'wan'
	option proto 'tcp'
	option src_dport '4128'
	option dest_ip '192.168.1.10'
	option dest_port '22'
config redirect
	option src 'wan'
	option src_dport '5000-5002'
	option dest_ip '192.168.1.23'
config redirect
	option name 'off'
	option enabled '0'
	option src 'wan'
	option src_dport '6000'
config redirect
	option name 'elsewhere'
	option src 'guest'
	option src_dport '6001'
config redirect
	option name 'snat'
	option target 'SNAT'
	option src 'wan'
	option src_dport '6002'
config rule
	option name 'Allow-VPN'
	option src 'wan'
	option proto 'udp'
	option dest_port '4129 4131'
	option target 'ACCEPT'
config rule
	option name 'into the LAN'
	option src 'wan'
	option dest 'lan'
	option dest_port '1'
	option target 'ACCEPT'
config rule
	option name 'v6'
	option family 'ipv6'
	option src 'wan'
	option dest_port '546'
	option target 'ACCEPT'
";

    fn lines(interface: &str) -> Vec<String> {
        let config = Configuration::parse(CONFIG, "");
        let opened = config.opened(member(interface, "map-x"), Some(set()));
        let line = |f: Forward| {
            let to = f.target(f.ports.last());
            format!("{} {} {} {to}", f.title(), f.protocol.name(), f.ports)
        };
        opened.forwards.into_iter().map(line).collect()
    }

    #[test]
    fn what_is_forwarded_and_opened_is_told_also_outside_the_set() {
        let expected = [
            "forward \"ssh\" tcp 4128 192.168.1.10:22",
            "a forward tcp 5000-5002 192.168.1.23:5002",
            "a forward udp 5000-5002 192.168.1.23:5002",
            "opened port \"Allow-VPN\" udp 4129 router:4129",
            "opened port \"Allow-VPN\" udp 4131 router:4131",
        ];
        assert_eq!(lines("wanmap"), expected);
        assert!(lines("other").is_empty());
    }

    proptest! {
        #[test]
        fn any_configuration_gives_ports_of_the_set(
            text in "(config (rule|redirect|zone)\n|option (src|proto|src_dport|dest_port|target) \
                     ('?[!a-z0-9:-]{0,6}'?|wan|ACCEPT|493[0-9])\n){0,30}"
        ) {
            let opened = read(&text);
            let own = PortList::from(set());
            prop_assert!(opened.claims.iter().all(|claim| claim.ports.minus(&own).is_empty()));
        }
    }
}
