// SPDX-License-Identifier: GPL-2.0-or-later
//! The provider's HTTP servers: provisioning (HB46PP) with a switch for each
//! fault, and registration of fixed addresses. They remember what was asked.

use super::tls::Tls;
use crate::Result;
use crate::guest::netns::Netns;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv6Addr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub from: Ipv6Addr,
    /// Path and query.
    pub target: String,
}

/// What the server does with requests.
#[derive(Debug, Clone)]
struct Manner {
    fault: &'static str,
    /// What it answers if nothing is wrong.
    body: String,
}

/// A server for HTTP on port 80, and over TLS on port 443.
#[derive(Clone)]
pub struct Web {
    manner: Arc<Mutex<Manner>>,
    seen: Arc<Mutex<Vec<Request>>>,
}

/// What can be wrong with an answer.
pub const FAULTS: &[&str] = &[
    "ok",
    "307",
    "loop",
    "403",
    "404",
    "500",
    "empty",
    "cut",
    "long",
    "slow",
    "invalid",
    "nested",
    "types",
    "ttl",
    "multicast",
    "none",
    "bad",
    "strange",
    "rules",
    "html",
];

/// Longer than a router is willing to wait.
const SLOW: Duration = Duration::from_secs(60);

impl Web {
    /// Starts at `address`, which the namespace gets on its loopback, and
    /// answers with `body`.
    pub fn start(host: &Netns, address: Ipv6Addr, body: &str) -> Result<Self> {
        host.ip(&format!("addr replace {address}/128 dev lo nodad\n"))?;
        let listener = host.within(|| {
            TcpListener::bind((address, 80)).map_err(|e| format!("HTTP at {address}: {e}"))
        })?;
        let web = Self {
            manner: Arc::new(Mutex::new(Manner {
                fault: "ok",
                body: body.to_owned(),
            })),
            seen: Arc::default(),
        };
        let server = web.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                thread::spawn(move || server.answer(stream.peer_addr()?.ip(), stream));
            }
        });
        Ok(web)
    }

    /// The same over TLS.
    pub fn secure(&self, host: &Netns, address: Ipv6Addr, tls: &Tls) -> Result<()> {
        let listener = host.within(|| {
            TcpListener::bind((address, 443)).map_err(|e| format!("HTTPS at {address}: {e}"))
        })?;
        let (server, tls) = (self.clone(), tls.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (server, tls) = (server.clone(), tls.clone());
                thread::spawn(move || {
                    let from = stream.peer_addr()?.ip();
                    tls.accept(stream, |stream| server.answer(from, stream))
                });
            }
        });
        Ok(())
    }

    /// What is wrong from now on, as a word of [`FAULTS`].
    pub fn confuse(&self, word: &str) -> Result<()> {
        let known = FAULTS.iter().find(|known| **known == word);
        let known = known.ok_or_else(|| format!("answer {word}: one of {}", FAULTS.join(", ")))?;
        self.manner().fault = known;
        Ok(())
    }

    /// What it answers from now on if nothing is wrong.
    pub fn say(&self, body: &Value) {
        self.manner().body = body.to_string();
    }

    /// The requests since the last call.
    pub fn seen(&self) -> Vec<Request> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn manner(&self) -> std::sync::MutexGuard<'_, Manner> {
        self.manner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, from: IpAddr, mut stream: impl Read + Write) -> std::io::Result<()> {
        let IpAddr::V6(from) = from else {
            return Ok(());
        };
        let mut head = BufReader::new(&mut stream);
        let mut first = String::new();
        head.read_line(&mut first)?;
        let mut line = String::new();
        while head.read_line(&mut line)? > 2 {
            line.clear();
        }
        let target = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let redirected = target.contains("/moved");
        // Who does not like the certificate asks for nothing.
        if target.is_empty() {
            return Ok(());
        }
        if let Ok(mut seen) = self.seen.lock() {
            seen.push(Request { from, target });
        }
        let manner = self.manner().clone();
        if manner.fault == "slow" {
            thread::sleep(SLOW);
        }
        // Whoever has read enough has gone.
        let _ = stream.write_all(&manner.answer(redirected));
        Ok(())
    }
}

impl Manner {
    /// The whole answer, of the place that a redirection leads to or of the
    /// first.
    fn answer(&self, redirected: bool) -> Vec<u8> {
        let moved = "307 Temporary Redirect\r\nLocation: /moved";
        match self.fault {
            "307" if !redirected => http(moved, ""),
            "loop" => http(moved, ""),
            "403" => http("403 Forbidden", ""),
            "404" => http("404 Not Found", ""),
            "500" => http("500 Internal Server Error", ""),
            "empty" => http("200 OK", ""),
            "cut" => {
                let mut whole = http("200 OK", &self.body);
                whole.truncate(whole.len() / 2 + 40);
                whole
            }
            "long" => http("200 OK", &" ".repeat(2 << 20)),
            "nested" => http("200 OK", &"[".repeat(10_000)),
            "invalid" => http("200 OK", "<html>Welcome</html>"),
            fault => http("200 OK", &changed(&self.body, fault)),
        }
    }
}

/// The answer with something wrong inside.
fn changed(body: &str, fault: &str) -> String {
    let Ok(mut answer) = serde_json::from_str::<Value>(body) else {
        return body.to_owned();
    };
    match fault {
        "types" => answer["ttl"] = json!([1]),
        "ttl" => answer["ttl"] = json!(604_801),
        "multicast" => {
            answer["dslite"] = json!({ "aftr": "ff02::1" });
            answer["order"] = json!(["dslite"]);
        }
        "none" => answer["order"] = json!([]),
        "bad" => {
            answer["order"] = json!([]);
            answer["auth"] = json!("bad");
        }
        "strange" => answer["order"] = json!(["teleport"]),
        "rules" => {
            let rule = |n: u16| {
                json!({ "ipv6": format!("2001:db8:{n:x}::/48"), "ipv4": "192.0.2.0/24",
                        "ea_length": 8, "psid_offset": 4 })
            };
            let rules: Vec<Value> = (0x2000..0x2101).map(rule).collect();
            answer["map_e"] = json!({ "br": "2001:db8:ffff::1", "rules": rules });
        }
        "html" => answer["enabler_name"] = json!("<script>alert(1)</script>"),
        _ => {}
    }
    answer.to_string()
}

fn http(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}
