//! One slip of each kind, ten thousand times: the search comes upon the key in every case.

use keyhaul::backup::{recovery_key, repair::Slips};

use super::{Dice, ONE_SLIP, found};

const ALPHABET: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Slips of each kind; more by `KEYHAUL_TEST_SLIPS`.
const SLIPS: usize = 10_000;

fn slips() -> usize {
    let more = std::env::var("KEYHAUL_TEST_SLIPS").ok().and_then(|count| count.parse().ok());
    more.unwrap_or(SLIPS).max(SLIPS)
}

/// Makes slips of a kind and searches for each; lists what was missed, and says in which stages the rest
/// was found. A slip that changes nothing is none.
fn misses(seed: u64, count: usize, slip: impl Fn(&mut Dice, &mut Vec<char>) + Sync) -> Vec<String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let each = count.div_ceil(cores);
    let one = |core: usize| {
        let mut dice = Dice::new(seed + core as u64 * 1_000_003);
        let mut misses = Vec::new();
        let mut made = 0;
        while made < each {
            let (key, letters) = dice.key();
            let mut typed = letters.clone();
            slip(&mut dice, &mut typed);
            let text: String = typed.iter().collect();
            if typed == letters {
                continue;
            }
            made += 1;
            if found(&text, &key, ONE_SLIP).is_none() {
                misses.push(format!("{text}, meant {}", letters.iter().collect::<String>()));
            }
        }
        misses
    };
    std::thread::scope(|scope| {
        let cores: Vec<_> = (0..cores).map(|core| scope.spawn(move || one(core))).collect();
        cores.into_iter().flat_map(|core| core.join().unwrap()).collect()
    })
}

#[track_caller]
fn all_found(seed: u64, slip: impl Fn(&mut Dice, &mut Vec<char>) + Sync) {
    let misses = misses(seed, slips(), slip);
    assert!(misses.is_empty(), "{} missed:\n{}", misses.len(), misses.join("\n"));
}

fn letter(dice: &mut Dice) -> char {
    dice.of(&ALPHABET.chars().collect::<Vec<_>>())
}

#[test]
fn a_wrong_character() {
    all_found(1, |dice, typed| {
        let place = dice.below(48);
        typed[place] = letter(dice);
    });
}

#[test]
fn a_character_that_no_recovery_key_has() {
    all_found(2, |dice, typed| {
        let place = dice.below(48);
        typed[place] = dice.of(&['0', 'O', 'I', 'l', '?', '$', '\u{e9}', '\u{430}']);
    });
}

#[test]
fn a_character_left_out() {
    all_found(3, |dice, typed| {
        typed.remove(dice.below(48));
    });
}

#[test]
fn a_character_too_many() {
    all_found(4, |dice, typed| {
        let place = dice.below(49);
        let more = if dice.below(5) == 0 { '0' } else { letter(dice) };
        typed.insert(place, more);
    });
}

#[test]
fn a_doubled_character() {
    all_found(5, |dice, typed| {
        let place = dice.below(48);
        typed.insert(place, typed[place]);
    });
}

#[test]
fn two_neighbours_swapped() {
    all_found(6, |dice, typed| {
        let place = dice.below(47);
        typed.swap(place, place + 1);
    });
}

#[test]
fn two_groups_swapped() {
    all_found(7, |dice, typed| {
        let (one, other) = (dice.below(12), dice.below(12));
        (0..4).for_each(|of| typed.swap(one * 4 + of, other * 4 + of));
    });
}

#[test]
fn a_doubled_group() {
    all_found(8, |dice, typed| {
        let group = dice.below(12) * 4;
        let letters = typed[group..group + 4].to_vec();
        typed.splice(group..group, letters);
    });
}

/// The key for capitals was down: all the time, or for a while.
#[test]
fn reversed_capitals() {
    let reversed = |letter: char| match letter {
        small if small.is_ascii_lowercase() => small.to_ascii_uppercase(),
        capital => capital.to_ascii_lowercase(),
    };
    all_found(9, |dice, typed| {
        let (one, other) = (dice.below(49), dice.below(49));
        let whole = dice.below(4) == 0;
        let row = if whole { 0..48 } else { one.min(other)..one.max(other) };
        typed[row].iter_mut().for_each(|letter| *letter = reversed(*letter));
    });
}

#[test]
fn two_letters_read_as_one_and_one_as_two() {
    let pairs = [("nn", 'm'), ("rn", 'm'), ("vv", 'w')];
    all_found(10, |dice, typed| {
        let (two, one) = dice.of(&pairs);
        let two: Vec<char> = two.chars().collect();
        let places: Vec<usize> = (0..47).filter(|place| typed[*place..place + 2] == two).collect();
        let single: Vec<usize> = (0..48).filter(|place| typed[*place] == one).collect();
        if let [place, ..] = *places {
            typed.splice(place..place + 2, [one]);
        } else if let [place, ..] = *single {
            typed.splice(place..=place, two);
        }
    });
}

/// A slip that the search does not think of is missed, and told: it would not hide one.
#[test]
fn what_is_not_searched_is_not_found() {
    let turned = |_: &mut Dice, typed: &mut Vec<char>| typed[3..45].reverse();
    assert!(misses(11, 100, turned).len() >= 100);
}

/// What stands in the typed text decides where it is found: the likely kinds come first.
#[test]
fn the_likeliest_comes_first() {
    let (key, letters) = Dice::new(12).key();
    let text: String = letters.iter().collect();
    let at = |typed: &str| found(typed, &key, ONE_SLIP);
    let wrong = if letters[20] == 'x' { "y" } else { "x" };
    let mut typed = text.clone();
    typed.replace_range(20..21, wrong);
    assert_eq!(at(&typed), Some(Slips::OneWrong));
    assert_eq!(at(&format!("{}{}", &text[..8], &text[4..])), Some(Slips::PartTwice));
    // Pasted twice.
    assert_eq!(at(&format!("{text}{text}")), Some(Slips::PartTwice));
    // A key that is right and opens nothing is searched, too.
    assert!(recovery_key::parse(&text).is_ok());
    // Much too short or too long is no text to search.
    assert_eq!((at(&text[..43]), at(&format!("{text}{text}1"))), (None, None));
}
