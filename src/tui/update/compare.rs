//! One backup beside another one, or beside the store: what would be gone?

use std::{path::PathBuf, sync::Arc};

use crate::{
    base::failure::{Code, Failure},
    recovery::{diff::Diff, look::of_known_kind},
    tui::{
        compare_step::{Beside, Compare},
        effect::{Effect, Read},
        haul::Haul,
        intent::Intent,
        jobs::Work,
        list::Move,
        model::{Branch, Model},
        screens,
    },
};

impl Model {
    /// Compares the backup in focus with the current one, or with the next where it is that itself.
    pub(super) fn open_compare(&mut self, effects: &mut Vec<Effect>) {
        if self.settled_visit().is_none() {
            return;
        }
        let Some(own) = self.backups.focus().cloned() else {
            return self.remark("There is no backup to compare.");
        };
        if let Err(failure) = of_known_kind(&own) {
            return self.failed(failure, Vec::new());
        }
        let Some(first) = self.others_to_compare(&own.version).into_iter().next() else {
            return self.remark("There is no other backup, and no key is here to compare it with.");
        };
        self.compare = Compare { own: own.version, beside: Some(first), ..Compare::default() };
        self.branch(Branch::Compare);
        self.begin_compare(effects);
    }

    /// What a backup can be compared with: the current one first, then the others, then the store.
    pub(in crate::tui) fn others_to_compare(&self, own: &str) -> Vec<Beside> {
        let others = self.backups.versions().iter();
        let others = others.filter(|other| other.version != own && other.supported());
        let mut others: Vec<_> =
            others.map(|other| Beside::Backup(other.version.clone())).collect();
        // A store can be read only with what opened it.
        if self.key.visit.is_some() && self.has_keys_here() {
            others.push(Beside::Store);
        }
        others
    }

    fn begin_compare(&mut self, effects: &mut Vec<Effect>) {
        let Some(visit) = self.visit() else { return };
        let Some(beside) = self.compare.beside.clone() else { return };
        self.compare.keys = 0;
        self.compare.failed = None;
        self.compare.diff = None;
        self.compare.order.clear();
        let side = |version: &str| Read { version: version.to_owned(), file: self.saved(version) };
        let own = side(&self.compare.own);
        let beside = match &beside {
            Beside::Backup(version) => Some(side(version)),
            Beside::Store => None,
        };
        let job = self.begin(Work::Compare, effects);
        effects.push(Effect::Compare { job, visit, own, beside });
    }

    /// The snapshot that spares the server the question, where a version was read whole.
    fn saved(&self, version: &str) -> Option<PathBuf> {
        let haul = self.hauls.get(version).filter(|haul| haul.is_whole())?;
        Haul::saved(haul).map(|saved| saved.file.clone())
    }

    pub(super) fn on_compare(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::Back => {
                effects.extend(self.jobs.end_kind(&Work::Compare).map(Effect::Cancel));
                self.branches.pop();
                self.settle();
            }
            Intent::Again => self.begin_compare(effects),
            Intent::NextPart | Intent::PreviousPart => {
                let others = self.others_to_compare(&self.compare.own);
                let at =
                    others.iter().position(|other| Some(other) == self.compare.beside.as_ref());
                let at =
                    at.unwrap_or(0) + if intent == Intent::NextPart { 1 } else { others.len() - 1 };
                match others.get(at % others.len().max(1)) {
                    Some(next) if others.len() > 1 => {
                        self.compare.beside = Some(next.clone());
                        self.begin_compare(effects);
                    }
                    _ => self.remark("There is nothing else to compare it with."),
                }
            }
            _ if self.moved(intent) => {}
            _ => self.no_sense(),
        }
    }

    pub(super) fn compared(&mut self, diff: Result<Diff, Failure>, effects: &mut Vec<Effect>) {
        match diff {
            Ok(diff) => {
                self.compare.take(diff);
                self.ask_names_of_compared(effects);
            }
            Err(failure) if failure.code() == Code::Stopped => {
                self.remark("Stopped. Nothing was changed; r compares again.");
            }
            Err(failure) => self.compare.failed = Some(failure),
        }
    }

    /// Names are asked for last, and only those that nobody asked for yet.
    fn ask_names_of_compared(&mut self, effects: &mut Vec<Effect>) {
        let unnamed = |room: &&Arc<str>| !self.names.contains_key(*room);
        let rooms: Vec<_> = self.compare.order.iter().filter(unnamed).cloned().collect();
        if let Some(visit) = self.visiting.as_ref().map(|visiting| visiting.job)
            && self.jobs.job(&Work::Names).is_none()
            && !rooms.is_empty()
        {
            let job = self.begin(Work::Names, effects);
            effects.push(Effect::Names { job, visit, rooms });
        }
    }

    pub(super) fn go_in_compare(&mut self, to: Move) {
        let (rows, seen) = (self.compare.order.len(), screens::compare_height(self));
        self.compare.cursor.go(to, rows, seen);
    }
}
