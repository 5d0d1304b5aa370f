//! What does one place hold that another one lacks? Two of a backup, the store, a key file and a snapshot
//! beside each other, room by room. It answers what would be lost if a backup were deleted.

mod book;
mod told;

use std::{collections::BTreeMap, ops::ControlFlow, path::PathBuf, sync::Arc};

use serde::Serialize;

use self::book::Book;
use super::{
    failures::IntoFailure,
    key_files::import::{Import, look_into},
    opener::{self, Verdict},
    source::Source,
    store::Kept,
    visit::Visit,
};
use crate::{
    backup::version::BackupVersion,
    base::{
        cancel::Cancel,
        failure::Failure,
        progress::{News, Progress},
        shown::Shown,
    },
    homeserver::RequestError,
    key_file::reading::{SessionFault, Unusable},
    megolm::room_key::RoomKey,
};

/// Keys between two pieces of news.
const NEWS: u64 = 500;

/// One of the two that are compared.
pub enum Side<'a> {
    /// A version of a backup, on a server or in a snapshot.
    Backup {
        /// Where it is, with what its secrets opened.
        visit: &'a Visit,
        /// The version.
        version: &'a BackupVersion,
        /// What people call it.
        name: Name,
        /// A snapshot of it that spares the server the question.
        from: Option<PathBuf>,
    },
    /// The store on this computer.
    Store(Kept),
    /// A key file.
    KeyFile(Import),
}

/// What people call a side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A version on a server.
    Backup(Shown),
    /// A saved one: the file, and its version.
    Snapshot {
        /// The file.
        file: Shown,
        /// The version.
        version: Shown,
    },
    /// The store.
    Store,
    /// A key file, by its name.
    KeyFile(Shown),
}

/// How a side was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadBy {
    /// By what its entries say of themselves, because no secret at hand opens it. That may be wrong.
    Metadata,
    /// Key by key, each one opened and checked.
    Keys,
}

/// One side, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideRead {
    /// What people call it.
    pub name: Name,
    /// How it was read.
    pub read: ReadBy,
    /// Sessions of which it has a key.
    pub keys: u64,
    /// Entries that are of no use.
    pub refused: u64,
    /// Whether that is all: a body or a snapshot that broke off is not whole.
    pub whole: bool,
}

/// How two sides differ, in one room or in all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RoomDiff {
    /// Sessions that only the first side has.
    pub only_a: u64,
    /// Sessions that only the second side has.
    pub only_b: u64,
    /// Sessions that both have.
    pub both: u64,
    /// Of these, such whose key reaches further back on the first side.
    pub earlier_a: u64,
    /// Of these, such whose key reaches further back on the second side.
    pub earlier_b: u64,
}

impl RoomDiff {
    /// Says whether the sides hold the same.
    pub fn is_same(&self) -> bool {
        self.only_a + self.only_b + self.earlier_a + self.earlier_b == 0
    }

    fn add(&mut self, other: &Self) {
        self.only_a += other.only_a;
        self.only_b += other.only_b;
        self.both += other.both;
        self.earlier_a += other.earlier_a;
        self.earlier_b += other.earlier_b;
    }
}

/// Two sides beside each other.
#[derive(Clone, Debug)]
pub struct Diff {
    /// The sides, in the order in which they were named.
    pub sides: [SideRead; 2],
    /// All rooms together.
    pub all: RoomDiff,
    /// Room by room.
    pub rooms: BTreeMap<Arc<str>, RoomDiff>,
}

/// The first side or the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    A,
    B,
}

/// Reads both sides and compares them. Nothing is written, and no key is held.
pub async fn diff(
    a: Side<'_>,
    b: Side<'_>,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
) -> Result<Diff, Failure> {
    let (book, a) = Reading::of(Book::default(), Which::A).read(a, &progress, &cancel).await?;
    let (book, b) = Reading::of(book, Which::B).read(b, &progress, &cancel).await?;
    let counting = tokio::task::spawn_blocking(move || book.compared());
    let rooms = super::joined(counting.await)?;
    let mut all = RoomDiff::default();
    rooms.values().for_each(|room| all.add(room));
    let keys = [all.only_a + all.both, all.only_b + all.both];
    let [keys_a, keys_b] = keys;
    let sides = [SideRead { keys: keys_a, ..a }, SideRead { keys: keys_b, ..b }];
    Ok(Diff { sides, all, rooms })
}

