//! What locks a key file: the head with salt, IV and rounds, and the keys that a passphrase gives.
//!
//! ```text
//! 1 version (1) · 16 salt · 16 IV · 4 rounds, big-endian · AES-256-CTR of the JSON · 32 HMAC-SHA-256
//! ```

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

use crate::base::{
    ctr::{Counter, Stream, fresh_iv},
    random::{Random, array},
    secret::{SecretBytes, SecretText},
    stretch::{Recipe, RecipeFault},
};

/// Length of the head, in bytes.
pub const HEAD: usize = 37;
/// Length of the MAC at the end, in bytes.
pub const MAC: usize = 32;
/// Rounds of a new file, as Element writes.
pub const ROUNDS: u32 = 500_000;
const VERSION: u8 = 1;
const KEY_BITS: u64 = 512;

/// The head of a key file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    salt: [u8; 16],
    /// Where the counter of the cipher begins.
    pub(super) iv: [u8; 16],
    rounds: u32,
}

/// Why a head makes no sense.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum HeadFault {
    /// Fewer bytes than the empty file has.
    #[error("expected at least {} bytes, got {got}", HEAD + MAC)]
    Short {
        /// Bytes received.
        got: u64,
    },
    /// Another version of the format.
    #[error("expected version {VERSION}, got {got}")]
    Version {
        /// Version received.
        got: u8,
    },
    /// A calculation that makes no sense.
    #[error(transparent)]
    Recipe(#[from] RecipeFault),
}

impl Head {
    /// A head with fresh salt and IV.
    pub fn fresh(rounds: u32, random: &mut dyn Random) -> Self {
        Self { salt: array(random), iv: fresh_iv(random), rounds }
    }

    /// Reads the first [`HEAD`] bytes.
    pub fn parse(bytes: &[u8; HEAD]) -> Result<Self, HeadFault> {
        let [version, rest @ ..] = bytes;
        if *version != VERSION {
            return Err(HeadFault::Version { got: *version });
        }
        let mut head = Self { salt: [0; 16], iv: [0; 16], rounds: 0 };
        let mut rounds = [0; 4];
        let to = head.salt.iter_mut().chain(&mut head.iv).chain(&mut rounds);
        to.zip(rest).for_each(|(to, from)| *to = *from);
        head.rounds = u32::from_be_bytes(rounds);
        head.recipe()?;
        Ok(head)
    }

    /// The bytes again.
    pub fn to_bytes(&self) -> [u8; HEAD] {
        let mut bytes = [VERSION; HEAD];
        let rounds = self.rounds.to_be_bytes();
        let parts = self.salt.iter().chain(&self.iv).chain(&rounds);
        bytes.iter_mut().skip(1).zip(parts).for_each(|(to, from)| *to = *from);
        bytes
    }

    /// How the passphrase becomes the file's keys. The rounds are the file's to choose, up to four
    /// thousand million: ask before doing more than [`crate::base::limits::STRETCH_ROUNDS`].
    pub fn recipe(&self) -> Result<Recipe, RecipeFault> {
        Recipe::new(&self.salt, self.rounds.into(), KEY_BITS)
    }

    /// The keys for a passphrase, typed as it is; `None` as soon as `go_on` says no (see
    /// [`Recipe::stretch`]).
    pub fn keys(
        &self,
        passphrase: &SecretText,
        go_on: &mut dyn FnMut(u32) -> bool,
    ) -> Option<FileKeys> {
        let recipe = self.recipe().ok()?;
        recipe.stretch(passphrase.expose().as_bytes(), go_on).map(FileKeys)
    }
}

/// The two keys of one file.
pub struct FileKeys(SecretBytes);

impl FileKeys {
    /// The cipher, from the first byte of the JSON.
    pub(super) fn stream(&self, head: &Head, counter: Counter) -> Stream {
        Stream::new(self.half(0), &head.iv, counter)
    }

    /// The MAC, which begins with the head.
    pub(super) fn mac(&self) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        Hmac::new_from_slice(self.half(32)).expect("HMAC takes keys of any length")
    }

    fn half(&self, from: usize) -> &[u8; 32] {
        #[expect(clippy::expect_used, reason = "512 bits are two halves of 32 bytes")]
        self.0
            .expose()
            .get(from..)
            .and_then(|rest| rest.first_chunk())
            .expect("the keys are two halves of 32 bytes")
    }
}

/// Says whether a MAC is right, in constant time.
pub(super) fn is_right(mac: Hmac<Sha256>, got: &[u8]) -> bool {
    mac.verify_slice(got).is_ok()
}
