// SPDX-License-Identifier: GPL-2.0-or-later
//! Scenarios of lines without MAP.

use super::subscriber::{
    OTHER_PREFIX, PREFIX, WAN6, WAN7, brought_up, is_gone, is_up, two_lines, waits,
};
use super::{Seen, Stage, supervised_process};
use nix::sys::signal::{Signal, kill};

const AFTR: &str = "2001:db8:aaaa::1";
/// The B4's address in PREFIX and OTHER_PREFIX.
const B4: &str = "240b:10:1:200:0:c000:2:0";
const OTHER_B4: &str = "240b:10:1:300:0:c000:2:0";

/// A tunnel without MAP, with what goes with it.
fn is_tunnel(seen: &Seen, ce: &str, remote: &str, ipv4: &str) -> bool {
    seen.up
        && seen.tunnel == Some((ce.into(), remote.into()))
        && seen.ipv4 == [ipv4]
        && seen.default_route
        && seen.ce == [ce]
        && !seen.tables.is_empty()
        && seen.errors.is_empty()
}

pub(super) fn ds_lite(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    let options = [
        ("tunlink", "wan6"),
        ("maptype", "ds-lite"),
        ("peeraddr", AFTR),
    ];
    stage.router.configure("wanmap", "mape", &options);
    stage.until("wanmap", "it is up", |seen| {
        is_tunnel(seen, B4, AFTR, "192.0.0.2")
    });
    stage.router.line_gives(WAN6, Some(OTHER_PREFIX));
    stage.until("wanmap", "it moves", |seen| {
        is_tunnel(seen, OTHER_B4, AFTR, "192.0.0.2")
    });
    stage.router.ifdown("wanmap");
    stage.until("wanmap", "it is gone", is_gone);
}

pub(super) fn fixed_address(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    let options = [
        ("tunlink", "wan6"),
        ("maptype", "ipip"),
        ("peeraddr", AFTR),
        ("ipaddr", "203.0.113.8/29"),
        ("interfaceid", "0000:0000:0000:feed"),
    ];
    stage.router.configure("wanmap", "mape", &options);
    stage.until("wanmap", "it is up", |seen| {
        is_tunnel(seen, "240b:10:1:200::feed", AFTR, "203.0.113.8")
    });
    stage.router.line_gives(WAN6, Some(OTHER_PREFIX));
    stage.until("wanmap", "it moves", |seen| {
        is_tunnel(seen, "240b:10:1:300::feed", AFTR, "203.0.113.8")
    });
    stage.router.ifdown("wanmap");
    stage.until("wanmap", "it is gone", is_gone);
}

/// An address that is to be registered has a process of its own beside the link.
pub(super) fn supervised(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    let options = [
        ("tunlink", "wan6"),
        ("maptype", "ipip"),
        ("peeraddr", AFTR),
        ("ipaddr", "203.0.113.8"),
        ("interfaceid", "::feed"),
        // Nobody answers there.
        ("update_url", "http://[2001:db8::1]/"),
    ];
    stage.router.configure("wanmap", "mape", &options);
    let is_up = |seen: &Seen| is_tunnel(seen, "240b:10:1:200::feed", AFTR, "203.0.113.8");
    stage.until("wanmap", "it is up", is_up);
    let first = stage.supervised_process("wanmap", None);
    kill(first, Signal::SIGSTOP).unwrap();
    stage.still(
        "wanmap",
        "a process that stands still disturbs nothing",
        is_up,
    );
    stage.called("wanmap", "setup", 1..=1);
    stage.router.line_gives(WAN6, Some(OTHER_PREFIX));
    let moved = |seen: &Seen| is_tunnel(seen, "240b:10:1:300::feed", AFTR, "203.0.113.8");
    stage.until("wanmap", "nor does it hold up a change", moved);
    let second = stage.supervised_process("wanmap", Some(first));
    kill(second, Signal::SIGKILL).unwrap();
    stage.supervised_process("wanmap", Some(second));
    stage.until("wanmap", "without its process it is set up again", moved);
    stage.router.ifdown("wanmap");
    stage.until("wanmap", "it is gone", is_gone);
    let left = supervised_process("wanmap", &stage.router.network());
    assert_eq!(left, None, "the process is left");
}

/// A line of transix whose resolvers do not answer.
pub(super) fn unresolved(stage: &mut Stage<'_>) {
    stage
        .router
        .line_gives(WAN6, Some("2409:10:a040:1c00::/56"));
    two_lines(stage);
    stage.until("wanmap", "it waits for the name", |seen| {
        waits(seen) && seen.errors == ["MAPE_NAME_NOT_RESOLVED"]
    });
    stage.router.line_gives(WAN6, Some(PREFIX));
    stage.until("wanmap", "it is up with MAP-E", is_up);
}

pub(super) fn two_mechanisms(stage: &mut Stage<'_>) {
    brought_up(stage);
    stage.router.line_gives(WAN7, Some("2001:db8:12:3400::/56"));
    let options = [
        ("tunlink", "wan7"),
        ("maptype", "ds-lite"),
        ("peeraddr", AFTR),
        ("defaultroute", "0"),
    ];
    stage.router.configure("wands", "mape", &options);
    let ends = Some(("2001:db8:12:3400:0:c000:2:0".into(), AFTR.into()));
    stage.until("wands", "it is up", |seen| {
        seen.up && seen.tunnel == ends && seen.ipv4 == ["192.0.0.2"] && !seen.default_route
    });
    stage.until("wanmap", "it stays up", is_up);
    stage.router.ifdown("wands");
    stage.until("wands", "it is gone", is_gone);
    stage.until("wanmap", "it stays up alone", is_up);
}
