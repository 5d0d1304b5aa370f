//! What happens next: the model and one message become the next model and what is to be done. Pure and
//! instant: no network, no disk, no clock of its own.

mod backups;
mod check_up;
mod compare;
mod contents;
mod fits;
mod guesses;
mod key;
mod leaving;
mod mend;
mod overlays;
mod papers;
mod proof;
mod restore;
mod sign_in;
mod take_away;
mod typing;

use std::{borrow::Cow, collections::BTreeMap};

use ratatui::layout::{Position, Size};

use super::{
    backups::Backups,
    check_up::CheckUp,
    compare_step::Compare,
    draw::{Hit, hit},
    effect::{At, Effect},
    field::{Edit, Field},
    guess_step::GuessStep,
    intent::Intent,
    jobs::{Jobs, Work},
    key_step::KeyStep,
    keymap::Place,
    layout::layout,
    list::Move,
    message::{Happened, Job, Message, Moment},
    model::{Branch, Leaving, Model, SECRETS_KEPT, Settings, Start, Step, Waiting},
    overlay::Overlay,
    page::{Target, line},
    proof_step::ProofStep,
    restore_step::RestoreStep,
    rooms::Names,
    screens,
    sign_in::SignIn,
    take_away::{Form, TakeAway},
};
use crate::{base::secret::SecretText, recovery::sign_in::Way};

impl Model {
    /// The model at the beginning, and what is to be done first.
    pub fn start(settings: Settings, size: Size, start: Start) -> (Self, Vec<Effect>) {
        let mut model = Self {
            size,
            now: Moment::ZERO,
            settings,
            masked: start.masked,
            step: Step::SignIn,
            branches: Vec::new(),
            overlays: Vec::new(),
            explaining: None,
            remark: None,
            waiting: None,
            sign_in: SignIn { in_field: true, server: start.server, ..SignIn::default() },
            account: None,
            visiting: None,
            opening: None,
            backups: Backups::default(),
            hauls: BTreeMap::new(),
            open: None,
            finding: false,
            names: Names::new(),
            names_due: None,
            key: KeyStep::default(),
            guess: GuessStep::default(),
            restore: RestoreStep::default(),
            proof: ProofStep::default(),
            take: TakeAway::default(),
            check_up: CheckUp::default(),
            compare: Compare::default(),
            jobs: Jobs::default(),
            kept_secret: None,
            copying: "",
            last_press: Moment::ZERO,
            last_letter: None,
            leaving: Leaving::No,
        };
        if let Some(paper) = start.demo {
            model.lay_out(paper);
        }
        if let Some(user) = &start.user {
            model.sign_in.id = Field::with(user);
        }
        let mut effects = Vec::new();
        match (start.snapshot, start.way) {
            (Some(file), _) => model.look(At::Snapshot(file), &mut effects),
            (None, Some(Way::Password(secret))) if start.user.is_none() => {
                model.sign_in.password.fill(&secret);
            }
            (None, Some(way)) => model.sign_in_with(way, start.user, &mut effects),
            (None, None) => {}
        }
        if effects.is_empty() && model.sign_in.subject().is_some() {
            model.find_server(&mut effects);
            model.sign_in.go_on = true;
        }
        (model, effects)
    }

    /// Takes one message at a moment; says what is to be done.
    pub fn update(&mut self, now: Moment, message: Message) -> Vec<Effect> {
        self.now = self.now.max(now);
        let mut effects = Vec::new();
        match message {
            Message::Intent(intent) => {
                self.pressed();
                self.intent(intent, &mut effects);
            }
            Message::Edit(edit) => {
                self.pressed();
                if matches!(edit, Edit::Insert(_)) {
                    self.last_letter = Some(self.now);
                }
                self.edit(edit, &mut effects);
            }
            Message::Pasted(text) => {
                self.pressed();
                self.pasted(&text, &mut effects);
            }
            Message::Clicked(at) => {
                self.pressed();
                self.clicked(at, &mut effects);
            }
            Message::Wheel(rows) => self.go(Move::By(rows.into())),
            Message::Resized(size) => {
                self.size = size;
                self.settle();
            }
            Message::Clock => {}
            Message::Signal(exit) => self.must_end(exit, &mut effects),
            Message::Happened(job, happened) => self.happened(job, happened, &mut effects),
        }
        self.time_passed(&mut effects);
        effects
    }

