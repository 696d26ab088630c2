// SPDX-License-Identifier: GPL-2.0-or-later
//! A line that is asked how it carries IPv4 (HB46PP) and gives a wrong answer,
//! or none: each fault has its line in log, status and doctor, and the right
//! answer is taken the next time. The real program against the stand-in for
//! netifd, with the line's DNS and provisioning server in the same namespace.

mod dns_answer;
mod double;
mod program;
mod router;
#[path = "provision/servers.rs"]
#[allow(dead_code)]
mod servers;
mod tls;

use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};

use double::Interface;
use router::{Router, default_route, run};
use servers::{Record, http, reply};
use simple_dns::{Packet, RCODE};
use tls::Authority;

const DNS: &str = "2001:db8:53::53";
const WEB: &str = "2001:db8:53::80";
const URL: &str = "v=v6mig-1 url=http://prov.example/config t=a";
const GOOD: &str = include_str!("data/hb46pp/map-e.json");

/// What the line's DNS and server say.
#[derive(Clone)]
struct Says {
    rcode: RCODE,
    txt: Vec<&'static str>,
    http: String,
}

impl Says {
    fn right() -> Self {
        Says {
            rcode: RCODE::NoError,
            txt: vec![URL],
            http: http("200 OK", GOOD),
        }
    }

    fn dns(rcode: RCODE, txt: &[&'static str]) -> Self {
        Says {
            rcode,
            txt: txt.to_vec(),
            ..Says::right()
        }
    }

    fn web(status: &str, body: &str) -> Self {
        Says {
            http: http(status, body),
            ..Says::right()
        }
    }
}

/// The faults, and what is said of each.
fn faults() -> Vec<(Says, &'static str)> {
    let long = GOOD.replace("\"ttl\":300", "\"ttl\":604801");
    assert_ne!(long, GOOD);
    vec![
        (
            Says::dns(RCODE::NameError, &[]),
            "4over6.info: there is no such name",
        ),
        (
            Says::dns(RCODE::NoError, &[]),
            "4over6.info has no TXT record",
        ),
        (
            Says::dns(RCODE::ServerFailure, &[]),
            "when asked for 4over6.info",
        ),
        (Says::dns(RCODE::NoError, &[URL, URL]), "TXT"),
        (Says::dns(RCODE::NoError, &["v=spf1 -all"]), "TXT"),
        (
            Says::dns(RCODE::NoError, &["v=v6mig-1 url=http://prov.example/ t=b"]),
            "wants a certificate (t=b)",
        ),
        (
            Says::web("403 Forbidden", ""),
            "does not know this line (HTTP status 403)",
        ),
        (
            Says::web("404 Not Found", ""),
            "does not know this line (HTTP status 404)",
        ),
        (
            Says::web("500 Internal Server Error", ""),
            "prov.example answers with HTTP status 500",
        ),
        (Says::web("200 OK", ""), "prov.example: "),
        (Says::web("200 OK", "<html>busy</html>"), "prov.example: "),
        (
            Says::web("200 OK", &GOOD[..GOOD.len() / 2]),
            "prov.example: ",
        ),
        (Says::web("200 OK", &long), "ttl"),
        (
            Says::web(
                "200 OK",
                r#"{"enabler_name":"Lab","ttl":3600,"order":["teleport"]}"#,
            ),
            "teleport: not known",
        ),
        (
            Says {
                http: "HTTP/1.1 307 Moved\r\nContent-Length: 0\r\n\r\n".into(),
                ..Says::right()
            },
            "redirects without saying where to",
        ),
        (
            Says {
                http: "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{".into(),
                ..Says::right()
            },
            "cut off",
        ),
    ]
}

/// A line that no table knows; `None`, with the reason, without root.
fn line(says: &Arc<Mutex<Says>>) -> Option<Router> {
    let net = line_with(says, |_| {})?;
    net.ifup("wan4");
    Some(net)
}

/// The same before it is started, with what `equip` adds.
fn line_with(says: &Arc<Mutex<Says>>, equip: impl FnOnce(&Router)) -> Option<Router> {
    let net = Router::new()?;
    equip(&net);
    run("ip", &["link", "set", "lo", "up"]);
    for address in [DNS, WEB] {
        let address = format!("{address}/128");
        run("ip", &["address", "add", &address, "dev", "lo", "nodad"]);
    }
    servers::until_reached(DNS, &[DNS, WEB]);
    let said = Arc::clone(says);
    let resolver = UdpSocket::bind((servers::address(DNS), 53)).unwrap();
    servers::dns_on(resolver, DNS, move |query: &Packet<'_>| {
        let name = query.questions[0].qname.to_string();
        let says = said.lock().unwrap().clone();
        if name != "4over6.info" {
            return vec![reply(query, RCODE::NoError, &[(&name, Record::Aaaa(WEB))])];
        }
        let texts: Vec<[&str; 1]> = says.txt.iter().map(|text| [*text]).collect();
        let records: Vec<_> = texts
            .iter()
            .map(|text| (&*name, Record::Txt(text)))
            .collect();
        vec![reply(query, says.rcode, &records)]
    });
    let said = Arc::clone(says);
    let listener = TcpListener::bind((servers::address(WEB), 80)).unwrap();
    servers::web_on(listener, move |_, stream| {
        let _ = stream.write_all(said.lock().unwrap().http.as_bytes());
    });
    net.add(
        Interface::on("wan6", "eth1")
            .prefix("2001:db8:10:1200::", 56)
            .route(default_route())
            .dns(DNS),
    );
    net.ifup("wan6");
    net.write("etc/config/network", SECTION);
    net.configure("wan4", "mape", &[("tunlink", "wan6")]);
    Some(net)
}

