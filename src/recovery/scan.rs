//! Runs the scanner over the pieces of a source, on a thread of its own.

use std::{
    collections::{BTreeSet, HashSet},
    hash::{BuildHasher, RandomState},
};

use tokio::sync::{mpsc::Receiver, oneshot};

use super::source::Piece;
use crate::backup::{
    entry::RawEntry,
    scanner::{Ending, ScanFault, Scanner, Shape},
};

/// How far the scan of bodies is, for whoever has to go on after one that broke.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    /// Entries given out, each once.
    pub(super) entries: u64,
    /// The rooms of bodies that hold many.
    pub(super) rooms: BTreeSet<String>,
    /// The room that the last entry was of: there may be more of it.
    pub(super) last: Option<String>,
}

/// Gives every entry of every body to `visit`; says whether all bodies were whole. Ends before the
/// next piece when `stop` says so, and with it the source.
pub(super) fn scan(
    mut pieces: Receiver<Piece>,
    stop: &dyn Fn() -> bool,
    visit: &mut dyn FnMut(RawEntry<'_>),
) -> Result<Ending, ScanFault> {
    let mut ending = Ending::Whole;
    let mut scanner: Option<Scanner> = None;
    let mut gate = Gate::new();
    while let Some(piece) = pieces.blocking_recv() {
        if stop() {
            return Ok(Ending::Cut);
        }
        match (piece, &mut scanner) {
            (Piece::Begin(shape), scanner) => {
                gate.begin(&shape);
                if scanner.replace(Scanner::new(shape)).is_some_and(|last| is_cut(&last)) {
                    ending = Ending::Cut;
                }
            }
            (Piece::Bytes(bytes), Some(scanner)) => {
                scanner.feed(&bytes, &mut |entry| {
                    if gate.is_new(&entry) {
                        visit(entry);
                    }
                })?;
            }
            (Piece::Bytes(_), None) => {}
            // Whoever asks knows that the body broke, and goes on in another way.
            (Piece::Broke(asked), scanner) => {
                *scanner = None;
                let _ = asked.send(gate.standing.clone());
            }
        }
    }
    // Without a body (no room that was asked for is there) there is none that could be cut.
    if scanner.is_some_and(|last| is_cut(&last)) {
        ending = Ending::Cut;
    }
    Ok(ending)
}

fn is_cut(scanner: &Scanner) -> bool {
    scanner.finish() == Ending::Cut
}

/// Lets each entry of a room through once, although the room is asked for again after its body broke.
struct Gate {
    standing: Standing,
    many: bool,
    hasher: RandomState,
    /// Hashes of the entries of the last room.
    known: HashSet<u64>,
    /// Whether they came before, so that they are told from what this body itself repeats.
    again: bool,
}

impl Gate {
    fn new() -> Self {
        Self {
            standing: Standing::default(),
            many: false,
            hasher: RandomState::new(),
            known: HashSet::new(),
            again: false,
        }
    }

    fn begin(&mut self, shape: &Shape) {
        self.many = *shape == Shape::WholeBody;
        self.again = match shape {
            Shape::WholeBody => false,
            Shape::Room { room_id } | Shape::Session { room_id, .. } => {
                self.standing.last.as_deref() == Some(room_id.as_str())
            }
        };
    }

    fn is_new(&mut self, entry: &RawEntry<'_>) -> bool {
        if self.standing.last.as_deref() != Some(entry.room_id) {
            self.known.clear();
            self.again = false;
            if self.many {
                self.standing.rooms.insert(entry.room_id.to_owned());
            }
            self.standing.last = Some(entry.room_id.to_owned());
        }
        let hash = self.hasher.hash_one((entry.session_id, entry.json));
        let new = self.known.insert(hash) || !self.again;
        self.standing.entries += u64::from(new);
        new
    }
}

/// Asks how far the scan is; `None` where nobody scans any more.
pub(super) async fn standing(to: &tokio::sync::mpsc::Sender<Piece>) -> Option<Standing> {
    let (asked, answer) = oneshot::channel();
    to.send(Piece::Broke(asked)).await.ok()?;
    answer.await.ok()
}
