//! Randomness that repeats: bytes from a seed, so that a story is the same on every computer.

use sha2::{Digest, Sha256};

use crate::base::random::Random;

/// A generator whose bytes follow from its seed alone. For made-up accounts, never for real keys.
#[derive(Clone, Debug)]
pub struct Seeded {
    seed: [u8; 32],
    blocks: u64,
}

impl Seeded {
    /// A generator that the text decides wholly.
    pub fn new(seed: &str) -> Self {
        Self { seed: Sha256::digest(seed).into(), blocks: 0 }
    }

    /// Another generator for one purpose. It follows from the names alone, not from what was drawn
    /// before, so that several threads may share the work and get the same bytes.
    pub fn derive(&self, purpose: &str, number: u64) -> Self {
        let digest = Sha256::new()
            .chain_update(self.seed)
            .chain_update(number.to_be_bytes())
            .chain_update(purpose);
        Self { seed: digest.finalize().into(), blocks: 0 }
    }

    /// A number from 0 to `limit` - 1; 0 if the limit is 0.
    pub fn below(&mut self, limit: u32) -> u32 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        u32::from_be_bytes(bytes).checked_rem(limit).unwrap_or_default()
    }

    /// True in `chance` of 100 cases.
    pub fn percent(&mut self, chance: u32) -> bool {
        self.below(100) < chance
    }

    /// Letters and digits picked from `alphabet`, which must be ASCII.
    pub fn text(&mut self, alphabet: &str, length: usize) -> String {
        let limit = u32::try_from(alphabet.len()).unwrap_or_default();
        (0..length)
            .filter_map(|_| alphabet.chars().nth(usize::try_from(self.below(limit)).ok()?))
            .collect()
    }
}

impl Random for Seeded {
    fn fill(&mut self, buffer: &mut [u8]) {
        for part in buffer.chunks_mut(32) {
            let digest =
                Sha256::new().chain_update(self.seed).chain_update(self.blocks.to_be_bytes());
            self.blocks += 1;
            for (to, from) in part.iter_mut().zip(digest.finalize()) {
                *to = from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::array;

    #[test]
    fn follows_from_the_seed_and_the_names() {
        let mut one = Seeded::new("a");
        let first = array::<40>(&mut one);
        assert_eq!(first, array::<40>(&mut Seeded::new("a")));
        assert_ne!(first, array::<40>(&mut one));
        assert_ne!(first, array::<40>(&mut Seeded::new("b")));
        let derived = array::<40>(&mut one.derive("keys", 1));
        assert_eq!(derived, array::<40>(&mut Seeded::new("a").derive("keys", 1)));
        assert_ne!(derived, array::<40>(&mut one.derive("keys", 2)));
        assert_ne!(derived, array::<40>(&mut one.derive("rooms", 1)));
        assert_eq!(one.below(0), 0);
    }
}
