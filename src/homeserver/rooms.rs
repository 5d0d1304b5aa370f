//! What a server tells of rooms, for people to find theirs: which the account is in, what they are
//! called and who is in them (spec: room state, room members, room summaries).

use ruma::ServerName;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    answer::Answer,
    error::RequestError,
    request::{Persistence, Request},
    session::Session,
};
use crate::base::{cancel::Cancel, limits, shown::Shown};

/// What a server says to one question about a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said<T> {
    /// It tells.
    That(T),
    /// There is no such thing, or the answer makes no sense.
    Nothing,
    /// It tells us nothing of this room.
    Refused,
}

/// One person of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The Matrix id; any text, checked by nobody.
    pub user_id: String,
    /// The display name; empty where there is none.
    pub name: Shown,
}

/// What one answer tells of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Its name.
    pub name: Option<Shown>,
    /// Its main address.
    pub alias: Option<Shown>,
    /// Some of its people.
    pub people: Vec<Person>,
    /// How many people have joined it.
    pub joined: Option<u64>,
    /// How many people are invited to it.
    pub invited: Option<u64>,
}

#[derive(Deserialize)]
struct JoinedRooms {
    // Not as room ids: one odd id must not hide the others.
    joined_rooms: Vec<Value>,
}

#[derive(Deserialize)]
struct JoinedMembers {
    joined: Map<String, Value>,
}

#[derive(Deserialize)]
struct Members {
    chunk: Vec<Value>,
}

/// The ids of the rooms the user is in, in the server's order; any text, checked by nobody.
pub async fn joined(session: &Session, cancel: &Cancel) -> Result<Vec<String>, RequestError> {
    let request = Request::get("/_matrix/client/v3/joined_rooms", &[]);
    let read = |answer: Answer| answer.json::<JoinedRooms>("a list of joined rooms", cancel);
    let rooms = session.ask(request, cancel, read).await?;
    Ok(rooms.joined_rooms.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// What the room's `m.room.name` says.
pub async fn name(
    session: &Session,
    room: &str,
    cancel: &Cancel,
) -> Result<Said<Shown>, RequestError> {
    let request = Request::get("/_matrix/client/v3/rooms/{}/state/m.room.name", &[room]);
    let said = ask::<Map<String, Value>>(session, request, "a room's name", cancel).await?;
    Ok(said.and_then(|content| text(content.get("name"))))
}

/// The room's main address: what its `m.room.canonical_alias` says.
pub async fn alias(
    session: &Session,
    room: &str,
    cancel: &Cancel,
) -> Result<Said<Shown>, RequestError> {
    let request = Request::get("/_matrix/client/v3/rooms/{}/state/m.room.canonical_alias", &[room]);
    let said = ask::<Map<String, Value>>(session, request, "a room's address", cancel).await?;
    Ok(said.and_then(|content| text(content.get("alias"))))
}

/// Everybody in a room that the user is in, the user included.
pub async fn members(
    session: &Session,
    room: &str,
    cancel: &Cancel,
) -> Result<Said<Vec<Person>>, RequestError> {
    let request = Request::get("/_matrix/client/v3/rooms/{}/joined_members", &[room]);
    let said = ask::<JoinedMembers>(session, request, "the members of a room", cancel).await?;
    let person = |(id, about): (&String, &Value)| person(id, about.get("display_name"));
    Ok(said.and_then(|members| Some(members.joined.iter().map(person).collect())))
}

/// Those who were in a room when the user left it.
pub async fn members_at_leaving(
    session: &Session,
    room: &str,
    cancel: &Cancel,
) -> Result<Said<Vec<Person>>, RequestError> {
    let request = Request::get("/_matrix/client/v3/rooms/{}/members", &[room]);
    let request = request.query("membership", "join");
    let said = ask::<Members>(session, request, "the members of a room", cancel).await?;
    let person = |event: &Value| {
        let content = event.get("content")?;
        // Not every server knows the parameter.
        let joined = content.get("membership")?.as_str()? == "join";
        joined
            .then(|| Some(person(event.get("state_key")?.as_str()?, content.get("displayname"))))?
    };
    Ok(said.and_then(|members| Some(members.chunk.iter().filter_map(person).collect())))
}

/// What a server tells strangers of a room. Of a room that it is not in itself it asks the server
/// that the room's id names, if it names one.
pub async fn summary(
    session: &Session,
    room: &str,
    cancel: &Cancel,
) -> Result<Said<Told>, RequestError> {
    let mut request = Request::get("/_matrix/client/v1/room_summary/{}", &[room]);
    if let Some((_, server)) = room.split_once(':')
        && let Ok(server) = <&ServerName>::try_from(server)
    {
        request = request.query("via", server.as_str());
    }
    let said = ask::<Map<String, Value>>(session, request, "a summary of a room", cancel).await?;
    Ok(said.and_then(|summary| {
        Some(Told {
            name: text(summary.get("name")),
            alias: text(summary.get("canonical_alias")),
            joined: summary.get("num_joined_members").and_then(Value::as_u64),
            ..Told::default()
        })
    }))
}

impl<T> Said<T> {
    fn and_then<U>(self, make: impl FnOnce(T) -> Option<U>) -> Said<U> {
        match self {
            Self::That(it) => make(it).map_or(Said::Nothing, Said::That),
            Self::Nothing => Said::Nothing,
            Self::Refused => Said::Refused,
        }
    }
}

/// One question about one room. What concerns this room alone is no error, because it is no reason
/// to leave out the others.
async fn ask<T: DeserializeOwned>(
    session: &Session,
    request: Request,
    expected: &'static str,
    cancel: &Cancel,
) -> Result<Said<T>, RequestError> {
    // Names are never worth a wait; whoever asks for many counts the faults.
    let request = request.persistence(Persistence::Once);
    let read = |answer: Answer| answer.json(expected, cancel);
    let found = session.ask(request, cancel, read).await;
    match found {
        Ok(it) => Ok(Said::That(it)),
        Err(
            RequestError::NameUnsendable | RequestError::Odd { .. } | RequestError::TooLarge { .. },
        ) => Ok(Said::Nothing),
        Err(error) if error.is_missing() => Ok(Said::Nothing),
        Err(error) if error.is_unrecognized() => Err(error),
        Err(RequestError::Refused { status: 400 | 403 | 404, .. }) => Ok(Said::Refused),
        Err(error) => Err(error),
    }
}

/// A name or address that somebody set, made safe; an empty one counts as none.
pub(super) fn text(value: Option<&Value>) -> Option<Shown> {
    let text = Shown::limited(value?.as_str()?, limits::ROOM_NAME);
    Some(text).filter(|text| !text.as_str().is_empty())
}

/// A person, however odd their display name is.
pub(super) fn person(user_id: &str, name: Option<&Value>) -> Person {
    let name = name.and_then(Value::as_str).unwrap_or_default();
    Person { user_id: user_id.to_owned(), name: Shown::limited(name, limits::PERSON_NAME) }
}
