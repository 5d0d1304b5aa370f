//! Broken networks and broken servers: each has its own error, and none makes us wait for ever.

use std::time::Duration;

use keyhaul::backup::version::BackupVersion;
use keyhaul::base::{base64, cancel::Cancel, limits};
use keyhaul::homeserver::room_keys::{KeysStream, Part, keys};
use keyhaul::homeserver::{
    Client, Patience, RequestError, Session, Settings, account_data, discovery, room_keys,
};
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;
use wiremock::ResponseTemplate;

use super::{USER, answer, borrow, borrowed, client, on_get};
use crate::program::{Between, Step, Trick};

const KEYS: &str = "/_matrix/client/v3/room_keys/keys";

/// `{` and 200 000 spaces, compressed.
const BOMB: &str = "\
    H4sIAAAAAAACA+3BIQEAAAACoCv+9Lwb7EADAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAANwGVnoqyUENAwA";

/// Reads a keys body to its end: what came, and what ended it.
async fn read(session: &Session, limit: u64) -> (Vec<u8>, Result<(), RequestError>) {
    let cancel = Cancel::default();
    match keys(session, "1", Part::Whole, limit, &cancel).await {
        Ok(stream) => drain(stream).await,
        Err(error) => (Vec::new(), Err(error)),
    }
}

async fn drain(mut stream: KeysStream) -> (Vec<u8>, Result<(), RequestError>) {
    let mut body = Vec::new();
    loop {
        match stream.next().await {
            Ok(Some(piece)) => body.extend_from_slice(&piece),
            Ok(None) => return (body, Ok(())),
            Err(error) => return (body, Err(error)),
        }
    }
}

/// A server that answers whoami properly and everything else with these bytes, and then does this.
fn raw(bytes: impl Into<Vec<u8>>, then: impl IntoIterator<Item = Step>) -> Between {
    let whoami = Trick::Say(200, json!({"user_id": USER}));
    let steps: Vec<Step> = [Step::Say(bytes.into())].into_iter().chain(then).collect();
    Between::alone(vec![("/account/whoami ", whoami), ("", Trick::script(steps))])
}

/// The head of a successful answer with one more header; the body comes after another line end.
fn ok(header: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n{header}\r\n"
    )
}

