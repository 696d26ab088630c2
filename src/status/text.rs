// SPDX-License-Identifier: GPL-2.0-or-later
//! `status` and `ports` for people.

use std::env;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};

use crate::handler::State;
use crate::map::{MapType, PortRange};
use crate::nat::{PortList, Protocol};
use crate::value::Value;
use crate::view::{Page, Row, fill};

use super::json;
use super::netifd::Phase;
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
        let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Paint(wanted && io::stdout().is_terminal())
    }

    /// `text`, in colour.
    pub fn hue(self, hue: Hue, text: &str) -> String {
        let code = match hue {
            Hue::Good => 32,
            Hue::Doubtful => 33,
            Hue::Bad => 31,
        };
        match self.0 {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }
}

/// An interface that is up. `network`, `limit` and `used_fmrs` are added to
/// the answer for people.
const UP: &[Row] = &[
    ("  type", "{type}, {dialect}"),
    (
        "  provider",
        "{provider_name} ({provider})|none, the rule is configured",
    ),
    (
        "  IPv4",
        "{ipv4_address}, shared by {sharing_ratio}, PSID {psid} (0x{psid:x})|\
         {network}, not shared",
    ),
    ("  CE address", "{ce_address}"),
    ("  BR", "{br}"),
    ("  DMR", "{dmr}"),
    ("  uplink", "{uplink}, {end_user_prefix} ({prefix_source})"),
    (
        "  tunnel",
        "{device}, MTU {mtu}, encapsulation limit {limit}|{device}, MTU {mtu}",
    ),
    ("  FMRs", "{used_fmrs}"),
    ("  NAT", "{nat.mode}: {nat.reason}"),
];

/// One that is not.
const NOT_UP: &[Row] = &[
    ("  reason", "{error.detail} ({error.code})"),
    ("  uplink", "{uplink}"),
    ("  prefix offered", "{end_user_prefix}, {prefix_source}"),
];

/// Packets that were dropped, by member of the answer.
const DROPPED: &[(&str, &str)] = &[
    ("not_ours", "not for our address and ports"),
    ("not_br", "not from the BR"),
    ("pool_number", "unasked for"),
    ("no_ports", "of protocols without ports"),
    ("guard", "before the rules were loaded"),
];

/// Writes what `mape status` shows of an interface.
pub fn status(out: &mut Page, interface: &Interface<'_>, paint: Paint) {
    let hue = match interface.phase {
        Phase::Up => Hue::Good,
        Phase::Pending | Phase::Down => Hue::Doubtful,
        Phase::Error => Hue::Bad,
    };
    let Interface { name, proto, .. } = interface;
    let phase = paint.hue(hue, interface.phase.as_str());
    write!(out, "{name} ({proto}): {phase}");
    if let Some(seconds) = interface.uptime {
        write!(out, " for {}", duration(seconds));
    }
    writeln!(out);
    let mut answer = json::interface(interface);
    let Some(line) = &interface.line else {
        out.rows(&answer, NOT_UP);
        let (label, text) = match interface.phase {
            Phase::Up => ("  note", "not set up by mape: nothing else is known of it"),
            Phase::Down if interface.known.is_none() => {
                ("  note", "not set up, as far as can be told without netifd")
            }
            Phase::Down => ("  to start it", "ifup {interface}"),
            _ => ("  for the cause", "mape doctor {interface}"),
        };
        return out.rows(&answer, &[(label, text)]);
    };
    for_people(&mut answer, line.state);
    out.rows(&answer, UP);
    if let Some(ports) = answer.get("ports") {
        used(out, ports, paint);
    }
    for (label, bytes, packets) in &[
        ("  received", "rx_bytes", "rx_packets"),
        ("  sent", "tx_bytes", "tx_packets"),
    ] {
        let count = |name| answer.get("traffic")?.get(name)?.as_u64();
        if let (Some(bytes), Some(packets)) = (count(bytes), count(packets)) {
            let bytes = size(bytes);
            out.row(label, &format_args!("{bytes} in {packets} packets"));
        }
    }
    match answer.get("dropped") {
        None | Some(Value::Null) => {}
        Some(dropped) => show_dropped(out, dropped, paint),
    }
}

/// What stands in the answer in other words, or not at all.
fn for_people(answer: &mut Value, state: &State) {
    let mapping = &state.mapping;
    let network = match mapping.ipv4() {
        whole if whole.prefix_len() < 32 => whole.to_string(),
        single => single.addr().to_string(),
    };
    answer.put("network", network.into());
    if mapping.map_type() != MapType::MapT {
        let limit = match state.encaplimit.as_deref() {
            Some("ignore") => "none",
            Some(limit) => limit,
            None => "4",
        };
        answer.put("limit", limit.into());
    }
    let count = mapping.fmrs().len();
    if count > 0 {
        let used = if state.mesh { "in use" } else { "not in use" };
        answer.put("used_fmrs", format!("{count}, {used}").into());
    }
}

