//! What somebody wrote in a message: private, and hostile to a terminal.

use std::fmt;

use crate::base::{secret::SecretText, shown::Shown};

/// A text out of a message: wiped when dropped, never in `Debug`; a screen gets it as [`Shown`] only.
#[derive(Default)]
pub struct Words(SecretText);

impl Words {
    /// Takes a text over.
    pub fn new(text: String) -> Self {
        Self(SecretText::new(text))
    }

    /// The whole text made safe, on one line.
    pub fn shown(&self) -> Shown {
        Shown::new(self.0.expose())
    }

    /// The beginning of the text made safe, of at most so many characters.
    pub fn beginning(&self, characters: usize) -> Shown {
        Shown::limited(self.0.expose(), characters)
    }

    /// Its lines, each made safe.
    pub fn lines(&self) -> Vec<Shown> {
        self.0.expose().lines().map(Shown::new).collect()
    }

    /// The text as it was written, for documents that programs read.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl Clone for Words {
    fn clone(&self) -> Self {
        Self(self.0.duplicate())
    }
}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Words {}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(…)")
    }
}
