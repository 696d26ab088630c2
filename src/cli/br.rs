// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape br`: a packet as the BR sees it, and the BR's own check.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4};
use std::str::FromStr;

use serde::Serialize;

use super::args::{Args, Command};
use super::failure::{Failure, Outcome};
use super::mapping_args::MappingArgs;
use super::output::json;
use crate::console::row;
use crate::map::{Inner, Outer, Psid, Relay};
use crate::sanitize::quoted;

pub(super) const COMMAND: Command = Command {
    name: "br",
    about: "a packet as the BR must see it, and the check for spoofing",
    help: "\
Usage: mape br RULES --from IPV4:PORT --to IPV4:PORT [--json]
       mape br RULES --from6 IPV6 --to6 IPV6 [--from IPV4:PORT] [--json]
       mape br RULES --from6 IPV6 --from IPV4:PORT [--json]
RULES: [--rule RULE ... [--legacy] | --provider ID] [--prefix PREFIX], one at least

Verifies a BR, or a CE: from IPv4 to the IPv6 addresses the packet must carry
between CE and BR (outer ones of MAP-E, translated ones of MAP-T), or back.
Either end may be the CE. Backwards, a CE's prefix and interface identifier
must agree, and with --from the IPv6 source must be the one that this IPv4
source and port belong to (RFC 7597 section 8.1).

  --from, --to     IPv4 address and port outside the CE's NAT; the port of an
                   ICMP echo is its identifier
  --from6, --to6   IPv6 source and destination
  --rule RULE      a rule in the stock form, several times for several rules
  --legacy         rules are of draft-03 (UCI's legacymap), not of RFC 7597
  --provider ID    rules of a known provider
  --prefix PREFIX  the one CE with that end-user prefix
  --json           one JSON object

Exit status 1 when the packet cannot be: nobody's port, a spoofed source.

Examples:
  mape br --provider v6plus --from 106.72.0.1:4128 --to 192.0.2.1:443
  mape br --from6 3001:db8:12:1000:0:c000:212:1 --from 192.0.2.18:1089 --rule \\
    type=map-t,ipv6prefix=3001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\\
prefix4len=24,ealen=12,offset=6,dmr=2001:db8:ffff::/64
",
    options: &[
        "json",
        "from=",
        "to=",
        "from6=",
        "to6=",
        "prefix=",
        "provider=",
        "rule=",
        "legacy",
    ],
    words: 0,
    run,
};

fn run(args: &Args, out: &mut String) -> Outcome {
    let from = value(args, "from", IPV4)?;
    let to = value(args, "to", IPV4)?;
    let from6 = value(args, "from6", IPV6)?;
    let to6 = value(args, "to6", IPV6)?;
    let given = MappingArgs::read(args)?;
    match (from, to, from6, to6) {
        (Some(from), Some(to), None, None) => {
            let outer = given.relay()?.outer(from, to).map_err(Failure::failed)?;
            match args.has("json") {
                true => json(out, &OuterAnswer::from(&outer)),
                false => Ok(show_outer(out, &outer)?),
            }
        }
        (from, None, Some(from6), to6) if from.is_some() || to6.is_some() => {
            backwards(args, out, &given.relay()?, from6, to6, from)
        }
        _ => Err(Failure::usage(
            "give --from and --to, or --from6 with --to6, --from or both",
        )),
    }
}

const IPV4: &str = "an IPv4 address and port such as 192.0.2.18:1089";
const IPV6: &str = "an IPv6 address";

/// The value of an option.
fn value<T: FromStr>(args: &Args, option: &str, expected: &str) -> Outcome<Option<T>> {
    let Some(text) = args.get(option) else {
        return Ok(None);
    };
    let bad = |_| {
        Failure::failed(format_args!(
            "--{option} {}: must be {expected}",
            quoted(text)
        ))
    };
    text.parse().map(Some).map_err(bad)
}

/// From IPv6 to IPv4. What was learned is printed even if a check fails.
fn backwards(
    args: &Args,
    out: &mut String,
    relay: &Relay,
    from6: Ipv6Addr,
    to6: Option<Ipv6Addr>,
    from: Option<SocketAddrV4>,
) -> Outcome {
    let mut error = None;
    let mut inner = None;
    if let Some(from) = from {
        error = relay.check_source(from6, from).err();
    }
    if let Some(to6) = to6 {
        match relay.inner(from6, to6) {
            Ok(found) => inner = Some(found),
            Err(failed) => error = Some(failed),
        }
    }
    let error = error.map(|error| error.to_string());
    if args.has("json") {
        json(
            out,
            &InnerAnswer::new(inner.as_ref(), from, error.as_deref()),
        )?;
    } else {
        show_inner(out, inner.as_ref(), from, error.is_none())?;
    }
    match error {
        Some(error) => Err(Failure::failed(error)),
        None => Ok(()),
    }
}

/// The IPv6 addresses of a packet.
#[derive(Debug, Serialize)]
struct OuterAnswer {
    source: Ipv6Addr,
    destination: Ipv6Addr,
    psid: Option<u16>,
}

impl From<&Outer> for OuterAnswer {
    fn from(outer: &Outer) -> Self {
        OuterAnswer {
            source: outer.source,
            destination: outer.destination,
            psid: value_of(outer.psid),
        }
    }
}

/// The IPv4 packet within.
#[derive(Debug, Serialize)]
struct InnerAnswer<'a> {
    /// With the port if it was given.
    from: Option<String>,
    to: Option<Ipv4Addr>,
    psid: Option<u16>,
    consistent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> InnerAnswer<'a> {
    fn new(inner: Option<&Inner>, from: Option<SocketAddrV4>, error: Option<&'a str>) -> Self {
        let told = || Some(inner?.from?.to_string());
        InnerAnswer {
            from: from.map(|from| from.to_string()).or_else(told),
            to: inner.and_then(|inner| inner.to),
            psid: inner.and_then(|inner| value_of(inner.psid)),
            consistent: error.is_none(),
            error,
        }
    }
}

