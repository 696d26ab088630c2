// SPDX-License-Identifier: GPL-2.0-or-later
//! `mape hb46pp`: what a saved answer of a provisioning server means.

use std::fmt::{self, Display, Write as _};
use std::fs::File;
use std::io::{self, Read as _};
use std::net::Ipv6Addr;

use ipnet::{Ipv4Net, Ipv6Net};
use serde::Serialize;

use super::args::{Args, Command};
use super::calc;
use super::failure::{Failure, Outcome};
use super::mapping_args::{self, Found, default_mtu};
use super::output::{CalcAnswer, json};
use crate::console::row;
use crate::endpoint::Endpoint;
use crate::provision::hb46pp::{self, IpIp, Label, Mechanism, SUPPORTED, Ttl};
use crate::provision::http::body::MAX_BODY;
use crate::sanitize::one_line;

pub(super) const COMMAND: Command = Command {
    name: "hb46pp",
    about: "a saved HB46PP answer: the mechanism it provisions",
    help: "\
Usage: mape hb46pp FILE [--prefix PREFIX] [--json]

Reads the JSON that a provisioning server (HB46PP, also called v6mig) answered
with, checks it, and says which mechanism it means: the first of its order that
mape can set up and that fits the line with that end-user prefix.

  --prefix PREFIX  end-user prefix, or any address within (then its /64)
  --json           one JSON object

Exit status 1 when the answer is invalid or nothing in it fits.

Example:
  mape hb46pp map-e.json --prefix 2001:db8:10:1200::/56
",
    options: &["json", "prefix="],
    words: 1,
    run,
};

fn run(args: &Args, out: &mut String) -> Outcome {
    let prefix = args.get("prefix").map(mapping_args::prefix).transpose()?;
    let path = args.word();
    let path = path.ok_or_else(|| Failure::usage("a file with the answer is missing"))?;
    let meaning = match Meaning::of(path, prefix) {
        Ok(meaning) => meaning,
        Err(reason) => return Err(Failure::failed(format_args!("{path}: {reason}"))),
    };
    match args.has("json") {
        true => json(out, &meaning.answer()),
        false => Ok(meaning.print(out)?),
    }
}

/// An answer and what becomes of it.
struct Meaning {
    answer: hb46pp::Answer,
    mechanism: Mechanism,
    /// The mapping, if the mechanism has one and the prefix is known.
    found: Option<Found>,
}

impl Meaning {
    fn of(path: &str, prefix: Option<Ipv6Net>) -> Result<Self, String> {
        let json = read(path).map_err(text)?;
        let answer = hb46pp::Answer::parse(&json).map_err(text)?;
        let prefixes = prefix.as_ref().map(std::slice::from_ref);
        let mechanism = answer.mechanism(&SUPPORTED, prefixes).map_err(text)?;
        let mapping = match (&mechanism, prefixes) {
            (Mechanism::Map { domain, .. }, Some(prefixes)) => {
                Some(domain.map(prefixes).map_err(text)?)
            }
            _ => None,
        };
        let found = mapping.map(|mapping| Found {
            mtu: default_mtu(mapping.map_type()),
            mapping,
            provider: None,
        });
        Ok(Meaning {
            answer,
            mechanism,
            found,
        })
    }

    /// AFTR or lwAFTR.
    fn aftr(&self) -> Option<&Endpoint> {
        match &self.mechanism {
            Mechanism::Map { lwaftr, .. } => lwaftr.as_ref(),
            Mechanism::DsLite { aftr } => Some(aftr),
            Mechanism::IpIp(_) => None,
        }
    }

    fn tunnels(&self) -> &[IpIp] {
        match &self.mechanism {
            Mechanism::IpIp(tunnels) => tunnels,
            _ => &[],
        }
    }

    fn order(&self) -> Vec<&'static str> {
        let order = &self.answer.order.known;
        order.iter().map(|capability| capability.as_str()).collect()
    }

    fn answer(&self) -> Answer<'_> {
        Answer {
            mechanism: self.mechanism.as_str(),
            order: self.order(),
            ttl: self.answer.ttl.map(Ttl::as_secs),
            mapping: self.found.as_ref().map(Found::answer),
            aftr: self.aftr().map(Endpoint::to_string),
            ipip: self.tunnels().iter().map(Tunnel::from).collect(),
        }
    }

    fn print(&self, out: &mut String) -> fmt::Result {
        let answer = &self.answer;
        let names = [
            Some(&answer.enabler_name),
            answer.service_name.as_ref(),
            answer.isp_name.as_ref(),
        ];
        let names: Vec<&str> = names.into_iter().flatten().map(Label::as_str).collect();
        row(out, "from", one_line(&names.join(", "), MAX_NAMES))?;
        row(out, "mechanism", self.mechanism.as_str())?;
        row(out, "order", self.order().join(", "))?;
        if let Some(ttl) = answer.ttl {
            row(out, "valid for", format_args!("{} s", ttl.as_secs()))?;
        }
        if let Some(aftr) = self.aftr() {
            row(out, "AFTR", aftr)?;
        }
        for tunnel in self.tunnels() {
            row(out, "IPv4", tunnel.ipv4)?;
            row(out, "CE address", tunnel.local)?;
            row(out, "BR", tunnel.remote)?;
        }
        match (&self.found, &self.mechanism) {
            (Some(found), _) => calc::print(out, found),
            (None, Mechanism::Map { .. }) => {
                writeln!(
                    out,
                    "note: --prefix shows the mapping of an end-user prefix"
                )
            }
            _ => Ok(()),
        }
    }
}

/// Most characters of the names that are shown.
const MAX_NAMES: usize = 200;

/// The file, up to a little more than an answer may have.
fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut json = Vec::new();
    let limit = MAX_BODY as u64 + 1;
    File::open(path)?.take(limit).read_to_end(&mut json)?;
    match json.len() > MAX_BODY {
        true => Err(io::Error::other("longer than 1 MiB")),
        false => Ok(json),
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}

/// The answer of `mape hb46pp`.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    mechanism: &'static str,
    /// As the server gave it, without words that are not known.
    order: Vec<&'static str>,
    /// In seconds.
    ttl: Option<u32>,
    #[serde(flatten)]
    mapping: Option<CalcAnswer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aftr: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ipip: Vec<Tunnel>,
}

/// A fixed address or block, and the tunnel it comes through.
#[derive(Debug, Serialize)]
struct Tunnel {
    ce_address: Ipv6Addr,
    br: Ipv6Addr,
    ipv4: Ipv4Net,
}

impl From<&IpIp> for Tunnel {
    fn from(tunnel: &IpIp) -> Self {
        Tunnel {
            ce_address: tunnel.local,
            br: tunnel.remote,
            ipv4: tunnel.ipv4,
        }
    }
}
