//! Locks one room key for a backup (SPEC §3.4); the other half of [`super::decryption`].

use aes::cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use serde::Serialize;
use thiserror::Error;

use super::{decryption::EntryKeys, version::PublicKey};
use crate::base::{base64, random::Random, random::array, secret::Secret32};

/// The locked parts of an entry, ready to be `session_data`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionData {
    /// The ephemeral public key, in base64.
    pub ephemeral: String,
    /// The locked plaintext, in base64.
    pub ciphertext: String,
    /// The tag, in base64.
    pub mac: String,
}

/// The public key cannot be used: with it everybody could open the entry.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the backup's public key is of low order")]
pub struct WeakPublicKey;

/// Locks a plaintext for the owner of `public_key`.
pub fn seal(
    plaintext: &[u8],
    public_key: PublicKey,
    random: &mut dyn Random,
) -> Result<SessionData, WeakPublicKey> {
    let ephemeral = Secret32::take(&mut array::<32>(random));
    seal_with(plaintext, public_key, &ephemeral)
}

/// Locks with a given ephemeral private key, which must be used once only.
fn seal_with(
    plaintext: &[u8],
    public_key: PublicKey,
    ephemeral: &Secret32,
) -> Result<SessionData, WeakPublicKey> {
    let private =
        PrivateKey::from_private_key(&X25519, ephemeral.expose()).map_err(|_| WeakPublicKey)?;
    let own = private.compute_public_key().map_err(|_| WeakPublicKey)?;
    let keys =
        agree(&private, UnparsedPublicKey::new(&X25519, public_key.0), WeakPublicKey, |shared| {
            Ok(EntryKeys::derive(shared))
        })?;
    let ciphertext = cbc::Encryptor::<aes::Aes256>::new(keys.aes().into(), keys.iv().into())
        .encrypt_padded_vec::<Pkcs7>(plaintext);
    Ok(SessionData {
        ephemeral: base64::encode(own.as_ref()),
        ciphertext: base64::encode(&ciphertext),
        mac: base64::encode(&keys.tag()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::decryption::DecryptionKey;

    /// SPEC §10.2, fourth vector.
    #[test]
    fn gives_the_known_answer() {
        let private: [u8; 32] =
            base64::decode_exact("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo").unwrap();
        let public = DecryptionKey::new(Secret32::from_slice(&private[..]).unwrap()).public_key();
        let ephemeral: [u8; 32] = std::array::from_fn(|n| n as u8 + 1);
        let ephemeral = Secret32::from_slice(&ephemeral[..]).unwrap();
        let sealed =
            seal_with(br#"{"algorithm":"m.megolm.v1.aes-sha2"}"#, public, &ephemeral).unwrap();
        assert_eq!(sealed.ephemeral, "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw");
        assert_eq!(
            sealed.ciphertext,
            "X9uTrwxrYTq48iU5ZHO200WPfXU2mHGj+xFUKctI8lDUhCl3toSdKD1ZU6T8kRRh"
        );
        assert_eq!(sealed.mac, "rc7p4OZKN9o");
    }

    #[test]
    fn refuses_a_public_key_of_low_order() {
        let ephemeral = Secret32::from_slice(&[9; 32]).unwrap();
        assert_eq!(seal_with(b"{}", PublicKey([0; 32]), &ephemeral), Err(WeakPublicKey));
    }
}
