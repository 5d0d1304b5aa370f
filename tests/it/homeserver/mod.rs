//! What keyhaul says to a homeserver, and what it makes of the answers.

mod door;
mod faults;
mod patience;
mod reading;
mod real;
mod signing_in;
mod tls;

use keyhaul::base::{cancel::Cancel, secret::SecretText};
use keyhaul::homeserver::{Client, RequestError, Session, Settings, sign_in};
use serde_json::json;
use url::Url;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const USER: &str = "@ada:example.org";
const TOKEN: &str = "syt_canary_of_a_token";

fn client(base: &str) -> Client {
    Client::new(Url::parse(base).unwrap(), &Settings::default()).unwrap()
}

fn answer(status: u16, body: &serde_json::Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

async fn on_get(server: &MockServer, at: &str, answer: ResponseTemplate) {
    Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(server).await;
}

/// A server that knows the token, and the session borrowed with it.
async fn borrowed() -> (MockServer, Session) {
    let server = MockServer::start().await;
    let whoami = json!({"user_id": USER, "device_id": "DEVICE"});
    on_get(&server, "/_matrix/client/v3/account/whoami", answer(200, &whoami)).await;
    let session = borrow(&client(&server.uri())).await.unwrap();
    (server, session)
}

async fn borrow(client: &Client) -> Result<Session, RequestError> {
    sign_in::token::sign_in(client, SecretText::new(TOKEN.to_owned()), &Cancel::default()).await
}
