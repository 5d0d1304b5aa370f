//! Slips in a recovery key in words (SCREENS, "The repair"): what is searched for, and what was found.

use crate::{
    backup::repair::{Kind, Slip, Slips},
    base::{secret::SecretText, words::letter},
};

const PLACES: [&str; 4] = ["first", "second", "third", "fourth"];

/// What a stage of the search looks for.
pub fn searched(slips: Slips) -> &'static str {
    match slips {
        Slips::Unreadable => "characters that could not be read",
        Slips::OneWrong => "one character wrong, or two swapped",
        Slips::Exchanged => "two groups swapped, or capitals reversed",
        Slips::OneLeftOut => "one character left out",
        Slips::OneTooMany => "one character too many",
        Slips::GroupLeftOut => "a group of four left out",
        Slips::PartTwice => "a part typed twice",
        Slips::OtherCase => "capitals and small letters mixed up",
        Slips::Alike => "look-alikes: 0 o O  1 l I  5 S  2 Z  8 B …",
        Slips::TwoWrong => "two wrong characters",
        Slips::TwoLeftOut => "two characters left out",
        Slips::TwoTooMany => "two characters too many",
        Slips::TwoOthers => "two slips of other kinds",
        Slips::Orders => "groups of four in another order",
        Slips::ThreeWrong => "three wrong characters",
        Slips::ThreeLeftOut => "three characters left out",
        Slips::MoreTooMany => "three or four characters too many",
        Slips::ThreeOthers => "three slips of other kinds",
        Slips::FourLeftOut => "four characters in a row left out",
        Slips::CaseLost => "capitals lost in the whole text",
    }
}

/// Where a slip is: the cell, and the place in it.
pub fn place(position: usize) -> String {
    let (cell, place) = crate::backup::repair::cell(position);
    format!("cell {cell}, {} character", PLACES.get(place - 1).unwrap_or(&""))
}

/// One slip in a sentence. Its letters are part of a secret: without them only the place is told.
pub fn sentence(slip: &Slip, with_letters: bool) -> SecretText {
    let (cell, nth) = slip.cell();
    let here = place(slip.position);
    let nth = PLACES.get(nth - 1).unwrap_or(&"");
    let named = |letters: &SecretText| {
        let names: Vec<String> = letters.expose().chars().map(letter).collect();
        names.join(" and ")
    };
    let (typed, meant) = (named(&slip.typed), named(&slip.meant));
    let text = match (slip.kind, with_letters) {
        (Kind::Wrong, true) => format!("{here}: typed {typed}, meant {meant}."),
        (Kind::Wrong, false) => format!("{here}, is wrong."),
        (Kind::LeftOut, true) => format!("{here}: left out, meant {meant}."),
        (Kind::LeftOut, false) => format!("{here}, was left out."),
        (Kind::TooMany, true) => format!("{here}: before it {typed} is too many."),
        (Kind::TooMany, false) => format!("{here}: before it one is too many."),
        (Kind::Swapped { with }, with_letters) => {
            let (other, other_nth) = crate::backup::repair::cell(with);
            let other_nth = PLACES.get(other_nth - 1).unwrap_or(&"");
            match (with_letters, cell == other) {
                (true, true) => format!("cell {cell}: {typed} change places."),
                (true, false) => format!("cells {cell} and {other}: {typed} change places."),
                (false, true) => {
                    format!("cell {cell}: the {nth} and the {other_nth} character change places.")
                }
                (false, false) => {
                    format!("{here}, and {} change places.", place(with))
                }
            }
        }
        (Kind::OtherCase { last }, _) => {
            format!("from {here}, to {}: capitals and small letters are mixed up.", place(last))
        }
        (Kind::GroupsSwapped { with }, _) => format!("cells {cell} and {with} change places."),
        (Kind::Order, _) => format!("from cell {cell} on the groups stand in another order."),
        (Kind::GroupLeftOut, true) => {
            format!("cell {cell}: left out, meant {}.", slip.meant.expose())
        }
        (Kind::GroupLeftOut, false) => format!("cell {cell} was left out."),
        (Kind::PartTwice, _) => {
            let count = slip.typed.expose().chars().count();
            format!("before {here}, {count} characters are too many.")
        }
    };
    SecretText::new(capital(text))
}

fn capital(mut text: String) -> String {
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// How many slips there are, for the first line of a result.
pub fn counted(slips: &[Slip]) -> String {
    const NUMBERS: [&str; 6] =
        ["No slip", "One slip", "Two slips", "Three slips", "Four slips", "Five slips"];
    NUMBERS
        .get(slips.len())
        .map_or_else(|| format!("{} slips", slips.len()), |word| (*word).to_owned())
}