    /// A key was pressed: remarks were for the moment before.
    fn pressed(&mut self) {
        self.last_press = self.now;
        self.remark = None;
    }

    /// What is due at this moment.
    fn time_passed(&mut self, effects: &mut Vec<Effect>) {
        if self.sign_in.ask_at.is_some_and(|at| at <= self.now) {
            self.find_server(effects);
        }
        let (chosen, listed) = (&mut self.take.form.chosen, &mut self.guess.field);
        for field in [&mut self.sign_in.password, &mut self.sign_in.token, chosen, listed] {
            if field.hides_at().is_some_and(|at| at <= self.now) {
                field.hide();
            }
        }
        if self.key.field.hides_at().is_some_and(|at| at <= self.now) {
            self.key.field.hide();
        }
        if self.holds_secrets() && self.last_press + SECRETS_KEPT <= self.now {
            self.sign_in.password.edit(Edit::Clear);
            self.sign_in.token.edit(Edit::Clear);
            self.key.field.edit(Edit::Clear);
            self.key.others.clear();
            self.take.form = Form::default();
            self.branches.retain(|branch| !matches!(branch, Branch::KeyFile | Branch::Fits(_)));
            // A list that is being tried is in use, however long that takes.
            if self.guess.trying.is_none() {
                self.guess.forget();
            }
            self.kept_secret = None;
            // Texts of messages, too, are for nobody while nobody is there.
            self.proof = ProofStep::default();
            // What it opened is closed again, unless that is in use.
            if !self.is_restoring() {
                self.close_key(effects);
            }
            self.remark =
                Some(line("What was typed was forgotten after 15 minutes without a key."));
        }
        if self.names_due.is_some_and(|due| due <= self.now) {
            self.arrange_names();
        }
        self.patience_ends();
    }

    fn intent(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        if !matches!(intent, Intent::Stop | Intent::Redraw)
            && matches!(self.leaving, Leaving::Asked)
        {
            self.leaving = Leaving::No;
        }
        if matches!(self.leaving, Leaving::SigningOut { .. } | Leaving::Over(_)) {
            if intent == Intent::Stop {
                self.end_at_once();
            }
            return;
        }
        match intent {
            Intent::Stop => return self.stop(effects),
            Intent::Redraw => return effects.push(Effect::Redraw),
            Intent::Suspend => return effects.push(Effect::Suspend),
            // Part of a paste without brackets; in a list of passphrases it ends a line.
            Intent::GoOn
                if self.place() == Place::Passphrases
                    && self.overlays.is_empty()
                    && self.is_pasting() =>
            {
                return self.add_pasted_line(effects);
            }
            Intent::GoOn if self.in_field() && self.is_pasting() => return,
            // The last letter of a recovery key ends the field at once: what follows it that soon was
            // meant for the field, and is no command.
            _ if matches!(self.place(), Place::RecoveryKey | Place::Fits) && self.is_pasting() => {
                return;
            }
            _ => {}
        }
        if let Some(edit) = Edit::meant_by(intent).filter(|_| self.in_field()) {
            return self.edit(edit, effects);
        }
        if !self.overlays.is_empty() {
            return self.in_overlay(intent, effects);
        }
        match intent {
            Intent::Help => self.overlays.push(Overlay::Help { top: 0 }),
            Intent::Palette => self.open_palette(),
            Intent::Mask => self.turn_mask(),
            Intent::Explain => {
                self.explaining = if self.explaining.is_some() { None } else { Some(0) }
            }
            Intent::Leave => self.leave(effects),
            Intent::Step(step) => self.go_to(step, effects),
            Intent::OpenFile => self.open_file(effects),
            Intent::CopyCommand => self.copy_command(effects),
            Intent::Copy => match screens::focus_to_copy(self) {
                Some((what, text)) => self.copy(text, what, effects),
                None => self.remark("There is nothing to copy here."),
            },
            _ => self.on_screen(intent, effects),
        }
    }