/// One side while it is read.
struct Reading {
    book: Book,
    which: Which,
    refused: u64,
    whole: bool,
}

impl Reading {
    fn of(book: Book, which: Which) -> Self {
        Self { book, which, refused: 0, whole: true }
    }

    async fn read(
        self,
        side: Side<'_>,
        progress: &Arc<dyn Progress>,
        cancel: &Cancel,
    ) -> Result<(Book, SideRead), Failure> {
        let progress = Arc::clone(progress);
        let cancel = cancel.clone();
        match side {
            Side::Backup { visit, version, name, from } => {
                let unlocked = visit.unlocked.as_ref();
                let keys = unlocked.map_or_else(Vec::new, |unlocked| unlocked.keys_for(version));
                let read = if keys.is_empty() { ReadBy::Metadata } else { ReadBy::Keys };
                let hears = |reading: &mut Self, room: &Arc<str>, verdict| match verdict {
                    Verdict::Key { session, first } => {
                        reading.book.note(reading.which, room, &session, first);
                    }
                    Verdict::Refused(_) => reading.refused += 1,
                };
                let source = match from {
                    Some(file) => Source::Snapshot { file },
                    None => visit.whole(version, None),
                };
                let done = opener::read(source, keys, self, hears, progress, cancel).await?;
                let (mut reading, ended) = done;
                reading.whole = ended.whole;
                Ok(reading.done(name, read))
            }
            Side::Store(kept) => {
                let work = move || self.read_store(&kept, &*progress, &cancel);
                let reading = super::joined(tokio::task::spawn_blocking(work).await)??;
                Ok(reading.done(Name::Store, ReadBy::Keys))
            }
            Side::KeyFile(import) => {
                let name = import.file.file_name().unwrap_or_default();
                let name = Name::KeyFile(Shown::new(&name.to_string_lossy()));
                let work = move || self.read_file(&import, &*progress, &cancel);
                let reading = super::joined(tokio::task::spawn_blocking(work).await)??;
                Ok(reading.done(name, ReadBy::Keys))
            }
        }
    }

    fn read_store(
        mut self,
        kept: &Kept,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Self, Failure> {
        let mut last: Arc<str> = Arc::from("");
        let mut keys = 0;
        let (book, which) = (&mut self.book, self.which);
        let read = kept.reader().for_each_key(None, |stored| {
            if *last != *stored.key.room_id {
                last = Arc::from(stored.key.room_id.as_str());
            }
            let (session, first) = (stored.key.session_id(), stored.key.key.first_known_index());
            book.note(which, &last, &session, Some(first));
            keys += 1;
            if keys % NEWS == 0 {
                progress.tell(News::Carrying { keys });
            }
            if cancel.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        self.refused = read.map_err(IntoFailure::into_failure)?.damaged;
        if cancel.is_cancelled() {
            return Err(RequestError::Cancelled.into_failure());
        }
        Ok(self)
    }

    fn read_file(
        mut self,
        import: &Import,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Self, Failure> {
        let mut last: Arc<str> = Arc::from("");
        let mut keys = 0;
        let mut take = |key: Result<RoomKey, SessionFault>| match key {
            Ok(key) => {
                if *last != *key.room_id {
                    last = Arc::from(key.room_id.as_str());
                }
                let first = Some(key.key.first_known_index());
                self.book.note(self.which, &last, &key.session_id(), first);
                keys += 1;
                if keys % NEWS == 0 {
                    progress.tell(News::Carrying { keys });
                }
            }
            Err(SessionFault { why: Unusable::Rest { .. }, .. }) => {
                self.whole = false;
            }
            Err(_) => self.refused += 1,
        };
        look_into(import, &mut take, progress, cancel)?;
        Ok(self)
    }

    fn done(self, name: Name, read: ReadBy) -> (Book, SideRead) {
        let Self { book, refused, whole, .. } = self;
        (book, SideRead { name, read, keys: 0, refused, whole })
    }
}
