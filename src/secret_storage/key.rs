//! A key of secret storage: its description in account data, and the check that a key fits it.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use thiserror::Error;
use vodozemac::{Curve25519PublicKey, Curve25519SecretKey};
use zeroize::Zeroizing;

use crate::base::{
    base64,
    ctr::{Counter, Stream},
    shown::Shown,
    stretch::{Recipe, RecipeFault},
};

/// The algorithm of 4S keys that clients use.
pub const ALGORITHM: &str = "m.secret_storage.v1.aes-hmac-sha2";
/// The algorithm of 4S keys that clients made for some weeks of 2020.
pub const OLD_ALGORITHM: &str = "m.secret_storage.v1.curve25519-aes-sha2";
/// Account data type that names the default key.
pub const DEFAULT_KEY: &str = "m.secret_storage.default_key";
/// Account data type of a key's description: this and the key's id.
pub const KEY_PREFIX: &str = "m.secret_storage.key.";

/// What account data says of a 4S key, as far as it serves to open with one (SPEC §5.2).
#[derive(Clone, Debug)]
pub struct KeyDescription {
    /// The key's id.
    pub id: String,
    check: Check,
    passphrase: Option<Result<Recipe, PassphraseFault>>,
}

/// What there is to check a key with.
#[derive(Clone, Debug)]
enum Check {
    Mac { iv: [u8; 16], mac: [u8; 32] },
    PublicKey([u8; 32]),
    Nothing,
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
    /// `iv` is not 16 bytes, or `mac` or `pubkey` is not 32.
    #[error("expected an iv of 16 bytes and a mac of 32, or a public key of 32 bytes")]
    Check,
}

/// Why no key can be made from a passphrase, although the description says so.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PassphraseFault {
    /// No salt, no rounds, or values of other types.
    #[error("expected `salt` and `iterations`, got other JSON")]
    Shape,
    /// A calculation that keyhaul does not know.
    #[error("expected algorithm m.pbkdf2, got {algorithm}")]
    Algorithm {
        /// The algorithm's name.
        algorithm: Shown,
    },
    /// Rounds or length make no sense.
    #[error(transparent)]
    Recipe(#[from] RecipeFault),
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
            #[serde(default)]
            pubkey: Option<String>,
            #[serde(default)]
            passphrase: Option<Value>,
        }
        let content: Content =
            serde_json::from_str(content).map_err(|_| DescriptionFault::Shape)?;
        let check = match (content.algorithm.as_str(), content.iv, content.mac, content.pubkey) {
            (ALGORITHM, Some(iv), Some(mac), _) => Check::Mac {
                iv: base64::decode_exact(&iv).ok_or(DescriptionFault::Check)?,
                mac: base64::decode_exact(&mac).ok_or(DescriptionFault::Check)?,
            },
            (OLD_ALGORITHM, _, _, Some(key)) => {
                Check::PublicKey(base64::decode_exact(&key).ok_or(DescriptionFault::Check)?)
            }
            (ALGORITHM | OLD_ALGORITHM, ..) => Check::Nothing,
            (other, ..) => {
                let algorithm = Shown::limited(other, 80);
                return Err(DescriptionFault::Algorithm { algorithm });
            }
        };
        let passphrase = content.passphrase.filter(|value| !value.is_null()).map(|v| recipe(&v));
        Ok(Self { id: id.to_owned(), check, passphrase })
    }

    /// Checks a key against this description (SPEC §5.3). Keys are 32 bytes long, unless one was made
    /// from a passphrase with another number of bits.
    pub fn check(&self, key: &[u8]) -> KeyCheck {
        let fits = match &self.check {
            Check::Nothing => return KeyCheck::Unverifiable,
            Check::PublicKey(public) => public_key(key).is_some_and(|own| own == *public),
            Check::Mac { iv, mac } => {
                let keys = SecretKeys::derive(key, "");
                let mut zeros = [0; 32];
                keys.apply(iv, Counter::Whole, &mut zeros);
                keys.verify(&zeros, mac)
            }
        };
        if fits { KeyCheck::Fits } else { KeyCheck::DoesNotFit }
    }

    /// Says whether there is anything to check a key with.
    pub fn is_checkable(&self) -> bool {
        !matches!(self.check, Check::Nothing)
    }

    /// Says whether it is a public key that a key is checked with, as in the old algorithm.
    pub fn has_public_key(&self) -> bool {
        matches!(self.check, Check::PublicKey(_))
    }

    /// How a passphrase becomes this key; `None` where it was not made from one.
    pub fn passphrase(&self) -> Option<&Result<Recipe, PassphraseFault>> {
        self.passphrase.as_ref()
    }
}

/// Reads `passphrase` of a description. The salt is text, and its bytes are taken as they are.
fn recipe(value: &Value) -> Result<Recipe, PassphraseFault> {
    #[derive(Deserialize)]
    struct Content {
        algorithm: String,
        salt: String,
        iterations: u64,
        #[serde(default)]
        bits: Option<u64>,
    }
    let content = Content::deserialize(value).map_err(|_| PassphraseFault::Shape)?;
    if content.algorithm != "m.pbkdf2" {
        let algorithm = Shown::limited(&content.algorithm, 80);
        return Err(PassphraseFault::Algorithm { algorithm });
    }
    let bits = content.bits.unwrap_or(256);
    Ok(Recipe::new(content.salt.as_bytes(), content.iterations, bits)?)
}

/// The X25519 public key that goes with a 4S key of the old algorithm.
fn public_key(key: &[u8]) -> Option<[u8; 32]> {
    Some(Curve25519PublicKey::from(&private_key(key)?).to_bytes())
}

/// A 4S key of the old algorithm; `None` unless it is 32 bytes.
pub(super) fn private_key(key: &[u8]) -> Option<Curve25519SecretKey> {
    key.try_into().ok().map(Curve25519SecretKey::from_slice)
}

/// AES and MAC key for one name, derived from a 4S key.
pub(super) struct SecretKeys(Zeroizing<[u8; 64]>);

impl SecretKeys {
    pub(super) fn derive(key: &[u8], name: &str) -> Self {
        let mut keys = Zeroizing::new([0; 64]);
        #[expect(clippy::expect_used, reason = "HKDF-SHA-256 gives up to 8 160 bytes")]
        Hkdf::<Sha256>::new(None, key)
            .expand(name.as_bytes(), &mut keys[..])
            .expect("64 bytes are fewer than HKDF can give");
        Self(keys)
    }

    /// AES-256-CTR in place.
    pub(super) fn apply(&self, iv: &[u8; 16], counter: Counter, data: &mut [u8]) {
        Stream::new(self.halves().0, iv, counter).apply(data);
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
