//! What a test may do as one account, in the words of the client-server API.

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

const V3: &str = "/_matrix/client/v3";

/// An account of the tests' own server, with the token of its first device.
/// Each call but [`request`](Self::request) fails the test unless it is answered with 200.
pub(crate) struct Account {
    pub(crate) user_id: String,
    pub(crate) access_token: String,
    pub(crate) device_id: String,
    pub(crate) password: String,
    pub(super) base_url: String,
    pub(super) client: reqwest::Client,
}

/// An account filled from a fixture, and the backup version made for it.
pub(crate) struct FixtureAccount {
    pub(crate) account: Account,
    pub(crate) version: String,
}

impl Account {
    /// Any request with the account's token. `path` is all that follows the
    /// base URL, query included, encoded as it is to be sent. An answer
    /// without a body is `Value::Null`.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let token = Some(self.access_token.as_str());
        send(&self.client, &self.base_url, token, method, path, body).await
    }

    async fn must(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.request(method.clone(), path, body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    /// The server's address, without a slash at the end.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.must(Method::GET, path, None).await
    }

    pub(crate) async fn put_account_data(&self, kind: &str, content: &Value) {
        let path = format!("{V3}/user/{}/account_data/{kind}", self.user_id);
        self.must(Method::PUT, &path, Some(content)).await;
    }

    /// Makes a backup version, which is the current one from then on.
    pub(crate) async fn create_version(&self, algorithm: &str, auth_data: &Value) -> String {
        let path = format!("{V3}/room_keys/version");
        let body = json!({"algorithm": algorithm, "auth_data": auth_data});
        let answer = self.must(Method::POST, &path, Some(&body)).await;
        answer["version"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn delete_version(&self, version: &str) {
        let path = format!("{V3}/room_keys/version/{version}");
        self.must(Method::DELETE, &path, None).await;
    }

    /// Uploads `{"rooms": …}`; the server keeps the better key where it has one already.
    pub(crate) async fn put_keys(&self, version: &str, body: &Value) {
        let path = format!("{V3}/room_keys/keys?version={version}");
        self.must(Method::PUT, &path, Some(body)).await;
    }

    /// Makes a room and joins it; returns its id.
    pub(crate) async fn create_room(&self, name: &str) -> String {
        let path = format!("{V3}/createRoom");
        let answer = self.must(Method::POST, &path, Some(&json!({"name": name}))).await;
        answer["room_id"].as_str().unwrap().to_owned()
    }

    /// Ends the token.
    pub(crate) async fn logout(&self) {
        self.must(Method::POST, &format!("{V3}/logout"), Some(&json!({}))).await;
    }
}

pub(super) async fn send(
    client: &reqwest::Client,
    base_url: &str,
    token: Option<&str>,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    let mut request = client.request(method, format!("{base_url}{path}"));
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some(body) = body {
        request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    if bytes.is_empty() {
        return (status, Value::Null);
    }
    (status, serde_json::from_slice(&bytes).unwrap())
}
