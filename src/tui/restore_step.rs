//! What stands on the fifth screen: the plan, the restore while it runs, and what came of it.

use std::{cmp::Reverse, collections::HashMap, sync::Arc, time::Duration};

use super::{list::Cursor, message::Moment};
use crate::recovery::{
    restore::{Restored, Restoring},
    tally::{Figures, RoomTally},
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
        let figures = run(restoring)?.tally.figures;
        Some(Self { figures, stored_total: restoring.stored_total })
    }
}

/// The state of the screen.
#[derive(Default)]
pub(super) struct RestoreStep {
    /// The version.
    pub(super) version: String,
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
    so_far: HashMap<Arc<str>, RoomTally>,
    ordered: Option<Moment>,
}

impl RestoreStep {
    /// Begins a plan of these rooms of a version.
    pub(super) fn wanted(version: String, rooms: Vec<String>) -> Self {
        Self { version, rooms, ..Self::default() }
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
        let Some(plan) = self.plan.as_deref().and_then(run) else { return };
        let rank = |(id, all): &(&Arc<str>, &RoomTally)| {
            let done = self.so_far.get(*id).map_or(0, |room| room.entries);
            let stage = match done {
                0 => 1,
                done if done < all.entries => 0,
                _ => 2,
            };
            (stage, Reverse(all.entries), Arc::clone(id))
        };
        let mut rooms: Vec<_> = plan.tally.rooms.iter().collect();
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
        let all = self.plan.as_deref().and_then(run)?.tally.rooms.get(id)?;
        Some((id, self.so_far.get(id).copied().unwrap_or_default(), *all))
    }

    /// Says whether a room of the plan was not begun yet.
    pub(super) fn is_to_come(&self, id: &str) -> bool {
        let planned = self.planned().is_some_and(|run| run.tally.rooms.contains_key(id));
        planned && self.so_far.get(id).is_none_or(|room| room.entries == 0)
    }

    /// How many rooms the running table has.
    pub(super) fn count_rooms(&self) -> usize {
        self.order.len()
    }

    /// All that is looked at now: the plan, or what came of it.
    pub(super) fn shown(&self) -> Option<&Restoring> {
        self.done.as_deref().or(self.plan.as_deref())
    }

    /// What is looked at now: the plan, or what came of it.
    pub(super) fn run(&self) -> Option<&Restored> {
        self.shown().and_then(run)
    }

    /// The figures of the plan.
    pub(super) fn planned(&self) -> Option<&Restored> {
        self.plan.as_deref().and_then(run)
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

/// The one version that was restored.
fn run(restoring: &Restoring) -> Option<&Restored> {
    restoring.runs.first()
}
