// SPDX-License-Identifier: GPL-2.0-or-later
//! What a user does in a browser.

use super::Bench;
use super::steps::{expected, up};
use crate::Result;
use std::path::Path;
use std::process::Command;

/// A host in the LAN of the lab.
const HOST: &str = "192.168.1.11";

/// Our status page shows the address of the line.
pub fn shows(bench: &mut Bench) -> Result<String> {
    browser(bench, &["shows", &expected()?])
}

/// The interface is added, a port is forwarded and the line is diagnosed, all
/// of it by clicking.
pub fn clicks(bench: &mut Bench) -> Result<String> {
    let router = &bench.router;
    router.run("uci delete network.wanmap && uci commit network && service network reload")?;
    router.until("nft list tables", |tables| !tables.contains("mape_wanmap"))?;
    let said = browser(bench, &["clicks", "wanmap", &expected()?, HOST])?;
    let (port, diagnosis) = said.split_once(' ').ok_or("the page forwards no port")?;
    let rule = format!("nft list chain inet fw4 dstnat_wan | grep 'dport {port} ' | grep {HOST}");
    router.until(&rule, |rules| !rules.trim().is_empty())?;
    if !diagnosis.starts_with("No problem found.") {
        return Err(format!("the diagnosis says: {diagnosis}"));
    }
    Ok(format!(
        "port {port} goes to {HOST}, {diagnosis} {}",
        up(bench, "wanmap")?
    ))
}

/// Runs the browser's part, a script of its own, and returns what it printed.
fn browser(bench: &Bench, words: &[&str]) -> Result<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/qemu/luci.mjs");
    let out = Command::new("node")
        .arg(script)
        .arg(&bench.router.web)
        .args(words)
        .output()
        .map_err(|e| format!("node: {e}"))?;
    let text = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    if out.status.success() {
        return Ok(text);
    }
    Err(format!(
        "{text} {}",
        String::from_utf8_lossy(&out.stderr).trim()
    ))
}
