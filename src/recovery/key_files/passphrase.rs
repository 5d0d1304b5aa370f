//! Passphrases for key files: one that is made, and how good one is that somebody chose. Whoever finds the
//! file can try passphrases without limit, so this is all that guards it.

use std::collections::HashSet;

use diceware_wordlists::EFF_LONG_WORDLIST;

use crate::base::{
    random::{Random, array},
    secret::SecretText,
};

/// Words in a passphrase that is made: 6 of 7 776 are 77 bits.
const WORDS: usize = 6;
/// Fewest characters that are taken.
pub const SHORTEST: usize = 12;
/// From so many characters on a passphrase is fair, and good.
const FAIR: usize = 16;
const GOOD: usize = 24;
/// So many different characters there must be, or it is weak however long it is.
const DIFFERENT: usize = 8;

/// How good a passphrase is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Shorter than [`SHORTEST`].
    TooShort,
    /// Tried out within days.
    Weak,
    /// It takes somebody with means.
    Fair,
    /// Not tried out.
    Good,
}

/// Makes a passphrase of random words, joined by dashes: some apps take no spaces.
pub fn make(random: &mut dyn Random) -> SecretText {
    let longest = EFF_LONG_WORDLIST.iter().map(|word| word.len()).max().unwrap_or(0);
    // All room is there from the beginning, so that no part of it is left behind.
    let mut text = String::with_capacity(WORDS * (longest + 1));
    for number in 0..WORDS {
        if number > 0 {
            text.push('-');
        }
        text.push_str(word(random));
    }
    SecretText::new(text)
}

/// One word, each with the same chance.
fn word(random: &mut dyn Random) -> &'static str {
    let words = EFF_LONG_WORDLIST.len() as u32;
    let fair = u32::MAX - u32::MAX % words;
    loop {
        let number = u32::from_le_bytes(array(random));
        // The last numbers would make the first words likelier.
        if number < fair
            && let Some(word) = EFF_LONG_WORDLIST.get((number % words) as usize)
        {
            return word;
        }
    }
}

/// Says how good a passphrase is, by its length and by how many different characters it has. This counts
/// no words that everybody uses: the sentence beside it says what such a file means.
pub fn strength(text: &str) -> Strength {
    let length = text.chars().count();
    let different = text.chars().collect::<HashSet<_>>().len();
    match length {
        0..SHORTEST => Strength::TooShort,
        _ if different < DIFFERENT => Strength::Weak,
        SHORTEST..FAIR => Strength::Weak,
        FAIR..GOOD => Strength::Fair,
        _ => Strength::Good,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SystemRandom;

    /// Counts upwards.
    struct Counting(u32);

    impl Random for Counting {
        fn fill(&mut self, buffer: &mut [u8]) {
            buffer.copy_from_slice(&self.0.to_le_bytes());
            self.0 = self.0.wrapping_add(1);
        }
    }

    #[test]
    fn six_words_of_the_list() {
        let made = make(&mut Counting(0));
        let words: Vec<&str> = made.expose().split('-').collect();
        assert_eq!(words, EFF_LONG_WORDLIST[..6]);
        // Numbers that would make the first words likelier are left out.
        let made = make(&mut Counting(u32::MAX - 3));
        assert_eq!(made.expose().split('-').next(), Some(EFF_LONG_WORDLIST[0]));
        let made = make(&mut SystemRandom);
        assert_ne!(made.expose(), make(&mut SystemRandom).expose());
        assert!(EFF_LONG_WORDLIST.iter().collect::<HashSet<_>>().len() == 7_776);
    }

    #[test]
    fn length_and_difference_count() {
        assert_eq!(strength("short"), Strength::TooShort);
        assert_eq!(strength("hunter2hunter2"), Strength::Weak);
        assert_eq!(strength(&"ab".repeat(30)), Strength::Weak);
        assert_eq!(strength("a sentence of mine"), Strength::Fair);
        assert_eq!(strength("granite otter velvet ninth"), Strength::Good);
        assert_eq!(strength(make(&mut SystemRandom).expose()), Strength::Good);
    }
}
