// SPDX-License-Identifier: GPL-2.0-or-later
//! What DHCPv6 says and netifd does not pass on: the AFTR (option 64) and rules
//! that changed. The notes that the client's script takes of them, and what
//! becomes of a line that nothing else is known of than its AFTR.

mod double;
mod odhcp6c;
mod router;

use std::fs;
use std::path::{Path, PathBuf};

use double::Interface;
use router::{Router, default_route};

/// What the client's script calls when DHCPv6 says that.
fn source(root: &Path, says: &[(&str, &str)]) -> String {
    let called = root.join("called");
    let _ = fs::remove_file(&called);
    let program = format!("echo >>{}", called.display());
    let variables = [&[("INTERFACE", "wan6")], says].concat();
    odhcp6c::source(&root.join("run"), &program, &variables);
    fs::read_to_string(&called).unwrap_or_default()
}

fn folder(name: &str) -> PathBuf {
    let root = std::env::temp_dir().join(format!("mape-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).unwrap();
    root
}

#[test]
fn the_note_follows_the_option_and_a_change_is_told() {
    let root = folder("aftr");
    let source = |root: &Path, aftr| source(root, &[("AFTR", aftr)]);
    let note = || fs::read_to_string(root.join("run/wan6.aftr")).unwrap();
    assert_eq!(source(&root, ""), "", "a line without the option");
    assert_eq!(source(&root, "aftr.example"), "hotplug wan6\n");
    assert_eq!(note(), "aftr.example\n");
    assert_eq!(source(&root, "aftr.example"), "", "nothing new");
    // A server may send anything.
    let hostile = "x; touch /tmp/$(id) `id` \"'";
    assert_eq!(source(&root, hostile), "hotplug wan6\n");
    assert_eq!(note(), format!("{hostile}\n"));
    assert_eq!(source(&root, ""), "hotplug wan6\n", "the option is gone");
    assert_eq!(note(), "\n");
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn rules_that_changed_are_noted_and_told() {
    let root = folder("rules");
    let note = || fs::read_to_string(root.join("run/wan6.s46")).unwrap();
    assert_eq!(source(&root, &[]), "", "a line without rules");
    let rule = ("MAPE", "type=map-e,ealen=25,br=2001:db8::1");
    assert_eq!(source(&root, &[rule]), "hotplug wan6\n");
    let noted = "map-e type=map-e,ealen=25,br=2001:db8::1\nmap-t \nlw4o6 \n";
    assert_eq!(note(), noted);
    assert_eq!(source(&root, &[rule]), "", "nothing new");
    let other = ("MAPE", "type=map-e,ealen=25,br=2001:db8::2 type=map-e,fmr");
    assert_eq!(
        source(&root, &[other, ("AFTR", "x")]),
        "hotplug wan6\n",
        "once for both"
    );
    assert!(note().starts_with("map-e type=map-e,ealen=25,br=2001:db8::2 type=map-e,fmr\n"));
    assert_eq!(source(&root, &[]), "hotplug wan6\n", "all is gone");
    assert_eq!(note(), "\n");
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn a_line_that_nothing_else_is_known_of_has_the_aftr_that_dhcpv6_names() {
    let Some(net) = Router::new() else { return };
    net.add(
        Interface::on("wan6", "eth1")
            .prefix("2001:db8:77::", 56)
            .route(default_route()),
    );
    net.ifup("wan6");
    net.write("var/run/mape/wan6.aftr", "not a name!\n");
    net.configure("wan4", "mape", &[("tunlink", "wan6"), ("provision", "off")]);
    net.ifup("wan4");
    net.wait_error("wan4", "MAPE_UNKNOWN_PROVIDER");
    net.write("var/run/mape/wan6.aftr", "2001:db8:ffff::101\n");
    net.update("wan6", "data", |_| {});
    net.assert_works("wan4");
    let remote = |net: &Router| net.tunnel().unwrap().remote;
    assert_eq!(remote(&net).as_deref(), Some("2001:db8:ffff::101"));
    // Another one, as after an event of DHCPv6.
    net.write("var/run/mape/wan6.aftr", "2001:db8:ffff::102\n");
    net.hotplug("wan6");
    for _ in 0..400 {
        if remote(&net).as_deref() == Some("2001:db8:ffff::102") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(remote(&net).as_deref(), Some("2001:db8:ffff::102"));
    net.assert_works("wan4");
    net.ifdown("wan4");
    net.wait("wan4 is down", |world| !world.is_up("wan4"));
    net.assert_clean("wan4");
}
