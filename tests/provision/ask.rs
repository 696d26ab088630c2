// SPDX-License-Identifier: GPL-2.0-or-later
//! Provisioning servers over HTTP, and each of their faults.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use mape::provision::Uplink;
use mape::provision::hb46pp::schedule::Event;
use mape::provision::hb46pp::{AskError, Credentials, Reply, Request, SUPPORTED, ask};

use crate::servers::{self, CE, DNS, Record, WEB, address, dns, http, line, reply, resolver};

const ANSWER: &str = include_str!("../data/hb46pp/map-e.json");

fn request() -> Request {
    Request {
        capabilities: SUPPORTED.to_vec(),
        token: None,
        credentials: None,
    }
}

/// Asks a line whose TXT record names that URL.
fn ask_at(uplink: &Uplink, url: &str) -> Result<Reply, AskError> {
    let uplink = Uplink {
        resolvers: vec![resolver(Some(format!("v=v6mig-1 url={url} t=a")))],
        ..uplink.clone()
    };
    ask(&request(), &uplink)
}

/// Asks a server that answers each request with these bytes.
fn ask_with(uplink: &Uplink, answer: impl Into<Vec<u8>>) -> Result<Reply, AskError> {
    let (port, _told) = servers::web_with(WEB[0], answer);
    ask_at(uplink, &format!("http://prov.example:{port}/rule.cgi"))
}

#[test]
fn an_answer_is_asked_for_from_the_ce_and_read() {
    let Some(uplink) = line() else { return };
    let (port, told) = servers::web_with(WEB[0], http("200 OK", ANSWER));
    let answer = ask_at(&uplink, &format!("http://prov.example:{port}/rule.cgi?a=b")).unwrap();
    assert_eq!(answer.answer.ttl.unwrap().as_secs(), 300);
    assert!(answer.answer.token.is_some() && answer.json.get("token").is_none());
    let request = told.recv().unwrap();
    assert_eq!(request.from, address(CE));
    let expected = "/rule.cgi?a=b&vendorid=000000-mape&product=mape&version=";
    assert!(request.target().starts_with(expected), "{}", request.head);
    assert!(
        request
            .target()
            .ends_with("&capability=map_e,map_t,lw4o6,dslite,ipip")
    );
    assert!(
        request
            .head
            .contains(&format!("\r\nHost: prov.example:{port}\r\n"))
    );
    let literal = format!("http://[{}]:{port}/", WEB[0]);
    assert!(ask_at(&uplink, &literal).is_ok());
}

#[test]
fn bodies_arrive_in_every_legal_way() {
    let Some(uplink) = line() else { return };
    let until_closed = format!("HTTP/1.0 200 OK\r\n\r\n{ANSWER}");
    assert!(ask_with(&uplink, until_closed).is_ok());
    let mut chunked = String::from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for part in ANSWER.as_bytes().chunks(37) {
        let part = std::str::from_utf8(part).unwrap();
        chunked += &format!("{:x}\r\n{part}\r\n", part.len());
    }
    chunked += "0\r\n\r\n";
    assert!(ask_with(&uplink, chunked).is_ok());
    let interim = format!("HTTP/1.1 103 Early Hints\r\n\r\n{}", http("200 OK", ANSWER));
    assert!(ask_with(&uplink, interim).is_ok());
}

