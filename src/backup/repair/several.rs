//! Several slips together, made by chance, ten thousand times of each kind.
//!
//! To go through a whole stage for each would take days. A made slip is known, so the test asks the one text
//! of the stage in which it is undone, and walks through the part of its possibilities that begins with the
//! letters that were meant: by the very code that walks through all of them.

use std::ops::ControlFlow;

use super::{
    super::recovery_key,
    letters::{Letter, character, digit, read},
    pattern::{Among, Pattern, Portion, Wrong},
    shapes::{GROUP, Shape, places},
    stages::Part,
};
use crate::base::secret::Secret32;

const SLIPS: usize = 10_000;

struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    /// Two different numbers, the smaller one first.
    fn two(&mut self, end: usize) -> [usize; 2] {
        let (one, other) = (self.below(end), self.below(end - 1));
        let other = other + usize::from(other >= one);
        [one.min(other), one.max(other)]
    }

    fn letter_but(&mut self, not: char) -> char {
        loop {
            let letter = character(self.below(58) as u8).unwrap();
            if letter != not {
                return letter;
            }
        }
    }

    fn wrong(&mut self, letters: &mut [char], place: usize) {
        letters[place] = self.letter_but(letters[place]);
    }
}

/// A made slip: what was typed, how it is undone, and how the walk is led to what was meant.
struct Made {
    typed: Vec<char>,
    undone: Vec<(Shape, u64)>,
    wrong: usize,
    led: Vec<Portion>,
}

fn number(places_wanted: &[usize], of: usize) -> u64 {
    let some = places_wanted.len();
    (0..).find(|number| places(*number, of, some) == places_wanted).unwrap()
}

fn open(letter: char) -> Portion {
    Portion::Open(digit(letter).unwrap().into())
}

fn changed(place: usize, meant: char) -> Portion {
    Portion::Changed { place, digit: digit(meant).unwrap().into(), reach: 48 }
}

fn is_found(made: &Made, key: &Secret32) -> bool {
    let text: String = made.typed.iter().collect();
    let letters: Vec<Letter> = read(&text).collect();
    let shapes: Vec<Shape> = made.undone.iter().map(|(shape, _)| *shape).collect();
    let wrong = Wrong { least: made.wrong, most: made.wrong, among: Among::Any };
    let Some(part) = Part::edits(&letters, &shapes, wrong) else { return false };
    // The number of the text among all that the part makes.
    let (mut number, mut ways, mut length) = (0, 1, letters.len());
    for (shape, of_shape) in &made.undone {
        number += of_shape * ways;
        ways *= shape.count(length);
        length = shape.length(length).unwrap();
    }
    let Some(text) = part.text_numbered(&letters, number) else { return false };
    let mut pattern = Pattern::new(&text, wrong);
    for portion in &made.led {
        pattern = pattern.and_then(|pattern| pattern.only(*portion));
    }
    let mut found = false;
    let walked = pattern.map(|pattern| {
        pattern.walk(&mut |number| {
            found |= number.key().same_as(key);
            ControlFlow::Continue(())
        })
    });
    walked.is_some() && found
}

/// Makes slips and asks for each; every miss is listed.
#[track_caller]
fn all_found(seed: u64, make: impl Fn(&mut Dice, &[char]) -> Made) {
    let misses = misses(seed, make);
    assert!(misses.is_empty(), "{} of {SLIPS} missed:\n{}", misses.len(), misses.join("\n"));
}

fn misses(seed: u64, make: impl Fn(&mut Dice, &[char]) -> Made) -> Vec<String> {
    let mut dice = Dice(seed);
    let mut misses = Vec::new();
    for _ in 0..SLIPS {
        let key = Secret32::filled_by(|bytes| {
            bytes.iter_mut().for_each(|byte| *byte = dice.below(256) as u8);
        });
        let meant: Vec<char> =
            recovery_key::format(&key).expose().chars().filter(|letter| *letter != ' ').collect();
        let made = make(&mut dice, &meant);
        if !is_found(&made, &key) {
            misses.push(made.typed.iter().collect());
        }
    }
    misses
}

fn made(typed: Vec<char>, undone: &[(Shape, u64)], wrong: usize, led: &[Portion]) -> Made {
    Made { typed, undone: undone.to_vec(), wrong, led: led.to_vec() }
}

fn swap_groups(letters: &mut [char], [one, other]: [usize; 2]) -> (Shape, u64) {
    (0..GROUP).for_each(|of| letters.swap(one * GROUP + of, other * GROUP + of));
    (Shape::Groups, number(&[one, other], 12))
}

fn swap_neighbours(letters: &mut [char], place: usize) -> (Shape, u64) {
    letters.swap(place, place + 1);
    (Shape::Neighbours, place as u64)
}

fn reverse_case(letters: &mut [char], [from, to]: [usize; 2]) -> (Shape, u64) {
    for letter in &mut letters[from..to] {
        *letter = super::alike::other_case(*letter).unwrap_or(*letter);
    }
    (Shape::OtherCase, number(&[from, to], letters.len() + 1))
}

#[test]
fn two_wrong() {
    all_found(1, |dice, meant| {
        let mut typed = meant.to_vec();
        let [one, other] = dice.two(48);
        dice.wrong(&mut typed, one);
        dice.wrong(&mut typed, other);
        made(typed, &[], 2, &[changed(one, meant[one])])
    });
}

#[test]
fn two_left_out() {
    all_found(2, |dice, meant| {
        let mut typed = meant.to_vec();
        let [one, other] = dice.two(48);
        typed.remove(other);
        typed.remove(one);
        made(typed, &[(Shape::Holes(2), number(&[one, other], 48))], 0, &[open(meant[one])])
    });
}

