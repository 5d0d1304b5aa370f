//! What does a secret open? Every secret at hand against every lock, with the proof of each fit.
//!
//! A recovery key does not tell whether it is the key of secret storage or of a backup, so both
//! roles are always tried (SPEC §5.7). Nothing leaves this computer and nothing is written.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{failures::IntoFailure, look::Overview};
use crate::{
    backup::{
        decryption::DecryptionKey,
        recovery_key::{self, RecoveryKeyFault},
        version::BackupVersion,
    },
    base::{
        failure::{Code, Failure},
        limits,
        secret::{Secret32, SecretText},
        shown::Shown,
    },
    secret_storage::{
        key::{DEFAULT_KEY, KEY_PREFIX, KeyCheck, KeyDescription},
        secret::{BACKUP_SECRET, SecretFault, StoredSecret, read_key},
    },
};

/// The locks of an account, as its account data describes them. The raw JSON is kept, because a
/// snapshot carries it along.
#[derive(Clone, Debug, Default)]
pub struct Locks {
    account_data: BTreeMap<String, Box<RawValue>>,
    keys: Vec<KeyDescription>,
    secret: Option<StoredSecret>,
}

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
}

/// What kind of secret was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretKind {
    /// 48 letters with a right checksum.
    RecoveryKey,
    /// Nothing that keyhaul can read.
    Unknown,
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

/// What the secrets at hand opened, with the keys themselves.
#[derive(Default)]
pub struct Unlocked {
    /// Every lock that opens, cheap proofs first.
    pub fits: Vec<Fit>,
    /// Proven 4S keys, with their ids.
    pub storage_keys: Vec<(String, Secret32)>,
    /// Proven backup keys: each fits the public key of at least one version.
    pub backup_keys: Vec<DecryptionKey>,
    /// What each secret is, in the order given.
    pub kinds: Vec<SecretKind>,
    /// Why a secret could not be read, in the order found.
    pub unreadable: Vec<RecoveryKeyFault>,
    /// Where secret storage opened and led no further.
    pub storage_fault: Option<StorageFault>,
    /// Versions whose key lies in secret storage, so far as it opened.
    pub in_secret_storage: Vec<String>,
}

impl Locks {
    /// Account data types that must be asked for first.
    pub const FIRST: [&'static str; 2] = [DEFAULT_KEY, BACKUP_SECRET];

    /// Reads the locks from account data, by type. Descriptions that make no sense are left out:
    /// a lock that nobody can describe opens for nobody. At most [`limits::STORAGE_KEYS`] are tried.
    pub fn read(account_data: BTreeMap<String, Box<RawValue>>) -> Self {
        let keys = account_data
            .iter()
            .filter_map(|(kind, content)| {
                KeyDescription::parse(kind.strip_prefix(KEY_PREFIX)?, content.get()).ok()
            })
            .take(limits::STORAGE_KEYS)
            .collect();
        let secret = account_data
            .get(BACKUP_SECRET)
            .and_then(|content| StoredSecret::parse(BACKUP_SECRET, content.get()).ok());
        Self { account_data, keys, secret }
    }

    /// The account data types of all 4S keys that are named anywhere, at most
    /// [`limits::STORAGE_KEYS`]: the default key first, then those of the backup secret. Ids longer than
    /// [`limits::NAME`] are left out; no server would take the address.
    pub fn key_types(&self) -> Vec<String> {
        let default = self.default_key().into_iter();
        let named = self.secret.iter().flat_map(StoredSecret::key_ids).map(str::to_owned);
        let mut types = Vec::new();
        for id in default.chain(named).filter(|id| id.len() <= limits::NAME) {
            let kind = format!("{KEY_PREFIX}{id}");
            if types.len() < limits::STORAGE_KEYS && !types.contains(&kind) {
                types.push(kind);
            }
        }
        types
    }

    /// The account data as it was read, for a snapshot.
    pub fn account_data(&self) -> &BTreeMap<String, Box<RawValue>> {
        &self.account_data
    }

    fn default_key(&self) -> Option<String> {
        #[derive(serde::Deserialize)]
        struct Content {
            key: String,
        }
        let content = self.account_data.get(DEFAULT_KEY)?;
        serde_json::from_str::<Content>(content.get()).ok().map(|content| content.key)
    }
}

impl Unlocked {
    /// The backup key that opens a version, proven by its public key.
    pub fn key_for(&self, version: &BackupVersion) -> Option<&DecryptionKey> {
        let public = version.public_key().ok()?;
        self.backup_keys.iter().find(|key| key.public_key() == public)
    }

