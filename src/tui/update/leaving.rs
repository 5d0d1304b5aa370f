//! The way out: stopping work, signing out, and what is said at the end.

use crate::{
    base::{
        failure::Failure,
        shown::{Shown, grouped},
    },
    recovery::sign_in::Left,
    tui::{
        effect::Effect,
        jobs::Work,
        list::Cursor,
        message::Moment,
        model::{Ending, Leaving, Model},
        overlay::Overlay,
    },
};

/// How long signing out may take before keyhaul ends without an answer.
const PATIENCE: Moment = Moment::from_secs(10);
/// How long it may take when the system wants the end.
const HURRY: Moment = Moment::from_secs(2);

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
        let shown = running.iter().any(|(work, _)| !matches!(work, Work::Names | Work::Kept));
        // The work itself tells how far it came; until then it counts as running.
        effects.extend(running.into_iter().map(|(_, job)| Effect::Cancel(job)));
        self.remark(if shown {
            "Stopping. What is done is kept. Press Ctrl-C again to leave keyhaul."
        } else {
            "Nothing runs. Press Ctrl-C again to leave keyhaul."
        });
    }

    /// q: asks only while something runs that would be cut.
    pub(super) fn leave(&mut self, effects: &mut Vec<Effect>) {
        if self.jobs.hauling().is_some() {
            self.overlays.push(Overlay::Leave { cursor: Cursor::default() });
        } else {
            self.sign_out(false, effects);
        }
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
        for (_, job) in self.jobs.stoppable() {
            self.jobs.end(job);
            effects.push(Effect::Cancel(job));
        }
        let Some(account) = self.account.as_ref().map(|account| account.job) else {
            return self.end(exit, Vec::new());
        };
        self.leaving = Leaving::SigningOut { until: self.now + patience, exit };
        let job = self.begin(Work::Leave, effects);
        effects.push(Effect::Leave { job, account, stay });
    }

    pub(super) fn left(&mut self, left: Result<Left, Failure>) {
        let Leaving::SigningOut { exit, .. } = self.leaving else { return };
        let words = match left {
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
        };
        self.end(exit, words);
    }

    /// Ends now, whatever the server says.
    pub(super) fn end_at_once(&mut self) {
        if let Leaving::SigningOut { exit, .. } = self.leaving {
            let words = "The server did not answer in time. Perhaps a device “keyhaul recovery” is \
                         still on your account; any app can remove it.";
            self.end(exit, vec![words.to_owned()]);
        }
    }

    fn end(&mut self, exit: u8, mut words: Vec<String>) {
        // The demo's folder goes with it; a snapshot that was opened lies where it lay.
        let stays = self.sign_in.demo.is_none() && !self.is_offline();
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
        self.leaving = Leaving::Over(Ending { exit, words });
    }

    /// Signing out took too long.
    pub(super) fn patience_ends(&mut self) {
        if let Leaving::SigningOut { until, .. } = self.leaving
            && until <= self.now
        {
            self.end_at_once();
        }
    }

    pub(super) fn leaving_is_under_way(&self) -> bool {
        matches!(self.leaving, Leaving::SigningOut { .. } | Leaving::Over(_))
    }

    /// What of the work would be cut by leaving now.
    pub(in crate::tui) fn cut_by_leaving(&self) -> Option<String> {
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
