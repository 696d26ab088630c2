// SPDX-License-Identifier: GPL-2.0-or-later
//! What can break while the handler works. After each fault nothing is left that should not be,
//! and IPv4 comes up again.

mod double;
mod router;

use double::{Effect, Entry, Fault, Said, State, When, World};
use mape::ubus::Status;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use router::{Router, V6PLUS};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Messages of one setup: greeting, the object is looked up, dependency, dump, the state of the
/// address interface, which is not found, so that the object is looked up again, subscription (2),
/// the other object is looked up, address, what the address interface says (3), its state twice,
/// tunnel, and is the address still there? If the address is up when its state is asked for the
/// first time, as on a busy machine, that is one message less; if more happens meanwhile, its state
/// is asked for more often.
const MESSAGES: usize = 17;

/// Where a setup is interrupted: around each message, and some times later.
const POINTS: usize = AROUND + 8;
const AROUND: usize = 2 * MESSAGES;

/// Up, down, nothing left.
fn comes_up_and_goes(net: &Router) {
    net.ifup("wanmap");
    net.assert_works("wanmap");
    net.down("wanmap");
}

#[test]
fn the_story_of_a_setup() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    // Nearly the last one is reached.
    net.with(|world| world.plan_fault(MESSAGES - 1, Fault::Twice));
    net.ifup("wanmap");
    net.assert_works("wanmap");
    assert!(!net.with(World::forget_fault), "{}", net.story());
    let setup = net.with(|world| {
        world.record.iter().find_map(|entry| match entry {
            Entry::Spawn {
                interface,
                action,
                pid,
            } if interface == "wanmap" && action == "setup" => i32::try_from(*pid).ok(),
            _ => None,
        })
    });
    let calls = net.calls().into_iter();
    let said: Vec<String> = calls
        .filter(|call| Some(call.pid) == setup && call.method != "status")
        .map(|call| match call.action() {
            Some(action) => format!("{} {action}", call.method),
            None => call.method,
        })
        .collect();
    let story = ["notify_proto 6", "dump", "add_dynamic", "notify_proto 0"];
    assert_eq!(said, story, "{}", net.story());
    net.down("wanmap");
}

#[test]
fn ubusd_dies_at_each_message() {
    // Each in a network namespace of its own, since most of the time is spent waiting.
    thread::scope(|scope| {
        for when in [When::Before, When::Between, When::After] {
            scope.spawn(move || (1..=MESSAGES).for_each(dies_at(when)));
        }
    });
}

fn dies_at(when: When) -> impl FnMut(usize) {
    let net = Router::two_lines();
    move |n| {
        let Some(net) = &net else { return };
        net.with(|world| world.plan_fault(n, Fault::Die(when)));
        net.ifup("wanmap");
        net.assert_works("wanmap");
        let happened = !net.with(World::forget_fault);
        assert!(happened || n == MESSAGES, "message {n}");
        assert_eq!(net.spawned("wanmap", "setup"), 1, "{}", net.story());
        net.down("wanmap");
        net.with(|world| world.record.clear());
    }
}

/// Where the answer about the tunnel is lost, netifd may have made it: nothing leaves through it
/// before its rules are there.
#[test]
fn a_tunnel_nobody_confirmed_is_held_back() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    net.with(|world| world.plan_fault_at(Said::Tunnel, Fault::Die(When::Between)));
    net.ifup("wanmap");
    net.wait("the tunnel is made", |world| world.is_up("wanmap"));
    net.wait("it is logged", |world| !world.log.is_empty());
    let rules = router::run("nft", &["list", "ruleset"]);
    let held = rules.contains("mape_guard_wanmap") || rules.contains("table ip mape_wanmap ");
    assert!(held, "{rules}\n{}", net.story());
    net.wait("a second attempt", |world| {
        world.notifications("wanmap", 0).len() == 2
    });
    net.assert_works("wanmap");
    net.down("wanmap");
}

#[test]
fn answers_that_come_too_late() {
    // Of a dump, and of the tunnel: longer than anybody waits.
    thread::scope(|scope| {
        for said in [Said::Dump, Said::Tunnel] {
            scope.spawn(move || late_at(said));
        }
    });
}

fn late_at(said: Said) {
    let Some(net) = Router::two_lines() else {
        return;
    };
    net.with(|world| world.plan_fault_at(said, Fault::Late(Duration::from_millis(5300))));
    net.ifup("wanmap");
    net.wait("it is logged", |world| {
        world.log.iter().any(|line| line.contains("took too long"))
    });
    net.assert_works("wanmap");
    assert_eq!(net.spawned("wanmap", "setup"), 1, "{}", net.story());
    net.down("wanmap");
}

/// 1 MB of interfaces nobody asked for.
#[test]
fn a_router_with_a_thousand_interfaces() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    net.with(|world| {
        for n in 0..1000 {
            let interface = double::Interface::on(&format!("lan{n}"), &format!("br-{n}"))
                .address(&format!("2001:db8:0:{n:x}::1"), 64);
            world.add_interface(interface);
            world.interface_mut(&format!("lan{n}")).state = State::Up;
        }
    });
    comes_up_and_goes(&net);
}

