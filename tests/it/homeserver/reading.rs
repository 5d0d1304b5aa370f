//! Backup versions, keys, account data, rooms: what is asked, and what is made of the answers.

use keyhaul::backup::version::{ALGORITHM, BackupVersion};
use keyhaul::base::{cancel::Cancel, limits, shown::Shown};
use keyhaul::homeserver::room_keys::{self, Part, Search, all_versions};
use keyhaul::homeserver::rooms::Said;
use keyhaul::homeserver::{RequestError, account_data, rooms};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, path_regex, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{answer, borrowed, on_get};

const VERSION: &str = "/_matrix/client/v3/room_keys/version";

fn described(version: &str) -> Value {
    json!({
        "version": version, "algorithm": ALGORITHM, "etag": "5", "count": 2,
        "auth_data": {"public_key": "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo", "unknown": 1},
    })
}

fn missing() -> ResponseTemplate {
    answer(404, &json!({"errcode": "M_NOT_FOUND", "error": "No backup found"}))
}

async fn has(server: &MockServer, version: &str) {
    on_get(server, &format!("{VERSION}/{version}"), answer(200, &described(version))).await;
}

fn names(versions: &[BackupVersion]) -> Vec<&str> {
    versions.iter().map(|version| version.version.as_str()).collect()
}

