//! The fit table: every secret on every lock, and the way on from there.

use crate::{
    recovery::unlock::LockKind,
    tui::{
        effect::Effect,
        intent::Intent,
        list::{Cursor, Move},
        model::{Branch, Model, Step},
        screens,
    },
};

impl Model {
    pub(super) fn on_fits(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::Back | Intent::Close => self.close_fits(),
            Intent::GoOn => self.go_on_from_fits(effects),
            Intent::CheckUp => self.open_check_up(effects),
            Intent::OtherKey => {
                self.close_fits();
                self.type_another_key();
            }
            Intent::Open => match screens::fit_in_words(self) {
                Some(words) => self.remark(words),
                None => self.no_sense(),
            },
            _ if self.moved(intent) => {}
            _ => self.no_sense(),
        }
    }

    /// Opens the table, with the focus on what the way on leads to.
    pub(super) fn open_fits(&mut self) {
        let Some(opened) = &self.key.opened else {
            return self.remark("Type a recovery key or a passphrase first.");
        };
        let target = self.target_version();
        let rows = &opened.table.rows;
        let is_it = |row: &crate::recovery::fits::Row| {
            row.kind == LockKind::Backup && Some(&row.id) == target.as_ref()
        };
        let at = rows.iter().position(is_it).or_else(|| rows.iter().position(|row| row.opens()));
        self.branch(Branch::Fits(Cursor { at: at.unwrap_or(0), top: 0 }));
    }

    /// Says whether what was opened needs more words than the screen of the key has: nothing opens, or not
    /// what somebody wants. What has a slip in it is another matter.
    pub(super) fn is_unexpected(&self) -> bool {
        let Some(opened) = &self.key.opened else { return false };
        let target = self.target_version();
        let slip = opened.kind == crate::recovery::unlock::SecretKind::Unknown;
        let waits = opened.left_out_seconds.is_some();
        let here = self.step == Step::Key && self.branches.is_empty() && self.overlays.is_empty();
        let expected = match target {
            Some(target) => opened.way_on.current_opens || self.open.as_ref() == Some(&target),
            None => slip || waits,
        };
        here && !expected && !opened.table.rows.is_empty()
    }

    /// Keeps what is typed at hand, and takes another secret into the field.
    pub(super) fn type_another_key(&mut self) {
        if self.key.field.is_empty() && self.key.others.is_empty() {
            self.key.in_field = true;
            return self.remark("Type your recovery key or passphrase first.");
        }
        self.key.keep();
        self.remark("What you typed stays at hand. Type another one: both are used.");
    }

    fn close_fits(&mut self) {
        self.branches.pop();
        self.settle();
    }

    fn go_on_from_fits(&mut self, effects: &mut Vec<Effect>) {
        let focus = self.fits_cursor().at;
        let row = self.key.opened.as_ref().and_then(|opened| opened.table.rows.get(focus));
        let wanted = row.filter(|row| row.kind == LockKind::Backup && row.opens());
        let wanted = wanted.map(|row| row.id.clone());
        if let Some(name) = &wanted {
            // Whoever chooses here one that is not ticked wants that one.
            if !self.backups.is_ticked(name) {
                self.backups.untick();
            }
            self.key.wanted = wanted;
        }
        if self.target_version().is_some() {
            return self.go_to(Step::Restore, effects);
        }
        self.close_fits();
        if self.could_mend() {
            return self.begin_mend(effects);
        }
        self.key.in_field = true;
        self.remark("It opens no backup. Change what is typed, or press Ctrl-U for another.");
    }

    /// Where the focus is in the table.
    pub(in crate::tui) fn fits_cursor(&self) -> Cursor {
        match self.branches.last() {
            Some(Branch::Fits(cursor)) => *cursor,
            _ => Cursor::default(),
        }
    }

    pub(super) fn go_in_fits(&mut self, to: Move, seen: usize) {
        let rows = self.key.opened.as_ref().map_or(0, |opened| opened.table.rows.len());
        if let Some(Branch::Fits(cursor)) = self.branches.last_mut() {
            cursor.go(to, rows, seen);
        }
    }
}
