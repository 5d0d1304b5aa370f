//! One backup version as the server describes it (spec: server-side key backups, `auth_data`).
//!
//! The server's own JSON is kept as it came: unknown fields of `auth_data` are covered by its
//! signatures and must survive, and a damaged description must not hide the keys behind it.

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use crate::base::{
    base64, limits,
    shown::Shown,
    stretch::{Recipe, RecipeFault},
};

/// The one algorithm keyhaul opens (MSC1219).
pub const ALGORITHM: &str = "m.megolm_backup.v1.curve25519-aes-sha2";

/// A backup version: what the server says, each part believed only as far as it can be checked.
#[derive(Clone, Debug)]
pub struct BackupVersion {
    /// The server's name of the version; opaque, at most [`limits::VERSION_NAME`] bytes.
    pub version: String,
    /// The algorithm's name, supported or not.
    pub algorithm: String,
    /// `auth_data` as received.
    pub auth_data: Box<RawValue>,
    /// Changes with every change of the keys; compare for equality only. `None` where it makes no
    /// sense or is longer than [`limits::ETAG`].
    pub etag: Option<String>,
    /// How many entries the server says there are; `None` where it makes no sense.
    pub count: Option<u64>,
}

/// Why a version's description could not be read at all.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum VersionFault {
    /// The answer is not a JSON object with an algorithm and `auth_data`.
    #[error("expected a backup version with `algorithm` and `auth_data`, got other JSON")]
    Shape,
    /// The version's name is missing, empty or too long.
    #[error("expected a version name of 1 to {limit} bytes, got {got}")]
    Name {
        /// Longest name accepted.
        limit: usize,
        /// Length of the name received.
        got: usize,
    },
}

/// Why `auth_data` names no usable public key.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum AuthDataFault {
    /// Another algorithm, whose `auth_data` is not ours to read.
    #[error("expected algorithm {ALGORITHM}, got {algorithm}")]
    Algorithm {
        /// The algorithm's name.
        algorithm: Shown,
    },
    /// No `public_key` text.
    #[error("expected `public_key` in auth_data, found none")]
    Missing,
    /// `public_key` is not 32 bytes of base64.
    #[error(
        "expected a public key of 32 bytes in base64, got {length} characters of something else"
    )]
    PublicKey {
        /// Length of the text received, in bytes.
        length: usize,
    },
}

/// An X25519 public key of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// Unpadded base64, as in `auth_data`.
    pub fn to_base64(self) -> String {
        base64::encode(&self.0)
    }

    /// The first 12 characters in groups of four, for people to compare.
    pub fn fingerprint(self) -> String {
        let text = self.to_base64();
        let groups = [text.get(..4), text.get(4..8), text.get(8..12)];
        groups.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    version: Option<serde_json::Value>,
    algorithm: String,
    auth_data: Box<RawValue>,
    #[serde(default)]
    etag: Option<serde_json::Value>,
    #[serde(default)]
    count: Option<serde_json::Value>,
}

impl BackupVersion {
    /// Reads the answer of `GET /room_keys/version[/{version}]`.
    ///
    /// `asked` is the version that was asked for: it stands where the answer names none.
    pub fn parse(body: &str, asked: Option<&str>) -> Result<Self, VersionFault> {
        let answer: Answer = serde_json::from_str(body).map_err(|_| VersionFault::Shape)?;
        let version = answer.version.as_ref().and_then(text_or_number);
        let version = version.or(asked.map(str::to_owned)).unwrap_or_default();
        if version.is_empty() || version.len() > limits::VERSION_NAME {
            return Err(VersionFault::Name { limit: limits::VERSION_NAME, got: version.len() });
        }
        Ok(Self {
            version,
            algorithm: answer.algorithm,
            auth_data: answer.auth_data,
            etag: answer
                .etag
                .as_ref()
                .and_then(text_or_number)
                .filter(|etag| etag.len() <= limits::ETAG),
            count: answer.count.as_ref().and_then(serde_json::Value::as_u64),
        })
    }