const SECTION: &str = "config interface 'wan4'\n\toption proto 'mape'\n\toption tunlink 'wan6'\n";

/// The line is not up, and log, status and doctor say why.
fn assert_said(net: &Router, says: &str) {
    net.wait_error("wan4", "MAPE_UNKNOWN_PROVIDER");
    net.wait(says, |world| {
        world.log.iter().any(|line| line.contains(says))
    });
    let status = net.mape(&["status", "wan4"]);
    assert!(status.contains(says), "{says} not in {status}");
    let doctor = net.mape(&["doctor", "wan4"]);
    let asked = doctor.lines().find(|line| line.contains(" asked "));
    assert!(
        asked.is_some_and(|line| line.contains(says)),
        "{says} not in {doctor}"
    );
}

#[test]
fn each_fault_has_its_line_and_the_right_answer_comes_next() {
    for (fault, says) in faults() {
        let said = Arc::new(Mutex::new(fault));
        let Some(net) = line(&said) else { return };
        assert_said(&net, says);
        // What is wrong with the line is mended; another configuration has it
        // asked at once.
        *said.lock().unwrap() = Says::right();
        net.write("etc/config/network", SECTION);
        net.update("wan6", "data", |_| {});
        net.wait("wan4 is up", |world| world.is_up("wan4"));
        net.wait("it is on record", |_| {
            net.file("var/run/mape/wan4.json").is_some()
        });
        let status = net.mape(&["status", "wan4"]);
        assert!(
            status.contains("192.0.2.1") && !status.contains("HB46PP  "),
            "{status}"
        );
    }
}

const OVER_TLS: &str = "v=v6mig-1 url=https://prov.example/config t=b";
/// Of `GOOD`.
const TOKEN: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Seconds until the line is asked again, as `mape status` says.
fn next_in(net: &Router) -> u64 {
    let status: serde_json::Value = serde_json::from_str(&net.mape(&["status", "--json"])).unwrap();
    let asked = &status["interfaces"][0]["asked"];
    assert!(asked["failure"].is_string(), "{asked}");
    asked["next_in"].as_u64().unwrap()
}

/// A line whose provisioning server is found by `txt`, and the authority.
fn line_over_tls(txt: &'static str) -> Option<(Router, Authority, Arc<Mutex<Says>>)> {
    let authority = Authority::new(&["prov.example"], servers::address(WEB))?;
    let says = Arc::new(Mutex::new(Says::dns(RCODE::NoError, &[txt])));
    // It is asked once the servers are there.
    let net = line_with(&says, |net| Authority::equip(net.root()))?;
    Some((net, authority, says))
}

