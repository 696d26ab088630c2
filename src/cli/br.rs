// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape br`: a packet as the BR sees it, and the BR's own check.

use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4};
use std::str::FromStr;

use lexopt::Arg;
use serde_json::Value;

use super::mapping_args::MappingArgs;
use super::output::{json_line, row};
use super::{Command, Failure, Outcome, text, unknown};
use crate::json::object;
use crate::map::{Inner, Outer, Psid, Relay};

pub(super) const COMMAND: Command = Command {
    name: "br",
    about: "a packet as the BR must see it, and the check for spoofing",
    help: "\
Usage: mape br RULES --from IPV4:PORT --to IPV4:PORT [--json]
       mape br RULES --from6 IPV6 --to6 IPV6 [--from IPV4:PORT] [--json]
       mape br RULES --from6 IPV6 --from IPV4:PORT [--json]
RULES: --rule RULE ... [--legacy] | --provider ID | --prefix PREFIX

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
    run,
};

/// What is to be worked out.
#[derive(Debug, Default)]
struct Question {
    from: Option<SocketAddrV4>,
    to: Option<SocketAddrV4>,
    from6: Option<Ipv6Addr>,
    to6: Option<Ipv6Addr>,
}

fn run(parser: &mut lexopt::Parser, out: &mut dyn Write) -> Outcome {
    let mut args = MappingArgs::default();
    let mut asked = Question::default();
    let mut json = false;
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("json") => json = true,
            Arg::Long("from") => asked.from = Some(value(parser, "--from", IPV4)?),
            Arg::Long("to") => asked.to = Some(value(parser, "--to", IPV4)?),
            Arg::Long("from6") => asked.from6 = Some(value(parser, "--from6", IPV6)?),
            Arg::Long("to6") => asked.to6 = Some(value(parser, "--to6", IPV6)?),
            Arg::Long(name) if MappingArgs::knows(name) => {
                let name = name.to_owned();
                args.take(&name, parser)?;
            }
            other => return Err(unknown(other)),
        }
    }
    match asked {
        Question {
            from: Some(from),
            to: Some(to),
            from6: None,
            to6: None,
        } => {
            let outer = args.relay()?.outer(from, to).map_err(Failure::failed)?;
            Ok(show_outer(out, &outer, json)?)
        }
        Question {
            from,
            from6: Some(from6),
            to6,
            to: None,
        } if from.is_some() || to6.is_some() => {
            backwards(&args.relay()?, from6, to6, from, json, out)
        }
        _ => Err(Failure::usage(
            "give --from and --to, or --from6 with --to6, --from or both",
        )),
    }
}

const IPV4: &str = "an IPv4 address and port such as 192.0.2.18:1089";
const IPV6: &str = "an IPv6 address";

/// The value of an option.
fn value<T: FromStr>(
    parser: &mut lexopt::Parser,
    option: &str,
    expected: &str,
) -> Result<T, Failure> {
    let text = text(parser)?;
    text.parse()
        .map_err(|_| Failure::usage(format!("{option} {text}: must be {expected}")))
}

/// From IPv6 to IPv4. What was learned is printed even where a check fails.
fn backwards(
    relay: &Relay,
    from6: Ipv6Addr,
    to6: Option<Ipv6Addr>,
    from: Option<SocketAddrV4>,
    json: bool,
    out: &mut dyn Write,
) -> Outcome {
    let inner = to6.map(|to6| relay.inner(from6, to6)).transpose();
    let checked = from.map_or(Ok(()), |from| relay.check_source(from6, from));
    let verdict = inner
        .as_ref()
        .map_err(Clone::clone)
        .and(checked.as_ref().map_err(Clone::clone));
    let error = verdict.err().map(|error| error.to_string());
    let inner = inner.unwrap_or_default();
    if json {
        json_line(out, &inner_json(inner, from, error.as_deref()))?;
    } else {
        show_inner(out, inner, from, error.is_none())?;
    }
    error.map_or(Ok(()), |error| Err(Failure::Failed(error)))
}

fn psid_json(psid: Psid) -> Value {
    match psid.is_empty() {
        true => Value::Null,
        false => psid.value().into(),
    }
}

fn show_outer(out: &mut dyn Write, outer: &Outer, json: bool) -> io::Result<()> {
    if json {
        let object = object(&[
            ("source", &outer.source),
            ("destination", &outer.destination),
            ("psid", &psid_json(outer.psid)),
        ]);
        return json_line(out, &object);
    }
    row(out, "IPv6 source", outer.source)?;
    row(out, "IPv6 destination", outer.destination)?;
    row(out, "PSID", psid_text(outer.psid))
}

fn psid_text(psid: Psid) -> String {
    match psid.is_empty() {
        true => "none, the address is not shared".into(),
        false => format!("{} (0x{0:x}), {} bits", psid.value(), psid.len()),
    }
}

fn inner_json(inner: Option<Inner>, from: Option<SocketAddrV4>, error: Option<&str>) -> Value {
    let text = |ipv4: Option<Ipv4Addr>| ipv4.map(|ipv4| ipv4.to_string());
    let claimed = from.map(|from| from.to_string());
    let from = claimed.or(text(inner.and_then(|inner| inner.from)));
    let mut object = object(&[
        ("from", &from),
        ("to", &text(inner.and_then(|inner| inner.to))),
        ("psid", &inner.map(|inner| psid_json(inner.psid))),
        ("consistent", &error.is_none()),
    ]);
    if let (Some(error), Some(members)) = (error, object.as_object_mut()) {
        members.insert("error".into(), error.into());
    }
    object
}

fn show_inner(
    out: &mut dyn Write,
    inner: Option<Inner>,
    from: Option<SocketAddrV4>,
    consistent: bool,
) -> io::Result<()> {
    let text = |ipv4: Option<Ipv4Addr>| ipv4.map_or("not told by a BR".into(), |ip| ip.to_string());
    if let Some(inner) = inner {
        row(out, "IPv4 source", text(inner.from))?;
        row(out, "IPv4 destination", text(inner.to))?;
        row(out, "PSID", psid_text(inner.psid))?;
    }
    if consistent {
        let what = match from {
            Some(from) => format!("yes, {from} belongs to this source"),
            None => "yes, prefix and interface identifier agree".into(),
        };
        row(out, "consistent", what)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const RULE: &str = "type=map-t,ipv6prefix=3001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
                        prefix4len=24,ealen=12,offset=6,dmr=2001:db8:ffff::/64";

    fn mape(args: &[&str]) -> (String, Outcome) {
        let mut out = Vec::new();
        let args = ["br", "--rule", RULE].iter().chain(args);
        let outcome = crate::cli::run(args.map(Into::into).collect(), &mut out);
        (String::from_utf8(out).unwrap(), outcome)
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
        assert!(matches!(error, Failure::Failed(_)));
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
            &["--from", "192.0.2.18", "--to", "1.2.3.4:1"],
            &["--from6", "x", "--to6", "2001:db8::1"],
        ] {
            let (_, outcome) = mape(args);
            assert!(matches!(outcome, Err(Failure::Usage(_))), "{args:?}");
        }
    }
}
