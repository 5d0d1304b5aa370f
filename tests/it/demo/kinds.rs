//! Servers that are known to differ: each row of SPEC §1.4.

use keyhaul::demo::kinds::Kind::{self, Conduwuit, Dendrite, Synapse, Tuwunel};
use reqwest::Method;
use serde_json::{Value, json};

use super::writing::Writer;

fn entry(first: u64) -> Value {
    json!({
        "first_message_index": first, "forwarded_count": 0, "is_verified": false,
        "session_data": {},
    })
}

/// Asks the same of each kind and compares.
async fn each<T: PartialEq + std::fmt::Debug>(
    expected: [(Kind, T); 4],
    ask: impl AsyncFn(&Writer) -> T,
) {
    for (kind, expected) in expected {
        assert_eq!(ask(&Writer::of(kind).await).await, expected, "{kind:?}");
    }
}

#[tokio::test]
async fn numbers_and_the_gaps_between_them() {
    let expected = [
        (Synapse, ["1", "2"]),
        (Dendrite, ["13", "26"]),
        (Conduwuit, ["1009", "2018"]),
        (Tuwunel, ["1009", "2018"]),
    ];
    let expected = expected.map(|(kind, numbers)| (kind, numbers.map(str::to_owned)));
    each(expected, async |writer| [writer.version().await, writer.version().await]).await;
}

#[tokio::test]
async fn the_current_version_after_the_newest_was_deleted() {
    let expected = [(Synapse, 200), (Dendrite, 404), (Conduwuit, 200), (Tuwunel, 200)];
    each(expected, async |writer| {
        writer.version().await;
        let newest = writer.version().await;
        writer.ask(Method::DELETE, &format!("/version/{newest}"), &Value::Null).await;
        writer.get("/version").await.0
    })
    .await;
}

#[tokio::test]
async fn the_current_version_where_texts_are_sorted() {
    let expected = [(Synapse, "10090"), (Dendrite, "10090"), (Conduwuit, "9"), (Tuwunel, "10090")];
    let expected = expected.map(|(kind, number)| (kind, number.to_owned()));
    each(expected, async |writer| {
        let version = keyhaul::demo::account::Version::new("a", json!({}));
        writer.lab.server.change(|account| {
            account.versions.extend([9, 10_090].map(|number| (number, Some(version.clone()))));
        });
        writer.get("/version").await.1["version"].as_str().unwrap().to_owned()
    })
    .await;
}

#[tokio::test]
async fn the_answer_to_a_wrong_version() {
    let wrong = "M_WRONG_ROOM_KEYS_VERSION";
    let expected = [
        (Synapse, (403, wrong, json!("1"))),
        (Dendrite, (403, wrong, json!("26"))),
        (Conduwuit, (400, "M_INVALID_PARAM", Value::Null)),
        (Tuwunel, (400, wrong, json!("2018"))),
    ];
    let expected =
        expected.map(|(kind, (status, code, current))| (kind, (status, json!(code), current)));
    each(expected, async |writer| {
        let older = writer.version().await;
        writer.version().await;
        let path = format!("/keys?version={older}");
        let (status, answer) = writer.ask(Method::PUT, &path, &json!({ "rooms": {} })).await;
        (status, answer["errcode"].clone(), answer["current_version"].clone())
    })
    .await;
    // Where there is no backup at all, none of them knows better.
    each(Kind::ALL.map(|kind| (kind, 404)), async |writer| {
        writer.ask(Method::PUT, "/keys?version=1", &json!({ "rooms": {} })).await.0
    })
    .await;
}

#[tokio::test]
async fn a_worse_entry_one_by_one_and_with_others() {
    let expected = [(Synapse, [1, 1]), (Dendrite, [1, 1]), (Conduwuit, [1, 7]), (Tuwunel, [1, 1])];
    each(expected, async |writer| {
        let version = writer.version().await;
        let one = format!("/keys/!r%3Ax/s?version={version}");
        let several = format!("/keys/!r%3Ax?version={version}");
        let first = async || writer.get(&one).await.1["first_message_index"].as_u64().unwrap();
        writer.ask(Method::PUT, &one, &entry(1)).await;
        writer.ask(Method::PUT, &one, &entry(7)).await;
        let alone = first().await;
        writer.ask(Method::PUT, &several, &json!({ "sessions": { "s": entry(7) } })).await;
        [alone, first().await]
    })
    .await;
}

#[tokio::test]
async fn keys_of_an_unknown_version() {
    let nothing = || (200, json!({ "rooms": {} }));
    let unknown = || (404, json!({ "errcode": "M_NOT_FOUND", "error": "Unknown backup version" }));
    let expected =
        [(Synapse, unknown()), (Dendrite, unknown()), (Conduwuit, nothing()), (Tuwunel, nothing())];
    each(expected, async |writer| writer.get("/keys?version=5").await).await;
}

#[tokio::test]
async fn deleting_what_never_was() {
    let expected = [
        (Synapse, [404, 404]),
        (Dendrite, [404, 405]),
        (Conduwuit, [404, 500]),
        (Tuwunel, [200, 500]),
    ];
    each(expected, async |writer| {
        let version = writer.ask(Method::DELETE, "/version/77", &Value::Null).await.0;
        [version, writer.ask(Method::DELETE, "/keys?version=77", &Value::Null).await.0]
    })
    .await;
}

#[tokio::test]
async fn etags_before_and_after_uploads() {
    let expected = [
        (Synapse, ["0", "1"]),
        (Dendrite, ["", "1"]),
        (Conduwuit, ["0", "2"]),
        (Tuwunel, ["0", "2"]),
    ];
    let expected = expected.map(|(kind, etags)| (kind, etags.map(|etag| json!(etag))));
    each(expected, async |writer| {
        let version = writer.version().await;
        let before = writer.get("/version").await.1["etag"].clone();
        let two = json!({ "sessions": { "s": entry(1), "t": entry(2) } });
        let path = format!("/keys/!r%3Ax?version={version}");
        let (_, answer) = writer.ask(Method::PUT, &path, &two).await;
        assert_eq!(answer["count"], 2);
        [before, answer["etag"].clone()]
    })
    .await;
}

#[tokio::test]
async fn an_empty_upload() {
    let expected = Kind::ALL.map(|kind| (kind, kind != Dendrite));
    each(expected, async |writer| {
        let version = writer.version().await;
        let path = format!("/keys?version={version}");
        assert_eq!(writer.ask(Method::PUT, &path, &json!({ "rooms": {} })).await.0, 200);
        writer.get("/version").await.1["auth_data"]["public_key"] == "p"
    })
    .await;
}

#[tokio::test]
async fn a_request_that_names_no_version() {
    let expected = Kind::ALL.map(|kind| {
        let code = if kind == Dendrite { "M_INVALID_PARAM" } else { "M_MISSING_PARAM" };
        (kind, (400, json!(code)))
    });
    each(expected, async |writer| {
        let (status, answer) = writer.get("/keys").await;
        (status, answer["errcode"].clone())
    })
    .await;
}
