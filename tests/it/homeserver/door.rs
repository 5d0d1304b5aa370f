//! What may leave this computer, and where it may go.

use std::process::Command;

use http::Method;
use keyhaul::base::{cancel::Cancel, secret::SecretText};
use keyhaul::homeserver::sign_in::token;
use keyhaul::homeserver::{
    AgreedPlan, Client, NEEDS_NO_PERMIT, Request, RequestError, Settings, WritePermit, discovery,
};
use serde_json::json;
use url::Url;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{TOKEN, answer, borrow, borrowed, client, on_get};

const VERSION: &str = "/_matrix/client/v3/room_keys/version/{}";

async fn asked(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn nothing_outside_the_table_reaches_the_wire() {
    let (server, session) = borrowed().await;
    Mock::given(any()).respond_with(answer(200, &json!({}))).mount(&server).await;
    let before = asked(&server).await;
    let cancel = Cancel::default();
    for (method, path) in [
        (Method::POST, "/_matrix/client/v3/room_keys/version"),
        (Method::PUT, "/_matrix/client/v3/room_keys/keys"),
        (Method::DELETE, "/_matrix/client/v3/room_keys/version/1"),
        (Method::PUT, "/_matrix/client/v3/user/x/account_data/m.direct"),
        (Method::POST, "/_matrix/client/v3/keys/upload"),
        (Method::POST, "/_matrix/client/v3/keys/query/more"),
        (Method::POST, "/_matrix/client/v3/login/get_token"),
        (Method::HEAD, "/_matrix/client/versions"),
        (Method::GET, "/_synapse/admin/v1/users"),
        // A borrowed session is another app's: not even its own end is ours.
        (Method::POST, "/_matrix/client/v3/logout"),
        (Method::POST, "/_matrix/client/v3/refresh"),
        (Method::DELETE, "/_matrix/client/v3/devices/DEVICE"),
    ] {
        let error = session.send(Request::new(method.clone(), path, &[]), &cancel).await;
        assert!(
            matches!(error, Err(RequestError::WriteWithoutPermit { .. })),
            "{method} {path}: {error:?}"
        );
    }
    assert_eq!(asked(&server).await, before);
}

#[tokio::test]
async fn rows_for_our_own_session_are_closed_to_a_borrowed_one_and_the_others_open() {
    let (server, session) = borrowed().await;
    Mock::given(any()).respond_with(answer(200, &json!({}))).mount(&server).await;
    for free in NEEDS_NO_PERMIT {
        let path = free.path.replace("**", "versions").replace("{device}", "DEVICE");
        let request = Request::new(free.method.clone(), &path, &[]);
        let sent = session.send(request, &Cancel::default()).await;
        assert_eq!(sent.is_err(), free.own_session_only, "{} {path}: {sent:?}", free.method);
    }
}

/// A plan to delete version 2.
struct DeleteTwo;

impl AgreedPlan for DeleteTwo {
    fn covers(&self, method: &Method, path: &str, query: Option<&str>) -> bool {
        method == Method::DELETE && path.ends_with("/room_keys/version/2") && query.is_none()
    }
}

#[tokio::test]
async fn a_permit_opens_for_its_own_plan_only() {
    let (server, session) = borrowed().await;
    Mock::given(any()).respond_with(answer(200, &json!({}))).mount(&server).await;
    let before = asked(&server).await;
    let permit = WritePermit::for_agreed(&DeleteTwo);
    let cancel = Cancel::default();
    let other = Request::new(Method::DELETE, VERSION, &["4"]);
    let refused = session.send_writing(&permit, other, &cancel).await;
    assert!(matches!(refused, Err(RequestError::WriteWithoutPermit { .. })), "{refused:?}");
    assert_eq!(asked(&server).await, before);

    let agreed = Request::new(Method::DELETE, VERSION, &["2"]);
    assert_eq!(session.send_writing(&permit, agreed, &cancel).await.unwrap().status(), 200);
    assert_eq!(asked(&server).await, before + 1);
}

#[tokio::test]
async fn a_token_never_follows_to_another_origin() {
    let (server, session) = borrowed().await;
    let elsewhere = MockServer::start().await;
    let to = format!("{}/_matrix/client/v3/room_keys/version/1", elsewhere.uri());
    let redirect = ResponseTemplate::new(302).insert_header("location", to.as_str());
    on_get(&server, "/_matrix/client/v3/room_keys/version/1", redirect).await;
    let request = Request::get(VERSION, &["1"]);
    let error = session.send(request, &Cancel::default()).await.unwrap_err();
    let RequestError::SentElsewhere { to } = error else { panic!("{error:?}") };
    assert_eq!(to.as_str(), elsewhere.uri());
    assert_eq!(asked(&elsewhere).await, 0);
}

#[tokio::test]
async fn a_redirect_at_home_is_followed_with_the_token() {
    let (server, session) = borrowed().await;
    let redirect = ResponseTemplate::new(307).insert_header("location", "/_matrix/client/v3/end");
    on_get(&server, "/_matrix/client/v3/room_keys/version/1", redirect).await;
    on_get(&server, "/_matrix/client/v3/end", answer(200, &json!({}))).await;
    let request = Request::get(VERSION, &["1"]);
    assert_eq!(session.send(request, &Cancel::default()).await.unwrap().status(), 200);
    let last = server.received_requests().await.unwrap().pop().unwrap();
    assert_eq!(last.headers["authorization"], format!("Bearer {TOKEN}"));
}

#[tokio::test]
async fn redirects_come_to_an_end() {
    for hops in [3, 4] {
        let (server, session) = borrowed().await;
        for hop in 0..hops {
            let to = format!("/_matrix/client/{}", hop + 1);
            let redirect = ResponseTemplate::new(302).insert_header("location", to.as_str());
            on_get(&server, &format!("/_matrix/client/{hop}"), redirect).await;
        }
        on_get(&server, &format!("/_matrix/client/{hops}"), answer(200, &json!({}))).await;
        let request = Request::get("/_matrix/client/0", &[]);
        let end = session.send(request, &Cancel::default()).await;
        match hops {
            3 => assert_eq!(end.unwrap().status(), 200),
            _ => assert!(matches!(end, Err(RequestError::PassedOnTooOften { .. })), "{end:?}"),
        }
    }
}

#[tokio::test]
async fn a_redirect_in_circles_or_to_nowhere() {
    let (server, session) = borrowed().await;
    let circle = ResponseTemplate::new(301).insert_header("location", "/_matrix/client/circle");
    on_get(&server, "/_matrix/client/circle", circle).await;
    on_get(&server, "/_matrix/client/nowhere", ResponseTemplate::new(302)).await;
    let cancel = Cancel::default();
    let end = session.send(Request::get("/_matrix/client/circle", &[]), &cancel).await;
    assert!(matches!(end, Err(RequestError::PassedOnTooOften { .. })), "{end:?}");
    let end = session.send(Request::get("/_matrix/client/nowhere", &[]), &cancel).await;
    assert!(matches!(end, Err(RequestError::Odd { .. })), "{end:?}");
}

/// This test is parent and child: only a new process can have another environment.
#[tokio::test]
async fn loopback_is_asked_directly_whatever_the_environment_says() {
    const CHILD: &str = "KEYHAUL_TEST_HOMESERVER_BEHIND_PROXY";
    if let Ok(server) = std::env::var(CHILD) {
        let cancel = Cancel::default();
        discovery::confirm(&client(&server), &cancel).await.unwrap();
        // The counter-proof: other names do go through the proxy, which answers for them.
        let settings = Settings { allow_http: true, ..Settings::default() };
        let base = Url::parse("http://homeserver.invalid").unwrap();
        let behind = Client::new(base, &settings).unwrap();
        return discovery::confirm(&behind, &cancel).await.unwrap();
    }
    let (server, proxy) = (MockServer::start().await, MockServer::start().await);
    let versions = answer(200, &json!({"versions": ["v1.11"]}));
    for answering in [&server, &proxy] {
        on_get(answering, "/_matrix/client/versions", versions.clone()).await;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    let this = "homeserver::door::loopback_is_asked_directly_whatever_the_environment_says";
    child.args([this, "--exact", "--nocapture"]).env(CHILD, server.uri());
    for variable in ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"] {
        child.env(variable, proxy.uri());
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy").env_remove("REQUEST_METHOD");
    let done = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    assert_eq!(asked(&server).await, 1);
    let through_proxy = proxy.received_requests().await.unwrap();
    assert_eq!(through_proxy.len(), 1);
    assert_eq!(through_proxy[0].url.host_str(), Some("homeserver.invalid"));
}

#[tokio::test]
async fn a_token_no_header_can_carry_is_not_sent() {
    let server = MockServer::start().await;
    let token = SecretText::new("two\nlines".to_owned());
    let error = token::sign_in(&client(&server.uri()), token, &Cancel::default()).await;
    assert!(matches!(error, Err(RequestError::TokenUnsendable)), "{error:?}");
    assert_eq!(asked(&server).await, 0);
}

#[tokio::test]
async fn errors_and_debug_forms_have_no_token() {
    let server = MockServer::start().await;
    let echo = json!({"user_id": TOKEN, "is_guest": TOKEN});
    on_get(&server, "/_matrix/client/v3/account/whoami", answer(200, &echo)).await;
    let error = borrow(&client(&server.uri())).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(TOKEN), "{error:?}");
    let (_server, session) = borrowed().await;
    assert!(!format!("{session:?}").contains(TOKEN), "{session:?}");
}
