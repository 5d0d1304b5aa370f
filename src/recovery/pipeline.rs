//! The way of one key (DESIGN §2): scanner → workers on all cores → one writer, by plain threads and
//! bounded channels. The slowest stage sets the pace; memory stays flat whatever the size.

use std::{
    cell::Cell,
    collections::HashSet,
    num::NonZero,
    path::Path,
    sync::{Arc, OnceLock},
    thread,
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use tokio::sync::mpsc;

use super::{
    batch::Batch as Entries,
    scan::scan,
    source::{PIECE, Piece, SourceFault},
    tally::{RefusedEntry, Tally},
    watch::{Front, Teller},
};
use crate::{
    backup::{
        decryption::{DecryptionKey, Refusal, Workroom},
        entry::RawEntry,
        scanner::{Ending, ScanFault, Scanner, Shape},
        version::PublicKey,
    },
    base::{
        cancel::Cancel,
        pause::Pause,
        progress::{News, Progress},
        random::SystemRandom,
    },
    megolm::room_key::RoomKey,
    snapshot::reader::{Snapshot, SnapshotFault},
    store::{
        Merged,
        error::StoreError,
        journal::{Done, JournalReader, Mark},
        planned::Plan,
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
    /// Seals opened keys for the store, where they are to be written: with the source that each key of
    /// the orders stands for.
    pub(super) sealing: Option<(Preparer, Vec<SourceId>)>,
}

/// Where the outcomes go: into the store, or, for a plan, only compared with it.
pub(super) enum Sink {
    Store(Box<Store>),
    Plan(Box<Plan>),
}

/// What the pipeline is told.
pub(super) struct Orders<'a> {
    /// Opens the entries: the version's own key first. The others are tried on what was locked for
    /// another one.
    pub(super) keys: &'a [DecryptionKey],
    /// Only entries of these rooms, if any are named.
    pub(super) rooms: &'a [String],
    /// What the server says the version holds.
    pub(super) expected: Option<u64>,
    /// Hears of committed keys.
    pub(super) progress: &'a dyn Progress,
    /// Pauses the work.
    pub(super) pause: &'a Pause,
    /// Rooms that somebody wants before the others, and the snapshot in which they are found.
    pub(super) front: Option<(&'a Front, &'a Path)>,
    /// Stops everything.
    pub(super) cancel: &'a Cancel,
}

/// What became of one entry.
enum Outcome {
    /// Opened by the key of this number, and sealed for the store.
    Sealed(usize, Box<Prepared>),
    /// Opened for a plan, likewise.
    Opened(usize, Box<RoomKey>),
    /// Refused; where it was locked for another key, those that were tried in this run.
    Refused(Refusal, Vec<PublicKey>),
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
    teller: Teller,
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
        let written = write(&from_workers, sink, orders, tally, teller);
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

/// Hands entries on in batches.
struct Packer<'a> {
    batch: Entries,
    last_room: Arc<str>,
    to: &'a Sender<Entries>,
    used: &'a Receiver<Entries>,
    /// Without anybody left to work, there is no use in reading on.
    nobody_works: &'a Cell<bool>,
}

impl Packer<'_> {
    fn push(&mut self, entry: RawEntry<'_>) {
        self.batch.push(entry, &mut self.last_room);
        if self.batch.is_full() {
            self.send();
        }
    }

    fn send(&mut self) {
        if self.batch.len() > 0 && !self.nobody_works.get() {
            let next = self.used.try_recv().unwrap_or_default();
            let full = std::mem::replace(&mut self.batch, next);
            self.nobody_works.set(self.to.send(full).is_err());
        }
    }
}

fn cut_up(
    pieces: mpsc::Receiver<Piece>,
    to: &Sender<Entries>,
    used: &Receiver<Entries>,
    orders: &Orders<'_>,
) -> Result<Ending, ScanFault> {
    let nobody_works = Cell::new(false);
    let packer = || Packer {
        batch: Entries::default(),
        last_room: Arc::from(""),
        to,
        used,
        nobody_works: &nobody_works,
    };
    let stop = || orders.cancel.is_cancelled() || nobody_works.get();
    let mut packed = packer();
    let mut rooms = Rooms::of(orders.rooms);
    let mut visit = |entry: RawEntry<'_>| {
        if stop() || !rooms.is_due(entry.room_id) {
            return;
        }
        packed.push(entry);
        // A room that somebody wants is looked for now; what is left of this one waits.
        while let Some((front, file)) = orders.front
            && let Some(room) = front.next()
        {
            if rooms.comes_to_the_front(&room) {
                // A snapshot that cannot be read a second time gives this room in its turn.
                let mut packed = packer();
                let read = read_room(file, &room, &stop, &mut |entry| packed.push(entry));
                packed.send();
                rooms.read.extend(read.is_ok().then_some(room));
            }
        }
    };
    let ending = scan(pieces, &stop, &mut visit);
    packed.send();
    ending
}

