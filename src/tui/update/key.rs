//! Step 4: the secret on paper, and what it opens.

use crate::{
    base::{
        failure::{Code, Failure},
        secret::SecretText,
    },
    recovery::{trust::SignedBy, unlock::LockKind},
    tui::{
        effect::Effect,
        field::Edit,
        intent::Intent,
        jobs::Work,
        keymap::Place,
        message::{Job, Opened},
        model::{Model, Step},
        restore_step::Stage,
    },
};

impl Model {
    pub(super) fn on_recovery_key(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::GoOn => self.go_on_from_key(effects),
            Intent::Back if self.key.in_field => {
                self.key.in_field = false;
                self.key.field.hide();
            }
            Intent::Back => self.go_to(Step::Contents, effects),
            Intent::NextPart | Intent::PreviousPart => {
                self.key.field.choose_next();
                self.key_changed(effects);
            }
            Intent::Show if self.masked => self.remark("Nothing is shown while names are hidden."),
            Intent::Show => self.key.field.show(self.now),
            Intent::OpenPlace => {
                self.key.field.open_place();
                self.key.in_field = true;
                self.key_changed(effects);
            }
            Intent::FitTable => self.open_fits(),
            Intent::OtherKey => self.type_another_key(),
            Intent::Forget if !self.key.field.is_empty() => {
                self.key.field.edit(Edit::Clear);
                self.key.in_field = true;
                self.key_changed(effects);
                self.remark("What was typed is forgotten.");
            }
            Intent::Forget if self.key.others.is_empty() => {
                self.remark("Nothing is typed here.");
            }
            Intent::Forget => {
                self.key.others.clear();
                self.key.in_field = true;
                self.key_changed(effects);
                self.remark("All that was kept at hand is forgotten.");
            }
            Intent::Up | Intent::Down if self.key.in_field => {
                self.key.field.go_by_row(intent == Intent::Down);
            }
            Intent::Again => self.try_secret(false, effects),
            Intent::CheckUp => self.open_check_up(effects),
            Intent::TryList => self.open_guesses(effects),
            _ => self.no_sense(),
        }
    }

    /// Comes to the step: a recovery key that was typed elsewhere is in its place now.
    pub(super) fn enter_key(&mut self, effects: &mut Vec<Effect>) {
        if let Some(secret) = self.kept_secret.take() {
            self.key.field.edit(Edit::Clear);
            self.key.field.paste(secret.expose());
            self.close_key(effects);
        }
        self.key.in_field = self.key.opened.is_none();
        self.try_if_ready(effects);
    }

    /// Says whether what is typed goes into the field for the secret on paper.
    pub(in crate::tui) fn in_key_field(&self) -> bool {
        self.overlays.is_empty() && self.place() == Place::RecoveryKey && self.key.in_field
    }

    pub(super) fn edit_key(&mut self, edit: Edit, effects: &mut Vec<Effect>) {
        if !self.key.in_field {
            return;
        }
        self.key.field.edit(edit);
        if !matches!(edit, Edit::Left | Edit::Right | Edit::Start | Edit::End) {
            self.key_changed(effects);
        }
    }

    pub(super) fn paste_key(&mut self, text: &SecretText, effects: &mut Vec<Effect>) {
        self.key.in_field = true;
        self.key.field.paste(text.expose());
        self.key_changed(effects);
    }

    /// Something else is typed: what was opened before was for the text before.
    pub(super) fn key_changed(&mut self, effects: &mut Vec<Effect>) {
        self.guess.found = None;
        self.close_key(effects);
        self.try_if_ready(effects);
    }

    /// Gives up what was opened, and what is being tried.
    pub(super) fn close_key(&mut self, effects: &mut Vec<Effect>) {
        self.end_mend(effects);
        effects.extend(self.jobs.end_kind(&Work::Unlock).map(Effect::Cancel));
        effects.extend(self.key.visit.map(Effect::Forget));
        self.key.close();
        if self.restore.stage == Stage::Reading {
            self.restore.stage = Stage::Nothing;
        }
    }

    /// Tries what is typed where that costs nothing: nobody should have to ask for it.
    pub(super) fn try_if_ready(&mut self, effects: &mut Vec<Effect>) {
        let looked = self.backups.looked.is_some();
        let open = self.key.opened.is_some() || self.key.trying.is_some();
        if looked && !open && self.key.is_ready() {
            self.try_secret(false, effects);
        }
    }

    pub(super) fn try_secret(&mut self, slow: bool, effects: &mut Vec<Effect>) {
        let Some(visit) = self.visiting.as_ref().map(|visiting| visiting.job) else { return };
        if self.backups.looked.is_none() {
            return self.remark("One moment: keyhaul still looks which backups there are.");
        }
        self.close_key(effects);
        let job = self.begin(Work::Unlock, effects);
        self.key.trying = Some(self.now);
        let secrets = self.key.secrets();
        effects.push(Effect::Unlock { job, visit, secrets, slow });
    }

    fn go_on_from_key(&mut self, effects: &mut Vec<Effect>) {
        if self.key.trying.is_some() {
            return self.remark("One moment: it is being tried on your locks.");
        }
        match &self.key.opened {
            None if self.key.field.is_empty() && self.key.others.is_empty() => {
                self.key.in_field = true;
                self.remark("Type or paste your recovery key or passphrase first.");
            }
            _ if self.could_mend() => self.begin_mend(effects),
            None => self.try_secret(false, effects),
            Some(_) if self.target_version().is_some() => self.go_to(Step::Restore, effects),
            Some(opened) if opened.left_out_seconds.is_some() => self.try_secret(true, effects),
            Some(_) => {
                self.key.in_field = true;
                self.remark(
                    "It opens no backup. Change what is typed, or press Ctrl-U for another.",
                );
            }
        }
    }

    /// Says whether what is typed opens a version.
    pub(in crate::tui) fn key_opens(&self, version: &str) -> bool {
        let fits = self.key.opened.iter().flat_map(|opened| &opened.fits);
        fits.into_iter().any(|fit| fit.kind == LockKind::Backup && fit.id == version)
    }

    /// The versions to restore, from new to old: all whose boxes are ticked, closed ones among them, where
    /// what is typed opens some; else the one that it opens.
    pub(in crate::tui) fn target_versions(&self) -> Vec<String> {
        let ticked = self.ticked();
        if ticked.len() > 1 && ticked.iter().any(|name| self.key_opens(name)) {
            return ticked;
        }
        self.target_version().into_iter().collect()
    }

    /// The version that what is typed opens: one whose box is ticked, the one that is looked at, else the
    /// current one, else the one with most keys.
    pub(in crate::tui) fn target_version(&self) -> Option<String> {
        let opened = self.key.opened.as_ref()?;
        let fits = opened.fits.iter().filter(|fit| fit.kind == LockKind::Backup);
        let (open, wanted) = (self.open.as_deref(), self.key.wanted.as_deref());
        let count = |id: &str| self.backups.version(id).and_then(|version| version.count);
        let best = fits.max_by_key(|fit| {
            let id = Some(&*fit.id);
            let ticked = self.backups.is_ticked(&fit.id);
            (wanted == id, ticked, open == id, fit.current, count(&fit.id))
        });
        best.map(|fit| fit.id.clone())
    }

    pub(super) fn unlocked(&mut self, job: Job, unlocked: Result<Box<Opened>, Failure>) {
        self.key.trying = None;
        self.key.stretched = None;
        match unlocked {
            Ok(opened) => {
                self.key.visit = Some(job);
                // Enter goes on from here; letters are keys again.
                self.key.in_field &= opened.closed.is_some();
                self.key.opened = Some(*opened);
                self.plan_may_open_more();
                if self.is_unexpected() {
                    self.open_fits();
                }
            }
            Err(failure) if failure.code() == Code::Stopped => {
                self.remark("Stopped. What you typed is still there.");
            }
            Err(failure) => self.failed(failure, Vec::new()),
        }
    }

    pub(super) fn judged(&mut self, signers: Vec<(String, Vec<SignedBy>)>) {
        // Where nobody could be asked, what was known before stands.
        if let Some(looked) = self.backups.looked.as_mut().filter(|_| !signers.is_empty()) {
            looked.signers = signers;
            looked.judged = true;
        }
    }
}
