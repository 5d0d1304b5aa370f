//! What may have happened, in the order of likelihood, and how many possibilities each has.

use std::ops::ControlFlow;

use zeroize::Zeroizing;

use super::{
    super::recovery_key::LETTERS,
    letters::{Is, Letter},
    number::BASE,
    orders,
    pattern::{self, Among, CHANGES, Found, Pattern, Portion, Wrong, by_change},
    shapes::{self, GROUP, Shape},
};

/// Most possibilities of look-alikes: as many wrong letters are thought of as that allows.
const ALIKE: u64 = 20_000_000;
/// Letters of a row that is tried with every mixture of capitals and small letters.
const CASE_REACH: usize = 20;
/// Most letters whose case is unknown, where it was lost in the whole text.
const CASES: usize = 40;
/// Of these, so many are decided by the part of the search.
const CASES_BY_PART: usize = 18;
/// Most characters in a typed text that no recovery key has.
const UNREADABLE: usize = 5;
/// Beyond so many possibilities of one text the work is divided further.
const DIVIDED: u64 = 400_000;

/// A kind of slips, or of several together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "`recovery::slips` says in words what each one is")]
pub enum Slips {
    Unreadable,
    OneWrong,
    Exchanged,
    OneLeftOut,
    OneTooMany,
    GroupLeftOut,
    PartTwice,
    OtherCase,
    Alike,
    TwoWrong,
    TwoLeftOut,
    TwoTooMany,
    TwoOthers,
    Orders,
    ThreeWrong,
    ThreeLeftOut,
    MoreTooMany,
    ThreeOthers,
    FourLeftOut,
    CaseLost,
}

/// A kind of slips, and every text that one of them could have come from.
pub(super) struct Stage {
    pub(super) slips: Slips,
    parts: Vec<Part>,
}

/// Texts of one kind, divided into portions that are about as much work as each other.
pub(super) struct Part {
    kind: Kind,
    portions: u64,
}

enum Kind {
    Edits { shapes: Vec<Shape>, wrong: Wrong, divided: Divided },
    Orders,
}

/// By what the possibilities of one text are divided.
#[derive(Clone, Copy)]
enum Divided {
    Not,
    ByOpen,
    ByChange { reach: usize },
}

impl Divided {
    fn portions(self) -> u64 {
        match self {
            Self::Not => 1,
            Self::ByOpen => BASE,
            Self::ByChange { .. } => CHANGES,
        }
    }
}

impl Stage {
    fn new(slips: Slips, parts: impl IntoIterator<Item = Option<Part>>) -> Option<Self> {
        let parts: Vec<Part> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then_some(Self { slips, parts })
    }

    /// How many possibilities there are.
    pub(super) fn of(&self, letters: &[Letter]) -> u64 {
        self.parts.iter().fold(0, |of: u64, part| of.saturating_add(part.count(letters)))
    }

    /// Into how many portions the work is divided.
    pub(super) fn portions(&self) -> u64 {
        self.parts.iter().map(|part| part.portions).sum()
    }

    /// Goes through a portion, and hands on what passes; returns how many possibilities it had, or
    /// nothing where the search was ended.
    pub(super) fn walk(
        &self,
        letters: &[Letter],
        mut portion: u64,
        found: &mut Found<'_>,
    ) -> ControlFlow<(), u64> {
        for part in &self.parts {
            if portion < part.portions {
                return part.walk(letters, portion, found);
            }
            portion -= part.portions;
        }
        ControlFlow::Continue(0)
    }
}

