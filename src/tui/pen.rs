//! The only door to the screen: turns pieces into cells. Here, and nowhere else, names are hidden by the
//! mask, signs become ASCII where the terminal has no others, and lines are cut by what they occupy.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};
use unicode_width::UnicodeWidthStr;

use super::{
    page::{Instead, Line, Piece, Row, Text, own},
    theme::{Ink, Theme},
};
use crate::base::{shown::Shown, words::ascii};

/// How everything is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pen {
    /// The colours.
    pub theme: Theme,
    /// Plain ASCII signs only.
    pub ascii: bool,
    /// Names, ids and files are hidden.
    pub masked: bool,
}

/// Dots for what is hidden: always as many, so that they tell no length.
const DOTS: &str = "•••";

impl Pen {
    /// What a piece says on this screen.
    pub fn words(&self, piece: &Piece) -> String {
        let text = match &piece.text {
            Text::Own(text) => safe(text),
            Text::Private(_, Instead::Dots) if self.masked => DOTS.to_owned(),
            Text::Private(_, Instead::Account) if self.masked => format!("@{DOTS}"),
            Text::Private(_, Instead::Room(number)) if self.masked => format!("room {number}"),
            Text::Private(_, Instead::Word(word)) if self.masked => (*word).to_owned(),
            Text::Private(text, _) => text.to_string(),
        };
        let text = if self.ascii { ascii(&text) } else { text };
        let Some(fit) = piece.fit else { return text };
        let text = Text::fitted(&text, fit.width, fit.middle, self.ascii);
        let padding = " ".repeat(fit.width.saturating_sub(text.width()));
        if fit.right { padding + &text } else { text + &padding }
    }

    /// What a line says on this screen.
    pub fn line(&self, line: &Line) -> String {
        line.iter().map(|piece| self.words(piece)).collect()
    }

    /// How a role looks.
    pub fn style(&self, ink: Ink) -> Style {
        self.theme.style(ink)
    }

    /// Draws a line, cut at the end of its place; says where it ends.
    pub fn draw(&self, buffer: &mut Buffer, place: Rect, line: &Line) -> u16 {
        let mut x = place.x;
        for piece in line {
            let words = self.words(piece);
            x = self.print(buffer, Position::new(x, place.y), place.right(), &words, piece.ink);
        }
        x
    }

    /// Draws a line at the right end of its place.
    pub fn draw_right(&self, buffer: &mut Buffer, place: Rect, line: &Line) {
        let width = u16::try_from(self.line(line).width()).unwrap_or(u16::MAX).min(place.width);
        let place = Rect { x: place.right() - width, width, ..place };
        self.draw(buffer, place, line);
    }

    /// Prints words from a position on, no further than `end`; says where they end.
    pub fn print(&self, buffer: &mut Buffer, at: Position, end: u16, words: &str, ink: Ink) -> u16 {
        let end = end.min(buffer.area.right());
        if at.y >= buffer.area.bottom() || at.x >= end {
            return at.x;
        }
        let room = usize::from(end - at.x);
        let words = if self.ascii { ascii(words) } else { words.to_owned() };
        let words = Text::fitted(&words, room, false, self.ascii);
        buffer.set_stringn(at.x, at.y, &words, room, self.style(ink)).0
    }

    /// As many whole sentences of a line as fit into so many cells; at least the first, which is cut then.
    pub fn sentences(&self, line: &Line, cells: usize) -> Line {
        if self.line(line).width() <= cells {
            return line.clone();
        }
        // Only a line of our own words can be cut so; others hold names, which may have full stops.
        let [Piece { text: Text::Own(words), ink, .. }] = line.as_slice() else {
            return line.clone();
        };
        let ends = words.match_indices(". ").map(|(at, _)| at + 1);
        let fitting = ends.filter_map(|end| words.get(..end)).filter(|part| part.width() <= cells);
        match fitting.last() {
            Some(part) => vec![own(part.to_owned()).ink(*ink)],
            None => line.clone(),
        }
    }

