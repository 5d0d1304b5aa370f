//! What stands on the seventh screen: what is on this computer, and the ways to take it along.

use std::path::PathBuf;

use super::{
    field::{Field, SecretField},
    list::Cursor,
    paper_form::{Paper, PaperForm},
};
use crate::{
    base::{failure::Failure, secret::SecretText},
    recovery::key_files::{
        export::Exported,
        passphrase::{Strength, strength},
    },
};

/// A way to take keys along, or to finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A key file for other apps.
    KeyFile,
    /// A recovery sheet, or a report for support.
    Paper(Paper),
    /// Sign out and leave.
    SignOut,
    /// Leave and stay signed in.
    Stay,
}

/// The state of the screen.
#[derive(Default)]
pub(super) struct TakeAway {
    /// The focus in the list.
    pub(super) cursor: Cursor,
    /// The key file that is being made; what is typed stays until it is.
    pub(super) form: Form,
    /// Key files that were made.
    pub(super) made: Vec<Made>,
    /// The report or the recovery sheet that is being written.
    pub(super) paper: PaperForm,
    /// Keys in the file so far, while it is written.
    pub(super) carried: u64,
    /// The file that is being written.
    pub(super) writing: PathBuf,
}

/// A key file that was made.
pub(super) struct Made {
    /// Where it is.
    pub(super) file: PathBuf,
    /// What is in it.
    pub(super) exported: Exported,
}

/// A part of the form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// The file's name.
    #[default]
    File,
    /// Which rooms.
    Rooms,
    /// Who makes the passphrase.
    Kind,
    /// The passphrase that somebody chose.
    Chosen,
    /// The same again.
    Again,
    /// It was written down.
    Written,
}

/// The form of a key file.
#[derive(Default)]
pub(super) struct Form {
    /// The part in focus.
    pub(super) part: Part,
    /// The file's name.
    pub(super) file: Field,
    /// All rooms, although some are chosen.
    pub(super) all_rooms: bool,
    /// Somebody chooses the passphrase.
    pub(super) own: bool,
    /// The passphrase that was made.
    pub(super) made: Option<SecretText>,
    /// It was written down.
    pub(super) written: bool,
    /// The passphrase that somebody chose.
    pub(super) chosen: SecretField,
    /// The same again.
    pub(super) again: SecretField,
    /// Why the file was not made.
    pub(super) failed: Option<Failure>,
}

/// What is still to be done before the file can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// A name.
    Name,
    /// The passphrase is being made.
    Making,
    /// Somebody has not confirmed that it is written down.
    WrittenDown,
    /// A longer passphrase.
    Longer,
    /// The same passphrase twice.
    Same,
}

impl Form {
    /// The parts that are on the screen now.
    pub(super) fn parts(&self, some_rooms: bool) -> Vec<Part> {
        let mut parts = vec![Part::File];
        if some_rooms {
            parts.push(Part::Rooms);
        }
        parts.push(Part::Kind);
        match self.own {
            true => parts.extend([Part::Chosen, Part::Again]),
            false => parts.push(Part::Written),
        }
        parts
    }

    /// Says whether letters go into the part in focus.
    pub(super) fn in_field(&self) -> bool {
        matches!(self.part, Part::File | Part::Chosen | Part::Again)
    }

    /// How good the passphrase is that somebody chose.
    pub(super) fn strength(&self) -> Strength {
        let secret = self.chosen.secret();
        strength(secret.expose())
    }

    /// Says whether both passphrases are the same.
    pub(super) fn is_same(&self) -> bool {
        self.chosen.secret().expose() == self.again.secret().expose()
    }

    /// What is still to be done.
    pub(super) fn missing(&self) -> Option<Missing> {
        match (self.own, &self.made) {
            _ if self.file.text().trim().is_empty() => Some(Missing::Name),
            (false, None) => Some(Missing::Making),
            (false, Some(_)) if !self.written => Some(Missing::WrittenDown),
            (true, _) if self.strength() == Strength::TooShort => Some(Missing::Longer),
            (true, _) if !self.is_same() => Some(Missing::Same),
            _ => None,
        }
    }

    /// The passphrase.
    pub(super) fn passphrase(&self) -> Option<SecretText> {
        match self.own {
            true => Some(self.chosen.secret()),
            false => self.made.as_ref().map(SecretText::duplicate),
        }
    }

    /// Says whether a passphrase is held.
    pub(super) fn holds_secrets(&self) -> bool {
        self.made.is_some() || !self.chosen.is_empty() || !self.again.is_empty()
    }
}
