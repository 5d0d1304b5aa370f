//! The way out: stopping work, signing out, and what is said at the end.

use crate::{
    base::{
        failure::Failure,
        shown::{Shown, grouped},
        words::counted,
    },
    recovery::sign_in::{Left, may_leave_a_device},
    tui::{
        effect::Effect,
        jobs::Work,
        list::Cursor,
        message::{Happened, Job, Moment},
        model::{Ending, Leaving, Model},
        overlay::Overlay,
        restore_step::Last,
    },
};

/// How long signing out may take before keyhaul ends without an answer.
const PATIENCE: Moment = Moment::from_secs(10);
/// How long it may take when the system wants the end.
const HURRY: Moment = Moment::from_secs(4);
/// What is said where nobody knows whether a device was made or removed.
const DEVICE_MAY_REMAIN: &str =
    "Perhaps a device “keyhaul recovery” is still on your account; any app can remove it.";

/// What became of a device.
fn left_words(left: Result<Left, Failure>) -> Vec<String> {
    match left {
        Ok(Left::DeviceRemoved) => {
            vec!["Signed out. The device “keyhaul recovery” was removed.".to_owned()]
        }
        Ok(Left::NotOurs) => {
            vec!["The access token belongs to another app: it stays signed in.".to_owned()]
        }
        Ok(Left::StaysSignedIn) => vec![
            "keyhaul stays signed in. Whoever reads your files can use that until you run:"
                .to_owned(),
            "  keyhaul sign-out".to_owned(),
        ],
        Err(failure) => vec![failure.what(), format!("Next: {}", failure.next_command())],
    }
}

impl Model {
    /// Ctrl-C: stops what runs; once more, and keyhaul ends.
    pub(super) fn stop(&mut self, effects: &mut Vec<Effect>) {
        match self.leaving {
            Leaving::Asked => return self.sign_out(false, effects),
            Leaving::SigningOut { .. } => return self.end_at_once(),
            Leaving::Over(_) => return,
            Leaving::No => {}
        }
        self.leaving = Leaving::Asked;
        let running = self.jobs.stoppable();
        let shown = running
            .iter()
            .any(|(work, _)| !matches!(work, Work::Names | Work::Kept | Work::Recount(_)));
        // The work itself tells how far it came; until then it counts as running.
        for (_, job) in running {
            self.jobs.stopping(job);
            effects.push(Effect::Cancel(job));
        }
        self.remark(if shown {
            "Stopping. What is done is kept. Press Ctrl-C again to leave keyhaul."
        } else {
            "Nothing runs. Press Ctrl-C again to leave keyhaul."
        });
    }

    /// q: asks only while something runs that would be cut.
    pub(super) fn leave(&mut self, effects: &mut Vec<Effect>) {
        if self.is_cut_by_leaving() {
            self.overlays.push(Overlay::Leave { cursor: Cursor::default() });
        } else {
            self.sign_out(false, effects);
        }
    }

    /// Says whether something runs that leaving would cut.
    pub(super) fn is_cut_by_leaving(&self) -> bool {
        let cut = [Work::Restore, Work::Export].iter().any(|work| self.jobs.job(work).is_some());
        cut || self.jobs.hauling().is_some()
    }

    /// The system wants the end.
    pub(super) fn must_end(&mut self, exit: u8, effects: &mut Vec<Effect>) {
        match self.leaving {
            Leaving::SigningOut { .. } | Leaving::Over(_) => self.end_at_once(),
            _ => self.begin_to_leave(false, exit, HURRY, effects),
        }
    }

    /// Stops everything and signs out, or stays signed in for later.
    pub(super) fn sign_out(&mut self, stay: bool, effects: &mut Vec<Effect>) {
        self.begin_to_leave(stay, 0, PATIENCE, effects);
    }

    fn begin_to_leave(
        &mut self,
        stay: bool,
        exit: u8,
        patience: Moment,
        effects: &mut Vec<Effect>,
    ) {
        self.overlays.clear();
        for (work, job) in self.jobs.stoppable() {
            effects.push(Effect::Cancel(job));
            // A sign-in may have made a device, a reading has a file to close, a restore a store.
            if !matches!(work, Work::SignIn | Work::Haul(_) | Work::Restore | Work::Export) {
                self.jobs.end(job);
            }
        }
        self.leaving = Leaving::SigningOut { until: self.now + patience, exit, words: Vec::new() };
        if let Some(account) = self.account.as_ref().map(|account| account.job) {
            self.sign_account_out(account, stay, effects);
        }
        self.end_when_done();
    }

    /// Removes the device of an account, or keeps it for later.
    pub(super) fn sign_account_out(&mut self, account: Job, stay: bool, effects: &mut Vec<Effect>) {
        let job = self.begin(Work::Leave(account), effects);
        effects.push(Effect::Leave { job, account, stay });
    }

