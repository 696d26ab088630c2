// SPDX-License-Identifier: GPL-2.0-or-later
//! `status` and `ports` for people.

use std::fmt::Display;
use std::io::{self, Write};

use crate::map::{Border, MapType, PortRange};
use crate::nat::Protocol;

use super::netifd::Phase;
use super::usage::Usage;
use super::world::{Interface, LineUp};

/// Colours, or none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint(bool);

/// What a colour means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hue {
    /// All is well.
    Good,
    /// Worth a look.
    Doubtful,
    /// Broken.
    Bad,
}

impl Paint {
    /// No colours.
    pub const PLAIN: Paint = Paint(false);

    /// Colours where standard output is a terminal and `NO_COLOR` is not set
    /// (<https://no-color.org>).
    pub fn for_stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Paint(wanted && io::IsTerminal::is_terminal(&io::stdout()))
    }

    /// `text`, in colour.
    pub fn hue(self, hue: Hue, text: impl Display) -> String {
        let code = match hue {
            Hue::Good => 32,
            Hue::Doubtful => 33,
            Hue::Bad => 31,
        };
        match self.0 {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_string(),
        }
    }
}

/// Writes what `mape status` shows of an interface.
///
/// # Errors
/// What writing says.
pub fn status(out: &mut dyn Write, interface: &Interface<'_>, paint: Paint) -> io::Result<()> {
    let (hue, word) = match interface.phase {
        Phase::Up => (Hue::Good, "up"),
        Phase::Pending => (Hue::Doubtful, "pending"),
        Phase::Error => (Hue::Bad, "error"),
        Phase::Down => (Hue::Doubtful, "down"),
    };
    let since = interface.uptime.map(|s| format!(" for {}", duration(s)));
    let since = since.unwrap_or_default();
    let Interface { name, proto, .. } = interface;
    writeln!(out, "{name} ({proto}): {}{since}", paint.hue(hue, word))?;
    match &interface.error {
        Some((code, detail)) if interface.phase != Phase::Up => {
            row(out, "reason", format!("{detail} ({code})"))?;
        }
        _ => {}
    }
    match &interface.line {
        Some(line) => up(out, line, paint),
        None => not_up(out, interface),
    }
}

fn not_up(out: &mut dyn Write, interface: &Interface<'_>) -> io::Result<()> {
    let (uplink, candidate) = interface.uplink();
    if let Some(uplink) = uplink {
        row(out, "uplink", uplink)?;
    }
    if let Some(candidate) = candidate {
        let text = format!("{}, {}", candidate.prefix, candidate.source);
        row(out, "prefix offered", text)?;
    }
    match interface.phase {
        Phase::Up => row(
            out,
            "note",
            "not set up by mape: nothing else is known of it",
        ),
        Phase::Down if interface.known.is_none() => row(
            out,
            "note",
            "not set up, as far as can be told without netifd",
        ),
        Phase::Down => {
            let name = &interface.name;
            row(out, "to start it", format!("ifup {name}"))
        }
        _ => {
            let name = &interface.name;
            row(out, "for the cause", format!("mape doctor {name}"))
        }
    }
}

fn up(out: &mut dyn Write, line: &LineUp<'_>, paint: Paint) -> io::Result<()> {
    let state = line.state;
    let mapping = &state.mapping;
    let ports = mapping.ports();
    let kind = format!("{}, {}", mapping.map_type(), mapping.dialect());
    row(out, "type", kind)?;
    let provider = match &state.provider {
        Some((id, name)) => format!("{name} ({id})"),
        None => "none, the rule is configured".into(),
    };
    row(out, "provider", provider)?;
    let ipv4 = match ports.is_shared() {
        true => format!(
            "{}, shared by {}, PSID {} (0x{3:x})",
            mapping.ipv4().addr(),
            ports.params().sharing_ratio(),
            ports.psid().value(),
            ports.psid().value(),
        ),
        false if mapping.ipv4().prefix_len() == 32 => {
            format!("{}, not shared", mapping.ipv4().addr())
        }
        false => format!("{}, not shared", mapping.ipv4()),
    };
    row(out, "IPv4", ipv4)?;
    row(out, "CE address", mapping.ce_address())?;
    match mapping.border() {
        Some(Border::Br(br)) => row(out, "BR", br)?,
        Some(Border::Dmr(dmr)) => row(out, "DMR", dmr)?,
        None => {}
    }
    let uplink = format!(
        "{}, {} ({})",
        state.uplink,
        mapping.end_user(),
        state.prefix_source
    );
    row(out, "uplink", uplink)?;
    let mut tunnel = format!("{}, MTU {}", state.device, state.mtu);
    if mapping.map_type() != MapType::MapT {
        let limit = match state.encaplimit.as_deref() {
            Some("ignore") => "none",
            Some(limit) => limit,
            None => "4",
        };
        tunnel = format!("{tunnel}, encapsulation limit {limit}");
    }
    row(out, "tunnel", tunnel)?;
    if !mapping.fmrs().is_empty() {
        let used = if state.mesh { "in use" } else { "not in use" };
        row(out, "FMRs", format!("{}, {used}", mapping.fmrs().len()))?;
    }
    let (mode, reason) = &state.technique;
    row(out, "NAT", format!("{mode}: {reason}"))?;
    used(out, line, paint)?;
    counters(out, line, paint)
}

