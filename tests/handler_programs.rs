// SPDX-License-Identifier: GPL-2.0-or-later
//! Programs the handler needs, missing or broken: said once, waited for, nothing left behind.

mod double;
mod program;
mod router;

use double::faults::Fault;
use router::{Router, V6PLUS};
use std::fs;

#[test]
fn no_ubusd() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    let real = net.socket();
    net.with(|world| world.env[0].1 = real.with_extension("away"));
    net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    net.ifup("wanmap");
    net.wait("it is logged", |world| !world.log.is_empty());
    assert!(
        net.log()[0].contains("cannot connect to ubus at"),
        "{:?}",
        net.log()
    );
    // It comes back.
    fs::hard_link(&real, real.with_extension("away")).unwrap();
    net.assert_works("wanmap");
    assert_eq!(net.spawned("wanmap", "setup"), 1);
    assert_eq!(net.log().len(), 2, "one of each: {:?}", net.log());
    fs::remove_file(real.with_extension("away")).unwrap();
    // Without it a teardown undoes all that is ours.
    net.ifdown("wanmap");
    net.wait("wanmap is down", |world| !world.is_up("wanmap"));
    net.wait_idle("wanmap");
    net.with(|world| world.set_down("wanmap_"));
    net.assert_clean("wanmap");
}

#[test]
fn a_hung_ubusd_cannot_keep_a_teardown_from_its_work() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    net.ifup("wanmap");
    net.assert_works("wanmap");
    net.with(|world| world.mute = true);
    net.ifdown("wanmap");
    net.wait("wanmap is down", |world| {
        world.interface("wanmap").state == double::State::Down
    });
    let killed = net.story().contains("SIGKILL");
    assert!(!killed, "netifd lost patience: {}", net.story());
    net.with(|world| world.set_down("wanmap_"));
    net.assert_clean("wanmap");

    // A setup waits, and ends when it is told to.
    net.ifup("wanmap");
    net.wait("it is logged", |world| {
        world
            .log
            .iter()
            .any(|line| line.contains("ubus took too long"))
    });
    net.ifdown("wanmap");
    net.wait("wanmap is down", |world| {
        world.interface("wanmap").state == double::State::Down
    });
    net.assert_clean("wanmap");
    assert!(!net.story().contains("SIGKILL"), "{}", net.story());
    net.with(|world| world.mute = false);
    net.ifup("wanmap");
    net.assert_works("wanmap");
}

/// A netifd whose main object is missing: the one before it was killed, and ubusd has not forgotten
/// it yet. Whoever returned would be called again at once, hundreds of times a second.
#[test]
fn a_netifd_that_is_not_on_the_bus() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    net.with(|world| world.remove_object("network.interface"));
    net.ifup("wanmap");
    net.wait("it is logged", |world| {
        let what = "nothing on ubus is called network.interface; trying again";
        world.log.iter().any(|line| line.contains(what))
    });
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(net.spawned("wanmap", "setup"), 1, "{}", net.story());
    net.with(|world| world.bus.offer("network.interface"));
    net.assert_works("wanmap");
    assert_eq!(net.spawned("wanmap", "setup"), 1, "{}", net.story());
    net.ifdown("wanmap");
    net.assert_clean("wanmap");
}

/// The router gets a program in place of nft.
fn fake_nft(net: &Router, script: &str) {
    let place = net.root().join("usr/sbin/nft");
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    program::write(&place, &format!("#!/bin/sh\n{script}\n"));
}

#[test]
fn no_nft() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    net.with(|world| world.env.push(("PATH".into(), "/nowhere".into())));
    net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    net.ifup("wanmap");
    net.wait_error("wanmap", "MAPE_NAT_FAILED");
    assert!(net.details("wanmap")[0].contains("nft is not installed (package nftables)"));
    assert_eq!(net.with(|w| w.notifications("wanmap", 0).len()), 0);
    assert_eq!(net.spawned("wanmap", "setup"), 1);
    net.wait("it is logged", |world| world.log.len() == 1);
    net.ifdown("wanmap");
    net.assert_clean("wanmap");
    net.with(|world| world.env.pop());
    net.ifup("wanmap");
    net.assert_works("wanmap");
    // It is uninstalled while we are up.
    net.with(|world| world.env.push(("PATH".into(), "/nowhere".into())));
    net.ifdown("wanmap");
    net.wait("wanmap is down", |world| !world.is_up("wanmap"));
    net.assert_clean("wanmap");
}

