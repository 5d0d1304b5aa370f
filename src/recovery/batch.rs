//! Entries on their way from the scanner to the workers: packed together in buffers that are used
//! again, so that a million entries cost no million allocations.

use std::{ops::Range, sync::Arc};

use crate::backup::entry::{EntryFault, RawEntry};

/// Most entries in one batch.
const ENTRIES: usize = 128;
/// Most bytes of JSON in one batch, unless a single entry has more.
const BYTES: usize = 256 << 10;

/// A batch of raw entries.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    places: Vec<Place>,
}

struct Place {
    room_id: Arc<str>,
    session_id: Range<usize>,
    json: Range<usize>,
    fault: Option<EntryFault>,
}

impl Batch {
    /// Copies an entry in. `last_room` spares a copy of the room id for each of its entries.
    pub(super) fn push(&mut self, entry: RawEntry<'_>, last_room: &mut Arc<str>) {
        if **last_room != *entry.room_id {
            *last_room = Arc::from(entry.room_id);
        }
        let session_id = self.append(entry.session_id.as_bytes());
        let json = self.append(entry.json);
        self.places.push(Place {
            room_id: Arc::clone(last_room),
            session_id,
            json,
            fault: entry.fault,
        });
    }

    /// Says whether it is time to hand it on.
    pub(super) fn is_full(&self) -> bool {
        self.places.len() >= ENTRIES || self.bytes.len() >= BYTES
    }

    /// How many entries it holds.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// All entries, each with its shared room id.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&Arc<str>, RawEntry<'_>)> {
        self.places.iter().map(|place| {
            let session_id = self.bytes.get(place.session_id.clone()).unwrap_or_default();
            let entry = RawEntry {
                room_id: &place.room_id,
                session_id: str::from_utf8(session_id).unwrap_or_default(),
                json: self.bytes.get(place.json.clone()).unwrap_or_default(),
                fault: place.fault,
            };
            (&place.room_id, entry)
        })
    }

    /// Empties it for the next use; the memory stays.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.places.clear();
    }

    fn append(&mut self, bytes: &[u8]) -> Range<usize> {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        begin..self.bytes.len()
    }
}
