// SPDX-License-Identifier: GPL-2.0-or-later
//! The demo: a subscriber's router comes up, and a person can watch.

use super::border;
use super::init::{say, tell};
use super::lab::Lab;
use super::oracle::{Line, OCN, V6PLUS};
use super::scenarios::fill::fill;
use super::server::WHOAMI;
use super::shell;
use super::topology::{TUNNEL, server};
use crate::Result;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Shows the line that `MAPE_PROVIDER` names, v6plus if none.
pub fn run() {
    let line = match std::env::var("MAPE_PROVIDER").as_deref() {
        Ok("ocn") => OCN,
        _ => V6PLUS,
    };
    match show(line) {
        Ok(()) => tell(&json!({ "scenario": "demo", "passed": "" })),
        Err(why) => {
            say(&format!("\n{} {why}", paint("31;1", "It did not work:")));
            tell(&json!({ "scenario": "demo", "failed": why }));
        }
    }
}

fn show(line: Line) -> Result<()> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    title("IPv4 on an IPv6-only line");
    say(&format!(
        "A router of a {} subscriber on Linux {}, with three computers behind it.\n\
         In front of it there is nothing but IPv6. All of it is real: veth, ip6tnl,\n\
         nftables; the provider's border relay drops what is not the subscriber's.",
        line.name,
        kernel.trim()
    ));

    title("The rule, and what this subscriber gets out of it");
    let (prefix, rule) = (line.end_user_prefix(), line.rule());
    let words = ["calc", "--prefix", &prefix, "--rule", &rule, "--legacy"];
    prompt(&format!(
        "mape calc --prefix {prefix} --rule {rule} --legacy"
    ));
    quote(&shell::run(std::process::Command::new("mape").args(words))?);

    title("The interface comes up");
    prompt("ifup wanmap");
    let lab = Lab::new(line)?;
    let device = lab
        .net
        .ce
        .run(&["ip", "-brief", "address", "show", "dev", TUNNEL])?;
    let tunnel = lab
        .net
        .ce
        .run(&["ip", "-d", "-6", "tunnel", "show", TUNNEL])?;
    let route = lab.net.ce.run(&["ip", "-4", "route", "show", "default"])?;
    quote(&format!(
        "{}\n{}\n{}",
        device.trim(),
        tunnel.trim(),
        route.trim()
    ));

    title("From a computer in the LAN");
    let address = server(0).to_string();
    prompt(&format!("ping -c 3 {address}"));
    quote(
        &lab.host(0)
            .run(&["ping", "-c", "3", "-i", "0.3", &address])?,
    );
    let page = format!("http://{address}/");
    prompt(&format!("wget -qO- {page}"));
    quote(&lab.host(1).run(&["wget", "-qO-", &page])?);

    ports(&lab)?;
    let refused = lab.refused()?;
    say(&format!(
        "\nPackets the border relay refused: {}",
        good(refused.total() == 0, &refused.total().to_string())
    ));
    Ok(())
}

/// Fills the port set from three computers and draws what the border relay saw.
fn ports(lab: &Lab) -> Result<()> {
    let all = lab.line.ports().len();
    title(&format!("{all} connections to one server"));
    let attempts = fill(lab, all, WHOAMI)?;
    let open = attempts.iter().filter(|attempt| attempt.open()).count();
    let seen = border::ports_seen(&lab.net.br)?;
    say(&map(&lab.line.ranges(), &seen));
    say(&format!(
        "{} of {all} connected. One SNAT rule per range, the usual way, gets 16.",
        good(open * 100 >= all * 99, &open.to_string())
    ));
    Ok(())
}

/// One cell per port, one or more ranges per row.
fn map(ranges: &[(u16, u16)], seen: &BTreeSet<u16>) -> String {
    let per_row = if ranges.len() > 20 { 3 } else { 1 };
    let mut text = String::new();
    for row in ranges.chunks(per_row) {
        for (first, last) in row {
            let _ = write!(text, "  {:<11} ", format!("{first}-{last}"));
            for port in *first..=*last {
                text += &if seen.contains(&port) {
                    paint("32", "■")
                } else {
                    paint("2", "·")
                };
            }
        }
        text.push('\n');
    }
    text
}

fn title(text: &str) {
    say(&format!("\n{}", paint("1;36", text)));
}

fn prompt(command: &str) {
    say(&format!("{} {}", paint("33", "$"), paint("1", command)));
}

fn quote(output: &str) {
    for line in output.lines() {
        say(&format!("  {line}"));
    }
}

fn good(holds: bool, text: &str) -> String {
    paint(if holds { "32;1" } else { "31;1" }, text)
}

/// Colours only where the host's terminal wants them.
fn paint(code: &str, text: &str) -> String {
    if std::env::var("MAPE_COLOR").as_deref() == Ok("1") {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}
