//! What stands on the fifth screen: the plan, the restore while it runs, and what came of it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use super::{list::Cursor, message::Moment};
use crate::recovery::{
    restore::{Restored, Restoring},
    tally::{Figures, RoomTally, by_room},
    watch::Glance,
};

/// The least time between two orders of the running table: rows that jump cannot be read.
const ORDER: Duration = Duration::from_secs(1);

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody wanted a plan yet, or it was stopped.
    #[default]
    Nothing,
    /// The backup must be read first.
    Reading,
    /// Every key is opened, and nothing written.
    Planning,
    /// The plan is there.
    Planned,
    /// Keys are written.
    Restoring,
    /// Somebody stopped it; what was done is kept.
    Stopped,
    /// It came to its end.
    Done,
}

/// A restore that wrote something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Last {
    /// What came of it.
    pub(super) figures: Figures,
    /// Keys on this computer then.
    pub(super) stored_total: u64,
}

impl Last {
    /// The figures of one restore.
    pub(super) fn of(restoring: &Restoring) -> Option<Self> {
        let figures = total(restoring)?;
        Some(Self { figures, stored_total: restoring.stored_total })
    }
}

/// The state of the screen.
#[derive(Default)]
pub(super) struct RestoreStep {
    /// The version; of several the one that is looked at.
    pub(super) version: String,
    /// All versions, from new to old; of several also those that stay closed.
    pub(super) versions: Vec<String>,
    /// Only these rooms; all of them where none is named.
    pub(super) rooms: Vec<String>,
    /// How far it is.
    pub(super) stage: Stage,
    /// The figures while it goes on.
    pub(super) figures: Figures,
    /// What would happen.
    pub(super) plan: Option<Box<Restoring>>,
    /// What happened.
    pub(super) done: Option<Box<Restoring>>,
    /// The last restore that wrote something, whatever is planned after it.
    pub(super) last: Option<Last>,
    /// The focus: a line of the plan, or a room while it runs.
    pub(super) cursor: Cursor,
    /// The focus in the list of refused keys.
    pub(super) refused: Cursor,
    /// Somebody paused it then.
    pub(super) paused: Option<Moment>,
    /// How long it was paused before.
    paused_for: Duration,
    began: Moment,
    /// The rooms as they stand in the running table.
    order: Vec<Arc<str>>,
    /// What there is to do, room by room.
    planned_rooms: BTreeMap<Arc<str>, RoomTally>,
    so_far: HashMap<Arc<str>, RoomTally>,
    ordered: Option<Moment>,
}

impl RestoreStep {
    /// Begins a plan of these rooms of a version, or of it together with others.
    pub(super) fn wanted(version: String, versions: Vec<String>, rooms: Vec<String>) -> Self {
        Self { version, versions, rooms, ..Self::default() }
    }

    /// Says whether several versions are restored together.
    pub(super) fn is_several(&self) -> bool {
        self.versions.len() > 1
    }

    /// Says whether a version is among those to be restored.
    pub(super) fn takes(&self, version: &str) -> bool {
        self.versions.iter().any(|one| one == version)
    }

    /// Takes a plan.
    pub(super) fn take_plan(&mut self, plan: Restoring) {
        self.planned_rooms = by_room(plan.runs.iter().map(|run| &run.tally));
        self.plan = Some(Box::new(plan));
    }

    /// Goes over to a stage in which something runs.
    pub(super) fn begin(&mut self, stage: Stage, now: Moment) {
        self.stage = stage;
        self.figures = Figures::default();
        self.cursor = Cursor::default();
        self.began = now;
        self.paused = None;
        self.paused_for = Duration::ZERO;
        self.so_far.clear();
        self.ordered = None;
        self.order(now);
    }

    /// Takes what was done since the last glance.
    pub(super) fn glance(&mut self, glance: Glance, now: Moment) {
        self.figures = glance.figures;
        self.so_far.extend(glance.rooms);
        if self.ordered.is_none_or(|ordered| ordered + ORDER <= now) {
            self.order(now);
        }
    }