const HIDDEN: &str = "not known: only root may ask, and only with kmod-nf-conntrack-netlink";

fn used(out: &mut dyn Write, line: &LineUp<'_>, paint: Paint) -> io::Result<()> {
    let mut text = format!("{} of {} for NAT", line.free(), line.total());
    for (count, what) in [
        (line.reserved.count(), "reserved"),
        (line.forwarded().count(), "forwarded"),
    ] {
        if count > 0 {
            text = format!("{text}, {count} {what}");
        }
    }
    row(out, "ports", text)?;
    let Some(usage) = &line.usage else {
        return row(out, "in use", HIDDEN);
    };
    let free = line.free() as usize;
    let share = usage
        .max()
        .saturating_mul(100)
        .checked_div(free)
        .unwrap_or(0);
    let hue = match share {
        0..80 => Hue::Good,
        80..95 => Hue::Doubtful,
        _ => Hue::Bad,
    };
    let each = Protocol::ALL.map(|p| format!("{} {}", p.name(), usage.of(p)));
    let text = format!(
        "{} {share:>3} %  {}",
        bar(usage.max(), free, 24),
        each.join(", ")
    );
    row(out, "in use", paint.hue(hue, text))
}

fn counters(out: &mut dyn Write, line: &LineUp<'_>, paint: Paint) -> io::Result<()> {
    if let Some(traffic) = line.traffic {
        for (label, bytes, packets) in [
            ("received", traffic.rx_bytes, traffic.rx_packets),
            ("sent", traffic.tx_bytes, traffic.tx_packets),
        ] {
            row(out, label, format!("{} in {packets} packets", size(bytes)))?;
        }
    }
    let Some(dropped) = line.dropped else {
        return Ok(());
    };
    let all = [
        (dropped.not_ours, "not for our address and ports"),
        (dropped.not_br, "not from the BR"),
        (dropped.pool_number, "unasked for"),
        (dropped.no_ports, "of protocols without ports"),
        (dropped.guard, "before the rules were loaded"),
    ];
    let seen = all.into_iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = seen
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let text = match words.is_empty() {
        true => "none".into(),
        false => words.join(", "),
    };
    row(out, "dropped", text)?;
    if dropped.exhausted > 0 {
        let text = format!(
            "{} connections found no free port so far",
            dropped.exhausted
        );
        row(out, "exhausted", paint.hue(Hue::Bad, text))?;
    }
    Ok(())
}

/// Writes what `mape ports` shows of an interface.
///
/// # Errors
/// What writing says.
pub fn ports(out: &mut dyn Write, interface: &Interface<'_>, paint: Paint) -> io::Result<()> {
    let Some(line) = &interface.line else {
        let (name, phase) = (&interface.name, interface.phase.as_str());
        return writeln!(out, "{name}: {phase}, no ports");
    };
    let ranges = match line.ranges().count() {
        1 => "one range".into(),
        count => format!("{count} ranges"),
    };
    let address = line.state.mapping.ipv4().addr();
    let name = &interface.name;
    writeln!(out, "{name}: {address}, {} ports in {ranges}", line.total())?;
    used(out, line, paint)?;
    let header = ["tcp", "udp", "icmp"].map(|p| format!("{p:>5}")).concat();
    writeln!(
        out,
        "\n{:<12}{header}  # used  R reserved  F forwarded",
        "range"
    )?;
    for range in line.ranges() {
        range_row(out, line, range)?;
    }
    if let Some(usage) = &line.usage {
        hosts(out, interface, usage)?;
    }
    Ok(())
}

