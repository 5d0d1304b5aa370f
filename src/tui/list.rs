//! A cursor in a list that may have a hundred thousand rows: only what is seen is drawn.

/// Where the focus is in a list, and which row is the first one seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The row in focus.
    pub(super) at: usize,
    /// The first row that is seen.
    pub(super) top: usize,
}

/// How the focus moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// By so many rows, up or down.
    By(isize),
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// To this row.
    To(usize),
}

impl Cursor {
    /// Moves in a list of so many rows, of which so many are seen.
    pub(super) fn go(&mut self, to: Move, rows: usize, seen: usize) {
        self.at = match to {
            Move::By(by) => self.at.saturating_add_signed(by),
            Move::First => 0,
            Move::Last => usize::MAX,
            Move::To(row) => row,
        };
        self.settle(rows, seen);
    }

    /// Brings focus and first row to where they make sense.
    pub(super) fn settle(&mut self, rows: usize, seen: usize) {
        self.at = self.at.min(rows.saturating_sub(1));
        let seen = seen.max(1);
        self.top = self.top.min(rows.saturating_sub(seen)).min(self.at);
        if self.at >= self.top + seen {
            self.top = self.at + 1 - seen;
        }
    }

    /// The rows that are seen.
    pub(super) fn seen(&self, rows: usize, seen: usize) -> std::ops::Range<usize> {
        let top = self.top.min(rows);
        top..(top + seen).min(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_focus_is_always_seen() {
        let mut cursor = Cursor::default();
        cursor.go(Move::By(3), 100, 10);
        assert_eq!(cursor, Cursor { at: 3, top: 0 });
        cursor.go(Move::Last, 100, 10);
        assert_eq!((cursor.at, cursor.seen(100, 10)), (99, 90..100));
        cursor.go(Move::By(-4), 100, 10);
        assert_eq!(cursor, Cursor { at: 95, top: 90 });
        cursor.settle(5, 10);
        assert_eq!(cursor, Cursor { at: 4, top: 0 });
        cursor.go(Move::By(-9), 0, 0);
        assert_eq!((cursor, cursor.seen(0, 0)), (Cursor::default(), 0..0));
    }
}
