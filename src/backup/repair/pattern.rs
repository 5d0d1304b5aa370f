//! A text of 48 letters, some of which may be others, and the walk through all that it can be.

use std::ops::ControlFlow;

use zeroize::{Zeroize, Zeroizing};

use super::{
    super::recovery_key::LETTERS,
    letters::{ALL, Is, Letter, Set},
    number::{BASE, Number, Power},
};

/// Which letters may stand for a wrong one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Among {
    /// Any letter.
    Any,
    /// What it is easily taken for.
    Alike,
    /// The same letter as a capital, or as a small one.
    OtherCase,
}

/// How many letters are wrong, at least and at most, and what may stand for them. Among any letters,
/// characters that no recovery key has are counted, too; the others take them for granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) among: Among,
}

/// A part of a walk: by what the first letter becomes that is open or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Portion {
    /// All of it.
    Whole,
    /// Only with this letter in the first open place.
    Open(u64),
    /// Only without any wrong letter.
    Unchanged,
    /// Only with this letter in place of the first wrong one, the others no further away than `reach`.
    Changed { place: usize, digit: u64, reach: usize },
}

/// One place of a text.
#[derive(Zeroize)]
struct Slot {
    #[zeroize(skip)]
    power: Power,
    reach: u64,
    /// What stands here, or nothing where the place is open.
    digit: u64,
    /// What can stand here, where it is open.
    open: Set,
    /// What can stand here instead.
    wrong: Set,
}

/// A text of 48 letters, and what may be different in it.
pub(super) struct Pattern {
    slots: Zeroizing<Vec<Slot>>,
    least: usize,
    most: usize,
}

/// The number of a text of 48 letters in which nothing is open.
pub(super) fn only_one(letters: &[Letter]) -> Option<Number> {
    let mut number = Number::zero();
    for (place, letter) in letters.iter().enumerate() {
        let Is::Known(digit) = letter.is else { return None };
        number.add_times(&Power::at(place), digit.into());
    }
    (letters.len() == LETTERS).then_some(number)
}

/// Takes every candidate that passes; says whether to go on.
pub(super) type Found<'a> = dyn FnMut(&Number) -> ControlFlow<()> + 'a;

impl Pattern {
    /// A pattern of 48 letters; `None` where more of them are wrong for certain than may be.
    pub(super) fn new(letters: &[Letter], wrong: Wrong) -> Option<Self> {
        let Wrong { mut least, mut most, among } = wrong;
        let mut slots = Zeroizing::new(Vec::with_capacity(LETTERS));
        for (place, letter) in letters.iter().enumerate() {
            let others = match among {
                Among::Any => ALL,
                Among::Alike => letter.alike,
                Among::OtherCase => letter.other_case,
            };
            let (digit, open, wrong) = match letter.is {
                Is::Known(digit) => (digit.into(), 0, others & !(1 << digit)),
                Is::Unreadable | Is::Hole => (0, others, 0),
            };
            if letter.is == Is::Unreadable && among == Among::Any {
                most = most.checked_sub(1)?;
                least = least.saturating_sub(1);
            } else if letter.is == Is::Unreadable && others == 0 {
                return None;
            }
            let (power, reach) = (Power::at(place), Power::reach(place));
            slots.push(Slot { power, reach, digit, open, wrong });
        }
        (slots.len() == LETTERS).then_some(Self { slots, least, most })
    }

    /// Only a part of it; `None` where there is nothing in that part.
    pub(super) fn only(mut self, portion: Portion) -> Option<Self> {
        match portion {
            Portion::Whole => {}
            Portion::Open(digit) => {
                let slot = self.slots.iter_mut().find(|slot| slot.open != 0)?;
                (slot.open & (1 << digit) != 0).then_some(())?;
                (slot.digit, slot.open) = (digit, 0);
            }
            Portion::Unchanged => {
                (self.least == 0).then_some(())?;
                self.most = 0;
            }
            Portion::Changed { place, digit, reach } => {
                let slot = self.slots.get_mut(place)?;
                (slot.wrong & (1 << digit) != 0).then_some(())?;
                slot.digit = digit;
                self.most = self.most.checked_sub(1)?;
                self.least = self.least.saturating_sub(1);
                let fixed = |at: usize| at <= place || at > place.saturating_add(reach);
                let slots = self.slots.iter_mut().enumerate();
                slots.filter(|(at, _)| fixed(*at)).for_each(|(_, slot)| slot.wrong = 0);
            }
        }
        Some(self)
    }