#[test]
fn two_too_many() {
    all_found(3, |dice, meant| {
        let mut typed = meant.to_vec();
        let [one, other] = dice.two(50);
        typed.insert(one, dice.letter_but(' '));
        typed.insert(other, dice.letter_but(' '));
        made(typed, &[(Shape::Without(2), number(&[one, other], 50))], 0, &[])
    });
}

#[test]
fn one_wrong_and_one_left_out() {
    all_found(4, |dice, meant| {
        let mut typed = meant.to_vec();
        let [one, other] = dice.two(48);
        let (wrong, out) = if dice.below(2) == 0 { (one, other) } else { (other, one) };
        dice.wrong(&mut typed, wrong);
        typed.remove(out);
        made(typed, &[(Shape::Holes(1), out as u64)], 1, &[open(meant[out])])
    });
}

#[test]
fn one_wrong_and_one_too_many() {
    all_found(5, |dice, meant| {
        let mut typed = meant.to_vec();
        let (wrong, more) = (dice.below(48), dice.below(49));
        dice.wrong(&mut typed, wrong);
        typed.insert(more, dice.letter_but(' '));
        made(typed, &[(Shape::Without(1), more as u64)], 1, &[changed(wrong, meant[wrong])])
    });
}

#[test]
fn one_left_out_and_one_too_many() {
    all_found(6, |dice, meant| {
        let mut typed = meant.to_vec();
        let out = dice.below(48);
        typed.remove(out);
        let more = dice.below(48);
        typed.insert(more, dice.letter_but(' '));
        let undone = [(Shape::Without(1), more as u64), (Shape::Holes(1), out as u64)];
        made(typed, &undone, 0, &[])
    });
}

#[test]
fn swapped_and_wrong_in_every_way() {
    all_found(7, |dice, meant| {
        let mut typed = meant.to_vec();
        let wrong = dice.below(48);
        dice.wrong(&mut typed, wrong);
        let undone = match dice.below(3) {
            0 => swap_neighbours(&mut typed, dice.below(47)),
            1 => swap_groups(&mut typed, dice.two(12)),
            _ => reverse_case(&mut typed, dice.two(49)),
        };
        made(typed, &[undone], 1, &[changed(wrong, meant[wrong])])
    });
}

#[test]
fn swapped_and_of_another_length() {
    all_found(8, |dice, meant| {
        let mut typed = meant.to_vec();
        let holes = dice.below(2) == 0;
        let (kind, neighbours) = (dice.below(3), dice.below(if holes { 46 } else { 47 }));
        // Groups are exchanged before a letter is left out or added, neighbours and capitals after.
        let groups = (kind == 1).then(|| swap_groups(&mut typed, dice.two(12)));
        let place = dice.below(48);
        let mut led = Vec::new();
        let length = if holes {
            led.push(open(typed[place]));
            typed.remove(place);
            (Shape::Holes(1), place as u64)
        } else {
            typed.insert(place, dice.letter_but(' '));
            (Shape::Without(1), place as u64)
        };
        // The search undoes the length first, so what came last is put where it then stands.
        let last = match kind {
            0 => {
                let shift = |at: usize| match (holes, at) {
                    (true, at) if at >= place => at + 1,
                    (false, at) if at > place => at - 1,
                    (_, at) => at,
                };
                let (one, other) = (shift(neighbours), shift(neighbours + 1));
                let beside = one + 1 == other && neighbours != place && neighbours + 1 != place;
                beside.then(|| {
                    swap_neighbours(&mut typed, neighbours);
                    (Shape::Neighbours, one as u64)
                })
            }
            _ => None,
        };
        let undone: Vec<_> = std::iter::once(length).chain(groups).chain(last).collect();
        made(typed, &undone, 0, &led)
    });
}

#[test]
fn two_exchanges() {
    all_found(9, |dice, meant| {
        let mut typed = meant.to_vec();
        // What was done last is undone first.
        let (first, second) = match dice.below(3) {
            0 => {
                let first = swap_neighbours(&mut typed, dice.below(47));
                (first, swap_neighbours(&mut typed, dice.below(47)))
            }
            1 => {
                let first = swap_groups(&mut typed, dice.two(12));
                (first, swap_groups(&mut typed, dice.two(12)))
            }
            _ => {
                let first = swap_groups(&mut typed, dice.two(12));
                (first, swap_neighbours(&mut typed, dice.below(47)))
            }
        };
        made(typed, &[second, first], 0, &[])
    });
}

#[test]
fn a_group_left_out() {
    all_found(10, |dice, meant| {
        let mut typed = meant.to_vec();
        let group = dice.below(12);
        let letters: Vec<char> = typed.drain(group * GROUP..(group + 1) * GROUP).collect();
        let led: Vec<_> = letters.iter().take(3).map(|letter| open(*letter)).collect();
        made(typed, &[(Shape::Gap, group as u64)], 0, &led)
    });
}

#[test]
fn three_wrong() {
    all_found(11, |dice, meant| {
        let mut typed = meant.to_vec();
        let [one, other] = dice.two(47);
        let third = other + 1 + dice.below(47 - other);
        [one, other, third].into_iter().for_each(|place| dice.wrong(&mut typed, place));
        made(typed, &[], 3, &[changed(one, meant[one]), changed(other, meant[other])])
    });
}

/// A slip that is led to another text is missed, so a search that goes wrong would be noticed.
#[test]
fn what_is_undone_wrongly_is_missed() {
    let misses = misses(12, |dice, meant| {
        let mut typed = meant.to_vec();
        let [one, other] = dice.two(48);
        dice.wrong(&mut typed, one);
        dice.wrong(&mut typed, other);
        made(typed, &[], 1, &[])
    });
    assert_eq!(misses.len(), SLIPS);
}