#[test]
fn every_fault_of_a_server_has_its_line() {
    let Some(uplink) = line() else { return };
    let long = "x".repeat(2 << 20);
    let nested = "[".repeat(1 << 19);
    for (answer, reason) in [
        (
            http("403 Forbidden", ""),
            "prov.example does not know this line (HTTP status 403)",
        ),
        (
            http("404 Not Found", ""),
            "prov.example does not know this line (HTTP status 404)",
        ),
        (
            http("500 Oops", "<h1>"),
            "prov.example answers with HTTP status 500",
        ),
        (
            http("301 Moved\r\nLocation: /x", ""),
            "prov.example answers with HTTP status 301",
        ),
        (
            http("200 OK", ""),
            "prov.example: the answer is not valid JSON: EOF",
        ),
        (
            String::new(),
            "prov.example closed the connection without an answer",
        ),
        (
            "HTTP/1.1 200".into(),
            "prov.example closed the connection without an answer",
        ),
        (
            "220 smtp ESMTP\r\n\r\n".into(),
            "prov.example: the server does not answer in HTTP",
        ),
        (
            http("200 OK", ANSWER)
                .trim_end()
                .trim_end_matches('}')
                .into(),
            "prov.example: the server's answer is cut off",
        ),
        (
            http("200 OK", &long),
            "prov.example: the server's answer is longer than 1 MiB",
        ),
        (
            format!("HTTP/1.1 200 OK\r\n\r\n{long}"),
            "prov.example: the server's answer is longer than 1 MiB",
        ),
        (
            format!("HTTP/1.1 200 OK\r\nX: {long}"),
            "prov.example: the head of the server's answer",
        ),
        (
            http("200 OK", "{oops"),
            "prov.example: the answer is not valid JSON: key must be",
        ),
        (
            http("200 OK", &nested),
            "prov.example: the answer is not valid JSON: recursion limit",
        ),
        (
            http("200 OK", &format!("{{\"x\":{nested}")),
            "prov.example: the answer is not valid JSON: recursion limit",
        ),
        (
            http("200 OK", &ANSWER.replace("300", "604801")),
            "prov.example: ttl: 604801 seconds are more than",
        ),
        (
            http("307 Away", ""),
            "prov.example redirects without saying where to",
        ),
        (
            http("307 Away\r\nLocation: http://192.0.2.1/", ""),
            "prov.example redirects to a URL that cannot be used: host of the URL",
        ),
        (
            http("307 Away\r\nLocation: ftp://prov.example/", ""),
            "prov.example redirects to a URL that cannot be used: the URL must begin",
        ),
        (
            http("307 Away\r\nLocation: http://gone.example/", ""),
            "gone.example: there is no such name",
        ),
    ] {
        let error = ask_with(&uplink, answer).unwrap_err();
        assert!(
            error.to_string().starts_with(reason),
            "{error}, not {reason}"
        );
        assert_eq!(error.event(), Event::NoAnswer, "{error}");
    }
}

#[test]
fn a_server_that_is_slow_or_away_ends_in_time() {
    let Some(uplink) = line() else { return };
    let uplink = Uplink {
        patience: Duration::from_millis(900),
        ..uplink
    };
    let in_time = |url: &str| {
        let begin = Instant::now();
        let error = ask_at(&uplink, url).unwrap_err();
        assert!(begin.elapsed() < uplink.patience * 2, "{error}");
        error.to_string()
    };
    let (silent, _) = servers::web(WEB[0], |_, _| thread::sleep(Duration::from_secs(5)));
    let said = in_time(&format!("http://prov.example:{silent}/"));
    assert_eq!(said, "prov.example does not answer in time");
    // A byte now and then must not keep us for ever.
    let (slow, _) = servers::web(WEB[0], |_, stream| {
        for byte in http("200 OK", ANSWER).bytes() {
            thread::sleep(Duration::from_millis(50));
            if stream.write_all(&[byte]).is_err() {
                break;
            }
        }
    });
    let said = in_time(&format!("http://prov.example:{slow}/"));
    assert_eq!(said, "prov.example does not answer in time");
    let said = in_time("http://prov.example:9/");
    assert!(
        said.starts_with("cannot connect to prov.example: connection refused"),
        "{said}"
    );
}

#[test]
fn redirections_are_followed_five_times() {
    let Some(uplink) = line() else { return };
    let chain = |hops: usize| {
        servers::web(WEB[0], move |request, stream| {
            let path = request.target().split('?').next().unwrap();
            let at: usize = path.trim_start_matches('/').parse().unwrap_or(0);
            let answer = match at == hops {
                true => http("200 OK", ANSWER),
                false => http(&format!("307 Away\r\nLocation: {}", at + 1), ""),
            };
            stream.write_all(answer.as_bytes()).unwrap();
        })
    };
    let (port, told) = chain(5);
    assert!(ask_at(&uplink, &format!("http://prov.example:{port}/0")).is_ok());
    let requests: Vec<_> = told.try_iter().collect();
    assert_eq!(requests.len(), 6);
    // A relative location without our keys gets them again.
    assert!(
        requests
            .iter()
            .all(|request| request.target().contains("?vendorid=000000-mape"))
    );
    let (port, told) = chain(6);
    let error = ask_at(&uplink, &format!("http://prov.example:{port}/0")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the provisioning servers redirect more than 5 times"
    );
    assert_eq!(told.try_iter().count(), 6);
}

