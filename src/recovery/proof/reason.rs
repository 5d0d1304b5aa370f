//! Why a message stays closed: one word for programs, one short phrase for the line, and what it
//! means and what may still help (SCREENS, step 6).

use crate::{base::shown::Shown, megolm::message::MessageFault};

/// Why a message stays closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing that was looked at holds its key.
    NoKey,
    /// The key opens later messages only.
    StartsLater {
        /// The first message that the key opens.
        first: u32,
        /// The number of this one.
        index: u32,
    },
    /// Its key is in a backup that opens, and not on this computer yet.
    NotRestored {
        /// The backup's version.
        version: Shown,
    },
    /// Its key is in a backup that nothing opened.
    LockedBackup {
        /// The backup's version.
        version: Shown,
    },
    /// Its key is in a backup, and is not usable.
    Refused {
        /// The backup's version.
        version: Shown,
        /// Why, in the words of the contract (DESIGN §5).
        why: &'static str,
    },
    /// It does not fit the key that should open it.
    Mac,
    /// Another message of this visit had the same number of the same key.
    Replay,
    /// Locked in a way that keyhaul does not know.
    Algorithm,
    /// From before the account was in the room.
    BeforeJoin,
}

impl Reason {
    /// What a fault of the message itself, or of a key tried on it, means for its reader.
    pub(super) fn of_fault(fault: &MessageFault) -> Self {
        match fault {
            MessageFault::Algorithm { .. } => Self::Algorithm,
            MessageFault::StartsLater { first, index } => {
                Self::StartsLater { first: *first, index: *index }
            }
            MessageFault::Malformed { .. }
            | MessageFault::TooLarge { .. }
            | MessageFault::OtherSession { .. }
            | MessageFault::Signature
            | MessageFault::Mac
            | MessageFault::Inside
            | MessageFault::OtherRoom => Self::Mac,
        }
    }

    /// The stable word of the JSON contract (DESIGN §5).
    pub fn word(&self) -> &'static str {
        match self {
            // Nothing that is here holds it: what is in a backup on the server is not here.
            Self::NoKey | Self::NotRestored { .. } => "no_key",
            Self::StartsLater { .. } => "starts_later",
            Self::LockedBackup { .. } => "locked_backup",
            Self::Refused { .. } => "refused",
            Self::Mac => "mac",
            Self::Replay => "replay",
            Self::Algorithm => "algorithm",
            Self::BeforeJoin => "before_join",
        }
    }

    /// The few words that stand in place of the text.
    pub fn line(&self) -> String {
        match self {
            Self::NoKey => "no backup and no file has its key".to_owned(),
            Self::StartsLater { .. } => "its key starts later".to_owned(),
            Self::NotRestored { version } => {
                format!("its key is in backup {version}, not restored yet")
            }
            Self::LockedBackup { version } => {
                format!("its key is in backup {version}, which is locked")
            }
            Self::Refused { .. } => "its key was refused".to_owned(),
            Self::Mac => "does not fit its key".to_owned(),
            Self::Replay => "seen twice".to_owned(),
            Self::Algorithm => "unknown way of locking".to_owned(),
            Self::BeforeJoin => "sent before you joined".to_owned(),
        }
    }

    /// What that means, in one or two sentences.
    pub fn why(&self) -> String {
        match self {
            Self::NoKey => "Nothing that keyhaul has seen holds its key.".to_owned(),
            Self::StartsLater { first, index } => {
                format!("You have its key from message {first} on. This is message {index}.")
            }
            Self::NotRestored { version } => {
                format!("The key is in backup {version}, and not on this computer yet.")
            }
            Self::LockedBackup { version } => {
                format!("The key exists. Nothing you typed opens backup {version}.")
            }
            Self::Refused { version, why } => {
                format!("The key is in backup {version} but was refused: {}.", refused(why))
            }
            Self::Mac => "The message was changed, or the stored key is a wrong one.".to_owned(),
            Self::Replay => "The same message number occurs twice. One may be a copy.".to_owned(),
            Self::Algorithm => "It uses a way that keyhaul does not know.".to_owned(),
            Self::BeforeJoin => "It was sent before this account was in the room.".to_owned(),
        }
    }

    /// What may still help.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoKey => "A key file, or an app that was signed in that day.",
            Self::StartsLater { .. } => "Another backup or key file may hold it from the start.",
            Self::NotRestored { .. } => "Restore that backup again.",
            Self::LockedBackup { .. } => "Give the recovery key of that backup.",
            Self::Refused { .. } => "Another backup or key file.",
            Self::Mac => "Keep both. Report it if you meet it often.",
            Self::Replay => "Be careful with its text.",
            Self::Algorithm => "A newer app may open it.",
            Self::BeforeJoin => "Cannot be helped, by design.",
        }
    }
}

/// A reason for refusing a key, as it stands on screens (SCREENS §7).
fn refused(word: &str) -> &'static str {
    match word {
        "mac" => "for another recovery key",
        "malformed" | "ephemeral" => "not a key",
        "algorithm" => "unknown kind",
        "missing_field" => "incomplete",
        "session_key" => "damaged inside",
        "id_mismatch" => "under a wrong name",
        "room_mismatch" => "in a wrong room",
        "too_large" => "too large",
        _ => "damaged",
    }
}
