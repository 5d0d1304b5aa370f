//! The way in and out: hints, passwords, borrowed tokens.

use keyhaul::base::{cancel::Cancel, secret::SecretText};
use keyhaul::homeserver::discovery::{self, DiscoveryError, HintFault};
use keyhaul::homeserver::sign_in::password::{self, PasswordError};
use keyhaul::homeserver::{
    AddressError, Client, Origin, OwnSession, RequestError, Settings, sign_out,
};
use serde_json::{Value, json};
use url::Url;
use wiremock::matchers::{body_partial_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{TOKEN, USER, answer, borrow, borrowed, client, on_get};

const WELL_KNOWN: &str = "/.well-known/matrix/client";
const LOGIN: &str = "/_matrix/client/v3/login";

async fn hint(answered: ResponseTemplate) -> Result<Option<Url>, DiscoveryError> {
    let server = MockServer::start().await;
    on_get(&server, WELL_KNOWN, answered).await;
    discovery::hint(&client(&server.uri()), &Cancel::default()).await
}

#[tokio::test]
async fn a_hint_is_taken_or_its_fault_named() {
    let body = json!({"m.homeserver": {"base_url": "https://m.example.org/"}});
    let found = hint(answer(200, &body)).await.unwrap().unwrap();
    assert_eq!(found.as_str(), "https://m.example.org/");
    // Servers differ in what type they call it.
    let text = ResponseTemplate::new(200).set_body_raw(body.to_string(), "text/plain");
    assert!(hint(text).await.unwrap().is_some());
    assert!(hint(ResponseTemplate::new(404).set_body_string("<html>")).await.unwrap().is_none());

    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(65_536));
    for (answered, expected) in [
        (ResponseTemplate::new(500), HintFault::Status(500)),
        (ResponseTemplate::new(204), HintFault::Status(204)),
        (ResponseTemplate::new(200), HintFault::NotJson),
        (ResponseTemplate::new(200).set_body_string("<html>"), HintFault::NotJson),
        (ResponseTemplate::new(200).set_body_string(large), HintFault::TooLarge),
        (answer(200, &json!({"m.identity_server": {}})), HintFault::NoBaseUrl),
        (answer(200, &json!({"m.homeserver": {"base_url": "nowhere"}})), HintFault::NotAnAddress),
    ] {
        let fault = hint(answered).await.unwrap_err();
        assert!(
            matches!(fault, DiscoveryError::HintBroken { why, .. } if why == expected),
            "{expected:?}: {fault:?}"
        );
    }
}

#[tokio::test]
async fn an_address_is_asked_whether_it_is_a_matrix_server() {
    let find = async |body: &Value| {
        let server = MockServer::start().await;
        on_get(&server, "/hs/_matrix/client/versions", answer(200, body)).await;
        let typed = format!(" {}/hs/ ", server.uri());
        discovery::find(&typed, &Settings::default(), &Cancel::default()).await
    };
    assert!(find(&json!({"versions": ["v1.1"], "unstable_features": {"x": 7}})).await.is_ok());
    for body in [json!({}), json!({"versions": "v1.1"}), json!([])] {
        let error = find(&body).await.unwrap_err();
        assert!(
            matches!(error, DiscoveryError::Request(RequestError::NotMatrix { .. })),
            "{body}: {error:?}"
        );
    }
    let error =
        discovery::find("http://example.org", &Settings::default(), &Cancel::default()).await;
    assert!(
        matches!(error, Err(DiscoveryError::Address(AddressError::PlainHttp { .. }))),
        "{error:?}"
    );
}

async fn sign_in(answered: ResponseTemplate) -> (MockServer, Result<OwnSession, PasswordError>) {
    let server = MockServer::start().await;
    Mock::given(method("POST")).and(path(LOGIN)).respond_with(answered).mount(&server).await;
    let secret = SecretText::new("correct horse".to_owned());
    let client = client(&server.uri());
    let signed_in = password::sign_in(&client, USER, &secret, None, &Cancel::default()).await;
    (server, signed_in)
}