/// The rooms of a body that is read, and those that were taken out of their turn.
struct Rooms<'a> {
    /// Only these, if any are named.
    wanted: HashSet<&'a str>,
    last: String,
    last_is_due: bool,
    seen: HashSet<String>,
    read: HashSet<String>,
}

impl<'a> Rooms<'a> {
    fn of(wanted: &'a [String]) -> Self {
        Self {
            wanted: wanted.iter().map(String::as_str).collect(),
            last: String::new(),
            last_is_due: false,
            seen: HashSet::new(),
            read: HashSet::new(),
        }
    }

    fn is_wanted(&self, room_id: &str) -> bool {
        self.wanted.is_empty() || self.wanted.contains(room_id)
    }

    /// Says whether an entry of this room is still to be worked on.
    fn is_due(&mut self, room_id: &str) -> bool {
        if self.last != room_id || self.seen.is_empty() {
            room_id.clone_into(&mut self.last);
            self.seen.insert(room_id.to_owned());
            self.last_is_due = self.is_wanted(room_id) && !self.read.contains(room_id);
        }
        self.last_is_due
    }

    /// Says whether a room is still to come.
    fn comes_to_the_front(&self, room_id: &str) -> bool {
        self.is_wanted(room_id) && !self.seen.contains(room_id) && !self.read.contains(room_id)
    }
}

