//! What two sides hold, session by session: a hash and two numbers each, no keys.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use super::{RoomDiff, Which};
use crate::megolm::session_key::SessionId;

/// What one side says of a session: not there, there from nobody knows where, or from this message on.
type First = Option<Option<u32>>;

#[derive(Clone, Copy, Default)]
struct Held {
    room: u32,
    firsts: [First; 2],
}

/// The sessions of both sides. Of two million it takes about 100 MB; keys are never held.
#[derive(Default)]
pub(super) struct Book {
    sessions: HashMap<[u8; 16], Held>,
    rooms: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Book {
    /// Writes down a session of one side. Of several keys of one session the one that reaches furthest
    /// back counts.
    pub(super) fn note(
        &mut self,
        which: Which,
        room_id: &Arc<str>,
        session: &SessionId,
        first: Option<u32>,
    ) {
        let room = self.number(room_id);
        let held = self.sessions.entry(hash(room_id, session)).or_default();
        held.room = room;
        let [a, b] = &mut held.firsts;
        let own = match which {
            Which::A => a,
            Which::B => b,
        };
        *own = Some(match (*own, first) {
            (Some(Some(known)), Some(first)) => Some(known.min(first)),
            (Some(known), first) => known.or(first),
            (None, first) => first,
        });
    }

    /// Compares the sides, room by room.
    pub(super) fn compared(&self) -> BTreeMap<Arc<str>, RoomDiff> {
        let mut rooms: BTreeMap<Arc<str>, RoomDiff> = BTreeMap::new();
        for held in self.sessions.values() {
            let Some(room_id) = self.rooms.get(held.room as usize) else { continue };
            let room = match rooms.get_mut(room_id) {
                Some(room) => room,
                None => rooms.entry(Arc::clone(room_id)).or_default(),
            };
            match held.firsts {
                [Some(a), Some(b)] => {
                    room.both += 1;
                    // Where one of them does not say, nobody knows.
                    if let (Some(a), Some(b)) = (a, b) {
                        room.earlier_a += u64::from(a < b);
                        room.earlier_b += u64::from(b < a);
                    }
                }
                [a, _] => *if a.is_some() { &mut room.only_a } else { &mut room.only_b } += 1,
            }
        }
        rooms
    }

    fn number(&mut self, room_id: &Arc<str>) -> u32 {
        if let Some(number) = self.numbers.get(room_id) {
            return *number;
        }
        // Rooms are bounded far below that (`limits::ROOMS`, one for each session at most).
        let number = u32::try_from(self.rooms.len()).unwrap_or(u32::MAX);
        self.rooms.push(Arc::clone(room_id));
        self.numbers.insert(Arc::clone(room_id), number);
        number
    }
}

/// Half of a SHA-256: two sessions will not share it.
fn hash(room_id: &str, session: &SessionId) -> [u8; 16] {
    let hash = Sha256::new().chain_update(session.as_bytes()).chain_update(room_id).finalize();
    let mut half = [0; 16];
    half.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_counts_once_and_the_earliest_key_of_it() {
        let mut book = Book::default();
        let rooms: [Arc<str>; 2] = ["!a", "!b"].map(Arc::from);
        let session = |number| SessionId::from_bytes([number; 32]);
        let mut note = |which, room: usize, number, first| {
            book.note(which, &rooms[room], &session(number), first);
        };
        note(Which::A, 0, 1, Some(5));
        note(Which::A, 0, 1, Some(3));
        note(Which::A, 0, 1, None);
        note(Which::B, 0, 1, Some(4));
        // The same session in another room is another one.
        note(Which::B, 1, 1, Some(0));
        note(Which::A, 0, 2, Some(0));
        // One side does not say from where on.
        note(Which::A, 1, 3, None);
        note(Which::B, 1, 3, Some(0));
        note(Which::A, 1, 4, Some(9));
        note(Which::B, 1, 4, Some(2));
        let compared = book.compared();
        assert_eq!(
            compared["!a"],
            RoomDiff { only_a: 1, both: 1, earlier_a: 1, ..RoomDiff::default() }
        );
        assert_eq!(
            compared["!b"],
            RoomDiff { only_b: 1, both: 2, earlier_b: 1, ..RoomDiff::default() }
        );
        assert_eq!(compared.len(), 2);
    }
}
