//! What may have been different from what somebody remembers: a change of a text, small enough to be
//! kept by the hundred thousand, so that no text but the one being tried is in memory.

use zeroize::Zeroizing;

use super::{
    Kind, Variation,
    keyboards::{NEIGHBOURS, PAIRS, neighbour, on_other_layout},
};
use crate::{base::secret::SecretText, secret_storage::spellings::text_of};

/// Endings that people add, the likely ones first.
const ENDINGS: [&str; 17] =
    ["!", "1", ".", "?", "2", "3", "0", "4", "5", "6", "7", "8", "9", "!!", "12", "123", "1!"];

/// The first year that is tried as an ending, and how many: of birth, of moving, of the account.
const FIRST_YEAR: u16 = 1940;
const YEARS: u16 = 90;

/// A change of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing is different.
    Nothing,
    /// The first letter, and perhaps the ending.
    First(Ending),
    /// The ending alone.
    Ending(Ending),
    /// Typed on another keyboard layout; a number of [`PAIRS`].
    Layout(u8),
    /// One slip, at this character.
    Slip(Slip, u16),
}

/// A change of the digits and signs at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// As it is.
    Same,
    /// All of them away.
    Away,
    /// Only the last one away.
    Shorter,
    /// One more; a number of the endings.
    More(u8),
    /// Another one in their place.
    Other(u8),
}

/// A slip of the fingers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slip {
    /// The character and the next one change places.
    Swapped,
    /// The character stands twice.
    Doubled,
    /// The character is missing.
    Missing,
    /// A key beside it was hit; which one.
    Beside(u8),
}

/// Changes that are tried one after the other for all lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    First,
    Shorter,
    Endings,
    Layouts,
    FirstAndEndings,
    Years,
    Swaps,
    Doubles,
    Gaps,
    KeysBeside,
}

impl Step {
    /// The steps of what was chosen, the likely ones first.
    pub(super) fn of(kinds: &[Kind]) -> impl Iterator<Item = Self> {
        use Kind::{Case, Ending, Layout, Slip};
        let steps: [(Self, &[Kind]); 10] = [
            (Self::First, &[Case]),
            (Self::Shorter, &[Ending]),
            (Self::Endings, &[Ending]),
            (Self::Layouts, &[Layout]),
            (Self::FirstAndEndings, &[Case, Ending]),
            (Self::Years, &[Ending]),
            (Self::Swaps, &[Slip]),
            (Self::Doubles, &[Slip]),
            (Self::Gaps, &[Slip]),
            (Self::KeysBeside, &[Slip]),
        ];
        let chosen = |wanted: &[Kind]| wanted.iter().all(|kind| kinds.contains(kind));
        steps.into_iter().filter(move |(_, wanted)| chosen(wanted)).map(|(step, _)| step)
    }

    /// Says whether a finger slipped, of which there are many ways.
    pub(super) fn is_slip(self) -> bool {
        matches!(self, Self::Swaps | Self::Doubles | Self::Gaps | Self::KeysBeside)
    }

    /// All changes of a text with so many characters. Some may not be possible, or change nothing.
    pub(super) fn changes(self, characters: u16) -> Box<dyn Iterator<Item = Change>> {
        let small = || 0..ENDINGS.len() as u8;
        let each = move |slip: Slip| (0..characters).map(move |place| Change::Slip(slip, place));
        let one = |change| Box::new(std::iter::once(change));
        match self {
            Self::First => one(Change::First(Ending::Same)),
            Self::Shorter => {
                Box::new([Ending::Away, Ending::Shorter].into_iter().map(Change::Ending))
            }
            Self::Endings => Box::new(
                small().map(Ending::More).chain(small().map(Ending::Other)).map(Change::Ending),
            ),
            Self::Layouts => Box::new((0..PAIRS.len() as u8).map(Change::Layout)),
            Self::FirstAndEndings => Box::new(
                [Ending::Away, Ending::Shorter]
                    .into_iter()
                    .chain(small().map(Ending::More))
                    .chain(small().map(Ending::Other))
                    .map(Change::First),
            ),
            Self::Years => {
                let years = || (0..YEARS as u8).map(|year| year + ENDINGS.len() as u8);
                Box::new(
                    years().map(Ending::More).chain(years().map(Ending::Other)).map(Change::Ending),
                )
            }
            Self::Swaps => Box::new(each(Slip::Swapped)),
            Self::Doubles => Box::new(each(Slip::Doubled)),
            Self::Gaps => Box::new(each(Slip::Missing)),
            Self::KeysBeside => Box::new(
                (0..characters)
                    .flat_map(|place| (0..NEIGHBOURS).map(move |key| (place, key)))
                    .map(|(place, key)| Change::Slip(Slip::Beside(key), place)),
            ),
        }
    }
}

