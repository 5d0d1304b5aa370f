//! A list of passphrases that somebody may have used: what is typed, what is tried, what came of it.

use super::{
    field::{Edit, Field, SecretField},
    message::{Guessing, Moment},
};
use crate::{
    base::{failure::Failure, limits, secret::SecretText},
    recovery::passphrase_list::Estimate,
    secret_storage::guesses::Kind,
};

/// A part of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// The line that is being typed.
    #[default]
    Line,
    /// The name of a file with a list.
    File,
    /// Whether passphrases may differ in this way.
    Kind(Kind),
}

/// The state of the screen.
pub(super) struct GuessStep {
    /// The lines so far.
    pub(super) lines: Vec<SecretText>,
    /// The line that is being typed.
    pub(super) field: SecretField,
    /// The part in focus.
    pub(super) part: Part,
    /// The name of the file.
    pub(super) file: Field,
    /// In which ways passphrases may differ from the lines.
    pub(super) kinds: Vec<Kind>,
    /// What there is to try, as far as it was counted.
    pub(super) estimate: Option<Estimate>,
    /// Since when it is tried, and how far that is.
    pub(super) trying: Option<(Moment, Guessing)>,
    /// Why nothing came of it, or why a file was not read.
    pub(super) failed: Option<Failure>,
    /// Which line opened something, in words without any of it.
    pub(super) found: Option<String>,
}

impl Default for GuessStep {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            field: SecretField::default(),
            part: Part::default(),
            file: Field::default(),
            // What people forget first.
            kinds: vec![Kind::Case, Kind::Ending],
            estimate: None,
            trying: None,
            failed: None,
            found: None,
        }
    }
}

impl GuessStep {
    /// Says whether letters go into the part in focus.
    pub(super) fn in_field(&self) -> bool {
        self.trying.is_none() && matches!(self.part, Part::Line | Part::File)
    }

    /// The parts in their order; the name of a file takes the place of the line.
    pub(super) fn parts(&self) -> Vec<Part> {
        let first = if self.part == Part::File { Part::File } else { Part::Line };
        std::iter::once(first).chain(Kind::ALL.map(Part::Kind)).collect()
    }

    /// Says whether a passphrase is held that nobody needs now.
    pub(super) fn holds_secrets(&self) -> bool {
        self.trying.is_none() && !(self.lines.is_empty() && self.field.is_empty())
    }

    /// Forgets what was typed; what was chosen stays.
    pub(super) fn forget(&mut self) {
        let (kinds, found) = (std::mem::take(&mut self.kinds), self.found.take());
        *self = Self { kinds, found, ..Self::default() };
    }

    /// Makes what is typed a line of the list, unless it is empty.
    pub(super) fn add_typed(&mut self) -> bool {
        let typed = self.field.secret();
        let some = !typed.expose().trim().is_empty();
        if some {
            self.lines.push(typed);
        }
        self.field.edit(Edit::Clear);
        some
    }

    /// Adds pasted lines; the last one stays in the field if no line break follows it. What is too long for a
    /// passphrase, and what is too much for a list, is left out. Says whether lines were added.
    pub(super) fn paste(&mut self, text: &str) -> bool {
        let mut left = limits::SECRET_LIST as usize;
        let mut added = false;
        for piece in text.split_inclusive(['\n', '\r']) {
            left = left.saturating_sub(piece.len());
            if left == 0 {
                break;
            }
            self.field.paste(piece);
            if piece.ends_with(['\n', '\r']) {
                added |= self.add_typed();
            }
        }
        added
    }

    /// Takes the last line back into the empty field, to be mended.
    pub(super) fn take_back(&mut self) -> bool {
        match self.lines.pop() {
            Some(last) => {
                self.field.fill(&last);
                true
            }
            None => false,
        }
    }

    /// Changes whether passphrases may differ in a way.
    pub(super) fn turn(&mut self, kind: Kind) {
        match self.kinds.iter().position(|chosen| *chosen == kind) {
            Some(place) => drop(self.kinds.remove(place)),
            None => self.kinds.push(kind),
        }
    }
}
