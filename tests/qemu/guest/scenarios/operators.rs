// SPDX-License-Identifier: GPL-2.0-or-later
//! What operators elsewhere provision: lw4o6, and domains whose CEs talk to
//! each other.

use super::{Bench, expect};
use crate::Result;
use crate::guest::border;
use crate::guest::oracle::{Line, V6PLUS};
use crate::guest::router::Router;
use crate::guest::server::Servers;
use crate::guest::snapshot::Snapshot;
use crate::guest::tcp;
use crate::guest::topology::{Topology, server};
use std::io::{Read, Write};
use std::net::{SocketAddrV4, TcpListener};
use std::time::Duration;

/// Both speak RFC 7597's addresses.
const LINE: Line = V6PLUS.rfc("operator");
const NEIGHBOUR: Line = LINE.subscriber("operator-neighbour", 0x12_3456);

const PATIENCE: Duration = Duration::from_secs(5);

/// A binding of address, PSID and prefix, with the PSID in the configuration.
pub fn lw4o6(bench: &mut Bench) -> Result<String> {
    bench.leave();
    let net = Topology::build(&LINE)?;
    border::load(&net.br, &LINE)?;
    let _servers = Servers::start(&net.srv)?;
    // Left-justified in 16 bits, as `proto map` has it.
    let psid = (LINE.psid() << 8).to_string();
    let (prefix, br) = (LINE.prefix().to_string(), LINE.br.to_string());
    let (len, ipv4) = (LINE.prefix_len().to_string(), LINE.ipv4().to_string());
    let options = [
        ("type", "lw4o6"),
        ("tunlink", "wan6"),
        ("peeraddr", br.as_str()),
        ("ip6prefix", &prefix),
        ("ip6prefixlen", &len),
        ("ipaddr", &ipv4),
        ("psidlen", "8"),
        ("psid", &psid),
        ("offset", "4"),
        ("encaplimit", "ignore"),
    ];
    let router = Router::configured(&net.ce, "2001:db8:0:1::2", &LINE, &options)?;
    let before = Snapshot::take(&net.ce, &router)?;
    router.up(&net.ce)?;
    let [host, ..] = &net.lan;
    host.within(|| tcp::download(server(0), 5 << 20))?;
    let refused = border::refused(&net.br)?;
    expect(refused.total() == 0, || format!("the BR refused {refused}"))?;
    router.down(&net.ce)?;
    let left = Snapshot::take(&net.ce, &router)?.beyond(&before);
    expect(left.is_empty(), || format!("after teardown: {left}"))?;
    Ok("5 MB, 0 refused, nothing left".into())
}

/// Two CEs of a domain with FMRs. Debian's kernel follows none, so what one
/// sends to the other turns round at the BR; addresses, ports and the filter
/// for outer sources are those of a mesh.
pub fn mesh(bench: &mut Bench) -> Result<String> {
    bench.leave();
    let net = Topology::build(&LINE)?;
    border::load(&net.br, &LINE)?;
    let ce2 = net.neighbour(&NEIGHBOUR)?;
    let rule = format!("{},fmr", LINE.rule());
    let port = *NEIGHBOUR.ports().first().ok_or("no port")?;
    let reserve = port.to_string();
    let options = [
        ("tunlink", "wan6"),
        ("rule", rule.as_str()),
        ("encaplimit", "ignore"),
        ("reserve", &reserve),
    ];
    let first = &options[..3];
    let here = Router::configured(&net.ce, "2001:db8:0:1::2", &LINE, first)?;
    let there = Router::configured(&ce2, "2001:db8:0:3::2", &NEIGHBOUR, &options)?;
    here.up(&net.ce)?;
    there.up(&ce2)?;

    let listener = ce2
        .within(|| TcpListener::bind(("0.0.0.0", port)).map_err(|e| format!("port {port}: {e}")))?;
    let serving = ce2.spawn(move || {
        let (mut stream, peer) = listener.accept().map_err(|e| e.to_string())?;
        let mut word = [0; 5];
        stream.read_exact(&mut word).map_err(|e| e.to_string())?;
        stream.write_all(&word).map_err(|e| e.to_string())?;
        Ok(peer)
    })?;
    let [host, ..] = &net.lan;
    let to = SocketAddrV4::new(NEIGHBOUR.ipv4(), port);
    host.within(|| {
        let mut stream = tcp::open(to, PATIENCE)?;
        tcp::exchange_word(&mut stream, b"hello")
    })?;
    let peer = serving.join().map_err(|_| "the server panicked")??;
    expect(peer.ip() == LINE.ipv4() && LINE.owns(peer.port()), || {
        format!("{peer} is not the first CE")
    })?;
    let refused = border::refused(&net.br)?;
    expect(refused.total() == 0, || format!("the BR refused {refused}"))?;
    Ok(format!("{peer} reached {to}"))
}
