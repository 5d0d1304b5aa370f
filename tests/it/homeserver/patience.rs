//! Servers that ask to wait, stumble for a moment, or let a token expire.

use std::time::Duration;

use keyhaul::base::{cancel::Cancel, secret::SecretText};
use keyhaul::homeserver::sign_in::password;
use keyhaul::homeserver::{
    Client, OwnSession, Patience, RequestError, Session, Settings, account_data, room_keys,
};
use serde_json::{Value, json};
use url::Url;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{TOKEN, USER, answer, borrow, on_get};

const DIRECT: &str = "/_matrix/client/v3/user/%40ada%3Aexample.org/account_data/m.direct";
const LOGIN: &str = "/_matrix/client/v3/login";

/// A client that goes on quickly.
fn quick(base: &str) -> Client {
    let patience = Patience { back_off: Duration::from_millis(1), ..Patience::default() };
    Client::new(Url::parse(base).unwrap(), &Settings { patience, ..Settings::default() }).unwrap()
}

async fn borrowed() -> (MockServer, Session) {
    let server = MockServer::start().await;
    let whoami = json!({"user_id": USER, "device_id": "DEVICE"});
    on_get(&server, "/_matrix/client/v3/account/whoami", answer(200, &whoami)).await;
    let session = borrow(&quick(&server.uri())).await.unwrap();
    (server, session)
}

/// These answers come first, one after the other, and then the good one.
async fn first(server: &MockServer, answers: Vec<ResponseTemplate>) {
    for answer in answers {
        let mock = Mock::given(method("GET")).and(path(DIRECT)).respond_with(answer);
        mock.up_to_n_times(1).mount(server).await;
    }
    on_get(server, DIRECT, answer(200, &json!({"@grace:example.org": []}))).await;
}

async fn asked(session: &Session) -> Result<bool, RequestError> {
    let data = account_data::get(session, "m.direct", &Cancel::default()).await?;
    Ok(data.is_some())
}

#[tokio::test]
async fn faults_that_pass_are_passed_over() {
    let asked_to_wait = json!({"errcode": "M_LIMIT_EXCEEDED"});
    let fault = json!({"errcode": "M_UNKNOWN", "error": "Internal server error"});
    for answers in [
        vec![answer(429, &asked_to_wait); 10],
        vec![answer(429, &asked_to_wait).insert_header("retry-after", "0"); 3],
        vec![answer(429, &asked_to_wait).insert_header("retry-after", "soon"); 3],
        vec![answer(500, &fault); 2],
        vec![answer(504, &Value::Null), answer(429, &asked_to_wait), answer(502, &Value::Null)],
    ] {
        let (server, session) = borrowed().await;
        let count = answers.len();
        first(&server, answers).await;
        assert!(asked(&session).await.unwrap());
        let requests = server.received_requests().await.unwrap();
        // One more for whoami.
        assert_eq!(requests.len(), 1 + count + 1);
    }
}

#[tokio::test]
async fn what_does_not_pass_is_told() {
    let wait = json!({"errcode": "M_LIMIT_EXCEEDED"});
    let fault = json!({"errcode": "M_UNKNOWN", "error": "Internal server error"});
    let long = answer(429, &wait).insert_header("retry-after", "301");
    for (answers, requests, said) in [
        (vec![answer(429, &wait); 11], 11, "asks to wait"),
        (vec![long], 1, "asks to wait 301 s"),
        (vec![answer(500, &fault); 3], 3, "status 500"),
        (vec![answer(413, &Value::Null)], 1, "status 413"),
        (vec![answer(403, &json!({"errcode": "M_FORBIDDEN"}))], 1, "M_FORBIDDEN"),
    ] {
        let (server, session) = borrowed().await;
        first(&server, answers).await;
        let error = asked(&session).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1 + requests, "{error}");
    }
}

/// A server that signs in with a password, and from then on knows the newest token only.
async fn expiring() -> (MockServer, OwnSession) {
    let server = MockServer::start().await;
    for token in [TOKEN, "newer"] {
        let signed_in = json!({"user_id": USER, "device_id": "DEVICE", "access_token": token});
        let login = Mock::given(method("POST")).and(path(LOGIN));
        login.respond_with(answer(200, &signed_in)).up_to_n_times(1).mount(&server).await;
    }
    let newer = Mock::given(method("GET")).and(header("authorization", "Bearer newer"));
    let version = json!({
        "version": "1", "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2", "etag": "1",
        "count": 1, "auth_data": {"public_key": "x"},
    });
    newer.respond_with(answer(200, &version)).mount(&server).await;
    let expired = json!({"errcode": "M_UNKNOWN_TOKEN", "soft_logout": true});
    Mock::given(method("GET")).respond_with(answer(401, &expired)).mount(&server).await;
    let password = SecretText::new("weaves".to_owned());
    let cancel = Cancel::default();
    let own = password::sign_in(&quick(&server.uri()), USER, &password, None, &cancel).await;
    (server, own.unwrap())
}

#[tokio::test]
async fn an_expired_token_is_renewed_once_for_the_same_device() {
    let (server, own) = expiring().await;
    let own = own.renewable(SecretText::new("weaves".to_owned()));
    let cancel = Cancel::default();
    let ask = || room_keys::version(own.session(), "1", &cancel);
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    for found in [one, two, three] {
        assert_eq!(found.unwrap().unwrap().version, "1");
    }
    let requests = server.received_requests().await.unwrap();
    let logins: Vec<Value> = requests
        .iter()
        .filter(|request| request.url.path() == LOGIN)
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    assert_eq!(logins.len(), 2);
    assert_eq!(logins[0].get("device_id"), None);
    assert_eq!(logins[1]["device_id"], "DEVICE");
    assert_eq!(own.token().expose(), "newer");
}

#[tokio::test]
async fn without_a_password_an_expired_token_is_told() {
    let (_server, own) = expiring().await;
    let asked = room_keys::version(own.session(), "1", &Cancel::default()).await;
    assert!(matches!(asked, Err(RequestError::TokenUnknown { soft_logout: true })), "{asked:?}");
}

#[tokio::test]
async fn a_token_that_is_gone_for_good_is_not_renewed() {
    let server = MockServer::start().await;
    let signed_in = json!({"user_id": USER, "device_id": "DEVICE", "access_token": TOKEN});
    let login = Mock::given(method("POST")).and(path(LOGIN));
    login.respond_with(answer(200, &signed_in)).expect(1).mount(&server).await;
    let gone = json!({"errcode": "M_UNKNOWN_TOKEN", "soft_logout": false});
    Mock::given(method("GET")).respond_with(answer(401, &gone)).expect(1).mount(&server).await;
    let password = SecretText::new("weaves".to_owned());
    let cancel = Cancel::default();
    let own = password::sign_in(&quick(&server.uri()), USER, &password, None, &cancel).await;
    let own = own.unwrap().renewable(password);
    let asked = room_keys::version(own.session(), "1", &cancel).await;
    assert!(matches!(asked, Err(RequestError::TokenUnknown { soft_logout: false })), "{asked:?}");
}
