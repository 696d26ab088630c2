// SPDX-License-Identifier: GPL-2.0-or-later
//! An operator that changes its mind: what HB46PP can say, on real tunnels, each
//! answer in the place of the one before.

use super::hb46pp::{self, PREFIX};
use super::{Bench, expect};
use crate::Result;
use crate::guest::border;
use crate::guest::carrier::softwire::Softwire;
use crate::guest::carrier::{self, AFTR, BR, FIXED, fixed_ce};
use crate::guest::init::say;
use crate::guest::oracle::{Line, TOLD};
use crate::guest::topology::Topology;
use serde_json::{Value, json};
use std::net::Ipv6Addr;

/// The same subscriber in the dialect of the RFC.
const RFC: Line = TOLD.rfc("told, RFC 7597");
/// The address of a B4 in `PREFIX`.
const B4: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x10, 0x1200, 0, 0xc000, 2, 0);

/// One answer, and what comes of it.
struct Offer {
    name: &'static str,
    says: fn() -> Value,
    /// The tunnel's ends, ours first.
    ends: fn() -> (Ipv6Addr, Ipv6Addr),
    /// Opens the operator's end.
    open: fn(&Topology) -> Result<()>,
}

const OFFERS: &[Offer] = &[
    Offer {
        name: "MAP-E, draft-03",
        says: || map_e(0, &["map_e"]),
        ends: || (TOLD.ce_address(), TOLD.br),
        open: |net| shared(net, &TOLD),
    },
    Offer {
        name: "a fixed block",
        says: || {
            json!({
                "enabler_name": "Lab VNE", "ttl": 3600, "order": ["ipip"],
                "ipip": [{ "ipv6_local": fixed_ce(PREFIX.network()), "ipv6_remote": BR, "ipv4": FIXED }],
            })
        },
        ends: || (fixed_ce(PREFIX.network()), BR),
        open: |net| {
            let ce = fixed_ce(PREFIX.network());
            let line = Softwire::IpIp {
                br: BR,
                ce,
                ipv4: FIXED,
            };
            line.open(net)
        },
    },
    Offer {
        // MAP-T needs a module that Debian does not have, so the next is taken.
        name: "MAP-T or else MAP-E, RFC 7597",
        says: || map_e(1, &["map_t", "map_e"]),
        ends: || (RFC.ce_address(), RFC.br),
        open: |net| shared(net, &RFC),
    },
    Offer {
        name: "DS-Lite",
        says: carrier::offer,
        ends: || (B4, AFTR),
        open: |net| {
            let aftr = Softwire::DsLite {
                aftr: AFTR,
                subscriber: PREFIX,
            };
            aftr.open(net)
        },
    },
    Offer {
        name: "lw4o6",
        says: || {
            json!({
                "enabler_name": "Lab VNE", "ttl": 3600, "order": ["lw4o6"],
                "lw4o6": {
                    "lwaftr": RFC.br, "ipv6": PREFIX, "ipv4": RFC.ipv4(), "psid": RFC.psid(),
                    "psid_length": 4, "psid_offset": 4,
                },
            })
        },
        ends: || (RFC.ce_address(), RFC.br),
        open: |net| shared(net, &RFC),
    },
];

fn map_e(version: u8, order: &[&str]) -> Value {
    let rules = json!([
        { "ipv6": "2001:db8:10::/44", "ipv4": "192.0.2.0/24", "ea_length": 12, "psid_offset": 4 },
    ]);
    json!({
        "enabler_name": "Lab VNE", "ttl": 3600, "order": order,
        "map_e": { "version": version, "br": TOLD.br, "rules": rules },
        "map_t": { "dmr": "2001:db8:fffe::/64", "rules": rules },
    })
}

/// The BR of a shared address in the place of whatever was there.
fn shared(net: &Topology, line: &Line) -> Result<()> {
    net.br.ip("link del dev ce\n")?;
    net.br.nft("flush ruleset")?;
    net.to_relay(line)?;
    net.tunnel(line)?;
    border::load(&net.br, line)
}

/// A changed answer sets the interface up again, an equal one touches nothing.
pub fn hb46pp_mechanisms(bench: &mut Bench) -> Result<String> {
    let line = hb46pp::Line::up(bench)?;
    line.traffic()?;
    let torn = || line.router.spawned("teardown");
    for offer in OFFERS {
        line.web.say(&(offer.says)());
        (offer.open)(&line.net)?;
        let before = torn();
        line.ask_again()?;
        line.router
            .until_tunnel((offer.ends)())
            .map_err(|why| format!("{}: {why}", offer.name))?;
        let set_up = torn();
        expect(set_up > before, || {
            format!("{}: the interface was not set up again", offer.name)
        })?;
        line.traffic()
            .map_err(|why| format!("{}: {why}", offer.name))?;
        line.ask_again()?;
        expect(torn() == set_up, || {
            format!("{}: an equal answer tore the interface down", offer.name)
        })?;
        line.traffic()?;
        say(&format!("    {}", offer.name));
    }
    Ok(format!(
        "{} changes of the answer, {} equal ones, 0 refused",
        OFFERS.len(),
        OFFERS.len()
    ))
}
