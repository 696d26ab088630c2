// SPDX-License-Identifier: GPL-2.0-or-later
//! Sections of `/etc/config/upnpd` that are ours: they have miniupnpd refuse
//! what can never be reached. They come first and only refuse, so whatever else
//! the configuration says stays in force for the ports that are left.

use std::fmt::Write as _;

use crate::map::PortRange;
use crate::nat::PortList;

use super::uci::Section;

/// Begin of the names of our sections.
const NAME: &str = "mape_upnp_";

/// Type of the sections.
const KIND: &str = "perm_rule";

/// What each of our sections says beside its ports.
const COMMENT: &str = "mape: not for UPnP on this line";

/// Our sections as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Refusals {
    /// Name and ports of each, in the order of the file. No ports are those of
    /// a section that somebody has changed.
    sections: Vec<(String, String)>,
    /// No other rule comes before the last of them.
    are_first: bool,
}

impl Refusals {
    pub(super) fn read(sections: &[Section]) -> Self {
        let rules = sections.iter().filter(|section| section.kind() == KIND);
        let is_ours =
            |section: &&Section| section.name().is_some_and(|name| name.starts_with(NAME));
        let ours: Vec<_> = rules.clone().filter(is_ours).collect();
        Refusals {
            are_first: rules.take(ours.len()).all(|section| is_ours(&section)),
            sections: ours.into_iter().map(name_and_ports).collect(),
        }
    }

    /// See [`super::Miniupnpd::correction`].
    pub(super) fn correction(&self, share: Option<&PortList>) -> Option<String> {
        let all = PortList::of(vec![PortRange::ALL]);
        let refused = share.map(|share| all.minus(share)).unwrap_or_default();
        let wanted: Vec<String> = refused.ranges().map(|range| range.to_string()).collect();
        let found = self.sections.iter().map(|(_, ports)| ports);
        if self.are_first && found.eq(&wanted) {
            return None;
        }
        let mut commands = String::new();
        for (name, _) in &self.sections {
            commands += &format!("delete upnpd.{name}\n");
        }
        // Each moves to the first place: the last one first.
        for (number, ports) in (1..).zip(&wanted).collect::<Vec<_>>().into_iter().rev() {
            let section = format!("upnpd.{NAME}{number}");
            // Writing to a String does not fail.
            let _ = write!(
                commands,
                "set {section}={KIND}\n\
                 set {section}.action=deny\n\
                 set {section}.ext_ports={ports}\n\
                 set {section}.comment=\"{COMMENT}\"\n\
                 reorder {section}=0\n"
            );
        }
        commands += "commit upnpd\n";
        Some(commands)
    }
}

fn name_and_ports(section: &Section) -> (String, String) {
    let text = |key| section.get(key).unwrap_or_default();
    let for_all = text("int_addr").is_empty() && text("int_ports").is_empty();
    let ports = match for_all && text("action") == "deny" {
        true => text("ext_ports"),
        false => "",
    };
    (section.name().unwrap_or_default().into(), ports.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = "config upnpd config\n\toption enabled 1\n\
        config perm_rule\n\toption action allow\n\toption ext_ports 1024-65535\n";

    fn correction(config: &str, share: Option<&str>) -> Option<String> {
        let refusals = Refusals::read(&Section::parse_all(config));
        let share = share.map(|ports| ports.parse::<PortList>().unwrap());
        refusals.correction(share.as_ref())
    }

    #[test]
    fn what_is_not_in_the_share_is_refused_first() {
        let commands = correction(SHIPPED, Some("62272-62287")).unwrap();
        let expected = "\
set upnpd.mape_upnp_2=perm_rule
set upnpd.mape_upnp_2.action=deny
set upnpd.mape_upnp_2.ext_ports=62288-65535
set upnpd.mape_upnp_2.comment=\"mape: not for UPnP on this line\"
reorder upnpd.mape_upnp_2=0
set upnpd.mape_upnp_1=perm_rule
set upnpd.mape_upnp_1.action=deny
set upnpd.mape_upnp_1.ext_ports=0-62271
set upnpd.mape_upnp_1.comment=\"mape: not for UPnP on this line\"
reorder upnpd.mape_upnp_1=0
commit upnpd
";
        assert_eq!(commands, expected);
        assert_eq!(correction(SHIPPED, None), None);
        let nothing = correction(SHIPPED, Some("")).unwrap();
        assert!(nothing.contains(".ext_ports=0-65535\n"), "{nothing}");
    }

    /// As `uci` writes it after the commands above.
    const CORRECTED: &str = "
config upnpd 'config'
	option enabled '1'

config perm_rule 'mape_upnp_1'
	option action 'deny'
	option ext_ports '0-62271'
	option comment 'mape: not for UPnP on this line'

config perm_rule 'mape_upnp_2'
	option action 'deny'
	option ext_ports '62288-65535'
	option comment 'mape: not for UPnP on this line'

config perm_rule
	option action 'allow'
	option ext_ports '1024-65535'
";

    #[test]
    fn what_is_right_stays_and_what_is_not_is_written_again() {
        let share = Some("62272-62287");
        assert_eq!(correction(CORRECTED, share), None);
        let gone = "delete upnpd.mape_upnp_1\ndelete upnpd.mape_upnp_2\n";
        let removal = format!("{gone}commit upnpd\n");
        assert_eq!(correction(CORRECTED, None), Some(removal));
        let renumbered = correction(CORRECTED, Some("61472-61487")).unwrap();
        assert!(renumbered.starts_with(gone) && renumbered.contains("=0-61471\n"));
        for (what, other) in [
            ("'deny'", "'allow'"),
            ("62288-65535", "62288-65534"),
            (
                "option comment",
                "option int_addr 192.168.1.9\n\toption comment",
            ),
            (
                "config perm_rule 'mape_upnp_2'",
                "config perm_rule\nconfig perm_rule 'mape_upnp_2'",
            ),
        ] {
            let changed = CORRECTED.replacen(what, other, 1);
            let again = correction(&changed, share);
            assert!(again.is_some_and(|it| it.starts_with(gone)), "{what}");
        }
    }
}
