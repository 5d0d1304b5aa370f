//! The way of one key (DESIGN §2): scanner → workers on all cores → one writer, by plain threads and
//! bounded channels. The slowest stage sets the pace; memory stays flat whatever the size.

use std::{
    cell::Cell,
    num::NonZero,
    sync::{Arc, OnceLock},
    thread,
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use tokio::sync::mpsc;

use super::{
    batch::Batch as Entries,
    scan::scan,
    source::Piece,
    tally::{RefusedEntry, Tally},
};
use crate::{
    backup::{
        decryption::{DecryptionKey, Refusal, Workroom},
        entry::RawEntry,
        scanner::{Ending, ScanFault},
    },
    base::{
        cancel::Cancel,
        progress::{News, Progress},
        random::SystemRandom,
    },
    megolm::room_key::RoomKey,
    store::{
        Merged,
        error::StoreError,
        journal::{Done, JournalReader, Mark},
        reader::Reader,
        sessions::{Prepared, Preparer},
        sources::SourceId,
        writer::{Batch, Store},
    },
};

/// Most batches between two stages; with their size this bounds what is in flight.
const BATCHES: usize = 8;

/// What each worker needs to do its work alone.
pub(super) struct Hand {
    /// The version, for the journal.
    pub(super) version: String,
    /// Says what was done in an earlier run, if there was one.
    pub(super) journal: Option<JournalReader>,
    /// Seals opened keys for the store, where they are to be written.
    pub(super) sealing: Option<(Preparer, SourceId)>,
}

/// Where the outcomes go: into the store, or, for a plan, only compared with it.
pub(super) enum Sink {
    Store(Box<Store>),
    Plan(Option<Box<Reader>>),
}

/// What the pipeline is told.
pub(super) struct Orders<'a> {
    /// Opens the entries.
    pub(super) key: &'a DecryptionKey,
    /// Only entries of these rooms, if any are named.
    pub(super) rooms: &'a [String],
    /// What the server says the version holds.
    pub(super) expected: Option<u64>,
    /// Hears of committed keys.
    pub(super) progress: &'a dyn Progress,
    /// Stops everything.
    pub(super) cancel: &'a Cancel,
}

/// What became of one entry.
enum Outcome {
    /// Opened, and sealed for the store.
    Sealed(Box<Prepared>),
    /// Opened for a plan.
    Opened(Box<RoomKey>),
    Refused(Refusal),
    /// The same as in an earlier run.
    Known(Done),
}

struct Settled {
    room_id: Arc<str>,
    /// Of refused entries only, for the report.
    session_id: String,
    /// Where the store's journal is to note it.
    mark: Option<Mark>,
    outcome: Outcome,
}

/// How the pipeline ended.
pub(super) struct Ended {
    pub(super) tally: Tally,
    pub(super) ending: Result<Ending, ScanFault>,
}

/// Runs all stages until the pieces end; this thread is the writer.
pub(super) fn run(
    pieces: mpsc::Receiver<Piece>,
    hands: Vec<Hand>,
    sink: &mut Sink,
    orders: &Orders<'_>,
    tally: Tally,
) -> Result<Ended, StoreError> {
    // When one stage fails, all others must end as well.
    let failed = OnceLock::new();
    let ended = thread::scope(|scope| {
        let (to_workers, from_scanner) = bounded::<Entries>(BATCHES);
        let (to_writer, from_workers) = bounded::<Vec<Settled>>(BATCHES);
        let (give_back, used) = unbounded::<Entries>();
        let scanner = scope.spawn(move || cut_up(pieces, &to_workers, &used, orders));
        for hand in hands {
            let (batches, to_writer) = (from_scanner.clone(), to_writer.clone());
            let give_back = give_back.clone();
            let failed = &failed;
            scope.spawn(move || {
                work(hand, &batches, &to_writer, &give_back, orders, failed);
            });
        }
        drop((from_scanner, to_writer, give_back));
        let written = write(&from_workers, sink, orders, tally);
        // Threads that wait to hand on must find nobody.
        drop(from_workers);
        let ending = scanner.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok(Ended { tally: written?, ending })
    });
    match failed.into_inner() {
        Some(error) => Err(error),
        None => ended,
    }
}

/// How many workers make sense: one for each core.
pub(super) fn workers() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

fn cut_up(
    pieces: mpsc::Receiver<Piece>,
    to: &Sender<Entries>,
    used: &Receiver<Entries>,
    orders: &Orders<'_>,
) -> Result<Ending, ScanFault> {
    let mut batch = Entries::default();
    let mut last_room: Arc<str> = Arc::from("");
    // Without anybody left to work, there is no use in reading on.
    let nobody_works = Cell::new(false);
    let mut visit = |entry: RawEntry<'_>| {
        let wanted = orders.rooms.is_empty() || orders.rooms.iter().any(|id| id == entry.room_id);
        if !wanted || nobody_works.get() {
            return;
        }
        batch.push(entry, &mut last_room);
        if batch.is_full() {
            let next = used.try_recv().unwrap_or_default();
            nobody_works.set(to.send(std::mem::replace(&mut batch, next)).is_err());
        }
    };
    let stop = || orders.cancel.is_cancelled() || nobody_works.get();
    let ending = scan(pieces, &stop, &mut visit);
    if batch.len() > 0 {
        // The same: nobody left to work.
        let _ = to.send(batch);
    }
    ending
}

