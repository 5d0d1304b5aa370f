//! The locks of the store, like the header of an encrypted disk: each wraps the one store key.
//!
//! What a slot says of itself (kind, lock id, costs) is not sealed, because it must be read before
//! anything opens. So it may lie, and is bounded and checked here; the lock id is bound to the wrap.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use hkdf::Hkdf;
use rusqlite::{Connection, Row, params};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    error::StoreError,
    seal::{StoreId, open_with, seal_with},
};
use crate::{
    backup::version::PublicKey,
    base::{
        random::{Random, array},
        secret::{Secret32, SecretText},
        shown::Shown,
    },
};

/// The lock id of the one passphrase a store can have.
const PASSPHRASE_ID: &str = "passphrase";
/// Longest lock id believed, in bytes.
const LOCK_ID: usize = 255;
/// Most slots looked at.
const SLOTS: i64 = 64;
/// What a new passphrase slot costs: about a tenth of a second and 64 MiB, RFC 9106's second choice
/// with one lane, because the computation uses one thread.
const COSTS: Costs = Costs { memory: 64 << 10, passes: 4, lanes: 1 };
/// The most that a slot found on disk may ask for, so that a changed one cannot stall us.
const COSTS_LIMIT: Costs = Costs { memory: 256 << 10, passes: 16, lanes: 4 };

/// What kind of secret opens a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockKind {
    /// The private key of a backup; its lock id is the public key in base64.
    BackupKey,
    /// A key of secret storage; its lock id is the key's id.
    StorageKey,
    /// A passphrase chosen for the store.
    Passphrase,
}

/// One lock of the store. The id stands unsealed on disk: show it through [`Shown`] only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lock {
    /// What kind of secret opens it.
    pub kind: LockKind,
    /// Which secret of that kind; at most 255 bytes.
    pub id: String,
}

/// A secret that opens a slot, or gets one. Whether it is proven is the caller's knowledge: only a
/// proven secret may get a slot.
pub enum SlotSecret<'a> {
    /// The private key of a backup.
    BackupKey {
        /// The key: 32 bytes.
        secret: &'a [u8],
        /// The public key that goes with it.
        public_key: PublicKey,
    },
    /// A key of secret storage.
    StorageKey {
        /// The key: 32 bytes, unless its passphrase says otherwise.
        secret: &'a [u8],
        /// Its id in the account data; an id longer than 255 bytes gets no slot.
        key_id: &'a str,
    },
    /// A passphrase chosen for the store, taken byte for byte.
    Passphrase(&'a SecretText),
}

#[derive(Clone, Copy)]
struct Costs {
    /// In KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
}

struct Slot {
    lock: Lock,
    salt: Vec<u8>,
    costs: Costs,
    wrapped: Vec<u8>,
}

impl LockKind {
    /// The stable word, which is also part of what a slot key is derived from.
    pub fn word(self) -> &'static str {
        match self {
            Self::BackupKey => "backup-key",
            Self::StorageKey => "storage-key",
            Self::Passphrase => "passphrase",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::BackupKey, Self::StorageKey, Self::Passphrase]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

impl Lock {
    /// The id, safe to show.
    pub fn shown(&self) -> Shown {
        Shown::new(&self.id)
    }
}

impl SlotSecret<'_> {
    /// The lock that this secret belongs to.
    pub fn lock(&self) -> Lock {
        let (kind, id) = match self {
            Self::BackupKey { public_key, .. } => (LockKind::BackupKey, public_key.to_base64()),
            Self::StorageKey { key_id, .. } => (LockKind::StorageKey, (*key_id).to_owned()),
            Self::Passphrase(_) => (LockKind::Passphrase, PASSPHRASE_ID.to_owned()),
        };
        Lock { kind, id }
    }