    /// The JSON object again, as a snapshot keeps it.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "version": self.version,
            "algorithm": self.algorithm,
            "auth_data": self.auth_data,
            "etag": self.etag,
            "count": self.count,
        })
    }

    /// Says whether keyhaul knows how entries of this version are locked.
    pub fn supported(&self) -> bool {
        self.algorithm == ALGORITHM
    }

    /// How a passphrase becomes the private key of this version: clients up to 2020 wrote it into
    /// `auth_data`. `None` where they did not.
    pub fn passphrase(&self) -> Option<Result<Recipe, RecipeFault>> {
        #[derive(Deserialize)]
        struct AuthData {
            private_key_salt: String,
            private_key_iterations: u64,
            #[serde(default)]
            private_key_bits: Option<u64>,
        }
        let auth_data: AuthData =
            serde_json::from_str(self.auth_data.get()).ok().filter(|_| self.supported())?;
        let bits = auth_data.private_key_bits.unwrap_or(256);
        if bits != 256 {
            // No other length is an X25519 key.
            return Some(Err(RecipeFault::Bits { got: bits }));
        }
        let salt = auth_data.private_key_salt.as_bytes();
        Some(Recipe::new(salt, auth_data.private_key_iterations, bits))
    }

    /// Says whether only its entries can tell which key opens it: keyhaul knows how they are locked, but
    /// the public key is missing or makes no sense.
    pub fn needs_a_sample(&self) -> bool {
        self.supported() && self.public_key().is_err()
    }

    /// Says whether the public key is encoded twice, as some clients did: keyhaul reads it, others refuse
    /// the whole version for it (SPEC §12.2).
    pub fn has_key_encoded_twice(&self) -> bool {
        #[derive(Deserialize)]
        struct AuthData {
            public_key: String,
        }
        let auth_data = serde_json::from_str::<AuthData>(self.auth_data.get());
        let odd = |data: AuthData| base64::decode_exact::<32>(&data.public_key).is_none();
        self.public_key().is_ok() && auth_data.is_ok_and(odd)
    }

    /// The public key that the entries were locked for, as `auth_data` claims. Some clients encoded it
    /// twice, and cannot read it any more themselves.
    pub fn public_key(&self) -> Result<PublicKey, AuthDataFault> {
        #[derive(Deserialize)]
        struct AuthData {
            #[serde(default)]
            public_key: Option<String>,
        }
        if !self.supported() {
            return Err(AuthDataFault::Algorithm {
                algorithm: Shown::limited(&self.algorithm, 80),
            });
        }
        let auth_data: AuthData =
            serde_json::from_str(self.auth_data.get()).map_err(|_| AuthDataFault::Missing)?;
        let text = auth_data.public_key.ok_or(AuthDataFault::Missing)?;
        base64::decode_key(&text)
            .map(PublicKey)
            .ok_or(AuthDataFault::PublicKey { length: text.len() })
    }
}

/// Very old servers sent numbers where the spec says strings (SPEC §1.1).
fn text_or_number(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_unknown_fields_and_their_order() {
        let body = r#"{"algorithm":"m.megolm_backup.v1.curve25519-aes-sha2","etag":7,"count":-1,
            "auth_data":{"z":1,"public_key":"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=","a":[]}}"#;
        let version = BackupVersion::parse(body, Some("3")).unwrap();
        assert_eq!(version.version, "3");
        assert_eq!(version.etag.as_deref(), Some("7"));
        assert_eq!(version.count, None);
        assert!(version.auth_data.get().starts_with(r#"{"z":1,"#));
        assert_eq!(version.public_key().unwrap().fingerprint(), "hSDw CYkw p1R0");
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(BackupVersion::parse("[]", None).unwrap_err(), VersionFault::Shape);
        let odd = r#"{"algorithm":"x","auth_data":5,"version":"1"}"#;
        let fault = BackupVersion::parse(odd, None).unwrap().public_key().unwrap_err();
        assert_eq!(fault, AuthDataFault::Algorithm { algorithm: Shown::new("x") });
        let short = format!(
            r#"{{"algorithm":"{ALGORITHM}","auth_data":{{"public_key":"AAAA"}},"version":"1"}}"#
        );
        let fault = BackupVersion::parse(&short, None).unwrap().public_key().unwrap_err();
        assert_eq!(fault, AuthDataFault::PublicKey { length: 4 });
    }
}
