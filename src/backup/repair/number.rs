//! The number that 48 letters stand for, and what tells at once that it is no recovery key.
//!
//! Changing a letter adds or takes a multiple of a power of 58. So the search never decodes a text anew: it
//! carries a sum of 320 bits along, and one addition of five limbs gives the next candidate.

use std::{array, sync::LazyLock};

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::super::recovery_key::LETTERS;
use crate::base::secret::Secret32;

/// Values of a letter.
pub(super) const BASE: u64 = 58;
/// The limb with the first three bytes of the text's 35: the two of the prefix and one of the key.
const TOP: usize = 4;
/// What the prefix 8B 01 makes of that limb, from the least to the most.
const LEAST: u64 = 0x8b_01_00;
const MOST: u64 = 0x8b_01_ff;

/// 58 to the power of a letter's place, counted from the right.
#[derive(Clone, Copy)]
pub(super) struct Power([u64; 5]);

static POWERS: LazyLock<[Power; LETTERS]> = LazyLock::new(|| {
    let mut power = Number { limbs: [1, 0, 0, 0, 0] };
    array::from_fn(|_| {
        let now = Power(power.limbs);
        power.times(BASE);
        now
    })
});

impl Power {
    /// What a letter at this place, from 0 on the left, is worth. There are no places behind the last.
    pub(super) fn at(place: usize) -> Self {
        let from_right = LETTERS.checked_sub(place + 1);
        from_right.and_then(|place| POWERS.get(place)).copied().unwrap_or(Power([0; 5]))
    }

    /// How far, in units of the top limb, changes of letters at this place and behind it can lead.
    pub(super) fn reach(place: usize) -> u64 {
        match place {
            // Beyond the first letter there is no power; its own is 58 times as far.
            0 => u64::MAX >> 1,
            _ => {
                let Power([.., top]) = Self::at(place - 1);
                top + 1
            }
        }
    }
}

/// A number below 58^48, which is less than 2^282; the lowest limb first.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Number {
    limbs: [u64; 5],
}

impl Number {
    /// Nothing yet.
    pub(super) fn zero() -> Self {
        Self { limbs: [0; 5] }
    }

    /// The same number once more.
    #[inline]
    pub(super) fn again(&self) -> Self {
        Self { limbs: self.limbs }
    }

    /// Multiplies by a small number; the result must be a number of this kind.
    fn times(&mut self, factor: u64) {
        let mut carry = 0;
        for limb in &mut self.limbs {
            let product = u128::from(*limb) * u128::from(factor) + carry;
            *limb = product as u64;
            carry = product >> 64;
        }
    }

    /// Adds a power once: the next letter at its place. Says whether the result passes, as
    /// [`Number::passes`] does: each limb is looked at while it is at hand, because reading all of them
    /// just after they were written makes a processor wait, which would be half of the whole search.
    #[inline(always)]
    pub(super) fn add(&mut self, power: &Power) -> bool {
        let (mut carry, mut parity, mut top) = (false, 0, 0);
        for (limb, more) in self.limbs.iter_mut().zip(&power.0) {
            let (sum, first) = limb.overflowing_add(*more);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *limb = sum;
            carry = first | second;
            parity ^= sum;
            top = sum;
        }
        passes(top, parity)
    }

    /// Adds a power several times.
    #[inline(always)]
    pub(super) fn add_times(&mut self, power: &Power, times: u64) {
        let mut carry = 0;
        for (limb, more) in self.limbs.iter_mut().zip(&power.0) {
            let sum = u128::from(*limb) + u128::from(*more) * u128::from(times) + carry;
            *limb = sum as u64;
            carry = sum >> 64;
        }
    }

    /// Takes a power away as often as it was added.
    #[inline(always)]
    pub(super) fn take_times(&mut self, power: &Power, times: u64) {
        let (mut carry, mut borrow) = (0, false);
        for (limb, less) in self.limbs.iter_mut().zip(&power.0) {
            let product = u128::from(*less) * u128::from(times) + carry;
            carry = product >> 64;
            let (rest, first) = limb.overflowing_sub(product as u64);
            let (rest, second) = rest.overflowing_sub(u64::from(borrow));
            *limb = rest;
            borrow = first | second;
        }
    }

    /// Says whether the number can still begin as a recovery key does, if it changes by so many units of
    /// the top limb at most ([`Power::reach`]).
    #[inline(always)]
    pub(super) fn reaches(&self, units: u64) -> bool {
        let [.., top] = self.limbs;
        top + units >= LEAST && top <= MOST + units
    }

    /// Says whether the prefix is that of a recovery key and the checksum fits. Of numbers with this prefix
    /// one in 256 passes.
    #[inline(always)]
    pub(super) fn passes(&self) -> bool {
        let [a, b, c, d, top] = self.limbs;
        passes(top, a ^ b ^ c ^ d ^ top)
    }

    /// The 32 bytes of the key, between the prefix and the checksum.
    pub(super) fn key(&self) -> Secret32 {
        const BITS: usize = 8;
        Secret32::filled_by(|key| {
            // The first byte is the third of the top limb, the last one follows the checksum's.
            let places = (1..=TOP * BITS).rev();
            for (byte, place) in key.iter_mut().zip(places) {
                let limb = self.limbs.get(place / BITS).copied().unwrap_or_default();
                *byte = (limb >> (place % BITS * BITS)) as u8;
            }
        })
    }
}

/// The same by the top limb, and by all limbs in one.
#[inline(always)]
fn passes(top: u64, mut parity: u64) -> bool {
    parity ^= parity >> 32;
    parity ^= parity >> 16;
    parity ^= parity >> 8;
    top >> 8 == LEAST >> 8 && parity as u8 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::recovery_key;

    fn worth(letter: char) -> u64 {
        super::super::letters::digit(letter).unwrap().into()
    }

    fn number(text: &str) -> Number {
        let mut number = Number::zero();
        for letter in text.chars().filter(|letter| *letter != ' ') {
            number.times(BASE);
            number.add_times(&Power::at(LETTERS - 1), worth(letter));
        }
        number
    }

    #[test]
    fn the_number_of_a_key_is_its_bytes() {
        for byte in 0..=u8::MAX {
            let mut key = [byte; 32];
            key[7] = 0xff - byte;
            key[31] = byte.wrapping_mul(3);
            let text = recovery_key::format(&Secret32::from_slice(&key).unwrap());
            let number = number(text.expose());
            assert!(number.passes() && number.reaches(0));
            assert_eq!(number.key().expose(), &key);
        }
    }

    #[test]
    fn a_difference_leads_to_the_same_number_as_reading_anew() {
        let text = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d";
        let other = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gzMN UE4d";
        let mut changed = number(text);
        let place = Power::at(41);
        let (from, to) = (worth('U'), worth('z'));
        changed.take_times(&place, from);
        changed.add_times(&place, to);
        assert_eq!(changed.limbs, number(other).limbs);
        changed.take_times(&place, to);
        (0..from).for_each(|_| assert_eq!(changed.add(&place), changed.passes()));
        assert_eq!(changed.limbs, number(text).limbs);
    }

    #[test]
    fn what_cannot_begin_rightly_is_known_early() {
        let text = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d";
        assert!((0..48).all(|place| number(text).reaches(Power::reach(place))));
        // A wrong first letter cannot be mended by later ones, a wrong fourth by none behind it.
        let wrong = number(&text.replacen('E', "H", 1));
        let reached =
            (0..48).filter(|place| wrong.reaches(Power::reach(*place))).collect::<Vec<_>>();
        assert_eq!(reached, [0]);
    }
}
