//! What the server tells of rooms, in the words of Synapse; `tests/it/demo/rooms.rs` holds it against a
//! real one.

use std::collections::BTreeMap;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
};
use serde_json::{Map, Value, json};

use super::{
    account::{Account, Membership, Person, Room},
    answers::Denial,
    endpoints::{Answer, Caller, Server},
    upload::object,
};

const NAME: &str = "m.room.name";
const ALIAS: &str = "m.room.canonical_alias";
/// Most people that stand for a room without a name.
const HEROES: usize = 5;

pub(super) async fn joined_rooms(_: Caller, State(server): Server) -> Json<Value> {
    let rooms = &server.lock().account.rooms;
    let joined = rooms.iter().filter(|room| room.membership == Membership::Joined);
    Json(json!({ "joined_rooms": joined.map(|room| &room.id).collect::<Vec<_>>() }))
}

/// A room whose state the account may read.
pub(super) fn readable<'a>(account: &'a Account, id: &str) -> Answer<&'a Room> {
    let room = account.room(id).filter(|room| room.membership != Membership::Forgotten);
    room.ok_or_else(|| {
        let user = &account.user_id;
        Denial::Forbidden(format!("User {user} not in room {id}, and room previews are disabled"))
    })
}

/// Of a room's state the server knows name and address only.
fn state(room: &Room, kind: &str) -> Option<Value> {
    match kind {
        NAME => Some(json!({ "name": room.name.as_ref()? })),
        ALIAS => Some(json!({ "alias": room.alias.as_ref()? })),
        _ => None,
    }
}

pub(super) async fn room_state(
    _: Caller,
    State(server): Server,
    Path((id, kind)): Path<(String, String)>,
) -> Answer {
    let account = &server.lock().account;
    let content = state(readable(account, &id)?, &kind);
    Ok(Json(content.ok_or(Denial::NotFound("Event not found.".into()))?))
}

/// The account's person, who is called like the first part of the id.
pub(super) fn own(account: &Account) -> Person {
    let user_id = account.user_id.clone();
    let display_name = user_id.trim_start_matches('@').split(':').next().unwrap_or_default();
    Person { display_name: display_name.to_owned(), user_id }
}

pub(super) async fn joined_members(
    _: Caller,
    State(server): Server,
    Path(id): Path<String>,
) -> Answer {
    let account = &server.lock().account;
    let room = readable(account, &id)?;
    if room.membership != Membership::Joined {
        let words =
            "Getting joined members while not being a current member of the room is forbidden.";
        return Err(Denial::Forbidden(words.to_owned()));
    }
    let own = own(account);
    let joined = std::iter::once(&own).chain(&room.people).map(|person| {
        let about = json!({ "avatar_url": null, "display_name": person.display_name });
        (person.user_id.clone(), about)
    });
    Ok(Json(json!({ "joined": joined.collect::<Map<_, _>>() })))
}

/// Those who are in a room, or were when the account left it. The server knows of no others.
pub(super) async fn members(
    _: Caller,
    State(server): Server,
    Path(id): Path<String>,
    Query(parameters): Query<BTreeMap<String, String>>,
) -> Answer {
    let account = &server.lock().account;
    let room = readable(account, &id)?;
    let own = own(account);
    let is_in = room.membership == Membership::Joined;
    let wanted = parameters.get("membership");
    let all = std::iter::once((&own, if is_in { "join" } else { "leave" }));
    let all = all.chain(room.people.iter().map(|person| (person, "join")));
    let chunk = all.filter(|(_, membership)| wanted.is_none_or(|wanted| wanted == membership));
    let chunk: Vec<_> =
        chunk.map(|(person, membership)| member(room, person, membership)).collect();
    Ok(Json(json!({ "chunk": chunk })))
}

/// The event that tells how somebody stands to a room.
pub(super) fn member(room: &Room, person: &Person, membership: &str) -> Value {
    json!({
        "content": { "displayname": person.display_name, "membership": membership },
        "room_id": room.id,
        "sender": person.user_id,
        "state_key": person.user_id,
        "type": "m.room.member",
    })
}

/// What strangers may know. The server asks no others, and all rooms are for the invited only.
pub(super) async fn room_summary(
    _: Caller,
    State(server): Server,
    Path(id): Path<String>,
    Query(parameters): Query<BTreeMap<String, String>>,
) -> Answer {
    let account = &server.lock().account;
    let room = account.room(&id).filter(|room| room.membership == Membership::Joined);
    let Some(room) = room else {
        return Err(match parameters.contains_key("via") {
            true => Denial::NotFound("Room not found or is not accessible".into()),
            false => Denial::Bad("M_UNKNOWN", "Missing via to query remote room".into()),
        });
    };
    let mut summary = json!({
        "room_id": room.id,
        "num_joined_members": 1 + room.people.len(),
        "world_readable": false,
        "guest_can_join": true,
        "join_rule": "invite",
        "membership": "join",
    });
    add(&mut summary, "name", room.name.clone());
    add(&mut summary, "canonical_alias", room.alias.clone());
    Ok(Json(summary))
}

/// Simplified sliding sync. Of what it can do the server knows subscriptions to rooms.
pub(super) async fn sliding_sync(_: Caller, State(server): Server, body: Bytes) -> Answer {
    let body = object(&body)?;
    let account = &server.lock().account;
    let wanted = body.get("room_subscriptions").and_then(Value::as_object).into_iter().flatten();
    let rooms = wanted.filter_map(|(id, asked)| {
        let room = readable(account, id).ok()?;
        Some((room.id.clone(), subscribed(account, room, asked)))
    });
    let rooms: Map<_, _> = rooms.collect();
    Ok(Json(json!({ "pos": "1/s1", "rooms": rooms, "extensions": {} })))
}

fn subscribed(account: &Account, room: &Room, asked: &Value) -> Value {
    let mut told = json!({ "notification_count": 0, "highlight_count": 0, "initial": true });
    if room.membership == Membership::Joined {
        add(&mut told, "joined_count", Some(1 + room.people.len()));
        add(&mut told, "invited_count", Some(0));
        let heroes =
            room.people.iter().take(HEROES).map(
                |person| json!({ "user_id": person.user_id, "displayname": person.display_name }),
            );
        let heroes: Vec<_> = heroes.filter(|_| room.name.is_none()).collect();
        add(&mut told, "heroes", Some(heroes).filter(|heroes| !heroes.is_empty()));
    }
    add(&mut told, "name", room.name.clone().filter(|name| !name.is_empty()));
    let kinds = asked.get("required_state").and_then(Value::as_array).into_iter().flatten();
    let events = kinds.filter_map(|pair| {
        let kind = pair.get(0)?.as_str()?;
        Some(json!({
            "content": state(room, kind)?,
            "sender": account.user_id,
            "state_key": "",
            "type": kind,
        }))
    });
    let events: Vec<_> = events.collect();
    add(&mut told, "required_state", Some(events).filter(|events| !events.is_empty()));
    told
}

/// Synapse leaves out what there is not.
fn add(object: &mut Value, field: &str, value: Option<impl Into<Value>>) {
    if let (Value::Object(object), Some(value)) = (object, value) {
        object.insert(field.to_owned(), value.into());
    }
}