fn number(object: &Value, name: &str) -> u64 {
    object.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// Number and use of the ports, of which the answer says `ports`.
fn used(out: &mut Page, ports: &Value, paint: Paint) {
    let free = number(ports, "pool");
    let mut text = format!("{free} of {} for NAT", number(ports, "total"));
    for name in &["reserved", "forwarded"] {
        let count = number(ports, name);
        if count > 0 {
            let _ = write!(text, ", {count} {name}");
        }
    }
    out.row("  ports", &text);
    let each = fill(ports, "tcp {used.tcp}, udp {used.udp}, icmp {used.icmp}");
    let most = number(ports, "used_max");
    let share = most.saturating_mul(100).checked_div(free).unwrap_or(0);
    let hue = match share {
        0..80 => Hue::Good,
        80..95 => Hue::Doubtful,
        _ => Hue::Bad,
    };
    let text = match each {
        Some(each) => {
            let bar = bar(most as usize, free as usize, 24);
            paint.hue(hue, &format!("{bar} {share:>3} %  {each}"))
        }
        None => "not known: only root may ask, and only with kmod-nf-conntrack-netlink".into(),
    };
    out.row("  in use", &text);
}

fn show_dropped(out: &mut Page, dropped: &Value, paint: Paint) {
    let mut text = String::new();
    for (name, what) in DROPPED {
        let count = number(dropped, name);
        if count > 0 {
            let comma = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{comma}{count} {what}");
        }
    }
    if text.is_empty() {
        text.push_str("none");
    }
    out.row("  dropped", &text);
    let count = number(dropped, "exhausted");
    if count > 0 {
        let text = format!("{count} connections found no free port so far");
        out.row("  exhausted", &paint.hue(Hue::Bad, &text));
    }
}

/// Writes what `mape ports` shows of an interface.
pub fn ports(out: &mut Page, interface: &Interface<'_>, paint: Paint) {
    let name = &interface.name;
    let Some(line) = &interface.line else {
        let phase = interface.phase.as_str();
        return writeln!(out, "{name}: {phase}, no ports");
    };
    let ranges = match line.ranges().count() {
        1 => "one range".into(),
        count => format!("{count} ranges"),
    };
    let (address, total) = (line.state.mapping.ipv4().addr(), line.total());
    writeln!(out, "{name}: {address}, {total} ports in {ranges}");
    used(out, &json::totals(line), paint);
    out.push("\nrange         tcp  udp icmp  # used  R reserved  F forwarded\n");
    let forwarded = line.forwarded();
    for range in line.ranges() {
        range_row(out, line, &forwarded, range);
    }
    let hosts = line.usage.as_ref().map_or(&[][..], |usage| usage.hosts());
    if !hosts.is_empty() {
        out.push("\nhost               tcp  udp icmp  name\n");
    }
    for host in hosts.iter().take(json::MAX_HOSTS) {
        let [tcp, udp, icmp] = host.ports;
        let name = interface.world().name_of(host.address).unwrap_or("-");
        let address = host.address.to_string();
        writeln!(out, "{address:<17}{tcp:>5}{udp:>5}{icmp:>5}  {name}");
    }
}

/// Widest bar in characters; a range of no more ports has one for each.
const BAR: u32 = 32;

fn range_row(out: &mut Page, line: &LineUp<'_>, forwarded: &PortList, range: PortRange) {
    let usage = line.usage.as_ref();
    write!(out, "{range:<12}");
    let mut most = 0;
    for protocol in Protocol::ALL {
        match usage.map(|usage| usage.of_range(protocol, range)) {
            Some(count) => {
                most = most.max(count);
                write!(out, "{count:>5}");
            }
            None => out.push("    ?"),
        }
    }
    if range.count() > BAR {
        let bar = bar(most, range.count() as usize, BAR as usize);
        return writeln!(out, "  {bar}");
    }
    let mut picture = String::new();
    for port in range.ports() {
        picture.push(match port {
            port if forwarded.contains(port) => 'F',
            port if line.reserved.contains(port) => 'R',
            port if usage.is_some_and(|usage| usage.has(port)) => '#',
            _ => '.',
        });
    }
    writeln!(out, "  {picture}");
}

/// `part` of `whole` as a bar of `width` characters.
fn bar(part: usize, whole: usize, width: usize) -> String {
    let filled = part.saturating_mul(width).div_ceil(whole.max(1)).min(width);
    format!("{}{}", "#".repeat(filled), ".".repeat(width - filled))
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
