//! Who signed a version's `auth_data`, and whether that is right (spec: signing JSON; SPEC §3.2–3.3).
//!
//! The keys to check with come from the server, so a right signature is a good sign and no proof: only
//! the recovery key proves a backup, and the account key in secret storage proves the account's.

use std::{cell::LazyCell, collections::BTreeMap};

use ruma::CanonicalJsonValue;
use serde_json::{Map, Value};
use vodozemac::{Ed25519PublicKey, Ed25519Signature};

use super::version::BackupVersion;
use crate::base::{base64, limits, shown::Shown};

/// Most signatures of one version that are looked at.
const SIGNATURES: usize = 100;
const PREFIX: &str = "ed25519:";

/// An Ed25519 public key.
pub type SigningKey = [u8; 32];

/// The signing keys of an account, as its server shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The master cross-signing key: the account's own.
    pub master: Option<SigningKey>,
    /// Devices by their ids.
    pub devices: BTreeMap<String, Device>,
}

/// A device that may have signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its signing key.
    pub key: SigningKey,
    /// What its owner called it, if anything.
    pub name: Option<Shown>,
}

/// One signature under a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The id of the key that signed, as it is claimed.
    pub key_id: String,
    /// Whose key that is.
    pub signer: Signer,
    /// Whether the signature is right; `None` where nobody shows the key.
    pub valid: Option<bool>,
}

/// Whose key signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The account's master key, as the server shows it.
    Master,
    /// A device of the account, with its name if it has one.
    Device(Option<Shown>),
    /// A key that is not the account's any more; after a reset of its identity that is usual. The
    /// signature is right, but nobody shows whose key it was.
    Replaced,
    /// A key that nobody shows.
    Unknown,
}

impl Identity {
    /// Reads the answer of `POST /keys/query` for one user. What makes no sense is left out.
    pub fn parse(user_id: &str, answer: &Value) -> Self {
        let master = answer.get("master_keys").and_then(|users| users.get(user_id));
        let devices = answer.get("device_keys").and_then(|users| users.get(user_id));
        let devices = devices.and_then(Value::as_object).into_iter().flatten();
        Self {
            master: master.filter(|key| is_of(key, user_id)).and_then(master_key),
            devices: devices
                .filter(|(_, keys)| is_of(keys, user_id))
                .filter_map(|(id, keys)| Some((id.clone(), device(id, keys)?)))
                .collect(),
        }
    }
}

fn is_of(keys: &Value, user_id: &str) -> bool {
    keys.get("user_id").and_then(Value::as_str) == Some(user_id)
}

/// The one key of a cross-signing object, which is named by itself.
fn master_key(object: &Value) -> Option<SigningKey> {
    let keys = object.get("keys")?.as_object()?;
    let [(id, key)] = keys.iter().collect::<Vec<_>>().try_into().ok()?;
    let key = base64::decode_exact(key.as_str()?)?;
    (base64::decode_exact(id.strip_prefix(PREFIX)?) == Some(key)).then_some(key)
}

fn device(id: &str, keys: &Value) -> Option<Device> {
    if keys.get("device_id")?.as_str()? != id {
        return None;
    }
    let key = base64::decode_exact(keys.get("keys")?.get(format!("{PREFIX}{id}"))?.as_str()?)?;
    let name = keys.pointer("/unsigned/device_display_name").and_then(Value::as_str);
    let name = name.map(|name| Shown::limited(name, limits::DEVICE_NAME));
    Some(Device { key, name: name.filter(|name| !name.as_str().is_empty()) })
}