#[tokio::test]
async fn a_password_makes_a_session_of_our_own_and_its_end() {
    let elsewhere = "https://elsewhere.example.org";
    let (server, own) = sign_in(answer(
        200,
        &json!({
            "user_id": USER, "device_id": "OWN", "access_token": TOKEN,
            // Not followed, and not even read: this one has another shape.
            "well_known": {"m.homeserver": elsewhere},
        }),
    ))
    .await;
    let own = own.unwrap();
    let session = own.session();
    assert_eq!((session.user().as_str(), session.origin()), (USER, Origin::SignedInHere));
    assert_eq!(session.device().unwrap().as_str(), "OWN");
    assert_eq!(session.client().base().as_str(), format!("{}/", server.uri()));

    let login = server.received_requests().await.unwrap().pop().unwrap();
    let expected = json!({
        "type": "m.login.password", "identifier": {"type": "m.id.user", "user": USER},
        "password": "correct horse", "initial_device_display_name": "keyhaul recovery",
    });
    assert_eq!(login.body_json::<Value>().unwrap(), expected);
    assert!(!login.headers.contains_key("authorization"));

    Mock::given(method("POST"))
        .and(path("/_matrix/client/v3/logout"))
        .and(header("authorization", format!("Bearer {TOKEN}").as_str()))
        .and(body_partial_json(json!({})))
        .respond_with(answer(200, &json!({})))
        .expect(1)
        .mount(&server)
        .await;
    sign_out(&own, &Cancel::default()).await.unwrap();
}

#[tokio::test]
async fn a_session_that_is_gone_counts_as_signed_out() {
    let body = json!({"user_id": USER, "device_id": "OWN", "access_token": TOKEN});
    for (status, refusal, ended) in [
        (401, json!({"errcode": "M_UNKNOWN_TOKEN"}), true),
        (401, json!({"errcode": "M_UNKNOWN_TOKEN", "soft_logout": true}), false),
        (500, json!({}), false),
    ] {
        let (server, own) = sign_in(answer(200, &body)).await;
        let logout = Mock::given(method("POST")).and(path("/_matrix/client/v3/logout"));
        logout.respond_with(answer(status, &refusal)).mount(&server).await;
        let end = sign_out(&own.unwrap(), &Cancel::default()).await;
        assert_eq!(end.is_ok(), ended, "{refusal}: {end:?}");
    }
}

#[tokio::test]
async fn refused_passwords_are_told_apart_and_tried_once() {
    for (status, body, expected) in [
        (403, json!({"errcode": "M_FORBIDDEN", "error": "Invalid username or password"}), "Wrong"),
        (403, json!({"errcode": "M_USER_DEACTIVATED", "error": "x"}), "Request(Deactivated)"),
        (
            429,
            json!({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 333_000}),
            "TooManyTries { seconds: Some(333)",
        ),
        (400, json!({"errcode": "M_UNKNOWN", "error": "Unknown login type"}), "NotOffered"),
        (404, json!({"errcode": "M_UNRECOGNIZED", "error": "x"}), "NotOffered"),
        (200, json!({"user_id": USER, "device_id": "OWN"}), "Request(Odd"),
    ] {
        let (server, end) = sign_in(answer(status, &body)).await;
        let error = format!("{:?}", end.unwrap_err());
        assert!(error.starts_with(expected), "{body}: {error}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_password_is_not_passed_on() {
    let elsewhere = MockServer::start().await;
    for to in [format!("{}{LOGIN}", elsewhere.uri()), LOGIN.to_owned()] {
        let redirect = ResponseTemplate::new(307).insert_header("location", to.as_str());
        let (server, end) = sign_in(redirect).await;
        let error = end.unwrap_err();
        assert!(
            matches!(error, PasswordError::Request(RequestError::SentElsewhere { .. })),
            "{error:?}"
        );
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_borrowed_token_is_asked_whose_it_is() {
    let (_server, session) = borrowed().await;
    assert_eq!((session.user().as_str(), session.origin()), (USER, Origin::Borrowed));
    assert_eq!(session.device().unwrap().as_str(), "DEVICE");
    assert!(!session.is_guest());

    let server = MockServer::start().await;
    let refusal = json!({"errcode": "M_UNKNOWN_TOKEN", "error": "Invalid access token passed."});
    on_get(&server, "/_matrix/client/v3/account/whoami", answer(401, &refusal)).await;
    let end = borrow(&client(&server.uri())).await;
    assert!(matches!(end, Err(RequestError::TokenUnknown { soft_logout: false })), "{end:?}");
}

#[test]
fn no_hint_leads_out_of_the_locked_connection() {
    // What `find` checks a hint with.
    for base in ["http://example.org", "https://u:p@example.org", "https://example.org/?x=1"] {
        let refused = Client::new(Url::parse(base).unwrap(), &Settings::default());
        assert!(refused.is_err(), "{base}");
    }
}
