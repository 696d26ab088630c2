// SPDX-License-Identifier: GPL-2.0-or-later
//! What an update server's answer means.

use std::fmt;

use super::request::Style;
use crate::sanitize::one_line;

/// What became of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The address is registered.
    Registered,
    /// The server refused, in these words.
    Refused(String),
    /// The server answered with something that is no answer to the call, such
    /// as a web page.
    Unclear(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Registered => f.write_str("the address is registered"),
            Outcome::Refused(words) => write!(f, "the server refuses: {words}"),
            Outcome::Unclear(words) => write!(f, "the server gives no clear answer: {words}"),
        }
    }
}

/// Most characters of an answer that are repeated.
const LONGEST: usize = 80;

/// The words with which servers of the DynDNS kind refuse.
const REFUSALS: [&str; 10] = [
    "NG", "badauth", "nohost", "notfqdn", "numhost", "abuse", "badagent", "dnserr", "911",
    "!donator",
];

/// Judges an answer. Only the words that mean success count as one: some
/// servers answer a wrong call with a web page and status 200.
pub fn judge(style: &Style, status: u16, body: &[u8]) -> Outcome {
    let body = String::from_utf8_lossy(body);
    let body = body.trim();
    let shown = match body {
        "" => format!("HTTP status {status}"),
        _ if body.starts_with('<') => format!("a web page, HTTP status {status}"),
        _ => format!("{}, HTTP status {status}", one_line(body, LONGEST)),
    };
    // "good 192.0.2.1"
    let word = body.split_ascii_whitespace().next().unwrap_or_default();
    let is_dyndns = matches!(word, "good" | "nochg");
    let is_success = match style {
        Style::V6plus | Style::Transix => body == "OK",
        Style::Ocn => is_dyndns,
        Style::Xpass(_) => is_dyndns || body == "OK",
        Style::Url(_) => is_dyndns || body.eq_ignore_ascii_case("ok"),
    };
    match status {
        200 if is_success => Outcome::Registered,
        400..500 => Outcome::Refused(shown),
        _ if REFUSALS.contains(&word) => Outcome::Refused(shown),
        _ => Outcome::Unclear(shown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_body_is_judged_exactly() {
        let is_ok = |style: &str, status, body: &str| {
            let outcome = judge(&style.parse().unwrap(), status, body.as_bytes());
            outcome == Outcome::Registered
        };
        for style in ["v6plus", "transix", "xpass", "http://a.example/"] {
            assert!(is_ok(style, 200, "OK"), "{style}");
            assert!(is_ok(style, 200, "OK\r\n"), "{style}");
            assert!(!is_ok(style, 200, "OK, but not yet"), "{style}");
            assert!(!is_ok(style, 500, "OK"), "{style}");
            assert!(!is_ok(style, 200, "<html>OK</html>"), "{style}");
            assert!(!is_ok(style, 200, ""), "{style}");
        }
        for style in ["ocn", "xpass", "http://a.example/"] {
            assert!(is_ok(style, 200, "good 2001:db8::1"), "{style}");
            assert!(is_ok(style, 200, "nochg"), "{style}");
            assert!(!is_ok(style, 200, "goodbye"), "{style}");
        }
        assert!(!is_ok("ocn", 200, "OK"));
        assert!(!is_ok("v6plus", 200, "good"));
        assert!(!is_ok("v6plus", 200, "ok"));
    }

    #[test]
    fn failures_say_what_the_server_said() {
        let says = |status, body: &str| judge(&Style::Ocn, status, body.as_bytes()).to_string();
        assert_eq!(
            says(200, "nohost\n"),
            "the server refuses: nohost, HTTP status 200"
        );
        assert_eq!(says(401, ""), "the server refuses: HTTP status 401");
        assert_eq!(
            says(200, "<!DOCTYPE html><b>Welcome"),
            "the server gives no clear answer: a web page, HTTP status 200"
        );
        let long = says(200, &"x\u{1b}y".repeat(100));
        assert!(long.len() < 200 && !long.contains('\u{1b}'));
        let refused = judge(&Style::Transix, 400, b"NG");
        assert!(matches!(refused, Outcome::Refused(_)));
    }
}