    /// Rooms that are worked on first, then those to come, then those that are done.
    fn order(&mut self, now: Moment) {
        self.ordered = Some(now);
        let rank = |(id, all): &(&Arc<str>, &RoomTally)| {
            let done = self.so_far.get(*id).map_or(0, |room| room.entries);
            let stage = match done {
                0 => 1,
                done if done < all.entries => 0,
                _ => 2,
            };
            (stage, Reverse(all.entries), Arc::clone(id))
        };
        let mut rooms: Vec<_> = self.planned_rooms.iter().collect();
        rooms.sort_by_cached_key(rank);
        let focus = self.order.get(self.cursor.at).cloned();
        self.order = rooms.into_iter().map(|(id, _)| Arc::clone(id)).collect();
        // Whoever moved the focus means that room.
        let focus = focus.filter(|_| self.cursor.at > 0);
        let place = focus.and_then(|focus| self.order.iter().position(|id| *id == focus));
        self.cursor.at = place.unwrap_or(0);
    }

    /// The rooms of the running table: what is done, and what there is to do.
    pub(super) fn room(&self, row: usize) -> Option<(&Arc<str>, RoomTally, RoomTally)> {
        let id = self.order.get(row)?;
        let all = self.planned_rooms.get(id)?;
        Some((id, self.so_far.get(id).copied().unwrap_or_default(), *all))
    }

    /// Says whether a room of the plan was not begun yet.
    pub(super) fn is_to_come(&self, id: &str) -> bool {
        self.planned_rooms.contains_key(id)
            && self.so_far.get(id).is_none_or(|room| room.entries == 0)
    }

    /// How many rooms the running table has.
    pub(super) fn count_rooms(&self) -> usize {
        self.order.len()
    }

    /// All that is looked at now: the plan, or what came of it.
    pub(super) fn shown(&self) -> Option<&Restoring> {
        self.done.as_deref().or(self.plan.as_deref())
    }

    /// The version that is looked at now, in the plan or in what came of it: of several the one in focus,
    /// unless that is closed.
    pub(super) fn run(&self) -> Option<&Restored> {
        let shown = self.shown()?;
        match self.versions.get(self.cursor.at).filter(|_| self.is_several()) {
            Some(focus) => shown.runs.iter().find(|run| run.version == *focus),
            None => shown.runs.first(),
        }
    }

    /// The figures of the plan, of all versions together.
    pub(super) fn planned(&self) -> Option<Figures> {
        self.plan.as_deref().and_then(total)
    }

    /// How many rooms are in the plan.
    pub(super) fn count_planned_rooms(&self) -> usize {
        self.planned_rooms.len()
    }

    /// The figures of what is looked at now, of all versions together.
    pub(super) fn total(&self) -> Option<Figures> {
        self.shown().and_then(total)
    }

    /// Pauses, or goes on.
    pub(super) fn pause(&mut self, now: Moment) -> bool {
        match self.paused.take() {
            Some(since) => {
                self.paused_for += now.saturating_sub(since);
                false
            }
            None => {
                self.paused = Some(now);
                true
            }
        }
    }

    /// Keys in a second, and seconds left of so many keys; once that can be told.
    pub(super) fn pace(&self, all: u64, now: Moment) -> Option<(u64, u64)> {
        let paused = self.paused.map_or(Duration::ZERO, |since| now.saturating_sub(since));
        let worked = now.saturating_sub(self.began).checked_sub(self.paused_for + paused)?;
        let seconds = worked.as_secs_f64();
        if seconds < 1.0 || self.figures.entries == 0 {
            return None;
        }
        let rate = self.figures.entries as f64 / seconds;
        let left = all.saturating_sub(self.figures.entries) as f64 / rate;
        Some((rate as u64, left.ceil() as u64))
    }
}

/// The figures of all versions together, if there is one.
fn total(restoring: &Restoring) -> Option<Figures> {
    let figures = restoring.runs.iter().map(|run| run.tally.figures);
    figures.reduce(|sum, one| sum.plus(&one))
}
