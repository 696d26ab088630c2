// SPDX-License-Identifier: GPL-2.0-or-later
//! The scenarios on the real ubusd, netifd, uci and firewall4, and next to them what the double
//! showed. `make test-netifd NETIFD_PREFIX=dir`; docs/testing.md says what `dir` is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod double;
mod odhcp6c;
#[path = "scenarios/on_double.rs"]
mod on_double;
#[path = "scenarios/on_netifd.rs"]
mod on_netifd;
mod program;
mod scenarios;

use on_netifd::Netifd;
use scenarios::{Line, Router, SCENARIOS, Scenario, Stage};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

const NO_PREFIX: &str = "NETIFD_PREFIX names no root folder with OpenWrt's daemons";

/// Tells a scenario to the real daemons.
fn tell(scenario: &Scenario, prefix: PathBuf, number: usize) -> Result<Vec<String>, String> {
    let run = scenario.run;
    let thread = std::thread::spawn(move || {
        let mut router = Netifd::start(&prefix, number);
        let mut stage = Stage::new(&mut router);
        run(&mut stage);
        stage.notes
    });
    thread.join().map_err(|panic| scenarios::message(&*panic))
}

/// Prints what differs, and counts it.
fn compare(real: &[String], double: &[String]) -> usize {
    let mut differences = 0;
    for step in 0..real.len().max(double.len()) {
        let (real, double) = (real.get(step), double.get(step));
        if real == double {
            println!("    {}", real.unwrap());
        } else {
            differences += 1;
            let text = |note: Option<&String>| note.map_or("nothing", String::as_str).to_owned();
            println!("  ! netifd: {}\n    double: {}", text(real), text(double));
        }
    }
    differences
}

