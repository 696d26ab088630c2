// SPDX-License-Identifier: GPL-2.0-or-later
//! The TXT record of `4over6.info`, which names the provisioning server.

use crate::provision::http::{Scheme, Url, UrlError};
use crate::reason::{Reason, Tell, said, sentence};
use crate::sanitize::one_line;

/// The name whose TXT record is asked for.
pub const NAME: &str = "4over6.info";

/// What the record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where to ask.
    pub url: Url,
    /// Whether the server's certificate is verified.
    pub certificate: Certificate,
}

/// `t` of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// `a`: not verified, or there is none.
    Ignored,
    /// `b`: verified, with the name.
    Verified,
}

/// Why there is no server to ask although the name has TXT records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TxtError {
    /// More than one record: nobody says which counts.
    Several(usize),
    /// A field is missing.
    Missing(&'static str),
    /// The same field twice.
    Twice(&'static str),
    /// Another version of the protocol, or another protocol.
    Version(String),
    /// The URL cannot be used.
    Url(#[from] UrlError),
    /// `t` is neither `a` nor `b`.
    Certificate(String),
    /// `t=b` beside `http://`.
    NoCertificate,
}

impl Tell for TxtError {
    fn reason(&self) -> Reason {
        match self {
            Self::Several(count) => said!(
                "txt_several",
                "4over6.info has {count} TXT records, not one",
                count
            ),
            Self::Missing(key) => said!(
                "txt_missing",
                "the TXT record of 4over6.info has no {key}=",
                key
            ),
            Self::Twice(key) => said!(
                "txt_twice",
                "the TXT record of 4over6.info has {key}= twice",
                key
            ),
            Self::Version(version) => said!(
                "txt_version",
                "the TXT record of 4over6.info is of version {version}, not v6mig-1",
                version
            ),
            Self::Url(reason) => {
                said!("txt_url", "the TXT record of 4over6.info: {reason}", reason)
            }
            Self::Certificate(value) => said!(
                "txt_certificate",
                "the TXT record of 4over6.info has t={value}, which must be a or b",
                value
            ),
            Self::NoCertificate => said!(
                "txt_no_certificate",
                "the TXT record of 4over6.info wants a certificate (t=b) of an http:// server"
            ),
        }
    }
}

sentence!(TxtError);

/// Most characters of a wrong value that a message repeats.
const LONGEST: usize = 32;

impl Server {
    /// The server that the name's TXT records tell of.
    ///
    /// # Errors
    /// There is more than one record, or the one is not in the form that the
    /// specification asks for.
    pub fn from_records(records: &[String]) -> Result<Self, TxtError> {
        match records {
            [record] => Self::from_record(record),
            _ => Err(TxtError::Several(records.len())),
        }
    }

    /// The fields may come in any order and beside others, which is more than
    /// the specification allows.
    fn from_record(record: &str) -> Result<Self, TxtError> {
        let (mut version, mut url, mut certificate) = (None, None, None);
        for field in record.split_ascii_whitespace() {
            let (key, place) = match field.split_once('=') {
                Some(("v", value)) => ("v", version.replace(value)),
                Some(("url", value)) => ("url", url.replace(value)),
                Some(("t", value)) => ("t", certificate.replace(value)),
                _ => continue,
            };
            if place.is_some() {
                return Err(TxtError::Twice(key));
            }
        }
        match version.ok_or(TxtError::Missing("v"))? {
            "v6mig-1" => {}
            other => return Err(TxtError::Version(one_line(other, LONGEST))),
        }
        let url: Url = url.ok_or(TxtError::Missing("url"))?.parse()?;
        let certificate = match certificate.ok_or(TxtError::Missing("t"))? {
            "a" => Certificate::Ignored,
            "b" if url.scheme() == Scheme::Http => return Err(TxtError::NoCertificate),
            "b" => Certificate::Verified,
            other => return Err(TxtError::Certificate(one_line(other, LONGEST))),
        };
        Ok(Server { url, certificate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(record: &str) -> Result<Server, TxtError> {
        Server::from_records(&[record.to_owned()])
    }

    #[test]
    fn records_as_they_should_be() {
        let verified = server("v=v6mig-1 url=https://vne.example.jp/rule.cgi t=b").unwrap();
        assert_eq!(verified.certificate, Certificate::Verified);
        assert_eq!(verified.url.expose(), "https://vne.example.jp/rule.cgi");
        let plain = server("v=v6mig-1 url=http://[2001:db8::1]:8080/?a=b t=a").unwrap();
        assert_eq!(plain.certificate, Certificate::Ignored);
        assert_eq!(plain.url.target(), "/?a=b");
        let unverified = server("v=v6mig-1 url=https://vne.example.jp/ t=a").unwrap();
        assert_eq!(unverified.certificate, Certificate::Ignored);
        // More than is allowed.
        assert!(server("t=b  url=https://vne.example.jp/ x=y v=v6mig-1 z").is_ok());
    }

    #[test]
    fn records_as_they_should_not_be() {
        let says = |record: &str| server(record).unwrap_err();
        assert_eq!(says(""), TxtError::Missing("v"));
        assert_eq!(says("v=spf1 -all"), TxtError::Version("spf1".into()));
        assert_eq!(says("v=v6mig-1 t=a"), TxtError::Missing("url"));
        assert_eq!(
            says("v=v6mig-1 url=http://a.example/"),
            TxtError::Missing("t")
        );
        let wrong = says("v=v6mig-1 url=http://a.example/ t=b");
        assert_eq!(wrong, TxtError::NoCertificate);
        let wrong = says("v=v6mig-1 url=http://a.example/ t=c");
        assert_eq!(wrong, TxtError::Certificate("c".into()));
        let wrong = says("v=v6mig-1 url=http://a.example/ t=a t=a");
        assert_eq!(wrong, TxtError::Twice("t"));
        let wrong = says("v=v6mig-1 url=ftp://a.example/ t=a");
        assert_eq!(wrong, TxtError::Url(UrlError::Scheme));
        let wrong = says("v=v6mig-1 url=http://192.0.2.1/ t=a");
        assert!(matches!(wrong, TxtError::Url(UrlError::Host(_))));
        let wrong = says("v=v6mig-1 url=http://[fe80::1]/ t=a");
        assert!(matches!(wrong, TxtError::Url(UrlError::Host(_))));
        let two = ["v=v6mig-1".to_owned(), "v=v6mig-1".to_owned()];
        assert_eq!(Server::from_records(&two), Err(TxtError::Several(2)));
        assert_eq!(Server::from_records(&[]), Err(TxtError::Several(0)));
    }
}
