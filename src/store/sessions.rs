//! The rows of keys: how a key becomes a row on a worker, and how rows become keys again.

use std::{collections::HashMap, ops::ControlFlow, sync::Arc};

use rusqlite::{CachedStatement, Connection, Row, params};

use super::{
    candidates::{COVERED, Candidate},
    error::StoreError,
    record::{Held, LIMIT, Record, Side},
    schema,
    seal::{Lookup, Place, Seal, Table},
    sources::SourceId,
};
use crate::{
    base::{limits, random::Random},
    megolm::{
        room_key::RoomKey,
        session_key::{SessionId, SessionKey},
    },
};

/// Seals keys on a worker, so that the one writer only looks up and inserts. Clones are cheap.
#[derive(Clone)]
pub struct Preparer {
    pub(super) seal: Arc<Seal>,
}

/// A key ready for [`Batch::merge`](super::writer::Batch::merge).
pub struct Prepared {
    pub(super) room_id: String,
    pub(super) room: Lookup,
    pub(super) lookup: Lookup,
    pub(super) record: Record,
    pub(super) sealed: Vec<u8>,
}

/// One key as the store hands it out.
pub struct StoredKey {
    /// The key and what was claimed beside it; where both said something, a key file is believed
    /// rather than a backup.
    pub key: RoomKey,
    /// All sources that hold this very key. What they say is not authenticated (SPEC §12.1).
    pub sources: Vec<SourceId>,
    /// A message was opened with it.
    pub proven: bool,
    /// 0 for the preferred key of its session, above that other candidates in their order.
    pub rank: u8,
}

/// How many rows were read, and how many could not be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowsRead {
    /// Whole rows.
    pub whole: u64,
    /// Rows whose bytes were changed, or on a damaged page.
    pub damaged: u64,
}

impl Preparer {
    /// Encodes and seals a key as it would be stored if it is the first of its session.
    pub fn prepare(
        &self,
        key: RoomKey,
        source: SourceId,
        random: &mut dyn Random,
    ) -> Result<Prepared, StoreError> {
        let lookup = session_lookup(&self.seal, &key.room_id, &key.session_id());
        let (room_id, record) = into_record(key, source);
        let plain = record.encode();
        if plain.len() > LIMIT {
            return Err(StoreError::RecordTooLarge { limit: LIMIT, got: plain.len() });
        }
        let place = Place { table: Table::Sessions, lookup: &lookup, rank: 0 };
        let sealed = self.seal.seal(place, &plain, random);
        Ok(Prepared { room: room_lookup(&self.seal, &room_id), room_id, lookup, record, sealed })
    }
}

impl Prepared {
    /// The key's room.
    pub fn room_id(&self) -> &str {
        &self.room_id
    }
}

pub(super) fn into_record(key: RoomKey, source: SourceId) -> (String, Record) {
    let mut record = Record { key: key.key, proven: false, backup: None, file: None };
    *record.side_mut(source.side()) =
        Some(Held { sources: vec![source.number()], claims: key.claims });
    (key.room_id, record)
}

pub(super) fn room_lookup(seal: &Seal, room_id: &str) -> Lookup {
    seal.lookup(Table::Rooms, &[room_id.as_bytes()])
}

pub(super) fn session_lookup(seal: &Seal, room_id: &str, session: &SessionId) -> Lookup {
    seal.lookup(Table::Sessions, &[room_id.as_bytes(), session.as_bytes()])
}

/// All rows of one session that open; damaged ones count as not there, so that the key can come back.
pub(super) fn load(
    database: &Connection,
    seal: &Seal,
    lookup: &Lookup,
) -> Result<Vec<Candidate>, StoreError> {
    let mut statement = by_lookup(database)?;
    let mut rows = statement.query([lookup])?;
    let mut candidates = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, rank): (i64, u8) = (row.get(0)?, row.get(1)?);
        let place = Place { table: Table::Sessions, lookup, rank };
        let plain = row.get_ref(2)?.as_blob().ok().and_then(|sealed| seal.open(place, sealed));
        if let Some(record) = plain.and_then(|plain| Record::decode(&plain)) {
            candidates.push(Candidate { record, stored: Some((id, rank)), rank, changed: false });
        }
    }
    Ok(candidates)
}

