// SPDX-License-Identifier: GPL-2.0-or-later
//! URLs of provisioning and registration servers.

use std::fmt;
use std::str::FromStr;

use iri_string::types::{UriReferenceStr, UriString};

use crate::endpoint::{Endpoint, EndpointError};
use crate::reason::{Reason, Tell, said, sentence};

/// How a server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

/// An absolute `http` or `https` URL (RFC 3986) whose host can be reached over
/// IPv6. Its query may hold secrets: `Debug` leaves it out, and messages name
/// [`Url::host`].
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    scheme: Scheme,
    host: Endpoint,
    port: Option<u16>,
    /// Scheme to query; no fragment, which is none of the server's business.
    text: UriString,
}

/// Why a text is no URL that can be used. Never quotes it: it may hold
/// secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not an absolute URL.
    Syntax,
    /// Another scheme.
    Scheme,
    /// `user:password@`.
    UserInfo,
    /// The host is missing or cannot be used.
    Host(EndpointError),
    /// The port is no port.
    Port,
}

impl Tell for UrlError {
    fn reason(&self) -> Reason {
        match self {
            Self::Syntax => said!(
                "url_syntax",
                "must be a URL such as http://host.example/path"
            ),
            Self::Scheme => said!("url_scheme", "the URL must begin with http:// or https://"),
            Self::UserInfo => said!(
                "url_user_info",
                "the URL must not contain a user name or password before the host"
            ),
            Self::Host(reason) => said!("url_host", "host of the URL: {reason}", reason),
            Self::Port => said!(
                "url_port",
                "the port of the URL must be a number from 1 to 65535"
            ),
        }
    }
}

sentence!(UrlError);

impl Url {
    /// How the server is reached.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Name or address of the server.
    pub fn host(&self) -> &Endpoint {
        &self.host
    }

    /// TCP port of the server.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        })
    }

    /// Host, and port if it is given: the value of a `Host` header.
    pub fn authority(&self) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        match &self.host {
            Endpoint::Address(address) => format!("[{address}]{port}"),
            Endpoint::Name(name) => format!("{name}{port}"),
        }
    }

    /// Path and query: what a request line names.
    pub fn target(&self) -> String {
        let path = match self.text.path_str() {
            "" => "/",
            path => path,
        };
        match self.text.query_str() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        }
    }

    /// Whether the query has a value for `key`.
    pub fn has_query_key(&self, key: &str) -> bool {
        let query = self.text.query_str().unwrap_or_default();
        query
            .split('&')
            .any(|pair| pair.split_once('=').is_some_and(|(name, _)| name == key))
    }

    /// The same URL with `query` (`key=value` pairs, percent-encoded) after the
    /// query it has.
    ///
    /// # Errors
    /// `query` has characters that are not allowed in one.
    pub fn with_query(&self, query: &str) -> Result<Self, UrlError> {
        let before = match self.text.query_str() {
            None => "?",
            Some("") => "",
            Some(_) => "&",
        };
        format!("{}{before}{query}", self.text).parse()
    }

    /// What `location`, absolute or relative, means in an answer to a request
    /// for this URL (RFC 9110 section 10.2.2).
    ///
    /// # Errors
    /// The result is no URL that can be used.
    pub fn join(&self, location: &str) -> Result<Self, UrlError> {
        let reference = UriReferenceStr::new(location).map_err(|_| UrlError::Syntax)?;
        let resolved = reference.resolve_against(self.text.to_absolute());
        resolved.to_string().parse()
    }

    /// The URL in full, with whatever secrets it holds.
    pub fn expose(&self) -> &str {
        self.text.as_str()
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let mut uri = UriString::try_from(text).map_err(|_| UrlError::Syntax)?;
        uri.set_fragment(None);
        let scheme = match uri.scheme_str() {
            scheme if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
            scheme if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
            _ => return Err(UrlError::Scheme),
        };
        let authority = uri.authority_components().ok_or(UrlError::Syntax)?;
        if authority.userinfo().is_some() {
            return Err(UrlError::UserInfo);
        }
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let host = bare.unwrap_or(host).parse().map_err(UrlError::Host)?;
        let port = match authority.port() {
            None | Some("") => None,
            Some(port) => match port.parse() {
                Ok(0) | Err(_) => return Err(UrlError::Port),
                Ok(port) => Some(port),
            },
        };
        Ok(Url {
            scheme,
            host,
            port,
            text: uri,
        })
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.text.scheme_str();
        write!(
            f,
            "Url({scheme}://{}{})",
            self.authority(),
            self.text.path_str()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn the_parts_of_a_request() {
        let plain = url("http://prov.example");
        assert_eq!(
            (plain.authority().as_str(), plain.port()),
            ("prov.example", 80)
        );
        assert_eq!(plain.target(), "/");
        let full = url("HTTPS://[2001:DB8::1]:8443/a/b.cgi?x=1#part");
        assert_eq!(full.authority(), "[2001:db8::1]:8443");
        assert_eq!((full.scheme(), full.port()), (Scheme::Https, 8443));
        assert_eq!(full.target(), "/a/b.cgi?x=1");
        assert_eq!(full.with_query("y=2").unwrap().target(), "/a/b.cgi?x=1&y=2");
        assert_eq!(plain.with_query("y=2").unwrap().target(), "/?y=2");
        assert_eq!(
            url("http://a.example/?")
                .with_query("y=2")
                .unwrap()
                .target(),
            "/?y=2"
        );
        assert!(full.has_query_key("x") && !full.has_query_key("y"));
    }

    #[test]
    fn locations_are_resolved() {
        let base = url("http://a.example/one/two?q=1");
        for (location, meant) in [
            ("https://b.example/x", "https://b.example/x"),
            ("//b.example/x", "http://b.example/x"),
            ("/x?y=1", "http://a.example/x?y=1"),
            ("three", "http://a.example/one/three"),
            ("../three", "http://a.example/three"),
            ("?q=2", "http://a.example/one/two?q=2"),
        ] {
            assert_eq!(base.join(location).unwrap().expose(), meant, "{location}");
        }
        assert_eq!(base.join("ftp://b.example/"), Err(UrlError::Scheme));
        assert!(matches!(
            base.join("http://192.0.2.1/"),
            Err(UrlError::Host(_))
        ));
        assert_eq!(base.join("a b"), Err(UrlError::Syntax));
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let says = |text: &str| text.parse::<Url>().unwrap_err();
        assert_eq!(says(""), UrlError::Syntax);
        assert_eq!(says("prov.example/config"), UrlError::Syntax);
        assert_eq!(says("http:path"), UrlError::Syntax);
        assert_eq!(says("http://a b/"), UrlError::Syntax);
        assert_eq!(says("http://a.example/\r\nHost: b"), UrlError::Syntax);
        assert_eq!(says("gopher://a.example/"), UrlError::Scheme);
        assert_eq!(says("http://u:p@a.example/"), UrlError::UserInfo);
        assert_eq!(
            says("http://192.0.2.1/"),
            UrlError::Host(EndpointError::Ipv4)
        );
        assert!(matches!(
            says("http://[::1%25lo]/"),
            UrlError::Syntax | UrlError::Host(_)
        ));
        assert_eq!(says("http://a.example:0/"), UrlError::Port);
        assert_eq!(says("http://a.example:65536/"), UrlError::Port);
    }

    #[test]
    fn secrets_of_the_query_are_not_shown() {
        let debug = format!("{:?}", url("http://a.example/x?pass=secret"));
        assert_eq!(debug, "Url(http://a.example/x)");
    }
}
