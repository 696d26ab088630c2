// SPDX-License-Identifier: GPL-2.0-or-later
//! `status` and `ports` for people.

use std::fmt::{self, Write as _};

use crate::console::{Hue, Paint, bar, duration, row, size, title};
use crate::handler::{Registration, State};
use crate::map::{Border, PortRange};
use crate::mechanism::{Kind, Mechanism};
use crate::nat::{PortList, Protocol};
use crate::uplink::Candidate;

use super::answer::{PortCounts, Used};
use super::netifd::Phase;
use super::ports::MAX_HOSTS;
use super::usage::Fill;
use super::world::{Dropped, Interface, LineUp};

/// Prints what `mape status` shows of an interface.
///
/// # Errors
/// None: writing to a `String` does not fail.
pub fn status(out: &mut String, interface: &Interface<'_>, paint: Paint) -> fmt::Result {
    let hue = match interface.phase {
        Phase::Up => Hue::Good,
        Phase::Pending | Phase::Down => Hue::Doubtful,
        Phase::Error => Hue::Bad,
    };
    let Interface { name, proto, .. } = interface;
    let phase = paint.hue(hue, interface.phase.as_str());
    write!(out, "{name} ({proto}): {phase}")?;
    if let Some(seconds) = interface.uptime {
        write!(out, " for {}", duration(seconds))?;
    }
    writeln!(out)?;
    if let Some(asked) = interface.asked()
        && let Some(failure) = asked.failure()
    {
        let wait = duration(asked.next.saturating_sub(interface.world().boot_seconds));
        let text =
            format!("the line does not say how it carries IPv4: {failure}; next try in {wait}");
        row(out, "  HB46PP", paint.hue(Hue::Doubtful, &text))?;
    }
    match &interface.line {
        Some(line) => {
            up(out, line, paint)?;
            let now = interface.world().boot_seconds;
            let registration = line.registration;
            registration.map_or(Ok(()), |found| show_registration(out, found, now, paint))
        }
        None => not_up(out, interface),
    }
}

fn up(out: &mut String, line: &LineUp<'_>, paint: Paint) -> fmt::Result {
    link(out, line.state)?;
    used(out, line, paint)?;
    if let Some(traffic) = &line.traffic {
        for (label, bytes, packets) in [
            ("  received", traffic.rx_bytes, traffic.rx_packets),
            ("  sent", traffic.tx_bytes, traffic.tx_packets),
        ] {
            let (bytes, plural) = (size(bytes), if packets == 1 { "" } else { "s" });
            let total = format_args!("{bytes} in {packets} packet{plural}");
            row(out, label, total)?;
        }
    }
    match &line.dropped {
        Some(dropped) => show_dropped(out, dropped, paint),
        None => Ok(()),
    }
}

/// The link as it was set up.
fn link(out: &mut String, state: &State) -> fmt::Result {
    let mechanism = &state.mechanism;
    let kind = mechanism.kind();
    match mechanism.mapping() {
        Some(mapping) => row(out, "  type", format_args!("{kind}, {}", mapping.dialect()))?,
        None => row(out, "  type", kind)?,
    }
    if !state.why.is_empty() {
        row(out, "  chosen because", &state.why)?;
    }
    match &state.provider {
        Some((id, name)) => row(out, "  provider", title(name, id))?,
        None if mechanism.mapping().is_some() => {
            row(out, "  provider", "none, the rule is configured")?;
        }
        None => {}
    }
    row(out, "  IPv4", addresses(mechanism))?;
    row(out, "  CE address", mechanism.ce_address())?;
    match (mechanism, mechanism.border()) {
        (Mechanism::DsLite(line), _) => match line.name() {
            Some(name) => row(out, "  AFTR", format_args!("{}, {name}", line.aftr()))?,
            None => row(out, "  AFTR", line.aftr())?,
        },
        (_, Some(Border::Br(br))) => row(out, "  BR", br)?,
        (_, Some(Border::Dmr(dmr))) => row(out, "  DMR", dmr)?,
        (_, None) => {}
    }
    let (uplink, source) = (&state.uplink, &state.prefix_source);
    let end_user = mechanism.end_user();
    row(
        out,
        "  uplink",
        format_args!("{uplink}, {end_user} ({source})"),
    )?;
    let tunnel = format!("{}, MTU {}", state.device, state.mtu);
    match (kind, state.encaplimit.as_deref()) {
        (Kind::MapT, _) => row(out, "  tunnel", tunnel)?,
        (_, limit) => {
            let limit = match limit {
                Some("ignore") | None => "none",
                Some(limit) => limit,
            };
            let text = format_args!("{tunnel}, encapsulation limit {limit}");
            row(out, "  tunnel", text)?;
        }
    }
    let fmrs = mechanism.fmrs().len();
    if fmrs > 0 {
        let used = if state.mesh { "in use" } else { "not in use" };
        row(out, "  FMRs", format_args!("{fmrs}, {used}"))?;
    }
    let (mode, reason) = &state.technique;
    row(out, "  NAT", format_args!("{mode}: {reason}"))
}

