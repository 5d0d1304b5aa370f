//! The key of one megolm session: its exported form, its checks, and which of two reaches further.
//!
//! What can be checked without a message is the form and the public key inside, which is the
//! session's id. The ratchet itself cannot: a random one looks just as good (SPEC §3.6).

use std::fmt;

use curve25519_dalek::edwards::CompressedEdwardsY;
use thiserror::Error;
use vodozemac::megolm::{
    ExportedSessionKey, InboundGroupSession, SessionConfig, SessionKey as SharedSessionKey,
    SessionOrdering,
};
use zeroize::Zeroizing;

use crate::base::{base64, secret::SecretText};

/// Length of the session-export format v1, in bytes.
pub const EXPORT_LENGTH: usize = 165;
/// Length of the session-sharing format v2, in bytes: the same and a signature.
const SHARED_LENGTH: usize = 229;
const POINT: std::ops::Range<usize> = 133..165;

/// The id of a session: the Ed25519 public key inside its key. Written as unpadded base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; 32]);

impl SessionId {
    /// Reads an id in any base64 spelling; `None` if it is not 32 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        base64::decode_exact(text).map(Self)
    }

    /// An id from its bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes, which is how ids are compared.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64::encode(&self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

/// What is wrong with a session key.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SessionKeyFault {
    /// No base64.
    #[error("expected base64, got other text")]
    NotBase64,
    /// Neither 165 bytes (export) nor 229 (sharing).
    #[error("expected {EXPORT_LENGTH} bytes (or {SHARED_LENGTH} with a signature), got {got}")]
    Length {
        /// Length received, in bytes.
        got: usize,
    },
    /// A version byte that does not go with the length.
    #[error("expected version {expected}, got {got}")]
    Version {
        /// Version byte that goes with the length.
        expected: u8,
        /// Version byte received.
        got: u8,
    },
    /// The signature of the sharing format does not verify.
    #[error("the signature of the shared session key does not verify")]
    Signature,
    /// The public key is no canonical point of large order.
    #[error("the public key inside is not a usable Ed25519 point")]
    Point,
}

/// How one key of a session stands to another key of the same session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The same ratchet at the same message.
    Equal,
    /// The same ratchet, reaching further back.
    Better,
    /// The same ratchet, starting later.
    Worse,
    /// Another ratchet: at most one of the two is genuine.
    Unconnected,
}

/// A session's key in the export format v1, checked in form.
pub struct SessionKey(Box<Zeroizing<[u8; EXPORT_LENGTH]>>);

impl SessionKey {
    /// Reads the base64 text of either format.
    pub fn from_base64(text: &str) -> Result<Self, SessionKeyFault> {
        if let Some(export) = base64::decode_exact::<EXPORT_LENGTH>(text) {
            let export = Zeroizing::new(export);
            return Self::from_bytes(&export[..]);
        }
        let bytes = Zeroizing::new(base64::decode(text).ok_or(SessionKeyFault::NotBase64)?);
        Self::from_bytes(&bytes)
    }

    /// Reads either format: export v1, or sharing v2, whose signature must verify.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SessionKeyFault> {
        let expected = match bytes.len() {
            EXPORT_LENGTH => 1,
            SHARED_LENGTH => 2,
            got => return Err(SessionKeyFault::Length { got }),
        };
        let got = bytes.first().copied().unwrap_or_default();
        if got != expected {
            return Err(SessionKeyFault::Version { expected, got });
        }
        if expected == 2 {
            SharedSessionKey::from_bytes(bytes).map_err(|_| SessionKeyFault::Signature)?;
        }
        let key = Self::unchecked(bytes);
        if !is_usable_point(key.session_id().as_bytes()) {
            return Err(SessionKeyFault::Point);
        }
        Ok(key)
    }

    /// Takes the export form of a key that was checked before it was sealed away; `None` unless it
    /// has the form's length and version. Spares the point decompression of [`Self::from_bytes`].
    pub fn from_checked(export: &[u8]) -> Option<Self> {
        (export.len() == EXPORT_LENGTH && export.first() == Some(&1))
            .then(|| Self::unchecked(export))
    }

    fn unchecked(bytes: &[u8]) -> Self {
        let mut export = Box::new(Zeroizing::new([0; EXPORT_LENGTH]));
        for (to, from) in export.iter_mut().zip(bytes) {
            *to = *from;
        }
        if let Some(version) = export.first_mut() {
            *version = 1;
        }
        Self(export)
    }

    /// The id: the public key inside.
    pub fn session_id(&self) -> SessionId {
        let mut id = [0; 32];
        id.copy_from_slice(self.0.get(POINT).unwrap_or(&[0; 32]));
        SessionId(id)
    }

    /// The first message that this key opens, by its own claim.
    pub fn first_known_index(&self) -> u32 {
        let mut index = [0; 4];
        index.copy_from_slice(self.0.get(1..5).unwrap_or(&[0; 4]));
        u32::from_be_bytes(index)
    }

    /// The export format v1, for sealing and for key files.
    pub fn expose(&self) -> &[u8; EXPORT_LENGTH] {
        &self.0
    }

    /// The export format v1 in base64: 220 characters.
    pub fn to_base64(&self) -> SecretText {
        SecretText::new(base64::encode(self.expose()))
    }

    /// A second copy, for a second owner.
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// Says how this key stands to another one of the same session; two sessions are unconnected.
    pub fn compare(&self, other: &Self) -> Standing {
        if self.0[..] == other.0[..] {
            return Standing::Equal;
        }
        let (Some(mut own), Some(mut others)) = (self.session(), other.session()) else {
            return Standing::Unconnected;
        };
        match own.compare(&mut others) {
            SessionOrdering::Equal => Standing::Equal,
            SessionOrdering::Better => Standing::Better,
            SessionOrdering::Worse => Standing::Worse,
            SessionOrdering::Unconnected => Standing::Unconnected,
        }
    }

    pub(super) fn session(&self) -> Option<InboundGroupSession> {
        let key = ExportedSessionKey::from_bytes(self.expose()).ok()?;
        Some(InboundGroupSession::import(&key, SessionConfig::version_1()))
    }
}

/// A point that decompresses, is canonical (y < 2^255 − 19) and not of small order. vodozemac asks
/// for the first only; it accepts all-zero and all-FF bytes (SPEC §3.6).
fn is_usable_point(bytes: &[u8; 32]) -> bool {
    let mut low = bytes.iter();
    let first = low.next().copied().unwrap_or_default();
    let last = low.next_back().copied().unwrap_or_default() & 0x7f;
    let too_large = last == 0x7f && low.all(|byte| *byte == 0xff) && first >= 0xed;
    !too_large
        && CompressedEdwardsY(*bytes).decompress().is_some_and(|point| !point.is_small_order())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_points_are_refused() {
        let mut one = [0; 32];
        one[0] = 1;
        let mut order_two = [0xff; 32];
        order_two[0] = 0xec;
        order_two[31] = 0x7f;
        for point in [[0; 32], [0xff; 32], one, order_two] {
            assert!(!is_usable_point(&point), "{point:02x?}");
        }
    }
}