fn work(
    hand: Hand,
    batches: &Receiver<Entries>,
    to: &Sender<Vec<Settled>>,
    give_back: &Sender<Entries>,
    orders: &Orders<'_>,
    failed: &OnceLock<StoreError>,
) {
    let mut room = Workroom::default();
    for mut batch in batches {
        if orders.cancel.is_cancelled() || failed.get().is_some() {
            continue;
        }
        let mut settled = Vec::with_capacity(batch.len());
        for (room_id, entry) in batch.entries() {
            match settle(&hand, orders.key, &entry, &mut room) {
                Ok((mark, outcome)) => {
                    let session_id = outcome.refused_session(&entry);
                    let room_id = Arc::clone(room_id);
                    settled.push(Settled { room_id, session_id, mark, outcome });
                }
                Err(error) => {
                    // The first failure is the one to tell.
                    let _ = failed.set(error);
                    return;
                }
            }
        }
        batch.clear();
        // The scanner may have ended already; then the buffer is not needed again.
        let _ = give_back.send(batch);
        if to.send(settled).is_err() {
            return;
        }
    }
}

fn settle(
    hand: &Hand,
    key: &DecryptionKey,
    entry: &RawEntry<'_>,
    room: &mut Workroom,
) -> Result<(Option<Mark>, Outcome), StoreError> {
    let mark = hand.journal.as_ref().map(|journal| journal.mark(&hand.version, entry));
    if let (Some(journal), Some(mark)) = (&hand.journal, &mark)
        && let Some(done) = journal.done(mark, key.public_key())?
    {
        return Ok((None, Outcome::Known(done)));
    }
    let room_key = match key.open(entry, room) {
        Ok(room_key) => room_key,
        Err(refusal) => return Ok((mark, Outcome::Refused(refusal))),
    };
    let Some((preparer, source)) = &hand.sealing else {
        return Ok((mark, Outcome::Opened(Box::new(room_key))));
    };
    let outcome = match preparer.prepare(room_key, *source, &mut SystemRandom) {
        Ok(prepared) => Outcome::Sealed(Box::new(prepared)),
        Err(StoreError::RecordTooLarge { limit, .. }) => {
            Outcome::Refused(Refusal::TooLarge { limit })
        }
        Err(error) => return Err(error),
    };
    Ok((mark, outcome))
}

impl Outcome {
    fn refused_session(&self, entry: &RawEntry<'_>) -> String {
        match self {
            Self::Refused(_) => entry.session_id.to_owned(),
            Self::Known(done) if done.reason().is_some() => entry.session_id.to_owned(),
            _ => String::new(),
        }
    }
}

/// Where the writer enters outcomes: an open transaction, or a plan's comparison.
enum Ledger<'l, 's> {
    Batch(&'l mut Batch<'s>),
    Plan(Option<&'l Reader>),
}

/// Enters outcomes in transactions of bounded size and time, and tells of committed ones only.
fn write(
    from: &Receiver<Vec<Settled>>,
    sink: &mut Sink,
    orders: &Orders<'_>,
    mut tally: Tally,
) -> Result<Tally, StoreError> {
    while let Ok(first) = from.recv() {
        match sink {
            Sink::Plan(reader) => {
                let mut ledger = Ledger::Plan(reader.as_deref());
                for one in first {
                    enter(one, &mut ledger, &mut tally, orders.key)?;
                }
            }
            Sink::Store(store) => {
                let mut batch = store.begin(Instant::now())?;
                let mut next = Some(first);
                while let Some(settled) = next {
                    for one in settled {
                        enter(one, &mut Ledger::Batch(&mut batch), &mut tally, orders.key)?;
                    }
                    let now = Instant::now();
                    let left = batch.time_left(now);
                    next = if batch.is_due(now) { None } else { from.recv_timeout(left).ok() };
                }
                batch.commit()?;
            }
        }
        orders.progress.tell(News::Restoring {
            committed: tally.entries,
            refused: tally.refused_count,
            expected: orders.expected,
        });
    }
    Ok(tally.ended())
}

fn enter(
    one: Settled,
    ledger: &mut Ledger<'_, '_>,
    tally: &mut Tally,
    key: &DecryptionKey,
) -> Result<(), StoreError> {
    let Settled { room_id, session_id, mark, outcome } = one;
    if let (Ledger::Batch(batch), Some(mark)) = (&mut *ledger, mark) {
        let done = match &outcome {
            Outcome::Refused(refusal) => Done::refused(refusal, key.public_key()),
            _ => Done::Stored,
        };
        batch.note_done(&mark, &done)?;
    }
    match (outcome, ledger) {
        (Outcome::Sealed(key), Ledger::Batch(batch)) => {
            tally.opened(&room_id, batch.merge(*key, &mut SystemRandom)?);
        }
        (Outcome::Opened(key), Ledger::Plan(Some(reader))) => {
            tally.opened(&room_id, reader.weigh(*key, false)?);
        }
        // A plan without a store to compare with.
        (Outcome::Opened(_) | Outcome::Sealed(_), _) => tally.opened(&room_id, Merged::New),
        (Outcome::Refused(refusal), _) => {
            tally.refused(RefusedEntry::new(&room_id, &session_id, &refusal));
        }
        (Outcome::Known(done), _) => match done.reason() {
            None => tally.opened(&room_id, Merged::Unchanged),
            Some(reason) => tally.refused(RefusedEntry::known(&room_id, session_id, reason)),
        },
    }
    Ok(())
}
