//! What is in a backup version: per room and per key, without any key to open it.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use super::{
    failures::IntoFailure,
    room_by_room::ByRoom,
    scan::scan,
    snapshots::Saver,
    source::{PIECES, Source, judged},
};
use crate::{
    backup::{
        entry::{Metadata, RawEntry},
        scanner::Ending,
    },
    base::{
        cancel::Cancel,
        failure::Failure,
        progress::{News, Progress},
    },
    homeserver::RequestError,
    megolm::session_key::SessionId,
    store::reader::Reader,
};

/// Entries between two pieces of news.
const NEWS: u64 = 500;
/// Least time between two glances.
const GLANCES: Duration = Duration::from_millis(100);

/// The figures of one room, as the entries' readable metadata tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoomContents {
    /// Entries.
    pub sessions: u64,
    /// Entries that open no messages before a later one.
    pub partial: u64,
    /// Entries whose uploader had not verified the sender's device.
    pub unverified: u64,
    /// Entries that were passed on.
    pub forwarded: u64,
    /// Entries whose session is in the store; counted only while it is open.
    pub restored: u64,
    /// Bytes of all its entries, as the server sends them.
    pub bytes: u64,
}

/// A version's rooms.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Per room id.
    pub rooms: BTreeMap<Arc<str>, RoomContents>,
    /// Entries of all rooms.
    pub sessions: u64,
    /// Bytes of all entries, as the server sends them.
    pub bytes: u64,
    /// Whether everything was read as it was written: a cut answer is not whole, nor is a snapshot
    /// that is incomplete or damaged.
    pub whole: bool,
    /// Whether `restored` was counted.
    pub compared: bool,
    /// What became of it where the server could not send it whole.
    pub by_room: Option<ByRoom>,
}

/// The count while it grows.
#[derive(Clone, Debug, Default)]
pub struct Glance {
    /// The rooms that changed since the last glance, with their figures so far.
    pub rooms: Vec<(Arc<str>, RoomContents)>,
    /// Entries of all rooms so far.
    pub sessions: u64,
    /// Bytes of these entries.
    pub bytes: u64,
}

/// Hears glances, on the thread that counts: it must be quick.
pub type Glances = Box<dyn FnMut(Glance) + Send>;

impl Contents {
    /// The figures of these rooms, and of all together.
    fn glance(&self, rooms: Vec<Arc<str>>) -> Glance {
        let figures = |id: Arc<str>| self.rooms.get(&id).map(|room| (id, *room));
        let rooms = rooms.into_iter().filter_map(figures).collect();
        Glance { rooms, sessions: self.sessions, bytes: self.bytes }
    }
}

/// One key of one room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionContents {
    /// The session's id, as its map key is spelled.
    pub session_id: String,
    /// Its readable metadata, which may lie.
    pub metadata: Metadata,
    /// Whether it is in the store; `None` while that is closed.
    pub restored: Option<bool>,
    /// Length of its entry, in bytes.
    pub bytes: u64,
}

/// The keys of one room.
#[derive(Clone, Debug, Default)]
pub struct RoomSessions {
    /// Key by key, in the order of the server.
    pub sessions: Vec<SessionContents>,
    /// Whether everything was read, as in [`Contents::whole`]: else there may be more.
    pub whole: bool,
}

