//! The way of one key (DESIGN §2): scanner → workers on all cores → one writer, by plain threads and
//! bounded channels. The slowest stage sets the pace; memory stays flat whatever the size.

use std::{
    num::NonZero,
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
    thread,
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use tokio::sync::mpsc;

use super::{
    batch::Batch,
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
        limits,
        progress::{News, Progress},
    },
    store::{Done, JournalReader, Mark, Prepared, Preparer, StoreError, Transaction},
};

/// Most batches between two stages; with their size this bounds what is in flight.
const BATCHES: usize = 8;

/// What each worker needs to do its work alone.
pub(super) struct Hand {
    /// Says what was done in an earlier run.
    pub(super) journal: JournalReader,
    /// Seals opened keys for the store.
    pub(super) preparer: Preparer,
}

/// Where the outcomes go: the store, or nowhere when only a plan is wanted.
pub(super) trait Sink {
    /// Begins a transaction.
    fn begin(&mut self) -> Result<Transaction<'_>, StoreError>;
    /// Says whether transactions are committed.
    fn commits(&self) -> bool;
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
    Opened(Box<Prepared>),
    Refused(Refusal),
    /// Stored by an earlier run.
    Known,
    /// Refused by an earlier run, for this reason.
    KnownRefused(&'static str),
}

struct Opened {
    room_id: Arc<str>,
    session_id: String,
    mark: Mark,
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
    sink: &mut dyn Sink,
    orders: &Orders<'_>,
    tally: Tally,
) -> Result<Ended, StoreError> {
    // When the writer fails, everything before it must end as well.
    let failed = AtomicBool::new(false);
    thread::scope(|scope| {
        let (to_workers, from_scanner) = bounded::<Batch>(BATCHES);
        let (to_writer, from_workers) = bounded::<Vec<Opened>>(BATCHES);
        let (give_back, used) = unbounded::<Batch>();
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
        if written.is_err() {
            failed.store(true, Ordering::Relaxed);
        }
        // Threads that wait to hand on must find nobody.
        drop(from_workers);
        let ending = scanner.join().unwrap_or(Ok(Ending::Cut));
        Ok(Ended { tally: written?, ending })
    })
}

/// How many workers make sense: one for each core.
pub(super) fn workers() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

fn cut_up(
    pieces: mpsc::Receiver<Piece>,
    to: &Sender<Batch>,
    used: &Receiver<Batch>,
    orders: &Orders<'_>,
) -> Result<Ending, ScanFault> {
    let mut batch = Batch::default();
    let mut last_room: Arc<str> = Arc::from("");
    // Nobody left to work: the pieces are drained so that the source ends by itself.
    let mut open = true;
    let mut visit = |entry: RawEntry<'_>| {
        let wanted = orders.rooms.is_empty() || orders.rooms.iter().any(|id| id == entry.room_id);
        if !wanted || !open {
            return;
        }
        batch.push(entry, &mut last_room);
        if batch.is_full() {
            let next = used.try_recv().unwrap_or_default();
            open = to.send(std::mem::replace(&mut batch, next)).is_ok();
        }
    };
    let ending = scan(pieces, orders.cancel, &mut visit);
    if !batch.is_empty() {
        // The same: nobody left to work.
        let _ = to.send(batch);
    }
    ending
}

fn work(
    mut hand: Hand,
    batches: &Receiver<Batch>,
    to: &Sender<Vec<Opened>>,
    give_back: &Sender<Batch>,
    orders: &Orders<'_>,
    failed: &AtomicBool,
) {
    let mut room = Workroom::default();
    for mut batch in batches {
        if orders.cancel.is_cancelled() || failed.load(Ordering::Relaxed) {
            continue;
        }
        let opened = batch
            .entries()
            .map(|(room_id, entry)| {
                let (mark, outcome) = open(&mut hand, orders.key, &entry, &mut room);
                let session_id = match outcome {
                    Outcome::Refused(_) | Outcome::KnownRefused(_) => entry.session_id.to_owned(),
                    _ => String::new(),
                };
                Opened { room_id: Arc::clone(room_id), session_id, mark, outcome }
            })
            .collect();
        batch.clear();
        // The scanner may have ended already; then the buffer is not needed again.
        let _ = give_back.send(batch);
        if to.send(opened).is_err() {
            return;
        }
    }
}

fn open(
    hand: &mut Hand,
    key: &DecryptionKey,
    entry: &RawEntry<'_>,
    room: &mut Workroom,
) -> (Mark, Outcome) {
    let (mark, done) = hand.journal.look_up(entry.room_id, entry.session_id, entry.json);
    let outcome = match done {
        Some(Done::Stored) => Outcome::Known,
        Some(Done::Refused(reason)) => Outcome::KnownRefused(reason),
        None => match key.open(entry, room) {
            Ok(room_key) => Outcome::Opened(Box::new(hand.preparer.prepare(room_key))),
            Err(refusal) => Outcome::Refused(refusal),
        },
    };
    (mark, outcome)
}

/// Merges outcomes in transactions of bounded size and time, and tells of committed ones only.
fn write(
    from: &Receiver<Vec<Opened>>,
    sink: &mut dyn Sink,
    orders: &Orders<'_>,
    mut tally: Tally,
) -> Result<Tally, StoreError> {
    let commits = sink.commits();
    let mut ended = false;
    while !ended {
        let mut transaction = sink.begin()?;
        let begun = Instant::now();
        let mut rows = 0;
        while rows < limits::TRANSACTION_ROWS && begun.elapsed() < limits::TRANSACTION_TIME {
            let left = limits::TRANSACTION_TIME.saturating_sub(begun.elapsed());
            match from.recv_timeout(left) {
                Ok(opened) => {
                    rows += opened.len();
                    for one in opened {
                        settle(one, &mut transaction, &mut tally)?;
                    }
                }
                Err(error) => {
                    ended = error.is_disconnected();
                    break;
                }
            }
        }
        if commits {
            transaction.commit()?;
        }
        orders.progress.tell(News::Restoring {
            committed: tally.entries,
            refused: tally.refused_count,
            expected: orders.expected,
        });
    }
    Ok(tally)
}

fn settle(
    one: Opened,
    transaction: &mut Transaction<'_>,
    tally: &mut Tally,
) -> Result<(), StoreError> {
    let Opened { room_id, session_id, mark, outcome } = one;
    match outcome {
        Outcome::Opened(prepared) => {
            let merged = transaction.merge(&prepared)?;
            transaction.note(&mark, &Done::Stored)?;
            tally.opened(&room_id, merged);
        }
        Outcome::Refused(refusal) => {
            transaction.note(&mark, &Done::Refused(refusal.reason()))?;
            tally.refused(RefusedEntry::new(&room_id, &session_id, &refusal));
        }
        Outcome::Known => tally.opened(&room_id, crate::store::Merged::Unchanged),
        Outcome::KnownRefused(reason) => tally.refused(RefusedEntry {
            room_id,
            session_id,
            reason,
            detail: "refused in an earlier run".to_owned(),
        }),
    }
    Ok(())
}
