//! The form of a paper: a report for support, or a recovery sheet.

use std::path::PathBuf;

use super::field::Field;
use crate::base::failure::Failure;

/// Which paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paper {
    /// The recovery sheet.
    #[default]
    Sheet,
    /// The report for support.
    Report,
}

impl Paper {
    /// How its file is called, unless somebody wants another name.
    pub(super) fn file_name(self) -> &'static str {
        match self {
            Self::Sheet => "recovery-sheet",
            Self::Report => "keyhaul-report",
        }
    }

    /// What it is called within a sentence.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sheet => "recovery sheet",
            Self::Report => "report",
        }
    }
}

/// The state of the form.
#[derive(Default)]
pub(super) struct PaperForm {
    /// Which paper.
    pub(super) paper: Paper,
    /// The file's name.
    pub(super) file: Field,
    /// The file that is being written.
    pub(super) writing: PathBuf,
    /// Why it was not written.
    pub(super) failed: Option<Failure>,
    /// Keys read so far.
    pub(super) keys: u64,
    /// Papers that were written.
    pub(super) made: Vec<(Paper, PathBuf)>,
}
