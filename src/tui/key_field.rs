//! The field for the secret on paper: twelve cells of four, or one line for a passphrase. Its buffer never
//! moves and is wiped; it has no undo, no history and no `Debug`.

use std::time::Duration;

use zeroize::Zeroizing;

use super::field::{DOTS, Edit, SHOWN};
use crate::{
    backup::recovery_key::{self, LETTERS, is_between, is_letter},
    base::secret::SecretText,
    recovery::judged::{Shape, Verdict, judge, shape},
};

/// Most characters that it takes.
const LONGEST: usize = 1_024;
/// Letters in a cell, and cells in a row.
pub(super) const CELL: usize = 4;
pub(super) const CELLS: usize = LETTERS / CELL;
const ROW: usize = 4 * CELL;
/// Stands in a place that was opened for a letter that was forgotten. It only separates.
const OPEN_PLACE: char = '_';

/// The field.
pub(super) struct KeyField {
    text: Zeroizing<Vec<char>>,
    cursor: usize,
    shown_until: Option<Duration>,
    /// The kind that somebody chose; `None` is found out.
    chosen: Option<Shape>,
    /// It came by paste: not even the cell in focus is shown.
    covered: bool,
    /// What was left out of the last paste.
    pub(super) pasted: Option<Pasted>,
}

/// What a paste brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pasted {
    /// Characters that count.
    pub(super) letters: usize,
    /// Spaces, dashes and line breaks that do not.
    pub(super) between: usize,
}

/// A cell as it is drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// Its places: a letter, an open place, or nothing yet.
    pub(super) places: [Place; CELL],
    /// The cursor is in it, before this place.
    pub(super) cursor: Option<usize>,
}

/// One place of a cell. Only what may be seen is taken out of the buffer.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing yet.
    #[default]
    Empty,
    /// A character that is hidden; whether a recovery key can have it.
    Hidden(bool),
    /// A character that is shown.
    Seen(char),
}

// A letter is part of a secret.
impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Self::Empty { "Empty" } else { "Taken" })
    }
}

impl Default for KeyField {
    fn default() -> Self {
        Self {
            text: Zeroizing::new(Vec::with_capacity(LONGEST)),
            cursor: 0,
            shown_until: None,
            chosen: None,
            covered: false,
            pasted: None,
        }
    }
}

impl KeyField {
    /// Says whether nothing is typed.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// What is typed, for whoever tries it.
    pub(super) fn secret(&self) -> SecretText {
        SecretText::new(std::mem::take(&mut *self.as_text()))
    }

