//! Characters that are easily taken for each other, on paper, by ear or by hand.

use super::letters::{self, Set};

/// Each character of a row is easily taken for every other one.
const ALIKE: &[&str] = &[
    "0oOQDC",
    "1lIijLJ|!",
    "17",
    "7T",
    "5S$",
    "2Z",
    "8B",
    "38",
    "6bG",
    "9gq",
    "49",
    "4A",
    "uv",
    "UV",
    "vy",
    "VY",
    "nm",
    "nh",
    "rn",
    "ce",
    "CG",
    "ft",
    "EF",
    "PR",
    "MN",
    "VW",
    "KX",
];

/// Letters that are read as one, and that one.
pub(super) const TWO_AS_ONE: &[([char; 2], char)] = &[
    (['n', 'n'], 'm'),
    (['r', 'n'], 'm'),
    (['v', 'v'], 'w'),
    (['u', 'u'], 'w'),
    (['V', 'V'], 'W'),
    (['c', '1'], 'd'),
    (['c', 'i'], 'd'),
    (['c', 'j'], 'd'),
];

/// The letters that a character is easily taken for; without itself.
pub(super) fn set(character: char) -> Set {
    let rows = ALIKE.iter().filter(|row| row.contains(character));
    let others = rows.flat_map(|row| row.chars()).chain(other_case(character));
    letters::set(others.filter(|other| *other != character))
}

/// The same letter as a capital, or as a small one.
pub(super) fn other_case(character: char) -> Option<char> {
    let other = |character: char| match character.is_ascii_uppercase() {
        true => character.to_ascii_lowercase(),
        false => character.to_ascii_uppercase(),
    };
    character.is_ascii_alphabetic().then(|| other(character))
}
