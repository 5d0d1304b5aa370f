//! What was typed beside what was meant, and the slips between them.

use zeroize::{Zeroize, Zeroizing};

use super::{
    super::recovery_key::{LETTERS, is_between},
    alike, letters,
    shapes::GROUP,
};
use crate::base::secret::SecretText;

/// Weight of one slip; a look-alike is a little likelier than any other letter.
const SLIP: u32 = 10;
const ALIKE: u32 = 9;

/// A typed letter beside the one that was meant; nothing stands where one was left out or too many.
#[derive(Clone, Copy, PartialEq, Eq, Zeroize)]
pub struct Pair {
    /// What was typed.
    pub typed: Option<char>,
    /// What was meant.
    pub meant: Option<char>,
}

impl Pair {
    /// Says whether both are the same.
    pub fn is_right(&self) -> bool {
        self.typed == self.meant
    }
}

/// What kind of slip it was, without its letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Another letter.
    Wrong,
    /// A letter is missing.
    LeftOut,
    /// A letter is too many.
    TooMany,
    /// Two letters changed places: this one and the one at this place, from 1.
    Swapped {
        /// Place of the other letter.
        with: usize,
    },
    /// Capitals and small letters were mixed up, up to this place, from 1.
    OtherCase {
        /// Place of the last letter that is concerned.
        last: usize,
    },
    /// Two groups of four changed places: this one and the one with this number, from 1.
    GroupsSwapped {
        /// Number of the other group.
        with: usize,
    },
    /// The groups of four stand in another order.
    Order,
    /// A group of four is missing.
    GroupLeftOut,
    /// Letters in a row are too many.
    PartTwice,
}

/// One slip: where it is, and its letters.
pub struct Slip {
    /// What kind of slip.
    pub kind: Kind,
    /// Place in the key that was meant, from 1. Where letters are too many: of the letter behind them.
    pub position: usize,
    /// The letters that were typed.
    pub typed: SecretText,
    /// The letters that were meant.
    pub meant: SecretText,
}

impl Slip {
    /// The cell in which it is, from 1, and the place in that cell, from 1.
    pub fn cell(&self) -> (usize, usize) {
        cell(self.position)
    }
}

/// The cell of a place, and the place in that cell, all from 1.
pub fn cell(position: usize) -> (usize, usize) {
    let place = position.clamp(1, LETTERS) - 1;
    (place / GROUP + 1, place % GROUP + 1)
}

/// What was typed beside what was meant.
pub struct Difference {
    /// The twelve cells of the key that was meant.
    pub cells: Zeroizing<Vec<Vec<Pair>>>,
    /// The slips, from left to right; none where both are the same.
    pub slips: Vec<Slip>,
}

impl Difference {
    /// Compares a typed text with the text of the key that was meant.
    pub fn between(typed: &SecretText, meant: &SecretText) -> Self {
        let mut letters = Zeroizing::new(Vec::with_capacity(typed.expose().len()));
        letters.extend(letters::characters(typed.expose()));
        let mut key = Zeroizing::new(Vec::with_capacity(LETTERS));
        key.extend(meant.expose().chars().filter(|character| !is_between(*character)));
        let typed = letters;
        let (pairs, slips) = whole(&typed, &key).unwrap_or_else(|| {
            let pairs = align(&typed, &key);
            let slips = singles(&pairs);
            (pairs, slips)
        });
        let mut cells = Zeroizing::new(vec![Vec::new(); LETTERS / GROUP]);
        let mut meant = 0;
        for pair in pairs.iter() {
            // What is too many stands with the letter behind it.
            let (number, _) = cell(meant + 1);
            if let Some(cell) = cells.get_mut(number - 1) {
                cell.push(*pair);
            }
            meant += usize::from(pair.meant.is_some());
        }
        Self { cells, slips }
    }
}

type Pairs = Zeroizing<Vec<Pair>>;

fn slip(kind: Kind, position: usize, typed: &[char], meant: &[char]) -> Slip {
    let text = |letters: &[char]| SecretText::new(letters.iter().collect());
    Slip { kind, position, typed: text(typed), meant: text(meant) }
}

