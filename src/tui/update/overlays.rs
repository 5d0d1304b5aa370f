//! What lies above a screen: help, the list of commands, files, failures, questions.

use std::path::PathBuf;

use crate::{
    recovery::{look::Wanted, sign_in::Device, snapshots::Kept},
    tui::{
        effect::{At, Effect},
        field::{Edit, Field},
        intent::Intent,
        jobs::Work,
        list::{Cursor, Move},
        model::{Model, Step},
        overlay::{Choice, Overlay, Repeat, WAYS_OUT},
        screens,
    },
};

/// What lies on top, as far as keys are concerned.
#[derive(Clone)]
enum Top {
    Help,
    Palette,
    OpenFile,
    ByNumber,
    Failed(Option<Choice>),
    Leave(usize),
    Unmask,
}

impl Top {
    fn of(overlay: &Overlay) -> Self {
        match overlay {
            Overlay::Help { .. } => Self::Help,
            Overlay::Palette { .. } => Self::Palette,
            Overlay::OpenFile { .. } => Self::OpenFile,
            Overlay::ByNumber { .. } => Self::ByNumber,
            Overlay::Failed { choices, cursor, .. } => {
                Self::Failed(choices.get(cursor.at).cloned())
            }
            Overlay::Leave { cursor } => Self::Leave(cursor.at),
            Overlay::Unmask => Self::Unmask,
        }
    }
}

impl Overlay {
    /// The focus in it.
    pub(super) fn cursor(&self) -> Option<&Cursor> {
        match self {
            Self::Palette { cursor, .. }
            | Self::OpenFile { cursor, .. }
            | Self::Failed { cursor, .. }
            | Self::Leave { cursor } => Some(cursor),
            Self::Help { .. } | Self::ByNumber { .. } | Self::Unmask => None,
        }
    }
}

impl Model {
    pub(super) fn open_palette(&mut self) {
        let (field, cursor) = (Field::default(), Cursor::default());
        self.overlays.push(Overlay::Palette { field, cursor });
    }

    pub(super) fn open_file(&mut self, effects: &mut Vec<Effect>) {
        let (field, cursor) = (Field::default(), Cursor::default());
        let overlay = Overlay::OpenFile { field, kept: None, cursor, failed: None };
        self.overlays.push(overlay);
        let job = self.begin(Work::Kept, effects);
        let account = self.account.as_ref().map(|account| account.job);
        effects.push(Effect::Kept { job, account });
    }

    pub(super) fn kept_found(&mut self, found: Vec<Kept>) {
        for overlay in &mut self.overlays {
            if let Overlay::OpenFile { kept, field, cursor, .. } = overlay {
                // The newest one is what most people look for.
                if field.is_empty() && !found.is_empty() {
                    cursor.at = 1;
                }
                *kept = Some(found);
                return;
            }
        }
    }

    pub(super) fn in_overlay(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        if let Intent::Back = intent {
            let closed = self.overlays.pop();
            if matches!(closed, Some(Overlay::OpenFile { .. })) && self.opening.take().is_some() {
                effects.extend(self.jobs.end_kind(&Work::Look).map(Effect::Cancel));
                self.look_on(effects);
            }
            return;
        }
        let Some(top) = self.overlays.last().map(Top::of) else { return };
        match (top, intent) {
            // In the two questions Enter is the harmless answer.
            (Top::Help, Intent::Help | Intent::GoOn)
            | (Top::Palette, Intent::Palette)
            | (Top::Unmask | Top::Leave(0), Intent::GoOn)
            | (Top::Failed(None), Intent::GoOn) => {
                self.overlays.pop();
            }
            (Top::Unmask, Intent::Mask) => {
                self.overlays.pop();
                self.masked = false;
                self.arrange();
            }
            (Top::Leave(_), Intent::Leave) => self.sign_out(false, effects),
            (Top::Leave(way), Intent::GoOn) => self.sign_out(way == 2, effects),
            (Top::Palette, Intent::GoOn) => self.run_from_palette(effects),
            (Top::OpenFile, Intent::GoOn) => self.open_chosen_file(effects),
            (Top::ByNumber, Intent::GoOn) => self.look_by_number(effects),
            (Top::Failed(Some(choice)), Intent::GoOn) => self.after_failure(choice, effects),
            (Top::Failed(_), Intent::Again | Intent::OpenFile | Intent::CheckUp) => {
                match self.offered(intent) {
                    Some(choice) => self.after_failure(choice, effects),
                    None => self.no_sense(),
                }
            }
            (Top::Failed(_), Intent::Explain) => {
                if let Some(Overlay::Failed { detail, .. }) = self.overlays.last_mut() {
                    *detail = !*detail;
                }
            }
            (Top::Failed(_), Intent::Copy) => self.copy_failure(effects),
            (Top::Help, Intent::Leave) => {
                self.overlays.pop();
                self.leave(effects);
            }
            (_, Intent::CopyCommand) => self.copy_command(effects),
            (_, Intent::NextPart) => self.go(Move::By(1)),
            (_, Intent::PreviousPart) => self.go(Move::By(-1)),
            (_, Intent::Mask) if !self.masked => self.turn_mask(),
            _ if self.moved(intent) => {}
            _ => self.no_sense(),
        }
    }

