//! What does a secret open? Every secret at hand against every lock, with the proof of each fit.
//!
//! A recovery key does not tell whether it is the key of secret storage or of a backup, so both
//! roles are always tried, cheap ones first (SPEC §5.7). Nothing leaves this computer and nothing is
//! written.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

pub use super::typed::SecretKind;
use super::{
    failures::IntoFailure,
    locks::Locks,
    look::Overview,
    passphrase::{self, Effort, try_all},
    sample::Sample,
    typed::{self, Typed},
};
use crate::{
    backup::{
        decryption::DecryptionKey,
        recovery_key::RecoveryKeyFault,
        version::{AuthDataFault, BackupVersion, PublicKey},
    },
    base::{
        failure::Failure,
        secret::{Secret32, SecretBytes, SecretText},
        stretch::Recipe,
    },
    homeserver::RequestError,
    secret_storage::{
        key::{KeyCheck, KeyDescription},
        secret::SecretFault,
    },
};

/// A lock that a secret opens, and how that was proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fit {
    /// What kind of lock.
    pub kind: LockKind,
    /// The id of the 4S key, or the backup version.
    pub id: String,
    /// Whether it is the default 4S key, or the current backup.
    pub current: bool,
    /// What proves it.
    pub proof: Proof,
}

/// The kinds of locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LockKind {
    /// A 4S key.
    SecretStorage,
    /// A backup version.
    Backup,
}

/// What proves that a secret opens a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The public key derived from it is the lock's.
    PublicKey,
    /// A MAC verifies under it.
    Mac,
    /// Entries of the backup open with it, where no public key tells.
    Entries,
}

/// Why secret storage opened but gave no key of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageFault {
    /// It holds no backup secret for this key.
    WithoutKey,
    /// The secret is damaged.
    Damaged,
    /// The key in it belongs to no version that still exists.
    ForAnother,
}

/// A 4S key that opens its lock.
pub struct ProvenStorageKey {
    /// The key's id.
    pub id: String,
    /// The key: 32 bytes, unless its passphrase says otherwise.
    pub key: SecretBytes,
    /// Its description has a check value, and it fits. Without one the key serves for reading only:
    /// what would be stored under it, other clients could perhaps not read.
    pub checked: bool,
}

/// What the secrets at hand opened, with the keys themselves.
#[derive(Default)]
pub struct Unlocked {
    /// Every lock that opens, cheap proofs first.
    pub fits: Vec<Fit>,
    /// Proven 4S keys.
    pub storage_keys: Vec<ProvenStorageKey>,
    /// Proven backup keys: each opens at least one version.
    pub backup_keys: Vec<DecryptionKey>,
    /// What each secret is, in the order given.
    pub kinds: Vec<SecretKind>,
    /// Why a secret could not be read, in the order found.
    pub unreadable: Vec<RecoveryKeyFault>,
    /// Where secret storage opened and led no further.
    pub storage_fault: Option<StorageFault>,
    /// Versions whose key lies in secret storage, so far as it opened.
    pub in_secret_storage: Vec<String>,
    /// 4S keys that have nothing to check a secret with and hold nothing that it opens: perhaps it is
    /// theirs, perhaps not.
    pub cannot_check: Vec<String>,
    /// Rounds of calculation for a passphrase that were left out, because they are too many to do
    /// without asking.
    pub left_out: u64,
    /// A passphrase was given, and no lock was made from one.
    pub no_passphrase_locks: bool,
    /// Which key opens a version.
    opens: BTreeMap<String, PublicKey>,
    /// Keys of backups that nobody typed, from secrets that a server could have written.
    forgeable: HashSet<PublicKey>,
}

impl Unlocked {
    /// Says whether a server could have made up this key of a backup. What it opens can be read, but it
    /// must open nothing on this computer.
    pub(super) fn is_forgeable(&self, key: &DecryptionKey) -> bool {
        self.forgeable.contains(&key.public_key())
    }

    /// The backup key that opens a version, proven by its public key or by its entries.
    pub fn key_for(&self, version: &BackupVersion) -> Option<&DecryptionKey> {
        let public = self.opens.get(&version.version)?;
        self.backup_keys.iter().find(|key| key.public_key() == *public)
    }

    /// About how long the calculations take that were left out, in seconds on this computer.
    pub fn left_out_seconds(&self) -> Option<u64> {
        (self.left_out > 0).then(|| passphrase::seconds(self.left_out))
    }

    /// The versions that open, as ids, in the order of `fits`.
    pub fn opens_backups(&self) -> Vec<String> {
        let backups = self.fits.iter().filter(|fit| fit.kind == LockKind::Backup);
        backups.map(|fit| fit.id.clone()).collect()
    }
}

/// What there is to open: the locks and versions of an account, and entries of those versions whose
/// public key is of no use.
pub(super) struct Place<'a> {
    pub(super) overview: &'a Overview,
    pub(super) samples: &'a BTreeMap<String, Sample>,
}

