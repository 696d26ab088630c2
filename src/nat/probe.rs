// SPDX-License-Identifier: GPL-2.0-or-later
//! Rules that are only checked by nft and the kernel, never loaded: whether
//! they are accepted tells what a [`Kernel`](super::Kernel) can do.

/// Has the kernel check everything the edge map needs, on a device that every
/// machine has. Nothing of it is ever in force.
pub const EDGE: &str = r#"table netdev mape_probe {
	map ports { type inet_service : inet_service; elements = { 1 : 2 }; }
	map words { typeof icmp id : icmp id; flags interval; elements = { 1-2 : 2 }; }
	chain egress {
		type filter hook egress device "lo" priority 0; policy accept;
		tcp sport set tcp sport map @ports accept
		@th,48,16 set @th,224,16 map @words accept
	}
	chain ingress {
		type filter hook ingress device "lo" priority -200; policy accept;
		tcp dport set tcp dport map @ports accept
	}
}
"#;

/// Has the kernel check timeout policies. Nothing of it is ever in force.
pub const TIMEOUTS: &str = r#"table ip mape_probe {
	ct timeout probe { protocol tcp; l3proto ip; policy = { established : 1800 }; }
	chain forward {
		type filter hook forward priority 0; policy accept;
		oifname "lo" meta l4proto tcp ct timeout set "probe"
	}
}
"#;

/// Has the kernel check that connections can be counted. Nothing of it is ever
/// in force.
pub const CONNLIMIT: &str = r#"table ip mape_probe {
	set busy { type ipv4_addr . inet_proto . inet_service; size 16; flags dynamic; }
	chain forward {
		type filter hook forward priority 0; policy accept;
		oifname "lo" meta l4proto tcp add @busy { ip daddr . meta l4proto . th dport ct count over 16 } drop
	}
}
"#;
