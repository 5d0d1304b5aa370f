//! What lies above a screen until Esc takes it away.

use std::path::PathBuf;

use super::{field::Field, list::Cursor};
use crate::{base::failure::Failure, recovery::snapshots::Kept};

/// What lies above a screen.
pub(super) enum Overlay {
    /// What each key does here.
    Help {
        /// The first line that is seen.
        top: usize,
    },
    /// Every action by its name.
    Palette {
        /// The word to find.
        field: Field,
        /// The focus.
        cursor: Cursor,
    },
    /// Which snapshot to open.
    OpenFile {
        /// A file's name.
        field: Field,
        /// The snapshots in keyhaul's own folder.
        kept: Option<Vec<Kept>>,
        /// The focus: 0 is the field, the others are snapshots.
        cursor: Cursor,
        /// Why the last one did not open.
        failed: Option<Failure>,
    },
    /// A backup by its number.
    ByNumber {
        /// The number.
        field: Field,
    },
    /// Something did not work.
    Failed {
        /// What.
        failure: Failure,
        /// What can be done about it.
        choices: Vec<Choice>,
        /// The focus.
        cursor: Cursor,
        /// The technical line is shown.
        detail: bool,
    },
    /// Leave although something runs?
    Leave {
        /// The focus.
        cursor: Cursor,
    },
    /// Show names again?
    Unmask,
}

/// What can be done about a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// The same once more.
    Again(Repeat),
    /// A snapshot instead.
    Snapshot,
    /// Another account or server.
    SignIn,
    /// A check-up of the account.
    CheckUp,
}

/// What can be tried once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Looking at the account, or into this snapshot.
    Look(Option<PathBuf>),
    /// Reading this version.
    Haul(String),
    /// Starting the demo.
    Demo,
    /// Making a plan.
    Plan,
}

/// The ways to leave, in their order; the first is the harmless one.
pub(super) const WAYS_OUT: usize = 3;

impl Overlay {
    /// The field in it that has the focus.
    pub(super) fn field(&self) -> Option<&Field> {
        match self {
            Self::Palette { field, .. } | Self::ByNumber { field } => Some(field),
            Self::OpenFile { field, .. } => Some(field),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(super) fn field_mut(&mut self) -> Option<&mut Field> {
        match self {
            Self::Palette { field, .. } | Self::ByNumber { field } => Some(field),
            Self::OpenFile { field, .. } => Some(field),
            _ => None,
        }
    }
}