    /// The slot key; `None` where the costs are beyond what is allowed.
    fn derive(&self, salt: &[u8], costs: Costs) -> Option<Secret32> {
        let stretched;
        let secret: &[u8] = match self {
            Self::BackupKey { secret, .. } | Self::StorageKey { secret, .. } => secret,
            Self::Passphrase(text) => {
                stretched = costs.stretch(text, salt)?;
                stretched.expose()
            }
        };
        let info = format!("keyhaul store slot v1 {}", self.lock().kind.word());
        let mut key = Zeroizing::new([0; 32]);
        let hkdf = Hkdf::<Sha256>::new(Some(salt), secret);
        hkdf.expand(info.as_bytes(), &mut key[..]).ok()?;
        Some(Secret32::take(&mut key))
    }
}

impl Costs {
    fn stretch(self, passphrase: &SecretText, salt: &[u8]) -> Option<Secret32> {
        let Self { memory, passes, lanes } = COSTS_LIMIT;
        if self.memory > memory || self.passes > passes || self.lanes > lanes {
            return None;
        }
        let params = Params::new(self.memory, self.passes, self.lanes, Some(32)).ok()?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose().as_bytes(), salt, &mut key[..])
            .ok()?;
        Some(Secret32::take(&mut key))
    }
}

impl Slot {
    /// Wraps the store key for a secret; `None` where its lock id is too long.
    fn new(
        secret: &SlotSecret<'_>,
        store_key: &Secret32,
        store_id: &StoreId,
        random: &mut dyn Random,
    ) -> Option<Self> {
        let lock = secret.lock();
        if lock.id.len() > LOCK_ID {
            return None;
        }
        let salt = array::<32>(random).to_vec();
        let cipher = XChaCha20Poly1305::new(secret.derive(&salt, COSTS)?.expose().into());
        let bound = bound_to(store_id, &lock);
        let wrapped = seal_with(&cipher, array(random), &bound, store_key.expose());
        Some(Self { lock, salt, costs: COSTS, wrapped })
    }

    fn open(&self, secret: &SlotSecret<'_>, store_id: &StoreId) -> Option<Secret32> {
        let key = secret.derive(&self.salt, self.costs)?;
        let cipher = XChaCha20Poly1305::new(key.expose().into());
        let plain = open_with(&cipher, &bound_to(store_id, &self.lock), &self.wrapped)?;
        Secret32::from_slice(&plain)
    }

    /// `None` for what this program did not write.
    fn read(row: &Row<'_>) -> Result<Option<Self>, rusqlite::Error> {
        let (kind, id): (String, String) = (row.get(0)?, row.get(1)?);
        let costs = Costs { memory: row.get(3)?, passes: row.get(4)?, lanes: row.get(5)? };
        let (salt, wrapped): (Vec<u8>, Vec<u8>) = (row.get(2)?, row.get(6)?);
        let kind = LockKind::parse(&kind).filter(|_| id.len() <= LOCK_ID && salt.len() == 32);
        Ok(kind.map(|kind| Self { lock: Lock { kind, id }, salt, costs, wrapped }))
    }
}

/// What [`open`] gives.
pub(super) struct Opened {
    pub(super) store_id: StoreId,
    pub(super) store_key: Secret32,
}

/// Opens the store key with the first secret that fits one of the locks.
pub(super) fn open(
    database: &Connection,
    secrets: &[SlotSecret<'_>],
) -> Result<Opened, StoreError> {
    let store_id: StoreId =
        database.query_row("SELECT store_id FROM meta WHERE only_row = 1", [], |row| row.get(0))?;
    let slots = read(database)?;
    if slots.is_empty() {
        return Err(StoreError::unreadable("it has no lock that this program knows"));
    }
    let mut damaged = false;
    for secret in secrets {
        let lock = secret.lock();
        for slot in slots.iter().filter(|slot| slot.lock == lock) {
            if let Some(store_key) = slot.open(secret, &store_id) {
                return Ok(Opened { store_id, store_key });
            }
            // Its lock names this very key: then it is the wrap that is wrong.
            damaged |= lock.kind != LockKind::Passphrase;
        }
    }
    if damaged {
        return Err(StoreError::unreadable("the lock that fits is damaged"));
    }
    Err(StoreError::OtherLock { locks: slots.into_iter().map(|slot| slot.lock).collect() })
}

/// Adds a lock, or renews it.
pub(super) fn add(
    database: &Connection,
    secret: &SlotSecret<'_>,
    opened: &Opened,
    random: &mut dyn Random,
) -> Result<(), StoreError> {
    let slot = Slot::new(secret, &opened.store_key, &opened.store_id, random)
        .ok_or_else(|| StoreError::LockId { limit: LOCK_ID, got: secret.lock().id.len() })?;
    database.execute(
        "INSERT OR REPLACE INTO slots (kind, lock, salt, memory, passes, lanes, wrapped)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            slot.lock.kind.word(),
            slot.lock.id,
            slot.salt,
            slot.costs.memory,
            slot.costs.passes,
            slot.costs.lanes,
            slot.wrapped,
        ],
    )?;
    Ok(())
}

