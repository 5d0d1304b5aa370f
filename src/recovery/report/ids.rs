//! Ids in a report: each as a word that means nothing outside of it, or, if somebody wants that, as it is.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::base::{
    random::{Random, array},
    shown::Shown,
};

/// Length of such a word, in bytes before they become hex: enough to tell a hundred thousand rooms apart.
const LENGTH: usize = 6;
/// Longest id that is written as it is, in characters.
const ID: usize = 255;

/// How ids are written.
pub(super) enum Ids {
    /// As HMAC-SHA-256 under a key that is in nobody's hands once the report is written.
    Hidden(Box<Hmac<Sha256>>),
    /// As they are.
    Plain,
}

impl Ids {
    /// Ids that nobody can trace back, not even by trying the ids that they know.
    pub(super) fn hidden(random: &mut dyn Random) -> Self {
        let key = array::<32>(random);
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mac = Hmac::new_from_slice(&key).expect("HMAC takes keys of any length");
        Self::Hidden(Box::new(mac))
    }

    /// One id; the same one is written in the same way throughout a report.
    pub(super) fn of(&self, id: &str) -> String {
        match self {
            Self::Plain => Shown::limited(id, ID).to_string(),
            Self::Hidden(mac) => {
                let mut mac = (**mac).clone();
                mac.update(id.as_bytes());
                let bytes = mac.finalize().into_bytes();
                bytes.iter().take(LENGTH).map(|byte| format!("{byte:02x}")).collect()
            }
        }
    }

    /// Says whether ids are written as they are.
    pub(super) fn are_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }
}
