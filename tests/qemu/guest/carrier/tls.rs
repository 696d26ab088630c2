// SPDX-License-Identifier: GPL-2.0-or-later
//! A server's side of TLS, with certificates, right and wrong ones, of an
//! authority of their own.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};

/// What the server can be told to show, besides `off`: no TLS at all.
const SHOWN: [&str; 5] = ["ok", "expired", "name", "unknown", "closed"];

/// The TLS side of a server.
#[derive(Clone)]
pub struct Tls {
    /// PEM of the authority that routers are to trust.
    authority: String,
    configs: BTreeMap<&'static str, Arc<ServerConfig>>,
    shown: Arc<Mutex<Option<&'static str>>>,
}

impl Tls {
    /// Makes an authority, and certificates for these names.
    pub fn new(names: &[&str]) -> Result<Self, String> {
        let (known, authority) = issuer("Lab authority").map_err(failed)?;
        let (stranger, _) = issuer("Unknown authority").map_err(failed)?;
        let mut configs = BTreeMap::new();
        for (shown, names, issuer, is_expired) in [
            ("ok", names, &known, false),
            ("expired", names, &known, true),
            ("name", &["other.lab.example"], &known, false),
            ("unknown", names, &stranger, false),
        ] {
            let config = config(names, issuer, is_expired).map_err(failed)?;
            configs.insert(shown, Arc::new(config));
        }
        Ok(Self {
            authority,
            configs,
            shown: Arc::default(),
        })
    }

    /// What the server shows from now on; false if that is no TLS.
    pub fn show(&self, word: &str) -> Result<bool, String> {
        let shown = SHOWN.iter().find(|known| **known == word).copied();
        if shown.is_none() && word != "off" {
            return Err(format!("tls {word}: one of off, {}", SHOWN.join(", ")));
        }
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = shown;
        Ok(shown.is_some())
    }

    /// The authority's certificate, as PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Greets a client and has `answer` talk to it. Whoever is shown a wrong
    /// certificate, or nothing, goes away.
    pub fn accept(
        &self,
        mut stream: TcpStream,
        answer: impl FnOnce(&mut dyn ReadWrite) -> io::Result<()>,
    ) -> io::Result<()> {
        let shown = *self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(config) = shown.and_then(|shown| self.configs.get(shown)) else {
            // The client's greeting is read, so that the end is one of the
            // handshake and not a reset.
            let _ = stream.read(&mut [0; 4096])?;
            return Ok(());
        };
        let connection = ServerConnection::new(Arc::clone(config));
        let mut connection = connection.map_err(io::Error::other)?;
        answer(&mut Stream::new(&mut connection, &mut stream))?;
        connection.send_close_notify();
        connection.complete_io(&mut stream).map(drop)
    }
}

/// Both directions of a stream.
pub trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

fn failed(error: impl std::fmt::Display) -> String {
    format!("certificates of the lab: {error}")
}

fn issuer(name: &str) -> Result<(Issuer<'static, KeyPair>, String), rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate()?;
    let pem = params.self_signed(&key)?.pem();
    Ok((Issuer::new(params, key), pem))
}

fn config(
    names: &[&str],
    issuer: &Issuer<'_, KeyPair>,
    is_expired: bool,
) -> Result<ServerConfig, Box<dyn std::error::Error>> {
    let mut params =
        CertificateParams::new(names.iter().map(|&name| name.into()).collect::<Vec<_>>())?;
    if is_expired {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    }
    let key = KeyPair::generate()?;
    let certificate: CertificateDer<'static> = params.signed_by(&key, issuer)?.into();
    let key = PrivateKeyDer::try_from(key.serialize_der())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok(config)
}