/// Removes a lock, unless it is the last that this program can open.
pub(super) fn forget(database: &Connection, lock: &Lock) -> Result<(), StoreError> {
    let locks = list(database)?;
    if !locks.contains(lock) {
        return Err(StoreError::UnknownLock);
    }
    if locks.len() == 1 {
        return Err(StoreError::LastLock);
    }
    database.execute(
        "DELETE FROM slots WHERE kind = ?1 AND lock = ?2",
        params![lock.kind.word(), lock.id],
    )?;
    Ok(())
}

/// The locks that would open the store.
pub(super) fn list(database: &Connection) -> Result<Vec<Lock>, StoreError> {
    Ok(read(database)?.into_iter().map(|slot| slot.lock).collect())
}

fn read(database: &Connection) -> Result<Vec<Slot>, StoreError> {
    let mut statement = database.prepare(
        "SELECT kind, lock, salt, memory, passes, lanes, wrapped FROM slots ORDER BY id LIMIT ?1",
    )?;
    let slots = statement.query_map([SLOTS], Slot::read)?;
    slots.filter_map(|slot| slot.transpose()).map(|slot| Ok(slot?)).collect()
}

fn bound_to(store_id: &StoreId, lock: &Lock) -> Vec<u8> {
    [store_id.as_slice(), lock.kind.word().as_bytes(), &[0], lock.id.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SystemRandom;

    const ID: StoreId = [1; 16];

    #[test]
    fn a_slot_opens_with_its_secret_and_lock_only() {
        let store_key = Secret32::take(&mut [9; 32]);
        let (own, other) = (Secret32::take(&mut [1; 32]), Secret32::take(&mut [2; 32]));
        let secret = SlotSecret::StorageKey { secret: own.expose(), key_id: "a" };
        let mut slot = Slot::new(&secret, &store_key, &ID, &mut SystemRandom).unwrap();
        assert!(slot.open(&secret, &ID).unwrap().same_as(&store_key));
        assert!(slot.open(&secret, &[2; 16]).is_none());
        let wrong = SlotSecret::StorageKey { secret: other.expose(), key_id: "a" };
        assert!(slot.open(&wrong, &ID).is_none());
        let kind = SlotSecret::BackupKey { secret: own.expose(), public_key: PublicKey([0; 32]) };
        assert!(slot.open(&kind, &ID).is_none());
        slot.lock.id.push('b');
        assert!(slot.open(&secret, &ID).is_none());
    }

    #[test]
    fn costs_and_ids_are_bounded() {
        let text = SecretText::new("correct horse".to_owned());
        let dear = [
            Costs { memory: COSTS_LIMIT.memory + 1, ..COSTS },
            Costs { passes: COSTS_LIMIT.passes + 1, ..COSTS },
            Costs { lanes: COSTS_LIMIT.lanes + 1, ..COSTS },
            Costs { memory: 0, ..COSTS },
        ];
        assert!(dear.iter().all(|costs| costs.stretch(&text, &[0; 32]).is_none()));
        let secret = Secret32::take(&mut [1; 32]);
        let long = "x".repeat(LOCK_ID + 1);
        let secret = SlotSecret::StorageKey { secret: secret.expose(), key_id: &long };
        let key = Secret32::take(&mut [9; 32]);
        assert!(Slot::new(&secret, &key, &ID, &mut SystemRandom).is_none());
    }
}
