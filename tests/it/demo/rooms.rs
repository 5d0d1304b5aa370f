//! What the demo server tells of rooms, beside what a real Synapse tells of rooms of the same kinds.

use keyhaul::demo::account::{Membership, Room};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{
    account,
    serving::{Lab, answer, encoded},
};
use crate::{naming::real::Rooms, synapse::synapse};

const V3: &str = "/_matrix/client/v3";
const SYNC: &str = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=0";

/// What Synapse tells of every event and room, and the demo of none.
const LEFT_OUT: [&str; 8] = [
    "age",
    "bump_stamp",
    "event_id",
    "is_dm",
    "origin_server_ts",
    "replaces_state",
    "room_version",
    "unsigned",
];

/// An answer with its values' kinds in place of the values, so that two servers can be compared.
/// Ids as names of members become `…`.
pub(super) fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
            let shaped = members.map(|(name, value)| {
                let is_id = name.starts_with(['!', '@']);
                (if is_id { "…".to_owned() } else { name.clone() }, shape(value))
            });
            let mut shaped: Vec<_> = shaped.collect();
            shaped.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(shaped.into_iter().collect::<Map<_, _>>())
        }
        // All members are alike.
        Value::Array(values) => values.iter().take(1).map(shape).collect(),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("yes or no"),
        Value::Null => Value::Null,
    }
}

/// An event without what the old form of events repeats.
fn without_repeats(mut answer: Value) -> Value {
    for event in answer["chunk"].as_array_mut().into_iter().flatten() {
        event.as_object_mut().unwrap().shift_remove("user_id");
    }
    answer
}

/// A refusal is compared word by word, without the names in it.
pub(super) fn comparable(status: u16, answer: Value) -> (u16, Value) {
    match answer["error"].as_str() {
        Some(error) => {
            let words = error.split(' ').filter(|word| !word.starts_with(['!', '@']));
            let words = words.collect::<Vec<_>>().join(" ");
            (status, json!({"errcode": answer["errcode"], "error": words}))
        }
        None => (status, shape(&without_repeats(answer))),
    }
}

/// Rooms of the same kinds on both servers: on the demo's and on the real one.
fn pairs(rooms: &Rooms) -> Vec<(&'static str, String, String)> {
    let demo = |test: &dyn Fn(&&Room) -> bool| {
        account().rooms.iter().find(test).map(|room| room.id.clone()).unwrap()
    };
    let is = |room: &Room, membership| room.membership == membership;
    vec![
        ("named", demo(&|r| r.name.is_some() && is(r, Membership::Joined)), rooms.named.clone()),
        (
            "aliased",
            demo(&|r| r.alias.is_some() && is(r, Membership::Joined)),
            rooms.aliased.clone(),
        ),
        (
            "unnamed",
            demo(&|r| r.name.is_none() && r.alias.is_none() && is(r, Membership::Joined)),
            rooms.unnamed.clone(),
        ),
        ("left", demo(&|r| r.name.is_some() && is(r, Membership::Left)), rooms.left.clone()),
        (
            "left unnamed",
            demo(&|r| r.name.is_none() && r.alias.is_none() && is(r, Membership::Left)),
            rooms.left_unnamed.clone(),
        ),
        ("forgotten", demo(&|r| is(r, Membership::Forgotten)), rooms.forgotten.clone()),
        ("unknown", "!nowhere:x".to_owned(), "!nowhere:x".to_owned()),
    ]
}

#[tokio::test]
async fn tells_of_rooms_as_synapse_does() {
    let Some(synapse) = synapse() else { return };
    let rooms = Rooms::on(synapse).await;
    let lab = Lab::new().await;
    let token = lab.token().await;
    for (kind, demo, real) in pairs(&rooms) {
        for what in
            ["state/m.room.name", "state/m.room.canonical_alias", "joined_members", "members"]
        {
            let at = |room: &str| format!("{V3}/rooms/{}/{what}?membership=join", encoded(room));
            let (status, told) = lab.get(Some(&token), &at(&demo)).await;
            let (real_status, real_told) = rooms.ada.request(Method::GET, &at(&real), None).await;
            assert_eq!(
                comparable(status, told),
                comparable(real_status, real_told),
                "{kind} {what}"
            );
        }
        // Here Synapse also counts on others who stayed: the demo's server is the only one.
        if !kind.starts_with("left") && kind != "forgotten" {
            for via in ["", "?via=x"] {
                let at =
                    |room: &str| format!("/_matrix/client/v1/room_summary/{}{via}", encoded(room));
                let (status, told) = lab.get(Some(&token), &at(&demo)).await;
                let (real_status, real_told) =
                    rooms.ada.request(Method::GET, &at(&real), None).await;
                assert_eq!(
                    comparable(status, told),
                    comparable(real_status, real_told),
                    "{kind} {via}"
                );
            }
        }
        let each = json!({
            "required_state": [["m.room.name", ""], ["m.room.canonical_alias", ""]],
            "timeline_limit": 0,
        });
        let body = |room: &str| json!({"conn_id": "names", "room_subscriptions": {room: each}});
        let request = lab.request(Method::POST, SYNC).bearer_auth(&token);
        let (status, told) = answer(request.body(body(&demo).to_string())).await;
        let (real_status, real_told) =
            rooms.ada.request(Method::POST, SYNC, Some(&body(&real))).await;
        assert_eq!(comparable(status, told), comparable(real_status, real_told), "{kind}");
    }
    let feature = "/unstable_features/org.matrix.simplified_msc3575";
    let (_, told) = lab.get(None, "/_matrix/client/versions").await;
    let real = rooms.ada.get("/_matrix/client/versions").await;
    assert_eq!(told.pointer(feature), real.pointer(feature));
    assert_eq!(lab.server.writes(), 0);
}

#[tokio::test]
async fn refuses_odd_bodies_as_synapse_does() {
    let Some(synapse) = synapse() else { return };
    let ada = synapse.register("odd", "a password of the tests").await;
    let lab = Lab::new().await;
    let token = lab.token().await;
    for body in [json!([]), json!(7), json!({})] {
        let request = lab.request(Method::POST, SYNC).bearer_auth(&token);
        let (status, told) = answer(request.body(body.to_string())).await;
        let (real_status, real_told) = ada.request(Method::POST, SYNC, Some(&body)).await;
        assert_eq!(comparable(status, told), comparable(real_status, real_told), "{body}");
    }
    let (status, _) = answer(lab.request(Method::POST, SYNC).body("{}")).await;
    assert_eq!(status, 401);
}
