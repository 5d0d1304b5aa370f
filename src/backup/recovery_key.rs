//! The text of a recovery key: 48 letters of base58 in twelve groups of four (SPEC §4).
//!
//! The text alone does not tell whether it is the key of secret storage or of a backup, and its
//! checksum is one byte only: a key that reads well must still be proven against a lock.

use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::base::secret::{Secret32, SecretText};

/// Letters of a recovery key, without its spaces.
pub const LETTERS: usize = 48;
const PREFIX: [u8; 2] = [0x8b, 0x01];
const BYTES: usize = 35;

/// What is wrong with a typed recovery key, and where; checked in this order.
///
/// Positions count the letters from 1, spaces left out. A fault names single characters only where
/// they cannot be part of any key.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RecoveryKeyFault {
    /// Nothing was typed.
    #[error("expected a recovery key, got nothing")]
    Empty,
    /// Capitals and small letters were lost: all letters are of one case.
    #[error("expected capitals and small letters, got only {}", if *.capitals { "capitals" } else { "small letters" })]
    OneCase {
        /// Whether all are capitals.
        capitals: bool,
    },
    /// A character that never occurs in a recovery key.
    #[error("the character at place {position} never occurs in a recovery key")]
    Alphabet {
        /// Its place, from 1, spaces left out.
        position: usize,
        /// The character.
        character: char,
        /// Letters that look like it.
        likely: &'static str,
    },
    /// Letters are missing or too many.
    #[error("expected {LETTERS} letters, got {got}")]
    Length {
        /// Letters received.
        got: usize,
    },
    /// 48 letters which are not 35 bytes.
    #[error("expected {BYTES} bytes behind the letters, got {got}")]
    Bytes {
        /// Bytes received.
        got: usize,
    },
    /// It does not begin as a Matrix key does.
    #[error("it does not begin as a Matrix recovery key does")]
    Prefix,
    /// The checksum does not fit: there is a slip somewhere.
    #[error("the checksum does not fit")]
    Parity,
}

/// Reads a typed or pasted recovery key.
///
/// White space of any kind, invisible characters and separators between groups do not matter.
pub fn parse(typed: &str) -> Result<Secret32, RecoveryKeyFault> {
    let letters = letters(typed);
    if letters.is_empty() {
        return Err(RecoveryKeyFault::Empty);
    }
    let one_case = one_case(&letters);
    for (place, character) in letters.chars().enumerate() {
        if !is_letter(character) {
            if let Some(capitals) = one_case {
                return Err(RecoveryKeyFault::OneCase { capitals });
            }
            return Err(RecoveryKeyFault::Alphabet {
                position: place + 1,
                character,
                likely: look_alikes(character),
            });
        }
    }
    if letters.len() != LETTERS {
        return Err(RecoveryKeyFault::Length { got: letters.len() });
    }
    if let Some(capitals) = one_case {
        return Err(RecoveryKeyFault::OneCase { capitals });
    }
    // No letter stands for more than one byte, so this always has room and `got` is true.
    let mut bytes = Zeroizing::new([0; LETTERS]);
    let got = bs58::decode(letters.as_bytes())
        .onto(&mut bytes[..])
        .map_err(|_| RecoveryKeyFault::Bytes { got: LETTERS })?;
    if got != BYTES {
        return Err(RecoveryKeyFault::Bytes { got });
    }
    let Some((head, key)) = bytes.split_first_chunk::<2>() else {
        return Err(RecoveryKeyFault::Bytes { got });
    };
    if *head != PREFIX {
        return Err(RecoveryKeyFault::Prefix);
    }
    if bytes.iter().fold(0, |parity, byte| parity ^ byte) != 0 {
        return Err(RecoveryKeyFault::Parity);
    }
    key.get(..32).and_then(Secret32::from_slice).ok_or(RecoveryKeyFault::Bytes { got })
}

/// Writes a key as people keep it: twelve groups of four.
pub fn format(key: &Secret32) -> SecretText {
    let mut bytes = Zeroizing::new([0; BYTES]);
    let content = PREFIX.iter().chain(key.expose());
    let mut parity = 0;
    for (to, from) in bytes.iter_mut().zip(content) {
        *to = *from;
        parity ^= *from;
    }
    if let Some(last) = bytes.last_mut() {
        *last = parity;
    }
    let mut letters = bs58::encode(&bytes[..]).into_string();
    let mut groups = String::with_capacity(LETTERS + LETTERS / 4);
    for (place, letter) in letters.chars().enumerate() {
        if place > 0 && place.is_multiple_of(4) {
            groups.push(' ');
        }
        groups.push(letter);
    }
    letters.zeroize();
    SecretText::new(groups)
}

/// The letters alone: without spaces, invisible characters and separators.
fn letters(typed: &str) -> Zeroizing<String> {
    let mut letters = Zeroizing::new(String::with_capacity(typed.len()));
    letters.extend(typed.chars().filter(|character| !is_between(*character)));
    letters
}

/// Says whether a character only stands between the letters of a recovery key, or is not seen at all.
pub fn is_between(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, '-' | '_' | '\u{ad}' | '\u{feff}')
        || matches!(u32::from(character), 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f)
}

/// Says whether a character can be part of a recovery key.
pub fn is_letter(character: char) -> bool {
    character.is_ascii_alphanumeric() && !matches!(character, '0' | 'O' | 'I' | 'l')
}

/// Says whether enough letters are all capitals or all small, which a real key never is.
fn one_case(letters: &str) -> Option<bool> {
    let capitals = letters.chars().filter(char::is_ascii_uppercase).count();
    let small = letters.chars().filter(char::is_ascii_lowercase).count();
    match (capitals, small) {
        (12.., 0) => Some(true),
        (0, 12..) => Some(false),
        _ => None,
    }
}

fn look_alikes(character: char) -> &'static str {
    match character {
        '0' | 'O' => "o D Q C",
        'I' | 'l' | '|' => "1 i j L J",
        _ => "the twelve groups of four",
    }
}