fn beside(typed: &[char], meant: &[char]) -> Pairs {
    let pairs = typed.iter().zip(meant);
    Zeroizing::new(pairs.map(|(t, m)| Pair { typed: Some(*t), meant: Some(*m) }).collect())
}

/// One slip that concerns many letters at once, if that explains all.
fn whole(typed: &[char], meant: &[char]) -> Option<(Pairs, Vec<Slip>)> {
    if typed.len() < meant.len() {
        return group_left_out(typed, meant);
    }
    if typed.len() > meant.len() {
        return part_twice(typed, meant);
    }
    let wrong: Vec<usize> = typed
        .iter()
        .zip(meant)
        .enumerate()
        .filter(|(_, (t, m))| t != m)
        .map(|(at, _)| at)
        .collect();
    let (first, last) = (*wrong.first()?, *wrong.last()?);
    let at = |letters: &[char], place: usize| letters.get(place).copied();
    let row = |letters: &[char]| letters.get(first..=last).unwrap_or_default().to_vec();
    let (row_typed, row_meant) = (Zeroizing::new(row(typed)), Zeroizing::new(row(meant)));
    let swapped = wrong.len() == 2
        && at(typed, first) == at(meant, last)
        && at(typed, last) == at(meant, first);
    let kind = if swapped {
        Kind::Swapped { with: last + 1 }
    } else if wrong.len() > 1
        && wrong.iter().all(|place| is_other_case(at(typed, *place), at(meant, *place)))
    {
        Kind::OtherCase { last: last + 1 }
    } else {
        return in_groups(typed, meant);
    };
    let two = |letters: &[char]| match kind {
        // Only the two that changed places.
        Kind::Swapped { .. } => {
            [at(letters, first), at(letters, last)].into_iter().flatten().collect()
        }
        _ => row(letters),
    };
    let (typed_row, meant_row) = match kind {
        Kind::Swapped { .. } => (Zeroizing::new(two(typed)), Zeroizing::new(two(meant))),
        _ => (row_typed, row_meant),
    };
    Some((beside(typed, meant), vec![slip(kind, first + 1, &typed_row, &meant_row)]))
}

fn is_other_case(typed: Option<char>, meant: Option<char>) -> bool {
    typed.and_then(alike::other_case) == meant
}

/// The same groups of four in another order.
fn in_groups(typed: &[char], meant: &[char]) -> Option<(Pairs, Vec<Slip>)> {
    let groups = |letters: &[char]| {
        let mut groups: Zeroizing<Vec<Vec<char>>> =
            Zeroizing::new(letters.chunks(GROUP).map(<[char]>::to_vec).collect());
        groups.sort_unstable();
        groups
    };
    if typed.len() != LETTERS || *groups(typed) != *groups(meant) {
        return None;
    }
    let both = typed.chunks(GROUP).zip(meant.chunks(GROUP)).enumerate();
    let mut wrong = both.filter(|(_, (typed, meant))| typed != meant);
    let (first, (one, other)) = wrong.next()?;
    let kind = match (wrong.next(), wrong.next()) {
        (Some((second, _)), None) => Kind::GroupsSwapped { with: second + 1 },
        _ => Kind::Order,
    };
    Some((beside(typed, meant), vec![slip(kind, first * GROUP + 1, one, other)]))
}

fn group_left_out(typed: &[char], meant: &[char]) -> Option<(Pairs, Vec<Slip>)> {
    let at = (0..meant.len()).step_by(GROUP).find(|at| {
        let rest = meant.get(..*at).into_iter().chain(meant.get(at + GROUP..)).flatten();
        meant.len() == typed.len() + GROUP && rest.eq(typed)
    })?;
    let mut pairs = Zeroizing::new(Vec::with_capacity(meant.len()));
    let mut typed = typed.iter();
    for (place, letter) in meant.iter().enumerate() {
        let left_out = (at..at + GROUP).contains(&place);
        let typed = if left_out { None } else { typed.next().copied() };
        pairs.push(Pair { typed, meant: Some(*letter) });
    }
    let letters = meant.get(at..at + GROUP).unwrap_or_default();
    Some((pairs, vec![slip(Kind::GroupLeftOut, at + 1, &[], letters)]))
}