/// All signatures of the account under a version, in the order of `auth_data`. Without an identity
/// (offline, or where the server does not answer) nobody's key is known.
pub fn signatures(
    version: &BackupVersion,
    user_id: &str,
    identity: Option<&Identity>,
) -> Vec<Signature> {
    let Ok(Value::Object(auth_data)) = serde_json::from_str(version.auth_data.get()) else {
        return Vec::new();
    };
    let own = auth_data.get("signatures").and_then(|users| users.get(user_id));
    let own = own.and_then(Value::as_object).into_iter().flatten().take(SIGNATURES);
    // Written once for all of them, and only where there is a signature to check.
    let signed = LazyCell::new(|| signed_bytes(&auth_data));
    own.map(|(key_id, signature)| {
        let signature = read_signature(signature);
        let is_right = |key: &SigningKey| verify(key, signature.as_ref(), || signed.as_deref());
        let (signer, valid) = judge(key_id, identity, is_right);
        Signature { key_id: key_id.clone(), signer, valid }
    })
    .collect()
}

/// Devices and the master key share one space of ids, so both are looked for, and the one whose key
/// verifies is the signer.
fn judge(
    key_id: &str,
    identity: Option<&Identity>,
    is_right: impl Fn(&SigningKey) -> bool,
) -> (Signer, Option<bool>) {
    let (Some(identity), Some(id)) = (identity, key_id.strip_prefix(PREFIX)) else {
        return (Signer::Unknown, None);
    };
    let named = base64::decode_exact::<32>(id);
    let master = identity.master.filter(|master| Some(*master) == named);
    let device = identity.devices.get(id);
    let candidates = [
        master.map(|key| (key, Signer::Master)),
        device.map(|device| (device.key, Signer::Device(device.name.clone()))),
    ];
    let candidates: Vec<_> = candidates.into_iter().flatten().collect();
    if let Some((_, signer)) = candidates.iter().find(|(key, _)| is_right(key)) {
        return (signer.clone(), Some(true));
    }
    match candidates.into_iter().next() {
        Some((_, signer)) => (signer, Some(false)),
        None if named.is_some_and(|key| is_right(&key)) => (Signer::Replaced, None),
        None => (Signer::Unknown, None),
    }
}

/// The canonical JSON of everything but the signatures; `None` where it has none, as with fractions.
fn signed_bytes(auth_data: &Map<String, Value>) -> Option<Vec<u8>> {
    let mut signed = auth_data.clone();
    signed.remove("signatures");
    signed.remove("unsigned");
    let canonical = CanonicalJsonValue::try_from(Value::Object(signed)).ok()?;
    serde_json::to_vec(&canonical).ok()
}

fn read_signature(value: &Value) -> Option<Ed25519Signature> {
    let bytes = value.as_str().and_then(base64::decode_exact::<64>)?;
    Ed25519Signature::from_slice(&bytes).ok()
}

/// Strict: no weak keys, no second form of a signature.
fn verify<'a>(
    key: &SigningKey,
    signature: Option<&Ed25519Signature>,
    signed: impl FnOnce() -> Option<&'a [u8]>,
) -> bool {
    let (Ok(key), Some(signature)) = (Ed25519PublicKey::from_slice(key), signature) else {
        return false;
    };
    signed().is_some_and(|signed| key.verify(signed, signature).is_ok())
}

/// Says whether a user's key signed an object (spec: signing JSON).
pub fn is_signed(
    object: &Map<String, Value>,
    user_id: &str,
    key_id: &str,
    key: &SigningKey,
) -> bool {
    let signature = object.get("signatures").and_then(|users| users.get(user_id)?.get(key_id));
    let signature = signature.and_then(read_signature);
    let signed = signed_bytes(object);
    verify(key, signature.as_ref(), || signed.as_deref())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The signed bytes of an object are those of its canonical form.
    #[test]
    fn what_is_signed_is_canonical() {
        let signed = |value: Value| signed_bytes(value.as_object().unwrap());
        let bytes = signed(json!({
            "signatures": {}, "unsigned": 1.5, "public_key": "a/b", "b": {"z": 1, "a": "\u{1}ü\"\\"},
        }));
        let expected = "{\"b\":{\"a\":\"\\u0001ü\\\"\\\\\",\"z\":1},\"public_key\":\"a/b\"}";
        assert_eq!(bytes.as_deref(), Some(expected.as_bytes()));
        assert_eq!(signed(json!({"public_key": "a", "n": 1.5})), None);
    }
}
