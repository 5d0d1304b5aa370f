//! Watching a restore and having a say in it while it runs.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::tally::{Figures, RoomTally, Tally};
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

/// How somebody watches a restore.
#[derive(Default)]
pub struct Watch {
    /// Pauses it.
    pub pause: Pause,
    /// Brings rooms to the front: only where it reads a snapshot, in which every room can be found.
    pub front: Front,
    /// Hears glances, on the thread that writes: it must be quick.
    pub glances: Option<Box<dyn FnMut(Glance) + Send>>,
}

/// Tells glances, not too often.
pub(super) struct Teller {
    glances: Option<Box<dyn FnMut(Glance) + Send>>,
    last: Instant,
}

impl Teller {
    pub(super) fn new(glances: Option<Box<dyn FnMut(Glance) + Send>>) -> Self {
        Self { glances, last: Instant::now() }
    }

    /// Tells what changed, if that is due.
    pub(super) fn tell(&mut self, tally: &mut Tally) {
        let Some(glances) = &mut self.glances else { return };
        if self.last.elapsed() >= GLANCES {
            self.last = Instant::now();
            glances(Glance { figures: tally.figures, rooms: tally.touched() });
        }
    }
}
