//! Reading the store: on a connection of its own, so beside a running restore and on any thread.

use std::{ops::ControlFlow, sync::Arc};

use super::{
    candidates::{self, COVERED, Candidate, Merged},
    error::StoreError,
    folder::Folder,
    journal::JournalReader,
    record::Side,
    schema,
    seal::Seal,
    sessions::{self, RowsRead, StoredKey},
    slots::{self, Lock, SlotSecret},
    sources::{Source, SourceId, Sources},
};
use crate::megolm::{room_key::RoomKey, session_key::SessionId};

/// An open store, for reading only.
pub struct Reader {
    pub(super) database: rusqlite::Connection,
    pub(super) seal: Arc<Seal>,
    folder: Folder,
}

/// One room of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSummary {
    /// The room.
    pub room_id: String,
    /// Sessions of it that have a key.
    pub keys: u64,
}

impl Reader {
    /// Opens the store of a folder with the first secret that fits, without the right to write:
    /// another run may hold it. The folder stays as it is, but for files that SQLite needs to read
    /// beside a writer.
    pub fn open(folder: &Folder, secrets: &[SlotSecret<'_>]) -> Result<Self, StoreError> {
        if !schema::exists(folder)? {
            return Err(StoreError::Missing);
        }
        let opened = slots::open(&schema::probe(folder, false)?, secrets)?;
        let seal = Seal::new(&opened.store_key, opened.store_id);
        Self::new(folder, Arc::new(seal))
    }

    pub(super) fn new(folder: &Folder, seal: Arc<Seal>) -> Result<Self, StoreError> {
        Ok(Self { database: schema::open_read(folder)?, seal, folder: folder.clone() })
    }

    /// The locks of a folder's store, which can be read without opening any; `None` without a store.
    pub fn locks(folder: &Folder) -> Result<Option<Vec<Lock>>, StoreError> {
        if !schema::exists(folder)? {
            return Ok(None);
        }
        slots::list(&schema::probe(folder, false)?).map(Some)
    }

    /// A reader of the journal on a connection of its own.
    pub fn journal(&self) -> Result<JournalReader, StoreError> {
        JournalReader::new(schema::open_read(&self.folder)?, self.seal.clone())
    }

    /// The lowest first index at which a session can be read; `None` without a key. Takes about ten
    /// microseconds.
    pub fn first_known(
        &self,
        room_id: &str,
        session: &SessionId,
    ) -> Result<Option<u32>, StoreError> {
        let lookup = sessions::session_lookup(&self.seal, room_id, session);
        sessions::first_known(&self.database, &self.seal, &lookup)
    }

    /// The keys of one session as they are stored.
    pub(super) fn candidates(
        &self,
        room_id: &str,
        session: &SessionId,
    ) -> Result<Vec<Candidate>, StoreError> {
        let lookup = sessions::session_lookup(&self.seal, room_id, session);
        sessions::load(&self.database, &self.seal, &lookup)
    }

    /// All candidates of one session, the preferred one first: whoever reads messages tries all.
    pub fn keys_of(
        &self,
        room_id: &str,
        session: &SessionId,
    ) -> Result<Vec<StoredKey>, StoreError> {
        let candidates = self.candidates(room_id, session)?;
        let mut keys: Vec<_> = candidates
            .into_iter()
            .filter(|candidate| candidate.rank != COVERED)
            .map(|candidate| StoredKey::new(room_id.to_owned(), candidate.record, candidate.rank))
            .collect();
        keys.sort_by_key(|key| key.rank);
        Ok(keys)
    }

    /// What merging this key would give, without writing: for plans and dry runs.
    pub fn weigh(&self, key: RoomKey, from_file: bool) -> Result<Merged, StoreError> {
        let source = SourceId::unnumbered(if from_file { Side::File } else { Side::Backup });
        let mut candidates = self.candidates(&key.room_id, &key.session_id())?;
        let (_, record) = sessions::into_record(key, source);
        Ok(candidates::admit(&mut candidates, record, &Sources::default()))
    }

    /// All rooms that have keys, in no order.
    pub fn rooms(&self) -> Result<Vec<RoomSummary>, StoreError> {
        let (rooms, _) = sessions::rooms(&self.database, &self.seal)?;
        let mut statement = self
            .database
            .prepare("SELECT room, count(*) FROM sessions WHERE rank = 0 GROUP BY room")?;
        let mut rows = statement.query([])?;
        let mut summaries = Vec::with_capacity(rooms.len());
        while let Some(row) = rows.next()? {
            if let Some(room_id) = rooms.get(&row.get(0)?) {
                summaries.push(RoomSummary { room_id: room_id.clone(), keys: row.get(1)? });
            }
        }
        Ok(summaries)
    }

    /// How many sessions have a key. Candidates beside the preferred key do not count.
    pub fn count(&self) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM sessions WHERE rank = 0";
        Ok(self.database.query_row(sql, [], |row| row.get(0))?)
    }

    /// Gives every key (of one room, if one is named) in the order of arrival, candidates included,
    /// until `take` breaks off. Damaged rows are left out and counted.
    pub fn for_each_key(
        &self,
        room_id: Option<&str>,
        mut take: impl FnMut(StoredKey) -> ControlFlow<()>,
    ) -> Result<RowsRead, StoreError> {
        let (rooms, _) = sessions::rooms(&self.database, &self.seal)?;
        let room = match room_id {
            None => None,
            Some(wanted) => match rooms.iter().find(|(_, room_id)| *room_id == wanted) {
                Some((number, _)) => Some(*number),
                None => return Ok(RowsRead::default()),
            },
        };
        let mut read = RowsRead::default();
        let damaged = sessions::scan(&self.database, room, |row| {
            match row.ok().and_then(|row| row.open(&self.seal, &rooms)) {
                Some(key) if key.rank == COVERED => ControlFlow::Continue(()),
                Some(key) => {
                    read.whole += 1;
                    take(key)
                }
                None => {
                    read.damaged += 1;
                    ControlFlow::Continue(())
                }
            }
        })?;
        read.damaged += damaged;
        Ok(read)
    }

    /// All sources that ever gave the store a key, in the order of their numbers.
    pub fn sources(&self) -> Result<Vec<(SourceId, Source)>, StoreError> {
        Ok(Sources::read(&self.database, &self.seal)?.0.into_list())
    }

    /// The locks that open the store.
    pub fn slots(&self) -> Result<Vec<Lock>, StoreError> {
        slots::list(&self.database)
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }
}
