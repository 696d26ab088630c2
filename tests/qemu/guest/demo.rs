// SPDX-License-Identifier: GPL-2.0-or-later
//! The demo: a subscriber's router comes up, and a person can watch.

use super::border;
use super::carrier::{RESOLVER, transix};
use super::init::{say, tell};
use super::lab::Lab;
use super::nat::Technique;
use super::oracle::{Line, OCN};
use super::router::INTERFACE;
use super::scenarios::fill::fill;
use super::server::WHOAMI;
use super::topology::server;
use super::udp;
use crate::Result;
use serde_json::json;
use std::collections::BTreeSet;
use std::net::SocketAddrV4;
use std::time::Duration;

/// Shows the line that `MAPE_PROVIDER` names, v6plus if none.
pub fn run() {
    let provider = std::env::var("MAPE_PROVIDER").unwrap_or_default();
    match Line::of(&provider).and_then(show) {
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
        "A router of a {} subscriber, with three computers behind it and nothing but IPv6\n\
         in front of it.\n\
         Real: Linux {}, its tunnel and nftables, and mape.\n\
         Played by the tests: netifd, OpenWrt's network daemon; and the provider, whose\n\
         border relay refuses every packet that is not this subscriber's.",
        line.name,
        kernel.trim()
    ));

    title("1. Two lines of configuration");
    prompt("cat /etc/config/network");
    progress("(connecting provider, servers and computers ...)");
    let (mut lab, config) = Lab::two_lines(line)?;
    quote(&config);
    prompt(&format!("ifup {INTERFACE}"));
    lab.router()?.up(&lab.net.ce)?;
    command(&lab, "status")?;

    title("2. From a computer in the LAN");
    reach_a_server(&lab)?;
    say("And on the router, whether all is well, from the uplink to the border relay:");
    command(&lab, "doctor")?;

    ports(&mut lab)?;
    game(&mut lab)?;
    ds_lite(&lab)?;

    title("That was all");
    say(&format!(
        "Next: make demo PROVIDER={}, make test-qemu SCENARIO=doctor_faults (break the line in\n\
         over 20 ways and see what mape doctor says), or README.md, Install, for your own router.",
        if line == OCN { "v6plus" } else { "ocn" }
    ));
    Ok(())
}

/// A ping and a page from two computers of the LAN.
fn reach_a_server(lab: &Lab) -> Result<()> {
    let address = server(0).to_string();
    prompt(&format!("ping -c 3 {address}"));
    let ping = ["ping", "-c", "3", "-i", "0.3", &address];
    quote(&lab.host(0).run(&ping)?);
    let page = format!("http://{address}/");
    prompt(&format!("wget -qO- {page}"));
    quote(&lab.host(1).run(&["wget", "-qO-", &page])?);
    Ok(())
}

/// Runs `mape` on the router and shows what it prints.
fn command(lab: &Lab, name: &str) -> Result<()> {
    prompt(&format!("mape {name}"));
    let output = lab.router()?.output(&lab.net.ce, &[name])?;
    quote(&String::from_utf8_lossy(&output.stdout));
    Ok(())
}

/// Fills the port set from three computers, the old way and ours, and draws
/// which ports the border relay saw.
fn ports(lab: &mut Lab) -> Result<()> {
    let all = lab.line.ports().len();
    title(&format!(
        "3. {all} connections to one server, the old way and the new way"
    ));
    let (old, old_ports) = connect(
        lab,
        Technique::Stock,
        "with the rules of OpenWrt's map package",
    )?;
    let (new, new_ports) = connect(lab, Technique::Pool, "with mape")?;
    let refused = lab.refused()?;
    say(&side_by_side(
        &lab.line.ranges(),
        (&format!("map package: {old} of {all}"), &old_ports),
        (&format!("mape: {new} of {all}"), &new_ports),
    ));
    say(&format!(
        "Each square is one of the subscriber's ports; green ones are in use.\n\
         Connected with mape: {}. Packets of it that the border relay refused: {}.",
        good(new * 100 >= all * 99, &format!("{new} of {all}")),
        good(refused.total() == 0, &refused.total().to_string())
    ));
    Ok(())
}

/// How many connections were made, and from which ports.
fn connect(lab: &mut Lab, technique: Technique, how: &str) -> Result<(usize, BTreeSet<u16>)> {
    progress(&format!("connecting {how} ..."));
    lab.nat(technique)?;
    border::forget_ports(&lab.net.br)?;
    let attempts = fill(lab, lab.line.ports().len(), WHOAMI)?;
    let open = attempts.iter().filter(|attempt| attempt.open()).count();
    Ok((open, border::ports_seen(&lab.net.br)?))
}

