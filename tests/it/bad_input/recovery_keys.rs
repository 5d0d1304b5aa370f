//! Each fault of a typed recovery key (SPEC §4), in each command that takes one.

use keyhaul::demo::stories::Story;

use crate::program::{Ada, Told};

/// Types this in place of the recovery key.
fn typed(typed: &str, exit: i32, code: &str) -> Told {
    let ada = Ada::new();
    ada.lab.secret("recovery key", typed);
    let mut told = Vec::new();
    for words in [&["unlock"] as &[_], &["restore"], &["store", "info"]] {
        told.push(ada.lab.fails_untouched(&ada.opens(words), exit, code));
    }
    let told = told.pop().unwrap();
    // What was typed may be nearly right, so it is as secret as the key.
    let groups: Vec<&str> = typed.split_whitespace().filter(|group| group.len() >= 4).collect();
    for sentence in [&told.what, &told.safe, &told.next, told.detail.as_ref().unwrap_or(&told.what)]
    {
        assert!(!groups.iter().any(|group| sentence.contains(group)), "{sentence}");
    }
    told
}

/// The right key with one letter of it replaced, counted from 1 without spaces.
fn with(place: usize, letter: char) -> String {
    let key = Story::Plain.recovery_key();
    let letters = key.expose().chars().filter(|c| *c != ' ').enumerate();
    letters.map(|(at, right)| if at + 1 == place { letter } else { right }).collect()
}

#[test]
fn nothing_typed() {
    for nothing in ["", "\n", "   \u{200b}\n"] {
        typed(nothing, 2, "secret-missing");
    }
}

#[test]
fn character_that_never_occurs() {
    for (place, letter, cell, likely) in [
        (1, '0', 1, "o D Q C"),
        (5, 'O', 2, "o D Q C"),
        (22, 'I', 6, "1 i j L J"),
        (48, 'l', 12, "1 i j L J"),
    ] {
        let told = typed(&with(place, letter), 10, "key-bad-character");
        assert_eq!(told.what, format!("Cell {cell}: {letter} never occurs in a recovery key."));
        assert!(told.next.contains(likely), "{}", told.next);
    }
    let told = typed(&with(9, 'ß'), 10, "key-bad-character");
    assert_eq!(told.what, "Cell 3: ß never occurs in a recovery key.");
}

#[test]
fn characters_missing() {
    let key = Story::Plain.recovery_key();
    let (short, _) = key.expose().rsplit_once(' ').unwrap();
    let told = typed(short, 10, "key-too-short");
    assert_eq!(told.what, "44 of 48 characters: 4 missing.");
}

#[test]
fn characters_too_many() {
    let key = format!("{}7", Story::Plain.recovery_key().expose());
    let told = typed(&key, 10, "key-too-long");
    assert_eq!(told.what, "49 characters: 1 too many.");
}

#[test]
fn capitals_lost() {
    let key = Story::Plain.recovery_key();
    typed(&key.expose().to_lowercase(), 10, "key-wrong-case");
    typed(&key.expose().to_uppercase(), 10, "key-wrong-case");
}

#[test]
fn other_bytes_than_a_key() {
    // The highest and the lowest number that 48 letters can write.
    typed(&"zZ".repeat(24), 10, "key-not-matrix");
    typed(&format!("{}zZ", "1".repeat(46)), 10, "key-not-matrix");
}

#[test]
fn other_beginning() {
    // A correct checksum would not make it one: here only the beginning is another.
    typed(&with(1, 'F'), 10, "key-not-matrix");
}

#[test]
fn slip_that_the_checksum_finds() {
    let right = Story::Plain.recovery_key();
    let tenth = right.expose().chars().filter(|c| *c != ' ').nth(29).unwrap();
    let wrong = if tenth == 'x' { 'y' } else { 'x' };
    typed(&with(30, wrong), 10, "key-checksum");
}