    /// The answer to the failure on top that a key stands for.
    fn offered(&self, intent: Intent) -> Option<Choice> {
        let Some(Overlay::Failed { choices, .. }) = self.overlays.last() else { return None };
        let is = |choice: &&Choice| match choice {
            Choice::Again(_) => intent == Intent::Again,
            Choice::Snapshot => intent == Intent::OpenFile,
            Choice::SignIn => false,
            Choice::CheckUp => intent == Intent::CheckUp,
        };
        choices.iter().find(is).cloned()
    }

    fn copy_failure(&mut self, effects: &mut Vec<Effect>) {
        if let Some(Overlay::Failed { failure, .. }) = self.overlays.last() {
            let text = screens::failure_to_copy(failure);
            self.copy(text, "The error, without names,", effects);
        }
    }

    pub(super) fn go_in_overlay(&mut self, to: Move, seen: usize) {
        let rows = screens::overlay_rows(self);
        let ways = self.ways_out();
        match self.overlays.last_mut() {
            Some(Overlay::Help { top }) => {
                let mut cursor = Cursor { at: *top, top: *top };
                cursor.go(to, rows.saturating_sub(seen) + 1, seen);
                *top = cursor.at;
            }
            Some(
                Overlay::Palette { cursor, .. }
                | Overlay::OpenFile { cursor, .. }
                | Overlay::Failed { cursor, .. },
            ) => cursor.go(to, rows, seen),
            Some(Overlay::Leave { cursor }) => cursor.go(to, ways, ways),
            _ => {}
        }
    }

    pub(super) fn edit_overlay(&mut self, edit: Edit) {
        let number = matches!(self.overlays.last(), Some(Overlay::ByNumber { .. }));
        if let (true, Edit::Insert(c)) = (number, edit)
            && !c.is_ascii_digit()
        {
            return self.remark("A backup is called by a number.");
        }
        if let Some(field) = self.overlays.last_mut().and_then(Overlay::field_mut) {
            field.edit(edit);
            self.overlay_edited();
        }
    }

    pub(super) fn overlay_edited(&mut self) {
        match self.overlays.last_mut() {
            Some(Overlay::Palette { cursor, .. }) => *cursor = Cursor::default(),
            Some(Overlay::OpenFile { failed, cursor, .. }) => {
                *failed = None;
                *cursor = Cursor::default();
            }
            _ => {}
        }
    }

    fn run_from_palette(&mut self, effects: &mut Vec<Effect>) {
        let Some(Overlay::Palette { cursor, .. }) = self.overlays.last() else { return };
        let rows = screens::palette_rows(self);
        let Some(entry) = rows.get(cursor.at) else { return };
        let (intent, refused) = (entry.intent, entry.refused);
        if let Some(why) = refused {
            return self.remark(why);
        }
        self.overlays.pop();
        self.intent(intent, effects);
    }

    fn open_chosen_file(&mut self, effects: &mut Vec<Effect>) {
        let Some(Overlay::OpenFile { field, kept, cursor, .. }) = self.overlays.last() else {
            return;
        };
        let chosen = cursor.at.checked_sub(1).and_then(|row| kept.as_ref()?.get(row));
        let file = match chosen {
            Some(kept) => kept.file.clone(),
            None if field.text().trim().is_empty() => {
                return self.remark("Type the name of a snapshot, or choose one below.");
            }
            None => PathBuf::from(field.text().trim()),
        };
        self.look(At::Snapshot(file), effects);
    }

    /// How many ways to leave there are: another app's session is not ours to keep.
    pub(in crate::tui) fn ways_out(&self) -> usize {
        let ours = self.account.as_ref().is_some_and(|one| one.signed.device == Device::Ours);
        if ours { WAYS_OUT } else { WAYS_OUT - 1 }
    }

    fn look_by_number(&mut self, effects: &mut Vec<Effect>) {
        let Some(Overlay::ByNumber { field }) = self.overlays.last() else { return };
        let number = field.text().trim().to_owned();
        if number.is_empty() {
            return self.remark("Type a number first.");
        }
        self.overlays.pop();
        self.settings.wanted = Wanted::Named(number.clone());
        self.backups.seek = Some(number.clone());
        self.look_again(effects);
    }

    fn after_failure(&mut self, choice: Choice, effects: &mut Vec<Effect>) {
        self.overlays.pop();
        match choice {
            Choice::Again(Repeat::Haul(version)) => self.haul_version(&version, true, effects),
            Choice::Again(Repeat::Look(Some(file))) => self.look(At::Snapshot(file), effects),
            Choice::Again(Repeat::Look(None)) => match self.open.clone() {
                // Whoever waited for the look to read something still wants to.
                Some(open) if self.backups.looked.is_none() => {
                    self.haul_version(&open, false, effects);
                }
                _ => self.look_again(effects),
            },
            Choice::Again(Repeat::Demo) => self.begin_demo(effects),
            Choice::Again(Repeat::Plan) => self.plan(effects),
            Choice::Snapshot => self.open_file(effects),
            Choice::SignIn => self.go_to(Step::SignIn, effects),
            Choice::CheckUp => self.open_check_up(effects),
        }
    }
}
