//! The only door for untrusted text: what a server or a file says passes here before any screen.
//!
//! Terminals obey what they print. So control characters become visible pictures, characters that
//! turn, hide or stack text are dropped, and lengths are cut by what they occupy on the screen.

use std::fmt;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Most combining marks left on one letter; real scripts need no more.
const MARKS: usize = 4;

/// Text that is safe to print: one line, no controls, no direction changes, no hidden characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shown(String);

impl Shown {
    /// Makes any text safe.
    pub fn new(text: &str) -> Self {
        Self::limited(text, usize::MAX)
    }

    /// Makes any text safe and keeps at most `characters` of it.
    pub fn limited(text: &str, characters: usize) -> Self {
        let mut safe = String::with_capacity(text.len().min(characters.saturating_mul(4)));
        let mut marks = MARKS;
        let mut kept = 0;
        for character in text.chars() {
            if kept == characters {
                safe.push('…');
                break;
            }
            let Some(character) = visible(character) else {
                continue;
            };
            if character == ' ' && (safe.is_empty() || safe.ends_with(' ')) {
                continue;
            }
            if is_mark(character) {
                if marks == MARKS {
                    continue;
                }
                marks += 1;
            } else {
                marks = 0;
            }
            safe.push(character);
            kept += 1;
        }
        safe.truncate(safe.trim_end().len());
        Self(safe)
    }

    /// The safe text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many terminal cells it takes.
    pub fn width(&self) -> usize {
        self.0.width()
    }

    /// Cuts the end so that at most `cells` are taken.
    #[must_use]
    pub fn cut(&self, cells: usize) -> Self {
        self.cut_with(cells, "…")
    }

    /// Cuts the end, with another sign for what is cut.
    #[must_use]
    pub fn cut_with(&self, cells: usize, sign: &str) -> Self {
        if self.width() <= cells {
            return self.clone();
        }
        let Some(room) = cells.checked_sub(sign.width()) else { return Self::default() };
        Self(take_cells(self.0.chars(), room) + sign)
    }

    /// Cuts the middle so that at most `cells` are taken: for ids, whose ends tell them apart.
    #[must_use]
    pub fn cut_middle(&self, cells: usize) -> Self {
        self.cut_middle_with(cells, "…")
    }

    /// Cuts the middle, with another sign for what is cut.
    #[must_use]
    pub fn cut_middle_with(&self, cells: usize, sign: &str) -> Self {
        if self.width() <= cells {
            return self.clone();
        }
        let Some(room) = cells.checked_sub(sign.width()) else { return Self::default() };
        let head = take_cells(self.0.chars(), room - room / 2) + sign;
        let tail = take_cells(self.0.chars().rev(), room / 2);
        Self(head + &tail.chars().rev().collect::<String>())
    }