async fn probed(server: &MockServer) -> Vec<String> {
    let asked = server.received_requests().await.unwrap();
    let names = asked.iter().filter_map(|request| request.url.path().strip_prefix(VERSION));
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn older_versions_are_found_around_a_deleted_one() {
    let (server, session) = borrowed().await;
    on_get(&server, VERSION, answer(200, &described("4"))).await;
    has(&server, "3").await;
    on_get(&server, &format!("{VERSION}/2"), missing()).await;
    has(&server, "1").await;
    let found = all_versions(&session, &mut |_| {}, &Cancel::default()).await.unwrap();
    let current = found.current.unwrap();
    assert_eq!((current.version.as_str(), current.count), ("4", Some(2)));
    assert!(current.auth_data.get().contains("\"unknown\":1"));
    assert_eq!(names(&found.older), ["3", "1"]);
    assert!(matches!(found.search, Search::Whole), "{:?}", found.search);
    assert_eq!(probed(&server).await, ["", "/3", "/2", "/1"]);
}

#[tokio::test]
async fn an_error_ends_the_search_and_keeps_what_was_found() {
    let (server, session) = borrowed().await;
    on_get(&server, VERSION, answer(200, &described("4"))).await;
    has(&server, "3").await;
    on_get(&server, &format!("{VERSION}/2"), answer(500, &json!({}))).await;
    let found = all_versions(&session, &mut |_| {}, &Cancel::default()).await.unwrap();
    assert_eq!(names(&found.older), ["3"]);
    assert!(
        matches!(found.search, Search::Stopped { at: 2, why: RequestError::ServerFault { .. } }),
        "{:?}",
        found.search
    );
    // A fault may pass, so it is asked for again.
    assert_eq!(probed(&server).await, ["", "/3", "/2", "/2", "/2"]);
}

#[tokio::test]
async fn versions_that_are_not_counted_are_not_guessed() {
    for name in ["1001", "1764000000000", "abc", "-1"] {
        let (server, session) = borrowed().await;
        on_get(&server, VERSION, answer(200, &described(name))).await;
        let found = all_versions(&session, &mut |_| {}, &Cancel::default()).await.unwrap();
        assert!(found.current.is_some() && found.older.is_empty());
        assert!(matches!(found.search, Search::NotPossible), "{name}");
        assert_eq!(probed(&server).await, [""], "{name}");
    }
    let (server, session) = borrowed().await;
    on_get(&server, VERSION, missing()).await;
    let found = all_versions(&session, &mut |_| {}, &Cancel::default()).await.unwrap();
    assert!(found.current.is_none() && matches!(found.search, Search::NotPossible));
}

#[tokio::test]
async fn a_search_asks_only_so_often() {
    let (server, session) = borrowed().await;
    on_get(&server, VERSION, answer(200, &described("1000"))).await;
    let anything = Mock::given(method("GET")).and(path_regex("version/[0-9]+$"));
    anything.respond_with(missing()).mount(&server).await;
    let found = all_versions(&session, &mut |_| {}, &Cancel::default()).await.unwrap();
    assert!(matches!(found.search, Search::CutShort { at: 799 }), "{:?}", found.search);
    assert_eq!(probed(&server).await.len() as u64, 1 + limits::VERSION_PROBES);
}

#[tokio::test]
async fn a_server_that_repeats_itself_does_not_seem_to_hold_many() {
    let (server, session) = borrowed().await;
    let same = Mock::given(method("GET")).and(path_regex("room_keys/version"));
    same.respond_with(answer(200, &described("9"))).mount(&server).await;
    let found = all_versions(&session, &mut |_| {}, &Cancel::default()).await.unwrap();
    assert!(found.older.is_empty());
    assert!(
        matches!(found.search, Search::Stopped { at: 8, why: RequestError::Odd { .. } }),
        "{:?}",
        found.search
    );
}

#[tokio::test]
async fn hostile_version_names_stay_in_their_place() {
    let (server, session) = borrowed().await;
    let cancel = Cancel::default();
    Mock::given(method("GET")).respond_with(missing()).mount(&server).await;
    for name in ["../../logout", "1?x=#", "%2e%2e", "🔑", "1/2"] {
        assert!(room_keys::version(&session, name, &cancel).await.unwrap().is_none());
        let keys = room_keys::keys(&session, name, Part::Whole, 10, &cancel).await;
        assert!(keys.unwrap_err().is_missing());
    }
    for request in &server.received_requests().await.unwrap()[1..] {
        let path = request.url.path();
        match path.strip_prefix(VERSION).and_then(|rest| rest.strip_prefix('/')) {
            Some(name) => assert!(!name.contains('/') && request.url.query().is_none(), "{path}"),
            None => assert_eq!(path, "/_matrix/client/v3/room_keys/keys"),
        }
    }
    let before = server.received_requests().await.unwrap().len();
    for name in ["", "..", &"9".repeat(10_000)] {
        let end = room_keys::version(&session, name, &cancel).await;
        assert!(matches!(end, Err(RequestError::NameUnsendable)), "{end:?}");
    }
    assert_eq!(server.received_requests().await.unwrap().len(), before);

    for odd in [json!(""), json!("9".repeat(10_000)), json!(null)] {
        let (server, session) = borrowed().await;
        let mut body = described("1");
        body["version"] = odd;
        on_get(&server, VERSION, answer(200, &body)).await;
        let end = all_versions(&session, &mut |_| {}, &cancel).await;
        assert!(matches!(end, Err(RequestError::Odd { .. })), "{end:?}");
    }
}

#[tokio::test]
async fn keys_are_asked_for_whole_by_room_and_by_session() {
    const KEYS: &str = "/_matrix/client/v3/room_keys/keys";
    let cancel = Cancel::default();
    let body = r#"{"rooms":{}}"#;
    for (part, at) in [
        (Part::Whole, KEYS.to_owned()),
        (Part::Room("!r/1:s"), format!("{KEYS}/%21r%2F1%3As")),
        (Part::Session { room: "!r", session: "a+/b" }, format!("{KEYS}/%21r/a%2B%2Fb")),
    ] {
        let (server, session) = borrowed().await;
        let asked = Mock::given(path(at.as_str())).and(query_param("version", "3+"));
        asked.respond_with(ResponseTemplate::new(200).set_body_string(body)).mount(&server).await;
        let mut stream = room_keys::keys(&session, "3+", part, 100, &cancel).await.unwrap();
        let mut read = Vec::new();
        while let Some(piece) = stream.next().await.unwrap() {
            read.extend_from_slice(&piece);
        }
        assert_eq!(read, body.as_bytes());
        assert_eq!(stream.received(), body.len() as u64);
    }
}

#[tokio::test]
async fn empty_account_data_is_none() {
    let (server, session) = borrowed().await;
    let cancel = Cancel::default();
    let at = |kind| format!("/_matrix/client/v3/user/%40ada%3Aexample.org/account_data/{kind}");
    on_get(&server, &at("full"), ResponseTemplate::new(200).set_body_string(r#"{"b":1,"a":2.0}"#))
        .await;
    on_get(&server, &at("empty"), ResponseTemplate::new(200).set_body_string("{ }")).await;
    on_get(&server, &at("none"), missing()).await;
    let full = account_data::get(&session, "full", &cancel).await.unwrap().unwrap();
    assert_eq!(full.get(), r#"{"b":1,"a":2.0}"#);
    for kind in ["empty", "none"] {
        assert!(account_data::get(&session, kind, &cancel).await.unwrap().is_none(), "{kind}");
    }
}

#[tokio::test]
async fn one_odd_room_does_not_hide_the_others() {
    let (server, session) = borrowed().await;
    let body = json!({"joined_rooms": ["!a:s", 7, "no room id", "!43characters"]});
    on_get(&server, "/_matrix/client/v3/joined_rooms", answer(200, &body)).await;
    let joined = rooms::joined(&session, &Cancel::default()).await.unwrap();
    assert_eq!(joined, ["!a:s", "no room id", "!43characters"]);
}

#[tokio::test]
async fn rooms_are_named_where_they_may_be() {
    let (server, session) = borrowed().await;
    let at = |room| format!("/_matrix/client/v3/rooms/%21{room}/state/m.room.name");
    let forbidden = answer(403, &json!({"errcode": "M_FORBIDDEN", "error": "not in room"}));
    for (room, answered) in [
        ("named", answer(200, &json!({"name": "The \u{202e}garden"}))),
        ("unnamed", missing()),
        ("left", forbidden),
        ("odd", answer(200, &json!({"name": {"a": 1}}))),
        ("blank", answer(200, &json!({"name": ""}))),
    ] {
        on_get(&server, &at(room), answered).await;
    }
    let cancel = Cancel::default();
    for (room, said) in [
        ("!named", Said::That(Shown::new("The garden"))),
        ("!unnamed", Said::Nothing),
        ("..", Said::Nothing),
        ("!left", Said::Refused),
        ("!odd", Said::Nothing),
        ("!blank", Said::Nothing),
    ] {
        assert_eq!(rooms::name(&session, room, &cancel).await.unwrap(), said, "{room}");
    }
    on_get(&server, &at("gone"), answer(401, &json!({"errcode": "M_UNKNOWN_TOKEN"}))).await;
    let end = rooms::name(&session, "!gone", &cancel).await;
    assert!(matches!(end, Err(RequestError::TokenUnknown { .. })), "{end:?}");
}
