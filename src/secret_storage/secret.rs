//! One secret in secret storage: opened with a 4S key, read as the private key of a backup.

use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;
use zeroize::Zeroizing;

use super::key::SecretKeys;
use crate::base::{
    base64,
    random::Random,
    secret::{Secret32, SecretBytes},
};

/// Account data type of the secret that holds a backup's private key.
pub const BACKUP_SECRET: &str = "m.megolm_backup.v1";

/// A secret's account data: for each 4S key id what that key opens.
#[derive(Clone, Debug)]
pub struct StoredSecret {
    name: String,
    encrypted: Map<String, Value>,
}

/// Why a secret could not be had.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SecretFault {
    /// Account data is not `{"encrypted":{…}}`, or that is empty.
    #[error("expected `encrypted` with at least one key id, found none")]
    Absent,
    /// Nothing for this 4S key.
    #[error("the secret is not stored under this key")]
    OtherKeys,
    /// `iv`, `ciphertext` or `mac` is missing or of a wrong length.
    #[error("expected iv (16 bytes), ciphertext and mac (32 bytes) in base64")]
    Shape,
    /// The MAC does not fit: another key, another secret, or damage.
    #[error("the MAC of the secret does not fit")]
    Mac,
    /// The plaintext is not the base64 of 32 bytes.
    #[error("expected base64 of 32 bytes inside, got other text")]
    Format,
}

#[derive(Deserialize)]
struct Parts {
    iv: String,
    ciphertext: String,
    mac: String,
}

impl StoredSecret {
    /// Reads the account data of the secret called `name`.
    pub fn parse(name: &str, content: &str) -> Result<Self, SecretFault> {
        #[derive(Deserialize)]
        struct Content {
            encrypted: Map<String, Value>,
        }
        let content: Content = serde_json::from_str(content).map_err(|_| SecretFault::Absent)?;
        if content.encrypted.is_empty() {
            return Err(SecretFault::Absent);
        }
        Ok(Self { name: name.to_owned(), encrypted: content.encrypted })
    }

    /// The ids of the 4S keys that open it.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.encrypted.keys().map(String::as_str)
    }

    /// Opens it with the 4S key of this id; the MAC is verified before anything is decrypted. The
    /// name of the secret is part of the key, so one secret cannot stand in for another.
    pub fn open(&self, key_id: &str, key: &Secret32) -> Result<SecretBytes, SecretFault> {
        let data = self.encrypted.get(key_id).ok_or(SecretFault::OtherKeys)?;
        let parts = Parts::deserialize(data).map_err(|_| SecretFault::Shape)?;
        let iv = base64::decode_exact(&parts.iv).ok_or(SecretFault::Shape)?;
        let mac = base64::decode_exact(&parts.mac).ok_or(SecretFault::Shape)?;
        let mut text = base64::decode(&parts.ciphertext).ok_or(SecretFault::Shape)?;
        let keys = SecretKeys::derive(key, &self.name);
        if !keys.verify(&text, &mac) {
            return Err(SecretFault::Mac);
        }
        keys.apply(&iv, &mut text);
        Ok(SecretBytes::new(text))
    }
}

/// Reads an opened secret as 32 bytes: base64, padded or not, or the decimal bytes between commas
/// that an old js-sdk once stored by mistake (SPEC §5.5).
pub fn read_key(plaintext: &SecretBytes) -> Result<Secret32, SecretFault> {
    let text = str::from_utf8(plaintext.expose()).map_err(|_| SecretFault::Format)?;
    let mut key = if text.contains(',') { decimal_bytes(text) } else { base64::decode_exact(text) }
        .ok_or(SecretFault::Format)?;
    Ok(Secret32::take(&mut key))
}

fn decimal_bytes(text: &str) -> Option<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    let mut numbers = text.split(',');
    for byte in key.iter_mut() {
        *byte = numbers.next()?.trim().parse().ok()?;
    }
    numbers.next().is_none().then_some(*key)
}

/// Stores a secret under one 4S key: the JSON for `encrypted[key_id]`.
pub fn seal(name: &str, key: &Secret32, plaintext: &[u8], random: &mut dyn Random) -> Value {
    let iv = fresh_iv(random);
    let keys = SecretKeys::derive(key, name);
    let mut ciphertext = plaintext.to_vec();
    keys.apply(&iv, &mut ciphertext);
    parts(&keys, iv, &ciphertext)
}

/// The `iv` and `mac` of a key's description, with which others can check that key.
pub fn describe(key: &Secret32, random: &mut dyn Random) -> Value {
    let iv = fresh_iv(random);
    let keys = SecretKeys::derive(key, "");
    let mut zeros = [0; 32];
    keys.apply(&iv, &mut zeros);
    let Value::Object(mut description) = parts(&keys, iv, &zeros) else { return Value::Null };
    description.remove("ciphertext");
    description.insert("algorithm".to_owned(), super::key::ALGORITHM.into());
    description.into()
}

fn parts(keys: &SecretKeys, iv: [u8; 16], ciphertext: &[u8]) -> Value {
    use hmac::Mac;
    let mac = keys.mac(ciphertext).finalize().into_bytes();
    serde_json::json!({
        "iv": base64::encode(&iv),
        "ciphertext": base64::encode(ciphertext),
        "mac": base64::encode(&mac),
    })
}

/// Bit 63 is cleared: some clients count in the low 64 bits only (SPEC §5.5).
fn fresh_iv(random: &mut dyn Random) -> [u8; 16] {
    let mut iv = crate::base::random::array::<16>(random);
    if let Some(byte) = iv.get_mut(8) {
        *byte &= 0x7f;
    }
    iv
}
