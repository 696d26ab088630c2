// SPDX-License-Identifier: GPL-2.0-or-later
//! The registration of a fixed address by the process that netifd supervises:
//! the real program against the stand-in for netifd, with the line's DNS and
//! the providers' update servers in the same network namespace.

mod dns_answer;
mod double;
mod program;
mod router;
#[path = "provision/servers.rs"]
#[allow(dead_code)]
mod servers;
mod tls;

use std::fs;
use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use double::Interface;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use router::{Router, default_route, run};
use serde_json::Value;
use servers::{Record, Request, http, reply};
use simple_dns::{Packet, RCODE};
use tls::{Authority, arguments_of_all};

const DNS: &str = "2001:db8:53::53";
const WEB: &str = "2001:db8:53::80";
/// The CE's address in the first prefix and in the second.
const CE: [&str; 2] = ["2001:db8:7:100::feed", "2001:db8:7:200::feed"];
const PREFIXES: [&str; 2] = ["2001:db8:7:100::", "2001:db8:7:200::"];

/// What nobody but the server may see.
const PASSWORD: &str = "s3cret&Pass";
const ENCODED: &str = "s3cret%26Pass";
/// `user:PASSWORD` in base64.
const BASIC: &str = "dXNlcjpzM2NyZXQmUGFzcw==";
const KEY: &str = "k3y-of-ddns";

/// A line with a fixed address, its DNS server and an update server that gives
/// whatever it is set to.
struct Line {
    net: Router,
    answer: Arc<Mutex<String>>,
    requests: Receiver<Request>,
}

