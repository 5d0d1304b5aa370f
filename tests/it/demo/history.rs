//! What the demo server tells of a room's history, beside what a real Synapse tells; and that its
//! messages are what they claim to be.

use std::collections::BTreeSet;

use keyhaul::{
    demo::{account::Membership, stories::Story},
    megolm::message::EncryptedMessage,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    account,
    rooms::comparable,
    serving::{Lab, encoded},
};
use crate::synapse::synapse;

const V3: &str = "/_matrix/client/v3";
const FILTER: &str = r#"{"types":["m.room.encrypted","m.room.message"],"lazy_load_members":true}"#;

fn of_room(name: &str) -> String {
    let mut rooms = account().rooms.iter();
    rooms.find(|room| room.name.as_deref() == Some(name)).unwrap().id.clone()
}

/// Names of a page's members, and of its first event's as far as the demo has them.
fn page(answer: &Value) -> (BTreeSet<&str>, Option<BTreeSet<&str>>) {
    const KNOWN: [&str; 7] =
        ["content", "event_id", "origin_server_ts", "room_id", "sender", "type", "unsigned"];
    let event = answer["chunk"]
        .get(0)
        .map(|event| names(event).into_iter().filter(|name| KNOWN.contains(name)).collect());
    (names(answer), event)
}

fn names(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn tells_of_messages_as_synapse_does() {
    let Some(synapse) = synapse() else { return };
    let ada = synapse.register("ada", "a password of the tests").await;
    let real_room = ada.create_room("Attic").await;
    for number in 0..3 {
        let path = format!("{V3}/rooms/{real_room}/send/m.room.message/{number}");
        let text = json!({"msgtype": "m.text", "body": "hello"});
        let (status, answer) = ada.request(Method::PUT, &path, Some(&text)).await;
        assert_eq!(status, 200, "{answer}");
    }
    let room = of_room("Family");
    let lab = Lab::new().await;
    let token = lab.token().await;
    let filter = encoded(FILTER);
    let mut from: Option<[String; 2]> = None;
    // One message, the rest, and what comes after the last.
    for limit in [1, 1_000, 1_000] {
        let at = |room: &str, from: Option<&str>| {
            let from = from.map(|from| format!("&from={from}")).unwrap_or_default();
            let room = encoded(room);
            format!("{V3}/rooms/{room}/messages?dir=b&limit={limit}&filter={filter}{from}")
        };
        let places = from.as_ref();
        let (status, told) =
            lab.get(Some(&token), &at(&room, places.map(|[demo, _]| demo.as_str()))).await;
        let real = at(&real_room, places.map(|[_, real]| real.as_str()));
        let (real_status, real_told) = ada.request(Method::GET, &real, None).await;
        assert_eq!((status, page(&told)), (real_status, page(&real_told)), "{real_told:#}");
        let end = |answer: &Value| answer["end"].as_str().map(str::to_owned);
        from = end(&told).zip(end(&real_told)).map(|(demo, real)| [demo, real]);
    }
    assert!(from.is_none(), "history has an end");

    let forgotten = account().rooms.iter().find(|room| room.membership == Membership::Forgotten);
    for (demo, real, query) in [
        (&forgotten.unwrap().id, "!nowhere:x", "dir=b"),
        (&"!nowhere:x".to_owned(), "!nowhere:x", "dir=b"),
        (&room, &real_room, "dir=sideways"),
        (&room, &real_room, "dir=b&from=nonsense"),
        (&room, &real_room, "dir=b&filter=%7B"),
    ] {
        let at = |room: &str| format!("{V3}/rooms/{}/messages?{query}", encoded(room));
        let (status, told) = lab.get(Some(&token), &at(demo)).await;
        let (real_status, real_told) = ada.request(Method::GET, &at(real), None).await;
        assert_eq!(comparable(status, told), comparable(real_status, real_told), "{query}");
    }
    assert_eq!(lab.server.writes(), 0);
}

#[tokio::test]
async fn pages_go_both_ways_and_are_whole() {
    let lab = Lab::new().await;
    let token = lab.token().await;
    let room = of_room("Release team");
    let all = account().timelines[&room].events();
    assert!(all.len() > 10);
    for dir in ["b", "f"] {
        let mut read: Vec<Value> = Vec::new();
        let mut from = String::new();
        loop {
            let path = format!("{V3}/rooms/{}/messages?dir={dir}&limit=4{from}", encoded(&room));
            let (status, answer) = lab.get(Some(&token), &path).await;
            assert_eq!(status, 200, "{answer}");
            read.extend(answer["chunk"].as_array().unwrap().iter().cloned());
            let Some(end) = answer["end"].as_str() else { break };
            from = format!("&from={end}");
        }
        if dir == "b" {
            read.reverse();
        }
        assert_eq!(read, all);
    }
    let path = format!("{V3}/rooms/{}/messages?dir=b", encoded(&room));
    let (_, answer) = lab.get(Some(&token), &path).await;
    assert_eq!(answer["chunk"].as_array().unwrap().len(), 10);
}

/// The same on every computer, made when somebody asks and not before, and really locked.
#[test]
fn conversations_are_made_once_and_always_the_same() {
    let again = Story::Plain.account();
    let mut locked = 0;
    for (room, timeline) in &again.timelines {
        assert_eq!(timeline.events(), account().timelines[room].events());
        let mut ids = BTreeSet::new();
        let mut last = 0;
        for event in timeline.events() {
            assert!(ids.insert(event["event_id"].as_str().unwrap()), "{event}");
            let at = event["origin_server_ts"].as_i64().unwrap();
            assert!(last < at && at < Story::NOW.as_millisecond(), "{event}");
            last = at;
            if event["content"]["ciphertext"].is_string() {
                EncryptedMessage::parse(&event["content"].to_string()).unwrap();
                locked += 1;
            }
        }
    }
    assert!(again.timelines.len() >= 8 && locked > 80, "{locked}");
}
