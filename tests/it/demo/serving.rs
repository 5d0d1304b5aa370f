//! What the server answers, in the words that were recorded from Synapse 1.163.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use keyhaul::{
    base::base64,
    demo::{
        account::{Account, Membership, Room},
        server::DemoServer,
        setting::Setting,
        stories::Story,
    },
};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::account;

const V3: &str = "/_matrix/client/v3";

/// A server of the test's own, and a client.
pub(super) struct Lab {
    pub(super) server: DemoServer,
    client: reqwest::Client,
}

impl Lab {
    pub(super) async fn new() -> Self {
        Self::with(account().clone(), Setting::default()).await
    }

    pub(super) async fn with(account: Account, setting: Setting) -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = DemoServer::serve_as(account, setting, listen).await.unwrap();
        Self { server, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.server.base_url()))
    }

    pub(super) async fn get(&self, token: Option<&str>, path: &str) -> (u16, Value) {
        let request = self.request(Method::GET, path);
        answer(match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
        .await
    }

    pub(super) async fn login(&self, body: Value) -> (u16, Value) {
        let path = format!("{V3}/login");
        answer(self.request(Method::POST, &path).body(body.to_string())).await
    }

    /// A new device's token.
    pub(super) async fn token(&self) -> String {
        let (status, answer) = self.login(with_password("@ada:example.org")).await;
        assert_eq!(status, 200, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }
}

pub(super) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

pub(super) fn with_password(user: &str) -> Value {
    json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": user },
        "password": Story::Plain.password().expose(),
    })
}