fn part_twice(typed: &[char], meant: &[char]) -> Option<(Pairs, Vec<Slip>)> {
    let more = typed.len() - meant.len();
    let at = (0..=meant.len()).find(|at| {
        let rest = typed.get(..*at).into_iter().chain(typed.get(at + more..)).flatten();
        more > 1 && rest.eq(meant)
    })?;
    let mut pairs = Zeroizing::new(Vec::with_capacity(typed.len()));
    let mut meant = meant.iter();
    for (place, letter) in typed.iter().enumerate() {
        let too_many = (at..at + more).contains(&place);
        let meant = if too_many { None } else { meant.next().copied() };
        pairs.push(Pair { typed: Some(*letter), meant });
    }
    let letters = typed.get(at..at + more).unwrap_or_default();
    Some((pairs, vec![slip(Kind::PartTwice, at + 1, letters, &[])]))
}

/// How a place of the comparison was reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Both,
    Swap,
    LeftOut,
    TooMany,
}

/// The comparison with the fewest slips: letters that are wrong, left out, too many, or swapped with their
/// neighbour.
fn align(typed: &[char], meant: &[char]) -> Pairs {
    let width = meant.len() + 1;
    let mut cost = vec![0_u32; (typed.len() + 1) * width];
    let mut ways = vec![Way::Both; cost.len()];
    let at = |letters: &[char], place: usize, back: usize| {
        place.checked_sub(back).and_then(|place| letters.get(place).copied())
    };
    for t in 0..=typed.len() {
        for m in 0..=meant.len() {
            let before = |back_t: usize, back_m: usize| {
                let (t, m) = (t.checked_sub(back_t)?, m.checked_sub(back_m)?);
                cost.get(t * width + m).copied()
            };
            let (last_typed, last_meant) = (at(typed, t, 1), at(meant, m, 1));
            let wrong = match (last_typed, last_meant) {
                (Some(typed), Some(meant)) if typed == meant => 0,
                (Some(typed), Some(meant)) if is_alike(typed, meant) => ALIKE,
                _ => SLIP,
            };
            let swapped = last_typed == at(meant, m, 2) && last_meant == at(typed, t, 2);
            let ways_here = [
                // Of two equal letters the second one was left out.
                (before(0, 1).map(|cost| cost + SLIP), Way::LeftOut),
                (before(1, 0).map(|cost| cost + SLIP), Way::TooMany),
                (before(1, 1).map(|cost| cost + wrong), Way::Both),
                (before(2, 2).filter(|_| swapped).map(|cost| cost + SLIP), Way::Swap),
            ];
            let possible = ways_here.into_iter().filter_map(|(cost, way)| Some((cost?, way)));
            let Some((least, way)) = possible.min_by_key(|(cost, _)| *cost) else { continue };
            let here = t * width + m;
            if let (Some(cost), Some(ways)) = (cost.get_mut(here), ways.get_mut(here)) {
                (*cost, *ways) = (least, way);
            }
        }
    }
    let (mut t, mut m) = (typed.len(), meant.len());
    let mut pairs = Zeroizing::new(Vec::with_capacity(t + m));
    while t > 0 || m > 0 {
        let way = ways.get(t * width + m).copied().unwrap_or(Way::Both);
        let steps: &[(usize, usize)] = match way {
            Way::Both => &[(1, 1)],
            Way::Swap => &[(1, 1), (1, 1)],
            Way::LeftOut => &[(0, 1)],
            Way::TooMany => &[(1, 0)],
        };
        for (back_t, back_m) in steps {
            let typed = if *back_t > 0 { at(typed, t, 1) } else { None };
            let meant = if *back_m > 0 { at(meant, m, 1) } else { None };
            pairs.push(Pair { typed, meant });
            (t, m) = (t.saturating_sub(*back_t), m.saturating_sub(*back_m));
        }
    }
    pairs.reverse();
    cost.zeroize();
    pairs
}

fn is_alike(typed: char, meant: char) -> bool {
    letters::digit(meant).is_some_and(|digit| alike::set(typed) & 1 << digit != 0)
}