#[test]
fn netifd_refuses_each_call_with_each_status() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    let calls = [
        "network.interface notify_proto 6",
        "network.interface dump",
        "network add_dynamic",
        "network.interface notify_proto 0",
        "network.interface notify_proto 3",
    ];
    for call in calls {
        for code in 1..=11 {
            let status = Status::from_code(code);
            net.with(|world| {
                world.deny.insert(call.to_owned(), status);
                // An error is only told if there is a reason.
                world.refuse_tunnels = call.ends_with(" 3");
            });
            net.ifup("wanmap");
            net.wait("the call is refused", |world| {
                world
                    .calls()
                    .any(|call| call.status == status && call.status != Status::Ok)
            });
            assert_eq!(net.spawned("wanmap", "setup"), 1, "{call} {status}");
            let up = net.with(|world| world.is_up("wanmap"));
            assert!(!up, "{call} {status}: {}", net.story());
            net.with(|world| {
                world.deny.clear();
                world.refuse_tunnels = false;
            });
            net.down("wanmap");
            net.with(|world| world.record.clear());
        }
        comes_up_and_goes(&net);
        net.with(|world| world.record.clear());
    }
}

/// Where a setup is interrupted: before and after each message, and while nft runs.
fn interrupt(net: &Router, point: usize, act: fn(&mut World)) {
    let fault = |when| Fault::Meanwhile(when, Box::new(act));
    net.with(|world| match point {
        0..MESSAGES => world.plan_fault(point + 1, fault(When::Before)),
        MESSAGES..AROUND => world.plan_fault(point + 1 - MESSAGES, fault(When::After)),
        _ => {
            let pause = Duration::from_millis(u64::try_from(point - AROUND).unwrap() * 2);
            let later = move |world: &mut World| world.after_pause(pause, act);
            let fault = Fault::Meanwhile(When::After, Box::new(later));
            world.plan_fault_at(Said::Tunnel, fault);
        }
    });
}

#[test]
fn ifdown_at_each_point_of_a_setup() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    for point in 0..POINTS {
        interrupt(&net, point, |world| world.set_down("wanmap"));
        net.ifup("wanmap");
        net.wait(
            "the interruption, or the end of a setup without it",
            |world| !world.awaits_fault() || world.record.iter().any(has_ended),
        );
        // An address that was up at once is asked for once only: a message less.
        if net.with(World::forget_fault) {
            net.with(|world| world.set_down("wanmap"));
        }
        net.wait("wanmap is down", |world| {
            let interface = world.interface("wanmap");
            !interface.autostart && interface.state == State::Down
        });
        net.assert_clean("wanmap");
        comes_up_and_goes(&net);
        net.with(|world| world.record.clear());
    }
}

/// The end of a setup of `wanmap`, not of its address interface.
fn has_ended(entry: &Entry) -> bool {
    matches!(entry, Entry::Exit { interface, action, .. } if interface == "wanmap" && action == "setup")
}

#[test]
fn a_crash_at_each_point_of_a_setup() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    for point in 0..POINTS {
        interrupt(&net, point, |world| world.crash("wanmap"));
        net.ifup("wanmap");
        net.wait("the setup has ended", |world| {
            world.pauses == 0 && world.record.iter().any(has_ended)
        });
        net.with(World::forget_fault);
        // netifd calls again by itself, or hotplug finds what netifd cannot see.
        net.hotplug("wanmap");
        net.assert_works("wanmap");
        let setups = net.spawned("wanmap", "setup");
        assert!(setups <= 2, "point {point}: {setups} setups");
        net.down("wanmap");
        // Nor does it outlive a teardown.
        interrupt(&net, point, |world| world.crash("wanmap"));
        net.ifup("wanmap");
        net.wait("another setup has ended", |world| {
            world.pauses == 0 && world.record.iter().filter(|e| has_ended(e)).count() > setups
        });
        net.down("wanmap");
        net.with(|world| {
            world.forget_fault();
            world.record.clear();
        });
    }
}

/// The renewal that follows a change of prefix, interrupted: messages of its own, and those of
/// the setup it leads to.
#[test]
fn a_crash_at_each_point_of_a_renewal() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    let prefixes = [("240b:12:1:200::", 56), V6PLUS.prefix];
    for point in 0..POINTS {
        net.set_prefix("wan6", Some(V6PLUS.prefix));
        net.ifup("wanmap");
        net.assert_works("wanmap");
        interrupt(&net, point, |world| world.crash("wanmap"));
        net.set_prefix("wan6", Some(prefixes[0]));
        net.renew("wanmap");
        net.wait("the renewal has ended", |world| {
            let ended = |e: &Entry| matches!(e, Entry::Exit { action, .. } if action == "renew");
            world.record.iter().any(ended)
        });
        net.wait_idle("wanmap");
        net.with(World::forget_fault);
        // Hotplug is what asked for it, and finds that nobody answered.
        net.hotplug("wan6");
        net.wait("the new address is there", |world| {
            let addresses = &world.interface("wanmap").addresses;
            world.is_up("wanmap") && addresses.iter().any(|a| a.address == "14.8.0.1")
        });
        net.assert_works("wanmap");
        let rules = router::run("nft", &["list", "ruleset"]);
        assert!(!rules.contains("14.8.170.170"), "{rules}");
        net.down("wanmap");
        net.with(|world| world.record.clear());
    }
}

