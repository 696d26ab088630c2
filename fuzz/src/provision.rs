// SPDX-License-Identifier: GPL-2.0-or-later
//! What a line's resolvers and servers answer.

use ipnet::Ipv6Net;
use mape::endpoint::DnsName;
use mape::provision::hb46pp::{Answer, Mechanism, SUPPORTED, Server};
use mape::provision::http::Url;
use mape::provision::http::body::{Body, BodyError};
use mape::provision::http::head::Head;
use mape::provision::resolve::message::{Kind, Reply, query, read};

use super::{is_a_line, is_said, rules, text};

/// A DNS message, as the answer to a question with the same id.
pub fn dns_answers(data: &[u8]) {
    let [high, low, flags, ..] = *data else {
        return;
    };
    let id = u16::from_be_bytes([high, low]);
    let name: DnsName = "4over6.info".parse().expect("a name");
    for kind in [Kind::Aaaa, Kind::Txt] {
        assert!(
            query(id, &name, kind).is_some_and(|query| read(&query, id, &name, kind).is_none())
        );
        let reply = read(data, id, &name, kind);
        assert_eq!(read(data, id.wrapping_add(1), &name, kind), None);
        match reply {
            None | Some(Reply::NoName | Reply::NoData | Reply::Failed(_)) => {}
            Some(Reply::Truncated) => assert_ne!(flags & 2, 0),
            Some(Reply::Addresses(all)) => assert!(kind == Kind::Aaaa && !all.is_empty()),
            Some(Reply::Texts(texts)) => {
                assert!(kind == Kind::Txt && !texts.is_empty());
                match Server::from_records(&texts) {
                    Ok(server) => url_holds(&server.url),
                    Err(error) => is_a_line(&error.to_string()),
                }
            }
        }
    }
}

/// An HTTP answer: however it is cut into pieces, it says the same.
pub fn http_answers(data: &[u8]) {
    let whole = http_answer(data, data.len().max(1));
    for size in [1, 3, 61] {
        assert_eq!(http_answer(data, size), whole, "in pieces of {size}");
    }
}

type HttpAnswer = Option<(u16, Option<String>, Result<Vec<u8>, BodyError>)>;

fn http_answer(data: &[u8], size: usize) -> HttpAnswer {
    let (head, len) = Head::read(data).ok().flatten()?;
    if let Some(location) = &head.location {
        let base: Url = "http://a.example/b/c?d".parse().expect("a URL");
        if let Ok(url) = base.join(location) {
            url_holds(&url);
        }
    }
    let content = Body::new(head.framing).and_then(|mut body| {
        for piece in data[len..].chunks(size) {
            if body.is_complete() {
                break;
            }
            body.push(piece)?;
        }
        body.finish()
    });
    Some((head.status, head.location, content))
}

/// URLs, one a line, each as a reference to the one before.
pub fn urls(data: &[u8]) {
    let text = text(data);
    let mut base: Option<Url> = None;
    for line in text.lines().take(8) {
        if let Ok(style) = line.parse::<mape::provision::registration::Style>() {
            assert!(!format!("{style:?}").contains("://"));
        }
        let url = match &base {
            Some(base) => base.join(line),
            None => line.parse(),
        };
        match url {
            Ok(url) => {
                url_holds(&url);
                base = Some(url);
            }
            Err(error) => is_a_line(&error.to_string()),
        }
    }
}

fn url_holds(url: &Url) {
    assert_eq!(url.expose().parse::<Url>().as_ref(), Ok(url));
    let more = url.with_query("key=value").expect("a query");
    assert!(more.has_query_key("key") && more.host() == url.host());
    // What goes into a request is a word.
    for word in [url.target(), url.authority()] {
        assert!(word.bytes().all(|b| b.is_ascii_graphic()), "{word:?}");
    }
}

/// The JSON of a provisioning server.
pub fn hb46pp_answers(data: &[u8]) {
    let answer = match Answer::parse(data) {
        Ok(answer) => answer,
        Err(error) => return is_a_line(&error.to_string()),
    };
    let debug = format!("{answer:?}");
    assert!(
        answer
            .token
            .is_none_or(|token| !debug.contains(token.expose()))
    );
    let answer = Answer::parse(data).expect("the same again");
    let mut prefixes: Vec<Ipv6Net> = Vec::new();
    let rules = answer.map_e.iter().flat_map(|map_e| &map_e.rules);
    for rule in rules
        .chain(answer.map_t.iter().flat_map(|map_t| &map_t.rules))
        .take(8)
    {
        prefixes.extend(Ipv6Net::new(rule.ipv6.addr(), 64));
    }
    for prefixes in [None, Some(prefixes.as_slice())] {
        match (answer.mechanism(&SUPPORTED, prefixes), prefixes) {
            (Ok(Mechanism::Map { domain, .. }), Some(prefixes)) => {
                rules::mapping_holds(&domain.map(prefixes).expect("it fits"));
            }
            (Ok(Mechanism::IpIp(tunnels)), _) => assert!(!tunnels.is_empty()),
            (Ok(_), _) => {}
            (Err(error), _) => is_said(&error),
        }
    }
}