impl Change {
    /// The changed text; `None` where there is nothing to change.
    pub(super) fn apply(self, text: &str) -> Option<SecretText> {
        match self {
            Self::Nothing => Some(SecretText::new(text.to_owned())),
            Self::First(ending) => {
                let rest = ending.apply(text)?;
                other_first_letter(rest.expose())
            }
            Self::Ending(ending) => ending.apply(text),
            Self::Layout(pair) => {
                let pair = *PAIRS.get(usize::from(pair))?;
                Some(text_of(text.chars().map(|character| on_other_layout(pair, character))))
            }
            Self::Slip(slip, place) => slip.apply(text, usize::from(place)),
        }
    }

    /// What was different, told without any of the text. `changed` is the text after it.
    pub(super) fn told(self, changed: &str) -> Variation {
        let ending = |ending: Ending, or| match ending {
            Ending::Same => or,
            Ending::Away | Ending::Shorter => Variation::EndingAway,
            Ending::More(_) => Variation::EndingAdded,
            Ending::Other(_) => Variation::EndingOther,
        };
        match self {
            Self::Nothing => Variation::AsTyped,
            Self::First(Ending::Same) => {
                let large = changed.chars().find(|c| has_case(*c)).is_some_and(char::is_uppercase);
                if large { Variation::FirstLarge } else { Variation::FirstSmall }
            }
            Self::First(with) => match ending(with, Variation::EndingOther) {
                Variation::EndingAway => Variation::FirstAndEndingAway,
                Variation::EndingAdded => Variation::FirstAndEndingAdded,
                _ => Variation::FirstAndEndingOther,
            },
            Self::Ending(with) => ending(with, Variation::AsTyped),
            Self::Layout(_) => Variation::Layout,
            Self::Slip(Slip::Swapped, _) => Variation::Swapped,
            Self::Slip(Slip::Doubled, _) => Variation::Doubled,
            Self::Slip(Slip::Missing, _) => Variation::Missing,
            Self::Slip(Slip::Beside(_), _) => Variation::Beside,
        }
    }
}

impl Ending {
    fn apply(self, text: &str) -> Option<SecretText> {
        let stem = text.trim_end_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
        let away = || Some(stem).filter(|stem| stem.len() < text.len() && !stem.is_empty());
        let longer = |stem: &str, number| Some(joined(stem, &ending(number)?));
        match self {
            Self::Same => Some(SecretText::new(text.to_owned())),
            Self::Away => away().map(|stem| SecretText::new(stem.to_owned())),
            Self::Shorter => {
                away()?;
                let (last, _) = text.char_indices().next_back()?;
                Some(SecretText::new(text.get(..last)?.to_owned()))
            }
            Self::More(number) => longer(text, number),
            Self::Other(number) => longer(away()?, number),
        }
    }
}

/// The ending with a number: the short ones, then the years.
fn ending(number: u8) -> Option<String> {
    let year = || {
        let year = u16::from(number).checked_sub(ENDINGS.len() as u16)?;
        (year < YEARS).then(|| (FIRST_YEAR + year).to_string())
    };
    ENDINGS.get(usize::from(number)).map(|ending| (*ending).to_owned()).or_else(year)
}

impl Slip {
    fn apply(self, text: &str, place: usize) -> Option<SecretText> {
        let (at, character) = text.char_indices().nth(place)?;
        let before = text.get(..at)?;
        let after = text.get(at + character.len_utf8()..)?;
        let with = |middle: &[char]| {
            let middle = middle.iter().copied();
            Some(text_of(before.chars().chain(middle).chain(after.chars())))
        };
        match self {
            Self::Swapped => {
                let mut rest = after.chars();
                let next = rest.next()?;
                Some(text_of(before.chars().chain([next, character]).chain(rest)))
            }
            Self::Doubled => with(&[character, character]),
            Self::Missing => with(&[]),
            Self::Beside(key) => with(&[neighbour(character, key)?]),
        }
    }
}