    /// What work reports while keyhaul ends: only what must not stay behind matters any more.
    pub(super) fn happened_at_the_end(
        &mut self,
        job: Job,
        happened: Happened,
        work: Work,
        effects: &mut Vec<Effect>,
    ) {
        match (happened, work) {
            (Happened::SignedIn(Ok(_)), _) => self.sign_account_out(job, false, effects),
            (Happened::SignedIn(Err(failure)), _) if may_leave_a_device(&failure) => {
                self.say_at_the_end(vec![DEVICE_MAY_REMAIN.to_owned()]);
            }
            (Happened::Hauled(hauled), Work::Haul(version)) => {
                let (masked, seen) = (self.masked, 1);
                if let (Some(haul), Ok(hauled)) = (self.hauls.get_mut(&version), *hauled) {
                    haul.end(hauled, &self.names, masked, seen);
                }
            }
            (Happened::Left(left), _) => self.say_at_the_end(left_words(left)),
            (Happened::Restored(restored), Work::Restore) => {
                if let Ok(restored) = *restored {
                    self.restore.last = Last::of(&restored);
                }
            }
            _ => {}
        }
        self.end_when_done();
    }

    /// Somebody signed out while keyhaul goes on: only what remains is worth a word.
    pub(super) fn left(&mut self, left: Result<Left, Failure>) {
        if let Err(failure) = left {
            self.failed(failure, Vec::new());
        }
    }

    fn say_at_the_end(&mut self, more: Vec<String>) {
        if let Leaving::SigningOut { words, .. } = &mut self.leaving {
            // Two devices may have been removed: that is said once.
            let new = more.into_iter().filter(|line| !words.contains(line)).collect::<Vec<_>>();
            words.extend(new);
        }
    }

    /// Ends as soon as nothing runs that must not be cut.
    fn end_when_done(&mut self) {
        if self.jobs.must_end().next().is_none()
            && let Leaving::SigningOut { exit, words, .. } = &mut self.leaving
        {
            let (exit, words) = (*exit, std::mem::take(words));
            self.end(exit, words);
        }
    }

    /// Ends now, whatever the server says.
    pub(super) fn end_at_once(&mut self) {
        let reading = self.jobs.must_end().any(|work| matches!(work, Work::Haul(_)));
        let restoring = self.jobs.job(&Work::Restore).is_some();
        let devices =
            self.jobs.must_end().any(|work| matches!(work, Work::SignIn | Work::Leave(_)));
        let late = [
            (devices, format!("The server did not answer in time. {DEVICE_MAY_REMAIN}")),
            (reading, "A backup was still being read: its copy may lack what came last.".into()),
            (restoring, "Keys were still being restored; what was done is kept.".into()),
        ];
        let late = late.into_iter().filter(|(is, _)| *is).map(|(_, words)| words).collect();
        self.say_at_the_end(late);
        if let Leaving::SigningOut { exit, words, .. } = &mut self.leaving {
            let (exit, words) = (*exit, std::mem::take(words));
            self.end(exit, words);
        }
    }

    fn end(&mut self, exit: u8, mut words: Vec<String>) {
        // The demo's folder goes with it; a snapshot that was opened lies where it lay.
        let stays = !self.is_demo() && !self.is_offline();
        if let Some(Last { figures, .. }) = &self.restore.last
            && !self.is_demo()
        {
            words.push(format!(
                "{} {} on this computer, locked with your recovery key.",
                counted(figures.opened, "key"),
                if figures.opened == 1 { "is" } else { "are" }
            ));
            if figures.refused > 0 {
                words.push(format!("{} refused.", counted(figures.refused, "key")));
            }
        }
        let saved = self.hauls.iter().filter(|_| stays);
        let saved = saved.filter_map(|(version, haul)| Some((version, haul.saved()?)));
        for (version, saved) in saved {
            let version = Shown::limited(version, 20);
            let file = Shown::new(&saved.file.to_string_lossy());
            if self.masked {
                words.push(format!("A locked copy of backup {version} is on this computer."));
            } else {
                words.push(format!("A locked copy of backup {version} is in {file}"));
            }
        }
        if let Some(places) = &self.key.to_correct {
            words.push(format!("Correct your paper: {places}."));
        }
        self.leaving = Leaving::Over(Ending { exit, words });
    }

    /// Signing out took too long.
    pub(super) fn patience_ends(&mut self) {
        if matches!(self.leaving, Leaving::SigningOut { until, .. } if until <= self.now) {
            self.end_at_once();
        }
    }

    pub(super) fn leaving_is_under_way(&self) -> bool {
        matches!(self.leaving, Leaving::SigningOut { .. } | Leaving::Over(_))
    }

    /// What of the work would be cut by leaving now.
    pub(in crate::tui) fn cut_by_leaving(&self) -> Option<String> {
        if self.jobs.job(&Work::Export).is_some() {
            let keys = counted(self.take.carried, "key");
            return Some(format!(
                "A key file is being written: {keys} so far. Leaving makes none."
            ));
        }
        if self.jobs.job(&Work::Restore).is_some() {
            let keys = counted(self.restore.figures.opened, "key");
            return Some(format!("{keys} are restored."));
        }
        let version = self.jobs.hauling()?;
        let haul = self.hauls.get(version)?;
        let all = self.backups.version(version).and_then(|version| version.count);
        let keys = grouped(haul.keys);
        Some(match all {
            Some(all) => format!("{keys} of {} keys are read.", grouped(all)),
            None => format!("{keys} keys are read."),
        })
    }
}
