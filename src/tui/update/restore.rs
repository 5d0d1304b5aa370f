//! Step 5: the plan, the restore, what came of it.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{
    base::failure::{Code, Failure},
    recovery::{restore::Restoring, tally::Figures, watch::Glance},
    tui::{
        effect::Effect,
        haul::Haul,
        intent::Intent,
        jobs::Work,
        keymap::Place,
        list::{Cursor, Move},
        model::{Branch, Model, Step},
        overlay::{Choice, Repeat},
        restore_step::{Last, RestoreStep, Stage},
        screens,
    },
};

impl Model {
    pub(super) fn on_restore(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::GoOn => self.go_on_from_restore(effects),
            Intent::Back => self.go_to(Step::Key, effects),
            Intent::Pause if self.restore.stage == Stage::Restoring => self.pause(effects),
            Intent::Front if self.restore.stage == Stage::Restoring => {
                let room = self.restore.room(self.restore.cursor.at).map(|(id, ..)| id.to_string());
                self.bring_to_front(room, effects);
            }
            Intent::Open => self.open_refused(),
            Intent::OtherBackup => self.go_to(Step::Backups, effects),
            Intent::OtherKey if self.is_restoring() => {
                self.remark("One moment: it goes on. Another key can be tried on the rest then.");
            }
            Intent::OtherKey => {
                self.go_to(Step::Key, effects);
                if self.place() == Place::RecoveryKey {
                    self.type_another_key();
                }
            }
            Intent::Again => match self.restore.stage {
                Stage::Planning | Stage::Restoring | Stage::Reading => {
                    self.remark("It is under way. Ctrl-C stops it.");
                }
                _ => self.plan(effects),
            },
            _ if self.moved(intent) => {}
            _ => self.no_sense(),
        }
    }

    /// Comes to the step: a plan is made for what is chosen now, unless one is there.
    pub(super) fn enter_restore(&mut self, effects: &mut Vec<Effect>) {
        if self.jobs.job(&Work::Restore).is_some() {
            return;
        }
        let versions = self.target_versions();
        if versions.is_empty() {
            return;
        }
        let rooms = self.chosen_rooms(&versions);
        let same = self.restore.versions == versions && self.restore.rooms == rooms;
        if !same || self.restore.stage == Stage::Nothing {
            self.plan(effects);
        }
    }

    /// Says whether a plan is made or keys are restored.
    pub(in crate::tui) fn is_restoring(&self) -> bool {
        self.jobs.since(&Work::Restore).is_some() || self.jobs.since(&Work::Plan).is_some()
    }

    /// The rooms that somebody chose in any of these versions; none where that is all of them.
    pub(super) fn chosen_rooms(&self, versions: &[String]) -> Vec<String> {
        let hauls = versions.iter().filter_map(|version| self.hauls.get(version));
        let some = hauls.filter(|haul| haul.rooms.totals().chosen < haul.rooms.all().len() as u64);
        let chosen = some.flat_map(|haul| haul.rooms.chosen());
        let mut rooms: Vec<String> = chosen.map(|room| room.id.to_string()).collect();
        rooms.sort();
        rooms.dedup();
        rooms
    }

    /// Makes a plan, once the version is read.
    pub(super) fn plan(&mut self, effects: &mut Vec<Effect>) {
        let Some(version) = self.target_version() else {
            return self.remark("Type your recovery key first: press 4.");
        };
        if self.open.as_ref() != Some(&version) {
            let place = self.backups.versions().iter().position(|one| one.version == version);
            let step = self.step;
            self.backups.cursor.at = place.unwrap_or(0);
            self.open_contents(effects);
            self.step = step;
        }
        let versions = self.target_versions();
        for name in versions.iter().filter(|name| self.key_opens(name)).cloned().collect::<Vec<_>>()
        {
            self.read_version(&name, effects);
        }
        effects.extend(self.jobs.end_kind(&Work::Plan).map(Effect::Cancel));
        let last = self.restore.last.take();
        let rooms = self.chosen_rooms(&versions);
        self.restore = RestoreStep::wanted(version, versions, rooms);
        self.restore.last = last;
        if self.is_being_read() {
            self.restore.stage = Stage::Reading;
            return;
        }
        self.begin_restore(true, effects);
    }

    /// Says whether a version of the plan is being read now, as far as it opens.
    fn is_being_read(&self) -> bool {
        let open = self.restore.versions.iter().filter(|version| self.key_opens(version));
        open.filter_map(|version| self.hauls.get(version)).any(Haul::is_reading)
    }

    /// A version is read anew: a plan of what was read before is not what would be restored.
    pub(super) fn plan_is_stale(&mut self, version: &str) {
        let planned = matches!(self.restore.stage, Stage::Planned | Stage::Stopped);
        if planned && self.restore.takes(version) {
            self.restore.stage = Stage::Nothing;
            self.restore.plan = None;
        }
    }

    /// Another secret is at hand: what was locked for another recovery key may open now, so what was planned
    /// is to be planned anew.
    pub(super) fn plan_may_open_more(&mut self) {
        let mixed = self.restore.total().is_some_and(|figures| figures.for_another > 0);
        let closed = self.restore.shown().is_some_and(|shown| !shown.closed.is_empty());
        let over = matches!(self.restore.stage, Stage::Planned | Stage::Stopped | Stage::Done);
        if (mixed || closed) && over {
            self.restore.stage = Stage::Nothing;
        }
    }

    /// A version was read: whoever waits for it with a plan goes on.
    pub(super) fn plan_what_was_read(&mut self, version: &str, effects: &mut Vec<Effect>) {
        let waits = self.restore.stage == Stage::Reading && self.restore.takes(version);
        if waits && !self.is_being_read() {
            self.restore.rooms = self.chosen_rooms(&self.restore.versions);
            self.begin_restore(true, effects);
        }
    }

    fn begin_restore(&mut self, dry_run: bool, effects: &mut Vec<Effect>) {
        let Some(visit) = self.key.visit else {
            self.restore.stage = Stage::Nothing;
            return self.remark("Type your recovery key first: press 4.");
        };
        let (work, stage) = match dry_run {
            true => (Work::Plan, Stage::Planning),
            false => (Work::Restore, Stage::Restoring),
        };
        let job = self.begin(work, effects);
        self.restore.done = None;
        self.restore.begin(stage, self.now);
        let (versions, rooms) = (self.restore.versions.clone(), self.restore.rooms.clone());
        let from = self.saved_files();
        let save = self.saves();
        effects.push(Effect::Restore { job, visit, versions, rooms, from, dry_run, save });
    }

    /// The snapshots of the versions to restore, of those that have one.
    fn saved_files(&self) -> BTreeMap<String, PathBuf> {
        let saved = self.restore.versions.iter().filter_map(|version| {
            let saved = self.hauls.get(version)?.saved()?;
            Some((version.clone(), saved.file.clone()))
        });
        saved.collect()
    }

    fn go_on_from_restore(&mut self, effects: &mut Vec<Effect>) {
        match self.restore.stage {
            Stage::Nothing => self.plan(effects),
            Stage::Reading | Stage::Planning => self.remark("One moment: the plan is being made."),
            Stage::Planned if self.has_nothing_to_write() => self.go_to(Step::Proof, effects),
            Stage::Planned if self.writes_nothing().is_some() => {
                self.remark("Nothing can be written by this plan. r makes another one.");
            }
            Stage::Planned | Stage::Stopped if self.is_being_read() => {
                self.remark("One moment: the backup is being read anew.");
            }
            Stage::Planned | Stage::Stopped => self.begin_restore(false, effects),
            Stage::Restoring if self.restore.paused.is_some() => self.pause(effects),
            Stage::Restoring => {
                self.remark("Keys are being restored. You may go to any other step.")
            }
            Stage::Done => self.go_to(Step::Proof, effects),
        }
    }

    /// Says whether everything is on this computer already.
    pub(in crate::tui) fn has_nothing_to_write(&self) -> bool {
        self.writes_nothing().is_some_and(|figures| figures.unchanged > 0)
    }

    /// The figures of a plan by which nothing would be written.
    pub(in crate::tui) fn writes_nothing(&self) -> Option<Figures> {
        let figures = self.restore.planned()?;
        (figures.new + figures.better + figures.candidates == 0).then_some(figures)
    }

    fn pause(&mut self, effects: &mut Vec<Effect>) {
        if let Some(job) = self.jobs.job(&Work::Restore) {
            let paused = self.restore.pause(self.now);
            effects.push(Effect::Pause(job, paused));
        }
    }

    /// Restores a room before the others.
    pub(super) fn bring_to_front(&mut self, room: Option<String>, effects: &mut Vec<Effect>) {
        let saved = self.saved_files();
        match (self.jobs.job(&Work::Restore), room) {
            (None, _) => self.remark("Nothing is being restored now."),
            (_, None) => self.remark("Choose a room first."),
            (Some(_), _) if saved.is_empty() => {
                self.remark("The server gives the rooms in its own order.");
            }
            (Some(_), Some(room)) if !self.restore.is_to_come(&room) => {
                self.remark("This room is no part of the plan, or it is under way already.");
            }
            (Some(job), Some(room)) => {
                effects.push(Effect::Front(job, room));
                self.remark("This room comes next.");
            }
        }
    }

    pub(super) fn restore_glanced(&mut self, glance: Glance) {
        self.restore.glance(glance, self.now);
    }

    pub(super) fn restored(
        &mut self,
        restored: Result<Restoring, Failure>,
        dry_run: bool,
        was_stopped: bool,
        effects: &mut Vec<Effect>,
    ) {
        if !dry_run {
            for version in self.restore.versions.clone() {
                self.count_again(&version, effects);
            }
        }
        match restored {
            Ok(restoring) => self.restore_ended(restoring, dry_run, was_stopped),
            Err(failure) => {
                // What was committed before it broke off is kept; how much that is, another plan tells.
                self.restore.stage = Stage::Nothing;
                self.restore.plan = None;
                if failure.code() != Code::Stopped {
                    self.failed(failure, vec![Choice::Again(Repeat::Plan), Choice::Snapshot]);
                }
            }
        }
        self.settle();
    }

    fn restore_ended(&mut self, restoring: Restoring, dry_run: bool, was_stopped: bool) {
        let mut shortfalls =
            restoring.runs.iter().filter_map(|run| run.shortfall.as_ref()).peekable();
        let stopped = match shortfalls.peek() {
            Some(_) => shortfalls.any(|shortfall| shortfall.code() == Code::Stopped),
            None => dry_run && was_stopped,
        };
        let broke_off = restoring.runs.iter().any(|run| run.broke_off().is_some());
        self.restore.cursor = Cursor::default();
        self.restore.paused = None;
        self.restore.stage = match (dry_run, stopped) {
            (true, true) => Stage::Nothing,
            (true, false) => Stage::Planned,
            (false, true) => Stage::Stopped,
            (false, false) if broke_off => Stage::Stopped,
            (false, false) => Stage::Done,
        };
        match dry_run {
            // A part of a plan is none.
            true if stopped => self.restore.plan = None,
            true => self.restore.take_plan(restoring),
            false => {
                self.restore.last = Last::of(&restoring);
                self.restore.done = Some(Box::new(restoring));
                self.restore.figures = self.restore.total().unwrap_or_default();
                // Messages that were closed for want of a key may open now.
                self.proof.read = false;
            }
        }
    }

    fn open_refused(&mut self) {
        let refused = self.restore.run().is_some_and(|run| !run.tally.refused.is_empty());
        match (self.restore.stage, refused) {
            (Stage::Planned | Stage::Done | Stage::Stopped, true) => {
                self.restore.refused = Cursor::default();
                self.branch(Branch::Refused);
            }
            (Stage::Planned | Stage::Done | Stage::Stopped, false) => {
                let closed = self.restore.is_several() && self.restore.run().is_none();
                self.remark(match closed {
                    true => "This backup stays closed: p takes another recovery key.",
                    false => "No key was refused.",
                });
            }
            _ => self.remark("Refused keys are listed once everything was opened."),
        }
    }

    pub(super) fn on_refused(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::Back | Intent::Close => {
                self.branches.pop();
                self.settle();
            }
            Intent::GoOn => self.copy_refused(effects),
            _ if self.moved(intent) => {}
            _ => self.no_sense(),
        }
    }

    pub(super) fn copy_refused(&mut self, effects: &mut Vec<Effect>) {
        let text = screens::refused_to_copy(self);
        self.copy(text, "The list of refused keys", effects);
    }

    /// Moves the focus in the plan, or among the rooms while it runs.
    pub(super) fn go_in_restore(&mut self, to: Move, seen: usize) {
        let rows = screens::restore_rows(self);
        self.restore.cursor.go(to, rows, seen);
    }

    pub(super) fn go_in_refused(&mut self, to: Move, seen: usize) {
        let rows = self.restore.run().map_or(0, |run| run.tally.refused.len());
        self.restore.refused.go(to, rows, seen);
    }
}
