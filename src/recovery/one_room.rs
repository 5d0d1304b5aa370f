//! What one room is called, as its server tells.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};

use super::people::{EMPTY, name_of};
use crate::{
    base::{cancel::Cancel, shown::Shown},
    homeserver::{
        RequestError, Session,
        rooms::{self, Person, Said, Told},
    },
    store::names::Kind,
};

/// What a room is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomName {
    /// The name, made safe.
    pub name: Option<Shown>,
    /// What it is made of.
    pub kind: Kind,
    /// Whether the account is not in the room (any more); `false` where nobody knows.
    pub left: bool,
    /// How many people are in it or invited, where the server told; of a room that was left, how many
    /// there were.
    pub people: Option<u64>,
}

impl RoomName {
    pub(super) fn new(name: Shown, kind: Kind) -> Self {
        Self { name: Some(name), kind, ..Self::default() }
    }

    /// Whether a direct chat is better named by its person's id.
    pub(super) fn gives_way(&self) -> bool {
        match (self.kind, &self.name) {
            (Kind::Direct | Kind::Nothing, _) | (_, None) => true,
            (Kind::People, Some(name)) => name.as_str() == EMPTY,
            (Kind::Named | Kind::Alias, Some(_)) => false,
        }
    }

    /// What a room was called when it was left stays the same.
    pub(super) fn lasts(&self) -> bool {
        self.left && matches!(self.kind, Kind::Named | Kind::Alias | Kind::People)
    }
}

/// What asking for one room brought.
pub(super) enum Heard {
    /// It has a name.
    Name(RoomName),
    /// The server knows of no name.
    Nothing,
    /// The server tells us nothing of it.
    Refused,
}

/// One room: its name, its address, its people, until one of them makes a name. Where the first is
/// refused nothing else would be told.
pub(super) async fn ask_one(
    session: &Session,
    room: Arc<str>,
    left: bool,
    cancel: &Cancel,
) -> (Arc<str>, Result<Heard, RequestError>) {
    let heard = hear_one(session, &room, left, cancel).await;
    (room, heard)
}

async fn hear_one(
    session: &Session,
    room: &str,
    left: bool,
    cancel: &Cancel,
) -> Result<Heard, RequestError> {
    match rooms::name(session, room, cancel).await? {
        Said::That(name) => return Ok(Heard::Name(RoomName::new(name, Kind::Named))),
        Said::Nothing => {}
        Said::Refused => return Ok(Heard::Refused),
    }
    if let Said::That(alias) = rooms::alias(session, room, cancel).await? {
        return Ok(Heard::Name(RoomName::new(alias, Kind::Alias)));
    }
    let members = match left {
        true => rooms::members_at_leaving(session, room, cancel).await?,
        false => rooms::members(session, room, cancel).await?,
    };
    Ok(match members {
        Said::That(mut members) => {
            let own = session.user().as_str();
            members.retain(|person| person.user_id != own);
            Heard::Name(of_people(&members, own, 1 + members.len() as u64))
        }
        Said::Nothing => Heard::Nothing,
        Said::Refused => Heard::Refused,
    })
}

pub(super) async fn ask_summary(
    session: &Session,
    room: Arc<str>,
    cancel: &Cancel,
) -> (Arc<str>, Result<Said<Told>, RequestError>) {
    let said = rooms::summary(session, &room, cancel).await;
    (room, said)
}

/// What the server tells of a room that the account is or was in, as a name. Without a count and
/// without people there is none.
pub(super) fn named(told: &Told, session: &Session) -> Option<RoomName> {
    let own = session.user().as_str();
    let present = told.joined.map(|joined| joined.saturating_add(told.invited.unwrap_or(0)));
    let others = told.people.iter().filter(|person| person.user_id != own).count() as u64;
    let named = match named_itself(told) {
        Some(named) => named,
        None if others == 0 && present != Some(1) => return None,
        None => of_people(&told.people, own, present.unwrap_or(1 + others)),
    };
    Some(RoomName { people: present, ..named })
}

/// The name or address that a room has of its own.
pub(super) fn named_itself(told: &Told) -> Option<RoomName> {
    let name = told.name.clone().map(|name| RoomName::new(name, Kind::Named));
    let named = name.or_else(|| Some(RoomName::new(told.alias.clone()?, Kind::Alias)))?;
    Some(RoomName { people: told.joined, ..named })
}

fn of_people(people: &[Person], own: &str, present: u64) -> RoomName {
    let name = RoomName::new(name_of(people, own, present), Kind::People);
    RoomName { people: Some(present), ..name }
}

/// The content of `m.direct` the other way round. Where several people have the same room, the first
/// is taken who is not the account's own user.
pub(super) fn people_of_direct_chats(content: &str, own: &str) -> BTreeMap<String, String> {
    let content: Map<String, Value> = serde_json::from_str(content).unwrap_or_default();
    let mut people = BTreeMap::new();
    let (others, own): (Vec<_>, Vec<_>) = content.iter().partition(|(person, _)| *person != own);
    for (person, rooms) in others.into_iter().chain(own) {
        for room in rooms.as_array().into_iter().flatten().filter_map(Value::as_str) {
            people.entry(room.to_owned()).or_insert_with(|| person.clone());
        }
    }
    people
}
