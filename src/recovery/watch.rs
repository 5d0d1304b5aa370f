//! Watching a restore and having a say in it while it runs.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{
    restore::Restored,
    tally::{Figures, RoomTally, Tally, by_room},
};
use crate::base::pause::Pause;

/// The least time between two glances.
const GLANCES: Duration = Duration::from_millis(100);

/// A restore while it goes on: only what is committed.
#[derive(Clone, Debug, Default)]
pub struct Glance {
    /// The figures so far.
    pub figures: Figures,
    /// The rooms that changed since the last glance, with their figures so far.
    pub rooms: Vec<(Arc<str>, RoomTally)>,
}

/// Rooms that somebody wants restored before the others; clones are the same list.
#[derive(Clone, Debug, Default)]
pub struct Front(Arc<Mutex<VecDeque<String>>>);

impl Front {
    /// Brings a room to the front.
    pub fn bring(&self, room_id: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(room_id);
    }

    /// The next room that somebody wants.
    pub(super) fn next(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// Hears glances, on the thread that writes: it must be quick.
pub type Glances = Arc<dyn Fn(Glance) + Send + Sync>;

/// How somebody watches a restore.
#[derive(Default)]
pub struct Watch {
    /// Pauses it.
    pub pause: Pause,
    /// Brings rooms to the front: only where it reads a snapshot, in which every room can be found.
    pub front: Front,
    /// Hears how far it is, over all versions.
    pub glances: Option<Glances>,
}

/// Tells glances, not too often.
pub(super) struct Teller {
    glances: Option<Glances>,
    last: Instant,
    /// What versions before this one came to.
    before: Figures,
    rooms_before: BTreeMap<Arc<str>, RoomTally>,
}

impl Teller {
    /// A teller for one version after others.
    pub(super) fn after(runs: &[Restored], glances: Option<Glances>) -> Self {
        let tallies = || runs.iter().map(|run| &run.tally);
        let before = tallies().fold(Figures::default(), |sum, tally| sum.plus(&tally.figures));
        let rooms_before = if glances.is_some() { by_room(tallies()) } else { BTreeMap::new() };
        Self { glances, last: Instant::now(), before, rooms_before }
    }

    /// Tells what changed, if that is due.
    pub(super) fn tell(&mut self, tally: &mut Tally) {
        let Some(glances) = &self.glances else { return };
        if self.last.elapsed() >= GLANCES {
            self.last = Instant::now();
            let rooms = tally.touched().into_iter().map(|(id, room)| {
                let before = self.rooms_before.get(&id);
                let sum = before.map_or(room, |before| before.plus(&room));
                (id, sum)
            });
            let rooms = rooms.collect();
            glances(Glance { figures: self.before.plus(&tally.figures), rooms });
        }
    }
}