/// Widest bar in characters; a range of no more ports has one for each.
const BAR: u32 = 32;

fn range_row(out: &mut dyn Write, line: &LineUp<'_>, range: PortRange) -> io::Result<()> {
    let count = |p| line.usage.as_ref().map(|usage| usage.of_range(p, range));
    let counts = Protocol::ALL.map(count);
    let cells = counts.map(|count| match count {
        Some(count) => format!("{count:>5}"),
        None => format!("{:>5}", "?"),
    });
    let forwarded = line.forwarded();
    let picture: String = if range.count() <= BAR {
        let cell = |port| match port {
            port if forwarded.contains(port) => 'F',
            port if line.reserved.contains(port) => 'R',
            port if line.usage.as_ref().is_some_and(|usage| usage.has(port)) => '#',
            _ => '.',
        };
        range.ports().map(cell).collect()
    } else {
        let most = counts.into_iter().flatten().max().unwrap_or(0);
        bar(most, range.count() as usize, BAR as usize)
    };
    writeln!(out, "{range:<12}{}  {picture}", cells.concat())
}

fn hosts(out: &mut dyn Write, interface: &Interface<'_>, usage: &Usage) -> io::Result<()> {
    if usage.hosts().is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{:<17}{:>5}{:>5}{:>5}  name",
        "host", "tcp", "udp", "icmp"
    )?;
    for host in usage.hosts().iter().take(super::json::MAX_HOSTS) {
        let [tcp, udp, icmp] = host.ports;
        let name = interface.world().name_of(host.address).unwrap_or("-");
        let address = host.address.to_string();
        writeln!(out, "{address:<17}{tcp:>5}{udp:>5}{icmp:>5}  {name}")?;
    }
    Ok(())
}

/// `part` of `whole` as a bar of `width` characters.
fn bar(part: usize, whole: usize, width: usize) -> String {
    let filled = part.saturating_mul(width).div_ceil(whole.max(1)).min(width);
    format!("{}{}", "#".repeat(filled), ".".repeat(width - filled))
}

fn row(out: &mut dyn Write, label: &str, text: impl Display) -> io::Result<()> {
    writeln!(out, "  {label:<16}{text}")
}

/// Days, hours, minutes, seconds: the two largest.
fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// Bytes in binary units.
fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    // In 1024ths of the unit, so that a digit after the point is left.
    let mut rest = bytes;
    for unit in units {
        if rest < 1024 * 1024 {
            let tenths = rest * 10 / 1024;
            return match rest {
                0..1024 => format!("{bytes} bytes"),
                _ => format!("{}.{} {unit}", tenths / 10, tenths % 10),
            };
        }
        rest /= 1024;
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times() {
        let sizes = [
            0,
            1023,
            1024,
            1536,
            1024 * 1024 - 1,
            1024 * 1024,
            5 << 30,
            u64::MAX,
        ];
        assert_eq!(
            sizes.map(size),
            [
                "0 bytes",
                "1023 bytes",
                "1.0 KiB",
                "1.5 KiB",
                "1023.9 KiB",
                "1.0 MiB",
                "5.0 GiB",
                "15.9 EiB"
            ]
        );
        let times = [59, 61, 3600, 90_000];
        assert_eq!(
            times.map(duration),
            ["59 s", "1 min 1 s", "1 h 0 min", "1 d 1 h"]
        );
    }

    #[test]
    fn bars_show_that_there_is_something() {
        assert_eq!(bar(0, 240, 8), "........");
        assert_eq!(bar(1, 240, 8), "#.......");
        assert_eq!(bar(120, 240, 8), "####....");
        assert_eq!(bar(500, 240, 8), "########");
        assert_eq!(bar(1, 0, 8), "########");
    }

    #[test]
    fn colour_is_an_extra() {
        assert_eq!(Paint::PLAIN.hue(Hue::Bad, "x"), "x");
        assert_eq!(Paint(true).hue(Hue::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
