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

/// What a server needs whose certificate is for `name` and ends with `year`.
fn config(authority: &Authority, name: &str, year: i32) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_after = date_time_ymd(year, 1, 1);
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap()
}

/// A TLS server for one connection; its certificate is for `name` and ends with `year`.
fn server(authority: &Authority, name: &str, year: i32) -> String {
    let config = config(authority, name, year);
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

/// A server that answers one request with these frames of HTTP/2.
fn in_frames(authority: &Authority, answer: &'static [&'static [u8]]) -> String {
    let mut config = config(authority, "localhost", 2100);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = Stream::new(&mut connection, &mut socket);
        let (mut heard, mut piece) = (Vec::new(), [0; 4_096]);
        while !asks(&heard) {
            let Ok(read @ 1..) = stream.read(&mut piece) else { return };
            heard.extend_from_slice(&piece[..read]);
        }
        let _ = stream.write_all(&answer.concat());
        // The client says when it has enough.
        while matches!(stream.read(&mut piece), Ok(1..)) {}
    });
    format!("https://localhost:{port}")
}

/// Says whether a request stands in what a client of HTTP/2 said: a frame of kind 1.
fn asks(heard: &[u8]) -> bool {
    let mut at = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
    while let Some([a, b, c, kind]) = heard.get(at..at + 4) {
        if *kind == 1 {
            return true;
        }
        at += 9 + (usize::from(*a) << 16) + (usize::from(*b) << 8) + usize::from(*c);
    }
    false
}

/// A server that knows no way of talking that is safe today: it answers with the alert for that.
fn of_another_age() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let read = socket.read(&mut [0; 4_096]);
        let _ = read.and_then(|_| socket.write_all(&[21, 3, 1, 0, 2, 2, 70]));
        let _ = socket.read(&mut [0]);
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

#[tokio::test]
async fn a_server_of_another_age_is_told_apart() {
    let error = ask(&of_another_age(), &authority("ours")).await.unwrap_err();
    assert!(
        matches!(error, RequestError::Certificate { why: Distrust::NoCommonGround, .. }),
        "{error:?}"
    );
}

const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0];
/// Status 200 on the first stream, and the beginning of a body.
const BEGUN: &[u8] = b"\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x08\0\0\0\0\0\x01{\"versio";
const REST: &[u8] = b"\0\0\x0b\0\x01\0\0\0\x01ns\":[\"v1\"]}";
const RESET: &[u8] = &[0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 2];
const GO_AWAY: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

#[tokio::test]
async fn a_stream_that_is_reset_is_a_lost_connection() {
    let ours = authority("ours");
    ask(&in_frames(&ours, &[SETTINGS, BEGUN, REST]), &ours).await.unwrap();
    for end in [&[SETTINGS, BEGUN, RESET] as &'static [&'static [u8]], &[SETTINGS, BEGUN, GO_AWAY]]
    {
        let error = ask(&in_frames(&ours, end), &ours).await.unwrap_err();
        assert!(matches!(error, RequestError::ConnectionLost { .. }), "{error:?}");
    }
}