impl Part {
    /// Texts made by undoing slips one after the other, with some wrong letters more.
    pub(super) fn edits(letters: &[Letter], shapes: &[Shape], wrong: Wrong) -> Option<Self> {
        let unreadable = letters.iter().any(|letter| letter.is == Is::Unreadable);
        let open: usize = shapes.iter().map(|shape| shape.holes()).sum();
        let each = match wrong.among {
            Among::Any => (0..open as u32 + wrong.most as u32)
                .try_fold(shapes::choose(LETTERS, wrong.most), |all, _| all.checked_mul(BASE)),
            Among::Alike | Among::OtherCase => None,
        };
        let divided = match each {
            Some(..=DIVIDED) => Divided::Not,
            Some(_) | None if wrong.among != Among::Any => Divided::ByChange { reach: LETTERS },
            _ if open > 0 || unreadable && shapes.is_empty() => Divided::ByOpen,
            _ => Divided::ByChange { reach: LETTERS },
        };
        let kind = Kind::Edits { shapes: shapes.to_vec(), wrong, divided: Divided::Not };
        Self { kind, portions: texts(shapes, letters.len())? }.divided(divided)
    }

    /// Every mixture of capitals and small letters in a row of letters.
    fn cases(letters: &[Letter]) -> Option<Self> {
        let wrong = Wrong { least: 1, most: CASE_REACH, among: Among::OtherCase };
        let kind = Kind::Edits { shapes: Vec::new(), wrong, divided: Divided::Not };
        let part = Self { kind, portions: texts(&[], letters.len())? };
        part.divided(Divided::ByChange { reach: CASE_REACH - 1 })
    }

    fn divided(self, by: Divided) -> Option<Self> {
        let Kind::Edits { shapes, wrong, .. } = self.kind else { return None };
        let portions = self.portions.checked_mul(by.portions())?;
        Some(Self { kind: Kind::Edits { shapes, wrong, divided: by }, portions })
    }

    /// The text that a portion is about, with the slips undone that it thinks of.
    fn text(&self, letters: &[Letter], portion: u64) -> Option<Zeroizing<Vec<Letter>>> {
        let Kind::Edits { divided, .. } = &self.kind else { return None };
        self.text_numbered(letters, portion / divided.portions())
    }

    /// One of the texts, by its number.
    pub(super) fn text_numbered(
        &self,
        letters: &[Letter],
        mut number: u64,
    ) -> Option<Zeroizing<Vec<Letter>>> {
        let Kind::Edits { shapes, .. } = &self.kind else { return None };
        // Room for all that is ever inserted, so that no letters are left behind.
        let mut made = Zeroizing::new(Vec::with_capacity(letters.len() + LETTERS));
        made.extend_from_slice(letters);
        for shape in shapes {
            let count = shape.count(made.len());
            let applies = count > 0 && shape.apply(&mut made, number % count);
            number = number.checked_div(count).filter(|_| applies)?;
        }
        Some(made)
    }

    /// What that text can be, or the part of it that belongs to the portion.
    fn pattern(&self, text: &[Letter], portion: u64) -> Option<Pattern> {
        let Kind::Edits { wrong, divided, .. } = &self.kind else { return None };
        let within = portion % divided.portions();
        Pattern::new(text, *wrong)?.only(match divided {
            Divided::Not => Portion::Whole,
            Divided::ByOpen => Portion::Open(within),
            Divided::ByChange { reach } => by_change(within, *reach),
        })
    }

    /// How many possibilities there are.
    fn count(&self, letters: &[Letter]) -> u64 {
        let Kind::Edits { shapes, wrong, divided } = &self.kind else {
            return (0..self.portions).map(|portion| orders::count(letters, portion)).sum();
        };
        let readable = letters.iter().all(|letter| matches!(letter.is, Is::Known(_)));
        // Then each text has as many as every other one.
        let alike = readable
            && wrong.among == Among::Any
            && shapes.iter().all(|shape| shape.always_applies())
            || matches!(shapes.as_slice(), [Shape::Cases(_)]);
        let whole = Kind::Edits { shapes: shapes.clone(), wrong: *wrong, divided: Divided::Not };
        let whole = Self { kind: whole, portions: self.portions / divided.portions() };
        let part =
            if matches!(divided, Divided::ByChange { reach: ..LETTERS }) { self } else { &whole };
        let count = |portion| {
            let text = part.text(letters, portion);
            text.and_then(|text| part.pattern(&text, portion)).map_or(0, |pattern| pattern.count())
        };
        if alike {
            return count(0).saturating_mul(part.portions);
        }
        (0..part.portions).fold(0, |all: u64, portion| all.saturating_add(count(portion)))
    }

