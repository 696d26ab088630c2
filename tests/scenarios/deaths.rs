// SPDX-License-Identifier: GPL-2.0-or-later
//! What kills a line, and that it comes back without `ifup` (docs/reliability.md).

use super::subscriber::{
    OTHER_PREFIX, PREFIX, WAN6, brought_up, is_gone, is_up, is_up_elsewhere, is_without_uplink,
    leaves_nothing, two_lines, waits,
};
use super::{Seen, Stage};
use std::time::Duration;

const FAILS: &str = "cat >/dev/null; echo 'Error: no such thing' >&2; exit 1";
const HANGS: &str = "exec sleep 1000";
const SLOW: &str = "sleep 2; exec \"$real\" \"$@\"";
/// The first of them kills the handler that runs it.
const KILLS: &str = "mkdir \"$0.killed\" || exec \"$real\" \"$@\"; kill -9 $PPID";

/// Netifd counts it as up, and no traffic may pass.
fn is_up_without_rules(seen: &Seen) -> bool {
    seen.up && seen.tunnel.is_some() && seen.tables.is_empty()
}

fn has_one_error(seen: &Seen, code: &str) -> bool {
    seen.pending && leaves_nothing(seen) && seen.errors == [code]
}

/// The address of the line itself is nobody's.
fn waits_without_a_prefix(seen: &Seen) -> bool {
    has_one_error(seen, "MAPE_UNKNOWN_PROVIDER")
}

/// Different points of a handler's life, which takes some ten milliseconds.
fn moments() -> impl Iterator<Item = Duration> {
    (0..8).map(|number| Duration::from_millis(number * 3))
}

/// Not one blow has to strike, but all must not miss.
fn some_struck(stage: &mut Stage<'_>, struck: usize, action: &str) {
    let mut story = || stage.router.story();
    assert!(struck > 0, "no {action} was killed\n{}", story());
}

pub fn waiting_setup(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, None);
    two_lines(stage);
    for _ in 0..3 {
        stage.until("wanmap", "it waits", waits_without_a_prefix);
        let struck = stage.strike("wanmap", "setup", Duration::ZERO);
        some_struck(stage, usize::from(struck), "setup");
    }
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.until("wanmap", "another one sets it up", is_up);
    // A look of hotplug's in the middle of a teardown has netifd begin once more.
    stage.called("wanmap", "setup", 4..=7);
}

pub fn setups(stage: &mut Stage<'_>) {
    brought_up(stage);
    let mut struck = 0;
    for moment in moments() {
        stage.router.ifdown("wanmap");
        stage.until("wanmap", "it is down", is_gone);
        stage.router.ifup("wanmap");
        struck += usize::from(stage.strike("wanmap", "setup", moment));
        stage.until("wanmap", "it is up by itself", is_up);
    }
    some_struck(stage, struck, "setup");
    stage.called("wanmap", "setup", 9..=25);
}

pub fn setup_with_a_link(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.router.nft(Some(KILLS));
    two_lines(stage);
    stage.until("wanmap", "the event of its link brings rules", is_up);
    stage.called("wanmap", "setup", 2..=4);
    stage.router.nft(None);
}

/// The same, and nobody hears the event.
pub fn unheard(stage: &mut Stage<'_>) {
    stage.router.deafen();
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.router.nft(Some(KILLS));
    two_lines(stage);
    stage.until("wanmap", "its setup was killed", is_up_without_rules);
    stage.still("wanmap", "netifd sees nothing", is_up_without_rules);
    stage.router.mape(&["repair"]);
    stage.until("wanmap", "the service sees it", is_up);
    stage.in_network(&["nft", "flush", "ruleset"]);
    stage.until("wanmap", "somebody deletes the rules", is_up_without_rules);
    stage.router.mape(&["repair"]);
    stage.until("wanmap", "the service loads them", is_up);
    stage.called("wanmap", "setup", 2..=2);
}

pub fn renewals(stage: &mut Stage<'_>) {
    brought_up(stage);
    let mut struck = 0;
    for (number, moment) in moments().enumerate() {
        let (prefix, right): (_, fn(&Seen) -> bool) = match number % 2 {
            0 => (OTHER_PREFIX, is_up_elsewhere),
            _ => (PREFIX, is_up),
        };
        stage.router.line_gives(WAN6, Some(prefix));
        struck += usize::from(stage.strike("wanmap", "renew", moment));
        stage.until("wanmap", "it follows the prefix", right);
    }
    some_struck(stage, struck, "renewal");
}

pub fn teardowns(stage: &mut Stage<'_>) {
    brought_up(stage);
    let mut struck = 0;
    for moment in moments() {
        stage.router.ifdown("wanmap");
        struck += usize::from(stage.strike("wanmap", "teardown", moment));
        stage.until("wanmap", "nothing of it is left", is_gone);
        stage.router.ifup("wanmap");
        stage.until("wanmap", "and it comes up again", is_up);
    }
    some_struck(stage, struck, "teardown");
}

