// SPDX-License-Identifier: GPL-2.0-or-later
//! What a router goes through: its services are restarted, and its power goes.

use super::Bench;
use super::router::Router;
use super::steps::up;
use crate::Result;
use std::time::Duration;

/// Restarts netifd with all its interfaces. Not in the foreground: the
/// connection goes through one of these.
const RESTART: &str = "(sleep 1; service network restart) </dev/null >/dev/null 2>&1 &";

/// `service network restart`.
pub fn network(bench: &mut Bench) -> Result<String> {
    let router = &bench.router;
    let before = router.run("pidof netifd")?;
    router.run(RESTART)?;
    router.until("pidof netifd", |now| {
        !now.trim().is_empty() && now != before
    })?;
    up(bench, "wanmap")
}

/// `service firewall restart` removes every table, ours as well.
pub fn firewall(bench: &mut Bench) -> Result<String> {
    let tables = "nft list tables | grep mape_wanmap | sort";
    let before = bench.router.run(tables)?;
    bench.router.run("service firewall restart")?;
    let after = bench.router.until(tables, |now| now == before)?;
    let seen = up(bench, "wanmap")?;
    Ok(format!(
        "{} tables as before, {seen}",
        after.lines().count()
    ))
}

/// The power goes while the interface is being set up.
pub fn power(bench: &mut Bench) -> Result<String> {
    let setup = "(ifup wanmap) </dev/null >/dev/null 2>&1 &";
    bench.router.run(setup)?;
    std::thread::sleep(Duration::from_millis(100));
    bench.router.power_cut()?;
    up(bench, "wanmap")
}

/// How a first installation was felt: netifd has to be restarted for it, once,
/// and the DHCPv6 client that starts then must not be refused.
pub fn interruption(router: &Router) -> Result<String> {
    let count = |word: &str| {
        let line = format!("logread | grep -c \"{word}\" || true");
        router.run(&line).map(|text| text.trim().to_owned())
    };
    let downs = count("Interface 'wan6' is now down")?;
    let refused = count("notify_proto.*(Invalid argument)")?;
    if (downs.as_str(), refused.as_str()) != ("1", "0") {
        return Err(format!(
            "the uplink went down {downs} times, DHCPv6 was refused {refused} times"
        ));
    }
    let times = router.run(
        "logread | grep -o \"[0-9:]* 20.*'wan6' is now [a-z]*\" | \
         sed \"s/ .* / /\" | tail -n 2 | tr '\\n' ' '",
    )?;
    Ok(format!(
        "one interruption, no refused client: {}",
        times.trim()
    ))
}
