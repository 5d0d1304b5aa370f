//! Opens entries of `m.megolm_backup.v1.curve25519-aes-sha2` (SPEC §3.5).
//!
//! The scheme is flawed, and everybody has to keep the flaw: the tag is an HMAC of the *empty* text,
//! so it proves only that the entry was locked for this key. The ciphertext is not authenticated, and
//! anybody who knows the public key can lock an entry. What comes out is therefore hostile input;
//! [`RoomKey::parse`] checks what can be checked.

use aes::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use super::{
    entry::{EntryFault, RawEntry, Sealed},
    version::PublicKey,
};
use crate::{
    base::{base64, limits, secret::Secret32},
    megolm::room_key::{RoomKey, RoomKeyFault},
};

/// Length of the tag: a truncated HMAC-SHA-256.
pub(super) const TAG: usize = 8;
const BLOCK: usize = 16;

/// The private key of a backup, ready for use on any thread.
pub struct DecryptionKey {
    private: PrivateKey,
    secret: Secret32,
    public: PublicKey,
}

/// Why an entry was not opened; [`Refusal::reason`] is the stable word of the JSON contract.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// The entry has no readable parts.
    #[error("the entry is not readable: {0}")]
    Malformed(MalformedEntry),
    /// Larger than any real key.
    #[error("the entry is larger than {limit} bytes")]
    TooLarge {
        /// Largest entry accepted, in bytes.
        limit: usize,
    },
    /// The ephemeral public key is not 32 bytes or of low order.
    #[error("the ephemeral key is not a usable X25519 public key")]
    Ephemeral,
    /// The tag belongs to another recovery key.
    #[error("the tag does not fit this backup's key")]
    Mac,
    /// The tag fits, the contents are broken.
    #[error("the lock opens, but the padding of the contents is broken")]
    Padding,
    /// The tag fits, the contents are no usable room key.
    #[error("{0}")]
    RoomKey(#[from] RoomKeyFault),
}

/// What makes an entry unreadable.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum MalformedEntry {
    /// No `session_data` with three texts.
    #[error("expected `session_data` with ephemeral, ciphertext and mac")]
    Parts,
    /// A part is no base64.
    #[error("expected base64 in `{part}`")]
    Base64 {
        /// The part's name.
        part: &'static str,
    },
    /// The tag is not 8 bytes.
    #[error("expected a mac of {TAG} bytes")]
    Tag,
    /// The ciphertext is not whole blocks.
    #[error("expected a ciphertext of whole blocks")]
    Blocks,
    /// Nested too deeply.
    #[error("nested deeper than {} levels", limits::JSON_DEPTH)]
    Depth,
    /// The ids of its map keys are unusable.
    #[error("its room or session id is not readable")]
    Name,
}

impl Refusal {
    /// The stable word of the JSON contract (DESIGN §5).
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::TooLarge { .. } => "too_large",
            Self::Ephemeral => "ephemeral",
            Self::Mac => "mac",
            Self::Padding => "corrupt",
            Self::RoomKey(fault) => fault.reason(),
        }
    }
}

impl DecryptionKey {
    /// Makes the key usable. Every 32 bytes are a valid X25519 private key.
    pub fn new(secret: Secret32) -> Self {
        #[expect(clippy::expect_used, reason = "X25519 takes any 32 bytes (RFC 7748, section 5)")]
        let private = PrivateKey::from_private_key(&X25519, secret.expose())
            .expect("any 32 bytes are an X25519 private key");
        #[expect(clippy::expect_used, reason = "an X25519 public key is 32 bytes")]
        let public = private
            .compute_public_key()
            .ok()
            .and_then(|public| public.as_ref().try_into().ok())
            .map(PublicKey)
            .expect("every X25519 private key has a public key of 32 bytes");
        Self { private, secret, public }
    }

