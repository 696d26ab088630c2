// SPDX-License-Identifier: GPL-2.0-or-later
//! What died earlier, or changed behind the handler's back, is found by the next event of hotplug
//! or by the service, and set right.

mod double;
mod router;

use double::{Fault, When, World};
use router::{Router, V6PLUS};

/// A line that was up and is down again; its record.
fn up_and_down(net: &Router) -> String {
    net.ifup("wanmap");
    net.assert_works("wanmap");
    let state = net.file("var/run/mape/wanmap.json").unwrap();
    net.down("wanmap");
    state
}

/// A teardown is killed before it has done anything: hotplug's event removes what is left.
#[test]
fn a_teardown_that_was_cut_short() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    let state = up_and_down(&net);
    // As if it had been killed: its record is still there, and so are rules.
    net.write("var/run/mape/wanmap.json", &state);
    router::run("nft", &["add", "table", "ip", "mape_wanmap"]);
    net.hotplug("wanmap");
    net.assert_clean("wanmap");
}

/// netifd has been restarted and the section is gone.
#[test]
fn an_interface_that_netifd_no_longer_knows() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    let state = up_and_down(&net);
    net.with(|world| world.remove_interface("wanmap"));
    net.write("var/run/mape/wanmap.json", &state);
    router::run("nft", &["add", "table", "ip", "mape_wanmap"]);
    router::device("map-wanmap");
    net.hotplug("lan");
    net.assert_clean("wanmap");
}

/// The prefix changes after the setup has looked at the network and before it is done: hotplug
/// finds no line to renew yet.
#[test]
fn a_prefix_that_changes_during_a_setup() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    net.ifup("wanmap");
    net.assert_works("wanmap");
    net.with(|world| {
        "240b:12:1:200::".clone_into(&mut world.interface_mut("wan6").prefixes[0].address);
    });
    // What netifd calls when a setup has ended.
    net.hotplug("wanmap");
    net.wait("it starts over", |world| {
        world
            .log
            .iter()
            .any(|line| line.contains("the prefix changed"))
    });
    net.assert_works("wanmap");
    let local = net.tunnel().unwrap().local;
    assert_eq!(local.as_deref(), Some("240b:12:1:200:e:800:100:200"));
}

/// The event of a new prefix comes only once: ubusd may die at any message of whoever follows it.
#[test]
fn ubusd_dies_while_an_event_is_followed() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    net.ifup("wanmap");
    net.assert_works("wanmap");
    let lines = [
        ("240b:12:1:200::", "14.8.0.1"),
        (V6PLUS.prefix.0, "14.8.170.170"),
    ];
    for (number, (prefix, address)) in lines.iter().cycle().take(8).enumerate() {
        net.with(|world| world.plan_fault(number + 1, Fault::Die(When::Between)));
        net.set_prefix("wan6", Some((prefix, 56)));
        net.hotplug("wan6");
        net.wait("it has the new prefix", |world| {
            let addresses = &world.interface("wanmap").addresses;
            world.is_up("wanmap") && addresses.iter().any(|a| a.address == *address)
        });
        net.assert_works("wanmap");
        net.with(World::forget_fault);
    }
}

/// The service looks once a minute for what no event has told anybody of.
#[test]
fn what_no_event_finds_the_service_finds() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    net.ifup("wanmap");
    net.assert_works("wanmap");
    // The handler died after the link was up.
    let state = net.file("var/run/mape/wanmap.json").unwrap();
    std::fs::remove_file(net.root().join("var/run/mape/wanmap.json")).unwrap();
    net.service();
    net.assert_works("wanmap");
    for family in ["ip", "netdev"] {
        router::run("nft", &["delete", "table", family, "mape_wanmap"]);
    }
    net.service();
    net.assert_works("wanmap");
    // A teardown was killed. Use of the ports is kept until a reboot.
    let history = net.root().join("var/run/mape/wanmap.history");
    std::fs::remove_file(&history).unwrap();
    net.down("wanmap");
    net.write("var/run/mape/wanmap.json", &state);
    router::run("nft", &["add", "table", "ip", "mape_wanmap"]);
    net.service();
    net.assert_clean("wanmap");
    assert!(
        !history.exists(),
        "nothing is counted on a line that is down"
    );
}
