// SPDX-License-Identifier: GPL-2.0-or-later
//! Kea's configuration for a line.

use super::{DMR, Mode};
use crate::guest::carrier::{AFTR_NAME, RESOLVER};
use crate::guest::oracle::Line;
use serde_json::{Value, json};

/// The whole configuration. `hooks` is the folder of Kea's hook libraries,
/// `script` what to call for each lease.
///
/// Times are short, so that a renumbering is noticed while somebody watches.
pub fn config(mode: Mode, line: &Line, hooks: &str, script: &str) -> Value {
    json!({ "Dhcp6": {
        "interfaces-config": { "interfaces": ["ce"] },
        "server-id": { "type": "LL", "htype": 1, "identifier": "02005E100001", "persist": false },
        "lease-database": { "type": "memfile", "persist": false },
        "renew-timer": 20,
        "rebind-timer": 40,
        "preferred-lifetime": 60,
        "valid-lifetime": 120,
        "hooks-libraries": [{
            "library": format!("{hooks}/libdhcp_run_script.so"),
            "parameters": { "name": script, "sync": false },
        }],
        "subnet6": [{
            "id": 1,
            "subnet": "2001:db8:0:1::/64",
            "interface": "ce",
            "rapid-commit": true,
            "pools": [{ "pool": "2001:db8:0:1::1000 - 2001:db8:0:1::1fff" }],
            "pd-pools": [{
                "prefix": line.prefix().to_string(),
                "prefix-len": line.prefix_len(),
                "delegated-len": line.prefix_len(),
            }],
            "option-data": options(mode, line),
        }],
        "loggers": [{
            "name": "kea-dhcp6",
            "severity": "INFO",
            "output_options": [{ "output": "stdout" }],
        }],
    }})
}

/// The line's resolver, and what the mode has: an S46 container with what it
/// encapsulates (RFC 7598), or an AFTR (RFC 6334).
fn options(mode: Mode, line: &Line) -> Value {
    let mut all = vec![json!({ "name": "dns-servers", "data": RESOLVER.to_string() })];
    all.extend(of_mode(mode, line));
    all.into()
}

fn of_mode(mode: Mode, line: &Line) -> Vec<Value> {
    let option = |space: &str, name: &str, data: String| json!({ "space": space, "name": name, "data": data });
    let container = |name: &str| json!({ "space": "dhcp6", "name": name });
    let br = line.br.to_string();
    let (offset, psid, psid_len) = line.port_parameters();
    // With rules the PSID is in the end-user prefix: only the offset counts.
    let offset_alone = option(
        "s46-rule-options",
        "s46-portparams",
        format!("{offset}, 0/0"),
    );
    match mode {
        Mode::Ra | Mode::Pd | Mode::IpIp | Mode::Hb46pp => Vec::new(),
        Mode::DsLite => vec![option("dhcp6", "aftr-name", AFTR_NAME.to_owned())],
        Mode::MapE => vec![
            container("s46-cont-mape"),
            option("s46-cont-mape-options", "s46-rule", line.s46_rule()),
            option("s46-cont-mape-options", "s46-br", br),
            offset_alone,
        ],
        Mode::MapT => vec![
            container("s46-cont-mapt"),
            option("s46-cont-mapt-options", "s46-rule", line.s46_rule()),
            option("s46-cont-mapt-options", "s46-dmr", DMR.to_owned()),
            offset_alone,
        ],
        Mode::Lw4o6 => vec![
            container("s46-cont-lw"),
            option("s46-cont-lw-options", "s46-br", br),
            option(
                "s46-cont-lw-options",
                "s46-v4v6bind",
                format!("{}, {}", line.ipv4(), line.end_user_prefix()),
            ),
            option(
                "s46-v4v6bind-options",
                "s46-portparams",
                format!("{offset}, {psid}/{psid_len}"),
            ),
        ],
    }
}