    /// The versions that open, as ids, in the order of `fits`.
    pub fn opens_backups(&self) -> Vec<String> {
        let backups = self.fits.iter().filter(|fit| fit.kind == LockKind::Backup);
        backups.map(|fit| fit.id.clone()).collect()
    }
}

/// Tries every secret on every lock.
pub fn unlock(
    secrets: &[SecretText],
    locks: &Locks,
    versions: &[BackupVersion],
    current: Option<&str>,
) -> Unlocked {
    let mut unlocked = Unlocked::default();
    for secret in secrets {
        match recovery_key::parse(secret.expose()) {
            Err(fault) => {
                unlocked.kinds.push(SecretKind::Unknown);
                unlocked.unreadable.push(fault);
            }
            Ok(key) => {
                unlocked.kinds.push(SecretKind::RecoveryKey);
                unlocked.try_as_backup_key(key.duplicate(), versions, current);
                unlocked.try_as_storage_key(&key, locks, versions, current);
            }
        }
    }
    unlocked
}

impl Unlocked {
    /// Returns the versions that the key opens.
    fn try_as_backup_key(
        &mut self,
        key: Secret32,
        versions: &[BackupVersion],
        current: Option<&str>,
    ) -> Vec<String> {
        let key = DecryptionKey::new(key);
        let public = key.public_key();
        let opened: Vec<String> = versions
            .iter()
            .filter(|version| version.public_key() == Ok(public))
            .map(|version| version.version.clone())
            .collect();
        if opened.is_empty() || self.backup_keys.iter().any(|known| known.public_key() == public) {
            return opened;
        }
        self.fits.extend(opened.iter().map(|version| Fit {
            kind: LockKind::Backup,
            id: version.clone(),
            current: current == Some(version.as_str()),
            proof: Proof::PublicKey,
        }));
        self.backup_keys.push(key);
        opened
    }

    fn try_as_storage_key(
        &mut self,
        key: &Secret32,
        locks: &Locks,
        versions: &[BackupVersion],
        current: Option<&str>,
    ) {
        for description in &locks.keys {
            let opened = locks.secret.as_ref().map(|secret| secret.open(&description.id, key));
            let check = match (description.check(key), &opened) {
                // Nothing to check with, but a secret's own MAC verifies: that proves it too.
                (KeyCheck::Unverifiable, Some(Ok(_))) => KeyCheck::Fits,
                (check, _) => check,
            };
            if check != KeyCheck::Fits {
                continue;
            }
            if !self.storage_keys.iter().any(|(id, _)| *id == description.id) {
                self.fits.push(Fit {
                    kind: LockKind::SecretStorage,
                    id: description.id.clone(),
                    current: locks.default_key().as_deref() == Some(&description.id),
                    proof: Proof::Mac,
                });
                self.storage_keys.push((description.id.clone(), key.duplicate()));
            }
            let backup_key = match opened {
                None | Some(Err(SecretFault::Absent | SecretFault::OtherKeys)) => {
                    Err(StorageFault::WithoutKey)
                }
                Some(Err(_)) => Err(StorageFault::Damaged),
                Some(Ok(text)) => read_key(&text).map_err(|_| StorageFault::Damaged),
            };
            match backup_key {
                Err(fault) => self.storage_fault = Some(fault),
                Ok(backup_key) => {
                    let opened = self.try_as_backup_key(backup_key, versions, current);
                    if opened.is_empty() {
                        self.storage_fault = Some(StorageFault::ForAnother);
                    }
                    self.in_secret_storage.extend(opened);
                }
            }
        }
    }
}

/// A version's name as it can be typed: a server's own words could be more than a word to a shell.
fn typable(version: &str) -> Shown {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if version.chars().all(plain) {
        return Shown::new(version);
    }
    Shown::limited(&format!("'{}'", version.replace('\'', "'\\''")), 80)
}

/// Why the secrets at hand do not open what is wanted, and what they open instead.
pub fn failure(
    unlocked: &Unlocked,
    overview: &Overview,
    wanted: Option<&BackupVersion>,
) -> Failure {
    let other = unlocked
        .opens_backups()
        .into_iter()
        .find(|open| wanted.is_none_or(|wanted| wanted.version != *open));
    if let Some(open) = other {
        let count = overview.versions.iter().find(|version| version.version == open);
        let keys = count.and_then(|version| version.count).map_or(Shown::new("Its"), Shown::from);
        let failure = match wanted {
            Some(wanted) if overview.current.as_ref() != Some(&wanted.version) => {
                let name = Shown::limited(&wanted.version, 20);
                Failure::new(Code::OpensAnotherOnly).with("wanted", name)
            }
            _ => Failure::new(Code::OpensOlderOnly).exiting(10),
        };
        return failure.with("n", typable(&open)).with("m", keys);
    }
    match unlocked.storage_fault {
        Some(StorageFault::WithoutKey) => Failure::new(Code::StorageWithoutKey),
        Some(StorageFault::Damaged) => Failure::new(Code::StorageDamaged),
        Some(StorageFault::ForAnother) => Failure::new(Code::StorageForAnother),
        None => {
            let only_unreadable = unlocked.kinds.iter().all(|kind| *kind == SecretKind::Unknown);
            match unlocked.unreadable.first() {
                Some(fault) if only_unreadable => fault.into_failure(),
                _ => Failure::new(Code::FitsNothing),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_one_word_to_a_shell() {
        assert_eq!(typable("4").as_str(), "4");
        assert_eq!(typable("$(reboot)").as_str(), "'$(reboot)'");
        assert_eq!(typable("a'; b").as_str(), r"'a'\''; b'");
    }
}
