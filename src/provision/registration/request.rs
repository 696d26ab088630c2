// SPDX-License-Identifier: GPL-2.0-or-later
//! What each update server wants to be called with.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use data_encoding::BASE64;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::provision::http::{Url, UrlError};
use crate::reason::{Reason, Tell, said, sentence};

/// An update server that is known, or any other by its URL.
#[derive(Clone, PartialEq, Eq)]
pub enum Style {
    /// v6プラス固定IP (JPIX): user name and password in the query.
    V6plus,
    /// transix IPv4接続(固定IP): the same with other names.
    Transix,
    /// OCN光 IPoE固定: DynDNS with the host name of the contract.
    Ocn,
    /// クロスパス固定IP: the server's URL from the contract, an account in the
    /// query, another in the header.
    Xpass(String),
    /// Any other: a URL in which `[USERNAME]`, `[PASSWORD]`, `[HOSTNAME]` and
    /// `[IP]` (the CE address) are replaced, as OpenWrt's ddns-scripts do.
    Url(String),
}

/// A text that names no update server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StyleError {
    /// Neither a name nor a URL.
    Unknown,
    /// A URL that cannot be used.
    Url(#[from] UrlError),
}

impl Tell for StyleError {
    fn reason(&self) -> Reason {
        match self {
            Self::Unknown => said!(
                "style_unknown",
                "must be v6plus, transix, ocn, xpass or a URL"
            ),
            Self::Url(error) => error.reason(),
        }
    }
}

sentence!(StyleError);

/// Server of クロスパス固定IP, unless the contract names another.
const XPASS: &str = "https://ddnsweb1.ddns.vbbnet.jp/";

impl FromStr for Style {
    type Err = StyleError;

    fn from_str(text: &str) -> Result<Self, StyleError> {
        match text {
            "v6plus" => return Ok(Style::V6plus),
            "transix" => return Ok(Style::Transix),
            "ocn" => return Ok(Style::Ocn),
            "xpass" => return Ok(Style::Xpass(XPASS.into())),
            _ if !text.contains("://") => return Err(StyleError::Unknown),
            _ => {}
        }
        // Whether it is a URL does not depend on what replaces the places.
        let filled = fill(text, &Account::default(), Ipv6Addr::UNSPECIFIED);
        let url: Url = filled.parse()?;
        let is_xpass = url.authority().ends_with(".ddns.vbbnet.jp") && !text.contains('[');
        Ok(match is_xpass {
            true => Style::Xpass(text.into()),
            false => Style::Url(text.into()),
        })
    }
}

impl Style {
    /// The server, for people: the name of the style or the URL's host.
    pub fn server(&self) -> String {
        let word = match self {
            Style::V6plus => "v6plus",
            Style::Transix => "transix",
            Style::Ocn => "ocn",
            Style::Xpass(_) => "xpass",
            Style::Url(url) => {
                let filled = fill(url, &Account::default(), Ipv6Addr::UNSPECIFIED);
                let url = filled.parse::<Url>().ok();
                return url.map_or_else(|| "a URL".into(), |url| url.host().to_string());
            }
        };
        word.to_owned()
    }

    /// Whether the server can only know the CE's address from the source of
    /// the request, which nobody can choose for a request over https.
    pub fn needs_unbound_source(&self) -> bool {
        matches!(self, Style::Url(url) if url.starts_with("https:") && !url.contains("[IP]"))
    }
}

impl fmt::Debug for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Style::V6plus => "V6plus",
            Style::Transix => "Transix",
            Style::Ocn => "Ocn",
            Style::Xpass(_) => "Xpass",
            // People write passwords into URLs.
            Style::Url(_) => "Url(hidden)",
        })
    }
}

/// What the contract says; `Debug` hides it. Parts that a [`Style`] does not
/// need stay empty.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
    /// Host name or token: of OCN and クロスパス.
    pub hostname: String,
    /// The second account of クロスパス, that of its DDNS: id and password.
    pub ddns: (String, String),
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account(hidden)")
    }
}

