// SPDX-License-Identifier: GPL-2.0-or-later
//! QEMU: boot, stream the console, collect the report of the second line.

use super::kernel::Kernel;
use crate::Result;
use crate::report::Outcome;
use std::fs;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A machine that says nothing for this long has hung, even on a busy host.
const SILENCE: Duration = Duration::from_secs(900);
/// No run may take longer, whatever it prints.
const LIMIT: Duration = Duration::from_secs(6 * 3600);

/// Boots, and returns what the machine reported.
pub fn run(dir: &Path, kernel: &Kernel, initramfs: &Path, mode: &str) -> Result<Outcome> {
    let mut append = command_line(mode);
    if let Some(shift) = shift(mode) {
        append += &format!(" MAPE_TICK={}", 1 << shift);
    }
    let command = machine(kernel, initramfs, &accelerator(mode), &append);
    collect(command, dir, mode)
}

/// Starts a machine, shows what it says until it ends, and returns what it
/// reported on its second serial line.
pub fn collect(mut command: Command, dir: &Path, mode: &str) -> Result<Outcome> {
    let results = dir.join("results.jsonl");
    let _ = fs::remove_file(&results);
    let errors = dir.join("qemu.log");
    let log = fs::File::create(&errors).map_err(|e| format!("{}: {e}", errors.display()))?;
    command
        .arg("-serial")
        .arg(format!("file:{}", results.display()))
        .stderr(Stdio::from(log));
    let mut child = spawn(&mut command)?;
    let limits = Some((SILENCE, LIMIT));
    let streamed = stream(&mut child, &dir.join("console.log"), mode, limits);
    if streamed.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    streamed?;
    if !status.success() {
        let why = fs::read_to_string(&errors).unwrap_or_default();
        return Err(format!("qemu-system-x86_64: {status}: {}", why.trim()));
    }
    let text = fs::read_to_string(&results).unwrap_or_default();
    Ok(Outcome::parse(&text))
}

/// A machine that boots `kernel`, with its console on standard output.
pub fn machine(kernel: &Kernel, initramfs: &Path, accel: &[String], append: &str) -> Command {
    let mut command = qemu(accel);
    command
        .args(["-m", "768", "-no-reboot", "-serial", "stdio"])
        .arg("-kernel")
        .arg(&kernel.image)
        .arg("-initrd")
        .arg(initramfs)
        .args(["-append", append])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// A machine with nothing in it.
pub fn qemu(accel: &[String]) -> Command {
    let mut command = Command::new("qemu-system-x86_64");
    command
        .args(["-machine", "q35", "-cpu", "max", "-nodefaults"])
        .args(["-display", "none"])
        .args(accel);
    command
}

/// Starts what `qemu` made.
pub fn spawn(command: &mut Command) -> Result<Child> {
    command
        .spawn()
        .map_err(|e| format!("qemu-system-x86_64: {e}; `make setup-qemu` installs it"))
}

/// Executes instructions as they come. Several machines that talk to each
/// other need a common clock, so they do not count. Emulated unless
/// `MAPE_ACCEL=kvm` says that this host can do better.
pub fn plain() -> Vec<String> {
    let accel = std::env::var("MAPE_ACCEL").unwrap_or_default();
    let accel = if accel.is_empty() { "tcg" } else { &accel };
    vec!["-accel".to_owned(), accel.to_owned()]
}

/// How instructions are executed. Unless `MAPE_ACCEL` names an accelerator,
/// the machine counts them: its clock runs by its own work, so that a busy host
/// costs time but never makes a packet late, and figures repeat. For `figures`
/// a nanosecond of that clock is an instruction.
pub fn accelerator(mode: &str) -> Vec<String> {
    match shift(mode) {
        Some(shift) => [
            "-accel",
            "tcg,thread=single",
            "-icount",
            &format!("shift={shift},sleep=off"),
        ]
        .map(str::to_owned)
        .to_vec(),
        None => plain(),
    }
}

/// Which power of two in nanoseconds an instruction takes, if they are counted.
fn shift(mode: &str) -> Option<u8> {
    let given = std::env::var_os("MAPE_ACCEL").is_some_and(|accel| !accel.is_empty());
    match mode {
        // Figures are instructions, whatever accelerator there is.
        "figures" => Some(0),
        _ => (!given).then_some(1),
    }
}

/// What the guest is told: the kernel hands unknown `NAME=value` words to
/// init as its environment.
pub fn command_line(mode: &str) -> String {
    let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut words = vec![
        "console=ttyS0 quiet loglevel=3 panic=-1 random.trust_cpu=on mitigations=off PATH=/usr/sbin:/usr/bin".to_owned(),
        format!("MAPE_MODE={mode}"),
        format!("MAPE_COLOR={}", u8::from(color)),
    ];
    for name in ["SCENARIO", "PROVIDER"] {
        if let Ok(value) = std::env::var(name)
            && !value.is_empty()
        {
            words.push(format!(
                "MAPE_{name}={}",
                value.replace(char::is_whitespace, ",")
            ));
        }
    }
    words.join(" ")
}

/// Waits until a machine's console says `word`; after that it is only kept.
pub fn until(child: &mut Child, log: &Path, word: &str) -> Result<()> {
    let console = child.stdout.take().ok_or("qemu has no console")?;
    let mut log = fs::File::create(log).map_err(|e| format!("{}: {e}", log.display()))?;
    let (sender, heard) = mpsc::channel();
    let word = word.to_owned();
    std::thread::spawn(move || {
        for line in BufReader::new(console)
            .split(b'\n')
            .map_while(std::result::Result::ok)
        {
            let _ = log.write_all(&line).and_then(|()| log.write_all(b"\n"));
            if String::from_utf8_lossy(&line).contains(&word) {
                let _ = sender.send(());
            }
        }
    });
    heard
        .recv_timeout(SILENCE)
        .map_err(|_| "the machine did not come up".to_owned())
}

/// Shows what the scenarios say, until the machine ends or a limit of its
/// silence or its whole time is reached.
pub fn stream(
    child: &mut Child,
    log: &Path,
    mode: &str,
    limits: Option<(Duration, Duration)>,
) -> Result<()> {
    let forever = Duration::from_secs(u64::from(u32::MAX));
    let (silence, limit) = limits.unwrap_or((forever, forever));
    let console = child.stdout.take().ok_or("qemu has no console")?;
    let mut log = fs::File::create(log).map_err(|e| format!("{}: {e}", log.display()))?;
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        let mut console = BufReader::new(console);
        let mut line = Vec::new();
        while console.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            if sender
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                break;
            }
            line.clear();
        }
    });
    let started = Instant::now();
    loop {
        match lines.recv_timeout(silence) {
            Ok(line) => {
                let _ = log.write_all(line.as_bytes());
                // The firmware talks before the kernel does; only what comes
                // from the scenarios is for people.
                if let Some(text) = line.trim_end().strip_prefix('\u{1}') {
                    let _ = writeln!(std::io::stdout(), "{text}");
                } else if mode != "demo" && line.contains("panic") {
                    let _ = write!(std::io::stdout(), "{line}");
                }
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                return Err(format!(
                    "the machine was silent for {} s",
                    silence.as_secs()
                ));
            }
        }
        if started.elapsed() > limit {
            return Err(format!("the machine ran longer than {} s", limit.as_secs()));
        }
    }
}
