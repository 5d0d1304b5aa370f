//! Text fields: ordinary ones, and those for secrets.

use std::time::Duration;

use tui_input::{Input, InputRequest};
use unicode_width::UnicodeWidthStr;
use zeroize::Zeroizing;

use super::intent::Intent;
use crate::base::secret::SecretText;

/// Most characters that an ordinary field takes: a pasted megabyte is cut.
const LONGEST: usize = 512;
/// Most bytes that a field for secrets takes; some access tokens have two thousand.
const LONGEST_SECRET: usize = 8 << 10;
/// How long Ctrl-R shows what is typed.
pub(super) const SHOWN: Duration = Duration::from_secs(10);
/// Most dots that stand for hidden characters, so that they tell no length.
pub(super) const DOTS: usize = 12;

/// What a key does to the text of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Puts a character at the cursor.
    Insert(char),
    /// Cuts the character before the cursor.
    Backspace,
    /// Cuts the character at the cursor.
    Delete,
    /// One character to the left.
    Left,
    /// One character to the right.
    Right,
    /// To the start.
    Start,
    /// To the end.
    End,
    /// Cuts the word before the cursor.
    DeleteWord,
    /// Empties the field.
    Clear,
    /// Cuts what is after the cursor.
    CutRest,
}

impl Edit {
    /// What a key of the key map does to a field, if it does anything to one.
    pub(super) fn meant_by(intent: Intent) -> Option<Self> {
        Some(match intent {
            Intent::Start => Self::Start,
            Intent::End => Self::End,
            Intent::DeleteWord => Self::DeleteWord,
            Intent::Clear => Self::Clear,
            Intent::CutRest => Self::CutRest,
            _ => return None,
        })
    }
}

/// An ordinary field: an id, a file, a word to find. Never for secrets: it keeps what was cut.
#[derive(Clone, Debug, Default)]
pub(super) struct Field(Input);

impl Field {
    /// A field with text in it, the cursor behind.
    pub(super) fn with(text: &str) -> Self {
        Self(Input::new(text.chars().take(LONGEST).collect()))
    }

    /// What is typed.
    pub(super) fn text(&self) -> &str {
        self.0.value()
    }

    /// Says whether nothing is typed.
    pub(super) fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// Changes the text.
    pub(super) fn edit(&mut self, edit: Edit) {
        let request = match edit {
            Edit::Insert(_) if self.text().chars().count() >= LONGEST => return,
            Edit::Insert(c) if c.is_control() => return,
            Edit::Insert(c) => InputRequest::InsertChar(c),
            Edit::Backspace => InputRequest::DeletePrevChar,
            Edit::Delete => InputRequest::DeleteNextChar,
            Edit::Left => InputRequest::GoToPrevChar,
            Edit::Right => InputRequest::GoToNextChar,
            Edit::Start => InputRequest::GoToStart,
            Edit::End => InputRequest::GoToEnd,
            Edit::DeleteWord => InputRequest::DeletePrevWord,
            Edit::Clear => InputRequest::DeleteLine,
            Edit::CutRest => InputRequest::DeleteTillEnd,
        };
        self.0.handle(request);
    }

    /// Puts pasted text at the cursor, on one line.
    pub(super) fn paste(&mut self, text: &str) {
        let trimmed = text.trim();
        for character in trimmed.chars().filter(|c| !c.is_control()).take(LONGEST) {
            self.edit(Edit::Insert(character));
        }
    }

    /// The part of the text that a field of so many cells shows, and where the cursor stands in it.
    pub(super) fn window(&self, cells: usize) -> (&str, usize) {
        let before: usize = self.text().chars().take(self.0.cursor()).map(width).sum();
        if before < cells {
            return (self.text(), before);
        }
        // What is left of the cursor moves out, character by character.
        let mut skipped = 0;
        let mut start = 0;
        for (at, character) in self.text().char_indices() {
            if before - skipped < cells {
                start = at;
                break;
            }
            skipped += width(character);
            start = at + character.len_utf8();
        }
        (self.text().get(start..).unwrap_or_default(), before - skipped)
    }
}

fn width(character: char) -> usize {
    character.to_string().width()
}

/// A field for a password or a token: a buffer that never moves and is wiped, without undo, history and
/// `Debug`. What is cut cannot be put back.
pub(super) struct SecretField {
    text: Zeroizing<String>,
    /// Bytes before the cursor.
    cursor: usize,
    shown_until: Option<Duration>,
}

impl Default for SecretField {
    fn default() -> Self {
        let text = Zeroizing::new(String::with_capacity(LONGEST_SECRET));
        Self { text, cursor: 0, shown_until: None }
    }
}

impl SecretField {
    /// Says whether nothing is typed.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// What is typed, for whoever sends or tries it.
    pub(super) fn secret(&self) -> SecretText {
        SecretText::new(self.text.to_string())
    }

    /// Says whether what is typed is of some kind.
    pub(super) fn holds(&self, kind: impl Fn(&str) -> bool) -> bool {
        kind(&self.text)
    }

    /// Takes another text in place of what is typed.
    pub(super) fn fill(&mut self, secret: &SecretText) {
        self.edit(Edit::Clear);
        self.paste(secret.expose());
    }

