//! Messages on a real server, opened with keys that a restore brought back.

use keyhaul::{
    backup::{decryption::DecryptionKey, version::ALGORITHM},
    base::secret::Secret32,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{computer::Computer, on_paper};
use crate::{
    history::app::App,
    synapse::{Account, synapse},
};

const V3: &str = "/_matrix/client/v3";
const KEY: u8 = 9;

fn public_key() -> keyhaul::backup::version::PublicKey {
    DecryptionKey::new(Secret32::take(&mut [KEY; 32])).public_key()
}

async fn put(account: &Account, at: &str, body: &Value) -> Value {
    let (status, answer) = account.request(Method::PUT, &format!("{V3}{at}"), Some(body)).await;
    assert_eq!(status, 200, "{at}: {answer}");
    answer
}

async fn send(account: &Account, room: &str, kind: &str, number: u32, content: &Value) -> String {
    let at = format!("/rooms/{room}/send/{kind}/{number}");
    put(account, &at, content).await["event_id"].as_str().unwrap().to_owned()
}

async fn backup_of(account: &Account, room: &str, apps: &mut [(&mut App, u32)]) {
    let auth_data = json!({"public_key": public_key().to_base64()});
    let version = account.create_version(ALGORITHM, &auth_data).await;
    let sessions: serde_json::Map<String, Value> = apps
        .iter_mut()
        .map(|(app, first)| (app.session_id(), app.entry(public_key(), *first)))
        .collect();
    account.put_keys(&version, &json!({"rooms": {room: {"sessions": sessions}}})).await;
}

fn told(document: &Value) -> Vec<(&str, Option<&str>, Option<&str>)> {
    let events = document["events"].as_array().unwrap().iter();
    events
        .map(|event| {
            (event["name"].as_str().unwrap(), event["body"].as_str(), event["reason"].as_str())
        })
        .collect()
}

#[tokio::test]
async fn messages_open_with_what_was_restored() {
    let Some(synapse) = synapse() else { return };
    let ada = synapse.register("ada", "a password of the tests").await;
    let profile = format!("/profile/{}/displayname", ada.user_id);
    put(&ada, &profile, &json!({"displayname": "Ada"})).await;
    let room = ada.create_room("Attic").await;
    let (mut app, mut late, mut lost) = (App::new(&room), App::new(&room), App::new(&room));

    let encrypted = "m.room.encrypted";
    let first = send(&ada, &room, encrypted, 1, &app.says("first 🎈")).await;
    send(&ada, &room, encrypted, 2, &lost.says("of a lost device")).await;
    send(&ada, &room, encrypted, 3, &late.says("too early")).await;
    send(&ada, &room, encrypted, 4, &late.says("in time")).await;
    let gone = send(&ada, &room, encrypted, 5, &app.says("regretted")).await;
    put(&ada, &format!("/rooms/{room}/redact/{gone}/6"), &json!({})).await;
    send(&ada, &room, encrypted, 7, &app.edits(&first, "first, again 🎈")).await;
    let clear = json!({"msgtype": "m.text", "body": "never locked"});
    send(&ada, &room, "m.room.message", 8, &clear).await;
    send(
        &ada,
        &room,
        "m.reaction",
        9,
        &json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": first, "key": "👍"}}),
    )
    .await;
    backup_of(&ada, &room, &mut [(&mut app, 0), (&mut late, 1)]).await;

    let computer = Computer::new();
    let paper = on_paper(KEY);
    let run = |words: &[&str]| {
        let call = computer.keyhaul(words).token_of(&ada, synapse.base_url());
        call.secret(paper.expose())
    };
    run(&["history", &room]).done().fails(14, "store-empty");
    assert_eq!(run(&["restore"]).succeeds()["stored_total"], 2);
    let document = run(&["history", &room]).succeeds();
    let expected = [
        ("Ada", Some("first, again 🎈"), None),
        ("Ada", None, Some("no_key")),
        ("Ada", None, Some("starts_later")),
        ("Ada", Some("in time"), None),
        ("Ada", None, Some("redacted")),
        ("Ada", Some("never locked"), None),
    ];
    assert_eq!(told(&document), expected);
    assert_eq!(document["events"][0]["event_id"], first);
    assert_eq!(document["earlier"], false);

    // Page by page it is the same; an edit alone stands for its message.
    let newest = run(&["history", &room, "--limit", "2"]).succeeds();
    let expected = [("Ada", Some("first, again 🎈"), None), ("Ada", Some("never locked"), None)];
    assert_eq!(told(&newest), expected);
    assert_eq!(newest["earlier"], true);
}

/// Who was invited later has no keys from before, and is told so.
#[tokio::test]
async fn what_was_sent_before_somebody_joined_is_told() {
    let Some(synapse) = synapse() else { return };
    let ada = synapse.register("ada", "a password of the tests").await;
    let bea = synapse.register("bea", "a password of the tests").await;
    let room = ada.create_room("Attic").await;
    let (mut before, mut after) = (App::new(&room), App::new(&room));
    let encrypted = "m.room.encrypted";
    send(&ada, &room, encrypted, 1, &before.says("without Bea")).await;
    let post = async |account: &Account, at: &str, body: Value| {
        let answered = account.request(Method::POST, &format!("{V3}{at}"), Some(&body)).await;
        assert_eq!(answered.0, 200, "{at}: {}", answered.1);
    };
    post(&ada, &format!("/rooms/{room}/invite"), json!({"user_id": bea.user_id})).await;
    post(&bea, &format!("/join/{room}"), json!({})).await;
    send(&ada, &room, encrypted, 2, &after.says("with Bea")).await;
    backup_of(&bea, &room, &mut [(&mut after, 0)]).await;

    let computer = Computer::new();
    let paper = on_paper(KEY);
    let run = |words: &[&str]| {
        let call = computer.keyhaul(words).token_of(&bea, synapse.base_url());
        call.secret(paper.expose())
    };
    run(&["restore"]).succeeds();
    let document = run(&["history", &room]).succeeds();
    let name = ada.user_id.trim_start_matches('@').split(':').next().unwrap();
    let expected = [(name, None, Some("before_join")), (name, Some("with Bea"), None)];
    assert_eq!(told(&document), expected);

    // Once she left, she sees what was there; once she forgot the room, nothing.
    post(&bea, &format!("/rooms/{room}/leave"), json!({})).await;
    assert_eq!(told(&run(&["history", &room]).succeeds()), expected);
    post(&bea, &format!("/rooms/{room}/forget"), json!({})).await;
    let error = run(&["history", &room]).done().fails(12, "not-in-room");
    assert_eq!(error["safe"], "Its 1 keys are kept.");
}