/// The lowest first index among the candidates of a session.
pub(super) fn first_known(
    database: &Connection,
    seal: &Seal,
    lookup: &Lookup,
) -> Result<Option<u32>, StoreError> {
    let mut statement = by_lookup(database)?;
    let mut rows = statement.query([lookup])?;
    let mut first = None;
    while let Some(row) = rows.next()? {
        let rank = row.get(1)?;
        let place = Place { table: Table::Sessions, lookup, rank };
        let plain = row.get_ref(2)?.as_blob().ok().and_then(|sealed| seal.open(place, sealed));
        let index = plain.and_then(|plain| Record::first_known_index(&plain));
        if rank != COVERED {
            first = first.into_iter().chain(index).min();
        }
    }
    Ok(first)
}

fn by_lookup(database: &Connection) -> Result<CachedStatement<'_>, StoreError> {
    Ok(database.prepare_cached("SELECT id, rank, sealed FROM sessions WHERE lookup = ?1")?)
}

/// Writes what became of a session's candidates.
pub(super) fn store(
    database: &Connection,
    seal: &Seal,
    room: i64,
    lookup: &Lookup,
    candidates: &[Candidate],
    random: &mut dyn Random,
) -> Result<(), StoreError> {
    for candidate in candidates {
        let rank = candidate.rank;
        let mut sealed = || {
            let place = Place { table: Table::Sessions, lookup, rank };
            seal.seal(place, &candidate.record.encode(), random)
        };
        match candidate.stored {
            Some((id, _)) if !candidate.stays() => {
                remove(database, id)?;
            }
            Some((id, before)) if candidate.changed || before != rank => {
                let sql = "UPDATE sessions SET rank = ?2, sealed = ?3 WHERE id = ?1";
                database.prepare_cached(sql)?.execute(params![id, rank, sealed()])?;
            }
            None if candidate.stays() => insert(database, room, rank, lookup, &sealed())?,
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn insert(
    database: &Connection,
    room: i64,
    rank: u8,
    lookup: &Lookup,
    sealed: &[u8],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO sessions (room, rank, lookup, sealed) VALUES (?1, ?2, ?3, ?4)";
    database.prepare_cached(sql)?.execute(params![room, rank, lookup, sealed])?;
    Ok(())
}

pub(super) fn remove(database: &Connection, id: i64) -> Result<(), StoreError> {
    database.prepare_cached("DELETE FROM sessions WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Removes a room and what is left of its keys: its number must not be given to another one before.
pub(super) fn remove_room(database: &Connection, id: i64) -> Result<(), StoreError> {
    database.execute("DELETE FROM sessions WHERE room = ?1", [id])?;
    database.execute("DELETE FROM rooms WHERE id = ?1", [id])?;
    Ok(())
}

/// The rooms of a store by their numbers; the second part lists the rows that do not open.
pub(super) fn rooms(
    database: &Connection,
    seal: &Seal,
) -> Result<(HashMap<i64, String>, Vec<i64>), StoreError> {
    let mut statement = database.prepare_cached("SELECT id, lookup, sealed FROM rooms")?;
    let mut rows = statement.query([])?;
    let (mut rooms, mut damaged) = (HashMap::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        let room = row.get(1).ok().and_then(|lookup: Lookup| {
            let place = Place { table: Table::Rooms, lookup: &lookup, rank: 0 };
            let plain = seal.open(place, row.get_ref(2).ok()?.as_blob().ok()?)?;
            str::from_utf8(&plain).ok().map(str::to_owned)
        });
        match room {
            Some(room) => _ = rooms.insert(id, room),
            None => damaged.push(id),
        }
    }
    Ok((rooms, damaged))
}

/// The number of a room, which is given now if it is new.
pub(super) fn room_number(
    database: &Connection,
    seal: &Seal,
    room_id: &str,
    lookup: &Lookup,
    random: &mut dyn Random,
) -> Result<i64, StoreError> {
    let place = Place { table: Table::Rooms, lookup, rank: 0 };
    let mut find = database.prepare_cached("SELECT id, sealed FROM rooms WHERE lookup = ?1")?;
    if let Some(row) = find.query([lookup])?.next()?
        && seal.open(place, row.get_ref(1)?.as_blob().unwrap_or_default()).is_some()
    {
        return Ok(row.get(0)?);
    }
    // New, or damaged: then it is whole again, and so are the keys that name it.
    let sealed = seal.seal(place, room_id.as_bytes(), random);
    let sql = "INSERT INTO rooms (lookup, sealed) VALUES (?1, ?2)
               ON CONFLICT (lookup) DO UPDATE SET sealed = excluded.sealed RETURNING id";
    let mut insert = database.prepare_cached(sql)?;
    Ok(insert.query_row(params![lookup, sealed], |row| row.get(0))?)
}

/// A row as it lies in the table.
pub(super) struct RawRow<'a> {
    pub(super) id: i64,
    pub(super) room: i64,
    pub(super) rank: u8,
    lookup: Lookup,
    sealed: &'a [u8],
}

impl RawRow<'_> {
    /// Opens the row; `None` unless it is whole and stands where it was written.
    pub(super) fn open(&self, seal: &Seal, rooms: &HashMap<i64, String>) -> Option<StoredKey> {
        let place = Place { table: Table::Sessions, lookup: &self.lookup, rank: self.rank };
        let record = Record::decode(&seal.open(place, self.sealed)?)?;
        let room_id = rooms.get(&self.room)?;
        if session_lookup(seal, room_id, &record.key.session_id()) != self.lookup {
            return None;
        }
        Some(StoredKey::new(room_id.clone(), record, self.rank))
    }
}

impl StoredKey {
    pub(super) fn new(room_id: String, record: Record, rank: u8) -> Self {
        let Record { key, proven, backup, file } = record;
        let sides = [(Side::Backup, backup), (Side::File, file)];
        let mut sources = Vec::new();
        let mut claims = Default::default();
        for (side, held) in sides {
            let Some(held) = held else { continue };
            sources.extend(held.sources.into_iter().map(|number| SourceId::of(side, number)));
            claims = held.claims;
        }
        Self { key: RoomKey { room_id, key, claims }, sources, proven, rank }
    }
}

/// Goes through all rows (of one room, if a number is given) and past those on damaged pages; gives
/// how many of these there were. `take` gets `Err(id)` for a row whose columns make no sense.
pub(super) fn scan(
    database: &Connection,
    room: Option<i64>,
    mut take: impl FnMut(Result<RawRow<'_>, i64>) -> ControlFlow<()>,
) -> Result<u64, StoreError> {
    let columns = "SELECT id, room, rank, lookup, sealed FROM sessions";
    let mut all =
        database.prepare(&format!("{columns} WHERE ?1 IS NULL OR room = ?1 ORDER BY id"))?;
    let mut rows = all.query([room])?;
    let mut last = 0;
    loop {
        match rows.next() {
            Ok(Some(row)) => {
                last = row.get(0)?;
                if take(raw(row, last)).is_break() {
                    return Ok(0);
                }
            }
            Ok(None) => return Ok(0),
            Err(error) if schema::is_damage(&error) => break,
            Err(error) => return Err(error.into()),
        }
    }
    // A damaged page: from here on each row on its own, as far as rows can be.
    let mut damaged = 0;
    let mut one = database.prepare(&format!("{columns} WHERE id = ?1"))?;
    let end = database.query_row("SELECT max(id) FROM sessions", [], |row| row.get(0));
    // The last number may be a lie, too.
    let end = end.unwrap_or(last + 1).min(last.saturating_add(limits::ENTRIES as i64));
    for id in last.saturating_add(1)..=end {
        let mut rows = one.query([id])?;
        match rows.next() {
            Ok(Some(row)) if room.is_none() || row.get(1).ok() == room => {
                if take(raw(row, id)).is_break() {
                    break;
                }
            }
            Ok(_) => {}
            Err(error) if schema::is_damage(&error) => damaged += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(damaged)
}

fn raw<'a>(row: &'a Row<'_>, id: i64) -> Result<RawRow<'a>, i64> {
    let read = || {
        let sealed = row.get_ref(4)?.as_blob().unwrap_or_default();
        let (room, rank, lookup) = (row.get(1)?, row.get(2)?, row.get(3)?);
        Ok::<_, rusqlite::Error>(RawRow { id, room, rank, lookup, sealed })
    };
    read().map_err(|_| id)
}

/// Checks a key as strictly as when it came (SPEC §3.6), not only its seal.
pub(super) fn is_sound(key: &StoredKey) -> bool {
    SessionKey::from_bytes(key.key.key.expose()).is_ok()
}
