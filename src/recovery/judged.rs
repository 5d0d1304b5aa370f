//! What can be said of a secret while it is typed, before it is tried on anything: in which shape it comes,
//! how far it is, and what cannot be right (SCREENS, step 4). Only the text is looked at.

use crate::{
    backup::recovery_key::{self, LETTERS, RecoveryKeyFault, is_between, is_letter},
    secret_storage::raw_key,
};

/// Letters of a recovery key in one group.
const GROUP: usize = 4;
/// With so many letters or more it is said how many are missing; before, somebody is still typing.
const NEARLY_ALL: usize = LETTERS - 3;
/// Letters that every recovery key begins with; a third one is S, T or U.
const BEGIN: &str = "Es";

/// The shape of a typed secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Groups of four letters.
    RecoveryKey,
    /// 32 bytes in base64 or hex.
    RawKey,
    /// Anything else.
    Passphrase,
}

/// What can be said of a typed secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is typed.
    Nothing,
    /// A part of a recovery key, without a fault so far.
    Part {
        /// Letters so far.
        letters: usize,
    },
    /// It does not begin as a recovery key does.
    BeginsWrongly {
        /// Letters so far.
        letters: usize,
    },
    /// A character that no recovery key has.
    Impossible {
        /// Its place among the letters, from 1.
        place: usize,
        /// The character.
        character: char,
        /// Letters that look like it, with spaces between.
        likely: &'static str,
    },
    /// Capitals and small letters were lost.
    OneCase {
        /// All are capitals.
        capitals: bool,
    },
    /// A few letters are missing.
    Missing {
        /// Letters so far.
        letters: usize,
    },
    /// Too many letters.
    TooMany {
        /// Letters so far.
        letters: usize,
    },
    /// As many letters as there must be, but the checksum does not fit.
    Slip,
    /// A whole recovery key: its checksum is right.
    Complete,
    /// 32 bytes.
    RawKey,
    /// A passphrase, as far as anybody can tell.
    Passphrase,
}

/// Finds out in which shape a secret comes.
pub fn shape(text: &str) -> Shape {
    if recovery_key::parse(text).is_ok() {
        return Shape::RecoveryKey;
    }
    let letters = text.chars().filter(|c| !is_between(*c));
    // A part of a recovery key, too, can be as long as a raw key.
    let raw = raw_key::parse(text).is_some();
    if raw && !begins_right(letters.clone()) {
        return Shape::RawKey;
    }
    let begins = letters.clone().take(BEGIN.len()).collect::<String>().eq_ignore_ascii_case(BEGIN);
    let plain = letters.clone().all(|c| c.is_ascii_alphanumeric());
    let count = letters.clone().count();
    // All groups but the one that is being typed have four letters, or nobody left spaces.
    let mut groups = text.split(is_between).filter(|group| !group.is_empty()).peekable();
    let mut in_groups = true;
    let mut single = true;
    while let Some(group) = groups.next() {
        let whole = group.chars().count() == GROUP;
        single &= groups.peek().is_none() || whole;
        in_groups &= whole || groups.peek().is_none();
    }
    let fits = plain && count <= LETTERS + GROUP && (in_groups || single);
    // A sentence of short words is none; one that begins as every recovery key does was meant as one.
    let meant = begins && plain && count <= LETTERS + 2 * GROUP;
    let possible = letters.clone().filter(|c| is_letter(*c)).count() == count;
    match count {
        0 => Shape::RecoveryKey,
        _ if meant || fits && (possible || count > 2 * GROUP) => Shape::RecoveryKey,
        _ => Shape::Passphrase,
    }
}

/// Says what can be said of a secret in a shape.
pub fn judge(text: &str, shape: Shape) -> Verdict {
    let letters = text.chars().filter(|c| !is_between(*c));
    let count = letters.clone().count();
    match shape {
        _ if count == 0 => Verdict::Nothing,
        Shape::Passphrase => Verdict::Passphrase,
        Shape::RawKey if raw_key::parse(text).is_some() => Verdict::RawKey,
        Shape::RawKey => Verdict::Passphrase,
        Shape::RecoveryKey => match recovery_key::parse(text) {
            Ok(_) => Verdict::Complete,
            Err(RecoveryKeyFault::Alphabet { position, character, likely }) => {
                Verdict::Impossible { place: position, character, likely }
            }
            Err(RecoveryKeyFault::OneCase { capitals }) => Verdict::OneCase { capitals },
            Err(_) if !begins_right(letters) => Verdict::BeginsWrongly { letters: count },
            Err(RecoveryKeyFault::Length { got }) if got > LETTERS => {
                Verdict::TooMany { letters: got }
            }
            Err(RecoveryKeyFault::Length { got }) if got >= NEARLY_ALL => {
                Verdict::Missing { letters: got }
            }
            Err(RecoveryKeyFault::Length { got }) => Verdict::Part { letters: got },
            Err(RecoveryKeyFault::Empty) => Verdict::Nothing,
            Err(
                RecoveryKeyFault::Bytes { .. }
                | RecoveryKeyFault::Prefix
                | RecoveryKeyFault::Parity,
            ) => Verdict::Slip,
        },
    }
}

/// Says whether the first three letters are those of a recovery key, as far as they are typed.
fn begins_right(mut letters: impl Iterator<Item = char>) -> bool {
    let right = [|c| c == 'E', |c| c == 's', |c| matches!(c, 'S' | 'T' | 'U')];
    right.iter().all(|is_right| letters.next().is_none_or(is_right))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d";

    #[test]
    fn while_a_recovery_key_is_typed_it_is_one() {
        for end in 1..KEY.len() {
            let text = &KEY[..end];
            assert_eq!(shape(text), Shape::RecoveryKey, "{text}");
            let plain = text.replace(' ', "");
            assert_eq!(shape(&plain), Shape::RecoveryKey, "{plain}");
            let letters = plain.len();
            let expected = match letters {
                45..=47 => Verdict::Missing { letters },
                _ => Verdict::Part { letters },
            };
            assert_eq!(judge(text, Shape::RecoveryKey), expected, "{text}");
        }
        assert_eq!(judge(KEY, shape(KEY)), Verdict::Complete);
    }

    #[test]
    fn faults_are_told_as_they_are() {
        let judged = |text: &str| judge(text, shape(text));
        assert_eq!(judged(""), Verdict::Nothing);
        assert_eq!(judged(" \u{200b}-"), Verdict::Nothing);
        let zero = Verdict::Impossible { place: 7, character: '0', likely: "o D Q C" };
        assert_eq!(judged("EsTc LW0K"), zero);
        assert_eq!(judged("E5Tc LW2K PGiF"), Verdict::BeginsWrongly { letters: 12 });
        assert_eq!(judged(&KEY.to_lowercase()), Verdict::OneCase { capitals: false });
        assert_eq!(judged(&format!("{KEY}EE")), Verdict::TooMany { letters: 50 });
        assert_eq!(judged(&KEY.replace("UE4d", "UE4e")), Verdict::Slip);
    }

    #[test]
    fn what_is_no_recovery_key_is_not_judged_as_one() {
        for text in [
            "correct horse battery staple",
            "It's a secret to everybody",
            "My cat is 3",
            "hunter2!",
            "pass0",
            "étude",
            "Esel und Pferd, was sonst? Nichts.",
        ] {
            assert_eq!(shape(text), Shape::Passphrase, "{text}");
        }
        assert_eq!(shape("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="), Shape::RawKey);
        assert_eq!(judge("hunter2!", Shape::Passphrase), Verdict::Passphrase);
        assert_eq!(judge("hunter2!", Shape::RawKey), Verdict::Passphrase);
    }
}
