//! Guesses at a passphrase that somebody half remembers: the lines of a list, and variations of them that
//! were chosen. Each comes once, the likely ones first, and how many there are is known before the first.
//!
//! Pure: what a guess opens is tried elsewhere.

mod change;
mod keyboards;
pub mod list;

use std::{collections::HashSet, ops::Range};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use self::{
    change::{Change, Step},
    list::ListLine,
};
use super::spellings::spellings;
use crate::base::{
    random::{Random, array},
    secret::SecretText,
};

/// What may be different from the lines of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The first letter is large or small.
    Case,
    /// Digits and signs at the end: some, none, or others; years, too.
    Ending,
    /// One slip: neighbours swapped, a character doubled, missing, or of the key beside.
    Slip,
    /// Typed on another keyboard layout: American, German, French.
    Layout,
}

impl Kind {
    /// All kinds, the cheap ones first.
    pub const ALL: [Self; 4] = [Self::Case, Self::Ending, Self::Layout, Self::Slip];
}

/// In what a guess differs from its line, told without any of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variation {
    /// In nothing.
    AsTyped,
    /// Accents are written another way, or white space at its end is left out.
    Spelling,
    /// The first letter is small.
    FirstSmall,
    /// The first letter is large.
    FirstLarge,
    /// There is an ending more.
    EndingAdded,
    /// The ending, or the last sign of it, is gone.
    EndingAway,
    /// There is another ending.
    EndingOther,
    /// The first letter and an ending more.
    FirstAndEndingAdded,
    /// The first letter, and the ending is gone.
    FirstAndEndingAway,
    /// The first letter and another ending.
    FirstAndEndingOther,
    /// Typed on another keyboard layout.
    Layout,
    /// Two characters changed places.
    Swapped,
    /// A character stands twice.
    Doubled,
    /// A character is missing.
    Missing,
    /// A key beside was hit.
    Beside,
}

/// How a guess comes from the list; its text is made when it is tried.
#[derive(Clone, Copy)]
struct Making {
    /// The place of the line in the list that was read.
    line: u32,
    change: Change,
    /// Which of the spellings of the changed text.
    spelling: u8,
}

/// One guess.
pub struct Guess {
    /// The number of its line in the list, from one.
    pub line: u64,
    /// In what it differs from the line.
    pub variation: Variation,
    /// The passphrase.
    pub text: SecretText,
}

/// All guesses of a list. Only how they are made is kept, some bytes for each.
pub struct Guesses {
    lines: Vec<ListLine>,
    makings: Vec<Making>,
    /// Where the guesses with other spellings and variations begin, and where those with slips do.
    parts: [usize; 2],
}

/// There are more guesses than anybody has time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

/// What is already among the guesses, by a hash under a key that nobody keeps: a plain hash of a
/// passphrase would be worth trying.
struct Known {
    key: Zeroizing<[u8; 32]>,
    hashes: HashSet<u128>,
}

impl Known {
    /// Says whether a text is new, and remembers it.
    fn is_new(&mut self, text: &SecretText) -> bool {
        let hash = Sha256::new().chain_update(&self.key[..]).chain_update(text.expose()).finalize();
        let hash = hash.first_chunk().map(|bytes| u128::from_le_bytes(*bytes));
        hash.is_some_and(|hash| self.hashes.insert(hash))
    }
}

impl Guesses {
    /// Works out all guesses of the lines with the variations that were chosen, at most so many. The order:
    /// every line as it stands; every line in other spellings; then one kind of variation after the other
    /// for every line, slips last.
    pub fn of(
        lines: Vec<ListLine>,
        kinds: &[Kind],
        most: usize,
        random: &mut dyn Random,
    ) -> Result<Self, TooMany> {
        let mut known = Known { key: Zeroizing::new(array(random)), hashes: HashSet::new() };
        let mut makings = Vec::new();
        let mut add = |making: Making, text: &SecretText| {
            if known.is_new(text) {
                makings.push(making);
            }
            if makings.len() > most { Err(TooMany) } else { Ok(makings.len()) }
        };
        let numbered = || (0..).zip(&lines);
        let mut parts = [0; 2];
        for (line, ListLine { text, .. }) in numbered() {
            parts = [add(Making { line, change: Change::Nothing, spelling: 0 }, text)?; 2];
        }
        for (line, ListLine { text, .. }) in numbered() {
            for (spelling, text) in (0..).zip(&spellings(text)).skip(1) {
                parts[1] = add(Making { line, change: Change::Nothing, spelling }, text)?;
            }
        }
        for step in Step::of(kinds) {
            for (line, ListLine { text, .. }) in numbered() {
                let text = text.expose().trim_end();
                let characters = u16::try_from(text.chars().count()).unwrap_or(u16::MAX);
                for change in step.changes(characters) {
                    let Some(changed) = change.apply(text) else { continue };
                    for (spelling, text) in (0..).zip(&spellings(&changed)) {
                        let so_many = add(Making { line, change, spelling }, text)?;
                        if !step.is_slip() {
                            parts[1] = so_many;
                        }
                    }
                }
            }
        }
        Ok(Self { lines, makings, parts })
    }

    /// How many guesses there are.
    pub fn len(&self) -> usize {
        self.makings.len()
    }

    /// Says whether there is none: the list has no line.
    pub fn is_empty(&self) -> bool {
        self.makings.is_empty()
    }

    /// How many lines they come from.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// The numbers of the guesses in three parts: lines as they stand, what is likely, slips.
    pub fn parts(&self) -> [Range<usize>; 3] {
        let [as_typed, likely] = self.parts;
        [0..as_typed, as_typed..likely, likely..self.len()]
    }

    /// The guess with a number below [`Self::len`].
    pub fn guess(&self, number: usize) -> Option<Guess> {
        let Making { line, change, spelling } = *self.makings.get(number)?;
        let ListLine { number: line, text } = self.lines.get(usize::try_from(line).ok()?)?;
        let changed = match change {
            Change::Nothing => text.duplicate(),
            change => change.apply(text.expose().trim_end())?,
        };
        let variation = match (change, spelling) {
            (Change::Nothing, 1..) => Variation::Spelling,
            (change, _) => change.told(changed.expose()),
        };
        let text = spellings(&changed).into_iter().nth(spelling.into())?;
        Some(Guess { line: *line, variation, text })
    }
}
