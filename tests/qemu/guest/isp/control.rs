// SPDX-License-Identifier: GPL-2.0-or-later
//! Commands to the lab provider: words in, JSON lines out.

use super::{Isp, Mode};
use crate::Result;
use crate::guest::init::{self, say, tell};
use crate::guest::shell;
use crate::guest::topology::Cards;
use serde_json::json;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::Duration;

/// Runs the provider that the environment describes, until `quit`.
pub fn main() -> Result<()> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let mode = Mode::parse(&variable("MAPE_ISP"))?;
    let cards = Cards {
        line: variable("MAPE_ISP_NIC"),
        lan: Some(variable("MAPE_ISP_LAN")).filter(|card| !card.is_empty()),
    };
    for card in [Some(&cards.line), cards.lan.as_ref()]
        .into_iter()
        .flatten()
    {
        appear(card)?;
    }
    let mut isp = Isp::start(mode, &variable("MAPE_PROVIDER"), &cards)?;
    for port in variable("MAPE_ISP_FORWARDS").split(',') {
        if let Ok(port) = port.parse() {
            isp.forward(port)?;
        }
    }
    isp.greet();
    say("isp: ready");
    let socket = variable("MAPE_ISP_SOCKET");
    if socket.is_empty() {
        // A terminal would answer with what it was told.
        let plain = ["stty", "-F", init::PORT, "raw", "-echo"];
        let done = Command::new("/usr/sbin/busybox").args(plain).status();
        done.map_err(|e| format!("stty: {e}"))?;
        let port = File::open(init::PORT).map_err(|e| format!("{}: {e}", init::PORT))?;
        serve(&mut isp, port);
        return Ok(());
    }
    let _ = std::fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).map_err(|e| format!("{socket}: {e}"))?;
    for stream in listener.incoming().flatten() {
        let answers = stream.try_clone().map_err(|e| e.to_string())?;
        init::report_to(Box::new(answers));
        if serve(&mut isp, stream) {
            break;
        }
    }
    let _ = std::fs::remove_file(&socket);
    Ok(())
}

/// Waits for a network card, which is handed in after the start.
fn appear(card: &str) -> Result<()> {
    let mut found = Ok(String::new());
    for _ in 0..100 {
        found = shell::run(Command::new("ip").args(["link", "show", "dev", card]));
        if found.is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    found.map(drop)
}

/// Obeys until the other side ends; true if it said `quit`.
fn serve(isp: &mut Isp, commands: impl Read) -> bool {
    for command in BufReader::new(commands).lines() {
        let Ok(command) = command else { return false };
        let words: Vec<&str> = command.split_whitespace().collect();
        let done = match words.as_slice() {
            [] => continue,
            ["quit"] => Ok(()),
            ["status"] => isp.status().map(|text| tell(&json!({ "say": text }))),
            ["mode", mode, provider @ ..] => Mode::parse(mode)
                .and_then(|mode| isp.switch(mode, provider.first().unwrap_or(&"")))
                .and_then(|()| isp.status())
                .map(|text| tell(&json!({ "say": text }))),
            ["renumber"] => isp.renumber().and_then(|()| isp.status()).map(|text| {
                tell(&json!({ "say": text }));
            }),
            ["dns", fault] => isp.confuse(fault),
            ["tls", shown] => isp.secure(shown),
            ["ca"] => {
                tell(&json!({ "say": isp.authority() }));
                Ok(())
            }
            [server @ ("answer" | "update"), fault] => isp.answer(server, fault),
            ["down"] => isp.plug("down"),
            ["up"] => isp.plug("up"),
            ["log", name] => log(name),
            ["measure", names @ ..] => isp.measure(names),
            _ => Err(format!(
                "{command}: one of status, renumber, mode NAME [PROVIDER], dns FAULT, answer FAULT, update FAULT, tls CERTIFICATE, ca, down, up, measure [NAME…], log DAEMON, quit"
            )),
        };
        match done {
            Ok(()) => tell(&json!({ "done": true })),
            Err(why) => tell(&json!({ "done": false, "error": why })),
        }
        if words == ["quit"] {
            return true;
        }
    }
    false
}

fn log(name: &str) -> Result<()> {
    let known = ["radvd", "kea-dhcp6", "tayga"];
    if !known.contains(&name) {
        return Err(format!("{name}: one of {}", known.join(", ")));
    }
    let path = format!("/run/isp/{name}.log");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    tell(&json!({ "say": text }));
    Ok(())
}
