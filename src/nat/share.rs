// SPDX-License-Identifier: GPL-2.0-or-later
//! Which ports of the set reach their target under their own number, and which
//! are left to address translation.
//!
//! What is reserved, forwarded and opened comes first, but never takes so much
//! that nothing can go out: a forward of every port, as a DMZ host has it on
//! other routers, means the ports that nobody else needs.

use super::error::brief;
use super::ports::PortList;
use crate::map::PortRange;

/// Ports that one entry of the configuration asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claim {
    /// What to call the entry in a sentence: `port forward "Game"`.
    pub title: String,
    /// The ports it names; those outside the set are ignored.
    pub ports: PortList,
}

/// What miniupnpd, which opens ports when programs ask for them, is to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum UpnpWish {
    /// Nothing.
    #[default]
    Nothing,
    /// These ports, which its configuration names.
    Named(PortList),
    /// So many, whichever nobody else asks for.
    Count(u16),
}

/// The set, divided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Share {
    /// Ports that pass with their own number.
    pub(super) passing: PortList,
    /// Those of them that miniupnpd may hand out.
    pub(super) upnp: PortList,
    /// Ports that outgoing connections may take.
    pub(super) free: PortList,
    /// What could not be given, a sentence each.
    pub(super) warnings: Vec<String>,
}

/// What to call the ports of miniupnpd in a sentence.
const UPNP: &str = "UPnP";

/// Least number of ports that address translation keeps if a set has them.
const FEWEST: u32 = 16;

impl Share {
    /// Divides `set`: first what is reserved, then the claims, the smallest
    /// first, then UPnP. One that would leave too little gets only a part of
    /// its ports.
    pub(super) fn new(
        set: &PortList,
        reserve: &PortList,
        claims: &[Claim],
        upnp: &UpnpWish,
    ) -> Self {
        let zero = PortList::of(vec![PortRange::only(0)]);
        let mut share = Share {
            passing: PortList::EMPTY,
            upnp: PortList::EMPTY,
            free: set.minus(&zero),
            warnings: Vec::new(),
        };
        let foreign = reserve.minus(set);
        if !foreign.is_empty() {
            share.warnings.push(format!(
                "reserve {}: not among the ports of this line ({}), without effect",
                brief(&foreign),
                brief(set)
            ));
        }
        share.give("reserve", reserve);
        let mut claims: Vec<&Claim> = claims.iter().collect();
        claims.sort_by_key(|claim| claim.ports.intersect(set).count());
        for claim in claims {
            share.give(&claim.title, &claim.ports);
        }
        // The last ports, since people are offered the first ones to forward: a
        // new forward should not move these.
        share.upnp = match upnp {
            UpnpWish::Nothing => PortList::EMPTY,
            UpnpWish::Named(ports) => share.give(UPNP, ports),
            UpnpWish::Count(count) => share.give(UPNP, &share.free.last((*count).into())),
        };
        share
    }

    /// What a line without ports of its own can give: nothing.
    pub(super) fn without_ports(reserve: &PortList, claims: &[Claim]) -> Self {
        let reserve = (!reserve.is_empty()).then_some("reserve");
        let titles = claims.iter().map(|claim| claim.title.as_str());
        let refusal = |title| {
            format!(
                "{title}: without effect, since with DS-Lite no port of a public IPv4 address is \
                 ours; use IPv6"
            )
        };
        Share {
            warnings: reserve.into_iter().chain(titles).map(refusal).collect(),
            ..Share::default()
        }
    }

