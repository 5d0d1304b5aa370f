//! Step 7: a key file for other apps, signing out.

use std::path::PathBuf;

use crate::{
    base::{
        failure::{Code, Failure},
        secret::SecretText,
    },
    recovery::{key_files::export::Exported, sign_in::Device},
    tui::{
        effect::Effect,
        field::{Edit, Field},
        intent::Intent,
        jobs::Work,
        list::{Cursor, Move},
        model::{Branch, Model, Step},
        paper_form::Paper,
        restore_step::Stage,
        take_away::{Form, Item, Made, Missing, Part},
    },
};

impl Model {
    /// The ways to take keys along, and to finish.
    pub(in crate::tui) fn take_away_items(&self) -> Vec<Item> {
        let mut items = vec![Item::KeyFile];
        items.extend([Paper::Sheet, Paper::Report].map(Item::Paper));
        items.push(Item::SignOut);
        if self.account.as_ref().is_some_and(|account| account.signed.device == Device::Ours) {
            items.push(Item::Stay);
        }
        items
    }

    pub(super) fn on_take_away(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::GoOn | Intent::Open => match self.take_away_items().get(self.take.cursor.at) {
                Some(Item::KeyFile) => self.open_key_file(effects),
                Some(Item::Paper(paper)) => self.open_paper(*paper),
                Some(Item::SignOut) => self.leave(effects),
                Some(Item::Stay) if self.is_cut_by_leaving() => self.leave(effects),
                Some(Item::Stay) => self.sign_out(true, effects),
                None => self.no_sense(),
            },
            Intent::Back => self.go_to(Step::Proof, effects),
            _ if self.moved(intent) => {}
            _ => self.no_sense(),
        }
    }

    pub(super) fn go_in_take_away(&mut self, to: Move, seen: usize) {
        let rows = self.take_away_items().len();
        self.take.cursor.go(to, rows, seen);
    }

    fn open_key_file(&mut self, effects: &mut Vec<Effect>) {
        if !self.has_keys_here() {
            return self.remark("There are no keys on this computer yet. Restore some first.");
        }
        if self.key.visit.is_none() {
            return self
                .remark("Your keys are here, locked. Type your recovery key first: press 4.");
        }
        if self.jobs.job(&Work::Restore).is_some() {
            return self.remark("One moment: keys are still being restored.");
        }
        let form = &mut self.take.form;
        if form.file.is_empty() {
            let day = self.settings.zone.to_datetime(self.settings.began).date();
            form.file = Field::with(&format!("~/matrix-keys-{day}.txt"));
        }
        form.failed = None;
        self.branch(Branch::KeyFile);
        self.make_passphrase(effects);
    }

    /// Says whether the session is another app's, which keyhaul leaves as it is.
    pub(in crate::tui) fn has_others_device(&self) -> bool {
        let device = self.account.as_ref().map(|account| account.signed.device);
        device.is_some_and(|device| device != Device::Ours)
    }

    /// Says whether keys are on this computer that a key file could hold.
    pub(in crate::tui) fn has_keys_here(&self) -> bool {
        let some = |restoring: &crate::recovery::restore::Restoring| {
            let here = restoring.runs.iter().map(|run| run.tally.figures.unchanged).sum::<u64>();
            restoring.stored_total > 0 || here > 0
        };
        let Self { restore, .. } = self;
        restore.last.as_ref().is_some_and(|last| last.stored_total > 0)
            || restore.plan.as_deref().is_some_and(some) && restore.stage != Stage::Nothing
    }

    fn make_passphrase(&mut self, effects: &mut Vec<Effect>) {
        if self.take.form.made.is_none() && self.jobs.job(&Work::Passphrase).is_none() {
            let job = self.begin(Work::Passphrase, effects);
            effects.push(Effect::MakePassphrase { job });
        }
    }

    pub(super) fn passphrase_made(&mut self, passphrase: SecretText) {
        self.take.form.made = Some(passphrase);
        self.take.form.written = false;
    }

    /// Rooms that somebody chose at step 3.
    pub(in crate::tui) fn chosen_for_file(&self) -> Vec<String> {
        let version = self.open.clone().unwrap_or_default();
        self.chosen_rooms(std::slice::from_ref(&version))
    }

    pub(super) fn on_key_file(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::Back => {
                self.branches.pop();
                self.take.form.chosen.hide();
                self.settle();
            }
            Intent::GoOn => self.make_key_file(effects),
            Intent::NextPart | Intent::Down => self.go_in_form(Move::By(1)),
            Intent::PreviousPart | Intent::Up => self.go_in_form(Move::By(-1)),
            Intent::Choose => self.change_in_form(effects),
            Intent::Show if self.masked => self.remark("Nothing is shown while names are hidden."),
            Intent::Show => self.take.form.chosen.show(self.now),
            _ => self.no_sense(),
        }
    }

    pub(super) fn go_in_form(&mut self, to: Move) {
        let parts = self.take.form.parts(!self.chosen_for_file().is_empty());
        let at = parts.iter().position(|part| *part == self.take.form.part).unwrap_or(0);
        let mut cursor = Cursor { at, top: 0 };
        cursor.go(to, parts.len(), parts.len());
        if let Some(part) = parts.get(cursor.at) {
            self.take.form.part = *part;
        }
    }

    /// While the file is written, its name and its passphrase are what they were.
    fn is_being_written(&mut self) -> bool {
        let is = self.jobs.job(&Work::Export).is_some();
        if is {
            self.remark("The file is being written. Ctrl-C stops that.");
        }
        is
    }

    fn change_in_form(&mut self, effects: &mut Vec<Effect>) {
        if self.is_being_written() {
            return;
        }
        let form = &mut self.take.form;
        match form.part {
            Part::Rooms => form.all_rooms = !form.all_rooms,
            Part::Kind => {
                form.own = !form.own;
                self.make_passphrase(effects);
            }
            // Nobody can have written down what was never shown.
            Part::Written if self.masked => {
                self.remark("The passphrase is hidden: m shows it, or choose one of your own.");
            }
            Part::Written => form.written = !form.written,
            Part::File | Part::Chosen | Part::Again => {}
        }
    }

    pub(super) fn edit_key_file(&mut self, edit: Edit) {
        if self.is_being_written() {
            return;
        }
        let form = &mut self.take.form;
        match form.part {
            Part::File => {
                form.file.edit(edit);
                form.failed = None;
            }
            Part::Chosen => form.chosen.edit(edit),
            Part::Again => form.again.edit(edit),
            Part::Rooms | Part::Kind | Part::Written => {}
        }
    }

    pub(super) fn paste_key_file(&mut self, text: &SecretText) {
        if self.is_being_written() {
            return;
        }
        let form = &mut self.take.form;
        match form.part {
            Part::File => form.file.paste(text.expose()),
            Part::Chosen => form.chosen.paste(text.expose()),
            Part::Again => form.again.paste(text.expose()),
            Part::Rooms | Part::Kind | Part::Written => {
                self.remark("There is no field to paste into.");
            }
        }
    }

    fn make_key_file(&mut self, effects: &mut Vec<Effect>) {
        if self.is_being_written() {
            return;
        }
        if let Some(missing) = self.take.form.missing() {
            let (part, words) = match missing {
                Missing::Name => (Part::File, "Type a name for the file."),
                Missing::Making => (Part::Kind, "One moment: the passphrase is being made."),
                Missing::WrittenDown => {
                    (Part::Written, "Write the passphrase down, then press Space.")
                }
                Missing::Longer => {
                    (Part::Chosen, "Take a longer passphrase: 12 characters at least.")
                }
                Missing::Same => (Part::Again, "Type the same passphrase once more."),
            };
            self.take.form.part = part;
            return self.remark(words);
        }
        let (Some(visit), Some(passphrase)) = (self.key.visit, self.take.form.passphrase()) else {
            return self.remark("Type your recovery key first: press 4.");
        };
        let rooms = match self.take.form.all_rooms {
            true => Vec::new(),
            false => self.chosen_for_file(),
        };
        let file = self.path(self.take.form.file.text().trim());
        self.take.carried = 0;
        self.take.writing.clone_from(&file);
        self.take.form.failed = None;
        let job = self.begin(Work::Export, effects);
        effects.push(Effect::Export { job, visit, file, rooms, passphrase });
    }

    /// A file's name as somebody types it.
    pub(in crate::tui) fn path(&self, typed: &str) -> PathBuf {
        match (typed.strip_prefix("~/"), &self.settings.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(typed),
        }
    }

    pub(super) fn exported(&mut self, exported: Result<Exported, Failure>) {
        match exported {
            Ok(exported) => {
                let file = std::mem::take(&mut self.take.writing);
                self.take.made.push(Made { file, exported });
                // The passphrase has done its work.
                self.take.form = Form::default();
                match self.branches.last() {
                    Some(Branch::KeyFile) => {
                        self.branches.pop();
                        self.branch(Branch::KeyFileMade);
                    }
                    // Somebody is elsewhere by now, and may be typing.
                    _ => self.remark("The key file is written. Step 7 tells where it is."),
                }
            }
            Err(failure) if failure.code() == Code::Stopped => {
                self.remark("Stopped. No file was made.");
            }
            Err(failure) => {
                self.take.form.part = Part::File;
                self.take.form.failed = Some(match failure.code() {
                    Code::FileExists => {
                        // Enter writes beside it.
                        let beside = beside(self.take.form.file.text().trim());
                        self.take.form.file = Field::with(&beside);
                        failure.with("name2", &*beside)
                    }
                    _ => failure,
                });
            }
        }
    }

    pub(super) fn on_key_file_made(&mut self, intent: Intent) {
        match intent {
            Intent::Back | Intent::GoOn | Intent::Close => {
                self.branches.pop();
                self.settle();
            }
            _ => self.no_sense(),
        }
    }
}

/// Another name for a file, beside the one that is there.
pub(super) fn beside(name: &str) -> String {
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !ending.contains('/') && !stem.is_empty() => (stem, ending),
        _ => (name, ""),
    };
    let (stem, number) = match stem.rsplit_once('-') {
        Some((begin, number)) if number.len() < 3 => match number.parse::<u32>() {
            // A day is no number of ours.
            Ok(number) if !begin.ends_with(|c: char| c.is_ascii_digit()) || number > 31 => {
                (begin, number)
            }
            _ => (stem, 1),
        },
        _ => (stem, 1),
    };
    let dot = if ending.is_empty() { "" } else { "." };
    format!("{stem}-{}{dot}{ending}", number + 1)
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn another_name_is_beside() {
        assert_eq!(beside("~/matrix-keys-2026-11-24.txt"), "~/matrix-keys-2026-11-24-2.txt");
        assert_eq!(beside("keys.txt"), "keys-2.txt");
        assert_eq!(beside("keys-2.txt"), "keys-3.txt");
        assert_eq!(beside("/a.b/keys"), "/a.b/keys-2");
        assert_ne!(beside("x-2026-11-24-2.txt"), "x-2026-11-24-2.txt");
    }
}
