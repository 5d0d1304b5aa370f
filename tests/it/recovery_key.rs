//! What is said of a mistyped recovery key: each fault, where it is and what was probably meant.

use keyhaul::backup::recovery_key::{self, RecoveryKeyFault as Fault};

const KEY: &str = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d";

fn fault(typed: &str) -> Fault {
    recovery_key::parse(typed).map(|_| ()).unwrap_err()
}

/// The key with its letter at `place` (from 1, spaces left out) replaced.
fn with(place: usize, letter: &str) -> String {
    let letters: Vec<char> = KEY.chars().filter(|letter| *letter != ' ').collect();
    let head: String = letters[..place - 1].iter().collect();
    let tail: String = letters[place..].iter().collect();
    format!("{head}{letter}{tail}")
}

#[test]
fn nothing_typed_is_empty() {
    for nothing in ["", "   ", "\r\n\t", "\u{200b}\u{feff}", " - - "] {
        assert_eq!(fault(nothing), Fault::Empty, "{nothing:?}");
    }
    assert_eq!(Fault::Empty.to_string(), "expected a recovery key, got nothing");
}

#[test]
fn foreign_characters_are_named_with_place_and_look_alikes() {
    for (character, likely) in [
        ('0', "o D Q C"),
        ('O', "o D Q C"),
        ('I', "1 i j L J"),
        ('l', "1 i j L J"),
        ('|', "1 i j L J"),
        ('é', "the twelve groups of four"),
        ('+', "the twelve groups of four"),
        ('🔑', "the twelve groups of four"),
    ] {
        for position in [1, 5, 48] {
            let typed = with(position, &character.to_string());
            assert_eq!(fault(&typed), Fault::Alphabet { position, character, likely });
        }
    }
    // Spaces do not count, and the first one is named.
    let typed = "Es T0 OOOO";
    assert_eq!(fault(typed), Fault::Alphabet { position: 4, character: '0', likely: "o D Q C" });
}

#[test]
fn missing_and_extra_letters_are_counted() {
    assert_eq!(fault(&with(7, "")), Fault::Length { got: 47 });
    assert_eq!(fault(&with(7, "aa")), Fault::Length { got: 49 });
    assert_eq!(fault(&KEY[..4]), Fault::Length { got: 4 });
    assert_eq!(fault(&format!("{KEY} {KEY}")), Fault::Length { got: 96 });
    assert_eq!(Fault::Length { got: 47 }.to_string(), "expected 48 letters, got 47");
}

#[test]
fn a_foreign_character_is_named_before_the_length() {
    let typed = format!("{KEY}0");
    assert!(matches!(fault(&typed), Fault::Alphabet { position: 49, .. }));
}

#[test]
fn lost_capitals_and_lost_small_letters_have_their_own_words() {
    assert_eq!(fault(&KEY.to_lowercase()), Fault::OneCase { capitals: false });
    // Capitals make `O` and `I` of `o` and `i`; still it is the case that is wrong.
    assert_eq!(fault(&KEY.to_uppercase()), Fault::OneCase { capitals: true });
    assert_eq!(
        Fault::OneCase { capitals: true }.to_string(),
        "expected capitals and small letters, got only capitals"
    );
    // Too little to judge the case: its length says more.
    assert_eq!(fault("este oakb"), Fault::Length { got: 8 });
}

#[test]
fn another_beginning_is_no_matrix_key() {
    assert_eq!(fault(&with(1, "A")), Fault::Prefix);
    assert_eq!(fault(&with(1, "F")), Fault::Prefix);
    // The first byte alone does not make a Matrix key, even with a checksum that fits.
    let mut bytes = [0; 35];
    bytes[..2].copy_from_slice(&[0x8b, 0x02]);
    bytes[34] = 0x8b ^ 0x02;
    assert_eq!(fault(&bs58::encode(bytes).into_string()), Fault::Prefix);
}

#[test]
fn letters_of_another_size_are_counted_in_bytes() {
    assert_eq!(fault(&with(1, "z")), Fault::Bytes { got: 36 });
    // Each leading `1` is a zero byte.
    assert_eq!(fault(&"1".repeat(48)), Fault::Bytes { got: 48 });
}

#[test]
fn slips_are_caught_by_the_checksum() {
    assert_eq!(fault(&with(48, "e")), Fault::Parity);
    let swapped = KEY.replace("g5c4", "g54c");
    assert_eq!(fault(&swapped), Fault::Parity);
}

#[test]
fn spaces_separators_and_invisible_characters_do_not_matter() {
    let key = recovery_key::parse(KEY).unwrap();
    for separator in [
        "", "  ", "\t", "\n", "\r\n", "-", "_", " - ", "\u{a0}", "\u{2009}", "\u{3000}",
        "\u{200b}", "\u{200d}", "\u{202e}", "\u{2060}", "\u{ad}", "\u{feff}", "\u{0}", "\u{1b}",
    ] {
        let typed = format!("{separator}{}{separator}", KEY.replace(' ', separator));
        assert!(recovery_key::parse(&typed).unwrap().same_as(&key), "{separator:?}");
    }
}