/// /var/run is full: said, waited for, and mended as soon as there is room.
#[test]
fn a_full_disk() {
    if unshare(CloneFlags::CLONE_NEWNS).is_err() {
        router::skip::skip("a mount namespace needs root");
        return;
    }
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none).unwrap();
    let Some(net) = Router::two_lines() else {
        return;
    };
    let run = net.root().join("var/run/mape");
    let options = Some("size=8k,nr_inodes=8");
    mount(Some("none"), &run, Some("tmpfs"), MsFlags::empty(), options).unwrap();
    std::fs::write(run.join("filler"), [0; 8192]).unwrap();
    net.ifup("wanmap");
    net.wait_error("wanmap", "MAPE_NAT_FAILED");
    assert!(net.details("wanmap")[0].contains("no space left"));
    assert!(!net.with(|world| world.is_up("wanmap")));
    assert_eq!(net.spawned("wanmap", "setup"), 1);
    std::fs::remove_file(run.join("filler")).unwrap();
    net.assert_works("wanmap");
    assert_eq!(net.spawned("wanmap", "setup"), 1);
    // Full again: an interface goes down all the same.
    let state = std::fs::metadata(run.join("wanmap.json")).unwrap().len();
    assert!(state > 0);
    let _ = std::fs::write(run.join("filler"), [0; 8192]);
    net.down("wanmap");
    std::fs::remove_file(run.join("filler")).unwrap();
    comes_up_and_goes(&net);
    nix::mount::umount(&run).unwrap();
}

/// The handler as netifd would call it, by hand.
fn by_hand(net: &Router, action: &str) -> std::process::Child {
    Command::new("./mape.sh")
        .args(["mape", action, "wanmap", r#"{"tunlink":"wan6"}"#])
        .current_dir(net.root().join("lib/netifd/proto"))
        .envs(net.with(|world| world.env.clone()))
        .spawn()
        .unwrap()
}

#[test]
fn two_handlers_at_once() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    for _ in 0..5 {
        net.ifup("wanmap");
        let mut other = by_hand(&net, "setup");
        let mut renew = by_hand(&net, "renew");
        assert!(other.wait().unwrap().success());
        assert!(renew.wait().unwrap().success());
        net.assert_works("wanmap");
        net.down("wanmap");
    }
}

#[test]
fn the_firewall_reloads_during_a_setup() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    for _ in 0..5 {
        net.ifup("wanmap");
        while !net.with(|world| world.is_up("wanmap"))
            || net.file("var/run/mape/wanmap.json").is_none()
        {
            net.firewall();
        }
        net.assert_works("wanmap");
        // Somebody flushed everything; the include brings it back.
        router::run("nft", &["flush", "ruleset"]);
        net.firewall();
        net.assert_works("wanmap");
        net.down("wanmap");
    }
}

/// As fast as netifd lets it: every setup ends, one way or the other, before the next begins.
#[test]
fn an_uplink_that_flaps() {
    let Some(net) = Router::two_lines() else {
        return;
    };
    net.ifup("wanmap");
    for round in 0..100 {
        net.ifdown("wan6");
        if round % 3 > 0 {
            thread::sleep(Duration::from_millis(round % 7 * 10));
        }
        net.ifup("wan6");
        thread::sleep(Duration::from_millis(round % 5 * 15));
    }
    net.assert_works("wanmap");
    // What a vanished device made nft refuse is not held against the kernel.
    let rules = router::run("nft", &["list", "tables"]);
    let edge = "table netdev mape_wanmap";
    assert!(rules.contains(edge), "{rules}\n{:?}", net.log());
    // At most what netifd itself starts: one for each time the uplink went, and came.
    let setups = net.spawned("wanmap", "setup");
    assert!(setups <= 201, "{setups} setups");
    let tunnels = net.with(|world| {
        let made = |e: &&Effect| matches!(e, Effect::CreateTunnel(..));
        let gone = |e: &&Effect| matches!(e, Effect::DeleteLink(_));
        (
            world.effects().filter(made).count(),
            world.effects().filter(gone).count(),
        )
    });
    assert_eq!(
        tunnels.0,
        tunnels.1 + 1,
        "every tunnel but the last is gone"
    );
    net.ifdown("wanmap");
    net.wait("wanmap is down", |world| !world.is_up("wanmap"));
    net.assert_clean("wanmap");
}