fn has_case(character: char) -> bool {
    character.is_lowercase() || character.is_uppercase()
}

/// The text with its first letter large where it was small, and the other way round.
fn other_first_letter(text: &str) -> Option<SecretText> {
    let (at, first) = text.char_indices().find(|(_, character)| has_case(*character))?;
    let (before, after) = (text.get(..at)?, text.get(at + first.len_utf8()..)?);
    Some(if first.is_uppercase() {
        text_of(before.chars().chain(first.to_lowercase()).chain(after.chars()))
    } else {
        text_of(before.chars().chain(first.to_uppercase()).chain(after.chars()))
    })
}

/// Two texts in one piece of memory that is wiped.
fn joined(stem: &str, end: &str) -> SecretText {
    let mut text = Zeroizing::new(String::with_capacity(stem.len() + end.len()));
    text.push_str(stem);
    text.push_str(end);
    SecretText::new(std::mem::take(&mut text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(kinds: &[Kind], text: &str) -> Vec<String> {
        let characters = text.chars().count() as u16;
        let changes = Step::of(kinds).flat_map(|step| step.changes(characters));
        let texts = changes.filter_map(|change| change.apply(text));
        texts.map(|text| text.expose().to_owned()).collect()
    }

    #[test]
    fn the_first_letter_changes_its_size() {
        assert_eq!(changed(&[Kind::Case], "hello World"), ["Hello World"]);
        assert_eq!(changed(&[Kind::Case], "“Éclair”"), ["“éclair”"]);
        assert_eq!(changed(&[Kind::Case], "4ever"), ["4Ever"]);
        assert_eq!(changed(&[Kind::Case], "ßa"), ["SSa"]);
        assert_eq!(changed(&[Kind::Case], "1234"), [""; 0]);
        let large = Change::First(Ending::Same);
        assert_eq!(large.told("Hello"), Variation::FirstLarge);
        assert_eq!(large.told("hello"), Variation::FirstSmall);
    }

    #[test]
    fn endings_come_and_go() {
        let texts = changed(&[Kind::Ending], "summer2019!");
        assert_eq!(texts[..3], ["summer", "summer2019", "summer2019!!"]);
        for wanted in ["summer2019!.", "summer2019!9", "summer?", "summer1", "summer2020"] {
            assert!(texts.iter().any(|text| text == wanted), "{wanted}");
        }
        let plain = changed(&[Kind::Ending], "summer");
        assert_eq!(plain.len(), ENDINGS.len() + usize::from(YEARS));
        for wanted in ["summer!", "summer.", "summer?", "summer7", "summer1984", "summer2029"] {
            assert!(plain.iter().any(|text| text == wanted), "{wanted}");
        }
        // What is all digits has no stem.
        assert!(
            !changed(&[Kind::Ending], "1234").iter().any(|text| text.is_empty() || text == "!")
        );
        assert!(!changed(&[Kind::Case], "summer").iter().any(|text| text.contains('!')));
        let both = changed(&[Kind::Case, Kind::Ending], "summer1");
        for wanted in ["Summer1", "Summer", "Summer1!", "Summer!"] {
            assert!(both.iter().any(|text| text == wanted), "{wanted}");
        }
    }

    #[test]
    fn slips_are_those_of_fingers() {
        let texts = changed(&[Kind::Slip], "abé");
        assert_eq!(texts[..2], ["baé", "aéb"]);
        assert_eq!(texts[2..5], ["aabé", "abbé", "abéé"]);
        assert_eq!(texts[5..8], ["bé", "aé", "ab"]);
        assert_eq!(texts[8..], ["sbé", "qbé", "wbé", "zbé", "avé", "ané", "agé", "ahé"]);
    }

    #[test]
    fn layouts_are_those_of_the_table() {
        let texts = changed(&[Kind::Layout], "lazy");
        assert!(texts.contains(&"layz".to_owned()) && texts.contains(&"lqwy".to_owned()));
        assert_eq!(texts.len(), PAIRS.len());
    }
}
