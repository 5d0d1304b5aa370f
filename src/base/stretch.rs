//! PBKDF2-HMAC-SHA-512 round by round: the one calculation that is slow on purpose, so it tells how
//! far it is and can be stopped. Secret storage, old backups and key files all use it (SPEC §5.4, §6).

use hmac::{Hmac, KeyInit, Mac, digest::FixedOutput};
use sha2::Sha512;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use super::{limits, secret::SecretBytes};

/// Bytes that one run of all rounds gives.
const BLOCK: usize = 64;
const FEWEST_BITS: u64 = 128;
const MOST_BITS: u64 = 4096;

/// How a passphrase becomes a key, as a server or a file describes it. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Recipe {
    salt: Vec<u8>,
    rounds: u32,
    /// Length of the key, in bytes.
    length: usize,
}

/// Why a recipe makes no sense. Many rounds are no fault: whoever asks for them may have to wait.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RecipeFault {
    /// No rounds at all, or more than fit into 32 bits.
    #[error("expected 1 to {} rounds, got {got}", u32::MAX)]
    Rounds {
        /// Rounds received.
        got: u64,
    },
    /// A key that is no whole number of bytes, or of a length that nobody uses.
    #[error("expected a key of {FEWEST_BITS} to {MOST_BITS} bits in whole bytes, got {got}")]
    Bits {
        /// Bits received.
        got: u64,
    },
}

impl Recipe {
    /// A recipe with the salt's bytes as they are, so many rounds, and a key of so many bits.
    pub fn new(salt: &[u8], rounds: u64, bits: u64) -> Result<Self, RecipeFault> {
        let fits = (FEWEST_BITS..=MOST_BITS).contains(&bits) && bits.is_multiple_of(8);
        if !fits {
            return Err(RecipeFault::Bits { got: bits });
        }
        let short = u32::try_from(rounds).ok().filter(|rounds| *rounds > 0);
        let rounds = short.ok_or(RecipeFault::Rounds { got: rounds })?;
        Ok(Self { salt: salt.to_vec(), rounds, length: (bits / 8) as usize })
    }

    /// All rounds that one passphrase costs.
    pub fn work(&self) -> u64 {
        u64::from(self.rounds) * self.length.div_ceil(BLOCK) as u64
    }

    /// The key for a passphrase; `None` as soon as `go_on` says no. It is asked every
    /// [`limits::STRETCH_STEP`] rounds and at the end, and told how many were done since.
    pub fn stretch(
        &self,
        passphrase: &[u8],
        go_on: &mut dyn FnMut(u32) -> bool,
    ) -> Option<SecretBytes> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let keyed = Hmac::<Sha512>::new_from_slice(passphrase).expect("HMAC takes any key");
        let mut key = Zeroizing::new(Vec::with_capacity(self.length.next_multiple_of(BLOCK)));
        for number in (1_u32..).take(self.length.div_ceil(BLOCK)) {
            key.extend_from_slice(&self.block(&keyed, number, go_on)?[..]);
        }
        key.truncate(self.length);
        Some(SecretBytes::new(std::mem::take(&mut key)))
    }

    fn block(
        &self,
        keyed: &Hmac<Sha512>,
        number: u32,
        go_on: &mut dyn FnMut(u32) -> bool,
    ) -> Option<Zeroizing<[u8; BLOCK]>> {
        let mut first = keyed.clone();
        first.update(&self.salt);
        first.update(&number.to_be_bytes());
        let mut round = first.finalize_fixed();
        let mut sum = Zeroizing::new([0; BLOCK]);
        sum.copy_from_slice(&round);
        let mut since = 1;
        for _ in 1..self.rounds {
            if since == limits::STRETCH_STEP {
                if !go_on(since) {
                    return None;
                }
                since = 0;
            }
            let mut mac = keyed.clone();
            mac.update(&round);
            round = mac.finalize_fixed();
            sum.iter_mut().zip(&round).for_each(|(sum, byte)| *sum ^= byte);
            since += 1;
        }
        round.as_mut_slice().zeroize();
        go_on(since).then_some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipes_that_make_no_sense_are_refused() {
        let fault = |rounds, bits| Recipe::new(b"salt", rounds, bits).map(|_| ()).unwrap_err();
        for bits in [0, 8, 120, 255, 257, 4104, 1 << 40] {
            assert_eq!(fault(1, bits), RecipeFault::Bits { got: bits });
        }
        for rounds in [0, 1 << 32, 1 << 53] {
            assert_eq!(fault(rounds, 256), RecipeFault::Rounds { got: rounds });
        }
        assert_eq!(Recipe::new(b"", 7, 4096).unwrap().work(), 56);
    }

    #[test]
    fn it_tells_every_round_and_stops_when_asked() {
        let recipe = Recipe::new(b"salt", 2_500, 520).unwrap();
        let mut told = Vec::new();
        let key = recipe.stretch(b"passphrase", &mut |rounds| {
            told.push(rounds);
            true
        });
        assert_eq!(key.unwrap().expose().len(), 65);
        assert_eq!(told, [1_000, 1_000, 500, 1_000, 1_000, 500]);
        let mut asked = 0;
        let stopped = recipe.stretch(b"passphrase", &mut |_| {
            asked += 1;
            asked < 2
        });
        assert!(stopped.is_none());
        assert_eq!(asked, 2);
    }
}