    /// The same key once more, for another thread.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::new(self.secret.duplicate())
    }

    /// The public key that goes with it; equal to `auth_data.public_key` where this key fits.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The 32 bytes, to derive a store slot from.
    pub fn secret(&self) -> &Secret32 {
        &self.secret
    }

    /// Opens one entry and checks what is inside.
    pub fn open(&self, entry: &RawEntry<'_>, room: &mut Workroom) -> Result<RoomKey, Refusal> {
        let malformed = Refusal::Malformed;
        match entry.fault {
            Some(EntryFault::TooLarge) => return Err(Refusal::TooLarge { limit: limits::ENTRY }),
            Some(EntryFault::TooDeep) => return Err(malformed(MalformedEntry::Depth)),
            Some(EntryFault::BadName) => return Err(malformed(MalformedEntry::Name)),
            None if entry.json.len() > limits::ENTRY => {
                return Err(Refusal::TooLarge { limit: limits::ENTRY });
            }
            None => {}
        }
        let sealed = Sealed::parse(entry.json).ok_or(malformed(MalformedEntry::Parts))?;
        self.unseal(&sealed, room)?;
        Ok(RoomKey::parse(&room.plaintext, entry.room_id, entry.session_id)?)
    }

    /// Opens the three sealed parts into the workroom's plaintext.
    fn unseal(&self, sealed: &Sealed<'_>, room: &mut Workroom) -> Result<(), Refusal> {
        let base64 = |part| Refusal::Malformed(MalformedEntry::Base64 { part });
        let tag = base64::decode(&sealed.mac).ok_or(base64("mac"))?;
        if tag.len() != TAG {
            return Err(Refusal::Malformed(MalformedEntry::Tag));
        }
        room.plaintext.zeroize();
        *room.plaintext = base64::decode(&sealed.ciphertext).ok_or(base64("ciphertext"))?;
        if room.plaintext.is_empty() || !room.plaintext.len().is_multiple_of(BLOCK) {
            return Err(Refusal::Malformed(MalformedEntry::Blocks));
        }
        let ephemeral: [u8; 32] = base64::decode_exact(&sealed.ephemeral).ok_or_else(|| {
            let readable = base64::decode(&sealed.ephemeral).is_some();
            if readable { Refusal::Ephemeral } else { base64("ephemeral") }
        })?;
        let keys = agree(
            &self.private,
            UnparsedPublicKey::new(&X25519, ephemeral),
            Refusal::Ephemeral,
            |shared| Ok(EntryKeys::derive(shared)),
        )?;
        if !bool::from(keys.tag().as_slice().ct_eq(&tag)) {
            return Err(Refusal::Mac);
        }
        let length = cbc::Decryptor::<aes::Aes256>::new(keys.aes().into(), keys.iv().into())
            .decrypt_padded::<Pkcs7>(&mut room.plaintext)
            .map_err(|_| Refusal::Padding)?
            .len();
        room.plaintext.truncate(length);
        Ok(())
    }
}

/// A worker's own buffer for plaintexts; wiped when dropped and before each use.
#[derive(Default)]
pub struct Workroom {
    plaintext: Zeroizing<Vec<u8>>,
}

/// AES key, MAC key and IV of one entry, derived from its shared secret (SPEC §3.4).
pub(super) struct EntryKeys(Zeroizing<[u8; 80]>);

impl EntryKeys {
    pub(super) fn derive(shared: &[u8]) -> Self {
        let mut keys = Zeroizing::new([0; 80]);
        #[expect(clippy::expect_used, reason = "HKDF-SHA-256 gives up to 8 160 bytes")]
        Hkdf::<Sha256>::new(None, shared)
            .expand(&[], &mut keys[..])
            .expect("80 bytes are fewer than HKDF can give");
        Self(keys)
    }

    pub(super) fn aes(&self) -> &[u8; 32] {
        self.part::<32>(0)
    }

    pub(super) fn iv(&self) -> &[u8; 16] {
        self.part::<16>(64)
    }

    /// The tag: of the empty text, not of the ciphertext (SPEC §3.4, step 5).
    pub(super) fn tag(&self) -> [u8; TAG] {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mac = Hmac::<Sha256>::new_from_slice(self.part::<32>(32))
            .expect("HMAC takes keys of any length");
        let mut tag = [0; TAG];
        for (to, from) in tag.iter_mut().zip(mac.finalize().into_bytes()) {
            *to = from;
        }
        tag
    }

    fn part<const N: usize>(&self, from: usize) -> &[u8; N] {
        #[expect(clippy::expect_used, reason = "all three parts lie within the 80 bytes")]
        self.0
            .get(from..from + N)
            .and_then(|part| part.try_into().ok())
            .expect("a part lies within the 80 bytes")
    }
}
