//! A typed text as letters: what each is worth, and what else it could have been.

use zeroize::Zeroize;

use super::{
    super::recovery_key::{LETTERS, is_between},
    alike,
    number::BASE,
};

/// The letters in the order of what they are worth.
const ALPHABET: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Every letter, as a set.
pub(super) const ALL: Set = (1 << BASE) - 1;

/// Stands for a letter that could not be read.
const OPEN_PLACE: char = '_';
/// With more of them they stand between groups.
const MOST_OPEN: usize = 5;

/// A set of letters: a bit for each, by what it is worth.
pub(super) type Set = u64;

/// One letter of a text.
#[derive(Clone, Copy, Zeroize)]
pub(super) struct Letter {
    /// What stands there.
    pub(super) is: Is,
    /// What it is easily taken for.
    pub(super) alike: Set,
    /// The same letter as a capital, or as a small one.
    pub(super) other_case: Set,
}

/// What stands at a place.
#[derive(Clone, Copy, PartialEq, Eq, Zeroize)]
pub(super) enum Is {
    /// A letter with this worth.
    Known(u8),
    /// A character that no recovery key has: whatever was meant, it was not this.
    Unreadable,
    /// Nothing was typed here; it could be any letter.
    Hole,
}

impl Letter {
    /// Any letter, where none was typed.
    pub(super) const HOLE: Self = Self { is: Is::Hole, alike: ALL, other_case: ALL };

    fn typed(character: char) -> Self {
        let is = digit(character).map_or(Is::Unreadable, Is::Known);
        let (alike, other_case) = (alike::set(character), set(alike::other_case(character)));
        match is {
            // Nobody knows what a strange sign looks like.
            Is::Unreadable if alike == 0 => Self { is, alike: ALL, other_case },
            _ => Self { is, alike, other_case },
        }
    }

    /// The letter with this character, which must be one of a recovery key.
    pub(super) fn known(character: char) -> Option<Self> {
        digit(character).map(|_| Self::typed(character))
    }

    /// The same letter in the other case; `None` where no recovery key has that.
    pub(super) fn in_other_case(self) -> Option<Self> {
        let none = self.other_case == 0;
        match self.is {
            Is::Known(digit) if none => {
                let character = character(digit)?;
                (!character.is_ascii_alphabetic()).then_some(self)
            }
            Is::Known(_) | Is::Unreadable if !none => {
                let digit = self.other_case.trailing_zeros() as u8;
                let own = match self.is {
                    Is::Known(own) => 1 << own,
                    Is::Unreadable | Is::Hole => 0,
                };
                // What it is taken for hardly depends on the case.
                Some(Self { is: Is::Known(digit), alike: self.alike, other_case: own })
            }
            _ => None,
        }
    }
}

/// What a letter is worth; `None` for a character that no recovery key has.
pub(super) fn digit(character: char) -> Option<u8> {
    let place = |first: char| (character as u32 - first as u32) as u8;
    match character {
        '1'..='9' => Some(place('1')),
        'A'..='H' => Some(9 + place('A')),
        'J'..='N' => Some(17 + place('J')),
        'P'..='Z' => Some(22 + place('P')),
        'a'..='k' => Some(33 + place('a')),
        'm'..='z' => Some(44 + place('m')),
        _ => None,
    }
}

/// The letter that is worth so much.
pub(super) fn character(digit: u8) -> Option<char> {
    ALPHABET.as_bytes().get(usize::from(digit)).copied().map(char::from)
}

/// The letters among some characters, as a set.
pub(super) fn set(characters: impl IntoIterator<Item = char>) -> Set {
    characters.into_iter().filter_map(digit).fold(0, |set, digit| set | 1 << digit)
}

/// The characters of a typed text that count as letters: without spaces and whatever else only stands
/// between letters. A line low down stands for a letter that could not be read, where that makes 48.
pub(super) fn characters(text: &str) -> impl Iterator<Item = char> {
    let all = text.chars().filter(|c| *c == OPEN_PLACE || !is_between(*c));
    let (places, open) = all.clone().fold((0, 0), |(all, open), character| {
        (all + 1, open + usize::from(character == OPEN_PLACE))
    });
    all.filter(move |c| *c != OPEN_PLACE || places == LETTERS && open <= MOST_OPEN)
}

/// The letters of a typed text.
pub(super) fn read(text: &str) -> impl Iterator<Item = Letter> {
    characters(text).map(Letter::typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_is_that_of_recovery_keys() {
        let letters =
            ('\0'..='\u{ff}').filter(|c| super::super::super::recovery_key::is_letter(*c));
        let letters: Vec<char> = letters.collect();
        assert_eq!(letters.len() as u64, BASE);
        for (worth, letter) in letters.into_iter().enumerate() {
            assert_eq!(digit(letter), Some(worth as u8));
            assert_eq!(character(worth as u8), Some(letter));
        }
    }

    #[test]
    fn letters_know_their_other_case() {
        let other = |c| {
            Letter::typed(c).in_other_case().map(|letter| match letter.is {
                Is::Known(digit) => character(digit),
                _ => None,
            })
        };
        assert_eq!(other('a'), Some(Some('A')));
        assert_eq!(other('Z'), Some(Some('z')));
        assert_eq!(other('7'), Some(Some('7')));
        // These exist in one case only.
        for (typed, meant) in [('O', 'o'), ('I', 'i'), ('l', 'L')] {
            assert_eq!(other(typed), Some(Some(meant)));
            assert!(other(meant).is_none());
        }
        assert!(other('?').is_none());
    }
}