/// netifd stays in the teardown then, for good.
pub fn with_the_uplink(stage: &mut Stage<'_>) {
    two_lines(stage);
    for _ in 0..3 {
        stage.router.nft(Some(HANGS));
        stage.router.line_gives(WAN6, Some(PREFIX));
        stage.until("wanmap", "it has its link only", is_up_without_rules);
        stage.router.line_lost(WAN6);
        stage.strike("wanmap", "setup", Duration::ZERO);
        stage.router.nft(None);
        stage.until(
            "wanmap",
            "with the uplink everything goes",
            is_without_uplink,
        );
        stage.router.line_gives(WAN6, Some(PREFIX));
        stage.until("wanmap", "with it everything comes", is_up);
        stage.router.line_lost(WAN6);
        stage.until("wanmap", "the uplink goes", is_without_uplink);
    }
}

pub fn failing_nft(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.router.nft(Some(FAILS));
    two_lines(stage);
    stage.until("wanmap", "nft fails", |seen| {
        has_one_error(seen, "MAPE_NAT_FAILED")
    });
    stage.router.nft(None);
    stage.until("wanmap", "nft works", is_up);
}

/// It is killed after ten seconds, and the setup begins again.
pub fn hanging_nft(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.router.nft(Some(HANGS));
    two_lines(stage);
    stage.until("wanmap", "nft hangs", is_up_without_rules);
    stage.until_called("wanmap", "setup", 2);
    stage.router.nft(None);
    stage.until("wanmap", "nft works", is_up);
}

pub fn lost_device(stage: &mut Stage<'_>) {
    brought_up(stage);
    stage.in_network(&["ip", "link", "delete", "map-wanmap"]);
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.router.renew("wanmap");
    stage.until("wanmap", "the device is there again", is_up);
}

pub fn forwards_of_everything(stage: &mut Stage<'_>) {
    brought_up(stage);
    let everything = "config redirect\n\toption src wan\n\toption src_dport 1-65535\n\
                      \toption dest_ip 192.168.1.2\n\toption target DNAT\n\n\
                      config rule\n\toption src wan\n\toption proto udp\n\
                      \toption dest_port 1024-65535\n\toption target ACCEPT\n";
    stage.router.firewall(everything);
    stage.still("wanmap", "ports are left for it", is_up);
    stage.router.ifdown("wanmap");
    stage.until("wanmap", "it is down", is_gone);
    stage.router.ifup("wanmap");
    stage.until("wanmap", "it comes up with them", is_up);
    stage.router.line_gives(WAN6, Some(OTHER_PREFIX));
    stage.until("wanmap", "and with another prefix", is_up_elsewhere);
    stage.router.firewall("");
    stage.still("wanmap", "it is up without them", is_up_elsewhere);
}

/// Of the protocol of the CE's address, made by somebody else.
pub fn address_of_nobody(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.router.configure("mine", "mapeaddr", &[]);
    stage.still("mine", "there is no device for it", waits);
    stage.router.adds(WAN6, "odd", "mapeaddr", &[]);
    stage.still("odd", "it has no address", waits);
    stage.called("odd", "setup", 1..=1);
    stage.router.ifdown("odd");
    stage.until("odd", "it goes", is_gone);
}

pub fn prefix_during_a_setup(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.router.nft(Some(SLOW));
    two_lines(stage);
    stage.until("wanmap", "its rules are not there yet", is_up_without_rules);
    stage.router.line_gives(WAN6, Some(OTHER_PREFIX));
    stage.until("wanmap", "it has the last prefix", is_up_elsewhere);
    stage.router.nft(None);
}

pub fn many_prefixes(stage: &mut Stage<'_>) {
    brought_up(stage);
    for _ in 0..10 {
        stage.router.line_gives(WAN6, Some(OTHER_PREFIX));
        stage.router.line_gives(WAN6, Some(PREFIX));
    }
    stage.router.line_gives(WAN6, Some(OTHER_PREFIX));
    stage.until("wanmap", "it has the last of 21", is_up_elsewhere);
    stage.still("wanmap", "it stays there", is_up_elsewhere);
}

/// netifd keeps the errors of an interface that is not up.
pub fn many_errors(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, None);
    two_lines(stage);
    for number in 1..=8 {
        let prefix = format!("2001:db8:{number}::/56");
        stage.router.line_gives(WAN6, Some(&prefix));
        stage.until("wanmap", "it is told of a prefix of nobody's", |seen| {
            waits_without_a_prefix(seen) && seen.details[0].contains(&prefix)
        });
    }
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.until("wanmap", "there is the right one", is_up);
}

pub fn another_ubusd(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, None);
    two_lines(stage);
    stage.until("wanmap", "it waits", waits_without_a_prefix);
    stage.router.bus_dies();
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.until("wanmap", "it waited on", is_up);
    stage.router.bus_dies();
    stage.still("wanmap", "it does not mind", is_up);
    stage.router.line_gives(WAN6, Some(OTHER_PREFIX));
    stage.until("wanmap", "and follows a new prefix", is_up_elsewhere);
}