impl Account {
    /// `text` without the account's secrets: a server may repeat what it got.
    pub fn hide_in(&self, text: &str) -> String {
        let basic = BASE64.encode(format!("{}:{}", self.username, self.password).as_bytes());
        let (password, key) = (&self.password, &self.ddns.1);
        let secrets = [password, &encode(password), key, &encode(key), &basic];
        let secrets = secrets.into_iter().filter(|secret| !secret.is_empty());
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// Why there is nothing to send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// A part of the account is empty.
    Missing(&'static str),
    /// The CE has no address yet.
    NoAddress,
    /// The URL cannot be used.
    Url(#[from] UrlError),
}

impl Tell for CallError {
    fn reason(&self) -> Reason {
        match self {
            Self::Missing(option) => said!(
                "call_missing",
                "the registration of the fixed address needs {option}",
                option
            ),
            Self::NoAddress => said!("call_no_address", "there is no CE address to register yet"),
            Self::Url(reason) => said!("update_url_refused", "update_url: {reason}", reason),
        }
    }
}

sentence!(CallError);

/// A call of an update server; `Debug` hides its secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    url: Url,
    login: Option<(String, String)>,
}

/// All but the characters that mean themselves everywhere (RFC 3986 section
/// 2.3).
const RESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn encode(text: &str) -> String {
    utf8_percent_encode(text, &RESERVED).to_string()
}

impl Call {
    /// The call that registers `ce`.
    ///
    /// # Errors
    /// Something is missing, or the URL cannot be used.
    pub fn new(style: &Style, account: &Account, ce: Option<Ipv6Addr>) -> Result<Self, CallError> {
        let ce = ce.ok_or(CallError::NoAddress)?;
        let given = |value: &str, name| match value {
            "" => Err(CallError::Missing(name)),
            value => Ok(encode(value)),
        };
        let user = || given(&account.username, "username");
        let password = || given(&account.password, "password");
        let login = Some((account.username.clone(), account.password.clone()));
        let (url, login) = match style {
            Style::V6plus => {
                let (user, pass) = (user()?, password()?);
                let url = format!("http://fcs.enabler.ne.jp/update?user={user}&pass={pass}");
                (url.parse()?, None)
            }
            Style::Transix => {
                let (user, pass) = (user()?, password()?);
                let query = format!("username={user}&password={pass}");
                let url = format!("http://update.transix.jp/request?{query}");
                (url.parse()?, None)
            }
            Style::Ocn => {
                user()?;
                password()?;
                let hostname = given(&account.hostname, "update_hostname")?;
                let url = format!("http://ipoe-static.ocn.ad.jp/nic/update?hostname={hostname}");
                (url.parse()?, login)
            }
            Style::Xpass(server) => {
                user()?;
                password()?;
                let hostname = given(&account.hostname, "update_hostname")?;
                let id = given(&account.ddns.0, "update_id")?;
                let pass = given(&account.ddns.1, "update_key")?;
                let server: Url = server.parse()?;
                let url = server.with_query(&format!("d={hostname}&p={pass}&a={ce}&u={id}"))?;
                (url, login)
            }
            Style::Url(url) => {
                let is_in_url = url.contains("[PASSWORD]") || account.password.is_empty();
                let login = login.filter(|_| !is_in_url);
                (fill(url, account, ce).parse()?, login)
            }
        };
        Ok(Call { url, login })
    }

    /// What to ask for. Its query may hold secrets.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The value of an `Authorization` header (RFC 7617), if there is one.
    pub fn authorization(&self) -> Option<String> {
        let (user, password) = self.login.as_ref()?;
        let plain = format!("{user}:{password}");
        Some(format!("Basic {}", BASE64.encode(plain.as_bytes())))
    }

    /// The URL with user name and password before the host, for a program that
    /// makes a header of them.
    pub fn url_with_login(&self) -> String {
        let url = self.url.expose();
        match (&self.login, url.split_once("://")) {
            (Some((user, password)), Some((scheme, rest))) => {
                format!("{scheme}://{}:{}@{rest}", encode(user), encode(password))
            }
            _ => url.to_owned(),
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = self.login.as_ref().map(|_| "hidden");
        f.debug_struct("Call")
            .field("url", &self.url)
            .field("login", &login)
            .finish()
    }
}

/// The URL with its places filled in.
fn fill(url: &str, account: &Account, ce: Ipv6Addr) -> String {
    url.replace("[USERNAME]", &encode(&account.username))
        .replace("[PASSWORD]", &encode(&account.password))
        .replace("[HOSTNAME]", &encode(&account.hostname))
        .replace("[IP]", &ce.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            username: "user@isp".into(),
            password: "p&s=[x]".into(),
            hostname: "ieabc123".into(),
            ddns: ("id".into(), "key/1".into()),
        }
    }

    fn call(style: &str) -> Call {
        let ce = "2001:db8::feed".parse().ok();
        Call::new(&style.parse().unwrap(), &account(), ce).unwrap()
    }

    #[test]
    fn each_server_is_called_as_it_wants() {
        let v6plus = call("v6plus");
        assert_eq!(
            v6plus.url().expose(),
            "http://fcs.enabler.ne.jp/update?user=user%40isp&pass=p%26s%3D%5Bx%5D"
        );
        assert_eq!(v6plus.authorization(), None);
        assert_eq!(
            call("transix").url().expose(),
            "http://update.transix.jp/request?username=user%40isp&password=p%26s%3D%5Bx%5D"
        );
        let ocn = call("ocn");
        assert_eq!(
            ocn.url().expose(),
            "http://ipoe-static.ocn.ad.jp/nic/update?hostname=ieabc123"
        );
        let basic = BASE64.encode(b"user@isp:p&s=[x]");
        assert_eq!(ocn.authorization(), Some(format!("Basic {basic}")));
        let xpass = call("xpass");
        assert_eq!(
            xpass.url().expose(),
            "https://ddnsweb1.ddns.vbbnet.jp/?d=ieabc123&p=key%2F1&a=2001:db8::feed&u=id"
        );
        assert_eq!(
            xpass.url_with_login(),
            "https://user%40isp:p%26s%3D%5Bx%5D@ddnsweb1.ddns.vbbnet.jp/\
             ?d=ieabc123&p=key%2F1&a=2001:db8::feed&u=id"
        );
    }

    #[test]
    fn other_servers_are_called_by_their_url() {
        let filled = call("http://a.example/u?n=[USERNAME]&p=[PASSWORD]&h=[HOSTNAME]&a=[IP]");
        assert_eq!(
            filled.url().expose(),
            "http://a.example/u?n=user%40isp&p=p%26s%3D%5Bx%5D&h=ieabc123&a=2001:db8::feed"
        );
        assert_eq!(filled.authorization(), None);
        let plain = call("http://a.example/u");
        assert!(plain.authorization().is_some());
        let nobody = Account::default();
        let style = "http://a.example/u".parse().unwrap();
        let call = Call::new(&style, &nobody, "2001:db8::1".parse().ok()).unwrap();
        assert_eq!(call.authorization(), None);
        let own = "https://ddnsweb2.ddns.vbbnet.jp/x"
            .parse::<Style>()
            .unwrap();
        assert!(matches!(own, Style::Xpass(_)));
    }

    #[test]
    fn what_is_missing_is_named() {
        let ce = "2001:db8::1".parse().ok();
        let says = |style: Style, account: &Account| Call::new(&style, account, ce).unwrap_err();
        let mut half = account();
        half.password.clear();
        assert_eq!(says(Style::V6plus, &half), CallError::Missing("password"));
        half = account();
        half.hostname.clear();
        assert_eq!(
            says(Style::Ocn, &half),
            CallError::Missing("update_hostname")
        );
        let without = Call::new(&Style::V6plus, &account(), None).unwrap_err();
        assert_eq!(without, CallError::NoAddress);
        assert_eq!("v6 plus".parse::<Style>(), Err(StyleError::Unknown));
        let ipv4 = "http://192.0.2.1/".parse::<Style>();
        assert!(matches!(ipv4, Err(StyleError::Url(UrlError::Host(_)))));
    }

    #[test]
    fn servers_have_names_without_secrets() {
        let server = |style: &str| style.parse::<Style>().unwrap().server();
        assert_eq!(server("v6plus"), "v6plus");
        assert_eq!(server("https://a.example/?key=s3cret"), "a.example");
        let unbound = |style: &str| style.parse::<Style>().unwrap().needs_unbound_source();
        assert!(unbound("https://a.example/?u=[USERNAME]"));
        for bound in ["https://a.example/?a=[IP]", "http://a.example/", "xpass"] {
            assert!(!unbound(bound), "{bound}");
        }
    }

    #[test]
    fn what_a_server_repeats_is_hidden() {
        let said = "no p&s=[x] or p%26s%3D%5Bx%5D or key/1 for user@isp";
        let hidden = account().hide_in(said);
        assert_eq!(hidden, "no *** or *** or *** for user@isp");
        let basic = call("ocn").authorization().unwrap();
        assert_eq!(account().hide_in(&basic), "Basic ***");
        assert_eq!(Account::default().hide_in("as it is"), "as it is");
    }

    #[test]
    fn secrets_are_not_shown() {
        let style: Style = "http://a.example/?key=s3cret".parse().unwrap();
        let shown = format!("{:?} {:?} {:?}", call("ocn"), account(), style);
        for secret in ["user@isp", "p&s", "p%26s", "s3cret", "key/1"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
