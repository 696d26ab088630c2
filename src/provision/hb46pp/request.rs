// SPDX-License-Identifier: GPL-2.0-or-later
//! What a CE tells the server, and to which server it tells its password.

use std::fmt;
use std::str::FromStr;

use super::txt::{Certificate, Server};
use super::values::{Capability, Token};
use crate::endpoint::{DnsName, Endpoint};
use crate::provision::http::{Scheme, Url, UrlError};
use crate::reason::{Reason, Tell, said, sentence};

/// We have no OUI. Zeros instead of a foreign one identify nobody, and no
/// server is known to look at it.
const VENDOR_ID: &str = "000000-mape";

const PRODUCT: &str = "mape";

/// User name and password of the contract; `Debug` hides both.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: Secret,
    password: Secret,
    server: Option<DnsName>,
}

/// A user name or password as the protocol allows them.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// A text that the protocol does not allow for one. Does not quote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub struct SecretError;

impl Tell for SecretError {
    fn reason(&self) -> Reason {
        said!(
            "secret",
            "must be 1 to 32 letters, digits, hyphens or underscores"
        )
    }
}

sentence!(SecretError);

impl FromStr for Secret {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        match (1..=32).contains(&text.len()) && text.bytes().all(is_plain) {
            true => Ok(Secret(text.to_owned())),
            false => Err(SecretError),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl Credentials {
    /// User name and password, and the only server they are for, if the user
    /// has named one.
    pub fn new(user: Secret, password: Secret, server: Option<DnsName>) -> Self {
        Credentials {
            user,
            password,
            server,
        }
    }

    /// Whether they may be sent to `server`: to a server that was named only
    /// if its certificate proves that it is the one (section 3.3).
    fn are_for(&self, server: &Server) -> bool {
        let Some(name) = &self.server else {
            return true;
        };
        server.url.scheme() == Scheme::Https
            && server.certificate == Certificate::Verified
            && *server.url.host() == Endpoint::Name(name.clone())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials(hidden, for {:?})", self.server)
    }
}

/// What a CE says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The mechanisms that may be offered.
    pub capabilities: Vec<Capability>,
    /// The token of the last answer.
    pub token: Option<Token>,
    /// User name and password of the contract.
    pub credentials: Option<Credentials>,
}

/// A request for one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    /// What to ask for.
    pub url: Url,
    /// Whether the URL holds a token or password.
    pub is_secret: bool,
}

impl Request {
    /// The request for that server.
    ///
    /// # Errors
    /// The server's URL cannot take a query.
    pub fn to(&self, server: &Server) -> Result<Addressed, UrlError> {
        // Servers that redirect may have copied the query.
        let mut query = match server.url.has_query_key("vendorid") {
            true => Vec::new(),
            false => self.query(),
        };
        let credentials = self.credentials.as_ref().filter(|c| c.are_for(server));
        if let (Some(credentials), false) = (credentials, server.url.has_query_key("user")) {
            query.push(format!("user={}", credentials.user.0));
            query.push(format!("pass={}", credentials.password.0));
        }
        let url = match query.is_empty() {
            true => server.url.clone(),
            false => server.url.with_query(&query.join("&"))?,
        };
        Ok(Addressed {
            is_secret: ["token", "pass"].iter().any(|key| url.has_query_key(key)),
            url,
        })
    }

    fn query(&self) -> Vec<String> {
        let words: Vec<&str> = self.capabilities.iter().map(|c| c.as_str()).collect();
        let mut query = vec![
            format!("vendorid={VENDOR_ID}"),
            format!("product={PRODUCT}"),
            format!("version={}", version(env!("CARGO_PKG_VERSION"))),
            format!("capability={}", words.join(",")),
        ];
        query.extend(
            self.token
                .iter()
                .map(|token| format!("token={}", token.expose())),
        );
        query
    }
}

/// A version as the protocol allows it: digits, with underscores between them.
fn version(of: &str) -> String {
    let release = of.split(|c: char| c != '.' && !c.is_ascii_digit()).next();
    release.unwrap_or_default().replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str, certificate: Certificate) -> Server {
        Server {
            url: url.parse().unwrap(),
            certificate,
        }
    }

    fn request(credentials: Option<Credentials>) -> Request {
        Request {
            capabilities: vec![Capability::MapE, Capability::DsLite],
            token: None,
            credentials,
        }
    }

    fn credentials(server: Option<&str>) -> Option<Credentials> {
        let server = server.map(|name| name.parse().unwrap());
        let (user, password) = ("user".parse().unwrap(), "pa-ss".parse().unwrap());
        Some(Credentials::new(user, password, server))
    }

    #[test]
    fn the_query_of_a_request() {
        let to = server("http://a.example/rule.cgi?x=1", Certificate::Ignored);
        let mut request = request(None);
        let asked = request.to(&to).unwrap();
        let version = version(env!("CARGO_PKG_VERSION"));
        let expected = format!(
            "/rule.cgi?x=1&vendorid=000000-mape&product=mape&version={version}\
             &capability=map_e,dslite"
        );
        assert_eq!(asked.url.target(), expected);
        assert!(!asked.is_secret);
        let digits = "0123456789abcdef".repeat(4);
        request.token = Some(digits.parse().unwrap());
        let asked = request.to(&to).unwrap();
        assert_eq!(asked.url.target(), format!("{expected}&token={digits}"));
        assert!(asked.is_secret);
        assert!(!format!("{asked:?} {request:?}").contains(&digits));
    }

    #[test]
    fn versions_are_digits_and_underscores() {
        assert_eq!(version("0.9.0"), "0_9_0");
        assert_eq!(version("1.2.3-rc1"), "1_2_3");
    }

    #[test]
    fn a_location_that_has_the_query_keeps_it() {
        let to = server(
            "http://b.example/?vendorid=000000-mape&x=1",
            Certificate::Ignored,
        );
        let asked = request(None).to(&to).unwrap();
        assert_eq!(asked.url.target(), "/?vendorid=000000-mape&x=1");
    }

    #[test]
    fn passwords_for_a_named_server_go_to_it_alone() {
        let sent = |to: &Server, credentials| {
            let asked = request(credentials).to(to).unwrap();
            assert_eq!(asked.is_secret, asked.url.target().contains("pa-ss"));
            asked.is_secret
        };
        let right = server("https://a.example/", Certificate::Verified);
        let unverified = server("https://a.example/", Certificate::Ignored);
        let plain = server("http://a.example/", Certificate::Ignored);
        let other = server("https://b.example/", Certificate::Verified);
        let address = server("https://[2001:db8::1]/", Certificate::Verified);
        assert!(sent(&right, credentials(Some("A.Example."))));
        for to in [&unverified, &plain, &other, &address] {
            assert!(!sent(to, credentials(Some("a.example"))), "{to:?}");
        }
        // Without a name they may go anywhere.
        for to in [&right, &unverified, &plain, &other, &address] {
            assert!(sent(to, credentials(None)), "{to:?}");
        }
        assert!(!sent(&right, None));
    }

    #[test]
    fn secrets_are_checked_and_hidden() {
        assert!("a".repeat(32).parse::<Secret>().is_ok());
        for wrong in ["", "a b", "a&b", "ä", &"a".repeat(33)] {
            assert_eq!(wrong.parse::<Secret>(), Err(SecretError));
        }
        let debug = format!("{:?}", request(credentials(Some("a.example"))));
        assert!(
            !debug.contains("pa-ss") && !debug.contains("user\""),
            "{debug}"
        );
    }
}