impl Line {
    /// `None`, with the reason, without root.
    fn new(answer: &str) -> Option<Self> {
        let net = Router::new()?;
        run("ip", &["link", "set", "lo", "up"]);
        for address in [&[DNS, WEB], &CE[..]].concat() {
            let address = format!("{address}/128");
            run("ip", &["address", "add", &address, "dev", "lo", "nodad"]);
        }
        servers::until_reached(CE[0], &[DNS, WEB, CE[1]]);
        let resolver = UdpSocket::bind((servers::address(DNS), 53)).unwrap();
        servers::dns_on(resolver, DNS, |query: &Packet<'_>| {
            let name = query.questions[0].qname.to_string();
            let records = [(name.as_str(), Record::Aaaa(WEB))];
            vec![reply(query, RCODE::NoError, &records)]
        });
        let answer = Arc::new(Mutex::new(answer.to_owned()));
        let given = Arc::clone(&answer);
        let listener = TcpListener::bind((servers::address(WEB), 80)).unwrap();
        let (_, requests) = servers::web_on(listener, move |_, stream| {
            let _ = stream.write_all(given.lock().unwrap().as_bytes());
        });
        net.add(
            Interface::on("wan6", "eth1")
                .prefix(PREFIXES[0], 56)
                .route(default_route())
                .dns(DNS),
        );
        net.ifup("wan6");
        Some(Line {
            net,
            answer,
            requests,
        })
    }

    fn answers(&self, answer: &str) {
        answer.clone_into(&mut self.answer.lock().unwrap());
    }

    /// Writes the section as UCI would, and starts the interface with what
    /// netifd passes of it.
    fn start(&self, update_url: &str, password: &str) {
        let options = options(update_url, password);
        self.write(&options);
        self.net.configure("wan4", "mape", &options);
        self.net.ifup("wan4");
        self.net.wait("wan4 is up", |world| world.is_up("wan4"));
    }

    fn write(&self, options: &[(&str, &str)]) {
        let lines = options
            .iter()
            .map(|(name, value)| format!("\toption {name} '{value}'\n"));
        let text: String = lines.collect();
        let text = format!("config interface 'wan4'\n\toption proto 'mape'\n{text}");
        self.net.write("etc/config/network", &text);
    }

    /// The next request.
    fn next(&self) -> Request {
        self.requests.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    /// What `status` says of the registration once that is its result.
    fn result(&self, wanted: &str) -> Value {
        for _ in 0..600 {
            let status: Value = serde_json::from_str(&self.mape(&["status", "--json"])).unwrap();
            let found = &status["interfaces"][0]["registration"];
            if found["result"] == wanted {
                return found.clone();
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("never {wanted}\n{}", self.net.story());
    }

    fn mape(&self, args: &[&str]) -> String {
        self.net.mape(args)
    }

    /// Pid of the process that netifd supervises.
    fn task(&self) -> u32 {
        self.net.with(|world| {
            let handler = world.interface("wan4").handler.as_ref().unwrap();
            handler.task.unwrap()
        })
    }

    /// Looks for the secrets wherever somebody else could see them.
    fn assert_secret(&self) {
        let mut seen = self.net.log().join("\n");
        seen += &self.mape(&["status"]);
        seen += &self.mape(&["status", "--json"]);
        seen += &self.mape(&["doctor", "wan4", "--json"]);
        seen += &self.net.story();
        seen += &arguments_of_all();
        files(self.net.root(), &mut seen);
        for secret in [PASSWORD, ENCODED, BASIC, KEY] {
            assert!(!seen.contains(secret), "{secret} in {seen}");
        }
    }
}

fn options<'a>(update_url: &'a str, password: &'a str) -> [(&'a str, &'a str); 11] {
    [
        ("tunlink", "wan6"),
        ("maptype", "ipip"),
        ("ipaddr", "203.0.113.7"),
        ("peeraddr", "2001:db8:ffff::1"),
        ("interfaceid", "::feed"),
        ("username", "user"),
        ("password", password),
        ("update_url", update_url),
        ("update_hostname", "host1"),
        ("update_id", "id1"),
        ("update_key", KEY),
    ]
}

/// The text of all files below a folder, apart from the configuration.
fn files(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && entry.file_name() != "config" {
            files(&entry.path(), text);
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).unwrap_or_default();
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn each_server_is_called_from_the_ce_address() {
    for (style, target, is_basic, answer) in [
        (
            "v6plus",
            format!("/update?user=user&pass={ENCODED}"),
            false,
            "OK",
        ),
        (
            "transix",
            format!("/request?username=user&password={ENCODED}"),
            false,
            "OK\r\n",
        ),
        (
            "ocn",
            "/nic/update?hostname=host1".to_owned(),
            true,
            "good 203.0.113.7",
        ),
        (
            "http://any.example/u?h=[HOSTNAME]&a=[IP]",
            format!("/u?h=host1&a={}", CE[0]),
            true,
            "nochg",
        ),
    ] {
        let Some(line) = Line::new(&http("200 OK", answer)) else {
            return;
        };
        line.start(style, PASSWORD);
        let request = line.next();
        assert_eq!(request.from, servers::address(CE[0]), "{style}");
        assert_eq!(request.target(), target, "{style}");
        let basic = format!("\r\nAuthorization: Basic {BASIC}\r\n");
        assert_eq!(request.head.contains(&basic), is_basic, "{}", request.head);
        let result = line.result("registered");
        assert_eq!(result["address"], CE[0]);
        assert_eq!(result["next_in"], Value::Null);
        let status = line.mape(&["status", "wan4"]);
        let row = format!("{} is registered with ", CE[0]);
        assert!(status.contains(&row), "{status}");
        line.assert_secret();
        line.net.ifdown("wan4");
        line.net.wait("wan4 is down", |world| !world.is_up("wan4"));
        // Once the process has ended, too.
        line.net
            .wait("the device is gone", |world| world.links.is_empty());
        line.net.assert_clean("wan4");
    }
}

/// Which server that is need not be typed if the provider is named.
#[test]
fn a_provider_that_is_named_has_its_server() {
    for (provider, host, target) in [
        (
            "v6plus-static",
            "fcs.enabler.ne.jp",
            format!("/update?user=user&pass={ENCODED}"),
        ),
        (
            "transix-static",
            "update.transix.jp",
            format!("/request?username=user&password={ENCODED}"),
        ),
        (
            "ocn-static",
            "ipoe-static.ocn.ad.jp",
            "/nic/update?hostname=host1".to_owned(),
        ),
    ] {
        let Some(line) = Line::new(&http("200 OK", "OK good")) else {
            return;
        };
        let named = options("", PASSWORD).map(|option| match option {
            ("update_url", _) => ("provider", provider),
            option => option,
        });
        line.write(&named);
        line.net.configure("wan4", "mape", &named);
        line.net.ifup("wan4");
        let request = line.next();
        assert_eq!(request.target(), target, "{provider}");
        assert!(
            request.head.contains(&format!("\r\nHost: {host}\r\n")),
            "{}",
            request.head
        );
        line.assert_secret();
    }
}

/// Over https the address is in the call; neither account is ever an argument.
#[test]
fn xpass_is_called_over_https_with_both_accounts() {
    let name = "ddnsweb1.ddns.vbbnet.jp";
    let Some(authority) = Authority::new(&[name], servers::address(WEB)) else {
        return;
    };
    let Some(line) = Line::new("") else { return };
    Authority::equip(line.net.root());
    let at = servers::address(WEB);
    let serve = |shown| authority.serve(at, shown, |_| http("200 OK", "good"));
    let server = serve("ok");
    line.start("xpass", PASSWORD);
    let patience = Duration::from_secs(60);
    let request = server.requests.recv_timeout(patience).unwrap();
    let target = format!("GET /?d=host1&p={KEY}&a={}&u=id1 HTTP/1.1\r\n", CE[0]);
    assert!(request.head.starts_with(&target), "{}", request.head);
    let basic = format!("\r\nAuthorization: Basic {BASIC}\r\n");
    assert!(request.head.contains(&basic), "{}", request.head);
    assert!(request.arguments.contains("[::1]"), "{}", request.arguments);
    for secret in [PASSWORD, ENCODED, BASIC, KEY] {
        assert!(!request.arguments.contains(secret), "{secret}");
    }
    line.result("registered");
    line.assert_secret();
    // A server with somebody else's certificate registers nothing.
    drop(server);
    let server = serve("name");
    line.write(&options("xpass", "another"));
    let result = line.result("unreached");
    assert_eq!(
        result["detail"],
        format!("the certificate of {name} is not accepted")
    );
    drop(server);
    line.assert_secret();
}

#[test]
fn what_is_no_success_is_tried_again_with_what_the_configuration_says_then() {
    let page = http("200 OK", "<html>welcome</html>");
    let Some(line) = Line::new(&page) else {
        return;
    };
    line.start("v6plus", "wrong");
    assert!(line.next().target().ends_with("pass=wrong"));
    let result = line.result("unclear");
    let detail = "a web page, HTTP status 200";
    assert_eq!(result["detail"], detail);
    assert!(result["next_in"].is_u64(), "{result}");
    let doctor = line.mape(&["doctor", "wan4"]);
    assert!(doctor.contains(detail), "{doctor}");
    // A server that repeats what it got.
    line.answers(&http(
        "400 Bad Request",
        &format!("NG {PASSWORD} {ENCODED}"),
    ));
    line.write(&options("v6plus", PASSWORD));
    assert!(line.next().target().ends_with(&format!("pass={ENCODED}")));
    let result = line.result("refused");
    assert_eq!(result["detail"], "NG *** ***, HTTP status 400");
    line.assert_secret();
    line.answers(&http("200 OK", "OK"));
    assert_eq!(line.next().from, servers::address(CE[0]));
    line.result("registered");
    assert_eq!(line.net.spawned("wan4", "setup"), 1, "the link stays up");
}

#[test]
fn another_prefix_and_another_process_register_again() {
    let Some(line) = Line::new(&http("200 OK", "OK")) else {
        return;
    };
    line.start("transix", PASSWORD);
    assert_eq!(line.next().from, servers::address(CE[0]));
    line.net.set_prefix("wan6", Some((PREFIXES[1], 56)));
    line.net.hotplug("wan6");
    assert_eq!(line.next().from, servers::address(CE[1]));
    let task = line.task();
    kill(Pid::from_raw(task.cast_signed()), Signal::SIGKILL).unwrap();
    assert_eq!(line.next().from, servers::address(CE[1]));
    line.net
        .wait("wan4 is up again", |world| world.is_up("wan4"));
    assert_ne!(line.task(), task);
}

#[test]
fn what_is_missing_is_named_and_the_link_comes_up() {
    let Some(line) = Line::new(&http("200 OK", "OK")) else {
        return;
    };
    line.start("v6plus", "");
    let result = line.result("incomplete");
    assert_eq!(result["detail"], "password");
    assert!(line.requests.try_recv().is_err(), "nothing is sent");
    line.write(&options("v6plus", PASSWORD));
    assert!(line.next().target().contains(ENCODED));
}