    /// Changes the text.
    pub(super) fn edit(&mut self, edit: Edit) {
        match edit {
            Edit::Insert(c) if c.is_control() => {}
            Edit::Insert(c) if self.text.len() + c.len_utf8() > LONGEST_SECRET => {}
            Edit::Insert(c) => {
                self.text.insert(self.cursor, c);
                self.cursor += c.len_utf8();
            }
            Edit::Backspace => {
                if let Some(c) = self.before() {
                    self.cursor -= c.len_utf8();
                    self.text.remove(self.cursor);
                }
            }
            Edit::Delete => {
                if self.cursor < self.text.len() {
                    self.text.remove(self.cursor);
                }
            }
            Edit::Left => self.cursor -= self.before().map_or(0, char::len_utf8),
            Edit::Right => self.cursor += self.after().map_or(0, char::len_utf8),
            Edit::Start => self.cursor = 0,
            Edit::End => self.cursor = self.text.len(),
            Edit::DeleteWord => {
                while self.before() == Some(' ') {
                    self.edit(Edit::Backspace);
                }
                while self.before().is_some_and(|c| c != ' ') {
                    self.edit(Edit::Backspace);
                }
            }
            // A new buffer, so that the old one is wiped now.
            Edit::Clear => *self = Self::default(),
            Edit::CutRest => self.text.truncate(self.cursor),
        }
    }

    /// Puts pasted text at the cursor; the line breaks around it are no part of it.
    pub(super) fn paste(&mut self, text: &str) {
        for character in text.trim_matches(['\r', '\n']).chars() {
            self.edit(Edit::Insert(character));
        }
    }

    /// Shows what is typed for a while, or hides it again.
    pub(super) fn show(&mut self, now: Duration) {
        self.shown_until = if self.is_shown(now) { None } else { Some(now + SHOWN) };
    }

    /// Hides what is typed.
    pub(super) fn hide(&mut self) {
        self.shown_until = None;
    }

    /// Says whether what is typed is visible now.
    pub(super) fn is_shown(&self, now: Duration) -> bool {
        self.shown_until.is_some_and(|until| now < until)
    }

    /// When it is hidden again, if it is visible.
    pub(super) fn hides_at(&self) -> Option<Duration> {
        self.shown_until
    }

    /// What the field shows in so many cells, and where the cursor stands in it.
    pub(super) fn window(&self, cells: usize, now: Duration) -> (Zeroizing<String>, usize) {
        let before = self.text.get(..self.cursor).unwrap_or_default();
        if self.is_shown(now) {
            let shown = before.chars().rev().take(cells.saturating_sub(1)).count();
            let skipped = before.chars().count() - shown;
            let text = self.text.chars().skip(skipped).take(cells).collect::<String>();
            return (Zeroizing::new(text), shown);
        }
        let most = DOTS.min(cells.saturating_sub(1));
        let dots = self.text.chars().count().min(most);
        let cursor = before.chars().count().min(dots);
        (Zeroizing::new("•".repeat(dots)), cursor)
    }

    fn before(&self) -> Option<char> {
        self.text.get(..self.cursor)?.chars().next_back()
    }

    fn after(&self) -> Option<char> {
        self.text.get(self.cursor..)?.chars().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static_assertions::assert_not_impl_any!(SecretField: std::fmt::Debug, std::fmt::Display, Clone);

    #[test]
    fn a_secret_is_edited_like_any_text_and_its_buffer_never_moves() {
        let mut field = SecretField::default();
        let place = field.text.as_ptr();
        field.paste("an engine wéaves\n");
        field.edit(Edit::DeleteWord);
        field.edit(Edit::Left);
        field.edit(Edit::Insert('X'));
        assert_eq!(field.secret().expose(), "an engineX ");
        field.edit(Edit::Start);
        field.edit(Edit::Delete);
        field.edit(Edit::Right);
        field.edit(Edit::CutRest);
        assert_eq!(field.secret().expose(), "n");
        field.paste(&"ü".repeat(1 << 20));
        assert_eq!(field.text.as_ptr(), place);
        assert!(field.text.len() <= LONGEST_SECRET);
    }

    #[test]
    fn a_secret_is_shown_only_for_a_while() {
        let mut field = SecretField::default();
        field.paste("pässword and more than twelve");
        let at = Duration::from_secs;
        assert_eq!(field.window(30, at(0)).0.as_str(), "•".repeat(12));
        field.show(at(1));
        assert_eq!(field.window(40, at(2)).0.as_str(), "pässword and more than twelve");
        assert_eq!(field.window(7, at(2)).0.as_str(), "twelve");
        assert_eq!(field.window(40, at(11)).0.as_str(), "•".repeat(12));
        field.show(at(20));
        field.show(at(21));
        assert!(!field.is_shown(at(21)));
    }

    #[test]
    fn a_long_text_follows_its_cursor() {
        let mut field = Field::with("@ada:example.org");
        assert_eq!(field.window(40), ("@ada:example.org", 16));
        assert_eq!(field.window(8), ("ple.org", 7));
        field.edit(Edit::Start);
        assert_eq!(field.window(8), ("@ada:example.org", 0));
        field.paste(&format!("写\n{}", "x".repeat(1 << 20)));
        assert!(field.text().starts_with("写x") && field.text().chars().count() == LONGEST);
    }
}
