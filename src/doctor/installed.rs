// SPDX-License-Identifier: GPL-2.0-or-later
//! What is installed on the router, and what is in the way.

use std::fs;

use crate::handler::State;
use crate::netfilter::Chain;
use crate::paths::{rooted, run_dir, stems_in};

use super::read::read;
use super::remedy::Remedy;
use super::seen::Seen;
use crate::reason::Tell;

/// Kernel modules and the packages that have them.
const IP6_TUNNEL: (&str, &str) = ("ip6_tunnel", "kmod-ip6-tunnel");
const NAT46: (&str, &str) = ("nat46", "kmod-nat46");
const NF_TABLES: (&str, &str) = ("nf_tables", "kmod-nft-core");
const NFT_NAT: (&str, &str) = ("nft_nat", "kmod-nft-nat");

/// Packages without which MAP-T (`translates`) or a tunnel does not work.
pub(super) fn missing(translates: bool, is_up: bool) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if !exists("/usr/sbin/nft") && !exists("/sbin/nft") {
        missing.push("nftables");
    }
    // What works is there, in whatever form.
    if is_up {
        return missing;
    }
    let link = if translates { NAT46 } else { IP6_TUNNEL };
    let release = read("/proc/sys/kernel/osrelease").unwrap_or_default();
    let modules = format!("/lib/modules/{release}");
    for (module, package) in [link, NF_TABLES, NFT_NAT] {
        if !has_module(&modules, module) {
            missing.push(package);
        }
    }
    missing
}

fn exists(path: &str) -> bool {
    rooted(path).exists()
}

/// Whether a module is loaded, built in or on disk. OpenWrt has all modules in
/// one directory; if there is none at all, nothing can be said.
fn has_module(modules: &str, name: &str) -> bool {
    if !exists(modules)
        || exists(&format!("/sys/module/{name}"))
        || exists(&format!("{modules}/{name}.ko"))
    {
        return true;
    }
    let file = format!("/{name}.ko");
    let list = |name| read(&format!("{modules}/{name}")).unwrap_or_default();
    list("modules.builtin").contains(&file)
        || list("modules.dep").lines().any(|line| {
            let path = line.split(':').next().unwrap_or_default();
            path.contains(&file) && exists(&format!("{modules}/{path}"))
        })
}

/// Other programs that want the same interfaces, and what they left behind.
pub(super) fn conflicts(chains: &[Chain]) -> Vec<(Seen, Remedy)> {
    let mut found = Vec::new();
    for path in ["/lib/netifd/proto/map.sh", "/usr/sbin/mapcalc"] {
        if fs::symlink_metadata(rooted(path)).is_ok_and(|found| found.is_file()) {
            found.push((Seen::StockFiles { path }, Remedy::Reinstall {}));
        }
    }
    let apk = read("/lib/apk/db/installed").unwrap_or_default();
    if exists("/usr/lib/opkg/info/map.control") || apk.lines().any(|line| line == "P:map") {
        found.push((Seen::StockPackage {}, Remedy::Reinstall {}));
    }
    if chains.iter().any(|chain| chain.table == "mape") {
        let table = "inet mape";
        found.push((Seen::PatchedTable { table }, Remedy::DeleteTable { table }));
    }
    // State files that cannot be used.
    for interface in stems_in(&run_dir(), "json").unwrap_or_default() {
        if let Err(error) = State::load(&interface) {
            let error = error.reason();
            found.push((
                Seen::StateUnreadable { error },
                Remedy::Restart { interface },
            ));
        }
    }
    found
}
