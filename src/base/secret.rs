//! Bytes and text that must never be seen: zeroized on drop, without `Debug`, `Display`,
//! `Serialize` or `Clone`, so that no log, message or panic can hold them by accident.
//!
//! Whoever needs the contents says so with `expose`; a search for that word finds every place.

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// Exactly 32 secret bytes: a private key, a 4S key, a store key.
///
/// Boxed, so that moving it does not leave copies on the stack.
pub struct Secret32(Box<Zeroizing<[u8; 32]>>);

impl Secret32 {
    /// Takes the bytes and wipes the place they came from.
    pub fn take(bytes: &mut [u8; 32]) -> Self {
        let secret = Self(Box::new(Zeroizing::new(*bytes)));
        bytes.zeroize();
        secret
    }

    /// Copies 32 bytes out of a buffer its owner wipes; `None` for any other length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut secret = Self(Box::new(Zeroizing::new([0; 32])));
        if bytes.len() != 32 {
            return None;
        }
        secret.0.copy_from_slice(bytes);
        Some(secret)
    }

    /// Makes 32 bytes by a function that fills them in place.
    pub fn filled_by(fill: impl FnOnce(&mut [u8])) -> Self {
        let mut secret = Self(Box::new(Zeroizing::new([0; 32])));
        fill(&mut secret.0[..]);
        secret
    }

    /// The bytes, for cryptography only.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// A second copy, for a second owner.
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// Compares in constant time.
    pub fn same_as(&self, other: &Self) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

/// Secret bytes of any length: a decrypted plaintext, a derived key block.
#[derive(Default)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes over a buffer; it is wiped when this is dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for cryptography and parsing only.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// A second copy, for a second owner.
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Secret text: a password, a passphrase, an access token, a typed recovery key.
#[derive(Default)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes over a string; it is wiped when this is dropped.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for cryptography and request bodies only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A second copy, for a second owner.
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// Says whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_wipes_the_source() {
        let mut source = [7; 32];
        let secret = Secret32::take(&mut source);
        assert_eq!(source, [0; 32]);
        assert_eq!(secret.expose(), &[7; 32]);
    }

    #[test]
    fn only_32_bytes_are_taken() {
        assert!(Secret32::from_slice(&[1; 31]).is_none());
        assert!(Secret32::from_slice(&[1; 33]).is_none());
        assert!(Secret32::from_slice(&[1; 32]).is_some_and(|s| s.expose() == &[1; 32]));
    }
}
