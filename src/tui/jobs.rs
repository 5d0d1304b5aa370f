//! The work that is under way: each piece has a number, and answers of replaced ones are dropped.

use std::collections::BTreeSet;

use super::message::{Job, Moment};

/// The kinds of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Looking for a server.
    Find,
    /// Signing in.
    SignIn,
    /// Looking which versions there are.
    Look,
    /// Reading this version.
    Haul(String),
    /// Counting this version's snapshot anew.
    Recount(String),
    /// Asking what rooms are called.
    Names,
    /// Reading one room.
    Sessions,
    /// Looking for snapshots.
    Kept,
    /// Starting the demo.
    Demo,
    /// Signing this account out.
    Leave(Job),
    /// Trying a secret.
    Unlock,
    /// Searching for a slip.
    Mend,
    /// Planning a restore.
    Plan,
    /// Restoring.
    Restore,
    /// Reading messages.
    History,
    /// Making a passphrase.
    Passphrase,
    /// Writing a key file.
    Export,
    /// Checking everything up.
    CheckUp,
    /// Comparing two places.
    Compare,
    /// Writing a report or a recovery sheet.
    Paper,
    /// Copying to the clipboard.
    Copy,
    /// Reading a list of passphrases.
    ReadList,
    /// Counting what a list gives to try.
    Count,
    /// Trying a list of passphrases.
    TryList,
}

/// The work that is under way.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    last: Job,
    running: Vec<(Work, Job, Moment)>,
    /// Work that somebody wanted to stop, until it ends.
    stopping: BTreeSet<Job>,
}

impl Jobs {
    /// Begins work; of the same kind only one piece runs, so an older one is to be stopped.
    pub(super) fn begin(&mut self, work: Work, now: Moment) -> (Job, Option<Job>) {
        let older = self.end_kind(&work);
        self.last += 1;
        self.running.push((work, self.last, now));
        (self.last, older)
    }

    /// Ends work; says what it was, or `None` if nobody waits for it any more.
    pub(super) fn end(&mut self, job: Job) -> Option<Work> {
        let place = self.running.iter().position(|(_, running, _)| *running == job)?;
        Some(self.running.remove(place).0)
    }

    /// Forgets work of a kind; says which is to be stopped.
    pub(super) fn end_kind(&mut self, work: &Work) -> Option<Job> {
        let place = self.running.iter().position(|(running, ..)| running == work)?;
        Some(self.running.remove(place).1)
    }

    /// What a running piece of work is.
    pub(super) fn work(&self, job: Job) -> Option<&Work> {
        self.running.iter().find(|(_, running, _)| *running == job).map(|(work, ..)| work)
    }

    /// The number of work of a kind, if it runs.
    pub(super) fn job(&self, work: &Work) -> Option<Job> {
        self.running.iter().find(|(running, ..)| running == work).map(|(_, job, _)| *job)
    }

    /// Since when work of a kind runs, if it does.
    pub(super) fn since(&self, work: &Work) -> Option<Moment> {
        self.running.iter().find(|(running, ..)| running == work).map(|(.., since)| *since)
    }

    /// Says whether anything runs that moves on the screen.
    pub(super) fn is_busy(&self) -> bool {
        self.running.iter().any(|(work, ..)| {
            !matches!(work, Work::Names | Work::Copy | Work::Count | Work::Recount(_))
        })
    }

    /// All that somebody may want to stop.
    pub(super) fn stoppable(&self) -> Vec<(Work, Job)> {
        let stoppable = self.running.iter().filter(|(work, ..)| !matches!(work, Work::Leave(_)));
        stoppable.map(|(work, job, _)| (work.clone(), *job)).collect()
    }

    /// Remembers that somebody wants this to stop: it may have been done in the same moment.
    pub(super) fn stopping(&mut self, job: Job) {
        self.stopping.insert(job);
    }

    /// Says whether somebody wanted this to stop, and forgets it.
    pub(super) fn was_stopped(&mut self, job: Job) -> bool {
        self.stopping.remove(&job)
    }

    /// The work that must end by itself before keyhaul does: what it made would else stay behind.
    pub(super) fn must_end(&self) -> impl Iterator<Item = &Work> {
        let must = |work: &&Work| {
            matches!(
                work,
                Work::SignIn | Work::Haul(_) | Work::Leave(_) | Work::Restore | Work::Export
            )
        };
        self.running.iter().map(|(work, ..)| work).filter(must)
    }

    /// The version that is being read, if one is.
    pub(super) fn hauling(&self) -> Option<&str> {
        self.running.iter().find_map(|(work, ..)| match work {
            Work::Haul(version) => Some(version.as_str()),
            _ => None,
        })
    }
}