    fn on_screen(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        if intent == Intent::Back && self.explaining.take().is_some() {
            return;
        }
        match self.place() {
            Place::SignIn => self.on_sign_in(intent, effects),
            Place::Backups => self.on_backups(intent, effects),
            Place::Contents => self.on_contents(intent, effects),
            Place::Room | Place::Key => self.on_room(intent, effects),
            Place::RecoveryKey => self.on_recovery_key(intent, effects),
            Place::Mend => self.on_mend(intent, effects),
            Place::Fits => self.on_fits(intent, effects),
            Place::Passphrases => self.on_guesses(intent, effects),
            Place::Restore => self.on_restore(intent, effects),
            Place::Refused => self.on_refused(intent, effects),
            Place::TakeAway => self.on_take_away(intent, effects),
            Place::KeyFile => self.on_key_file(intent, effects),
            Place::FileMade => self.on_key_file_made(intent),
            Place::CheckUp => self.on_check_up(intent, effects),
            Place::Compare => self.on_compare(intent, effects),
            Place::Paper => self.on_paper(intent, effects),
            Place::Proof => self.on_proof(intent, effects),
            Place::Why => self.on_why(intent),
            Place::ProofRooms => self.on_proof_rooms(intent, effects),
            Place::Everywhere | Place::Lists | Place::Field => self.no_sense(),
        }
    }

    /// Goes to a step; its state is as it was left.
    fn go_to(&mut self, step: Step, effects: &mut Vec<Effect>) {
        if step == Step::Restore && self.target_version().is_none() && !self.has_plan() {
            return self.remark("Type your recovery key first: press 4.");
        }
        let has_backups = self.visiting.is_some() || self.jobs.since(&Work::SignIn).is_some();
        match step {
            // As at the beginning, its field has the focus.
            Step::SignIn => self.sign_in.focus(self.sign_in.part),
            Step::Backups if has_backups => {}
            Step::Backups => return self.remark("Sign in first, or open a snapshot with o."),
            _ if self.open.is_some() => {}
            _ if self.backups.focus().is_some() => {
                // Whoever jumps over the contents wants those of the backup in focus.
                self.open_contents(effects);
                if self.open.is_none() {
                    return;
                }
            }
            _ => return self.remark("Sign in first, or open a snapshot with o."),
        }
        self.end_mend(effects);
        self.end_guesses(effects);
        self.branches.clear();
        self.finding = false;
        self.explaining = None;
        self.key.field.hide();
        self.step = step;
        match step {
            Step::Key => self.enter_key(effects),
            Step::Restore => self.enter_restore(effects),
            Step::Proof => self.enter_proof(effects),
            _ => {}
        }
        self.settle();
    }

    /// Says whether there is a plan, or what came of one.
    fn has_plan(&self) -> bool {
        self.is_restoring() || self.restore.shown().is_some()
    }

    fn clicked(&mut self, at: Position, effects: &mut Vec<Effect>) {
        match hit(self, at) {
            Some(Hit::Intent(intent)) => self.intent(intent, effects),
            Some(Hit::Target(target)) => self.target(target, effects),
            None => {}
        }
    }

    fn target(&mut self, target: Target, effects: &mut Vec<Effect>) {
        match target {
            Target::Part(part) if self.overlays.is_empty() => {
                if let Some(part) = self.sign_in.parts().get(part).copied() {
                    self.sign_in.focus(part);
                    if !self.sign_in.is_field() {
                        self.intent(Intent::GoOn, effects);
                    }
                }
            }
            Target::Row(row) => {
                // A click on the row in focus goes into it, as a second click does elsewhere.
                let again = self.cursor_at() == Some(row);
                self.go(Move::To(row));
                if again && self.place() == Place::Contents && self.overlays.is_empty() {
                    self.intent(Intent::Open, effects);
                } else if again || !self.overlays.is_empty() {
                    self.intent(Intent::GoOn, effects);
                }
            }
            Target::Part(_) => {}
        }
    }

    fn copy_command(&mut self, effects: &mut Vec<Effect>) {
        self.copy(screens::command_to_copy(self), "The command", effects);
    }

    /// Puts text on the clipboard, and says so once it is there.
    fn copy(&mut self, text: String, what: &'static str, effects: &mut Vec<Effect>) {
        self.copying = what;
        let job = self.begin(Work::Copy, effects);
        effects.push(Effect::Copy { job, text: SecretText::new(text) });
    }

    /// It is on the clipboard of this computer, or is left for that of the terminal.
    fn copied(&mut self, left: Option<SecretText>, effects: &mut Vec<Effect>) {
        let what = self.copying;
        match left {
            None => self.remark(format!("{what} was copied to the clipboard of this computer.")),
            Some(text) => {
                effects.push(Effect::CopyByTerminal(text));
                self.remark(format!("{what} was given to your terminal, for its clipboard."));
            }
        }
    }

    /// Says something in passing, until the next key.
    pub(super) fn remark(&mut self, words: impl Into<Cow<'static, str>>) {
        self.remark = Some(line(words));
    }

