// SPDX-License-Identifier: GPL-2.0-or-later
//! The `ip` table of a line whose AFTR translates (DS-Lite, RFC 6333): hosts
//! keep their addresses, and nothing from outside reaches them unasked.

use std::fmt::{self, Formatter};

use super::plan::Plan;

/// Writes the chains.
///
/// A source translated to itself is what keeps firewall4 from masquerading:
/// the kernel gives a connection one source NAT, and this one comes first. An
/// `accept` would not do, since it ends only this chain.
pub(super) fn write(f: &mut Formatter<'_>, plan: &Plan) -> fmt::Result {
    let device = &plan.line().device;
    write!(
        f,
        r#"	chain unsolicited {{
		type filter hook prerouting priority mangle + 10; policy accept;
		ct state established,related accept
		iifname != "{device}" accept
		counter name "unsolicited" drop
	}}
	chain source_nat {{
		type nat hook postrouting priority srcnat - 5; policy accept;
		oifname != "{device}" accept
		snat ip to ip saddr
	}}
"#
    )
}