    /// The rows as lines of a width: what is longer goes on below, where a row says that it may.
    pub fn wrap(&self, rows: &[Row], width: usize) -> Vec<Row> {
        let mut lines = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(indent) = row.wrap else {
                lines.push(row.clone());
                continue;
            };
            let mut first = true;
            for line in self.broken(&row.line, width, indent) {
                let focus = row.focus && std::mem::take(&mut first);
                lines.push(Row { line, focus, wrap: None, ..row.clone() });
            }
        }
        lines
    }

    /// Breaks a line between words. Figures keep their groups together, because a plain space stands
    /// between those.
    fn broken(&self, line: &Line, width: usize, indent: usize) -> Vec<Line> {
        let mut lines = vec![Line::new()];
        let mut used = 0;
        for piece in line {
            let words = self.words(piece);
            for word in split(&words) {
                let wide = word.trim_end().width();
                let begun = lines.last().is_some_and(|line| !line.is_empty());
                if begun && used + wide > width && used > indent {
                    lines.push(vec![own(" ".repeat(indent))]);
                    used = indent;
                }
                used += word.width();
                if let Some(line) = lines.last_mut() {
                    line.push(own(word.to_owned()).ink(piece.ink));
                }
            }
        }
        lines
    }
}

impl Text {
    /// Cuts text to a number of cells.
    fn fitted(text: &str, cells: usize, middle: bool, ascii: bool) -> String {
        if text.width() <= cells {
            return text.to_owned();
        }
        let sign = if ascii { "..." } else { "…" };
        // Leading spaces are part of the column, which `Shown` would drop.
        let lead = text.len() - text.trim_start_matches(' ').len();
        let (spaces, rest) = text.split_at(lead.min(cells));
        let room = cells.saturating_sub(spaces.len());
        let rest = Shown::new(rest);
        let cut = if middle { rest.cut_middle_with(room, sign) } else { rest.cut_with(room, sign) };
        format!("{spaces}{cut}")
    }
}

/// Our own words hold values from elsewhere now and then: nothing that a terminal would obey passes.
fn safe(text: &str) -> String {
    if text.chars().all(Shown::passes) {
        return text.to_owned();
    }
    let shown = |c| if Shown::passes(c) { c } else { char::REPLACEMENT_CHARACTER };
    text.chars().map(shown).collect()
}

/// Words with the spaces behind them; a space between digits does not divide.
fn split(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    for pair in characters.windows(2) {
        if let [(at, ' '), (next, after)] = pair
            && *after != ' '
        {
            let before = text.get(..*at).and_then(|before| before.chars().next_back());
            let figure = before.is_some_and(|c| c.is_ascii_digit()) && after.is_ascii_digit();
            if !figure {
                words.extend(text.get(start..*next));
                start = *next;
            }
        }
    }
    words.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    words
}

#[cfg(test)]
mod tests {
    use super::super::page::{instead, private};
    use super::*;

    const ORDINARY: Pen = Pen { theme: Theme::Dark, ascii: false, masked: false };

    #[test]
    fn the_mask_hides_what_is_private_and_nothing_else() {
        let line = vec![
            own("room "),
            private(&Shown::new("Family")),
            instead(&Shown::new("@ada:example.org"), Instead::Account),
            instead(&Shown::new("!a:b"), Instead::Room(6)),
            instead(&Shown::new("!a:b"), Instead::Word("ROOM")),
        ];
        assert_eq!(ORDINARY.line(&line), "room Family@ada:example.org!a:b!a:b");
        let masked = Pen { masked: true, ..ORDINARY };
        assert_eq!(masked.line(&line), "room •••@•••room 6ROOM");
        let plain = Pen { ascii: true, ..masked };
        assert_eq!(plain.line(&line), "room ***@***room 6ROOM");
    }

    #[test]
    fn columns_are_straight_whatever_is_in_them() {
        for (name, cell) in [
            ("Family", "Family  |"),
            ("写真クラブ", "写真ク… |"),
            ("📷📷📷📷", "📷📷📷📷|"),
            ("קבוצה", "קבוצה   |"),
            ("e\u{301}e", "e\u{301}e      |"),
        ] {
            let line = vec![private(&Shown::new(name)).left(8), own("|")];
            assert_eq!(ORDINARY.line(&line), cell);
        }
        let line = vec![own("1 204").right(7), own("!abcdef:example.org").middle(9)];
        assert_eq!(ORDINARY.line(&line), "  1 204!abc….org");
    }

    #[test]
    fn sentences_break_between_words_and_never_inside_a_figure() {
        let row = Row::wrapped(2, vec![own("  All 18 420 keys are"), own(" here.").ink(Ink::Ok)]);
        let lines = ORDINARY.wrap(&[row], 12);
        let lines: Vec<String> = lines.iter().map(|row| ORDINARY.line(&row.line)).collect();
        assert_eq!(lines, ["  All 18 420 ", "  keys are ", "  here."]);
    }

    #[test]
    fn nothing_that_a_terminal_obeys_passes() {
        assert_eq!(ORDINARY.line(&vec![own("a\u{1b}[2J\u{202e}b\n")]), "a�[2J�b�");
    }
}
