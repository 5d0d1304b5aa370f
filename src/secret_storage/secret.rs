//! One secret in secret storage: opened with a 4S key, read as a private key.

use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;
use vodozemac::pk_encryption::{Message, PkDecryption};

use super::{
    key::{SecretKeys, private_key},
    raw_key,
};
use crate::base::{
    base64,
    ctr::{Counter, fresh_iv},
    random::Random,
    secret::{Secret32, SecretBytes},
};

/// Account data type of the secret that holds a backup's private key.
pub const BACKUP_SECRET: &str = "m.megolm_backup.v1";
/// Account data type of the secret that holds the private part of the master cross-signing key.
pub const MASTER_SECRET: &str = "m.cross_signing.master";
/// Length of a tag in a secret of the old algorithm, in bytes.
const OLD_TAG: usize = 8;

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

#[derive(Deserialize)]
struct OldParts {
    ephemeral: String,
    ciphertext: String,
    mac: String,
}

impl StoredSecret {
    /// Reads the account data of the secret called `name`.
    ///
    /// The first clients to store a backup's key so wrote `passthrough` without `encrypted` around it.
    pub fn parse(name: &str, content: &str) -> Result<Self, SecretFault> {
        let content: Value = serde_json::from_str(content).map_err(|_| SecretFault::Absent)?;
        let Value::Object(mut members) = content else { return Err(SecretFault::Absent) };
        let encrypted = match members.remove("encrypted") {
            Some(Value::Object(encrypted)) => encrypted,
            Some(_) => return Err(SecretFault::Absent),
            None => members.into_iter().filter(|(_, data)| is_passthrough(data)).collect(),
        };
        if encrypted.is_empty() {
            return Err(SecretFault::Absent);
        }
        Ok(Self { name: name.to_owned(), encrypted })
    }

    /// The ids of the 4S keys that open it.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.encrypted.keys().map(String::as_str)
    }

    /// Opens what is stored under a 4S key's id; the MAC is verified before anything is decrypted. The
    /// name of the secret is part of the key, so one secret cannot stand in for another.
    ///
    /// With `passthrough` there is no MAC: the 4S key is the secret itself.
    pub fn open(&self, key_id: &str, key: &[u8]) -> Result<SecretBytes, SecretFault> {
        self.open_counting(key_id, key, Counter::Whole)
    }

    /// Opens it and reads the private key in it, in whichever counter the client counted that wrote it.
    pub fn open_key(&self, key_id: &str, key: &[u8]) -> Result<Secret32, SecretFault> {
        let read = read_key(&self.open_counting(key_id, key, Counter::Whole)?);
        match read {
            Err(fault) if self.counter_matters(key_id) => {
                let low = self.open_counting(key_id, key, Counter::Low)?;
                read_key(&low).map_err(|_| fault)
            }
            read => read,
        }
    }

    /// Says whether a 4S key stands in the place of the secret; then no MAC proves that it is right.
    pub fn is_passthrough(&self, key_id: &str) -> bool {
        self.encrypted.get(key_id).is_some_and(is_passthrough)
    }

    /// Says whether only somebody who has the 4S key can have written what is stored under its id. In the
    /// old algorithm everybody can who has the public key, so also the server.
    pub fn is_authentic(&self, key_id: &str) -> bool {
        let data = self.encrypted.get(key_id);
        data.is_some_and(|data| !is_passthrough(data) && OldParts::deserialize(data).is_err())
    }

    fn open_counting(
        &self,
        key_id: &str,
        key: &[u8],
        counter: Counter,
    ) -> Result<SecretBytes, SecretFault> {
        let data = self.encrypted.get(key_id).ok_or(SecretFault::OtherKeys)?;
        if is_passthrough(data) {
            return Ok(SecretBytes::new(base64::encode(key).into_bytes()));
        }
        if let Ok(parts) = OldParts::deserialize(data) {
            return open_old(&parts, key);
        }
        let parts = Parts::deserialize(data).map_err(|_| SecretFault::Shape)?;
        let iv = base64::decode_exact(&parts.iv).ok_or(SecretFault::Shape)?;
        let mac = base64::decode_exact(&parts.mac).ok_or(SecretFault::Shape)?;
        let mut text = base64::decode(&parts.ciphertext).ok_or(SecretFault::Shape)?;
        let keys = SecretKeys::derive(key, &self.name);
        if !keys.verify(&text, &mac) {
            return Err(SecretFault::Mac);
        }
        keys.apply(&iv, counter, &mut text);
        Ok(SecretBytes::new(text))
    }

    fn counter_matters(&self, key_id: &str) -> bool {
        let parts = self.encrypted.get(key_id).and_then(|data| Parts::deserialize(data).ok());
        parts.is_some_and(|parts| {
            base64::decode_exact(&parts.iv)
                .is_some_and(|iv| Counter::matters(&iv, parts.ciphertext.len() as u64))
        })
    }
}

fn is_passthrough(data: &Value) -> bool {
    data.get("passthrough") == Some(&Value::Bool(true))
}

/// The old algorithm is that of backup entries, and this tag, too, proves the key and nothing else.
fn open_old(parts: &OldParts, key: &[u8]) -> Result<SecretBytes, SecretFault> {
    let decode = |text: &str| base64::decode(text).ok_or(SecretFault::Shape);
    let ephemeral: [u8; 32] = base64::decode_exact(&parts.ephemeral).ok_or(SecretFault::Shape)?;
    let (ciphertext, mac) = (decode(&parts.ciphertext)?, decode(&parts.mac)?);
    if mac.len() != OLD_TAG {
        return Err(SecretFault::Shape);
    }
    let message = Message { ciphertext, mac, ephemeral_key: ephemeral.into() };
    let key = private_key(key).ok_or(SecretFault::Mac)?;
    let text = PkDecryption::from_key(key).decrypt(&message).map_err(|_| SecretFault::Mac)?;
    Ok(SecretBytes::new(text))
}

/// Reads an opened secret as 32 bytes, in any of the ways it was ever written.
pub fn read_key(plaintext: &SecretBytes) -> Result<Secret32, SecretFault> {
    let text = str::from_utf8(plaintext.expose()).map_err(|_| SecretFault::Format)?;
    raw_key::parse(text).ok_or(SecretFault::Format)
}

/// Stores a secret under one 4S key: the JSON for `encrypted[key_id]`.
pub fn seal(name: &str, key: &[u8], plaintext: &[u8], random: &mut dyn Random) -> Value {
    let iv = fresh_iv(random);
    let keys = SecretKeys::derive(key, name);
    let mut ciphertext = plaintext.to_vec();
    keys.apply(&iv, Counter::Whole, &mut ciphertext);
    parts(&keys, iv, &ciphertext)
}

/// The `iv` and `mac` of a key's description, with which others can check that key.
pub fn describe(key: &[u8], random: &mut dyn Random) -> Value {
    let iv = fresh_iv(random);
    let keys = SecretKeys::derive(key, "");
    let mut zeros = [0; 32];
    keys.apply(&iv, Counter::Whole, &mut zeros);
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