/// Tries every secret on every lock.
pub(super) fn unlock(
    secrets: &[SecretText],
    place: &Place<'_>,
    effort: &Effort<'_>,
) -> Result<Unlocked, Failure> {
    let mut search = Search { place, unlocked: Unlocked::default() };
    for secret in secrets {
        let kind = search.try_one(secret, effort)?;
        search.unlocked.kinds.push(kind);
    }
    Ok(search.unlocked)
}

struct Search<'a> {
    place: &'a Place<'a>,
    unlocked: Unlocked,
}

/// A lock that was made from a passphrase.
#[derive(Clone, Copy)]
pub(super) enum Made<'a> {
    Storage(&'a KeyDescription),
    Backup(&'a BackupVersion),
}

impl<'a> Search<'a> {
    fn try_one(&mut self, secret: &SecretText, effort: &Effort<'_>) -> Result<SecretKind, Failure> {
        let before = self.unlocked.fits.len();
        let opened_some = |search: &Self| search.unlocked.fits.len() > before;
        match typed::read(secret) {
            Typed::RecoveryKey(key) => {
                self.try_key(&key);
                Ok(SecretKind::RecoveryKey)
            }
            Typed::RawKey(key) => {
                self.try_key(&key);
                if !opened_some(self) {
                    self.try_passphrase(secret, effort)?;
                    if opened_some(self) {
                        return Ok(SecretKind::Passphrase);
                    }
                }
                Ok(SecretKind::RawKey)
            }
            Typed::Words(fault @ RecoveryKeyFault::Empty) => {
                self.unlocked.unreadable.push(fault);
                Ok(SecretKind::Unknown)
            }
            Typed::Words(fault) => {
                let some = self.try_passphrase(secret, effort)?;
                let meant = typed::meant_as_recovery_key(secret);
                if opened_some(self) || some && !meant {
                    return Ok(SecretKind::Passphrase);
                }
                self.unlocked.no_passphrase_locks |= !meant;
                self.unlocked.unreadable.push(fault);
                Ok(SecretKind::Unknown)
            }
        }
    }

    fn try_key(&mut self, key: &Secret32) {
        self.try_as_backup_key(key.duplicate(), false);
        self.try_as_storage_key(key.expose());
    }

    /// Says whether there is a lock that was made from a passphrase.
    fn try_passphrase(
        &mut self,
        secret: &SecretText,
        effort: &Effort<'_>,
    ) -> Result<bool, Failure> {
        let made = self.place.made_from_passphrases();
        let recipes: Vec<Recipe> = made.iter().map(|(recipe, _)| recipe.clone()).collect();
        let place = self.place;
        let opens = |recipe: usize, key: &SecretBytes| {
            let locks = made.get(recipe).into_iter().flat_map(|(_, locks)| locks);
            locks.copied().any(|lock| place.opens(lock, key.expose()))
        };
        let tried = try_all(secret, &recipes, effort, &opens);
        let tried = tried.ok_or_else(|| RequestError::Cancelled.into_failure())?;
        self.unlocked.left_out += tried.left_out;
        for (_, key) in tried.opened {
            Secret32::from_slice(key.expose()).into_iter().for_each(|key| {
                self.try_as_backup_key(key, false);
            });
            self.try_as_storage_key(key.expose());
        }
        Ok(!recipes.is_empty())
    }

    /// Returns the versions that the key opens. A key is `forgeable` where a server could have made it up.
    fn try_as_backup_key(&mut self, key: Secret32, forgeable: bool) -> Vec<String> {
        let key = DecryptionKey::new(key);
        let public = key.public_key();
        let current = self.place.overview.current.as_deref();
        let mut opened = Vec::new();
        for version in &self.place.overview.versions {
            let Some(proof) = self.place.proof(&key, version) else { continue };
            let id = &version.version;
            opened.push(id.clone());
            if !self.unlocked.opens.contains_key(id) {
                self.unlocked.opens.insert(id.clone(), public);
                let (kind, current) = (LockKind::Backup, current == Some(id));
                self.unlocked.fits.push(Fit { kind, id: id.clone(), current, proof });
            }
        }
        let known = self.unlocked.backup_keys.iter().any(|known| known.public_key() == public);
        if !forgeable {
            self.unlocked.forgeable.remove(&public);
        } else if !known {
            self.unlocked.forgeable.insert(public);
        }
        if !opened.is_empty() && !known {
            self.unlocked.backup_keys.push(key);
        }
        opened
    }

    /// Tries a key on every lock of secret storage, and what opens there on the backups.
    fn try_as_storage_key(&mut self, key: &[u8]) {
        let locks = &self.place.overview.locks;
        for id in locks.key_ids() {
            let description = locks.description(&id);
            let check = description.map(|description| description.check(key));
            let own = self.open_backup_key(&id, key);
            let proven_by_secret = match &own {
                // Nothing but the backup itself tells whether this is the right key.
                Ok(secret) if locks.is_passthrough(&id) => {
                    check != Some(KeyCheck::DoesNotFit)
                        && !self.try_as_backup_key(secret.duplicate(), false).is_empty()
                }
                own => own.is_ok(),
            };
            if check != Some(KeyCheck::Fits) && !proven_by_secret {
                let unknown = check == Some(KeyCheck::Unverifiable);
                if unknown && !self.unlocked.cannot_check.contains(&id) {
                    self.unlocked.cannot_check.push(id);
                }
                continue;
            }
            self.note_storage_key(&id, key, check == Some(KeyCheck::Fits));
            // A secret written under another id opens with this key all the same (SPEC §12.2).
            let others = || locks.key_ids().into_iter().filter(|other| *other != id);
            let crossed = || {
                others().find_map(|other| Some((self.open_backup_key(&other, key).ok()?, other)))
            };
            let stored = own.map(|secret| (secret, id.clone()));
            match stored.or_else(|fault| crossed().ok_or(fault)) {
                Err(fault) => self.unlocked.storage_fault = Some(fault),
                Ok((secret, under)) => {
                    let opened = self.try_as_backup_key(secret, !locks.is_authentic(&under));
                    if opened.is_empty() {
                        self.unlocked.storage_fault = Some(StorageFault::ForAnother);
                    }
                    self.unlocked.in_secret_storage.extend(opened);
                }
            }
        }
    }

    fn open_backup_key(&self, id: &str, key: &[u8]) -> Result<Secret32, StorageFault> {
        let secret = self.place.overview.locks.secret.as_ref();
        let secret = secret.ok_or(StorageFault::WithoutKey)?;
        secret.open_key(id, key).map_err(|fault| match fault {
            SecretFault::Absent | SecretFault::OtherKeys => StorageFault::WithoutKey,
            SecretFault::Shape | SecretFault::Mac | SecretFault::Format => StorageFault::Damaged,
        })
    }

    fn note_storage_key(&mut self, id: &str, key: &[u8], checked: bool) {
        if self.unlocked.storage_keys.iter().any(|known| known.id == id) {
            return;
        }
        let locks = &self.place.overview.locks;
        let public = checked && locks.description(id).is_some_and(KeyDescription::has_public_key);
        self.unlocked.fits.push(Fit {
            kind: LockKind::SecretStorage,
            id: id.to_owned(),
            current: locks.default_key().as_deref() == Some(id),
            proof: if public { Proof::PublicKey } else { Proof::Mac },
        });
        let key = SecretBytes::new(key.to_vec());
        self.unlocked.storage_keys.push(ProvenStorageKey { id: id.to_owned(), key, checked });
    }
}

impl Place<'_> {
    /// Every recipe once, with the locks that were made by it. Recipes that make no sense open nothing.
    pub(super) fn made_from_passphrases(&self) -> Vec<(Recipe, Vec<Made<'_>>)> {
        let Overview { locks, versions, .. } = self.overview;
        let storage = locks
            .keys
            .iter()
            .filter_map(|key| Some((key.passphrase()?.as_ref().ok()?.clone(), Made::Storage(key))));
        let backups = versions
            .iter()
            .filter_map(|version| Some((version.passphrase()?.ok()?, Made::Backup(version))));
        let mut made: Vec<(Recipe, Vec<Made<'_>>)> = Vec::new();
        for (recipe, lock) in storage.chain(backups) {
            match made.iter_mut().find(|(known, _)| *known == recipe) {
                Some((_, locks)) => locks.push(lock),
                None => made.push((recipe, vec![lock])),
            }
        }
        made
    }

    /// What proves that a key opens a version, if it does.
    fn proof(&self, key: &DecryptionKey, version: &BackupVersion) -> Option<Proof> {
        match version.public_key() {
            Ok(public) => (public == key.public_key()).then_some(Proof::PublicKey),
            Err(AuthDataFault::Algorithm { .. }) => None,
            Err(_) => {
                let sample = self.samples.get(&version.version)?;
                (sample.locked_for(key) > 0).then_some(Proof::Entries)
            }
        }
    }

    /// Says whether a key made from a passphrase opens what it was made for.
    pub(super) fn opens(&self, lock: Made<'_>, key: &[u8]) -> bool {
        match lock {
            Made::Storage(description) => match description.check(key) {
                KeyCheck::Fits => true,
                KeyCheck::DoesNotFit => false,
                KeyCheck::Unverifiable => {
                    let secret = self.overview.locks.secret.as_ref();
                    secret.is_some_and(|secret| secret.open_key(&description.id, key).is_ok())
                }
            },
            Made::Backup(version) => Secret32::from_slice(key)
                .is_some_and(|key| self.proof(&DecryptionKey::new(key), version).is_some()),
        }
    }
}

impl Locks {
    /// Says whether nobody but the holder of a 4S key can have written the backup's key under its id.
    fn is_authentic(&self, id: &str) -> bool {
        self.secret.as_ref().is_some_and(|secret| secret.is_authentic(id))
    }

    /// Says whether a 4S key is itself the key of the backup, with nothing that proves it.
    fn is_passthrough(&self, id: &str) -> bool {
        self.secret.as_ref().is_some_and(|secret| secret.is_passthrough(id))
    }
}