/// Reads a version and counts per room, saving what comes on the way if that is wanted. `glances` hears
/// of the count while it grows.
pub async fn contents(
    source: Source,
    saver: Option<&mut Saver>,
    store: Option<Reader>,
    mut glances: Option<Glances>,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
) -> Result<Contents, Failure> {
    let compared = store.is_some();
    let teller = Arc::clone(&progress);
    let mut last: Arc<str> = Arc::from("");
    let mut touched: Vec<Arc<str>> = Vec::new();
    let mut looked = Instant::now();
    let (mut contents, read) = visit(source, saver, progress, cancel, Contents::default(), {
        move |contents: &mut Contents, entry: RawEntry<'_>| {
            if *last != *entry.room_id {
                last = Arc::from(entry.room_id);
                touched.push(Arc::clone(&last));
            }
            let metadata = Metadata::parse(entry.json);
            let room = contents.rooms.entry(Arc::clone(&last)).or_default();
            room.sessions += 1;
            room.partial += u64::from(metadata.first_message_index.is_some_and(|index| index > 0));
            room.unverified += u64::from(metadata.is_verified != Some(true));
            room.forwarded += u64::from(metadata.forwarded_count.is_some_and(|count| count > 0));
            room.restored += u64::from(is_restored(store.as_ref(), &entry) == Some(true));
            room.bytes += entry.json.len() as u64;
            contents.sessions += 1;
            contents.bytes += entry.json.len() as u64;
            if !contents.sessions.is_multiple_of(NEWS) {
                return;
            }
            teller.tell(News::Reading { bytes: contents.bytes, entries: contents.sessions });
            if let Some(glances) = &mut glances
                && looked.elapsed() >= GLANCES
            {
                looked = Instant::now();
                // The room that is being read goes on growing.
                let rooms = std::mem::replace(&mut touched, vec![Arc::clone(&last)]);
                glances(contents.glance(rooms));
            }
        }
    })
    .await?;
    contents.whole = read.whole;
    contents.by_room = read.by_room;
    contents.compared = compared;
    Ok(contents)
}

/// Reads one room of a version.
pub async fn sessions(
    source: Source,
    room_id: &str,
    store: Option<Reader>,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
) -> Result<RoomSessions, Failure> {
    let room_id = room_id.to_owned();
    let visit_one = move |list: &mut Vec<SessionContents>, entry: RawEntry<'_>| {
        if entry.room_id == room_id {
            list.push(SessionContents {
                session_id: entry.session_id.to_owned(),
                metadata: Metadata::parse(entry.json),
                restored: is_restored(store.as_ref(), &entry),
                bytes: entry.json.len() as u64,
            });
        }
    };
    let (sessions, read) = visit(source, None, progress, cancel, Vec::new(), visit_one).await?;
    Ok(RoomSessions { sessions, whole: read.whole })
}

/// An id that is no session's cannot be in the store.
fn is_restored(store: Option<&Reader>, entry: &RawEntry<'_>) -> Option<bool> {
    let store = store?;
    let session = SessionId::parse(entry.session_id);
    let known = session.and_then(|session| store.first_known(entry.room_id, &session).ok()?);
    Some(known.is_some())
}

/// How a source was read.
pub(super) struct Read {
    /// Whether that is all.
    pub(super) whole: bool,
    /// What became of it where the server could not send it whole.
    pub(super) by_room: Option<ByRoom>,
}

/// Runs a source through the scanner, gathering into `gathered`; says whether that is all.
///
/// A part of the contents is no answer for somebody who asked to stop.
pub(super) async fn visit<T: Send + 'static>(
    source: Source,
    saver: Option<&mut Saver>,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
    mut gathered: T,
    mut visit: impl FnMut(&mut T, RawEntry<'_>) + Send + 'static,
) -> Result<(T, Read), Failure> {
    let (to, pieces) = mpsc::channel(PIECES);
    let stop = cancel.clone();
    let scanned = tokio::task::spawn_blocking(move || {
        let ending =
            scan(pieces, &|| stop.is_cancelled(), &mut |entry| visit(&mut gathered, entry));
        (gathered, ending)
    });
    let pumped = source.pump(to, saver, &*progress, &cancel).await;
    let (gathered, ending) = super::joined(scanned.await)?;
    let ending = judged(&pumped, ending).map_err(IntoFailure::into_failure)?;
    let pumped = pumped.map_err(IntoFailure::into_failure)?;
    if cancel.is_cancelled() {
        return Err(RequestError::Cancelled.into_failure());
    }
    let by_room = pumped.by_room;
    let whole = ending == Ending::Whole && !pumped.damaged;
    let whole = whole && by_room.is_none_or(|by_room| by_room.is_whole());
    Ok((gathered, Read { whole, by_room }))
}