    /// How many texts it can be.
    pub(super) fn count(&self) -> u64 {
        let open = self.slots.iter().filter(|slot| slot.open != 0);
        let open =
            open.fold(1_u64, |ways, slot| ways.saturating_mul(slot.open.count_ones().into()));
        if self.most == 0 {
            return open;
        }
        let some: Vec<u64> = self
            .slots
            .iter()
            .filter(|slot| slot.wrong != 0)
            .map(|slot| slot.wrong.count_ones().into())
            .collect();
        let most = self.most.min(some.len());
        // In how many ways 0, 1, 2 … letters can be wrong, as far as the letters are looked at.
        let mut ways = vec![0_u64; most + 1];
        if let Some(none) = ways.first_mut() {
            *none = 1;
        }
        for others in some {
            let before = ways.clone();
            for (now, before) in ways.iter_mut().skip(1).zip(before) {
                *now = now.saturating_add(before.saturating_mul(others));
            }
        }
        let wrong =
            ways.iter().skip(self.least).fold(0, |all: u64, ways| all.saturating_add(*ways));
        open.saturating_mul(wrong)
    }

    /// Walks through all that it can be, and hands on what passes.
    pub(super) fn walk(&self, found: &mut Found<'_>) -> ControlFlow<()> {
        let mut sum = Number::zero();
        for slot in self.slots.iter() {
            sum.add_times(&slot.power, slot.digit);
        }
        let open: Vec<&Slot> = self.slots.iter().filter(|slot| slot.open != 0).collect();
        self.fill(&sum, &open, found)
    }

    /// Puts letters into the open places.
    fn fill(&self, sum: &Number, open: &[&Slot], found: &mut Found<'_>) -> ControlFlow<()> {
        let Some((slot, rest)) = open.split_first() else {
            if self.least == 0 && sum.passes() {
                found(sum)?;
            }
            return match self.most {
                0 => ControlFlow::Continue(()),
                _ => self.change(sum, 0, 1, found),
            };
        };
        let last = rest.is_empty() && self.most == 0;
        if self.most == 0 && !sum.reaches(slot.reach) {
            return ControlFlow::Continue(());
        }
        let mut sum = sum.again();
        let (mut left, mut digit) = (slot.open, 0);
        while left != 0 {
            let passes = step(&mut sum, &slot.power, &mut left, &mut digit);
            if !last {
                self.fill(&sum, rest, found)?;
            } else if passes {
                found(&sum)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Changes one letter at this place or behind it, the `nth` one that is changed, and then others.
    fn change(
        &self,
        sum: &Number,
        from: usize,
        nth: usize,
        found: &mut Found<'_>,
    ) -> ControlFlow<()> {
        for (place, slot) in self.slots.iter().enumerate().skip(from) {
            // All further changes are here or behind, and lead less and less far.
            if !sum.reaches(slot.reach) {
                break;
            }
            if slot.wrong == 0 {
                continue;
            }
            let mut sum = sum.again();
            sum.take_times(&slot.power, slot.digit);
            let (mut left, mut digit) = (slot.wrong, 0);
            if nth == self.most {
                while left != 0 {
                    if step(&mut sum, &slot.power, &mut left, &mut digit) {
                        found(&sum)?;
                    }
                }
                continue;
            }
            while left != 0 {
                let passes = step(&mut sum, &slot.power, &mut left, &mut digit);
                if nth >= self.least && passes {
                    found(&sum)?;
                }
                self.change(&sum, place + 1, nth + 1, found)?;
            }
        }
        ControlFlow::Continue(())
    }
}

/// Goes from one letter of a set to the next one; mostly that is the next in worth, too. Says whether what
/// is there then passes.
#[inline(always)]
fn step(sum: &mut Number, power: &Power, left: &mut Set, digit: &mut u64) -> bool {
    let next = u64::from(left.trailing_zeros());
    *left &= *left - 1;
    let times = next - *digit;
    *digit = next;
    if times == 1 {
        return sum.add(power);
    }
    sum.add_times(power, times);
    sum.passes()
}

/// The parts of a walk by the first wrong letter: so many are there.
pub(super) const CHANGES: u64 = 1 + LETTERS as u64 * BASE;

/// One of these parts.
pub(super) fn by_change(number: u64, reach: usize) -> Portion {
    match number.checked_sub(1) {
        None => Portion::Unchanged,
        Some(change) => {
            let place = (change / BASE) as usize;
            Portion::Changed { place, digit: change % BASE, reach }
        }
    }
}