/// What a game console asks before it plays: does every server see one port?
fn game(lab: &mut Lab) -> Result<()> {
    title("4. A game's NAT test: one socket asks five servers which port they see");
    for (technique, name) in [
        (Technique::Forks, "map package, patched"),
        (Technique::Pool, "mape"),
    ] {
        lab.nat(technique)?;
        let socket = lab.host(2).within(udp::socket)?;
        for to in 0..5 {
            udp::send(
                &socket,
                b"which port?",
                SocketAddrV4::new(server(to), WHOAMI),
            )?;
        }
        let answers = udp::collect(&[socket], 5, Duration::from_secs(3));
        let seen: Vec<u16> = answers.values().filter_map(|a| udp::seen_port(a)).collect();
        let one = seen.len() == 5 && seen.iter().all(|port| seen.first() == Some(port));
        let verdict = if one {
            "one port for all: NAT type A or B, other players can connect"
        } else {
            "a port for each: NAT type C, other players cannot connect"
        };
        let text: Vec<String> = seen.iter().map(u16::to_string).collect();
        say(&format!(
            "  {name:<21} {:<35} {}",
            text.join(" "),
            good(one, verdict)
        ));
    }
    Ok(())
}

/// The line becomes one of DS-Lite; the configuration stays.
fn ds_lite(lab: &Lab) -> Result<()> {
    title("5. Another kind of line, the same two lines of configuration");
    say(&format!(
        "The provider changes the line to DS-Lite: the prefix is now {}/56, of transix,\n\
         and the provider translates (at the AFTR), so the router must not.",
        transix::PREFIX
    ));
    let _resolver = transix::resolver(&lab.net)?;
    let router = lab.router()?;
    router.uplink_dns(&[&RESOLVER.to_string()]);
    progress("(mape notices the prefix and asks the line's resolver for the AFTR ...)");
    transix::take_over(&lab.net, router)?;
    let address = server(0).to_string();
    // The AFTR of the lab learns from a first packet where the router is.
    lab.host(0)
        .run(&["ping", "-c", "2", "-i", "0.3", "-W", "1", &address])?;
    command(lab, "status")?;
    reach_a_server(lab)
}

/// Two pictures of the port set; one range in a row, or two if there are many.
fn side_by_side(
    ranges: &[(u16, u16)],
    left: (&str, &BTreeSet<u16>),
    right: (&str, &BTreeSet<u16>),
) -> String {
    let many = ranges.len() > 20;
    let width = if many { 33 } else { 16 };
    let margin = if many { 0 } else { 14 };
    let mut text = format!("{:margin$}{:<width$}    {}\n", "", left.0, right.0);
    let gap = left.0.len().saturating_sub(width);
    for row in ranges.chunks(if many { 2 } else { 1 }) {
        if let (false, Some((first, last))) = (many, row.first()) {
            text += &format!("  {:<11} ", format!("{first}-{last}"));
        }
        text += &format!(
            "{}    {:gap$}{}\n",
            squares(row, left.1),
            "",
            squares(row, right.1)
        );
    }
    text
}

/// One square per port.
fn squares(ranges: &[(u16, u16)], used: &BTreeSet<u16>) -> String {
    let range = |&(first, last): &(u16, u16)| -> String {
        (first..=last)
            .map(|port| match used.contains(&port) {
                true => paint("32", "■"),
                false => paint("2", "·"),
            })
            .collect()
    };
    let drawn: Vec<String> = ranges.iter().map(range).collect();
    drawn.join(" ")
}

fn title(text: &str) {
    say(&format!("\n{}", paint("1;36", text)));
}

fn prompt(command: &str) {
    say(&format!("{} {}", paint("33", "$"), paint("1", command)));
}

/// Says what the machine is busy with.
fn progress(text: &str) {
    say(&paint("2", text));
}

fn quote(output: &str) {
    for line in output.lines() {
        say(&format!("  {line}"));
    }
}

fn good(holds: bool, text: &str) -> String {
    paint(if holds { "32;1" } else { "31;1" }, text)
}

/// Colours only if the host's terminal wants them.
fn paint(code: &str, text: &str) -> String {
    if std::env::var("MAPE_COLOR").as_deref() == Ok("1") {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}
