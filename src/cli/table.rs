//! Tables for people: columns that fit the terminal, cut by what they occupy, never by bytes.

use crate::base::{shown::Shown, words::ascii};

/// How a column's cells stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// Text, whole.
    Left,
    /// Figures, whole.
    Right,
    /// Text that gives way when the terminal is narrow, cut at its end.
    Flexible,
    /// An id that gives way, cut in its middle.
    FlexibleId,
}

/// A table being built: headings first, then rows of the same length.
pub(super) struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<Shown>>,
    /// Stands for what is cut.
    sign: &'static str,
}

const GAP: usize = 2;
/// A flexible column never becomes narrower.
const NARROWEST: usize = 8;

impl Table {
    pub(super) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self::headed(
            columns.iter().map(|(heading, align)| ((*heading).to_owned(), *align)).collect(),
        )
    }

    /// A table whose columns are known only now.
    pub(super) fn headed(columns: Vec<(String, Align)>) -> Self {
        Self { columns, rows: Vec::new(), sign: "…" }
    }

    /// A row for such a table, with as many cells as it has columns.
    pub(super) fn row_of(&mut self, cells: Vec<Shown>) {
        self.rows.push(cells);
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [Shown; N]) {
        self.rows.push(cells.into());
    }

    /// The same table in plain ASCII signs, before anything is measured.
    pub(super) fn in_ascii(&self) -> Self {
        let plain = |cell: &Shown| Shown::new(&ascii(cell.as_str()));
        let rows = self.rows.iter().map(|row| row.iter().map(plain).collect()).collect();
        Self { columns: self.columns.clone(), rows, sign: "..." }
    }

    /// The lines of the table, none wider than `width` cells if that is possible at all.
    pub(super) fn lines(&self, width: usize) -> Vec<String> {
        let widths = self.widths(width);
        let headings = self.columns.iter().map(|(heading, _)| Shown::new(heading)).collect();
        let all = std::iter::once(&headings).chain(&self.rows);
        all.map(|row: &Vec<Shown>| self.line(row, &widths)).collect()
    }

    fn line(&self, row: &[Shown], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, (_, align)), width) in row.iter().zip(&self.columns).zip(widths) {
            let cell = match align {
                Align::FlexibleId => cell.cut_middle_with(*width, self.sign),
                _ => cell.cut_with(*width, self.sign),
            };
            let padding = " ".repeat(width.saturating_sub(cell.width()));
            let (before, after) = match align {
                Align::Right => (padding, String::new()),
                _ => (String::new(), padding),
            };
            line.push_str(&before);
            line.push_str(cell.as_str());
            line.push_str(&after);
            line.push_str(&" ".repeat(GAP));
        }
        line.truncate(line.trim_end().len());
        line
    }

    fn widths(&self, width: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(place, (heading, _))| {
                let cells = self.rows.iter().filter_map(|row| row.get(place)).map(Shown::width);
                cells.max().unwrap_or(0).max(heading.len())
            })
            .collect();
        let total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let mut excess = total.saturating_sub(width);
        // The widest flexible column gives way first, cell by cell, so that they end up even.
        while excess > 0 {
            let widest = widths
                .iter_mut()
                .zip(&self.columns)
                .filter(|(width, (_, align))| {
                    matches!(align, Align::Flexible | Align::FlexibleId) && **width > NARROWEST
                })
                .max_by_key(|(width, _)| **width);
            let Some((widest, _)) = widest else { break };
            *widest -= 1;
            excess -= 1;
        }
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn wide_names_keep_columns_straight() {
        let mut table = Table::new(&[("Room", Align::Flexible), ("Keys", Align::Right)]);
        table.row([Shown::new("漢字漢字漢字漢字"), Shown::from(7)]);
        table.row([Shown::new("plain"), Shown::from(1_200)]);
        let lines = table.lines(20);
        assert_eq!(lines, ["Room            Keys", "漢字漢字漢字…      7", "plain          1 200"]);
        assert!(lines.iter().all(|line| line.width() <= 20), "{lines:?}");
        assert_eq!(
            table.in_ascii().lines(16),
            ["Room       Keys", "????????      7", "plain     1 200"]
        );
    }
}