    fn as_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.text.len() * 4));
        text.extend(self.text.iter());
        text
    }

    /// The kind of secret: what somebody chose, or what it looks like.
    pub(super) fn shape(&self) -> Shape {
        self.chosen.unwrap_or_else(|| shape(&self.as_text()))
    }

    /// The kind that somebody chose.
    pub(super) fn chosen(&self) -> Option<Shape> {
        self.chosen
    }

    /// Chooses the next kind; after the last one it is found out again.
    pub(super) fn choose_next(&mut self) {
        self.chosen = match self.chosen {
            None => Some(Shape::RecoveryKey),
            Some(Shape::RecoveryKey) => Some(Shape::Passphrase),
            Some(Shape::Passphrase) => Some(Shape::RawKey),
            Some(Shape::RawKey) => None,
        };
    }

    /// What can be said of it so far.
    pub(super) fn verdict(&self) -> Verdict {
        judge(&self.as_text(), self.shape())
    }

    fn in_cells(&self) -> bool {
        self.shape() == Shape::RecoveryKey
    }

    /// Changes the text.
    pub(super) fn edit(&mut self, edit: Edit) {
        self.pasted = None;
        match edit {
            Edit::Insert(c) if c.is_control() => {}
            Edit::Insert(c) => {
                self.covered = false;
                self.insert(c);
            }
            Edit::Backspace => self.cut_before(),
            Edit::Delete => {
                if self.cursor < self.text.len() {
                    self.text.remove(self.cursor);
                }
            }
            Edit::Left => self.cursor = self.before(),
            Edit::Right => self.cursor = self.after(),
            Edit::Start => self.cursor = 0,
            Edit::End => self.cursor = self.text.len(),
            Edit::DeleteWord => {
                while self.before_cursor().is_some_and(char::is_whitespace) {
                    self.cut_before();
                }
                while self.before_cursor().is_some_and(|c| !c.is_whitespace()) {
                    self.cut_before();
                }
            }
            // A new buffer, so that the old one is wiped now.
            Edit::Clear => *self = Self { chosen: self.chosen, ..Self::default() },
            Edit::CutRest => self.text.truncate(self.cursor),
        }
    }

    fn insert(&mut self, c: char) {
        let open = self.in_cells() && self.text.get(self.cursor) == Some(&OPEN_PLACE);
        // In a full key a letter takes the place of another: else all cells behind it would move.
        let full = self.in_cells() && !is_between(c) && self.places().count() >= LETTERS;
        let replaces = open && !is_between(c)
            || full && self.text.get(self.cursor).is_some_and(|there| !is_between(*there));
        let long = self.text.len() >= LONGEST;
        match self.text.get_mut(self.cursor) {
            Some(place) if replaces => *place = c,
            _ if long => return,
            _ => self.text.insert(self.cursor, c),
        }
        self.cursor += 1;
    }

    fn cut_before(&mut self) {
        if let Some(place) = self.cursor.checked_sub(1) {
            self.text.remove(place);
            self.cursor = place;
        }
    }

    fn before_cursor(&self) -> Option<char> {
        self.text.get(self.cursor.checked_sub(1)?).copied()
    }

    /// The next place to the left that can be seen.
    fn before(&self) -> usize {
        if !self.in_cells() {
            return self.cursor.saturating_sub(1);
        }
        let places = self.places().take_while(|(at, _)| *at < self.cursor);
        places.last().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        if !self.in_cells() {
            return (self.cursor + 1).min(self.text.len());
        }
        let mut behind = self.places().map(|(at, _)| at).filter(|at| *at > self.cursor);
        behind.next().unwrap_or(self.text.len())
    }

    /// A row of cells up or down.
    pub(super) fn go_by_row(&mut self, down: bool) {
        if !self.in_cells() {
            return;
        }
        let here = self.places().take_while(|(at, _)| *at < self.cursor).count();
        let there = if down { here + ROW } else { here.saturating_sub(ROW) };
        self.go_to_place(there);
    }

    /// Puts the cursor before a place, counted from 0.
    pub(super) fn go_to_place(&mut self, place: usize) {
        let there = self.places().nth(place);
        self.cursor = there.map_or(self.text.len(), |(at, _)| at);
    }

    /// Opens a place at the cursor: all later letters move on.
    pub(super) fn open_place(&mut self) {
        if self.in_cells() && self.text.len() < LONGEST {
            self.text.insert(self.cursor, OPEN_PLACE);
        }
    }

    /// Puts pasted text at the cursor, hidden at once. A whole recovery key takes the place of what is there.
    pub(super) fn paste(&mut self, text: &str) {
        let text = text.trim_matches(['\r', '\n']);
        if recovery_key::parse(text).is_ok() {
            self.edit(Edit::Clear);
        }
        // A pasted megabyte is cut.
        let text = text.chars().take(LONGEST - self.text.len());
        let between = text.clone().filter(|c| is_between(*c)).count();
        let all = text.clone().count();
        for c in text {
            // Line breaks within it only separate.
            self.insert(if c.is_control() { ' ' } else { c });
        }
        self.covered = true;
        self.shown_until = None;
        self.pasted = Some(Pasted { letters: all - between, between });
    }

    /// Letters and open places, each with where it is in the text.
    fn places(&self) -> impl Iterator<Item = (usize, char)> {
        let all = self.text.iter().copied().enumerate();
        all.filter(|(_, c)| *c == OPEN_PLACE || !is_between(*c))
    }

    /// How many letters there are.
    pub(super) fn letters(&self) -> usize {
        self.places().filter(|(_, c)| *c != OPEN_PLACE).count()
    }

    /// In which place of which cell a letter stands, counted from 1, the letter from 1 too.
    pub(super) fn place_of_letter(&self, letter: usize) -> (usize, usize) {
        let letters = self.places().enumerate().filter(|(_, (_, c))| *c != OPEN_PLACE);
        let place = letters.map(|(place, _)| place).nth(letter.saturating_sub(1)).unwrap_or(0);
        (place / CELL + 1, place % CELL + 1)
    }

    /// The twelve cells; with their letters if `all` may be seen, or the cell `here` at the cursor. Letters
    /// beyond the last cell are not in them.
    pub(super) fn cells(&self, all: bool, here: bool) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); CELLS];
        let cursor = self.places().take_while(|(at, _)| *at < self.cursor).count();
        let cursor = cursor.min(LETTERS - 1);
        for (place, (_, c)) in self.places().enumerate() {
            let seen = all || here && place / CELL == cursor / CELL;
            let cell = cells.get_mut(place / CELL);
            if let Some(to) = cell.and_then(|cell| cell.places.get_mut(place % CELL)) {
                *to = match c {
                    OPEN_PLACE => Place::Empty,
                    c if seen => Place::Seen(c),
                    c => Place::Hidden(is_letter(c)),
                };
            }
        }
        if let Some(cell) = cells.get_mut(cursor / CELL) {
            cell.cursor = Some(cursor % CELL);
        }
        cells
    }

    /// Says whether the cell in focus may be shown.
    pub(super) fn is_covered(&self) -> bool {
        self.covered
    }

    /// What one line shows of it in so many cells, and where the cursor stands.
    pub(super) fn window(&self, cells: usize, now: Duration) -> (Zeroizing<String>, usize) {
        let mut window = Zeroizing::new(String::with_capacity(cells * 4));
        if self.is_shown(now) {
            let shown = self.cursor.min(cells.saturating_sub(1));
            let skipped = self.cursor - shown;
            window.extend(self.text.iter().skip(skipped).take(cells));
            return (window, shown);
        }
        let most = DOTS.min(cells.saturating_sub(1));
        window.extend(std::iter::repeat_n('•', self.text.len().min(most)));
        (window, self.cursor.min(self.text.len().min(most)))
    }

    /// Shows what is typed for a while, or hides it again.
    pub(super) fn show(&mut self, now: Duration) {
        self.shown_until = if self.is_shown(now) { None } else { Some(now + SHOWN) };
    }

    /// Hides what is typed.
    pub(super) fn hide(&mut self) {
        self.shown_until = None;
        self.covered = true;
    }

    /// Says whether everything is visible now.
    pub(super) fn is_shown(&self, now: Duration) -> bool {
        self.shown_until.is_some_and(|until| now < until)
    }

    /// When it is hidden again, if it is visible.
    pub(super) fn hides_at(&self) -> Option<Duration> {
        self.shown_until
    }
}

