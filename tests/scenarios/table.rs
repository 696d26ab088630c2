// SPDX-License-Identifier: GPL-2.0-or-later
//! The scenarios.

use super::deaths;
use super::softwires::{ds_lite, fixed_address, supervised, two_mechanisms, unresolved};
use super::subscriber::{
    BR, OTHER_CE, OTHER_PREFIX, PREFIX, WAN6, WAN7, brought_up, is_gone, is_up, is_up_elsewhere,
    is_without_uplink, leaves_nothing, two_lines, waits,
};
use super::{Scenario, Seen, Stage};
use serde_json::json;

pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "setup and ifdown",
        run: setup_and_ifdown,
    },
    Scenario {
        name: "an existing configuration of proto map",
        run: existing_configuration,
    },
    Scenario {
        name: "the prefix comes late",
        run: late_prefix,
    },
    Scenario {
        name: "the prefix changes",
        run: changed_prefix,
    },
    Scenario {
        name: "nothing changes at a renew",
        run: renew,
    },
    Scenario {
        name: "the tunnel's address is taken away",
        run: lost_address,
    },
    Scenario {
        name: "the uplink is not there at first, goes and comes",
        run: uplink_comes_and_goes,
    },
    Scenario {
        name: "the kernel refuses the tunnel",
        run: refused_tunnel,
    },
    Scenario {
        name: "a configuration that can never work",
        run: blocked,
    },
    Scenario {
        name: "a correction counts at once",
        run: corrected,
    },
    Scenario {
        name: "ports reserved for another prefix",
        run: reserved_elsewhere,
    },
    Scenario {
        name: "a second interface on the same line",
        run: second_on_one_line,
    },
    Scenario {
        name: "DHCPv6 brings the rules",
        run: dhcpv6,
    },
    Scenario {
        name: "DHCPv6 brings other rules",
        run: dhcpv6_changes,
    },
    Scenario {
        name: "two interfaces on two lines",
        run: two_interfaces,
    },
    Scenario {
        name: "DS-Lite with an AFTR of the configuration",
        run: ds_lite,
    },
    Scenario {
        name: "a fixed address over IPIP",
        run: fixed_address,
    },
    Scenario {
        name: "the process of a fixed address stands still, is killed, ends",
        run: supervised,
    },
    Scenario {
        name: "an AFTR's name that does not resolve, then a MAP-E line",
        run: unresolved,
    },
    Scenario {
        name: "MAP-E and DS-Lite side by side",
        run: two_mechanisms,
    },
    Scenario {
        name: "a package upgrade while up",
        run: upgrade,
    },
    Scenario {
        name: "a setup that waits is killed",
        run: deaths::waiting_setup,
    },
    Scenario {
        name: "setups are killed",
        run: deaths::setups,
    },
    Scenario {
        name: "a setup is killed when it has its link",
        run: deaths::setup_with_a_link,
    },
    Scenario {
        name: "no event tells of what died",
        run: deaths::unheard,
    },
    Scenario {
        name: "renewals are killed",
        run: deaths::renewals,
    },
    Scenario {
        name: "teardowns are killed",
        run: deaths::teardowns,
    },
    Scenario {
        name: "a setup is killed while the uplink goes",
        run: deaths::with_the_uplink,
    },
    Scenario {
        name: "nft fails",
        run: deaths::failing_nft,
    },
    Scenario {
        name: "nft hangs",
        run: deaths::hanging_nft,
    },
    Scenario {
        name: "the device is deleted",
        run: deaths::lost_device,
    },
    Scenario {
        name: "forwards of all ports",
        run: deaths::forwards_of_everything,
    },
    Scenario {
        name: "an address that nobody gave",
        run: deaths::address_of_nobody,
    },
    Scenario {
        name: "the prefix changes during a setup",
        run: deaths::prefix_during_a_setup,
    },
    Scenario {
        name: "the prefix changes 21 times at once",
        run: deaths::many_prefixes,
    },
    Scenario {
        name: "errors do not pile up",
        run: deaths::many_errors,
    },
    Scenario {
        name: "ubusd is restarted",
        run: deaths::another_ubusd,
    },
];

/// As a user of the stock package would have written it.
const EXPLICIT: &[(&str, &str)] = &[
    ("maptype", "map-e"),
    ("legacymap", "1"),
    ("tunlink", "wan6"),
    ("peeraddr", BR),
    ("ipaddr", "106.72.0.0"),
    ("ip4prefixlen", "15"),
    ("ip6prefix", "240b:10::"),
    ("ip6prefixlen", "31"),
    ("ealen", "25"),
    ("psidlen", "8"),
    ("offset", "4"),
    ("mtu", "1460"),
    ("encaplimit", "ignore"),
];

