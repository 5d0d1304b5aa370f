//! The search for a slip in a typed recovery key: every text that it can have come from, the likeliest
//! first. ARCHITECTURE.md has the arithmetic.
//!
//! The checksum is one byte: of the texts with the right prefix one in 256 passes, so a candidate is a
//! guess until somebody proves it against a lock. Whoever searches does that, and divides the work among
//! threads; nothing here knows of locks.

mod alike;
mod difference;
mod letters;
mod number;
mod orders;
mod pattern;
#[cfg(test)]
mod several;
mod shapes;
mod stages;

use std::ops::{ControlFlow, RangeInclusive};

use zeroize::Zeroizing;

pub use self::{
    difference::{Difference, Kind, Pair, Slip, cell},
    stages::Slips,
};
use self::{letters::Letter, stages::Stage};
use super::recovery_key::{self, LETTERS, RecoveryKeyFault};
use crate::base::secret::{Secret32, SecretText};

/// How many letters a text must have to be searched: a group of four may be missing, or all be there twice.
pub const SEARCHED: RangeInclusive<usize> = LETTERS - 4..=LETTERS * 2;

/// A search: what was typed, and what may have happened to it.
pub struct Search {
    letters: Zeroizing<Vec<Letter>>,
    stages: Vec<Stage>,
}

impl Search {
    /// Prepares the search. It has no stages where the text is so short or long, or has so many
    /// impossible characters, that nothing can be searched.
    pub fn of(text: &SecretText) -> Self {
        let text = text.expose();
        let mut letters = Zeroizing::new(Vec::with_capacity(text.len()));
        letters.extend(letters::read(text));
        let one_case = matches!(recovery_key::parse(text), Err(RecoveryKeyFault::OneCase { .. }));
        let stages = match SEARCHED.contains(&letters.len()) {
            true => stages::of_text(&letters, one_case),
            false => Vec::new(),
        };
        Self { letters, stages }
    }

    /// What the stages look for, in the order of likelihood.
    pub fn stages(&self) -> impl ExactSizeIterator<Item = Slips> {
        self.stages.iter().map(|stage| stage.slips)
    }

    /// How many possibilities a stage has; it may have none.
    pub fn possibilities(&self, stage: usize) -> u64 {
        self.stages.get(stage).map_or(0, |stage| stage.of(&self.letters))
    }

    /// Into how many portions the work of a stage is divided; each takes a moment.
    pub fn portions(&self, stage: usize) -> u64 {
        self.stages.get(stage).map_or(0, Stage::portions)
    }

    /// Goes through one portion of a stage, and hands on every key whose prefix and checksum are right.
    /// Returns how many possibilities there were, or nothing where `found` ended it.
    pub fn walk(
        &self,
        stage: usize,
        portion: u64,
        found: &mut dyn FnMut(Secret32) -> ControlFlow<()>,
    ) -> ControlFlow<(), u64> {
        match self.stages.get(stage) {
            Some(stage) => stage.walk(&self.letters, portion, &mut |number| found(number.key())),
            None => ControlFlow::Continue(0),
        }
    }
}
