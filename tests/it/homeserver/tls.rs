//! Locked connections: whom this computer trusts, and what it says of the others.

use std::io::{Read, Write};
use std::{net::TcpListener, sync::Arc, thread};

use keyhaul::base::cancel::Cancel;
use keyhaul::homeserver::{Client, Distrust, RequestError, Settings, discovery};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, Stream, crypto::aws_lc_rs};
use url::Url;

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 19\r\n\r\n{\"versions\":[\"v1\"]}";

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A TLS server for one connection; its certificate is for `name` and ends with `year`.
fn server(authority: &Authority, name: &str, year: i32) -> String {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_after = date_time_ymd(year, 1, 1);
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = Stream::new(&mut connection, &mut socket);
        // A client that distrusts us goes away: that is its own test's matter.
        let read = stream.read(&mut [0; 4_096]);
        let _ = read.and_then(|_| stream.write_all(ANSWER));
    });
    format!("https://localhost:{port}")
}

/// A server that speaks plain HTTP.
fn without_lock() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let read = socket.read(&mut [0; 4_096]);
        let _ = read.and_then(|_| socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    });
    format!("https://localhost:{port}")
}

async fn ask(base: &str, trusted: &Authority) -> Result<(), RequestError> {
    let settings = Settings { ca_file: Some(trusted.pem().into_bytes()), ..Settings::default() };
    let client = Client::new(Url::parse(base).unwrap(), &settings).unwrap();
    discovery::confirm(&client, &Cancel::default()).await
}

#[tokio::test]
async fn a_certificate_from_the_file_is_trusted() {
    let ours = authority("ours");
    ask(&server(&ours, "localhost", 2100), &ours).await.unwrap();
}

#[tokio::test]
async fn each_reason_for_distrust_is_named() {
    let (ours, other) = (authority("ours"), authority("another"));
    for (base, expected) in [
        (server(&other, "localhost", 2100), Distrust::UnknownIssuer),
        (server(&ours, "example.org", 2100), Distrust::OtherName),
        (server(&ours, "localhost", 2020), Distrust::Expired),
        (without_lock(), Distrust::NotLocked),
    ] {
        let error = ask(&base, &ours).await.unwrap_err();
        assert!(
            matches!(error, RequestError::Certificate { why, .. } if why == expected),
            "{expected:?}: {error:?}"
        );
    }
}