fn addresses(mechanism: &Mechanism) -> String {
    let ipv4 = mechanism.ipv4();
    let Some(ports) = mechanism.ports() else {
        return format!("{}, translated by the AFTR", ipv4.addr());
    };
    if ports.is_shared() {
        let (ratio, psid) = (ports.params().sharing_ratio(), ports.psid().value());
        let address = ipv4.addr();
        return format!("{address}, shared by {ratio}, PSID {psid} (0x{psid:x})");
    }
    match ipv4.prefix_len() {
        32 => format!("{}, not shared", ipv4.addr()),
        _ => format!("{ipv4}, not shared"),
    }
}

fn not_up(out: &mut String, interface: &Interface<'_>) -> fmt::Result {
    let name = interface.name;
    if let Some((code, detail)) = &interface.error
        && interface.phase != Phase::Up
    {
        row(out, "  reason", format_args!("{detail} ({code})"))?;
    }
    let (uplink, candidate) = interface.uplink();
    if let Some(uplink) = uplink {
        row(out, "  uplink", uplink)?;
    }
    if let Some(Candidate { prefix, source, .. }) = candidate {
        row(out, "  prefix offered", format_args!("{prefix}, {source}"))?;
    }
    match interface.phase {
        Phase::Up => row(
            out,
            "  note",
            "not set up by mape: nothing else is known of it",
        ),
        Phase::Down if interface.known.is_none() => row(
            out,
            "  note",
            "not set up, as far as can be told without netifd",
        ),
        Phase::Down => row(out, "  to start it", format_args!("ifup {name}")),
        Phase::Pending | Phase::Error => {
            row(out, "  for the cause", format_args!("mape doctor {name}"))
        }
    }
}

/// Number and use of the ports.
fn used(out: &mut String, line: &LineUp<'_>, paint: Paint) -> fmt::Result {
    if line.state.mechanism.ports().is_none() {
        return row(out, "  ports", "none are ours, so none can be forwarded");
    }
    let counts = PortCounts::new(line);
    let free = counts.pool;
    let mut text = format!("{free} of {} for NAT", counts.total);
    for (name, count) in [
        ("reserved", counts.reserved),
        ("forwarded", counts.forwarded),
        ("for UPnP", counts.upnp),
    ] {
        if count > 0 {
            write!(text, ", {count} {name}")?;
        }
    }
    row(out, "  ports", text)?;
    let (Some(each), Some(most)) = (counts.used, counts.used_max) else {
        return row(
            out,
            "  in use",
            "not known: only root may ask, and only with kmod-nf-conntrack-netlink",
        );
    };
    let free = free as usize;
    let (fill, share) = Fill::of(most, free);
    let hue = match fill {
        Fill::Roomy => Hue::Good,
        Fill::Scarce => Hue::Doubtful,
        Fill::Full => Hue::Bad,
    };
    let Used { tcp, udp, icmp } = each;
    let bar = bar(most, free, 24);
    let text = format!("{bar} {share:>3} %  tcp {tcp}, udp {udp}, icmp {icmp}");
    row(out, "  in use", paint.hue(hue, &text))
}