    /// Says whether a single character may reach a terminal as it is.
    pub fn passes(character: char) -> bool {
        visible(character) == Some(character)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for Shown {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Shown {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<u64> for Shown {
    fn from(number: u64) -> Self {
        Self(grouped(number))
    }
}

/// A number in groups of three from 1 000 on (SCREENS §2).
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A waiting time in words (SCREENS §2).
pub fn waiting(seconds: Option<u64>) -> Shown {
    match seconds {
        None => Shown::new("a few minutes"),
        Some(seconds @ 0..120) => Shown::new(&format!("{seconds} s")),
        Some(seconds @ 120..7_200) => Shown::new(&format!("{} min", seconds.div_ceil(60))),
        Some(seconds) => Shown::new(&format!("{} hours", grouped(seconds.div_ceil(3_600)))),
    }
}

/// Writes every character that [`Shown`] would not pass as `\uXXXX`, so that a JSON document is
/// safe on a terminal and still the same to a parser. Outside of strings JSON has no such characters.
pub fn escape_json(document: &str) -> String {
    escape(document, Shown::passes)
}

/// The same for every character beyond ASCII.
pub fn escape_json_to_ascii(document: &str) -> String {
    escape(document, |character| character.is_ascii() && Shown::passes(character))
}

fn escape(document: &str, passes: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(document.len());
    // As in a text that is shown: a mark needs a letter of its own, and there are only so many on it.
    let mut marks = MARKS;
    for character in document.chars() {
        let is_mark = is_mark(character);
        if character == '\n' || (passes(character) && !(is_mark && marks == MARKS)) {
            safe.push(character);
            marks = match character {
                _ if is_mark => marks + 1,
                '"' | '\n' => MARKS,
                _ => 0,
            };
        } else {
            marks = MARKS;
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    safe
}

/// Says whether a character takes no cell of its own.
fn is_mark(character: char) -> bool {
    character.width() == Some(0)
}

/// What stands for a character on the screen; `None` drops it.
fn visible(character: char) -> Option<char> {
    match character {
        // The last one is the empty pattern of Braille: it looks like a space.
        '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        | '\u{2800}' => Some(' '),
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}' => Some(char::REPLACEMENT_CHARACTER),
        hidden if is_hidden(hidden) => None,
        private if is_private(private) => Some(char::REPLACEMENT_CHARACTER),
        space if space.is_whitespace() && space != '\u{3000}' => Some(' '),
        other => Some(other),
    }
}

/// Characters that take no place but change how others look: direction, joining, tags, fillers.
fn is_hidden(character: char) -> bool {
    matches!(u32::from(character),
        0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x3164 | 0xffa0 | 0xfeff
        | 0x180b..=0x180f | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f
        | 0xfe00..=0xfe0f | 0xfff0..=0xfffb | 0x13430..=0x1343f | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
        | 0xe0000..=0xe0fff)
}

/// Private use and non-characters: what they draw depends on the font.
fn is_private(character: char) -> bool {
    let code = u32::from(character);
    matches!(code, 0xe000..=0xf8ff | 0xf0000..=0x10ffff | 0xfdd0..=0xfdef)
        || code & 0xfffe == 0xfffe
}

fn take_cells(characters: impl Iterator<Item = char>, cells: usize) -> String {
    let mut text = String::new();
    let mut used = 0;
    for character in characters {
        used += character.width().unwrap_or(0);
        if used > cells {
            break;
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_become_pictures_and_hidden_characters_go() {
        let hostile = "a\u{1b}]52;c;AAAA\u{7}b\u{9b}31mc\u{202e}d\u{200b}e\u{301}\r\n\u{e0041}f";
        assert_eq!(Shown::new(hostile).as_str(), "a␛]52;c;AAAA␇b�31mcde\u{301} f");
    }

    #[test]
    fn a_flood_of_marks_is_cut() {
        let flood = format!("e{}x", "\u{301}".repeat(500));
        assert_eq!(Shown::new(&flood).as_str().chars().count(), 6);
    }

    #[test]
    fn marks_without_a_letter_and_floods_are_escaped_in_json() -> Result<(), serde_json::Error> {
        let value =
            serde_json::json!({"a": format!("\u{301}e{}x\u{200b}\u{301}", "\u{301}".repeat(6))});
        let document = escape_json(&value.to_string());
        assert_eq!(document.matches('\u{301}').count(), MARKS, "{document}");
        assert_eq!(document.matches("\\u0301").count(), 4, "{document}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&document)?, value);
        Ok(())
    }

    #[test]
    fn cuts_by_cells() {
        let name = Shown::new("漢字の部屋");
        assert_eq!(name.cut(5).as_str(), "漢字…");
        assert_eq!(name.cut(10).as_str(), "漢字の部屋");
        assert_eq!(Shown::new("!abcdef:example.org").cut_middle(9).as_str(), "!abc….org");
        assert_eq!(name.cut(0).as_str(), "");
    }

    #[test]
    fn numbers_are_grouped_from_a_thousand_on() {
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(18_420), "18 420");
        assert_eq!(grouped(1_000_000), "1 000 000");
    }

    #[test]
    fn json_stays_the_same_to_a_parser() -> Result<(), serde_json::Error> {
        let value = serde_json::json!({"name": "a\u{202e}b\u{9b}\u{7f}\u{e0041}ü"});
        let document = escape_json(&value.to_string());
        assert!(document.chars().all(Shown::passes), "{document}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&document)?, value);
        Ok(())
    }
}