fn setup_and_ifdown(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    two_lines(stage);
    stage.until(
        "wanmap",
        "with two lines of configuration IPv4 is up",
        is_up,
    );
    stage.called("wanmap", "setup", 1..=1);
    stage.router.ifdown("wanmap");
    stage.until("wanmap", "ifdown leaves nothing", is_gone);
    stage.router.ifup("wanmap");
    stage.until("wanmap", "it comes up again", is_up);
    stage.called("wanmap", "setup", 2..=2);
}

fn existing_configuration(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.router.configure("wanmap", "map", EXPLICIT);
    stage.until("wanmap", "an existing configuration works as it is", is_up);
    stage.router.ifdown("wanmap");
    stage.until("wanmap", "ifdown leaves nothing", is_gone);
}

fn late_prefix(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, None);
    two_lines(stage);
    stage.until("wanmap", "without a prefix the user reads why", |seen| {
        waits(seen) && seen.errors.len() == 1
    });
    stage.still("wanmap", "it waits and does not spin", waits);
    stage.called("wanmap", "setup", 1..=2);
    stage.router.line_gives(WAN6, Some("240b:10:1::/48"));
    stage.until("wanmap", "one that is too short is named", |seen| {
        let what = "240b:10:1::/48 is too short: rule 240b:10::/31 needs /56";
        waits(seen) && seen.errors == ["NO_MATCHING_PD"] && seen.details[0].contains(what)
    });
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.until("wanmap", "the prefix came", is_up);
}

fn changed_prefix(stage: &mut Stage<'_>) {
    brought_up(stage);
    stage.router.line_gives(WAN6, Some(OTHER_PREFIX));
    stage.until("wanmap", "it follows the new prefix", is_up_elsewhere);
    stage.still("wanmap", "it stays there", is_up_elsewhere);
    stage.called("wanmap", "setup", 2..=2);
    stage.router.line_gives(WAN6, None);
    stage.until("wanmap", "without a prefix it goes down", |seen| {
        waits(seen) && leaves_nothing(seen) && !seen.errors.is_empty()
    });
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.until("wanmap", "and back it comes", is_up);
}

fn renew(stage: &mut Stage<'_>) {
    brought_up(stage);
    for _ in 0..3 {
        stage.router.renew("wanmap");
    }
    stage.still("wanmap", "it was left alone", is_up);
    stage.called("wanmap", "setup", 1..=1);
    stage.called("wanmap", "teardown", 0..=0);
}

/// What an uplink does that goes and comes where netifd does not watch it for us.
fn lost_address(stage: &mut Stage<'_>) {
    brought_up(stage);
    // What hotplug does at the setup's own events is done by then: it would
    // bring the address back.
    stage.still("wanmap", "it stays up", is_up);
    stage.router.ifdown("wanmap_");
    stage.until("wanmap", "netifd does not notice", |seen| {
        seen.up && seen.ce.is_empty()
    });
    stage.router.renew("wanmap");
    stage.until("wanmap", "a renewal does, and brings it back", is_up);
    stage.called("wanmap", "setup", 2..=2);
}

fn uplink_comes_and_goes(stage: &mut Stage<'_>) {
    two_lines(stage);
    stage.still("wanmap", "without an uplink it waits", waits);
    stage.called("wanmap", "setup", 0..=2);
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.until("wanmap", "the uplink came", is_up);
    stage.router.line_lost(WAN6);
    stage.until(
        "wanmap",
        "with the uplink everything goes",
        is_without_uplink,
    );
    stage.router.line_gives(WAN6, Some(OTHER_PREFIX));
    stage.until(
        "wanmap",
        "the uplink is back, with another prefix",
        is_up_elsewhere,
    );
}

fn refused_tunnel(stage: &mut Stage<'_>) {
    if !stage.router.refuse_tunnels(true) {
        return;
    }
    stage.router.line_gives(WAN6, Some(PREFIX));
    two_lines(stage);
    stage.until(
        "wanmap",
        "the user reads that the tunnel was refused",
        |seen| waits(seen) && seen.errors == ["MAPE_TUNNEL_FAILED"] && seen.tables.is_empty(),
    );
    stage.still("wanmap", "it does not spin", waits);
    stage.called("wanmap", "setup", 1..=4);
    stage.router.refuse_tunnels(false);
    stage.until("wanmap", "it comes up when the kernel can", is_up);
}

fn blocked(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    let mut options = EXPLICIT.to_vec();
    options.retain(|(name, _)| *name != "ealen");
    options.push(("ealen", "99"));
    stage.router.configure("wanmap", "map", &options);
    let reason = json!({
        "code": "config_number",
        "args": {"option": "ealen", "value": "99", "min": "0", "max": "48"},
    });
    let data = json!([
        "ealen 99: must be a number from 0 to 48",
        reason.to_string()
    ]);
    stage.until("wanmap", "user and page are told what is wrong", |seen| {
        waits(seen) && seen.errors == ["MAPE_INVALID_CONFIG"] && seen.details == [data.to_string()]
    });
    stage.still("wanmap", "netifd leaves it alone", waits);
    stage.called("wanmap", "setup", 1..=1);
}

