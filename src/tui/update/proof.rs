//! Step 6: real messages, and why some stay closed.

use std::{collections::HashSet, sync::Arc};

use crate::{
    base::failure::{Code, Failure},
    recovery::{
        proof::{History, said::Said},
        restore::Restored,
    },
    tui::{
        effect::Effect,
        intent::Intent,
        jobs::Work,
        list::Move,
        model::{Branch, Model, Step},
        proof_step::ProofStep,
        restore_step::Stage,
    },
};

impl Model {
    pub(super) fn on_proof(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::GoOn => self.go_to(Step::TakeAway, effects),
            Intent::Back => self.go_to(Step::Restore, effects),
            Intent::OtherBackup => self.go_to(Step::Backups, effects),
            Intent::Open => self.open_why(),
            Intent::NextClosed => {
                if !self.proof.go_to_closed() {
                    self.remark("No message in sight is closed.");
                }
            }
            Intent::NextPart | Intent::PreviousPart => self.choose_room(),
            Intent::Again => self.read_newest(effects),
            // Above the oldest one are older ones.
            Intent::Up | Intent::PageUp | Intent::First
                if self.proof.cursor.at == 0 && self.proof.earlier.is_some() =>
            {
                self.read_earlier(effects);
            }
            _ if self.moved(intent) => {}
            _ => self.no_sense(),
        }
    }

    /// Comes to the step: the messages of a room are asked for at once.
    pub(super) fn enter_proof(&mut self, effects: &mut Vec<Effect>) {
        if !self.can_read_messages() {
            return;
        }
        if self.proof.room.is_none() {
            self.proof.room = self.proof_rooms().first().cloned();
        }
        if !self.proof.read && self.proof.reading.is_none() {
            self.read_newest(effects);
        }
    }

    /// The rooms whose keys are here, those that somebody looked at first.
    pub(in crate::tui) fn proof_rooms(&self) -> Vec<Arc<str>> {
        let versions = match self.restore.versions.as_slice() {
            [] => self.open.as_slice(),
            versions => versions,
        };
        let hauls: Vec<_> = versions.iter().filter_map(|version| self.hauls.get(version)).collect();
        let shown = self.restore.shown();
        let has_keys = |id: &Arc<str>| {
            let opened = |run: &Restored| run.tally.rooms.get(id).is_some_and(|it| it.opened > 0);
            shown.is_none_or(|shown| shown.runs.iter().any(opened))
        };
        let focus = hauls.first().and_then(|haul| haul.rooms.focus()).map(|room| &room.id);
        let all = hauls.iter().flat_map(|haul| haul.rooms.all());
        let mut rooms: Vec<_> = all.filter(|room| has_keys(&room.id)).collect();
        rooms.sort_by_cached_key(|room| {
            (focus != Some(&room.id), std::cmp::Reverse(room.figures.sessions))
        });
        let mut seen = HashSet::new();
        let rooms = rooms.into_iter().map(|room| Arc::clone(&room.id));
        rooms.filter(|id| seen.insert(Arc::clone(id))).collect()
    }

    /// Says whether messages can be read: a server, and keys on this computer.
    pub(in crate::tui) fn can_read_messages(&self) -> bool {
        let some = self.has_keys_here() || self.restore.stage == Stage::Restoring;
        self.key.visit.is_some() && !self.is_offline() && some
    }

    fn read_newest(&mut self, effects: &mut Vec<Effect>) {
        let Some(room) = self.proof.room.clone() else { return };
        self.proof = ProofStep { rooms: self.proof.rooms, ..ProofStep::of(room) };
        if !self.can_read_messages() {
            return;
        }
        self.read_messages(None, effects);
    }

    fn read_earlier(&mut self, effects: &mut Vec<Effect>) {
        if self.proof.reading.is_none() {
            self.read_messages(self.proof.earlier.clone(), effects);
        }
    }

    fn read_messages(&mut self, from: Option<String>, effects: &mut Vec<Effect>) {
        let (Some(visit), Some(room)) = (self.key.visit, self.proof.room.clone()) else { return };
        let job = self.begin(Work::History, effects);
        self.proof.reading = Some(self.now);
        effects.push(Effect::History { job, visit, room, from });
    }

    pub(super) fn messages_read(&mut self, history: Result<History, Failure>) {
        self.proof.reading = None;
        match history {
            // Somebody chose another room meanwhile.
            Ok(history) if self.proof.room.as_deref() != Some(&*history.room_id) => {}
            Ok(history) => self.proof.take(history),
            Err(failure) if failure.code() == Code::Stopped => {
                self.remark("Stopped. What was read is still there.");
            }
            Err(failure) => self.proof.failed = Some(failure),
        }
        self.settle();
    }

    fn open_why(&mut self) {
        match self.proof.focus().map(|message| &message.said) {
            Some(Said::Closed(_)) => self.branch(Branch::Why),
            Some(_) => self.remark("This message is open."),
            None => self.remark("There is no message here."),
        }
    }

    pub(super) fn on_why(&mut self, intent: Intent) {
        match intent {
            Intent::Back | Intent::Close | Intent::GoOn => {
                self.branches.pop();
                self.settle();
            }
            _ => self.no_sense(),
        }
    }

    fn choose_room(&mut self) {
        let at = self.proof_rooms().iter().position(|id| Some(id) == self.proof.room.as_ref());
        self.proof.rooms.at = at.unwrap_or(0);
        self.branch(Branch::ProofRooms);
    }

    pub(super) fn on_proof_rooms(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::Back | Intent::Close | Intent::NextPart => {
                self.branches.pop();
                self.settle();
            }
            Intent::GoOn | Intent::Open => {
                let room = self.proof_rooms().get(self.proof.rooms.at).cloned();
                self.branches.pop();
                if room.is_some() {
                    self.proof.room = room;
                    self.read_newest(effects);
                }
                self.settle();
            }
            _ if self.moved(intent) => {}
            _ => self.no_sense(),
        }
    }

    pub(super) fn go_in_proof(&mut self, to: Move, seen: usize) {
        let rows = self.proof.messages.len();
        self.proof.cursor.go(to, rows, seen);
    }

    pub(super) fn go_in_proof_rooms(&mut self, to: Move, seen: usize) {
        let rows = self.proof_rooms().len();
        self.proof.rooms.go(to, rows, seen);
    }
}
