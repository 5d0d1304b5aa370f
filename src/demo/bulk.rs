//! Entries that are made while they are read, so that a backup may be of any size.

use std::{fmt, ops::Range, sync::Arc};

use bytes::Bytes;
use serde_json::Value;

use super::{
    forge::{EntryPlan, Forge, Sender},
    random::Seeded,
};
use crate::backup::version::PublicKey;

/// Sound entries, shared out evenly among some rooms. Clones are the same.
#[derive(Clone)]
pub struct Bulk(Arc<Making>);

struct Making {
    seed: Seeded,
    locks: Seeded,
    owner: PublicKey,
    rooms: Vec<(String, Sender)>,
    keys: u64,
}

impl fmt::Debug for Bulk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Bulk({} keys in {} rooms)", self.0.keys, self.0.rooms.len())
    }
}

impl Bulk {
    pub(super) fn new(
        seed: &Seeded,
        owner: PublicKey,
        rooms: Vec<(String, Sender)>,
        keys: u64,
    ) -> Self {
        let locks = seed.derive("bulk locks", 0);
        Self(Arc::new(Making { seed: seed.derive("bulk", 0), locks, owner, rooms, keys }))
    }

    /// How many entries there are.
    pub fn count(&self) -> usize {
        usize::try_from(self.0.keys).unwrap_or(usize::MAX)
    }

    /// All rooms as members of the JSON object `rooms`, piece by piece.
    pub(super) fn rooms(self, mut comma: bool) -> impl Iterator<Item = Bytes> + Send + 'static {
        let places = 0..self.0.rooms.len();
        places.flat_map(move |place| {
            let id = self.0.rooms.get(place).map_or("", |(id, _)| id);
            let before = if comma { "," } else { "" };
            comma = true;
            let begin = format!("{before}{}:{{\"sessions\":{{", Value::from(id));
            let end = Bytes::from_static(b"}}");
            std::iter::once(begin.into()).chain(self.sessions_at(place)).chain(Some(end))
        })
    }

    /// The sessions of a room as members of the JSON object `sessions`, piece by piece.
    pub(super) fn sessions(&self, room: &str) -> impl Iterator<Item = Bytes> + Send + use<> {
        let place = self.0.rooms.iter().position(|(id, _)| id == room);
        place.map(|place| self.sessions_at(place)).into_iter().flatten()
    }

    /// One entry. It has to be looked for, which takes as long as reading the room.
    pub(super) fn find(&self, room: &str, session: &str) -> Option<Bytes> {
        let place = self.0.rooms.iter().position(|(id, _)| id == room)?;
        let mut entries = self.share(place).filter_map(|number| self.0.entry(place, number));
        entries.find_map(|(id, json)| (id == session).then_some(json))
    }

    fn sessions_at(&self, place: usize) -> impl Iterator<Item = Bytes> + Send + use<> {
        let making = Arc::clone(&self.0);
        let share = self.share(place);
        let first = share.start;
        share.filter_map(move |number| {
            let (id, json) = making.entry(place, number)?;
            let before = if number == first { "" } else { "," };
            let name = format!("{before}{}:", Value::from(id));
            Some([name.as_bytes(), &json].concat().into())
        })
    }

    /// The numbers of a room's entries; the first rooms have one more if it does not come out even.
    fn share(&self, place: usize) -> Range<u64> {
        let (rooms, place) = (self.0.rooms.len().max(1) as u64, place as u64);
        let (each, more) = (self.0.keys / rooms, self.0.keys % rooms);
        let start = |place: u64| place * each + place.min(more);
        start(place)..start(place + 1)
    }
}

impl Making {
    fn entry(&self, place: usize, number: u64) -> Option<(String, Bytes)> {
        let (room_id, sender) = self.rooms.get(place)?;
        let forge = Forge {
            seed: &self.seed,
            locks: self.locks.clone(),
            owner: self.owner,
            stranger: self.owner,
            elsewhere: "",
        };
        let plan = EntryPlan {
            room_id,
            session: number,
            sender: *sender,
            index: 0,
            told_index: 0,
            verified: false,
            forwarded: 0,
            shared_history: None,
            damage: None,
        };
        Some(forge.entry_json(&plan))
    }
}
