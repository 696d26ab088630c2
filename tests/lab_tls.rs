// SPDX-License-Identifier: GPL-2.0-or-later
//! The certificates of `make isp`: a client that verifies sees what is wrong.
#![allow(clippy::unwrap_used)]

use std::io::{self, Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

#[path = "qemu/guest/carrier/tls.rs"]
mod tls;

const NAME: &str = "prov.lab.example";

fn client(authority: &str) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(authority.as_bytes()).unwrap();
    roots.add(authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), NAME.try_into().unwrap()).unwrap()
}

/// What a client gets from a server that shows `word`.
fn ask(word: &str) -> io::Result<String> {
    let tls = tls::Tls::new(&[NAME]).unwrap();
    assert_eq!(tls.show(word).unwrap(), word != "off");
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let mut connection = client(tls.authority());
    let server = thread::spawn(move || {
        tls.accept(listener.accept().unwrap().0, |stream| {
            stream.read_exact(&mut [0; 4])?;
            stream.write_all(b"here")
        })
    });
    let mut socket = TcpStream::connect(address).unwrap();
    let mut stream = Stream::new(&mut connection, &mut socket);
    let mut answer = String::new();
    let got = stream
        .write_all(b"ask\n")
        .and_then(|()| stream.read_to_string(&mut answer));
    drop(socket);
    // What a refused server says of it is not looked at.
    drop(server.join().unwrap());
    got.map(|_| answer)
}

#[test]
fn each_certificate_is_wrong_in_its_own_way() {
    assert_eq!(ask("ok").unwrap(), "here");
    for (word, reason) in [
        ("expired", "certificate expired"),
        ("name", "not valid for name"),
        ("unknown", "UnknownIssuer"),
        ("closed", "unexpected end of file"),
        ("off", "unexpected end of file"),
    ] {
        let error = ask(word).unwrap_err().to_string();
        assert!(error.contains(reason), "{word}: {error}");
    }
    let tls = tls::Tls::new(&[NAME]).unwrap();
    assert!(
        tls.show("foo")
            .unwrap_err()
            .starts_with("tls foo: one of off, ok, expired")
    );
}