    /// Takes `ports` out of what is free, or as many of them as can be
    /// spared. Returns them. A port that passes does so for every protocol, so
    /// entries for TCP and for UDP can have the same one.
    fn give(&mut self, title: &str, ports: &PortList) -> PortList {
        let wanted = ports.intersect(&self.free.union(&self.passing));
        let whole = self.free.count() + self.passing.count();
        // An entry that names nearly everything does not mean each port.
        let kept = match wanted.count() > whole / 2 {
            true => whole / 2,
            false => whole / 8,
        };
        let kept = kept.max(FEWEST).min(whole.div_ceil(2));
        let most = self.free.count().saturating_sub(kept);
        let given = wanted.intersect(&self.free).first(most);
        self.free = self.free.minus(&given);
        self.passing = self.passing.union(&given);
        let has = wanted.intersect(&self.passing);
        if has != wanted {
            self.warnings.push(format!(
                "{title}: asks for {} of the {whole} ports of this line, but outgoing \
                 connections need some; it has {}",
                wanted.count(),
                match has.is_empty() {
                    true => "none".into(),
                    false => brief(&has),
                }
            ));
        }
        given
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(text: &str) -> PortList {
        text.parse().unwrap()
    }

    fn claim(ports: &str) -> Claim {
        Claim {
            title: format!("port forward {ports}"),
            ports: list(ports),
        }
    }

    /// 240 ports.
    const SET: &str = "4928-4943 9024-9039 13120-13135 17216-17231 21312-21327 25408-25423 \
        29504-29519 33600-33615 37696-37711 41792-41807 45888-45903 49984-49999 54080-54095 \
        58176-58191 62272-62287";

    #[test]
    fn who_asks_for_little_gets_it() {
        let share = Share::new(
            &list(SET),
            &list("4928"),
            &[claim("9024-9030"), claim("22")],
            &UpnpWish::Nothing,
        );
        assert_eq!(share.passing, list("4928 9024-9030"));
        assert_eq!(share.free.count(), 232);
        assert!(share.warnings.is_empty(), "{:?}", share.warnings);
    }

    #[test]
    fn a_forward_of_everything_means_what_nobody_else_needs() {
        let claims = [claim("1-65535"), claim("62280")];
        let share = Share::new(&list(SET), &PortList::EMPTY, &claims, &UpnpWish::Nothing);
        assert_eq!(share.free.count(), 120);
        assert!(share.passing.contains(62280), "the small one comes first");
        assert_eq!(share.warnings.len(), 1);
        let warning = &share.warnings[0];
        let begin = "port forward 1-65535: asks for 240 of the 240 ports of this line, but";
        assert!(warning.starts_with(begin), "{warning}");
    }

    /// As people make one for TCP and one for UDP.
    #[test]
    fn two_forwards_of_everything_take_no_more_than_one() {
        let claims = [claim("1-65535"), claim("1024-65535"), claim("62280")];
        let share = Share::new(&list(SET), &PortList::EMPTY, &claims, &UpnpWish::Nothing);
        assert_eq!(share.free.count(), 120);
        assert_eq!(share.warnings.len(), 2);
        let both = share
            .warnings
            .iter()
            .map(|text| text.split("; it has ").nth(1));
        let both: Vec<_> = both.collect();
        assert!(both[0].is_some() && both[0] == both[1], "{both:?}");
    }

    #[test]
    fn a_reservation_for_another_prefix_has_no_effect() {
        let share = Share::new(&list(SET), &list("5472-5487"), &[], &UpnpWish::Nothing);
        assert_eq!((share.passing.count(), share.free.count()), (0, 240));
        assert!(share.warnings[0].starts_with("reserve 5472-5487: not among"));
    }

    #[test]
    fn many_small_ones_leave_some_too() {
        let claims: Vec<Claim> = list(SET).ranges().map(|r| claim(&r.to_string())).collect();
        let share = Share::new(&list(SET), &PortList::EMPTY, &claims, &UpnpWish::Nothing);
        assert_eq!(share.free.count(), 30);
        // The second-last is cut, the last has nothing.
        assert_eq!(share.warnings.len(), 2, "{:?}", share.warnings);
        assert!(share.warnings[1].ends_with("it has none"));
    }

    #[test]
    fn upnp_gets_the_last_ports_that_nobody_else_has() {
        let share = |claims: &[Claim], upnp: &UpnpWish| {
            Share::new(&list(SET), &PortList::EMPTY, claims, upnp)
        };
        let sixteen = UpnpWish::Count(16);
        assert_eq!(share(&[], &sixteen).upnp, list("62272-62287"));
        let beside = share(&[claim("4928"), claim("62280")], &sixteen);
        assert_eq!(beside.upnp, list("58191 62272-62279 62281-62287"));
        assert_eq!(beside.passing.count(), 18);
        let named = UpnpWish::Named(list("80 4930-4931"));
        assert_eq!(share(&[claim("4931")], &named).upnp, list("4930"));
        let greedy = share(&[], &UpnpWish::Count(u16::MAX));
        assert_eq!(greedy.upnp.count(), 120);
        let says = "UPnP: asks for 240 of the 240 ports of this line, but outgoing connections";
        assert!(
            greedy.warnings[0].starts_with(says),
            "{:?}",
            greedy.warnings
        );
    }

    proptest! {
        #[test]
        fn something_is_always_left(
            set in proptest::collection::vec((1u16.., 0u16..400), 1..5),
            claims in proptest::collection::vec((1u16.., any::<u16>()), 0..6),
            reserve in (1u16.., any::<u16>()),
            upnp in any::<u16>(),
        ) {
            let range = |(first, more): (u16, u16)| {
                PortRange::new(first, first.saturating_add(more))
            };
            let set: PortList = set.into_iter().filter_map(range).collect();
            let claims: Vec<Claim> = claims
                .into_iter()
                .map(|r| Claim { title: "x".into(), ports: range(r).into_iter().collect() })
                .collect();
            let reserve: PortList = range(reserve).into_iter().collect();
            let share = Share::new(&set, &reserve, &claims, &UpnpWish::Count(upnp));
            prop_assert!(share.free.count() >= (set.count() / 8).max(1));
            prop_assert_eq!(share.free.union(&share.passing), set.clone());
            prop_assert!(share.free.intersect(&share.passing).is_empty());
            prop_assert!(share.upnp.minus(&share.passing).is_empty());
        }
    }
}
