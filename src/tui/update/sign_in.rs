//! Step 1: finding the server, choosing a way in, signing in.

use std::sync::Arc;

use crate::{
    backup::version::BackupVersion,
    base::{
        failure::{Code, Failure},
        secret::SecretText,
        words::length,
    },
    recovery::{
        look::Wanted,
        sign_in::{Found, Way, may_leave_a_device},
    },
    tui::{
        backups::Backups,
        effect::{At, Effect},
        field::{Edit, Field},
        intent::Intent,
        jobs::Work,
        keymap::Place,
        list::Move,
        message::{DemoPaper, Job, Moment, Signed},
        model::{Account, Model, Step, Visiting},
        overlay::{Choice, Repeat},
        proof_step::ProofStep,
        restore_step::RestoreStep,
        sign_in::{Finding, Part},
    },
};

impl Model {
    pub(super) fn on_sign_in(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::GoOn => self.go_on_from_part(effects),
            Intent::Back if self.sign_in.in_field => self.sign_in.in_field = false,
            Intent::Back if self.visiting.is_some() => self.go_to(Step::Backups, effects),
            Intent::Back => self.remark("This is the first step. q leaves keyhaul."),
            Intent::NextPart => self.go_in_parts(Move::By(1)),
            Intent::PreviousPart => self.go_in_parts(Move::By(-1)),
            Intent::Again => {
                if let Some(job) = self.jobs.end_kind(&Work::Find) {
                    effects.push(Effect::Cancel(job));
                }
                self.find_server(effects);
            }
            Intent::Show => self.show_typed(),
            _ if self.moved(intent) => {}
            _ => self.no_sense(),
        }
    }

    pub(super) fn go_in_parts(&mut self, to: Move) {
        let parts = self.sign_in.parts();
        let at = parts.iter().position(|part| *part == self.sign_in.part).unwrap_or(0);
        let last = parts.len().saturating_sub(1);
        let at = match to {
            Move::By(0) => return,
            Move::By(by) => at.saturating_add_signed(by).min(last),
            Move::First => 0,
            Move::Last => last,
            Move::To(row) => row.min(last),
        };
        if let Some(part) = parts.get(at).copied() {
            self.sign_in.focus(part);
        }
    }

    fn show_typed(&mut self) {
        if self.masked {
            return self.remark("Nothing is shown while names are hidden.");
        }
        let now = self.now;
        match self.sign_in.part {
            Part::Password => self.sign_in.password.show(now),
            Part::Token => self.sign_in.token.show(now),
            _ => self.remark("What you type here is visible."),
        }
    }

    /// Says whether what is typed goes into a field for secrets.
    pub(in crate::tui) fn in_secret_field(&self) -> bool {
        self.overlays.is_empty()
            && self.place() == Place::SignIn
            && self.in_field()
            && matches!(self.sign_in.part, Part::Password | Part::Token)
    }

    pub(super) fn edit_sign_in(&mut self, edit: Edit, effects: &mut Vec<Effect>) {
        if !self.sign_in.in_field {
            return;
        }
        match self.sign_in.part {
            Part::Id => {
                let before = self.sign_in.id.text().to_owned();
                self.sign_in.id.edit(edit);
                if before != self.sign_in.id.text() {
                    self.id_changed(effects);
                }
            }
            Part::Name => self.sign_in.name.edit(edit),
            Part::Password => self.sign_in.password.edit(edit),
            Part::Token => self.sign_in.token.edit(edit),
            _ => {}
        }
    }

    pub(super) fn paste_sign_in(&mut self, text: &SecretText, effects: &mut Vec<Effect>) {
        match self.sign_in.part {
            Part::Id => {
                self.sign_in.id.paste(text.expose());
                self.id_changed(effects);
            }
            Part::Name => self.sign_in.name.paste(text.expose()),
            Part::Password => self.sign_in.password.paste(text.expose()),
            Part::Token => self.sign_in.token.paste(text.expose().trim()),
            _ => {}
        }
    }

    fn id_changed(&mut self, effects: &mut Vec<Effect>) {
        if self.sign_in.id_changed(self.now)
            && let Some(job) = self.jobs.end_kind(&Work::Find)
        {
            effects.push(Effect::Cancel(job));
        }
    }

    /// Asks for the server of what is typed.
    pub(super) fn find_server(&mut self, effects: &mut Vec<Effect>) {
        self.sign_in.ask_at = None;
        let Some(typed) = self.sign_in.subject() else { return };
        let job = self.begin(Work::Find, effects);
        self.sign_in.finding = Finding::Asking;
        effects.push(Effect::Find { job, typed });
    }

    pub(super) fn server_found(&mut self, found: Result<Found, Failure>) {
        self.sign_in.finding = match found {
            Ok(found) => Finding::Found(found),
            Err(failure) => Finding::Failed(failure),
        };
        let go_on = std::mem::take(&mut self.sign_in.go_on);
        if self.sign_in.found().is_none() || !go_on {
            return;
        }
        self.sign_in.focus(self.sign_in.first_way());
    }

    fn go_on_from_part(&mut self, effects: &mut Vec<Effect>) {
        match self.sign_in.part {
            Part::Id if self.sign_in.id.text().trim().is_empty() => {
                self.sign_in.in_field = true;
                self.remark("Type your Matrix id first, for example @name:server.");
            }
            Part::Id if self.sign_in.found().is_some() => {
                self.sign_in.focus(self.sign_in.first_way());
            }
            Part::Id => {
                self.sign_in.go_on = true;
                if !matches!(self.sign_in.finding, Finding::Asking) {
                    self.find_server(effects);
                }
            }
            Part::Name if self.sign_in.name.is_empty() => {
                self.sign_in.in_field = true;
                self.remark("Type your name on this server, the part before the colon.");
            }
            Part::Name => self.sign_in.focus(self.sign_in.first_way()),
            Part::Password => self.sign_in_by_password(effects),
            Part::Token if self.sign_in.token.is_empty() && self.account.is_some() => {
                self.sign_in_by_password(effects);
            }
            Part::Token if self.sign_in.token.is_empty() => {
                self.sign_in.in_field = true;
                self.remark("Paste an access token of an app that is signed in.");
            }
            Part::Token => {
                let token = self.sign_in.token.secret();
                // Whoever heard whose it is and presses Enter once more means that account.
                let failed = self.sign_in.failed.as_ref();
                let told = failed.is_some_and(|failed| failed.code() == Code::TokenOfAnother);
                let user = self.sign_in.user().filter(|_| !told);
                self.sign_in_with(Way::Token(token), user, effects);
            }
            Part::Browser | Part::Other => self
                .remark("keyhaul cannot do this yet. An access token of another app works today."),
            Part::Snapshot => self.open_file(effects),
            Part::Demo => self.begin_demo(effects),
        }
    }

    pub(super) fn begin_demo(&mut self, effects: &mut Vec<Effect>) {
        if self.jobs.since(&Work::Demo).is_none() {
            let job = self.begin(Work::Demo, effects);
            effects.push(Effect::Demo { job });
        }
    }

    fn sign_in_by_password(&mut self, effects: &mut Vec<Effect>) {
        if let Some(left) = self.sign_in.waits(self.now) {
            let left = length(left.as_secs().max(1));
            return self.remark(format!("The server wants us to wait {left} more."));
        }
        if self.sign_in.password.is_empty() {
            if self.is_signed_in() {
                return self.go_to(Step::Backups, effects);
            }
            // From a snapshot back to the server.
            if let Some(account) = self.account.as_ref().map(|account| account.job) {
                return self.look(At::Account(account), effects);
            }
            self.sign_in.in_field = true;
            return self.remark("Type the password of your account.");
        }
        if self.sign_in.user().is_none() {
            self.sign_in.focus(Part::Name);
            return self.remark("Type your name on this server, the part before the colon.");
        }
        self.sign_in.tries += 1;
        let (secret, user) = (self.sign_in.password.secret(), self.sign_in.user());
        self.sign_in_with(Way::Password(secret), user, effects);
    }

    pub(super) fn sign_in_with(
        &mut self,
        way: Way,
        user: Option<String>,
        effects: &mut Vec<Effect>,
    ) {
        if self.jobs.since(&Work::SignIn).is_some() {
            return;
        }
        self.sign_in.password.hide();
        self.sign_in.token.hide();
        self.sign_in.failed = None;
        let found = self.sign_in.found().map(|found| found.address.clone());
        let given = self.sign_in.given_server().map(str::to_owned);
        let server = found.or(given);
        let job = self.begin(Work::SignIn, effects);
        effects.push(Effect::SignIn { job, server, user, way });
    }

    pub(super) fn signed_in(
        &mut self,
        job: Job,
        signed: Result<Signed, Failure>,
        effects: &mut Vec<Effect>,
    ) {
        match signed {
            Ok(signed) => {
                // What was typed has done its work.
                self.sign_in.password.edit(Edit::Clear);
                self.sign_in.token.edit(Edit::Clear);
                self.sign_in.tries = 0;
                self.sign_in.in_field = false;
                let origin = |server: &str| server.trim_end_matches('/').to_owned();
                let demo = self.sign_in.demo.as_ref();
                let demo = demo.is_some_and(|demo| origin(&demo.server) == origin(&signed.server));
                if let Some(before) = self.account.replace(Account { job, signed, demo }) {
                    self.settings.wanted = Wanted::Current;
                    self.sign_account_out(before.job, false, effects);
                }
                self.look(At::Account(job), effects);
            }
            Err(failure) => self.sign_in_failed(failure, effects),
        }
    }

    fn sign_in_failed(&mut self, failure: Failure, effects: &mut Vec<Effect>) {
        if failure.code() == Code::TooManyTries {
            let seconds = failure.wait();
            self.sign_in.wait_until = seconds.map(|s| self.now + Moment::from_secs(s));
        }
        if failure.code() == Code::PasswordWrong {
            self.sign_in.password.edit(Edit::Clear);
            self.sign_in.focus(Part::Password);
        }
        self.step = Step::SignIn;
        let in_place = self.sign_in.found().is_some()
            && matches!(self.sign_in.part, Part::Password | Part::Token);
        if !in_place {
            self.find_server(effects);
        }
        if failure.code() != Code::Stopped || may_leave_a_device(&failure) {
            if !in_place {
                // Where no field was filled in, nothing on the screen is beside it.
                self.failed(failure.clone(), vec![Choice::Snapshot, Choice::SignIn]);
            }
            self.sign_in.failed = Some(failure);
        }
    }

    /// Looks which versions there are at another place than before; what was known of a server is gone.
    pub(super) fn look(&mut self, at: At, effects: &mut Vec<Effect>) {
        if let At::Account(_) = at {
            self.start_afresh(effects);
            self.forget_visit(effects);
            self.step = Step::Backups;
        }
        self.look_for(at, self.settings.wanted.clone(), effects);
    }

    pub(super) fn look_for(&mut self, at: At, wanted: Wanted, effects: &mut Vec<Effect>) {
        let job = self.begin(Work::Look, effects);
        self.backups.seen.clear();
        self.opening = None;
        match &at {
            At::Snapshot(file) => self.opening = Some(file.clone()),
            // A second look: the visit of the first one serves until this one is there.
            At::Account(_) if self.visiting.is_some() && !self.is_offline() => {}
            At::Account(_) => self.visiting = Some(Visiting { job, file: None }),
        }
        effects.push(Effect::Look { job, at, wanted });
    }

    /// Nobody needs the visit any more.
    pub(super) fn forget_visit(&mut self, effects: &mut Vec<Effect>) {
        effects.extend(self.visiting.take().map(|visiting| Effect::Forget(visiting.job)));
    }

    /// Forgets what was read at another place.
    pub(super) fn start_afresh(&mut self, effects: &mut Vec<Effect>) {
        for (work, job) in self.jobs.stoppable() {
            let of_place = matches!(
                work,
                Work::Haul(_)
                    | Work::Recount(_)
                    | Work::Names
                    | Work::Sessions
                    | Work::Unlock
                    | Work::Plan
                    | Work::Restore
                    | Work::History
                    | Work::Export
                    | Work::CheckUp
                    | Work::Compare
                    | Work::Paper
            );
            if of_place {
                self.jobs.end(job);
                effects.push(Effect::Cancel(job));
            }
        }
        self.backups = Backups::default();
        self.hauls.clear();
        self.names.clear();
        self.close_key(effects);
        self.end_guesses(effects);
        self.restore = RestoreStep::default();
        self.proof = ProofStep::default();
        self.open = None;
        self.branches.clear();
        self.finding = false;
    }

    pub(super) fn version_seen(&mut self, version: BackupVersion) {
        self.backups.seen.push(version);
        self.settle();
    }

    pub(super) fn demo_began(
        &mut self,
        paper: Result<DemoPaper, Failure>,
        effects: &mut Vec<Effect>,
    ) {
        match paper {
            Ok(paper) => {
                self.lay_out(paper);
                self.find_server(effects);
                self.sign_in.go_on = true;
            }
            Err(failure) => self.failed(failure, vec![Choice::Again(Repeat::Demo)]),
        }
    }

    /// Fills the screen in for the made-up person.
    pub(super) fn lay_out(&mut self, paper: DemoPaper) {
        self.sign_in.id = Field::with(&paper.user);
        self.sign_in.password.fill(&paper.password);
        self.sign_in.focus(Part::Id);
        self.sign_in.demo = Some(DemoPaper { password: Arc::clone(&paper.password), ..paper });
    }
}
