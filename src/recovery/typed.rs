//! What somebody typed: a recovery key, a raw key or a passphrase (SPEC §5.7). Only the text is looked
//! at here; what it opens is another matter.

use serde::Serialize;

use crate::{
    backup::recovery_key::{self, LETTERS, RecoveryKeyFault},
    base::secret::{Secret32, SecretText},
    secret_storage::raw_key,
};

/// What kind of secret was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretKind {
    /// 48 letters with a right checksum.
    RecoveryKey,
    /// A sentence from which a lock's key was made.
    Passphrase,
    /// The 32 bytes themselves, in base64 or hex.
    RawKey,
    /// Nothing that keyhaul can read, and nothing that opens a lock as a passphrase.
    Unknown,
}

/// A typed secret, read.
pub(super) enum Typed {
    /// A recovery key.
    RecoveryKey(Secret32),
    /// 32 bytes; the same text could be a passphrase all the same.
    RawKey(Secret32),
    /// Anything else; what is wrong with it as a recovery key.
    Words(RecoveryKeyFault),
}

/// Reads a typed secret.
pub(super) fn read(text: &SecretText) -> Typed {
    match recovery_key::parse(text.expose()) {
        Ok(key) => Typed::RecoveryKey(key),
        Err(fault) => match raw_key::parse(text.expose()) {
            Some(key) => Typed::RawKey(key),
            None => Typed::Words(fault),
        },
    }
}

/// Says whether a text that is no recovery key was meant to be one: it is of about its length, and most of
/// its words have four letters or it is a single one. A sentence of four-letter words is shorter; what is
/// wrong with a recovery key, down to single letters, is not to be said of a passphrase.
pub(super) fn meant_as_recovery_key(text: &SecretText) -> bool {
    let words: Vec<&str> = text.expose().split_whitespace().collect();
    let groups = words.iter().filter(|word| word.chars().count() == 4).count();
    let letters: usize = words.iter().map(|word| word.chars().count()).sum();
    let plain = text.expose().chars().all(|c| c.is_alphanumeric() || c.is_whitespace());
    let in_groups = words.len() >= LETTERS / 4 * 2 / 3 && groups * 5 >= words.len() * 4;
    let one_word = words.len() == 1 && plain && letters.abs_diff(LETTERS) <= LETTERS / 4;
    in_groups || one_word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> SecretText {
        SecretText::new(text.to_owned())
    }

    #[test]
    fn a_slip_in_a_recovery_key_is_no_passphrase() {
        for key in [
            "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4e",
            "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ",
            "AATpRvZTnjck8YrhRAtwXLS84Nr2r9S9LGAWDaExVAPBvLRk",
            "LW2K PGiF wKE 3As5 g5c4 BXwk qeeJ ZJV8",
        ] {
            assert!(meant_as_recovery_key(&text(key)), "{key}");
        }
        for words in [
            "correct horse battery staple",
            "hunter2",
            "It's a secret to everybody",
            "é",
            "this that some many",
            "Esteban planning 2020",
            "este lw2k pgif",
        ] {
            assert!(!meant_as_recovery_key(&text(words)), "{words}");
        }
    }
}