#[test]
fn the_second_address_is_tried_too() {
    let Some(uplink) = line() else { return };
    let (port, told) = servers::web_with(WEB[1], http("200 OK", ANSWER));
    assert!(ask_at(&uplink, &format!("http://both.example:{port}/")).is_ok());
    assert_eq!(told.try_iter().count(), 1);
}

#[test]
fn passwords_go_where_they_may() {
    let Some(uplink) = line() else { return };
    let (port, told) = servers::web_with(WEB[0], http("200 OK", ANSWER));
    let txt = format!("v=v6mig-1 url=http://prov.example:{port}/ t=a");
    let uplink = Uplink {
        resolvers: vec![resolver(Some(txt))],
        ..uplink
    };
    let credentials = |server: Option<&str>| Request {
        credentials: Some(Credentials::new(
            "user".parse().unwrap(),
            "pass".parse().unwrap(),
            server.map(|name| name.parse().unwrap()),
        )),
        ..request()
    };
    ask(&credentials(None), &uplink).unwrap();
    assert!(
        told.recv()
            .unwrap()
            .target()
            .ends_with("&user=user&pass=pass")
    );
    ask(&credentials(Some("prov.example")), &uplink).unwrap();
    assert!(!told.recv().unwrap().target().contains("pass="));
}

#[test]
fn what_a_record_says_decides_what_comes_next() {
    let Some(uplink) = line() else { return };
    let event = |records: &'static [&'static [&'static str]], rcode| {
        let (resolver, _) = dns(DNS[0], move |query| {
            let records: Vec<_> = records
                .iter()
                .map(|strings| ("4over6.info", Record::Txt(strings)))
                .collect();
            vec![reply(query, rcode, &records)]
        });
        let uplink = Uplink {
            resolvers: vec![resolver],
            ..uplink.clone()
        };
        let error = ask(&request(), &uplink).unwrap_err();
        (error.event(), error.to_string())
    };
    use simple_dns::RCODE::{NameError, NoError, ServerFailure};
    let (next, said) = event(&[], NameError);
    assert_eq!(
        (next, said.as_str()),
        (Event::NoRecord, "4over6.info: there is no such name")
    );
    let (next, said) = event(&[], NoError);
    assert_eq!(
        (next, said.as_str()),
        (Event::NoRecord, "4over6.info has no TXT record")
    );
    let (next, said) = event(&[], ServerFailure);
    assert!(next == Event::NoDns && said.contains("SERVFAIL"), "{said}");
    let (next, said) = event(
        &[&["v=v6mig-1 url=http://a.example/ t=a"], &["v=spf1"]],
        NoError,
    );
    assert_eq!(
        (next, said.as_str()),
        (Event::NoRecord, "4over6.info has 2 TXT records, not one")
    );
    let (next, said) = event(&[&["v=v6mig-2 url=http://a.example/ t=a"]], NoError);
    assert!(
        next == Event::NoRecord && said.contains("version v6mig-2"),
        "{said}"
    );
    let (next, said) = event(&[&["v=v6mig-1 url=http://a.example/ t=b"]], NoError);
    assert!(next == Event::NoRecord && said.contains("t=b"), "{said}");
    // Two strings make one record; its server is not there.
    let (next, said) = event(
        &[&["v=v6mig-1 url=http://[2001:db8", ":f::80]:9/ t=a"]],
        NoError,
    );
    assert!(
        next == Event::NoAnswer && said.contains("2001:db8:f::80"),
        "{said}"
    );
}

#[test]
fn a_line_without_dns_keeps_what_runs() {
    let Some(uplink) = line() else { return };
    let error = ask(&request(), &uplink).unwrap_err();
    assert_eq!(error.event(), Event::NoDns);
}
