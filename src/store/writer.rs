//! The store's one writer: keys and journal in the same transactions, each short.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    candidates::{self, Candidate, Merged},
    check::CheckReport,
    error::StoreError,
    folder::FolderLock,
    journal::{self, Done, JournalReader, Mark},
    reader::Reader,
    record::Record,
    schema,
    seal::{Lookup, Seal},
    sessions::{self, Prepared, Preparer},
    slots::{self, Lock, Opened, SlotSecret},
    sources::{Source, SourceId, Sources},
};
use crate::{
    base::{
        limits,
        random::{Random, array},
        secret::Secret32,
    },
    megolm::session_key::SessionKey,
};

/// An open store with the right to write. It lives on one thread; readers and preparers, which it
/// hands out, live on any.
pub struct Store {
    database: rusqlite::Connection,
    seal: Arc<Seal>,
    opened: Opened,
    sources: Sources,
    /// Numbers of rooms met in this run.
    rooms: HashMap<Lookup, i64>,
    lock: FolderLock,
}

/// One open transaction. Dropping it without [`Batch::commit`] rolls back.
pub struct Batch<'s> {
    store: &'s mut Store,
    began: Instant,
    rows: usize,
    open: bool,
}

impl Store {
    /// Opens the store of the folder with the first secret that fits. Without a store, one is made
    /// that all these secrets open; so only proven secrets may be given.
    pub fn open(
        lock: &FolderLock,
        secrets: &[SlotSecret<'_>],
        random: &mut dyn Random,
    ) -> Result<Self, StoreError> {
        let folder = lock.folder();
        if !schema::exists(folder)? {
            create(lock, secrets, random)?;
        }
        let opened = slots::open(&schema::probe(folder, true)?, secrets)?;
        let database = schema::open_write(folder)?;
        let seal = Arc::new(Seal::new(&opened.store_key, opened.store_id));
        let (sources, _) = Sources::read(&database, &seal)?;
        let (rooms, lock) = (HashMap::new(), lock.clone());
        Ok(Self { database, seal, opened, sources, rooms, lock })
    }

    /// Seals keys for this store; one per worker.
    pub fn preparer(&self) -> Preparer {
        Preparer { seal: self.seal.clone() }
    }

    /// Reads this store on a connection of its own.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::new(self.lock.folder(), self.seal.clone())
    }

    /// Reads this store's journal on a connection of its own; one per worker.
    pub fn journal(&self) -> Result<JournalReader, StoreError> {
        JournalReader::new(schema::open_read(self.lock.folder())?, self.seal.clone())
    }

    /// The number of a source; committed at once, because keys will name it.
    pub fn source_id(
        &mut self,
        source: &Source,
        random: &mut dyn Random,
    ) -> Result<SourceId, StoreError> {
        self.sources.number(source, &self.database, &self.seal, random)
    }

    /// Says whether a source gave this store a key before.
    pub fn knows_source(&self, source: &Source) -> bool {
        self.sources.knows(source)
    }

    /// Takes a source away that was numbered in case it gives a key, and gave none.
    pub fn forget_source(&mut self, id: SourceId) -> Result<(), StoreError> {
        self.sources.forget(id, &self.database)
    }

    /// Begins a transaction. The time is monotonic, and the batch is due soon: begin when there is
    /// something to write.
    pub fn begin(&mut self, now: Instant) -> Result<Batch<'_>, StoreError> {
        self.database.execute_batch("BEGIN IMMEDIATE")?;
        Ok(Batch { store: self, began: now, rows: 0, open: true })
    }

    /// Lets a proven secret open the store, too.
    pub fn add_slot(
        &mut self,
        secret: &SlotSecret<'_>,
        random: &mut dyn Random,
    ) -> Result<(), StoreError> {
        slots::add(&self.database, secret, &self.opened, random)
    }

    /// Takes a lock away; never the last one.
    pub fn forget_slot(&mut self, lock: &Lock) -> Result<(), StoreError> {
        slots::forget(&self.database, lock)
    }

    /// The locks that open the store.
    pub fn slots(&self) -> Result<Vec<Lock>, StoreError> {
        slots::list(&self.database)
    }

    /// Removes the damaged rows of a report and forgets which entries are done, so that the next
    /// restore brings back what is missing.
    pub fn mend(&mut self, report: &CheckReport, now: Instant) -> Result<(), StoreError> {
        let batch = self.begin(now)?;
        for id in &report.damaged_keys {
            sessions::remove(&batch.store.database, *id)?;
        }
        for id in &report.damaged_rooms {
            sessions::remove_room(&batch.store.database, *id)?;
        }
        batch.store.rooms.clear();
        journal::clear(&batch.store.database)?;
        batch.commit()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        schema::tidy(&self.database);
    }
}

