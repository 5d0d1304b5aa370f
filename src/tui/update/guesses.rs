//! Step 4, a list of passphrases that somebody may have used.

use std::path::PathBuf;

use crate::{
    base::{
        failure::{Code, Failure},
        secret::SecretText,
        shown::grouped,
    },
    recovery::{
        judged::Shape,
        passphrase_list::{Estimate, difference},
    },
    tui::{
        effect::Effect,
        field::{Edit, Field},
        guess_step::Part,
        intent::Intent,
        jobs::Work,
        key_step::KeyStep,
        message::{Guessing, Hit},
        model::{Branch, Model},
    },
};

impl Model {
    pub(super) fn open_guesses(&mut self, effects: &mut Vec<Effect>) {
        if self.backups.looked.is_none() {
            return self.remark("One moment: keyhaul still looks which backups there are.");
        }
        let KeyStep { field, opened, .. } = &self.key;
        let closed = opened.as_ref().is_none_or(|opened| opened.closed.is_some());
        // Whoever typed a passphrase that opens nothing means something like it.
        if self.guess.lines.is_empty() && closed && field.shape() == Shape::Passphrase {
            let typed = field.secret();
            self.guess.lines.extend(Some(typed).filter(|typed| !typed.is_empty()));
        }
        self.key.field.hide();
        self.guess.part = Part::Line;
        self.guess.failed = None;
        self.branch(Branch::Passphrases);
        self.count_guesses(effects);
    }

    pub(super) fn on_guesses(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        if self.guess.trying.is_some() {
            return self.remark("They are being tried. Ctrl-C stops that and keeps your lines.");
        }
        match (intent, self.guess.part) {
            (Intent::Back, Part::File) => {
                self.guess.part = Part::Line;
                self.guess.failed = None;
            }
            (Intent::Back, _) => {
                self.branches.pop();
                self.guess.field.hide();
                self.settle();
            }
            (Intent::GoOn, Part::File) => self.read_list(effects),
            (Intent::GoOn, _) => self.go_on_from_line(effects),
            (Intent::NextPart | Intent::Down, _) => self.go_to_part(1),
            (Intent::PreviousPart | Intent::Up, _) => self.go_to_part(-1),
            (Intent::Choose, Part::Kind(kind)) => {
                self.guess.turn(kind);
                self.guesses_changed(effects);
            }
            (Intent::ReadFile, _) => {
                self.guess.part = Part::File;
                self.guess.failed = None;
            }
            (Intent::Forget, _) => {
                self.guess.forget();
                self.guesses_changed(effects);
                self.remark("The list is forgotten.");
            }
            (Intent::Show, _) if self.masked => {
                self.remark("Nothing is shown while names are hidden.");
            }
            (Intent::Show, _) => self.guess.field.show(self.now),
            _ => self.no_sense(),
        }
    }

    /// Enter behind the last character of a paste without brackets ends a line and begins nothing.
    pub(super) fn add_pasted_line(&mut self, effects: &mut Vec<Effect>) {
        if self.guess.part == Part::Line && self.guess.add_typed() {
            self.guesses_changed(effects);
        }
    }

    fn go_to_part(&mut self, by: isize) {
        let parts = self.guess.parts();
        let at = parts.iter().position(|part| *part == self.guess.part).unwrap_or(0);
        let there = at.saturating_add_signed(by).min(parts.len() - 1);
        if let Some(part) = parts.get(there) {
            self.guess.part = *part;
        }
        self.guess.field.hide();
    }

    pub(super) fn edit_guesses(&mut self, edit: Edit, effects: &mut Vec<Effect>) {
        let guess = &mut self.guess;
        if !guess.in_field() {
            return;
        }
        match guess.part {
            Part::File => {
                guess.file.edit(edit);
                guess.failed = None;
            }
            Part::Line if edit == Edit::Backspace && guess.field.is_empty() => {
                if guess.take_back() {
                    self.guesses_changed(effects);
                }
            }
            _ => guess.field.edit(edit),
        }
    }

    pub(super) fn paste_guesses(&mut self, text: &SecretText, effects: &mut Vec<Effect>) {
        if self.guess.trying.is_some() {
            return self.remark("They are being tried. Ctrl-C stops that and keeps your lines.");
        }
        if self.guess.part == Part::File {
            self.guess.file.paste(text.expose());
            return;
        }
        self.guess.part = Part::Line;
        if self.guess.paste(text.expose()) {
            self.guesses_changed(effects);
        }
    }

    /// Enter on a line adds it; on an empty one it begins.
    fn go_on_from_line(&mut self, effects: &mut Vec<Effect>) {
        let added = self.guess.add_typed();
        if added {
            self.guesses_changed(effects);
        }
        if added && self.guess.part == Part::Line {
            return;
        }
        if self.guess.lines.is_empty() {
            self.guess.part = Part::Line;
            return self.remark("Type a passphrase that you may have used first.");
        }
        self.try_guesses(effects);
    }