    fn walk(
        &self,
        letters: &[Letter],
        portion: u64,
        found: &mut Found<'_>,
    ) -> ControlFlow<(), u64> {
        let count = match self.kind {
            Kind::Orders => {
                orders::walk(letters, portion, found)?;
                orders::count(letters, portion)
            }
            Kind::Edits { wrong, .. } => {
                let Some(text) = self.text(letters, portion) else {
                    return ControlFlow::Continue(0);
                };
                if wrong.most == 0
                    && let Some(number) = pattern::only_one(&text)
                {
                    if number.passes() {
                        found(&number)?;
                    }
                    return ControlFlow::Continue(1);
                }
                let Some(pattern) = self.pattern(&text, portion) else {
                    return ControlFlow::Continue(0);
                };
                pattern.walk(found)?;
                pattern.count()
            }
        };
        ControlFlow::Continue(count)
    }
}

/// How many texts shapes make, one after the other, if they make 48 letters.
fn texts(shapes: &[Shape], letters: usize) -> Option<u64> {
    let mut length = letters;
    let mut texts = 1_u64;
    for shape in shapes {
        texts = texts.checked_mul(shape.count(length))?;
        length = shape.length(length)?;
    }
    (length == LETTERS).then_some(texts)
}

/// All stages for a text, the likeliest first. Of a text that is much too short or too long there are
/// none.
pub(super) fn of_text(letters: &[Letter], one_case: bool) -> Vec<Stage> {
    use Shape::{
        Gap, Groups, Holes, Merged, Moved, Neighbours, OtherCase, Pairs, Parted, Run, Without,
        WithoutRun,
    };
    let unreadable = letters.iter().filter(|letter| letter.is == Is::Unreadable).count();
    let right = || Wrong { least: 0, most: 0, among: Among::Any };
    let wrong = |count| Wrong { least: count, most: count, among: Among::Any };
    let part = |shapes: &[Shape], wrong| Part::edits(letters, shapes, wrong);
    let plain = |shapes: &[Shape]| part(shapes, right());
    let one_more = |shapes: &[Shape]| part(shapes, wrong(1));
    let too_many = letters.len().saturating_sub(LETTERS);

    if one_case {
        return Stage::new(Slips::CaseLost, [case_lost(letters)]).into_iter().collect();
    }
    let nothing_else = (1..=UNREADABLE).contains(&unreadable).then(|| part(&[], wrong(unreadable)));
    let nothing_else = nothing_else.flatten();
    let (few, many) = if unreadable > 2 { (None, nothing_else) } else { (nothing_else, None) };
    let orders = (unreadable == 0 && letters.len() == LETTERS)
        .then_some(Part { kind: Kind::Orders, portions: orders::PORTIONS });
    let twice = (too_many > 1).then(|| plain(&[WithoutRun(too_many)])).flatten();
    let few_too_many = too_many == 2;
    let two_others = [
        &[Without(1), Holes(1)],
        &[Neighbours, Neighbours],
        &[Groups, Groups],
        &[Neighbours, Groups],
        &[Neighbours, OtherCase],
        &[Groups, OtherCase],
        &[Holes(1), Neighbours],
        &[Holes(1), Groups],
        &[Holes(1), OtherCase],
        &[Without(1), Neighbours],
        &[Without(1), Groups],
        &[Without(1), OtherCase],
        &[Pairs, Neighbours],
        &[Holes(1), Pairs],
        &[Without(1), Pairs],
    ]
    .map(|shapes| plain(shapes));
    let one_more = [
        one_more(&[Neighbours]),
        one_more(&[Groups]),
        one_more(&[Holes(1)]),
        one_more(&[Without(1)]),
        one_more(&[OtherCase]),
        one_more(&[Pairs]),
        few_too_many.then(|| one_more(&[Without(2)])).flatten(),
        (too_many > 2).then(|| one_more(&[WithoutRun(too_many)])).flatten(),
    ];
    let three_others = [
        plain(&[Without(2), Holes(1)]),
        plain(&[Without(1), Holes(2)]),
        part(&[Without(1)], wrong(2)),
        part(&[Without(1), Holes(1)], wrong(1)),
        part(&[Neighbours], wrong(2)),
        plain(&[Holes(2), Neighbours]),
        plain(&[Without(3), Holes(1)]),
    ];
    let exchanged = [plain(&[Groups]), plain(&[OtherCase]), plain(&[Pairs]), plain(&[Moved])];
    let two_wrong = part(&[], wrong(2)).filter(|_| unreadable <= 2);
    let three_wrong = part(&[], wrong(unreadable.max(2) + 1)).filter(|_| unreadable <= 3);
    let one_wrong = part(&[], wrong(1)).filter(|_| unreadable == 0);
    [
        Stage::new(Slips::Unreadable, [few]),
        Stage::new(Slips::OneWrong, [one_wrong, plain(&[Neighbours])]),
        Stage::new(Slips::OneLeftOut, [plain(&[Holes(1)]), plain(&[Parted])]),
        Stage::new(Slips::OneTooMany, [plain(&[Without(1)]), plain(&[Merged])]),
        Stage::new(Slips::PartTwice, [twice]),
        Stage::new(Slips::Exchanged, exchanged),
        Stage::new(Slips::TwoTooMany, [plain(&[Without(2)])]),
        Stage::new(Slips::OtherCase, [Part::cases(letters)]),
        Stage::new(Slips::Alike, [alike(letters)]),
        Stage::new(Slips::Unreadable, [many]),
        Stage::new(Slips::TwoWrong, [two_wrong]),
        Stage::new(Slips::TwoLeftOut, [plain(&[Holes(2)])]),
        Stage::new(Slips::TwoOthers, two_others.into_iter().chain(one_more)),
        Stage::new(Slips::GroupLeftOut, [plain(&[Gap])]),
        Stage::new(Slips::Orders, [orders]),
        Stage::new(Slips::MoreTooMany, [plain(&[Without(3)]), plain(&[Without(4)])]),
        Stage::new(Slips::FourLeftOut, [plain(&[Run(GROUP)])]),
        Stage::new(Slips::ThreeOthers, three_others),
        Stage::new(Slips::ThreeLeftOut, [plain(&[Holes(3)])]),
        Stage::new(Slips::ThreeWrong, [three_wrong]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// As many look-alikes together as make no more possibilities than can be tried in a moment.
fn alike(letters: &[Letter]) -> Option<Part> {
    // Characters that no recovery key has are taken for something else in any case.
    let least = usize::from(letters.iter().all(|letter| letter.is != Is::Unreadable));
    (1..=4).rev().find_map(|most| {
        let wrong = Wrong { least, most, among: Among::Alike };
        Part::edits(letters, &[], wrong).filter(|part| part.count(letters) <= ALIKE)
    })
}

/// Every mixture of capitals and small letters, where all became the same.
fn case_lost(letters: &[Letter]) -> Option<Part> {
    let both = letters.iter().filter(|letter| shapes::has_both_cases(letter)).count();
    if both > CASES {
        return None;
    }
    let wrong = Wrong { least: 0, most: LETTERS, among: Among::OtherCase };
    let shapes = vec![Shape::Cases(both.min(CASES_BY_PART))];
    let portions = texts(&shapes, letters.len())?;
    Some(Part { kind: Kind::Edits { shapes, wrong, divided: Divided::Not }, portions })
}