    /// A key without sense in this place.
    fn no_sense(&mut self) {
        self.remark("That key has no use here.");
    }

    fn turn_mask(&mut self) {
        if self.masked {
            self.overlays.push(Overlay::Unmask);
        } else {
            self.masked = true;
            if self.finding {
                // What is typed there may be a name.
                self.finding = false;
                self.edit_filter(Edit::Clear);
            }
            self.sign_in.password.hide();
            self.sign_in.token.hide();
            self.key.field.hide();
            self.guess.field.hide();
            self.take.form.chosen.hide();
            self.arrange();
            self.remark("Names are hidden. Numbers, counts and reasons are real.");
        }
    }

    fn begin(&mut self, work: Work, effects: &mut Vec<Effect>) -> Job {
        let (job, older) = self.jobs.begin(work, self.now);
        effects.extend(older.map(Effect::Cancel));
        job
    }

    fn happened(&mut self, job: Job, happened: Happened, effects: &mut Vec<Effect>) {
        let Some(work) = self.jobs.work(job).cloned() else {
            // Nobody waits for it any more, and it may hold keys.
            if matches!(happened, Happened::Looked(Ok(_)) | Happened::Unlocked(Ok(_))) {
                effects.push(Effect::Forget(job));
            }
            return;
        };
        let was_stopped = !happened.goes_on() && {
            self.waiting.take_if(|waiting| waiting.job == job);
            self.jobs.end(job);
            self.jobs.was_stopped(job)
        };
        if self.leaving_is_under_way() {
            return self.happened_at_the_end(job, happened, work, effects);
        }
        match (happened, work) {
            (Happened::Found(found), _) => self.server_found(found),
            // It was done in the moment in which somebody stopped it.
            (Happened::SignedIn(Ok(_)), _) if was_stopped => {
                self.sign_account_out(job, false, effects);
            }
            (Happened::SignedIn(signed), _) => self.signed_in(job, signed, effects),
            (Happened::Seen(version), _) => self.version_seen(*version),
            (Happened::Looked(looked), _) => self.looked(job, looked, effects),
            (Happened::Glanced(glance), Work::Haul(version)) => self.glanced(&version, glance),
            (Happened::Hauled(hauled), Work::Haul(version)) => {
                self.hauled(&version, *hauled, effects);
            }
            (Happened::Hauled(hauled), Work::Recount(version)) => {
                self.counted_again(&version, *hauled);
            }
            (Happened::Named(named), _) => self.named(named),
            (Happened::NamesEnded, _) => self.arrange_names(),
            (Happened::Sessions(sessions), _) => self.sessions_read(sessions),
            (Happened::Kept(kept), _) => self.kept_found(kept),
            (Happened::Demo(paper), _) => self.demo_began(paper, effects),
            (Happened::Left(left), _) => self.left(left),
            (Happened::Stretched(done, all), _) => self.key.stretched = Some((done, all)),
            (Happened::MendPlanned(stages), _) => self.mend_planned(stages),
            (Happened::Mending { stage, tried, left }, _) => self.mend_goes_on(stage, tried, left),
            (Happened::Mended(mended), _) => self.mended(*mended, effects),
            (Happened::Unlocked(unlocked), _) => self.unlocked(job, unlocked),
            (Happened::Judged(signers), _) => self.judged(signers),
            (Happened::Restoring(glance), _) => self.restore_glanced(glance),
            (Happened::Restored(restored), work) => {
                self.restored(*restored, work == Work::Plan, was_stopped, effects);
            }
            (Happened::Read(history), _) => self.messages_read(*history),
            (Happened::ListRead(read), _) => self.list_read(read, effects),
            (Happened::Counted(counted), _) => self.counted(counted),
            (Happened::Guessing(far), _) => self.guessing(far),
            (Happened::Guessed(guessed), _) => self.guessed(guessed, effects),
            (Happened::Passphrase(passphrase), _) => self.passphrase_made(passphrase),
            (Happened::Carried(keys), Work::CheckUp) => self.check_up.keys = keys,
            (Happened::Carried(keys), Work::Compare) => self.compare.keys = keys,
            (Happened::Carried(keys), Work::Paper) => self.take.paper.keys = keys,
            (Happened::Carried(keys), _) => self.take.carried = keys,
            (Happened::Exported(exported), _) => self.exported(*exported),
            (Happened::CheckedUp(checks), _) => self.checked_up(*checks),
            (Happened::Compared(diff), _) => self.compared(*diff, effects),
            (Happened::Written(written), _) => self.paper_written(written),
            (Happened::Waiting(left, why), _) => {
                self.waiting = (left > 0).then_some(Waiting { job, left, why });
            }
            (Happened::RoomByRoom(done, all), Work::Haul(version)) => {
                if let Some(haul) = self.hauls.get_mut(&version) {
                    haul.by_room = Some((done, all));
                }
            }
            (Happened::RoomByRoom(..), _) => {}
            (Happened::Copied(left), _) => self.copied(left, effects),
            (Happened::Glanced(_) | Happened::Hauled(_), _) => {}
        }
    }

