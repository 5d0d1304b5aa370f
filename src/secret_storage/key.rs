//! A key of secret storage: its description in account data, and the check that a key fits it.

use aes::cipher::{KeyIvInit, StreamCipher};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::base::{base64, secret::Secret32, shown::Shown};

/// The one algorithm of 4S keys that keyhaul opens.
pub const ALGORITHM: &str = "m.secret_storage.v1.aes-hmac-sha2";
/// Account data type that names the default key.
pub const DEFAULT_KEY: &str = "m.secret_storage.default_key";
/// Account data type of a key's description: this and the key's id.
pub const KEY_PREFIX: &str = "m.secret_storage.key.";

/// What account data says of a 4S key, as far as it serves to check one (SPEC §5.2).
#[derive(Clone, Debug)]
pub struct KeyDescription {
    /// The key's id.
    pub id: String,
    check: Option<([u8; 16], [u8; 32])>,
}

/// Why a description is unusable.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DescriptionFault {
    /// Not a JSON object with an algorithm.
    #[error("expected a key description with `algorithm`, got other JSON")]
    Shape,
    /// An algorithm that keyhaul does not know.
    #[error("expected algorithm {ALGORITHM}, got {algorithm}")]
    Algorithm {
        /// The algorithm's name.
        algorithm: Shown,
    },
    /// `iv` is not 16 bytes or `mac` is not 32.
    #[error("expected an iv of 16 bytes and a mac of 32")]
    Check,
}

/// What the check of a key says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCheck {
    /// It is this key.
    Fits,
    /// It is another key.
    DoesNotFit,
    /// The description has nothing to check with; only a secret's own MAC can tell.
    Unverifiable,
}

impl KeyDescription {
    /// Reads the content of `m.secret_storage.key.ID`.
    pub fn parse(id: &str, content: &str) -> Result<Self, DescriptionFault> {
        #[derive(Deserialize)]
        struct Content {
            algorithm: String,
            #[serde(default)]
            iv: Option<String>,
            #[serde(default)]
            mac: Option<String>,
        }
        let content: Content =
            serde_json::from_str(content).map_err(|_| DescriptionFault::Shape)?;
        if content.algorithm != ALGORITHM {
            let algorithm = Shown::limited(&content.algorithm, 80);
            return Err(DescriptionFault::Algorithm { algorithm });
        }
        let check = match (content.iv, content.mac) {
            (Some(iv), Some(mac)) => Some((
                base64::decode_exact(&iv).ok_or(DescriptionFault::Check)?,
                base64::decode_exact(&mac).ok_or(DescriptionFault::Check)?,
            )),
            _ => None,
        };
        Ok(Self { id: id.to_owned(), check })
    }

    /// Checks a key against this description (SPEC §5.3).
    pub fn check(&self, key: &Secret32) -> KeyCheck {
        let Some((iv, mac)) = &self.check else { return KeyCheck::Unverifiable };
        let keys = SecretKeys::derive(key, "");
        let mut zeros = [0; 32];
        keys.apply(iv, &mut zeros);
        if keys.verify(&zeros, mac) { KeyCheck::Fits } else { KeyCheck::DoesNotFit }
    }
}

/// AES and MAC key for one name, derived from a 4S key.
pub(super) struct SecretKeys(Zeroizing<[u8; 64]>);

impl SecretKeys {
    pub(super) fn derive(key: &Secret32, name: &str) -> Self {
        let mut keys = Zeroizing::new([0; 64]);
        #[expect(clippy::expect_used, reason = "HKDF-SHA-256 gives up to 8 160 bytes")]
        Hkdf::<Sha256>::new(None, key.expose())
            .expand(name.as_bytes(), &mut keys[..])
            .expect("64 bytes are fewer than HKDF can give");
        Self(keys)
    }

    /// AES-256-CTR in place; the counter takes all 128 bits.
    pub(super) fn apply(&self, iv: &[u8; 16], data: &mut [u8]) {
        let (aes, _) = self.halves();
        ctr::Ctr128BE::<aes::Aes256>::new(aes.into(), iv.into()).apply_keystream(data);
    }

    pub(super) fn verify(&self, data: &[u8], mac: &[u8; 32]) -> bool {
        self.mac(data).verify_slice(mac).is_ok()
    }

    pub(super) fn mac(&self, data: &[u8]) -> Hmac<Sha256> {
        let (_, key) = self.halves();
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(data);
        mac
    }

    fn halves(&self) -> (&[u8; 32], &[u8; 32]) {
        #[expect(clippy::expect_used, reason = "64 bytes are two halves of 32")]
        let (aes, rest) = self.0.split_first_chunk::<32>().expect("64 bytes are two halves");
        #[expect(clippy::expect_used, reason = "64 bytes are two halves of 32")]
        let mac = rest.first_chunk::<32>().expect("64 bytes are two halves");
        (aes, mac)
    }
}