impl Batch<'_> {
    /// Merges a key into its session: nothing is ever replaced but by what covers it.
    pub fn merge(&mut self, key: Prepared, random: &mut dyn Random) -> Result<Merged, StoreError> {
        self.rows += 1;
        let Store { database, seal, sources, rooms, .. } = &mut *self.store;
        let room = match rooms.get(&key.room) {
            Some(number) => *number,
            None => {
                let number =
                    sessions::room_number(database, seal, &key.room_id, &key.room, random)?;
                rooms.insert(key.room, number);
                number
            }
        };
        let mut candidates = sessions::load(database, seal, &key.lookup)?;
        if candidates.is_empty() {
            sessions::insert(database, room, 0, &key.lookup, &key.sealed)?;
            return Ok(Merged::New);
        }
        let merged = candidates::admit(&mut candidates, key.record, sources);
        sessions::store(database, seal, room, &key.lookup, &candidates, random)?;
        Ok(merged)
    }

    /// Notes what came of an entry.
    pub fn note_done(&mut self, mark: &Mark, done: &Done) -> Result<(), StoreError> {
        self.rows += 1;
        journal::note(&self.store.database, &self.store.seal, mark, done)
    }

    /// Notes that a message was opened with this key of the room; `false` if it is not stored.
    pub fn prove(
        &mut self,
        room_id: &str,
        key: &SessionKey,
        random: &mut dyn Random,
    ) -> Result<bool, StoreError> {
        self.rows += 1;
        let Store { database, seal, sources, .. } = &*self.store;
        let lookup = sessions::session_lookup(seal, room_id, &key.session_id());
        let mut candidates: Vec<Candidate> = sessions::load(database, seal, &lookup)?;
        let is_it = |record: &Record| record.key.expose() == key.expose();
        if !candidates::prove(&mut candidates, is_it, sources) {
            return Ok(false);
        }
        let room = sessions::room_lookup(seal, room_id);
        let room = sessions::room_number(database, seal, room_id, &room, random)?;
        sessions::store(database, seal, room, &lookup, &candidates, random)?;
        Ok(true)
    }

    /// Says whether the batch has to be committed now: it is full, or open for long enough.
    pub fn is_due(&self, now: Instant) -> bool {
        self.rows >= limits::TRANSACTION_ROWS || self.time_left(now).is_zero()
    }

    /// How long the writer may wait for more before it commits.
    pub fn time_left(&self, now: Instant) -> Duration {
        limits::TRANSACTION_TIME.saturating_sub(now.saturating_duration_since(self.began))
    }

    /// Makes everything since the beginning last, also through a power cut.
    pub fn commit(mut self) -> Result<(), StoreError> {
        self.store.database.execute_batch("COMMIT")?;
        self.open = false;
        Ok(())
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if self.open {
            // SQLite may have rolled back already, and then says that there is nothing to do.
            let _ = self.store.database.execute_batch("ROLLBACK");
            self.store.rooms.clear();
        }
    }
}

fn create(
    lock: &FolderLock,
    secrets: &[SlotSecret<'_>],
    random: &mut dyn Random,
) -> Result<(), StoreError> {
    let store_key = Secret32::filled_by(|key| random.fill(key));
    let opened = Opened { store_id: array(random), store_key };
    schema::create(lock.folder(), |database| {
        let insert = "INSERT INTO meta (only_row, store_id) VALUES (1, ?1)";
        database.execute(insert, [opened.store_id])?;
        for secret in secrets {
            match slots::add(database, secret, &opened, random) {
                // Another one may do; if none does, the store is not made.
                Ok(()) | Err(StoreError::LockId { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        match slots::list(database)?.is_empty() {
            true => Err(StoreError::OtherLock { locks: Vec::new() }),
            false => Ok(()),
        }
    })
}
