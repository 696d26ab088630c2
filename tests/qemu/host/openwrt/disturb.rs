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
    // netifd says nothing of its interfaces when it ends.
    let ups = count("Interface 'wan6' is now up")?;
    let refused = count("notify_proto.*(Invalid argument)")?;
    if (ups.as_str(), refused.as_str()) != ("2", "0") {
        return Err(format!(
            "the uplink came up {ups} times, DHCPv6 was refused {refused} times"
        ));
    }
    let times = router.run(
        "logread | grep \"Interface 'wan6' is \\(setting up now\\|now up\\)\" | \
         tail -n 2 | sed 's/.* \\([0-9:]\\{8\\}\\) .*/\\1/' | tr '\\n' ' '",
    )?;
    Ok(format!(
        "one interruption, no refused client; asked and up at {}",
        times.trim()
    ))
}
