//! Step 7: a report for support, and a recovery sheet.

use crate::{
    base::{
        failure::{Code, Failure},
        secret::SecretText,
        shown::Shown,
    },
    tui::{
        effect::Effect,
        field::{Edit, Field},
        intent::Intent,
        jobs::Work,
        model::{Branch, Model},
        page::{own, private},
        paper_form::Paper,
    },
};

use super::take_away::beside;

impl Model {
    pub(super) fn open_paper(&mut self, paper: Paper) {
        if self.settled_visit().is_none() {
            return;
        }
        let day = self.settings.zone.to_datetime(self.settings.began).date();
        let form = &mut self.take.paper;
        if form.paper != paper || form.file.is_empty() {
            form.file = Field::with(&format!("~/{}-{day}.txt", paper.file_name()));
        }
        form.paper = paper;
        form.failed = None;
        self.branch(Branch::Paper);
    }

    pub(super) fn on_paper(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::Back => {
                effects.extend(self.jobs.end_kind(&Work::Paper).map(Effect::Cancel));
                self.branches.pop();
                self.settle();
            }
            Intent::GoOn if self.jobs.job(&Work::Paper).is_some() => {
                self.remark("The file is being written. Ctrl-C stops that.");
            }
            Intent::GoOn if self.take.paper.file.text().trim().is_empty() => {
                self.remark("Type a name for the file.");
            }
            Intent::GoOn => {
                let Some(visit) = self.settled_visit() else { return };
                let file = self.path(self.take.paper.file.text().trim());
                let form = &mut self.take.paper;
                (form.keys, form.failed) = (0, None);
                form.writing.clone_from(&file);
                let paper = form.paper;
                let job = self.begin(Work::Paper, effects);
                effects.push(Effect::Paper { job, visit, paper, file });
            }
            _ => self.no_sense(),
        }
    }

    pub(super) fn edit_paper(&mut self, edit: Edit) {
        if self.jobs.job(&Work::Paper).is_some() {
            return self.remark("The file is being written. Ctrl-C stops that.");
        }
        self.take.paper.file.edit(edit);
        self.take.paper.failed = None;
    }

    pub(super) fn paste_paper(&mut self, text: &SecretText) {
        if self.jobs.job(&Work::Paper).is_some() {
            return self.remark("The file is being written. Ctrl-C stops that.");
        }
        self.take.paper.file.paste(text.expose());
    }

    pub(super) fn paper_written(&mut self, written: Result<(), Failure>) {
        let form = &mut self.take.paper;
        match written {
            Ok(()) => {
                let (paper, file) = (form.paper, std::mem::take(&mut form.writing));
                form.file = Field::default();
                let name = Shown::new(&file.to_string_lossy());
                form.made.push((paper, file));
                if matches!(self.branches.last(), Some(Branch::Paper)) {
                    self.branches.pop();
                    self.settle();
                }
                let paper = paper.name();
                self.remark =
                    Some(vec![own(format!("The {paper} is in ")), private(&name), own(".")]);
            }
            Err(failure) if failure.code() == Code::Stopped => {
                self.remark("Stopped. No file was made.");
            }
            Err(failure) => {
                form.failed = Some(match failure.code() {
                    Code::FileExists => {
                        // Enter writes beside it.
                        let beside = beside(form.file.text().trim());
                        form.file = Field::with(&beside);
                        failure.with("name2", &*beside)
                    }
                    _ => failure,
                });
            }
        }
    }
}