#[test]
fn each_fault_of_tls_has_its_line_and_the_right_answer_comes_next() {
    let refused = "the certificate of prov.example is not accepted";
    let right = || http("200 OK", GOOD);
    // The certificate that is shown, and the answer.
    for (shown, answer, says) in [
        ("expired", right(), refused),
        ("name", right(), refused),
        ("unknown", right(), refused),
        (
            "closed",
            right(),
            "cannot get an answer from prov.example over https",
        ),
        (
            "ok",
            http("403 Forbidden", ""),
            "prov.example does not know this line (HTTP status 403)",
        ),
        (
            "ok",
            http("500 Oops", ""),
            "prov.example answers with HTTP status 500",
        ),
        (
            "ok",
            http("307 Away\r\nLocation: http://prov.example/config", ""),
            "prov.example redirects from https to http, which the TXT record forbids",
        ),
        (
            "ok",
            http("200 OK", "<html>busy</html>"),
            "prov.example: the answer is not valid JSON",
        ),
    ] {
        let Some((net, authority, _)) = line_over_tls(OVER_TLS) else {
            return;
        };
        let at = servers::address(WEB);
        let wrong = authority.serve(at, shown, move |_| answer.clone());
        net.ifup("wan4");
        assert_said(&net, says);
        let wait = next_in(&net);
        assert!((500..=1800).contains(&wait), "{says}: again in {wait} s");
        // It is mended, and another configuration has it asked at once.
        drop(wrong);
        let server = authority.serve(at, "ok", move |_| right());
        net.write("etc/config/network", SECTION);
        net.update("wan6", "data", |_| {});
        net.wait("wan4 is up", |world| world.is_up("wan4"));
        assert!(!server.requests.recv().unwrap().head.contains("token="));
    }
}

/// The answer's token, which identifies the subscriber, is not shown to anybody
/// who looks at the arguments of programs.
#[test]
fn a_token_is_handed_over_in_secret() {
    let Some((net, authority, _)) = line_over_tls(OVER_TLS) else {
        return;
    };
    let at = servers::address(WEB);
    let server = authority.serve(at, "ok", |_| http("200 OK", GOOD));
    net.ifup("wan4");
    net.wait("wan4 is up", |world| world.is_up("wan4"));
    let first = server.requests.recv().unwrap();
    assert!(!first.head.contains("token="), "{}", first.head);
    assert!(first.arguments.contains("https://prov.example/config?"));
    net.ifdown("wan4");
    net.wait_idle("wan4");
    net.write("etc/config/network", SECTION);
    net.ifup("wan4");
    let second = server.requests.recv().unwrap();
    let sent = format!("&token={TOKEN} ");
    assert!(second.head.contains(&sent), "{}", second.head);
    assert!(second.arguments.contains("http://[::1]:"));
    assert!(!second.arguments.contains(TOKEN), "{}", second.arguments);
    net.wait("wan4 is up again", |world| world.is_up("wan4"));
    let mut seen = net.log().join("\n") + &net.story();
    seen += &net.mape(&["status", "--json"]);
    seen += &net.mape(&["doctor", "wan4", "--json"]);
    for file in ["wan4.json", "wan4.hb46pp"] {
        seen += &net.file(&format!("var/run/mape/{file}")).unwrap();
    }
    assert!(!seen.contains(TOKEN), "{seen}");
    let kept = net.file("etc/mape/tokens/wan4").unwrap();
    assert_eq!(kept.trim(), TOKEN);
}

/// Where a redirection leads, the certificate is verified as well.
#[test]
fn a_redirection_is_followed_over_https() {
    let Some((net, authority, _)) = line_over_tls(OVER_TLS) else {
        return;
    };
    let at = servers::address(WEB);
    let server = authority.serve(at, "ok", |request| {
        match request.starts_with("GET /moved?") {
            true => http("200 OK", GOOD),
            false => http("307 Away\r\nLocation: /moved?a=b", ""),
        }
    });
    net.ifup("wan4");
    net.wait("wan4 is up", |world| world.is_up("wan4"));
    let last = server.requests.try_iter().last().unwrap();
    assert!(last.head.starts_with("GET /moved?a=b&vendorid="));
}

/// `t=a` asks for no verification, and may lead from http to https.
#[test]
fn without_verification_any_certificate_will_do() {
    for txt in [
        "v=v6mig-1 url=https://prov.example/config t=a",
        "v=v6mig-1 url=http://prov.example/config t=a",
    ] {
        let Some((net, authority, says)) = line_over_tls(txt) else {
            return;
        };
        let to = "307 Away\r\nLocation: https://prov.example/elsewhere";
        says.lock().unwrap().http = http(to, "");
        let at = servers::address(WEB);
        let server = authority.serve(at, "unknown", |_| http("200 OK", GOOD));
        net.ifup("wan4");
        net.wait("wan4 is up", |world| world.is_up("wan4"));
        let request = server.requests.recv().unwrap();
        assert!(request.head.contains("vendorid=000000-mape"), "{txt}");
    }
}
