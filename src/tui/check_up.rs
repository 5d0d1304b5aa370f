//! What stands on the check-up's screen.

use super::list::Cursor;
use crate::{
    base::failure::Failure,
    recovery::doctor::checks::{Check, Mark},
};

/// The state of the screen.
#[derive(Default)]
pub(super) struct CheckUp {
    /// What was checked; nothing while the first one runs.
    pub(super) checks: Vec<Check>,
    /// The focus.
    pub(super) cursor: Cursor,
    /// Keys read so far, while one runs.
    pub(super) keys: u64,
    /// Why none came about.
    pub(super) failed: Option<Failure>,
}

impl CheckUp {
    /// The check in focus.
    pub(super) fn focus(&self) -> Option<&Check> {
        self.checks.get(self.cursor.at)
    }

    /// How many ended like that.
    pub(super) fn count(&self, mark: Mark) -> u64 {
        self.checks.iter().filter(|check| check.mark == mark).count() as u64
    }

    /// The first row that needs a person; the first one where none does.
    pub(super) fn most_urgent(&self) -> usize {
        self.checks.iter().position(|check| check.mark == Mark::Wrong).unwrap_or(0)
    }
}
