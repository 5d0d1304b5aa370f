//! The check-up: where does it hang, and what is safe to do next?

use crate::{
    base::failure::{Code, Failure},
    recovery::doctor::checks::Check,
    tui::{
        check_up::CheckUp,
        effect::Effect,
        intent::Intent,
        jobs::Work,
        list::Move,
        message::Job,
        model::{Branch, Model, Step},
        screens,
    },
};

impl Model {
    /// Opens the check-up above this screen, and begins with it.
    pub(super) fn open_check_up(&mut self, effects: &mut Vec<Effect>) {
        let Some(visit) = self.settled_visit() else { return };
        self.check_up = CheckUp::default();
        self.branch(Branch::CheckUp);
        self.begin_check_up(visit, effects);
    }

    /// The visit to work with, once everything was looked at; else it says why not yet.
    pub(super) fn settled_visit(&mut self) -> Option<Job> {
        let visit = self.visit();
        if visit.is_none() {
            self.remark("Sign in first, or open a snapshot with o.");
        } else if self.backups.looked.is_none() {
            self.remark("One moment: the server is being asked.");
            return None;
        }
        visit
    }

    fn begin_check_up(&mut self, visit: Job, effects: &mut Vec<Effect>) {
        self.check_up.keys = 0;
        self.check_up.failed = None;
        let job = self.begin(Work::CheckUp, effects);
        effects.push(Effect::CheckUp { job, visit });
    }

    pub(super) fn on_check_up(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::Back => {
                effects.extend(self.jobs.end_kind(&Work::CheckUp).map(Effect::Cancel));
                self.branches.pop();
                self.settle();
            }
            Intent::Again => {
                if let Some(visit) = self.settled_visit() {
                    self.begin_check_up(visit, effects);
                }
            }
            Intent::GoOn => match self.backup_to_restore() {
                Some(place) => {
                    self.branches.clear();
                    self.step = Step::Backups;
                    self.go(Move::To(place));
                    self.open_contents(effects);
                }
                None => self.no_sense(),
            },
            _ if self.moved(intent) => {}
            _ => self.no_sense(),
        }
    }

    /// The row of the backup that the check in focus advises to restore, if it is there.
    pub(in crate::tui) fn backup_to_restore(&self) -> Option<usize> {
        let advised = self.check_up.focus()?.finding.as_ref()?.backup()?;
        let is = |name: &str| advised.as_str() == name;
        self.backups.versions().iter().position(|version| is(&version.version))
    }

    pub(super) fn checked_up(&mut self, checks: Result<Vec<Check>, Failure>) {
        match checks {
            Ok(checks) => {
                let rows = checks.len();
                self.check_up = CheckUp { checks, ..CheckUp::default() };
                let (to, seen) = (self.check_up.most_urgent(), screens::check_up_height(self));
                self.check_up.cursor.go(Move::To(to), rows, seen);
            }
            Err(failure) if failure.code() == Code::Stopped => {
                self.remark("Stopped. Nothing was changed; r checks again.");
            }
            Err(failure) => self.check_up.failed = Some(failure),
        }
    }

    pub(super) fn go_in_check_up(&mut self, to: Move) {
        let (rows, seen) = (self.check_up.checks.len(), screens::check_up_height(self));
        self.check_up.cursor.go(to, rows, seen);
    }
}
