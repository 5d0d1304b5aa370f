//! Keyboards: which character lies on which key, for texts typed on another layout than the one in mind,
//! and for fingers that hit the key beside.

/// The keys of a layout, row by row from the number row down; without and with Shift.
struct Board {
    plain: [&'static str; 4],
    shifted: [&'static str; 4],
}

/// The layouts that are known: of the United States, Germany and France.
const BOARDS: [Board; 3] = [
    Board {
        plain: ["`1234567890-=", "qwertyuiop[]\\", "asdfghjkl;'", "zxcvbnm,./"],
        shifted: ["~!@#$%^&*()_+", "QWERTYUIOP{}|", "ASDFGHJKL:\"", "ZXCVBNM<>?"],
    },
    Board {
        plain: ["^1234567890ß´", "qwertzuiopü+#", "asdfghjklöä", "yxcvbnm,.-"],
        shifted: ["°!\"§$%&/()=?`", "QWERTZUIOPÜ*'", "ASDFGHJKLÖÄ", "YXCVBNM;:_"],
    },
    Board {
        plain: ["²&é\"'(-è_çà)=", "azertyuiop^$*", "qsdfghjklmù", "wxcvbn,;:!"],
        shifted: ["~1234567890°+", "AZERTYUIOP¨£µ", "QSDFGHJKLM%", "WXCVBN?./§"],
    },
];

/// Pairs of layouts: where the fingers were, and what the computer took the keyboard for. German and
/// French keyboards taken for American ones first, because that is what computers start with.
pub(super) const PAIRS: [(u8, u8); 6] = [(1, 0), (0, 1), (2, 0), (0, 2), (1, 2), (2, 1)];

/// Where a character lies: with Shift or without, the row, and the key in it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    shift: bool,
    row: usize,
    column: usize,
}

impl Board {
    fn find(&self, character: char) -> Option<Key> {
        let halves = [(false, &self.plain), (true, &self.shifted)];
        halves.into_iter().find_map(|(shift, rows)| {
            rows.iter().enumerate().find_map(|(row, keys)| {
                let column = keys.chars().position(|key| key == character)?;
                Some(Key { shift, row, column })
            })
        })
    }

    fn at(&self, key: Key) -> Option<char> {
        let rows = if key.shift { &self.shifted } else { &self.plain };
        rows.get(key.row)?.chars().nth(key.column)
    }
}

/// What comes out where the fingers type a character of one layout and the computer has another one. A
/// character that the first one does not have stays as it is.
pub(super) fn on_other_layout((from, to): (u8, u8), character: char) -> char {
    let board = |number: u8| BOARDS.get(usize::from(number));
    let moved = || board(to)?.at(board(from)?.find(character)?);
    moved().unwrap_or(character)
}

/// Most keys around one.
pub(super) const NEIGHBOURS: u8 = 6;

/// One of the keys around a character, by a number below [`NEIGHBOURS`], on an American keyboard: left and
/// right of it, then above, then below. `None` where there is no key.
pub(super) fn neighbour(character: char, number: u8) -> Option<char> {
    let [board, ..] = &BOARDS;
    let key = board.find(character)?;
    // The number row has a key more at its left end.
    let up = usize::from(key.row == 1);
    let (row, column) = match number {
        0 => (Some(key.row), key.column.checked_sub(1)),
        1 => (Some(key.row), key.column.checked_add(1)),
        2 => (key.row.checked_sub(1), key.column.checked_add(up)),
        3 => (key.row.checked_sub(1), key.column.checked_add(up + 1)),
        4 if key.row == 0 => (Some(1), key.column.checked_sub(2)),
        4 => (key.row.checked_add(1), key.column.checked_sub(1)),
        5 if key.row == 0 => (Some(1), key.column.checked_sub(1)),
        5 => (key.row.checked_add(1), Some(key.column)),
        _ => (None, None),
    };
    board.at(Key { shift: key.shift, row: row?, column: column? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_has_the_same_keys() {
        for board in &BOARDS {
            for rows in [&board.plain, &board.shifted] {
                assert_eq!(rows.map(|row| row.chars().count()), [13, 13, 11, 10]);
            }
        }
    }

    #[test]
    fn texts_of_other_layouts_are_known() {
        let typed = |pair, text: &str| -> String {
            text.chars().map(|character| on_other_layout(pair, character)).collect()
        };
        assert_eq!(typed((1, 0), "Zypern für 3"), "Yzpern f[r 3");
        assert_eq!(typed((0, 1), "lazy-dog!"), "layzßdog!");
        assert_eq!(typed((2, 0), "azerty 1"), "qwerty !");
        assert_eq!(typed((0, 2), "qwerty1;"), "azerty&m");
        assert_eq!(typed((1, 2), "yz"), "wy");
        // There and back it is the same, for letters.
        for (there, back) in [((1, 0), (0, 1)), ((2, 0), (0, 2)), ((1, 2), (2, 1))] {
            assert_eq!(typed(back, &typed(there, "abcxyzmqw")), "abcxyzmqw");
        }
        assert_eq!(typed((1, 0), "日本"), "日本");
    }

    #[test]
    fn keys_have_the_neighbours_that_they_have() {
        let around = |character| -> String {
            let mut keys: Vec<char> =
                (0..NEIGHBOURS).filter_map(|number| neighbour(character, number)).collect();
            keys.sort_unstable();
            keys.into_iter().collect()
        };
        assert_eq!(around('g'), "bfhtvy");
        assert_eq!(around('S'), "ADEWXZ");
        assert_eq!(around('q'), "12aw");
        assert_eq!(around('a'), "qswz");
        assert_eq!(around('4'), "35er");
        assert_eq!(around('z'), "asx");
        assert_eq!(around('é'), "");
        assert_eq!(neighbour('g', NEIGHBOURS), None);
    }
}