fn corrected(stage: &mut Stage<'_>) {
    blocked(stage);
    stage.router.configure("wanmap", "map", EXPLICIT);
    stage.until("wanmap", "nobody has to run ifup", is_up);
    stage.called("wanmap", "setup", 2..=2);
}

/// The ports are right for one prefix of the provider and foreign to another.
fn reserved_elsewhere(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    let options = [("tunlink", "wan6"), ("reserve", "5136-5151\n60000")];
    stage.router.configure("wanmap", "mape", &options);
    stage.until("wanmap", "what is not ours is a warning", is_up);
    stage.router.line_gives(WAN6, Some(OTHER_PREFIX));
    stage.until("wanmap", "and a new prefix brings it up", is_up_elsewhere);
}

fn second_on_one_line(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    let options = [("tunlink", "wan6")];
    stage.router.configure("one", "mape", &options);
    stage.until("one", "the first is up", is_up);
    stage.router.configure("two", "mape", &options);
    stage.until("two", "the second is told who has the address", |seen| {
        !seen.up && seen.errors == ["MAPE_ADDRESS_IN_USE"]
    });
    stage.still("one", "the first does not mind", is_up);
    stage.router.ifdown("two");
    stage.until("two", "the second is down", |seen| {
        !seen.up && !seen.pending
    });
    stage.still("one", "its going takes nothing from the first", is_up);
    stage.router.ifup("two");
    stage.until("two", "the second asks again", |seen| {
        !seen.up && seen.errors == ["MAPE_ADDRESS_IN_USE"]
    });
    stage.router.ifdown("one");
    stage.until("two", "it comes up when the first has gone", is_up);
}

fn dhcpv6(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    let options = [("tunlink", "wan6"), ("rule", RULE), ("legacymap", "1")];
    stage.router.adds(WAN6, "wan6_4", "map", &options);
    stage.until("wan6_4", "IPv4 is up without any configuration", is_up);
    stage.called("wan6_4", "setup", 1..=1);
}

const RULE: &str = "type=map-e,ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,\
                    prefix4len=15,ealen=25,psidlen=8,offset=4,br=2404:9200:225:100::64";

/// An event of a DHCPv6 client that has these rules.
fn renewed(stage: &mut Stage<'_>, rules: &str) {
    let options = [
        ("type", "map-e"),
        ("_prefsig", PREFIX),
        ("tunlink", "wan6"),
        ("rule", rules),
        ("legacymap", "1"),
    ];
    stage.router.adds(WAN6, "wan6_4", "map", &options);
    stage.router.dhcpv6_tells(WAN6, rules);
}

fn dhcpv6_changes(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    let bad = RULE.replace("ealen=25", "ealen=99");
    renewed(stage, &bad);
    stage.until("wan6_4", "a rule that contradicts itself", |seen| {
        seen.pending && seen.errors == ["INVALID_MAP_RULE"]
    });
    renewed(stage, RULE);
    stage.until("wan6_4", "a good one comes", is_up);
    let moved = |seen: &Seen| {
        let remote = seen.tunnel.as_ref().map(|(_, remote)| remote.as_str());
        seen.up && remote == Some("2404:9200:225:100::65") && !seen.tables.is_empty()
    };
    renewed(stage, &RULE.replace("::64", "::65"));
    stage.until("wan6_4", "another border relay is named", moved);
    renewed(stage, &bad);
    stage.still("wan6_4", "a bad rule again: what runs stays", moved);
}

fn two_interfaces(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.router.line_gives(WAN7, Some(OTHER_PREFIX));
    stage
        .router
        .configure("one", "mape", &[("tunlink", "wan6")]);
    stage
        .router
        .configure("two", "mape", &[("tunlink", "wan7"), ("defaultroute", "0")]);
    stage.until("one", "the first is up", is_up);
    let second = |seen: &Seen| seen.up && seen.ce == [OTHER_CE] && !seen.tables.is_empty();
    stage.until("two", "the second is up", second);
    stage.router.ifdown("one");
    stage.until("one", "the first is gone", is_gone);
    stage.still("two", "the second does not mind", second);
    stage.called("two", "setup", 1..=1);
}

fn upgrade(stage: &mut Stage<'_>) {
    brought_up(stage);
    stage.router.upgrade();
    stage.still("wanmap", "an upgrade does not disturb it", is_up);
    stage.called("wanmap", "setup", 1..=1);
    stage.router.line_gives(WAN6, Some(OTHER_PREFIX));
    stage.until("wanmap", "the new program takes over", is_up_elsewhere);
    stage.router.ifdown("wanmap");
    stage.until("wanmap", "and tears down what the old one made", is_gone);
}