/// The slips of a comparison, each for itself; two neighbours that changed places are one.
fn singles(pairs: &[Pair]) -> Vec<Slip> {
    let mut slips = Vec::new();
    let mut position = 1;
    let mut rest = pairs;
    while let Some((pair, behind)) = rest.split_first() {
        let next = behind.first();
        let swapped = next.is_some_and(|next| {
            pair.typed.is_some()
                && pair.typed == next.meant
                && pair.meant == next.typed
                && !pair.is_right()
                && pair.meant.is_some()
        });
        let letters = |of: fn(&Pair) -> Option<char>, count: usize| {
            Zeroizing::new(rest.iter().take(count).filter_map(of).collect::<Vec<char>>())
        };
        let kind = match (pair.typed, pair.meant) {
            _ if swapped => Some(Kind::Swapped { with: position + 1 }),
            (Some(_), Some(_)) if !pair.is_right() => Some(Kind::Wrong),
            (None, Some(_)) => Some(Kind::LeftOut),
            (Some(_), None) => Some(Kind::TooMany),
            _ => None,
        };
        let count = if swapped { 2 } else { 1 };
        if let Some(kind) = kind {
            let (typed, meant) =
                (letters(|pair| pair.typed, count), letters(|pair| pair.meant, count));
            slips.push(slip(kind, position, &typed, &meant));
        }
        position += rest.iter().take(count).filter(|pair| pair.meant.is_some()).count();
        rest = rest.get(count..).unwrap_or_default();
    }
    slips
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d";

    fn slips(typed: &str) -> Vec<(Kind, usize, String, String)> {
        let text = |text: &str| SecretText::new(text.to_owned());
        let difference = Difference::between(&text(typed), &text(KEY));
        let cells = difference.cells.iter().flatten();
        let meant: String = cells.clone().filter_map(|pair| pair.meant).collect();
        assert_eq!(meant, KEY.replace(' ', ""));
        assert!(difference.cells.iter().all(|cell| cell.len() >= GROUP));
        let slips = difference.slips.iter();
        slips
            .map(|s| (s.kind, s.position, s.typed.expose().into(), s.meant.expose().into()))
            .collect()
    }

    fn one(typed: &str, kind: Kind, position: usize, was: &str, meant: &str) {
        assert_eq!(slips(typed), [(kind, position, was.to_owned(), meant.to_owned())], "{typed}");
    }

    #[test]
    fn one_slip_is_told_as_one() {
        assert_eq!(slips(KEY), []);
        one(&KEY.replace("3As5", "3AsS"), Kind::Wrong, 20, "S", "5");
        one(&KEY.replace("3As5", "3A0s5"), Kind::TooMany, 19, "0", "");
        one(&KEY.replace("qeeJ", "qeJ"), Kind::LeftOut, 31, "", "e");
        one(&KEY.replace("PGiF", "PiGF"), Kind::Swapped { with: 11 }, 10, "iG", "Gi");
        one(&KEY.replace("PGiF", "FGiP"), Kind::Swapped { with: 12 }, 9, "FP", "PF");
        let swapped = KEY.replace("3As5", "XXXX").replace("gUMN", "3As5").replace("XXXX", "gUMN");
        one(&swapped, Kind::GroupsSwapped { with: 11 }, 17, "gUMN", "3As5");
        one(&KEY.replace(" g5c4", ""), Kind::GroupLeftOut, 21, "", "g5c4");
        one(&KEY.replace("g5c4", "g5c4 g5c4"), Kind::PartTwice, 21, "g5c4", "");
        let reversed = KEY.replace("3As5 g5c4", "3aS5 G5c4");
        one(&reversed, Kind::OtherCase { last: 21 }, 18, "aS5G", "As5g");
        let turned = "EsTc LW2K PGiF 3As5 g5c4 wKEA BXwk qeeJ ZJV8 Q9fu gUMN UE4d";
        one(turned, Kind::Order, 13, "3As5", "wKEA");
    }

    #[test]
    fn several_slips_are_told_one_by_one() {
        let typed = KEY.replace("LW2K", "LWZK").replace("qeeJ", "qeJ");
        let expected = [(Kind::Wrong, 7, "Z", "2"), (Kind::LeftOut, 31, "", "e")];
        let expected = expected.map(|(kind, at, t, m)| (kind, at, t.to_owned(), m.to_owned()));
        assert_eq!(slips(&typed), expected);
    }
}