#[test]
#[ignore = "needs OpenWrt's daemons: make test-netifd NETIFD_PREFIX=dir"]
fn every_scenario_ends_well_on_netifd_and_as_on_the_double() {
    let prefix = on_netifd::prefix().expect(NO_PREFIX);
    assert!(nix::unistd::geteuid().is_root(), "namespaces need root");
    println!("netifd: {}", about(&prefix));
    let only = std::env::var("SCENARIO").unwrap_or_default();
    let mut wrong = Vec::new();
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        if !scenario.name.contains(&only) {
            continue;
        }
        println!("{}", scenario.name);
        match (
            tell(scenario, prefix.clone(), number),
            on_double::tell(scenario),
        ) {
            (Ok(real), Ok(double)) => {
                if compare(&real, &double) > 0 {
                    wrong.push(format!("{}: the double differs", scenario.name));
                }
            }
            (Err(why), _) => {
                println!("  ! netifd: {why}");
                wrong.push(format!("{}: failed on netifd", scenario.name));
            }
            (_, Err(why)) => {
                println!("  ! double: {why}");
                wrong.push(format!("{}: failed on the double", scenario.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const WAN6: Line = Line {
    interface: "wan6",
    device: "wan",
    address: "2001:db8:ffff::2",
    gateway: "2001:db8:ffff::1",
};

/// Waits for something that hotplug does after netifd has answered.
fn eventually(what: &str, router: &Netifd, mut is_so: impl FnMut() -> bool) {
    for _ in 0..900 {
        if is_so() {
            return;
        }
        sleep(Duration::from_millis(100));
    }
    panic!(
        "waited in vain until {what}\n{}",
        router.run(&["nft", "list", "ruleset"])
    );
}

#[test]
#[ignore = "needs OpenWrt's daemons: make test-netifd NETIFD_PREFIX=dir"]
fn the_firewall_has_the_tunnel_in_its_zone_and_our_rules_outlive_it() {
    let prefix = on_netifd::prefix().expect(NO_PREFIX);
    let mut router = Netifd::start(&prefix, 100);
    router.line_gives(WAN6, Some("240b:10:1:200::/56"));
    router.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    let tables =
        |router: &Netifd| scenarios::tables_of("wanmap", &router.run(&["nft", "list", "tables"]));
    eventually("the rules are loaded", &router, || {
        !tables(&router).is_empty()
    });
    let loaded = tables(&router);

    eventually("the tunnel is in the zone of its uplink", &router, || {
        router.run(&["fw4", "-q", "network", "wanmap"]) == "wan\n"
            && router.run(&["fw4", "-q", "zone", "wan", "map-wanmap"]) == "map-wanmap\n"
    });
    let input = router.run(&["nft", "list", "chain", "inet", "fw4", "input"]);
    let from_br = input
        .lines()
        .find(|line| line.contains("2404:9200:225:100::64"));
    let from_br =
        from_br.unwrap_or_else(|| panic!("tunnel packets of the BR are not let in:\n{input}"));
    for part in [
        "iifname \"wan\"",
        "ipencap",
        "240b:10:1:200:6a:4800:100:200",
        "accept",
    ] {
        assert!(from_br.contains(part), "{part} is not in: {from_br}");
    }

    // Events that come late look for missing rules, too.
    router.settle();
    for action in ["reload", "restart"] {
        router.run(&["fw4", "-q", action]);
        assert_eq!(tables(&router), loaded, "after fw4 {action}");
    }
    router.run(&["fw4", "-q", "flush"]);
    assert_eq!(
        tables(&router),
        <[String; 0]>::default(),
        "fw4 flush takes everything"
    );
    router.run(&["fw4", "-q", "start"]);
    assert_eq!(tables(&router), loaded, "after a start of the firewall");

    router.ifdown("wanmap");
    eventually("ifdown takes the rules away", &router, || {
        tables(&router).is_empty()
    });
    router.run(&["fw4", "-q", "reload"]);
    assert_eq!(
        tables(&router),
        <[String; 0]>::default(),
        "a reload brings nothing back"
    );
}

/// How many other interfaces there are decides where netifd's memory lies, and so whether a use of
/// what it has freed shows.
#[test]
#[ignore = "needs OpenWrt's daemons: make test-netifd NETIFD_PREFIX=dir"]
fn netifd_survives_its_uplink_beside_any_number_of_interfaces() {
    let prefix = on_netifd::prefix().expect(NO_PREFIX);
    for others in 3..=12 {
        let mut router = Netifd::start(&prefix, 200 + others);
        for number in 0..others {
            router.configure(&format!("spare{number}"), "none", &[]);
        }
        router.line_gives(WAN6, Some("240b:10:1:200::/56"));
        router.configure("wanmap", "mape", &[("tunlink", "wan6")]);
        for _ in 0..20 {
            router.ifdown("wan6");
            router.ifup("wan6");
            router.line_gives(WAN6, Some("240b:10:1:200::/56"));
            router.line_lost(WAN6);
            router.line_gives(WAN6, Some("240b:10:1:300::/56"));
            router.line_gives(WAN6, Some("240b:10:1:200::/56"));
            assert_eq!(router.crash(), None, "{others}: {}", router.story());
        }
        let mut stage = Stage::new(&mut router);
        stage.until("wanmap", "it is up in the end", |seen| {
            seen.up && seen.ce == ["240b:10:1:200:6a:4800:100:200"]
        });
        println!("beside {others} interfaces: the same netifd");
    }
}

#[test]
#[ignore = "needs OpenWrt's daemons: make test-netifd NETIFD_PREFIX=dir"]
fn what_a_killed_netifd_had_set_up() {
    let prefix = on_netifd::prefix().expect(NO_PREFIX);
    let mut router = Netifd::start(&prefix, 300);
    router.line_gives(WAN6, Some("240b:10:1:200::/56"));
    router.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    let is_up = |seen: &scenarios::Seen| seen.up && !seen.tables.is_empty();
    Stage::new(&mut router).until("wanmap", "it is up", is_up);
    // The prefix is gone when netifd is back.
    router.replace_netifd(&[]);
    router.line_gives(WAN6, None);
    Stage::new(&mut router).until("wanmap", "nothing leaves without a prefix", |seen| {
        !seen.up && seen.tables.is_empty() && !seen.default_route
    });
    router.line_gives(WAN6, Some("240b:10:1:300::/56"));
    Stage::new(&mut router).until("wanmap", "it is up with another prefix", |seen| {
        seen.up && seen.ce == ["240b:10:1:300:6a:4800:100:300"]
    });
    // The section is.
    router.replace_netifd(&["wanmap"]);
    router.line_gives(WAN6, Some("240b:10:1:300::/56"));
    Stage::new(&mut router).until("wanmap", "nothing of it is left", |seen| {
        !seen.up && seen.tunnel.is_none() && seen.tables.is_empty()
    });
    eventually("its record is gone", &router, || {
        router.file("var/run/mape/wanmap.json").is_none()
    });
}

#[test]
#[ignore = "needs OpenWrt's daemons: make test-netifd NETIFD_PREFIX=dir"]
fn the_process_beside_a_link_ends_with_its_netifd() {
    let prefix = on_netifd::prefix().expect(NO_PREFIX);
    let mut router = Netifd::start(&prefix, 400);
    router.line_gives(WAN6, Some("240b:10:1:200::/56"));
    let options = [
        ("tunlink", "wan6"),
        ("maptype", "ipip"),
        ("peeraddr", "2001:db8:ffff::101"),
        ("ipaddr", "203.0.113.8"),
        ("interfaceid", "::feed"),
        ("update_url", "http://[2001:db8::1]/"),
    ];
    router.configure("wanmap", "mape", &options);
    let first = Stage::new(&mut router).supervised_process("wanmap", None);
    router.replace_netifd(&[]);
    router.line_gives(WAN6, Some("240b:10:1:200::/56"));
    let place = format!("/proc/{first}/cmdline");
    eventually("the old process has ended", &router, || {
        !Path::new(&place).exists()
    });
    Stage::new(&mut router).supervised_process("wanmap", Some(first));
    Stage::new(&mut router).until("wanmap", "it is up again", |seen| seen.up);
}

/// Which netifd it is, and whether its tunnels are real.
fn about(prefix: &Path) -> String {
    match on_netifd::which_netifd(prefix) {
        "netifd" => format!("{}, with the kernel's own tunnels", prefix.display()),
        other => format!(
            "{}, as {other}: this kernel has no ip6_tunnel, another kind of device stands in \
             and carries no traffic",
            prefix.display()
        ),
    }
}