/// A PSID as answers show it; `None` if the address is not shared.
fn value_of(psid: Psid) -> Option<u16> {
    (!psid.is_empty()).then(|| psid.value())
}

fn show_outer(out: &mut String, outer: &Outer) -> fmt::Result {
    row(out, "IPv6 source", outer.source)?;
    row(out, "IPv6 destination", outer.destination)?;
    show_psid(out, outer.psid)
}

fn show_psid(out: &mut String, psid: Psid) -> fmt::Result {
    let (value, bits) = (psid.value(), psid.len());
    match psid.is_empty() {
        true => row(out, "PSID", "none, the address is not shared"),
        false => row(
            out,
            "PSID",
            format_args!("{value} (0x{value:x}), {bits} bits"),
        ),
    }
}

fn show_inner(
    out: &mut String,
    inner: Option<&Inner>,
    from: Option<SocketAddrV4>,
    consistent: bool,
) -> fmt::Result {
    if let Some(inner) = inner {
        for (label, address) in [("IPv4 source", inner.from), ("IPv4 destination", inner.to)] {
            match address {
                Some(address) => row(out, label, address)?,
                None => row(out, label, "not told by a BR")?,
            }
        }
        show_psid(out, inner.psid)?;
    }
    match from {
        _ if !consistent => Ok(()),
        Some(from) => row(
            out,
            "consistent",
            format_args!("yes, {from} belongs to this source"),
        ),
        None => row(
            out,
            "consistent",
            "yes, prefix and interface identifier agree",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const RULE: &str = "type=map-t,ipv6prefix=3001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
                        prefix4len=24,ealen=12,offset=6,dmr=2001:db8:ffff::/64";

    fn mape(args: &[&str]) -> (String, Outcome) {
        let mut out = String::new();
        let args = ["br", "--rule", RULE].iter().chain(args);
        let outcome = crate::cli::run(&args.map(ToString::to_string).collect::<Vec<_>>(), &mut out);
        (out, outcome)
    }

    #[test]
    fn there_and_back() {
        let (there, outcome) = mape(&[
            "--json",
            "--from",
            "192.0.2.18:1089",
            "--to",
            "11.11.11.11:8000",
        ]);
        outcome.unwrap();
        let there: Value = serde_json::from_str(&there).unwrap();
        let expected = json!({
            "source": "3001:db8:12:1000:0:c000:212:1",
            "destination": "2001:db8:ffff:0:b:b0b:b00:0",
            "psid": 1,
        });
        assert_eq!(there, expected);
        let (back, outcome) = mape(&[
            "--json",
            "--from6",
            "3001:db8:12:1000:0:c000:212:1",
            "--to6",
            "2001:db8:ffff:0:b:b0b:b00:0",
        ]);
        outcome.unwrap();
        let back: Value = serde_json::from_str(&back).unwrap();
        let expected = json!({
            "from": "192.0.2.18", "to": "11.11.11.11", "psid": 1, "consistent": true,
        });
        assert_eq!(back, expected);
    }

    #[test]
    fn a_spoofed_packet_fails_and_says_whose_the_port_is() {
        let ce = "3001:db8:12:1000:0:c000:212:1";
        let (_, outcome) = mape(&["--from6", ce, "--from", "192.0.2.18:1089"]);
        outcome.unwrap();
        // Port 1153 = 000001 0010 000001: PSID 2.
        let (text, outcome) = mape(&["--json", "--from6", ce, "--from", "192.0.2.18:1153"]);
        let error = outcome.unwrap_err();
        assert!(matches!(*error, Failure::Failed(_)));
        assert!(
            error
                .to_string()
                .contains("3001:db8:12:2000:0:c000:212:2, not from"),
            "{error}"
        );
        let object: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object.get("consistent"), Some(&json!(false)));
    }

    #[test]
    fn half_a_question_is_wrong_use() {
        for args in [
            &["--from", "192.0.2.18:1089"][..],
            &["--from6", "2001:db8::1"],
        ] {
            let (_, outcome) = mape(args);
            assert!(
                matches!(*outcome.unwrap_err(), Failure::Usage(_)),
                "{args:?}"
            );
        }
    }

    #[test]
    fn an_address_that_is_none_is_a_wrong_value() {
        for args in [
            &["--from", "192.0.2.18", "--to", "1.2.3.4:1"][..],
            &["--from6", "x", "--to6", "2001:db8::1"],
        ] {
            let (_, outcome) = mape(args);
            assert!(
                matches!(*outcome.unwrap_err(), Failure::Failed(_)),
                "{args:?}"
            );
        }
    }
}