#[test]
fn an_nft_that_fails() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    fake_nft(
        &net,
        "cat >/dev/null; echo 'Error: no such thing' >&2; exit 1",
    );
    net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    net.ifup("wanmap");
    net.wait_error("wanmap", "MAPE_NAT_FAILED");
    assert!(net.details("wanmap")[0].contains("Error: no such thing"));
    net.wait("wanmap is not up", |world| !world.is_up("wanmap"));
    net.wait("three setups", |w| w.spawned("wanmap", "setup") == 3);
    fs::remove_file(net.root().join("usr/sbin/nft")).unwrap();
    net.assert_works("wanmap");
    // It came up by the third, after 1 and 2 seconds, or by the next one.
    assert!(net.spawned("wanmap", "setup") <= 4, "{}", net.story());
    let log = net.log();
    let said = log.iter().filter(|line| line.contains("no such thing"));
    assert_eq!(said.count(), 1, "{log:#?}");
    // It is not held against the kernel that its nft was broken.
    let tables = router::run("nft", &["list", "tables"]);
    assert!(tables.contains("table netdev mape_wanmap"), "{tables}");
    net.ifdown("wanmap");
    net.wait("wanmap is down", |world| !world.is_up("wanmap"));
    net.assert_clean("wanmap");
}

#[test]
fn an_nft_that_hangs() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    fake_nft(&net, "echo $$ >>\"$MAPE_ROOT/nft.pids\"; exec sleep 1000");
    net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    net.ifup("wanmap");
    net.wait_error("wanmap", "MAPE_NAT_FAILED");
    assert!(net.details("wanmap")[0].contains("nft: no answer after"));
    net.wait("wanmap is not up", |world| !world.is_up("wanmap"));
    net.ifdown("wanmap");
    net.assert_clean("wanmap");
    for pid in net.file("nft.pids").unwrap().lines() {
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
}

/// netifd kills a setup while nft runs: nft goes with it, and what follows finds no rules that
/// came too late.
#[test]
fn an_orphan_loads_nothing() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    fake_nft(
        &net,
        "echo $$ >>\"$MAPE_ROOT/nft.pids\"; cat >\"$MAPE_ROOT/rules\"; sleep 2; \
         exec /usr/sbin/nft -f \"$MAPE_ROOT/rules\"",
    );
    net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    net.ifup("wanmap");
    let pids = || net.file("nft.pids").unwrap_or_default();
    net.wait("nft runs", |_| !pids().is_empty());
    net.ifdown("wanmap");
    net.wait("wanmap is down", |world| {
        world.interface("wanmap").state == double::State::Down
    });
    net.assert_clean("wanmap");
    for pid in pids().lines() {
        assert!(!std::path::Path::new(&format!("/proc/{pid}/exe")).exists());
    }
}

/// An answer that is none, and one that comes twice or too late.
#[test]
fn answers_that_are_wrong() {
    let Some(net) = Router::with_uplink(&V6PLUS) else {
        return;
    };
    net.configure("wanmap", "mape", &[("tunlink", "wan6")]);
    for n in 1..=6 {
        for fault in [Fault::Garbage, Fault::Twice] {
            net.with(|world| world.plan_fault(n, fault));
            net.ifup("wanmap");
            net.assert_works("wanmap");
            assert!(!net.with(double::World::forget_fault), "message {n}");
            net.ifdown("wanmap");
            net.wait("wanmap is down", |world| !world.is_up("wanmap"));
            net.assert_clean("wanmap");
        }
    }
}