impl Cell {
    /// Says whether it holds what no recovery key has.
    pub(super) fn is_impossible(&self) -> bool {
        self.places.iter().any(|place| match place {
            Place::Hidden(possible) => !possible,
            Place::Seen(c) => !is_letter(*c),
            Place::Empty => false,
        })
    }

    /// How many letters it holds.
    pub(super) fn letters(&self) -> usize {
        self.places.iter().filter(|place| **place != Place::Empty).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static_assertions::assert_not_impl_any!(KeyField: std::fmt::Debug, std::fmt::Display, Clone);

    const KEY: &str = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d";

    fn typed(text: &str) -> KeyField {
        let mut field = KeyField::default();
        text.chars().for_each(|c| field.edit(Edit::Insert(c)));
        field
    }

    fn drawn(field: &KeyField) -> String {
        let cells = field.cells(true, true).into_iter().map(|cell| {
            let place = |place: &Place| match place {
                Place::Empty => '·',
                Place::Hidden(_) => '•',
                Place::Seen(c) => *c,
            };
            cell.places.iter().map(place).collect::<String>()
        });
        cells.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn letters_fill_cells_whatever_is_between() {
        for text in [KEY.to_owned(), KEY.replace(' ', ""), KEY.replace(' ', "-")] {
            let field = typed(&text);
            assert_eq!(drawn(&field), KEY);
            assert_eq!(field.verdict(), Verdict::Complete);
        }
        let mut field = KeyField::default();
        field.paste(&format!("\n{}\n", KEY.replace(' ', "\n\u{200b}")));
        assert_eq!(drawn(&field), KEY);
        assert_eq!(field.pasted, Some(Pasted { letters: 48, between: 22 }));
        assert!(field.is_covered());
    }

    #[test]
    fn in_a_full_key_letters_replace_and_a_place_can_be_opened() {
        let mut field = typed(KEY);
        field.edit(Edit::Start);
        field.edit(Edit::Right);
        field.edit(Edit::Insert('X'));
        assert_eq!(drawn(&field), KEY.replace("EsTc", "EXTc"));
        field.edit(Edit::Left);
        field.edit(Edit::Insert('s'));
        assert_eq!(field.verdict(), Verdict::Complete);
        // One was forgotten in the second cell.
        let mut field = typed(&KEY.replace("LW2K", "L2K"));
        assert_eq!(field.verdict(), Verdict::Missing { letters: 47 });
        field.go_to_place(5);
        field.open_place();
        assert!(drawn(&field).starts_with("EsTc L·2K PGiF"), "{}", drawn(&field));
        assert_eq!(field.cells(false, false)[1].cursor, Some(1));
        field.edit(Edit::Insert('W'));
        assert_eq!((drawn(&field).as_str(), field.verdict()), (KEY, Verdict::Complete));
        field.go_by_row(false);
        field.edit(Edit::Backspace);
        assert_eq!(field.letters(), 48);
        field.edit(Edit::End);
        field.go_by_row(false);
        field.edit(Edit::CutRest);
        assert_eq!(field.letters(), 32);
        field.go_by_row(true);
        field.edit(Edit::DeleteWord);
        assert_eq!(field.letters(), 28);
    }

    #[test]
    fn a_wrong_letter_has_a_place_also_beside_an_open_one() {
        let mut field = typed("EsTc L02K");
        assert_eq!(field.place_of_letter(6), (2, 2));
        assert!(
            field.cells(false, false)[1].is_impossible()
                && !field.cells(false, false)[0].is_impossible()
        );
        field.go_to_place(4);
        field.open_place();
        assert_eq!(field.place_of_letter(6), (2, 3));
    }

    #[test]
    fn a_sentence_is_one_line_and_its_buffer_never_moves() {
        let mut field = typed("correct horse");
        let place = field.text.as_ptr();
        assert_eq!(field.shape(), Shape::Passphrase);
        let at = Duration::from_secs;
        assert_eq!(field.window(40, at(0)), (Zeroizing::new("•".repeat(12)), 12));
        field.show(at(1));
        assert_eq!(field.window(40, at(2)), (Zeroizing::new("correct horse".to_owned()), 13));
        field.edit(Edit::Left);
        field.edit(Edit::Insert('ß'));
        assert_eq!(field.secret().expose(), "correct horsße");
        field.paste(&"ü".repeat(1 << 20));
        assert_eq!((field.text.len(), field.text.as_ptr()), (LONGEST, place));
        field.choose_next();
        assert_eq!(field.shape(), Shape::RecoveryKey);
    }
}
