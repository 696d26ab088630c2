// SPDX-License-Identifier: GPL-2.0-or-later
//! What a router's owner, or whoever makes an interface at run time, writes:
//! options, the firewall configuration; and the state file.

use ipnet::Ipv6Net;
use mape::firewall::{Configuration, Member, Section};
use mape::handler::{Protocol, Request, Settings, State};
use mape::map::{PortParams, PortSet};
use mape::nat::{Claim, Kernel, Line, Mode, Outer, Plan, PortList, Timeouts, UpnpWish, Wishes};
use mape::netifd::Config;

use super::{is_a_line, is_said, rules, text};

/// What netifd passes as the last argument, names twice and all.
pub fn config_json(data: &[u8]) {
    let text = text(data);
    let config = match Config::parse(&text) {
        Ok(config) => config,
        Err(error) => return is_said(&error),
    };
    // Of duplicates the last counts: what is appended has the last word.
    if let Some(body) = text.trim().strip_suffix('}') {
        let comma = if body.trim() == "{" { "" } else { "," };
        let more = format!("{body}{comma}\"mtu\":1400,\"mtu\":1401}}");
        let mtu = Config::parse(&more).map(|config| config.number("mtu", 0, 9200));
        assert_eq!(mtu, Ok(Ok(Some(1401))), "{more}");
    }
    for protocol in Protocol::ALL {
        match Settings::new(protocol, "wan4", &config) {
            Ok(settings) => settings_hold(&settings),
            Err(problem) => {
                assert!(problem.fatal);
                is_a_line(&problem.to_string());
            }
        }
    }
}

/// The line and the wishes of options that hold a whole rule.
pub fn line_of(settings: &Settings) -> Option<(Line, Wishes)> {
    let Request::Rules(domain) = &settings.request else {
        return None;
    };
    let prefix = settings.end_user.or("2001:db8:12:3400::/56".parse().ok());
    let mapping = domain.map(&prefix.into_iter().collect::<Vec<_>>()).ok()?;
    rules::mapping_holds(&mapping);
    let line = Line::new(
        "wan4",
        "map-wan4",
        &mapping.into(),
        settings.mesh == Some(true),
    );
    let wishes = Wishes {
        mode: settings.nat,
        timeouts: settings.timeouts,
        reserve: PortList::parse(&settings.reserve.join(" ")).unwrap_or_default(),
        ..Wishes::default()
    };
    Some((line, wishes))
}

fn settings_hold(settings: &Settings) {
    assert!((576..=9200).contains(&settings.mtu.unwrap_or(1460)));
    if let Some(limit) = &settings.encaplimit {
        assert!(limit == "ignore" || limit.parse::<u8>().is_ok());
    }
    // A script may read the file it goes to as shell assignments.
    let plain = |c: char| c.is_ascii_alphanumeric() || ",=:./- ".contains(c);
    assert!(
        settings.rule_text.chars().all(plain),
        "{:?}",
        settings.rule_text
    );
    if let Some((line, wishes)) = line_of(settings) {
        plan_holds(line, wishes);
    }
}

/// `/var/run/mape/<interface>.json`.
pub fn state_file(data: &[u8]) {
    let Ok(state) = State::parse(&text(data)) else {
        return;
    };
    let written = state.to_text().expect("JSON");
    assert_eq!(State::parse(&written).ok(), Some(state), "{written}");
}

/// `/etc/config/firewall`.
pub fn firewall_config(data: &[u8]) {
    let text = text(data);
    let set = port_set(4, 8, 0x34);
    let member = Member {
        interface: "wan6",
        device: "map-wan6",
        reported: None,
    };
    let opened = Configuration::parse(&text, "").opened(member, Some(set));
    let own = PortList::from(set);
    let taken = opened.claims.iter();
    let taken = taken.fold(PortList::EMPTY, |all, claim| all.union(&claim.ports));
    assert!(taken.minus(&own).is_empty(), "{taken}");
    for claim in &opened.claims {
        is_a_line(&claim.title);
    }
    for warning in &opened.warnings {
        is_a_line(warning);
    }
    for forward in &opened.forwards {
        let _ = (forward.title(), forward.target(forward.ports.last()));
        let own = own.overlaps(forward.ports);
        assert!(!own || taken.overlaps(forward.ports), "{forward:?}");
    }
    // Sections do not depend on what stands before them, once a line ends.
    let more = format!("config zone\n\toption name 'a'\n\n{text}");
    let with = Section::parse_all(&more);
    let without = Section::parse_all(&text);
    assert!(with.len() > without.len());
    assert_eq!(
        with.get(with.len() - without.len()..),
        Some(without.as_slice())
    );
}

/// Six bytes of a line, then `option reserve`, a newline, and opened ports.
pub fn rulesets(data: &[u8]) {
    if let Some((line, wishes)) = ruleset_of(data) {
        plan_holds(line, wishes);
    }
}

