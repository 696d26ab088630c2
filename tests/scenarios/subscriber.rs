// SPDX-License-Identifier: GPL-2.0-or-later
//! The subscriber of the scenarios: lines, prefixes, and how the interface then
//! looks.

use super::{Line, Seen, Stage};

pub(super) const WAN6: Line = Line {
    interface: "wan6",
    device: "wan",
    address: "2001:db8:ffff::2",
    gateway: "2001:db8:ffff::1",
};
pub(super) const WAN7: Line = Line {
    interface: "wan7",
    device: "wanb",
    address: "2001:db8:eeee::2",
    gateway: "2001:db8:eeee::1",
};

pub(super) const BR: &str = "2404:9200:225:100::64";

/// A prefix of v6plus and what follows from it.
pub(super) const PREFIX: &str = "240b:10:1:200::/56";
pub(super) const CE: &str = "240b:10:1:200:6a:4800:100:200";
pub(super) const IPV4: &str = "106.72.0.1";
/// Another of the same provider, with another PSID.
pub(super) const OTHER_PREFIX: &str = "240b:10:1:300::/56";
pub(super) const OTHER_CE: &str = "240b:10:1:300:6a:4800:100:300";

pub(super) fn is_up(seen: &Seen) -> bool {
    seen.up && stands(seen, CE, IPV4)
}

pub(super) fn is_up_elsewhere(seen: &Seen) -> bool {
    seen.up && stands(seen, OTHER_CE, IPV4)
}

pub(super) fn stands(seen: &Seen, ce: &str, ipv4: &str) -> bool {
    seen.tunnel == Some((ce.into(), BR.into()))
        && seen.ipv4 == [ipv4]
        && seen.default_route
        && seen.ce == [ce]
        && !seen.tables.is_empty()
        && seen.errors.is_empty()
}

/// Down, and nothing of it is left anywhere.
pub(super) fn is_gone(seen: &Seen) -> bool {
    !seen.up && !seen.pending && leaves_nothing(seen)
}

pub(super) fn leaves_nothing(seen: &Seen) -> bool {
    seen.tunnel.is_none() && seen.ce.is_empty() && seen.ipv4.is_empty() && seen.tables.is_empty()
}

/// The same, and netifd waits for the uplink.
pub(super) fn is_without_uplink(seen: &Seen) -> bool {
    is_gone(seen) && seen.errors == ["NO_DEVICE"]
}

/// Not up, but it will be when it can.
pub(super) fn waits(seen: &Seen) -> bool {
    !seen.up && seen.tunnel.is_none() && !seen.default_route
}

/// The two lines of configuration that suffice.
pub(super) fn two_lines(stage: &mut Stage<'_>) {
    let options = [("tunlink", "wan6")];
    stage.router.configure("wanmap", "mape", &options);
}

pub(super) fn brought_up(stage: &mut Stage<'_>) {
    stage.router.line_gives(WAN6, Some(PREFIX));
    two_lines(stage);
    stage.until("wanmap", "it is up", is_up);
}
