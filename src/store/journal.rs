//! Which entries need no second opening: resume goes by content, not by offset.
//!
//! A mark is a keyed hash of where an entry stood and of its bytes, so the journal tells nobody
//! anything, and an entry that changed on the server is a new one.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    error::StoreError,
    seal::{Lookup, Seal},
};
use crate::backup::{decryption::Refusal, entry::RawEntry, version::PublicKey};

/// Domains of the keyed hash.
const ENTRY: u8 = 1;
const WRONG_KEY: u8 = 2;

/// The outcome of a stored key.
const STORED: i64 = 0;
/// The outcome of a stored key that another key opened than its version's. A keyhaul that does not know
/// this number opens the entry again, which does no harm.
const STORED_BY_ANOTHER: i64 = -1;
/// The reason of the JSON contract that another key may overturn.
const MAC: &str = "mac";
/// Reasons of refusal by their number, which counts from 1. Append only.
const REASONS: [&str; 10] = [
    "malformed",
    "ephemeral",
    MAC,
    "corrupt",
    "algorithm",
    "missing_field",
    "session_key",
    "id_mismatch",
    "room_mismatch",
    "too_large",
];

/// The mark of one entry of one version, at one state of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark(Lookup);

/// What came of an entry, so that it need not be opened again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Its key is in the store.
    Stored,
    /// Its key is in the store, though it was locked for another key than its version's.
    StoredByAnother,
    /// It holds no usable key.
    Refused {
        /// The stable word of the JSON contract.
        reason: &'static str,
    },
    /// It is locked for another key than this one, so any other key at hand may try it again.
    WrongKey {
        /// The key that was tried.
        tried: PublicKey,
    },
}

impl Done {
    /// What a refusal means for the next run.
    pub fn refused(refusal: &Refusal, tried: PublicKey) -> Self {
        match refusal.reason() {
            MAC => Self::WrongKey { tried },
            reason => Self::Refused { reason },
        }
    }

    /// The stable word of the refusal, if it is one.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Stored | Self::StoredByAnother => None,
            Self::Refused { reason } => Some(reason),
            Self::WrongKey { .. } => Some(MAC),
        }
    }

    fn number(&self) -> Option<i64> {
        let Some(reason) = self.reason() else {
            return Some(if *self == Self::Stored { STORED } else { STORED_BY_ANOTHER });
        };
        let place = REASONS.iter().position(|known| *known == reason)?;
        i64::try_from(place + 1).ok()
    }
}

/// Answers a worker's question whether an entry is done; one per worker.
pub struct JournalReader {
    database: Connection,
    seal: Arc<Seal>,
    /// Nothing was done when this reader was made, so there is nothing to look up.
    empty: bool,
}

impl JournalReader {
    pub(super) fn new(database: Connection, seal: Arc<Seal>) -> Result<Self, StoreError> {
        let some = database.query_row("SELECT EXISTS (SELECT 1 FROM done)", [], |row| row.get(0));
        let some: bool = some?;
        Ok(Self { database, seal, empty: !some })
    }

    /// The mark of an entry of a version.
    pub fn mark(&self, version: &str, entry: &RawEntry<'_>) -> Mark {
        let parts = [version, entry.room_id, entry.session_id].map(str::as_bytes);
        let [version, room, session] = parts;
        Mark(self.seal.mark(ENTRY, &[version, room, session, entry.json]))
    }

    /// What came of the entry in an earlier run, if `at_hand` could not change it. Whoever has several keys
    /// asks for each of them: only one that was not tried before can open what the others did not.
    pub fn done(&self, mark: &Mark, at_hand: PublicKey) -> Result<Option<Done>, StoreError> {
        if self.empty {
            return Ok(None);
        }
        if let Some(number) = find(&self.database, &mark.0)? {
            // A number of a newer keyhaul: opening again does no harm.
            let place = usize::try_from(number - 1).ok();
            let reason = place.and_then(|place| REASONS.get(place));
            let refused = reason.map(|reason| Done::Refused { reason });
            return Ok(match number {
                STORED => Some(Done::Stored),
                STORED_BY_ANOTHER => Some(Done::StoredByAnother),
                _ => refused,
            });
        }
        let wrong = find(&self.database, &under(&self.seal, mark, at_hand))?;
        Ok(wrong.map(|_| Done::WrongKey { tried: at_hand }))
    }
}

/// Notes what came of an entry; the caller is in a transaction.
pub(super) fn note(
    database: &Connection,
    seal: &Seal,
    mark: &Mark,
    done: &Done,
) -> Result<(), StoreError> {
    // A reason without a number is not worth failing for: the entry is opened again next time.
    let Some(number) = done.number() else { return Ok(()) };
    let mark = match done {
        Done::WrongKey { tried } => under(seal, mark, *tried),
        _ => mark.0,
    };
    let sql = "INSERT OR REPLACE INTO done (mark, outcome) VALUES (?1, ?2)";
    database.prepare_cached(sql)?.execute(params![mark, number])?;
    Ok(())
}

/// Forgets all outcomes, so that the next run opens everything again.
pub(super) fn clear(database: &Connection) -> Result<(), StoreError> {
    database.execute("DELETE FROM done", [])?;
    Ok(())
}

/// A wrong key is remembered under the entry and that key, so that several can be.
fn under(seal: &Seal, mark: &Mark, tried: PublicKey) -> Lookup {
    seal.mark(WRONG_KEY, &[&mark.0, &tried.0])
}

fn find(database: &Connection, mark: &Lookup) -> Result<Option<i64>, StoreError> {
    let mut statement = database.prepare_cached("SELECT outcome FROM done WHERE mark = ?1")?;
    Ok(statement.query_row([mark], |row| row.get(0)).optional()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        backup::decryption::MalformedEntry, base::shown::Shown, megolm::room_key::RoomKeyFault,
        megolm::session_key::SessionKeyFault,
    };

    #[test]
    fn every_refusal_has_a_number() {
        let room_key = |fault| Refusal::RoomKey(fault);
        let shown = Shown::new("x");
        for refusal in [
            Refusal::Malformed(MalformedEntry::Parts),
            Refusal::TooLarge { limit: 1 },
            Refusal::Ephemeral,
            Refusal::Mac,
            Refusal::Padding,
            room_key(RoomKeyFault::MissingField { field: "x" }),
            room_key(RoomKeyFault::Algorithm { algorithm: shown.clone() }),
            room_key(RoomKeyFault::SessionKey(SessionKeyFault::Point)),
            room_key(RoomKeyFault::IdMismatch {
                expected: shown.clone(),
                got: crate::megolm::session_key::SessionId::from_bytes([0; 32]),
            }),
            room_key(RoomKeyFault::RoomMismatch { expected: shown.clone(), got: shown }),
        ] {
            let done = Done::refused(&refusal, PublicKey([1; 32]));
            assert_eq!(done.reason(), Some(refusal.reason()));
            assert!(done.number().is_some_and(|number| number > STORED), "{refusal}");
            let other_key_helps = matches!(done, Done::WrongKey { .. });
            assert_eq!(other_key_helps, refusal == Refusal::Mac);
        }
        assert_eq!(Done::Stored.number(), Some(STORED));
        assert_eq!(Done::StoredByAnother.number(), Some(STORED_BY_ANOTHER));
        assert_eq!(Done::StoredByAnother.reason(), None);
    }
}
