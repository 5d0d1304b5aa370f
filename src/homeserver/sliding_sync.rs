//! What many rooms are called, in one answer (simplified sliding sync, MSC4186 in its unstable form).
//!
//! Every request is a first one: it has no position, so it acknowledges nothing, and it asks for no
//! extension, so no message to a device and no one-time key is touched. The server remembers such a
//! request under its connection's name and that of the device; ours is a name that no app has. All the
//! same only keyhaul's own device is used: a server that keeps one connection for each device, whatever
//! its name, would make another app begin anew.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{
    error::RequestError,
    request::{Persistence, Request},
    rooms::{Told, person, text},
    session::{Origin, Session},
};
use crate::base::{cancel::Cancel, limits};

/// The endpoint; also a row of the table of harmless requests.
pub(super) const PATH: &str = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";
/// What a server that has it names among its unstable features.
const FEATURE: &str = "org.matrix.simplified_msc3575";
/// The name of our connection.
const CONNECTION: &str = "keyhaul-names";
const NAME: &str = "m.room.name";
const ALIAS: &str = "m.room.canonical_alias";

#[derive(Deserialize)]
struct Versions {
    #[serde(default)]
    unstable_features: Value,
}

#[derive(Deserialize)]
struct Rooms {
    #[serde(default)]
    rooms: Map<String, Value>,
}

/// Says whether this session may ask so, and the server knows how to answer.
pub async fn is_offered(session: &Session, cancel: &Cancel) -> Result<bool, RequestError> {
    if session.origin() != Origin::SignedInHere {
        return Ok(false);
    }
    let request = Request::get("/_matrix/client/versions", &[]).persistence(Persistence::Once);
    let answer = session.send(request, cancel).await?;
    let versions: Versions = answer.json("the versions of a Matrix server", cancel).await?;
    Ok(versions.unstable_features.get(FEATURE) == Some(&Value::Bool(true)))
}

/// Asks for some rooms at once. Those of which the server tells nothing are not in the answer.
pub async fn rooms(
    session: &Session,
    wanted: &[&str],
    cancel: &Cancel,
) -> Result<BTreeMap<String, Told>, RequestError> {
    let each = json!({ "required_state": [[NAME, ""], [ALIAS, ""]], "timeline_limit": 0 });
    let each = wanted.iter().map(|room| ((*room).to_owned(), each.clone()));
    let each: Map<String, Value> = each.collect();
    let body = json!({ "conn_id": CONNECTION, "room_subscriptions": each });
    let request = Request::new(http::Method::POST, PATH, &[])
        .query("timeout", "0")
        .query("set_presence", "offline")
        .json(Zeroizing::new(body.to_string().into_bytes()))
        .persistence(Persistence::Once);
    let answer = session.send(request, cancel).await?;
    let answer: Rooms = answer.json("an answer about rooms", cancel).await?;
    let told = answer.rooms.iter().filter(|(id, _)| wanted.contains(&id.as_str()));
    Ok(told.map(|(id, room)| (id.clone(), understood(room))).collect())
}

/// What one room's part of the answer says; whatever makes no sense in it counts as not there.
fn understood(room: &Value) -> Told {
    let state = |kind: &str, field: &str| {
        let events = room.get("required_state")?.as_array()?.iter();
        let is_it = |event: &&Value| {
            event.get("type").and_then(Value::as_str) == Some(kind)
                && event.get("state_key").and_then(Value::as_str) == Some("")
        };
        // The latest stands last, should there be several.
        text(events.rev().find(is_it)?.get("content")?.get(field))
    };
    let heroes = room.get("heroes").and_then(Value::as_array).into_iter().flatten();
    let heroes = heroes
        .filter_map(|hero| Some(person(hero.get("user_id")?.as_str()?, hero.get("displayname"))));
    let people: Vec<_> = heroes.take(limits::HEROES).collect();
    let alias = state(ALIAS, "alias");
    // Some servers put what they made of the people there, so it counts only where nothing else does.
    let name = state(NAME, "name")
        .or_else(|| text(room.get("name")).filter(|_| people.is_empty() && alias.is_none()));
    let count = |field: &str| room.get(field).and_then(Value::as_u64);
    Told { name, alias, people, joined: count("joined_count"), invited: count("invited_count") }
}
