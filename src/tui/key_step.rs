//! What stands on the fourth screen: the secret that is typed, and what it opens.

use super::{
    key_field::KeyField,
    message::{Job, Moment, Opened},
};
use crate::recovery::judged::Verdict;

/// The state of the screen.
#[derive(Default)]
pub(super) struct KeyStep {
    /// What is typed.
    pub(super) field: KeyField,
    /// Letters go into the field.
    pub(super) in_field: bool,
    /// Since when it is tried on the locks, while that lasts.
    pub(super) trying: Option<Moment>,
    /// How much of the calculation for a passphrase is done.
    pub(super) stretched: Option<(u64, u64)>,
    /// What it opens, once it was tried.
    pub(super) opened: Option<Opened>,
    /// Where the paper is wrong, once a slip was mended.
    pub(super) to_correct: Option<String>,
    /// The visit that holds what was opened.
    pub(super) visit: Option<Job>,
}

impl KeyStep {
    /// Says whether what is typed can be tried at once, without anybody asking for it: it is whole, and
    /// costs no time.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.field.verdict(), Verdict::Complete | Verdict::RawKey)
    }

    /// Forgets what was opened, because something else is typed, or it belongs to another account.
    pub(super) fn close(&mut self) {
        self.opened = None;
        self.visit = None;
        self.trying = None;
        self.stretched = None;
    }
}