/// As a client must write an id into a path.
pub(crate) fn encoded(id: &str) -> String {
    id.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[tokio::test]
async fn refuses_in_the_words_of_synapse() {
    let lab = Lab::new().await;
    let token = lab.token().await;
    let id = |membership| {
        let named = |room: &&Room| room.name.is_some();
        let mut rooms = account().rooms.iter().filter(named);
        encoded(&rooms.find(|room| room.membership == membership).unwrap().id)
    };
    let unnamed = encoded(&account().rooms.iter().find(|room| room.name.is_none()).unwrap().id);
    let forgotten = id(Membership::Forgotten);
    let cases = [
        ("/does_not_exist", 404, "M_UNRECOGNIZED", "Unrecognized request"),
        ("/room_keys/version/", 404, "M_UNRECOGNIZED", "Unrecognized request"),
        ("/room_keys/version/2", 404, "M_NOT_FOUND", "No backup found"),
        ("/room_keys/version/4", 404, "M_NOT_FOUND", "No backup found"),
        ("/room_keys/version/abc", 404, "M_NOT_FOUND", "No backup found"),
        ("/room_keys/version/-1", 404, "M_NOT_FOUND", "No backup found"),
        ("/room_keys/version/1.0", 404, "M_NOT_FOUND", "No backup found"),
        ("/room_keys/version/99999999999999999999", 500, "M_UNKNOWN", "Internal server error"),
        ("/room_keys/keys", 400, "M_MISSING_PARAM", "Missing string query parameter 'version'"),
        (
            "/room_keys/keys/!a%3Ax",
            400,
            "M_MISSING_PARAM",
            "Missing string query parameter 'version'",
        ),
        ("/room_keys/keys?version=42", 404, "M_NOT_FOUND", "Unknown backup version"),
        ("/room_keys/keys?version=2", 404, "M_NOT_FOUND", "Unknown backup version"),
        ("/room_keys/keys?version=abc", 404, "M_NOT_FOUND", "Unknown backup version"),
        ("/room_keys/keys/!a%3Ax/s?version=42", 404, "M_NOT_FOUND", "Unknown backup version"),
        ("/room_keys/keys/!a%3Ax/s?version=3", 404, "M_NOT_FOUND", "No room_keys found"),
        (
            "/user/%40ada%3Aexample.org/account_data/m.none",
            404,
            "M_NOT_FOUND",
            "Account data not found",
        ),
        (
            "/user/%40eve%3Aexample.org/account_data/m.direct",
            403,
            "M_FORBIDDEN",
            "Cannot get account data for other users.",
        ),
        (&format!("/rooms/{unnamed}/state/m.room.name"), 404, "M_NOT_FOUND", "Event not found."),
        (
            "/rooms/!nowhere%3Ax/state/m.room.name",
            403,
            "M_FORBIDDEN",
            "User @ada:example.org not in room !nowhere:x, and room previews are disabled",
        ),
    ];
    for (path, status, errcode, error) in cases {
        let (got, answer) = lab.get(Some(&token), &format!("{V3}{path}")).await;
        assert_eq!(
            (got, answer),
            (status, json!({ "errcode": errcode, "error": error })),
            "{path}"
        );
    }
    let path = format!("{V3}/rooms/{forgotten}/state/m.room.name");
    let (status, answer) = lab.get(Some(&token), &path).await;
    assert_eq!((status, &answer["errcode"]), (403, &json!("M_FORBIDDEN")));

    let protected = [
        "/account/whoami",
        "/room_keys/version",
        "/room_keys/version/1",
        "/room_keys/keys",
        "/room_keys/keys/!a/s",
        "/joined_rooms",
        "/user/%40ada%3Aexample.org/account_data/m.direct",
        "/rooms/!a/state/m.room.name",
        "/rooms/!a/joined_members",
        "/rooms/!a/members",
    ];
    for path in protected.map(|path| format!("{V3}{path}")) {
        let missing = json!({ "errcode": "M_MISSING_TOKEN", "error": "Missing access token" });
        assert_eq!(lab.get(None, &path).await, (401, missing), "{path}");
        let unknown = json!({
            "errcode": "M_UNKNOWN_TOKEN",
            "error": "Invalid access token passed.",
            "soft_logout": false,
        });
        assert_eq!(lab.get(Some("wrong"), &path).await, (401, unknown), "{path}");
    }
    let (status, body) = answer_to(&lab, Method::PATCH, "/login").await;
    assert_eq!((status, &body["errcode"]), (405, &json!("M_UNRECOGNIZED")));
    assert_eq!(lab.server.writes(), 1);
}

async fn answer_to(lab: &Lab, method: Method, path: &str) -> (u16, Value) {
    answer(lab.request(method, &format!("{V3}{path}"))).await
}

#[tokio::test]
async fn signs_devices_in_and_out() {
    let lab = Lab::new().await;
    let (status, flows) = lab.get(None, "/_matrix/client/r0/login").await;
    assert_eq!((status, flows), (200, json!({ "flows": [{ "type": "m.login.password" }] })));

    let old_form = json!({
        "type": "m.login.password", "user": "ada", "password": Story::Plain.password().expose(),
    });
    let (status, phone) = lab.login(old_form).await;
    assert_eq!((status, &phone["user_id"]), (200, &json!("@ada:example.org")));
    assert_eq!(phone["home_server"], "example.org");
    let (_, laptop) = lab.login(with_password("ada")).await;
    assert_ne!(phone["device_id"], laptop["device_id"]);
    assert_eq!(lab.server.devices(), 2);

    let token = laptop["access_token"].as_str().unwrap();
    let whoami = format!("{V3}/account/whoami");
    let own = json!({
        "user_id": "@ada:example.org", "is_guest": false, "device_id": laptop["device_id"],
    });
    assert_eq!(lab.get(Some(token), &whoami).await, (200, own));

    let mut again = with_password("@ada:example.org");
    again["device_id"] = laptop["device_id"].clone();
    let (_, again) = lab.login(again).await;
    assert_eq!(again["device_id"], laptop["device_id"]);
    assert_eq!(lab.get(Some(token), &whoami).await.0, 401);
    let token = again["access_token"].as_str().unwrap();
    let logout = lab.request(Method::POST, &format!("{V3}/logout")).bearer_auth(token);
    assert_eq!(answer(logout.body("{}")).await, (200, json!({})));
    assert_eq!(lab.get(Some(token), &whoami).await.0, 401);
    assert_eq!(lab.get(phone["access_token"].as_str(), &whoami).await.0, 200);
    assert_eq!(lab.server.devices(), 1);
    assert_eq!(lab.server.writes(), 0);
    assert_eq!(lab.server.requests(&Method::POST), 4);
    assert_eq!(lab.server.requests(&Method::GET), 5);
}

#[tokio::test]
async fn refuses_bad_logins() {
    let lab = Lab::new().await;
    let mut wrong = with_password("ada");
    wrong["password"] = "wrong".into();
    let mut none = with_password("ada");
    none.as_object_mut().unwrap().remove("password");
    let cases = [
        (wrong, 403, "M_FORBIDDEN", "Invalid username or password"),
        (with_password("nobody-here"), 403, "M_FORBIDDEN", "Invalid username or password"),
        (
            with_password("@ada:elsewhere.example"),
            403,
            "M_FORBIDDEN",
            "Invalid username or password",
        ),
        (none, 400, "M_INVALID_PARAM", "Bad parameter: password"),
        (json!({ "type": "m.login.nonsense" }), 400, "M_INVALID_PARAM", "Invalid login submission"),
        (json!([]), 400, "M_BAD_JSON", "Content must be a JSON object."),
    ];
    for (body, status, errcode, error) in cases {
        let expected = (status, json!({ "errcode": errcode, "error": error }));
        assert_eq!(lab.login(body.clone()).await, expected, "{body}");
    }
    let text = lab.request(Method::POST, &format!("{V3}/login")).body("not json");
    let expected = json!({ "errcode": "M_NOT_JSON", "error": "Content not JSON." });
    assert_eq!(answer(text).await, (400, expected));
    assert_eq!(lab.server.devices(), 0);
}

#[tokio::test]
async fn tells_where_it_is_and_what_it_knows() {
    let lab = Lab::new().await;
    let (status, well_known) = lab.get(None, "/.well-known/matrix/client").await;
    let base_url = format!("{}/", lab.server.base_url());
    assert_eq!((status, &well_known["m.homeserver"]["base_url"]), (200, &json!(base_url)));
    assert!(lab.server.address().ip().is_loopback());
    let (status, versions) = lab.get(None, "/_matrix/client/versions").await;
    assert_eq!(status, 200);
    assert!(versions["versions"].as_array().unwrap().contains(&json!("v1.1")));

    let token = lab.token().await;
    let (_, joined) = lab.get(Some(&token), &format!("{V3}/joined_rooms")).await;
    let joined: Vec<_> =
        joined["joined_rooms"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for room in &account().rooms {
        assert_eq!(joined.contains(&room.id.as_str()), room.membership == Membership::Joined);
        let path = format!("{V3}/rooms/{}/state/m.room.name", encoded(&room.id));
        let (status, answer) = lab.get(Some(&token), &path).await;
        match (&room.name, room.membership) {
            (_, Membership::Forgotten) => assert_eq!(status, 403),
            (None, _) => assert_eq!((status, &answer["errcode"]), (404, &json!("M_NOT_FOUND"))),
            (Some(name), _) => assert_eq!((status, answer), (200, json!({ "name": name }))),
        }
    }
    for (kind, content) in &account().account_data {
        let path = format!("{V3}/user/%40ada%3Aexample.org/account_data/{kind}");
        assert_eq!(lab.get(Some(&token), &path).await, (200, content.clone()));
    }
    assert_eq!(lab.server.writes(), 0);
}

#[tokio::test]
async fn serves_the_backups() {
    let lab = Lab::new().await;
    let token = lab.token().await;
    let current = account().version(3).unwrap();
    let (status, answer) = lab.get(Some(&token), &format!("{V3}/room_keys/version")).await;
    assert_eq!((status, &answer["version"]), (200, &json!("3")));
    assert_eq!(answer["count"], json!(current.count()));
    assert!(answer["etag"].is_string());
    for name in ["1", "01"] {
        let path = format!("{V3}/room_keys/version/{name}");
        let (status, answer) = lab.get(Some(&token), &path).await;
        assert_eq!((status, &answer["version"]), (200, &json!("1")));
    }

    let request = lab.request(Method::GET, &format!("{V3}/room_keys/keys?version=3"));
    let answer = request.bearer_auth(&token).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers().get("content-length").is_none());
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let whole: Value = current
        .rooms
        .iter()
        .map(|(room, sessions)| {
            let sessions = sessions.iter().map(|(session, json)| {
                (session.clone(), serde_json::from_slice::<Value>(json).unwrap())
            });
            let sessions: serde_json::Map<_, _> = sessions.collect();
            (room.clone(), json!({ "sessions": sessions }))
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert!(body == json!({ "rooms": whole }), "the body holds every entry");

    let (room, sessions) = current.rooms.iter().next().unwrap();
    let path = format!("{V3}/room_keys/keys/{}?version=3", encoded(room));
    let (status, answer) = lab.get(Some(&token), &path).await;
    assert_eq!((status, answer["sessions"].as_object().unwrap().len()), (200, sessions.len()));
    let path = format!("{V3}/room_keys/keys/!none%3Ax?version=3");
    assert_eq!(lab.get(Some(&token), &path).await, (200, json!({ "sessions": {} })));
}

#[tokio::test]
async fn odd_session_ids_are_reachable() {
    let lab = Lab::new().await;
    let token = lab.token().await;
    let rooms = &account().version(1).unwrap().rooms;
    let ids =
        || rooms.iter().flat_map(|(room, all)| all.iter().map(move |(id, json)| (room, id, json)));
    for letter in ['/', '+'] {
        let (room, session, json) = ids().find(|(_, id, _)| id.contains(letter)).unwrap();
        assert!(base64::decode_exact::<32>(session).is_some());
        let path = format!("{V3}/room_keys/keys/{}/{}?version=1", encoded(room), encoded(session));
        let expected = (200, serde_json::from_slice(json).unwrap());
        assert_eq!(lab.get(Some(&token), &path).await, expected);
    }
}

#[tokio::test]
async fn stops_when_dropped_or_told() {
    let refused = async |address| {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let limit = Duration::from_secs(20);
    let dropped = Lab::new().await;
    let address = dropped.server.address();
    assert!(tokio::net::TcpStream::connect(address).await.is_ok());
    drop(dropped);
    tokio::time::timeout(limit, refused(address)).await.unwrap();

    let told = Lab::new().await;
    told.token().await;
    let address = told.server.address();
    tokio::time::timeout(limit, told.server.shutdown()).await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn says_when_the_address_is_taken() {
    let lab = Lab::new().await;
    let fault = DemoServer::start(Story::Plain, lab.server.address()).await.err().unwrap();
    assert!(fault.to_string().contains(&lab.server.address().to_string()), "{fault}");
}