    fn try_guesses(&mut self, effects: &mut Vec<Effect>) {
        let Some(visit) = self.visiting.as_ref().map(|visiting| visiting.job) else { return };
        // How long it takes stands on the screen, or was said instead of beginning.
        let asked = |failure: &Failure| failure.code() == Code::ListSlow;
        let slow = self.guess.estimate.is_some() || self.guess.failed.as_ref().is_some_and(asked);
        self.guess.failed = None;
        self.guess.found = None;
        let job = self.begin(Work::TryList, effects);
        self.guess.trying = Some((self.now, Guessing::default()));
        let (lines, kinds) = (self.guess_lines(), self.guess.kinds.clone());
        effects.push(Effect::Guess { job, visit, lines, kinds, slow });
    }

    fn guess_lines(&self) -> Vec<SecretText> {
        self.guess.lines.iter().map(SecretText::duplicate).collect()
    }

    fn guesses_changed(&mut self, effects: &mut Vec<Effect>) {
        self.guess.failed = None;
        self.guess.found = None;
        self.count_guesses(effects);
    }

    /// Lets count what there is to try, and how long that takes.
    fn count_guesses(&mut self, effects: &mut Vec<Effect>) {
        self.guess.estimate = None;
        effects.extend(self.jobs.end_kind(&Work::Count).map(Effect::Cancel));
        let Some(visit) = self.visiting.as_ref().map(|visiting| visiting.job) else { return };
        if self.guess.lines.is_empty() {
            return;
        }
        let job = self.begin(Work::Count, effects);
        let (lines, kinds) = (self.guess_lines(), self.guess.kinds.clone());
        effects.push(Effect::Count { job, visit, lines, kinds });
    }

    pub(super) fn counted(&mut self, counted: Result<Estimate, Failure>) {
        match counted {
            Ok(estimate) => self.guess.estimate = Some(estimate),
            Err(failure) => self.guess.failed = Some(failure),
        }
    }

    fn read_list(&mut self, effects: &mut Vec<Effect>) {
        let typed = self.guess.file.text().trim().to_owned();
        if typed.is_empty() {
            return self.remark("Type the name of a file first.");
        }
        let file: PathBuf = self.path(&typed);
        let job = self.begin(Work::ReadList, effects);
        effects.push(Effect::ReadList { job, file });
    }

    pub(super) fn list_read(
        &mut self,
        read: Result<Vec<SecretText>, Failure>,
        effects: &mut Vec<Effect>,
    ) {
        match read {
            Ok(lines) => {
                self.remark(match lines.len() {
                    1 => "1 line was read.".to_owned(),
                    lines => format!("{} lines were read.", grouped(lines as u64)),
                });
                self.guess.lines.extend(lines);
                self.guess.file = Field::default();
                self.guess.part = Part::Line;
                self.guesses_changed(effects);
            }
            Err(failure) => self.guess.failed = Some(failure),
        }
    }

    pub(super) fn guessing(&mut self, far: Guessing) {
        if let Some((_, guessing)) = &mut self.guess.trying {
            *guessing = far;
        }
    }

    /// A passphrase opens something: it goes the way of one that was typed at this step.
    pub(super) fn guessed(
        &mut self,
        guessed: Result<Box<Hit>, Failure>,
        effects: &mut Vec<Effect>,
    ) {
        self.guess.trying = None;
        match guessed {
            Ok(hit) => {
                let how = difference(hit.variation).map(|how| format!(", {how},"));
                let line = grouped(hit.line);
                let found = format!("Line {line}{} opens a lock.", how.unwrap_or_default());
                // Whoever let it run alone gets their quarter of an hour now.
                self.last_press = self.now;
                self.guess.found = Some(found.clone());
                self.branches.clear();
                self.key.field.edit(Edit::Clear);
                self.key.field.paste(hit.secret.expose());
                self.try_secret(false, effects);
                self.remark(found);
            }
            Err(failure) if failure.code() == Code::Stopped => {
                self.remark("Stopped. Your lines are still here.");
            }
            Err(failure) => self.guess.failed = Some(failure),
        }
    }

    /// What is tried belongs to an account that is left, or to a list that is left.
    pub(super) fn end_guesses(&mut self, effects: &mut Vec<Effect>) {
        for work in [Work::TryList, Work::Count, Work::ReadList] {
            effects.extend(self.jobs.end_kind(&work).map(Effect::Cancel));
        }
        self.guess.trying = None;
        self.guess.estimate = None;
    }
}