/// Reads one room of a snapshot.
fn read_room(
    file: &Path,
    room_id: &str,
    stop: &dyn Fn() -> bool,
    visit: &mut dyn FnMut(RawEntry<'_>),
) -> Result<(), SourceFault> {
    let mut body = Snapshot::open(file)?.into_body().map_err(SnapshotFault::Io)?;
    let mut scanner = Scanner::new(Shape::WholeBody);
    let mut piece = vec![0; PIECE];
    loop {
        let length = body.read(&mut piece).map_err(SnapshotFault::Io)?;
        let bytes = piece.get(..length).unwrap_or_default();
        let fed = scanner.feed(bytes, &mut |entry: RawEntry<'_>| {
            if entry.room_id == room_id {
                visit(entry);
            }
        });
        // What stops making sense there does so in its turn, too, and is told then.
        if length == 0 || fed.is_err() || stop() {
            return Ok(());
        }
    }
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
        orders.pause.wait(|| orders.cancel.is_cancelled() || failed.get().is_some());
        if orders.cancel.is_cancelled() || failed.get().is_some() {
            continue;
        }
        let mut settled = Vec::with_capacity(batch.len());
        for (room_id, entry) in batch.entries() {
            match settle(&hand, orders.keys, &entry, &mut room) {
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
    keys: &[DecryptionKey],
    entry: &RawEntry<'_>,
    room: &mut Workroom,
) -> Result<(Option<Mark>, Outcome), StoreError> {
    let mark = hand.journal.as_ref().map(|journal| journal.mark(&hand.version, entry));
    // What an entry says when it is locked for another key costs one calculation for each key, so nothing
    // but such entries is tried with more than one.
    let (mut known, mut tried) = (None, Vec::new());
    for (number, key) in keys.iter().enumerate() {
        if let (Some(journal), Some(mark)) = (&hand.journal, &mark) {
            match journal.done(mark, key.public_key())? {
                None => {}
                Some(wrong @ Done::WrongKey { .. }) => {
                    known = Some(wrong);
                    continue;
                }
                Some(done) => return Ok((None, Outcome::Known(done))),
            }
        }
        match key.open(entry, room) {
            Ok(room_key) => return Ok((mark, sealed(hand, number, room_key)?)),
            Err(Refusal::Mac) => tried.push(key.public_key()),
            Err(refusal) => return Ok((mark, Outcome::Refused(refusal, Vec::new()))),
        }
    }
    match known.filter(|_| tried.is_empty()) {
        Some(done) => Ok((None, Outcome::Known(done))),
        None => Ok((mark, Outcome::Refused(Refusal::Mac, tried))),
    }
}

/// Seals an opened key, where keys are to be written.
fn sealed(hand: &Hand, number: usize, room_key: RoomKey) -> Result<Outcome, StoreError> {
    let sealing = hand.sealing.as_ref();
    let Some((preparer, source)) =
        sealing.and_then(|(preparer, sources)| Some((preparer, sources.get(number)?)))
    else {
        return Ok(Outcome::Opened(number, Box::new(room_key)));
    };
    match preparer.prepare(room_key, *source, &mut SystemRandom) {
        Ok(prepared) => Ok(Outcome::Sealed(number, Box::new(prepared))),
        Err(StoreError::RecordTooLarge { limit, .. }) => {
            Ok(Outcome::Refused(Refusal::TooLarge { limit }, Vec::new()))
        }
        Err(error) => Err(error),
    }
}

impl Outcome {
    fn refused_session(&self, entry: &RawEntry<'_>) -> String {
        match self {
            Self::Refused(..) => entry.session_id.to_owned(),
            Self::Known(done) if done.reason().is_some() => entry.session_id.to_owned(),
            _ => String::new(),
        }
    }
}

/// Where the writer enters outcomes: an open transaction, or a plan's comparison.
enum Ledger<'l, 's> {
    Batch(&'l mut Batch<'s>),
    Plan(&'l mut Plan),
}

/// Enters outcomes in transactions of bounded size and time, and tells of committed ones only.
fn write(
    from: &Receiver<Vec<Settled>>,
    sink: &mut Sink,
    orders: &Orders<'_>,
    mut tally: Tally,
    mut teller: Teller,
) -> Result<Tally, StoreError> {
    while let Ok(first) = from.recv() {
        match sink {
            Sink::Plan(plan) => {
                let mut ledger = Ledger::Plan(plan);
                for one in first {
                    enter(one, &mut ledger, &mut tally, orders.keys)?;
                }
            }
            Sink::Store(store) => {
                let mut batch = store.begin(Instant::now())?;
                let mut next = Some(first);
                while let Some(settled) = next {
                    for one in settled {
                        enter(one, &mut Ledger::Batch(&mut batch), &mut tally, orders.keys)?;
                    }
                    let now = Instant::now();
                    let left = batch.time_left(now);
                    next = if batch.is_due(now) { None } else { from.recv_timeout(left).ok() };
                }
                batch.commit()?;
            }
        }
        orders.progress.tell(News::Restoring {
            committed: tally.figures.entries,
            refused: tally.figures.refused,
            expected: orders.expected,
        });
        teller.tell(&mut tally);
    }
    Ok(tally.ended())
}

fn enter(
    one: Settled,
    ledger: &mut Ledger<'_, '_>,
    tally: &mut Tally,
    keys: &[DecryptionKey],
) -> Result<(), StoreError> {
    let Settled { room_id, session_id, mark, outcome } = one;
    if let (Ledger::Batch(batch), Some(mark)) = (&mut *ledger, mark) {
        match &outcome {
            Outcome::Refused(refusal @ Refusal::Mac, tried) => {
                for key in tried {
                    batch.note_done(&mark, &Done::refused(refusal, *key))?;
                }
            }
            // Only a wrong key is remembered together with the entry.
            Outcome::Refused(refusal, _) => {
                batch.note_done(&mark, &Done::refused(refusal, PublicKey([0; 32])))?;
            }
            Outcome::Sealed(1.., _) => batch.note_done(&mark, &Done::StoredByAnother)?,
            _ => batch.note_done(&mark, &Done::Stored)?,
        }
    }
    let by = |number: usize| keys.get(number).filter(|_| number > 0).map(DecryptionKey::public_key);
    match (outcome, ledger) {
        (Outcome::Sealed(number, key), Ledger::Batch(batch)) => {
            tally.opened(&room_id, batch.merge(*key, &mut SystemRandom)?, by(number));
        }
        (Outcome::Opened(number, key), Ledger::Plan(plan)) => {
            tally.opened(&room_id, plan.weigh(&room_id, *key)?, by(number));
        }
        // Keys are sealed where they are to be stored, and nowhere else.
        (Outcome::Opened(number, _) | Outcome::Sealed(number, _), _) => {
            tally.opened(&room_id, Merged::New, by(number));
        }
        (Outcome::Refused(refusal, _), _) => {
            tally.refused(RefusedEntry::new(&room_id, &session_id, &refusal));
        }
        (Outcome::Known(done), _) => match done.reason() {
            None => tally.known(&room_id, done == Done::StoredByAnother),
            Some(reason) => tally.refused(RefusedEntry::known(&room_id, session_id, reason)),
        },
    }
    Ok(())
}
