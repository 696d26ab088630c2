// SPDX-License-Identifier: GPL-2.0-or-later
//! What the kernel and dnsmasq write.

use mape::netfilter::Received;
use mape::status::leases;

use super::text;

/// Bytes from a netlink socket.
pub fn netlink_messages(data: &[u8]) {
    let networks = ["192.0.2.1/32", "0.0.0.0/0"].map(|net| net.parse().expect("a network"));
    let received = Received::read(data, &networks, "mape_wan");
    // Nothing comes from nothing: an entry takes its attributes' bytes.
    assert!(received.connections.len() <= data.len() / 36);
    assert!(received.chains.len() <= data.len() / 20);
    for (name, _) in &received.counters {
        assert!(!name.contains('\0'));
    }
    let half = Received::read(
        data.get(..data.len() / 2).unwrap_or_default(),
        &networks,
        "",
    );
    assert!(half.connections.len() <= received.connections.len());
}

/// `/proc/net/stat/nf_conntrack` and `/tmp/dhcp.leases`.
pub fn proc_files(data: &[u8]) {
    let text = text(data);
    let failed = Received::failed_inserts(&text);
    let twice = format!(
        "{text}\n{}",
        text.lines().skip(1).collect::<Vec<_>>().join("\n")
    );
    assert!(Received::failed_inserts(&twice) >= failed);
    for (_, name) in leases(&text) {
        assert!(!name.is_empty() && !name.contains(char::is_control));
    }
}
