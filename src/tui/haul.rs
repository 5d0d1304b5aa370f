//! A version that is read, or was: its rooms, how far the reading is, where the snapshot lies.

use super::{
    message::Moment,
    rooms::{Names, Rooms},
};
use crate::{
    base::failure::Failure,
    recovery::{
        contents::{Contents, Glance},
        haul::{Hauled, Saved},
    },
};

/// How far the reading is.
#[derive(Clone, Debug)]
pub(super) enum Reading {
    /// Nothing came yet.
    Waiting {
        /// Since when.
        since: Moment,
    },
    /// It comes.
    Coming {
        /// Since when.
        since: Moment,
    },
    /// It is over.
    Over {
        /// Whether everything was read as it was written.
        whole: bool,
        /// Why it is not all, if that is known.
        broken: Option<Failure>,
        /// Whether the version changed while it was read.
        changed: bool,
        /// The snapshot, or why there is none.
        saved: Result<Option<Saved>, Failure>,
    },
    /// Nothing could be read.
    Failed,
}

/// A version that is read, or was.
pub(super) struct Haul {
    /// Its rooms.
    pub(super) rooms: Rooms,
    /// How far the reading is.
    pub(super) reading: Reading,
    /// Rooms that were asked for and rooms that are known, where it is read room by room.
    pub(super) by_room: Option<(u64, u64)>,
    /// Keys so far.
    pub(super) keys: u64,
    /// Bytes of these keys.
    pub(super) bytes: u64,
    /// Whether keys on this computer were counted.
    pub(super) compared: bool,
}

/// What can be said of how long it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// Bytes in a second.
    pub(super) bytes: u64,
    /// Seconds left, if the number of all keys is known.
    pub(super) left: Option<u64>,
}

impl Haul {
    /// A version that is asked for now.
    pub(super) fn begin(now: Moment) -> Self {
        Self {
            rooms: Rooms::default(),
            reading: Reading::Waiting { since: now },
            by_room: None,
            keys: 0,
            bytes: 0,
            compared: false,
        }
    }

    /// Reads again: what is known stays until more comes.
    pub(super) fn again(&mut self, now: Moment) {
        self.reading = Reading::Waiting { since: now };
        self.by_room = None;
    }

    /// Takes what came since the last glance.
    pub(super) fn glance(&mut self, glance: Glance, names: &Names, masked: bool, seen: usize) {
        if let Reading::Waiting { since } = self.reading {
            self.reading = Reading::Coming { since };
        }
        self.rooms.take(glance.rooms);
        self.keys = glance.sessions;
        self.bytes = glance.bytes;
        self.rooms.arrange(names, masked, seen);
    }

    /// Takes the whole.
    pub(super) fn end(&mut self, hauled: Hauled, names: &Names, masked: bool, seen: usize) {
        let Hauled { contents, saved, broken, changed, .. } = hauled;
        self.keys = contents.sessions;
        self.bytes = contents.bytes;
        self.compared = contents.compared;
        self.rooms.keep_only(|id| contents.rooms.contains_key(id));
        self.rooms.take(contents.rooms);
        self.rooms.number(masked);
        self.rooms.arrange(names, masked, seen);
        self.reading = Reading::Over { whole: contents.whole, broken, changed, saved };
    }

    /// Takes how much of it is on this computer now.
    pub(super) fn count(&mut self, hauled: Hauled, names: &Names, masked: bool, seen: usize) {
        let Contents { rooms, compared, .. } = hauled.contents;
        if !self.is_reading() {
            self.compared = compared;
            self.rooms.take(rooms);
            self.rooms.arrange(names, masked, seen);
        }
    }

    /// Says whether it is being read.
    pub(super) fn is_reading(&self) -> bool {
        matches!(self.reading, Reading::Waiting { .. } | Reading::Coming { .. })
    }

    /// Says whether everything is there.
    pub(super) fn is_whole(&self) -> bool {
        matches!(&self.reading, Reading::Over { whole: true, broken: None, .. })
    }

    /// Says whether it is sure to hold nothing: a reading that broke says nothing of what is there.
    pub(super) fn is_empty(&self) -> bool {
        self.is_whole() && self.keys == 0
    }

    /// The snapshot, if there is one.
    pub(super) fn saved(&self) -> Option<&Saved> {
        match &self.reading {
            Reading::Over { saved, .. } => saved.as_ref().ok()?.as_ref(),
            _ => None,
        }
    }

    /// How fast it comes, once that can be told.
    pub(super) fn pace(&self, expected: Option<u64>, now: Moment) -> Option<Pace> {
        let Reading::Coming { since } = self.reading else { return None };
        // The first second tells nothing.
        let seconds = now.checked_sub(since)?.as_secs_f64();
        if seconds < 1.0 || self.keys == 0 {
            return None;
        }
        let bytes = (self.bytes as f64 / seconds) as u64;
        let left = expected.map(|all| {
            let left = all.saturating_sub(self.keys) as f64;
            (left * seconds / self.keys as f64).ceil() as u64
        });
        Some(Pace { bytes, left })
    }
}