fn show_dropped(out: &mut String, dropped: &Dropped, paint: Paint) -> fmt::Result {
    let counts = [
        (dropped.not_ours, "not for our address and ports"),
        (dropped.not_br, "not from the BR"),
        (dropped.pool_number, "unasked for"),
        (dropped.no_ports, "of protocols without ports"),
        (dropped.guard, "before the rules were loaded"),
    ];
    let some = counts.iter().filter(|(count, _)| *count > 0);
    let some: Vec<String> = some
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    match some.is_empty() {
        true => row(out, "  dropped", "none")?,
        false => row(out, "  dropped", some.join(", "))?,
    }
    match dropped.exhausted {
        0 => Ok(()),
        count => {
            let text = format!("{count} connections found no free port so far");
            row(out, "  exhausted", paint.hue(Hue::Bad, &text))
        }
    }
}

/// What became of the registration of a fixed address.
fn show_registration(
    out: &mut String,
    found: &Registration,
    now: u64,
    paint: Paint,
) -> fmt::Result {
    let ago = duration(now.saturating_sub(found.at));
    let text = match found.next {
        None => format!("{found}, {ago} ago"),
        Some(next) => {
            let wait = duration(next.saturating_sub(now));
            let text = format!("{found}, {ago} ago; next try in {wait}");
            paint.hue(Hue::Bad, &text)
        }
    };
    row(out, "  registration", text)
}

/// Prints what `mape ports` shows of an interface.
///
/// # Errors
/// None: writing to a `String` does not fail.
pub fn ports(out: &mut String, interface: &Interface<'_>, paint: Paint) -> fmt::Result {
    let name = &interface.name;
    let Some(line) = &interface.line else {
        let phase = interface.phase.as_str();
        return writeln!(out, "{name}: {phase}, no ports");
    };
    let ranges = match line.ranges().count() {
        1 => "one range".into(),
        count => format!("{count} ranges"),
    };
    if line.state.mechanism.ports().is_none() {
        return writeln!(
            out,
            "{name}: none, since the AFTR of DS-Lite translates; use IPv6 to be reached"
        );
    }
    let (address, total) = (line.state.mechanism.ipv4().addr(), line.total());
    writeln!(out, "{name}: {address}, {total} ports in {ranges}")?;
    used(out, line, paint)?;
    out.push_str("\nrange         tcp  udp icmp  # used  R reserved  F forwarded  U UPnP\n");
    let forwarded = line.forwarded();
    for range in line.ranges() {
        range_row(out, line, &forwarded, range)?;
    }
    let hosts = line.usage.as_ref().map_or(&[][..], |usage| usage.hosts());
    if !hosts.is_empty() {
        out.push_str("\nhost               tcp  udp icmp  name\n");
    }
    for host in hosts.iter().take(MAX_HOSTS) {
        let [tcp, udp, icmp] = host.ports;
        let name = interface.world().name_of(host.address).unwrap_or("-");
        let address = host.address.to_string();
        writeln!(out, "{address:<17}{tcp:>5}{udp:>5}{icmp:>5}  {name}")?;
    }
    Ok(())
}

/// Widest bar in characters; a range of no more ports has one for each.
const BAR: u32 = 32;

fn range_row(
    out: &mut String,
    line: &LineUp<'_>,
    forwarded: &PortList,
    range: PortRange,
) -> fmt::Result {
    let usage = line.usage.as_ref();
    write!(out, "{range:<12}")?;
    let counts = usage.map(|usage| Protocol::ALL.map(|protocol| usage.of_range(protocol, range)));
    match counts {
        Some([tcp, udp, icmp]) => write!(out, "{tcp:>5}{udp:>5}{icmp:>5}")?,
        None => out.push_str("    ?    ?    ?"),
    }
    if range.count() > BAR {
        let most = counts.and_then(|counts| counts.into_iter().max());
        let bar = bar(most.unwrap_or(0), range.count() as usize, BAR as usize);
        return writeln!(out, "  {bar}");
    }
    let mark = |port| match port {
        port if forwarded.contains(port) => 'F',
        port if line.reserved.contains(port) => 'R',
        port if usage.is_some_and(|usage| usage.has(port)) => '#',
        port if line.upnp.contains(port) => 'U',
        _ => '.',
    };
    let picture: String = range.ports().map(mark).collect();
    writeln!(out, "  {picture}")
}
