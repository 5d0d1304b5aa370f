//! What stands on the fourth screen: the secret that is typed, and what it opens.

use super::{
    field::Edit,
    key_field::KeyField,
    message::{Job, Moment, Opened},
};
use crate::{base::secret::SecretText, recovery::judged::Verdict};

/// Most secrets that are kept at hand beside the one that is typed.
const OTHERS: usize = 8;

/// The state of the screen.
#[derive(Default)]
pub(super) struct KeyStep {
    /// What is typed.
    pub(super) field: KeyField,
    /// Other secrets at hand, which are tried together with what is typed.
    pub(super) others: Vec<SecretText>,
    /// The version that somebody wants of those that open.
    pub(super) wanted: Option<String>,
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

    /// Keeps what is typed at hand and makes place for another secret.
    pub(super) fn keep(&mut self) {
        let typed = self.field.secret();
        let known = self.others.iter().any(|other| other.expose() == typed.expose());
        if !typed.is_empty() && !known {
            if self.others.len() == OTHERS {
                self.others.remove(0);
            }
            self.others.push(typed);
        }
        self.field.edit(Edit::Clear);
        self.in_field = true;
    }

    /// Everything at hand: what was kept, and what is typed.
    pub(super) fn secrets(&self) -> Vec<SecretText> {
        let kept = self.others.iter().map(SecretText::duplicate);
        let typed = self.field.secret();
        let known = self.others.iter().any(|other| other.expose() == typed.expose());
        kept.chain((!typed.is_empty() && !known).then_some(typed)).collect()
    }

    /// Forgets what was opened, because something else is typed, or it belongs to another account.
    pub(super) fn close(&mut self) {
        self.wanted = None;
        self.opened = None;
        self.visit = None;
        self.trying = None;
        self.stretched = None;
    }
}