async fn impatient(base: &str) -> Session {
    let short = Duration::from_millis(50);
    let patience =
        Patience { first_byte: short, keys_first_byte: short, idle: short, ..Patience::default() };
    let settings = Settings { patience, ..Settings::default() };
    borrow(&Client::new(Url::parse(base).unwrap(), &settings).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_name_nobody_knows() {
    let settings = Settings { allow_http: true, ..Settings::default() };
    let base = Url::parse("http://homeserver.invalid:8008").unwrap();
    let client = Client::new(base, &settings).unwrap();
    match discovery::confirm(&client, &Cancel::default()).await.unwrap_err() {
        RequestError::ServerNotFound { host } => {
            assert_eq!(host.as_str(), "homeserver.invalid:8008");
        }
        // Where the tests run on a computer without network, that is what is to be said.
        other => assert!(matches!(other, RequestError::NoNetwork), "{other:?}"),
    }
}

#[tokio::test]
async fn a_closed_port() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = borrow(&client(&format!("http://{address}"))).await.unwrap_err();
    assert!(
        matches!(&error, RequestError::NotListening { host, kind: std::io::ErrorKind::ConnectionRefused }
            if host.as_str() == address.to_string()),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_web_page_is_no_matrix_server() {
    let (server, session) = borrowed().await;
    let page = "  <!doctype html><title>\u{1b}[2JWelcome to the hotel</title>";
    for at in ["/_matrix/client/versions", KEYS, "/_matrix/client/v3/room_keys/version"] {
        let page = ResponseTemplate::new(200).set_body_raw(page, "text/html");
        on_get(&server, at, page).await;
    }
    let cancel = Cancel::default();
    for error in [
        discovery::confirm(session.client(), &cancel).await.unwrap_err(),
        read(&session, limits::KEYS_BODY).await.1.unwrap_err(),
        room_keys::current(&session, &cancel).await.unwrap_err(),
    ] {
        let RequestError::NotMatrix { begins, .. } = error else { panic!("{error:?}") };
        assert_eq!(begins.as_str(), "<!doctype html><title>␛[2JWelcome to the hotel</title>");
    }
}

#[tokio::test]
async fn json_of_another_kind_is_odd() {
    for body in ["[]", "null", "", "7"] {
        let (server, session) = borrowed().await;
        on_get(&server, KEYS, ResponseTemplate::new(200).set_body_string(body)).await;
        let (_, end) = read(&session, limits::KEYS_BODY).await;
        assert!(matches!(end, Err(RequestError::Odd { .. })), "{body:?}: {end:?}");
    }
}

#[tokio::test]
async fn refusals_keep_their_meaning() {
    for (status, body, expected) in [
        (401, json!({"errcode": "M_UNKNOWN_TOKEN"}), "soft logout: false"),
        (401, json!({"errcode": "M_UNKNOWN_TOKEN", "soft_logout": true}), "soft logout: true"),
        (429, json!({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 400_500}), "wait 401 s"),
        (
            500,
            json!({"errcode": "M_UNKNOWN", "error": "Internal \u{202e}error"}),
            "(status 500): Internal error",
        ),
        (504, json!(null), "status 504"),
        (400, json!({"errcode": "M_INVALID_PARAM", "error": "no"}), "M_INVALID_PARAM): no"),
    ] {
        let (server, session) = borrowed().await;
        on_get(&server, KEYS, answer(status, &body)).await;
        let (_, end) = read(&session, limits::KEYS_BODY).await;
        let error = end.unwrap_err().to_string();
        assert!(error.contains(expected), "{status}: {error}");
    }
}

#[tokio::test]
async fn the_longer_of_two_waits_counts() {
    let (server, session) = borrowed().await;
    let body = json!({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2_000});
    on_get(&server, KEYS, answer(429, &body).insert_header("retry-after", "900")).await;
    let (_, end) = read(&session, limits::KEYS_BODY).await;
    assert!(matches!(end, Err(RequestError::AskedToWait { seconds: Some(900) })), "{end:?}");
}

#[tokio::test]
async fn a_cut_body_is_told_from_a_whole_one() {
    let said = r#"{"rooms":{"!a:b":"#;
    let chunk = format!("{:x}\r\n{said}\r\n", said.len());
    for bytes in [
        format!("{}\r\n{said}", ok("content-length: 5000")),
        format!("{}\r\n{chunk}", ok("transfer-encoding: chunked")),
        format!("{}\r\n{chunk}zz\r\n", ok("transfer-encoding: chunked")),
    ] {
        let server = raw(bytes, []);
        let session = borrow(&client(&server.base)).await.unwrap();
        let (body, end) = read(&session, limits::KEYS_BODY).await;
        assert_eq!(String::from_utf8(body).unwrap(), said);
        let expected = said.len() as u64;
        assert!(
            matches!(end, Err(RequestError::ConnectionLost { received }) if received == expected),
            "{end:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_its_answer() {
    for bytes in ["", "HTTP/1.1 2"] {
        let server = raw(bytes, []);
        let session = borrow(&client(&server.base)).await.unwrap();
        let (_, end) = read(&session, limits::KEYS_BODY).await;
        assert!(
            matches!(end, Err(RequestError::ConnectionLost { received: 0 })),
            "{bytes:?}: {end:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_no_http() {
    for bytes in ["SSH-2.0-OpenSSH_9.9\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n{}"]
    {
        let server = raw(bytes, []);
        let session = borrow(&client(&server.base)).await.unwrap();
        let (_, end) = read(&session, limits::KEYS_BODY).await;
        assert!(matches!(end, Err(RequestError::Odd { .. })), "{bytes:?}: {end:?}");
    }
}

#[tokio::test]
async fn an_endless_body_ends_at_its_limit() {
    let spaces = " ".repeat(1_000);
    let bytes = format!("{}\r\n{{", ok("x: y"));
    let server = raw(bytes, [Step::Again(spaces.into_bytes())]);
    let session = borrow(&client(&server.base)).await.unwrap();
    let (body, end) = read(&session, 100_000).await;
    assert!(matches!(end, Err(RequestError::TooLarge { limit: 100_000 })), "{end:?}");
    assert!(body.len() <= 100_000);

    let small = account_data::get(&session, "m.direct", &Cancel::default()).await;
    assert!(matches!(small, Err(RequestError::TooLarge { limit: limits::ANSWER })), "{small:?}");
}

#[tokio::test]
async fn a_compressed_body_counts_unpacked() {
    let bomb = base64::decode(BOMB).unwrap();
    let said = |bytes: &[u8]| {
        let head = ok(&format!("content-encoding: gzip\r\ncontent-length: {}", bytes.len()));
        [head.as_bytes(), b"\r\n", bytes].concat()
    };
    let server = raw(said(&bomb), []);
    let session = borrow(&client(&server.base)).await.unwrap();
    assert!(read(&session, limits::KEYS_BODY).await.1.is_ok());
    let (body, end) = read(&session, 100_000).await;
    assert!(matches!(end, Err(RequestError::TooLarge { limit: 100_000 })), "{end:?}");
    assert!(body.len() <= 100_000);

    // Cut inside, and with a wrong check sum at the end.
    let mut damaged = bomb.clone();
    damaged[bomb.len() - 6] ^= 1;
    for bytes in [&bomb[..bomb.len() / 2], &damaged] {
        let server = raw(said(bytes), []);
        let session = borrow(&client(&server.base)).await.unwrap();
        let (_, end) = read(&session, limits::KEYS_BODY).await;
        assert!(matches!(end, Err(RequestError::ConnectionLost { .. })), "{end:?}");
    }
}

#[tokio::test]
async fn silence_ends_before_and_inside_a_body() {
    let inside = format!("{}\r\n{{\"rooms\":", ok("content-length: 5000"));
    for (bytes, received) in [(String::new(), 0), (inside, 9)] {
        let server = raw(bytes, [Step::Hang]);
        let (body, end) = read(&impatient(&server.base).await, limits::KEYS_BODY).await;
        assert_eq!(body.len(), received);
        assert!(matches!(end, Err(RequestError::Silent { .. })), "{end:?}");
    }
}

#[tokio::test]
async fn a_wish_to_stop_ends_every_wait() {
    let server = raw("", [Step::Hang]);
    let session = borrow(&client(&server.base)).await.unwrap();
    let cancel = Cancel::default();
    let stop = async {
        server.is_asked("/room_keys/version").await;
        cancel.cancel();
    };
    let mut seen = |_: &BackupVersion| {};
    let (end, ()) = tokio::join!(room_keys::all_versions(&session, &mut seen, &cancel), stop);
    assert!(matches!(end, Err(RequestError::Cancelled)), "{end:?}");

    // The status alone already says what happened, when its body never comes.
    let refused = "HTTP/1.1 500 Oops\r\ncontent-length: 5000\r\n\r\n";
    let server = raw(refused, [Step::Hang]);
    let session = borrow(&client(&server.base)).await.unwrap();
    let cancel = Cancel::default();
    let stop = async {
        server.is_asked("/room_keys/version").await;
        cancel.cancel();
    };
    let mut seen = |_: &BackupVersion| {};
    let (end, ()) = tokio::join!(room_keys::all_versions(&session, &mut seen, &cancel), stop);
    assert!(
        matches!(end, Err(RequestError::Cancelled | RequestError::ServerFault { .. })),
        "{end:?}"
    );

    let inside = format!("{}\r\n{{\"rooms\":", ok("content-length: 5000"));
    let server = raw(inside, [Step::Hang]);
    let session = borrow(&client(&server.base)).await.unwrap();
    let cancel = Cancel::default();
    let mut stream = keys(&session, "1", Part::Whole, limits::KEYS_BODY, &cancel).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap().len(), 9);
    cancel.cancel();
    let (_, end) = drain(stream).await;
    assert!(matches!(end, Err(RequestError::Cancelled)), "{end:?}");
}
