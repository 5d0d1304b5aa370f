//! The search for a slip: begun by Enter in step 4, and never taken without a key press.

use crate::{
    backup::repair::{SEARCHED, Slips},
    base::failure::{Code, Failure},
    recovery::{
        judged::{Shape, Verdict},
        repair::Repaired,
        slips,
        unlock::SecretKind,
    },
    tui::{
        effect::Effect,
        field::Edit,
        intent::Intent,
        jobs::Work,
        list::Move,
        mend::{Mend, State},
        model::{Branch, Model},
    },
};

impl Model {
    /// Says whether what is typed opens nothing although another secret at hand does: a slip in it must not go
    /// unnoticed.
    pub(in crate::tui) fn typed_opens_nothing(&self) -> bool {
        let last = self.key.opened.as_ref().map(|opened| opened.kind);
        let others = !self.key.others.is_empty() && !self.key.field.is_empty();
        others && last == Some(SecretKind::Unknown)
    }

    /// Says whether Enter searches for a slip in what is typed.
    pub(in crate::tui) fn could_mend(&self) -> bool {
        let field = &self.key.field;
        let possible = SEARCHED.contains(&field.letters());
        if field.shape() != Shape::RecoveryKey || !possible {
            return false;
        }
        match (&self.key.opened, field.verdict()) {
            (Some(opened), _) => {
                let nothing = opened.fits.is_empty() && opened.left_out_seconds.is_none();
                nothing || self.typed_opens_nothing()
            }
            (None, verdict) => matches!(
                verdict,
                Verdict::Slip
                    | Verdict::Missing { .. }
                    | Verdict::TooMany { .. }
                    | Verdict::Impossible { .. }
                    | Verdict::OneCase { .. }
            ),
        }
    }

    /// Begins to search for what was meant.
    pub(super) fn begin_mend(&mut self, effects: &mut Vec<Effect>) {
        let Some(visit) = self.visiting.as_ref().map(|visiting| visiting.job) else { return };
        if self.backups.looked.is_none() {
            return self.remark("One moment: keyhaul still looks which backups there are.");
        }
        let secret = self.key.field.secret();
        let job = self.begin(Work::Mend, effects);
        self.key.field.hide();
        self.key.in_field = false;
        self.branch(Branch::Mend(Mend::begun(self.now)));
        effects.push(Effect::Mend { job, visit, secret });
    }

    fn mend(&mut self) -> Option<&mut Mend> {
        match self.branches.last_mut() {
            Some(Branch::Mend(mend)) => Some(mend),
            _ => None,
        }
    }

    pub(super) fn on_mend(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::Back => {
                self.end_mend(effects);
                self.key.in_field = true;
            }
            Intent::GoOn => self.take_mended(effects),
            intent if self.moved(intent) => {}
            _ => self.no_sense(),
        }
    }

    /// Goes away from the search; nobody waits for it any more.
    pub(super) fn end_mend(&mut self, effects: &mut Vec<Effect>) {
        self.branches.retain(|branch| !matches!(branch, Branch::Mend(_)));
        effects.extend(self.jobs.end_kind(&Work::Mend).map(Effect::Cancel));
    }

    /// Takes the answer into the field, where it is judged as if it had been typed.
    fn take_mended(&mut self, effects: &mut Vec<Effect>) {
        if self.mend().is_some_and(|mend| mend.since().is_some()) {
            return self.remark("One moment: the search goes on. Ctrl-C stops it.");
        }
        let Some(Branch::Mend(mend)) = self.branches.pop() else { return };
        let State::Found(repaired) = mend.state else {
            self.key.in_field = true;
            return;
        };
        let [answer] = repaired.answers.as_slice() else {
            // Nobody but the paper can tell which one is right.
            self.key.in_field = true;
            return self.remark("Several keys open something. Compare with your paper.");
        };
        let places = answer.difference.slips.iter().map(|slip| slips::place(slip.position));
        let places = places.collect::<Vec<_>>().join("; ");
        self.key.field.edit(Edit::Clear);
        self.key.field.paste(answer.key.expose());
        self.key.field.pasted = None;
        self.key_changed(effects);
        self.remark(format!("Taken. Correct your paper, too: {places}."));
        self.key.to_correct = Some(places);
    }

    pub(super) fn mend_planned(&mut self, stages: Vec<(Slips, u64)>) {
        if let Some(Mend { state: State::Searching(searching), .. }) = self.mend() {
            searching.stages = stages;
        }
    }

    pub(super) fn mend_goes_on(&mut self, stage: &'static str, tried: u64, left: Option<u64>) {
        if let Some(mend) = self.mend() {
            mend.tells(stage, tried, left);
        }
    }

    /// The search is over. An answer is shown, and waits for Enter.
    pub(super) fn mended(&mut self, mended: Result<Repaired, Failure>, effects: &mut Vec<Effect>) {
        let now = self.now;
        let Some(mend) = self.mend() else { return };
        let took = mend.since().map_or(now, |since| now.saturating_sub(since));
        match mended {
            Ok(repaired) if repaired.answers.is_empty() => {
                mend.state = State::Nothing { tried: repaired.tried, took };
            }
            // It is right as it is: that is for the step below to tell.
            Ok(repaired) if repaired.answers.iter().any(|one| one.difference.slips.is_empty()) => {
                self.branches.pop();
                self.key.in_field = true;
                self.try_if_ready(effects);
            }
            Ok(repaired) => mend.state = State::Found(Box::new(repaired)),
            Err(failure) => {
                self.branches.pop();
                self.key.in_field = true;
                if failure.code() == Code::Stopped {
                    self.remark("Stopped. What you typed is still there.");
                } else {
                    self.failed(failure, Vec::new());
                }
            }
        }
        self.settle();
    }

    /// In a small window the differing cells are seen two at a time.
    pub(super) fn go_in_mend(&mut self, to: Move) {
        if let Some(mend) = self.mend() {
            let cells = match &mend.state {
                State::Found(repaired) => repaired.answers.first().map_or(0, |answer| {
                    let cells = answer.difference.cells.iter();
                    cells.filter(|cell| cell.iter().any(|pair| !pair.is_right())).count()
                }),
                _ => 0,
            };
            mend.cursor.go(to, cells, 1);
        }
    }
}