/// The line and the wishes that an input of [`rulesets`] stands for.
pub fn ruleset_of(data: &[u8]) -> Option<(Line, Wishes)> {
    let (&[offset, len, p0, p1, flags, ip4], rest) = data.split_first_chunk()?;
    // Sets of more ranges take longer than they teach.
    let (offset, len) = (offset % 9, len % 17);
    if offset + len > 16 {
        return None;
    }
    let text = text(rest);
    let (reserve, opened) = text.split_once('\n').unwrap_or((&text, ""));
    let read = |text: &str| match PortList::parse(text) {
        Ok(list) => {
            assert_eq!(PortList::parse(&list.to_string()).as_ref(), Ok(&list));
            list
        }
        Err(error) => {
            is_said(&error);
            PortList::EMPTY
        }
    };
    let psid = u16::from_be_bytes([p0, p1]);
    let mask = ((1u32 << len) - 1) as u16;
    let shared_len = if len > 0 { 32 } else { 24 + ip4 % 9 };
    let net = ipnet::Ipv4Net::new([192, 0, 2, ip4].into(), shared_len).expect("at most 32");
    let sources: Vec<Ipv6Net> = [
        "2001:db8:ffff::1/128",
        "2001:db8::/40",
        "2001:db8:ff00::/40",
    ]
    .iter()
    .take(usize::from(flags >> 6))
    .map(|net| net.parse().expect("a prefix"))
    .collect();
    let line = Line {
        interface: "wan4".into(),
        device: "map-wan4".into(),
        ipv4: net,
        ports: Some(port_set(offset, len, psid & mask)),
        outer: (!sources.is_empty()).then(|| Outer {
            ce: "2001:db8::1".parse().expect("an address"),
            sources,
        }),
    };
    let mode = [Mode::Auto, Mode::Pool, Mode::Hash, Mode::Auto][usize::from(flags & 3)];
    let timeouts = [Timeouts::Normal, Timeouts::Tight][usize::from(flags >> 2 & 1)];
    let upnp = match flags >> 3 & 7 {
        7 => UpnpWish::Count(ip4.into()),
        _ => UpnpWish::Nothing,
    };
    let wishes = Wishes {
        mode,
        reserve: read(reserve),
        opened: vec![Claim {
            title: "port forward".into(),
            ports: read(opened),
        }],
        upnp,
        ping: false,
        timeouts,
        redirected: flags >> 5 & 1 == 1,
    };
    Some((line, wishes))
}

fn port_set(offset: u8, len: u8, psid: u16) -> PortSet {
    PortSet::new(PortParams::new(offset, len).expect("at most 16"), psid).expect("fits")
}

fn plan_holds(line: Line, wishes: Wishes) {
    let set = line.ports.map(PortList::from).unwrap_or_default();
    let plan = match Plan::new(line, &wishes, &Kernel::full()) {
        Ok(plan) => plan,
        Err(error) => return is_said(&error),
    };
    assert!(plan.free().intersect(plan.passing()).is_empty());
    assert!(plan.free().union(plan.passing()).minus(&set).is_empty());
    assert!(!plan.free().is_empty());
    assert!(plan.upnp().minus(plan.passing()).is_empty());
    let asked = wishes
        .opened
        .iter()
        .fold(wishes.reserve, |all, claim| all.union(&claim.ports));
    let beside = plan.passing().minus(plan.upnp());
    assert!(beside.minus(&asked).is_empty());
    let all_given = asked.intersect(&set).minus(plan.passing()).is_empty();
    assert!(all_given || !plan.warnings().is_empty());
    for warning in plan.warnings() {
        is_a_line(warning);
    }
    is_a_line(plan.reason());
    ruleset_is_plain(&plan.combined());
    for port in plan.passing().ports().take(64) {
        assert_eq!(
            plan.port_of(port),
            Some(port),
            "a number that means two things"
        );
    }
}

/// Names stand in quotes or are part of a table's name, and every bracket and
/// quote that opens closes.
pub(super) fn ruleset_is_plain(text: &str) {
    let mut depth = 0i32;
    for line in text.lines() {
        for (at, part) in line.split('"').enumerate() {
            let quoted = at % 2 == 1;
            let also = if quoted {
                " _.:@-"
            } else {
                " \t{}_.:;,=&|<>!@+-/"
            };
            let plain = |c: char| c.is_ascii_alphanumeric() || also.contains(c);
            assert!(part.chars().all(plain), "{line}");
            if !quoted {
                let bare = part.replace("mape_wan4", "");
                assert!(!bare.contains("wan4"), "{line}");
                depth += part.matches('{').count() as i32 - part.matches('}').count() as i32;
            }
        }
        assert!(line.split('"').count() % 2 == 1, "{line}");
        assert!(depth >= 0, "{line}");
    }
    assert_eq!(depth, 0);
}
