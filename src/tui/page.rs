//! What a screen says, before anybody decides how it looks: lines of pieces, each with its role. Names, ids
//! and files are marked as private where they are said, so the mask can hide them where they are drawn.

use std::borrow::Cow;

use super::{intent::Intent, theme::Ink};
use crate::base::shown::Shown;

/// Text of a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// Our own words and figures.
    Own(Cow<'static, str>),
    /// What says who or where somebody is; hidden by the mask.
    Private(Shown, Instead),
}

/// What the mask shows instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    /// Dots.
    Dots,
    /// The account: `@` and dots.
    Account,
    /// A room by its number.
    Room(u64),
    /// A word in a command.
    Word(&'static str),
}

/// How a piece fills its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// Cells of the column.
    pub width: usize,
    /// To the right end of the column.
    pub right: bool,
    /// Cut in the middle: for ids, whose ends tell them apart.
    pub middle: bool,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it says.
    pub text: Text,
    /// What it is for.
    pub ink: Ink,
    /// The column that it fills, if it is in a table.
    pub fit: Option<Fit>,
}

/// Our own words.
pub fn own(text: impl Into<Cow<'static, str>>) -> Piece {
    Piece { text: Text::Own(text.into()), ink: Ink::Plain, fit: None }
}

/// Private words, with dots under the mask.
pub fn private(text: &Shown) -> Piece {
    instead(text, Instead::Dots)
}

/// Private words, with something else under the mask.
pub fn instead(text: &Shown, instead: Instead) -> Piece {
    Piece { text: Text::Private(text.clone(), instead), ink: Ink::Plain, fit: None }
}

/// What stands before a row: the sign of the focus, or its place.
pub fn mark(focus: bool) -> Piece {
    if focus { own("▸ ").ink(Ink::Accent) } else { own("  ") }
}

/// The same before a box that is ticked or not.
pub fn mark_and_box(focus: bool, ticked: bool) -> [Piece; 2] {
    let mark = if focus { own("▸").ink(Ink::Accent) } else { own(" ") };
    [mark, own(if ticked { "[x] " } else { "[ ] " })]
}

impl Piece {
    /// The same in another role.
    #[must_use]
    pub fn ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }

    /// The same as a column, from its left end.
    #[must_use]
    pub fn left(self, width: usize) -> Self {
        Self { fit: Some(Fit { width, right: false, middle: false }), ..self }
    }

    /// The same as a column, to its right end.
    #[must_use]
    pub fn right(self, width: usize) -> Self {
        Self { fit: Some(Fit { width, right: true, middle: false }), ..self }
    }

    /// The same as a column, cut in its middle.
    #[must_use]
    pub fn middle(self, width: usize) -> Self {
        Self { fit: Some(Fit { width, right: false, middle: true }), ..self }
    }
}

/// A line: its pieces from left to right.
pub type Line = Vec<Piece>;

/// A line of our own words.
pub fn line(text: impl Into<Cow<'static, str>>) -> Line {
    vec![own(text)]
}

/// What a click on a row means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A row of the list, by its place in it.
    Row(usize),
    /// A part of the screen, by its place.
    Part(usize),
}

/// A row of the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// What it says.
    pub line: Line,
    /// Whether the focus is on it.
    pub focus: bool,
    /// What a click on it means.
    pub target: Option<Target>,
    /// Where the terminal's cursor stands in it: cells from its start.
    pub cursor: Option<usize>,
    /// Words longer than the row go on in the next one, this far from its start.
    pub wrap: Option<usize>,
}

impl Row {
    /// A row of pieces.
    pub fn of(line: Line) -> Self {
        Self { line, ..Self::default() }
    }

    /// A row of our own words.
    pub fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self::of(line(text))
    }

    /// Sentences which go on below where they are longer than the row.
    pub fn wrapped(indent: usize, line: Line) -> Self {
        Self { wrap: Some(indent), ..Self::of(line) }
    }

    /// An empty row.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The same in focus, or not.
    #[must_use]
    pub fn focused(self, focus: bool) -> Self {
        Self { focus, ..self }
    }

    /// The same, to be clicked on.
    #[must_use]
    pub fn target(self, target: Target) -> Self {
        Self { target: Some(target), ..self }
    }

    /// The same with the terminal's cursor in it.
    #[must_use]
    pub fn cursor(self, cell: Option<usize>) -> Self {
        Self { cursor: cell, ..self }
    }
}

/// A second frame at the right.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// In its upper edge.
    pub title: Line,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// A key worth naming now: its intent, and another label than the key map's where that says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// What the key means.
    pub intent: Intent,
    /// What the footer calls it here.
    pub label: Option<&'static str>,
}

/// A hint with the key map's own label.
pub fn hint(intent: Intent) -> Hint {
    Hint { intent, label: None }
}

/// A hint with a label of this moment.
pub fn called(intent: Intent, label: &'static str) -> Hint {
    Hint { intent, label: Some(label) }
}

/// All that a screen says.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// In the upper edge of the frame.
    pub title: Line,
    /// In the same edge at the right.
    pub corner: Line,
    /// In the lower edge: what is chosen, how far the reading is.
    pub edge: Line,
    /// The body; what does not fit is cut at its end.
    pub rows: Vec<Row>,
    /// The second frame, where there is room for one.
    pub side: Option<Side>,
    /// One fact.
    pub fact: Line,
    /// One thing to do.
    pub next: Line,
    /// The keys that matter now, the most likely first.
    pub hints: Vec<Hint>,
    /// The command that does the same.
    pub command: Line,
}