    /// Moves the focus of whatever list is on top.
    fn go(&mut self, to: Move) {
        let seen = screens::list_height(self);
        if !self.overlays.is_empty() {
            return self.go_in_overlay(to, seen);
        }
        if let Some(top) = &mut self.explaining
            && screens::explain_covers(&layout(self.size))
        {
            match to {
                Move::By(by) => *top = top.saturating_add_signed(by).min(40),
                Move::First => *top = 0,
                Move::Last | Move::To(_) => {}
            }
            return;
        }
        match self.place() {
            Place::SignIn => self.go_in_parts(to),
            Place::Backups => {
                let rows = self.backups.versions().len();
                self.backups.cursor.go(to, rows, seen);
            }
            Place::Contents => {
                if let Some(haul) = self.haul_mut() {
                    haul.rooms.go(to, seen);
                }
            }
            Place::Fits => self.go_in_fits(to, seen),
            Place::Restore => self.go_in_restore(to, seen),
            Place::Mend => self.go_in_mend(to),
            Place::Refused => self.go_in_refused(to, seen),
            Place::TakeAway => self.go_in_take_away(to, seen),
            Place::Proof => self.go_in_proof(to, seen),
            Place::ProofRooms => self.go_in_proof_rooms(to, seen),
            Place::KeyFile => self.go_in_form(to),
            Place::CheckUp => self.go_in_check_up(to),
            Place::Compare => self.go_in_compare(to),
            Place::Room => {
                if let Some(view) = self.room_view_mut() {
                    let rows = view.order.len();
                    view.cursor.go(to, rows, seen);
                }
            }
            _ => {}
        }
    }

    /// The row in focus of whatever list is on top.
    fn cursor_at(&self) -> Option<usize> {
        if let Some(overlay) = self.overlays.last() {
            return overlay.cursor().map(|cursor| cursor.at);
        }
        match self.place() {
            Place::Backups => Some(self.backups.cursor.at),
            Place::Contents => Some(self.haul()?.rooms.cursor.at),
            Place::Room => Some(self.room_view()?.cursor.at),
            Place::Fits => Some(self.fits_cursor().at),
            Place::Refused => Some(self.restore.refused.at),
            Place::TakeAway => Some(self.take.cursor.at),
            Place::Proof => Some(self.proof.cursor.at),
            Place::ProofRooms => Some(self.proof.rooms.at),
            Place::CheckUp => Some(self.check_up.cursor.at),
            Place::Compare => Some(self.compare.cursor.at),
            _ => None,
        }
    }

    /// Brings every list to where it makes sense in the window as it is now.
    fn settle(&mut self) {
        self.go(Move::By(0));
    }

    /// Sorts and filters the rooms that are open anew.
    fn arrange(&mut self) {
        let seen = screens::list_height(self);
        let Some(open) = &self.open else { return };
        if let Some(haul) = self.hauls.get_mut(open) {
            haul.rooms.arrange(&self.names, self.masked, seen);
        }
    }

    /// Moves by intents that all lists know; `false` where it was none of them.
    fn moved(&mut self, intent: Intent) -> bool {
        let page = isize::try_from(screens::list_height(self).saturating_sub(1)).unwrap_or(1);
        let to = match intent {
            Intent::Up => Move::By(-1),
            Intent::Down => Move::By(1),
            Intent::PageUp => Move::By(-page.max(1)),
            Intent::PageDown => Move::By(page.max(1)),
            Intent::First => Move::First,
            Intent::Last => Move::Last,
            _ => return false,
        };
        self.go(to);
        true
    }

    /// Opens a branch above the step.
    fn branch(&mut self, branch: Branch) {
        self.branches.push(branch);
        self.explaining = None;
        self.settle();
    }
}
