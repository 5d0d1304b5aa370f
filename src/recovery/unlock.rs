//! What does a secret open? Every secret at hand against every lock, with the proof of each fit.
//!
//! A recovery key does not tell whether it is the key of secret storage or of a backup, so both
//! roles are always tried, cheap ones first (SPEC §5.7). Nothing leaves this computer and nothing is
//! written.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use super::{
    failures::IntoFailure,
    fits::{LeadsTo, Outcome, Reading},
    locks::Locks,
    look::Overview,
    passphrase::{self, Effort, try_all},
    sample::Sample,
    typed::{self, Typed},
};
pub use super::{
    fits::{Fit, Fits, LockKind, Proof},
    typed::SecretKind,
};
use crate::{
    backup::{
        decryption::DecryptionKey,
        recovery_key::RecoveryKeyFault,
        version::{AuthDataFault, BackupVersion, PublicKey},
    },
    base::{
        failure::Failure,
        limits,
        secret::{Secret32, SecretBytes, SecretText},
        stretch::Recipe,
    },
    homeserver::RequestError,
    secret_storage::{
        key::{KeyCheck, KeyDescription},
        secret::SecretFault,
    },
};

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
    /// Every secret on every lock.
    pub table: Fits,
    /// Keys of 32 bytes that prove nothing by themselves, typed or held in secret storage: they are tried
    /// on entries that were locked for another key than their backup's.
    spare: Vec<Spare>,
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

    /// The versions with a readable public key that is not the one of the key that opens them: their entries
    /// are the proof.
    pub(super) fn opened_by_entries(&self, overview: &Overview) -> Vec<String> {
        let versions = overview.versions.iter().filter(|version| version.public_key().is_ok());
        let by_entries = |version: &&BackupVersion| {
            let is_it = |fit: &&Fit| fit.kind == LockKind::Backup && fit.id == version.version;
            let fit = self.fits.iter().find(is_it);
            fit.is_some_and(|fit| fit.proof == Proof::Entries)
        };
        versions.filter(by_entries).map(|version| version.version.clone()).collect()
    }

    /// The key that opens a version, and after it the others at hand, for what is locked for another one;
    /// none where no key opens it.
    pub(super) fn keys_for(&self, version: &BackupVersion) -> Vec<DecryptionKey> {
        let Some(own) = self.key_for(version) else { return Vec::new() };
        std::iter::once(own.duplicate()).chain(self.other_keys(own)).collect()
    }

    /// The other keys to try on entries of a version that were locked for another key than this one:
    /// those that open other versions first, then those that prove nothing. At most
    /// [`limits::OTHER_KEYS`].
    pub(super) fn other_keys(&self, than: &DecryptionKey) -> Vec<DecryptionKey> {
        let proven = self.backup_keys.iter();
        let all = proven.chain(self.spare.iter().map(|spare| &spare.key));
        let others = all.filter(|key| key.public_key() != than.public_key());
        let mut known = HashSet::new();
        let others = others.filter(|key| known.insert(key.public_key()));
        others.take(limits::OTHER_KEYS).map(DecryptionKey::duplicate).collect()
    }

    /// Says whether there is a key that could be tried on entries.
    pub(super) fn has_spare_keys(&self) -> bool {
        !self.spare.is_empty()
    }

    /// The keys of backups at hand, each with the versions that it opens.
    pub(super) fn keys_at_hand(&self) -> Vec<(PublicKey, Vec<String>)> {
        let opened = |key: PublicKey| {
            let opened = self.opens.iter().filter(move |(_, opens)| **opens == key);
            opened.map(|(version, _)| version.clone()).collect()
        };
        let keys = self.backup_keys.iter().map(DecryptionKey::public_key);
        keys.map(|key| (key, opened(key))).collect()
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

/// A key that opened nothing, and where it came from.
struct Spare {
    key: DecryptionKey,
    from: Origin,
    forgeable: bool,
}

/// Where a key that is tried came from.
#[derive(Clone)]
struct Origin {
    /// The number of the secret.
    secret: usize,
    /// How it was read.
    reading: Reading,
    /// The 4S key under which it was held.
    held_in: Option<String>,
}

/// What there is to open: the locks and versions of an account, and entries of versions whose public key
/// does not tell.
pub(super) struct Place<'a> {
    pub(super) overview: &'a Overview,
    pub(super) samples: &'a BTreeMap<String, Arc<Sample>>,
}

/// Tries every secret on every lock.
pub(super) fn unlock(
    secrets: &[SecretText],
    place: &Place<'_>,
    effort: &Effort<'_>,
) -> Result<Unlocked, Failure> {
    let table = Fits::of(place.overview, secrets.len());
    let mut search = Search { place, unlocked: Unlocked { table, ..Unlocked::default() } };
    for (number, secret) in secrets.iter().enumerate() {
        let kind = search.try_one(number, secret, effort)?;
        search.unlocked.kinds.push(kind);
    }
    search.unlocked.table.secrets.clone_from(&search.unlocked.kinds);
    Ok(search.unlocked)
}

/// Tries the keys that opened nothing once more, where entries are at hand now that could tell.
pub(super) fn try_spare_keys(unlocked: Unlocked, place: &Place<'_>) -> Unlocked {
    let mut search = Search { place, unlocked };
    for Spare { key, from, forgeable } in std::mem::take(&mut search.unlocked.spare) {
        let opened = search.try_as_backup_key(key.secret().duplicate(), &from, forgeable);
        if let Some(id) = from.held_in.as_deref().filter(|_| !opened.is_empty()) {
            let lock = (LockKind::SecretStorage, id);
            search.unlocked.table.leads(lock, LeadsTo::KeyOf(opened.clone()));
            search.unlocked.in_secret_storage.extend(opened);
            search.unlocked.storage_fault = None;
        }
    }
    search.unlocked
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

impl Made<'_> {
    fn name(&self) -> (LockKind, &str) {
        match self {
            Self::Storage(description) => (LockKind::SecretStorage, &description.id),
            Self::Backup(version) => (LockKind::Backup, &version.version),
        }
    }
}

/// What a key is to a version.
enum Standing {
    /// It opens it: by this proof, with so many entries of so many where these are the proof.
    Opens(Proof, Option<(usize, usize)>),
    DoesNot,
    /// Nothing is at hand that could tell.
    NotKnown,
}

impl<'a> Search<'a> {
    fn try_one(
        &mut self,
        number: usize,
        secret: &SecretText,
        effort: &Effort<'_>,
    ) -> Result<SecretKind, Failure> {
        let opens_some = |search: &Self| search.unlocked.table.of_secret(number).next().is_some();
        let (kind, read) = match typed::read(secret) {
            Typed::RecoveryKey(key) => (SecretKind::RecoveryKey, Ok(key)),
            Typed::RawKey(key) => (SecretKind::RawKey, Ok(key)),
            Typed::Words(fault) => (SecretKind::Unknown, Err(fault)),
        };
        match read {
            Ok(key) => {
                self.try_key(number, &key);
                if opens_some(self) {
                    return Ok(kind);
                }
                // Somebody may have chosen such a text as a passphrase. Nobody waits for that.
                let left_out = self.unlocked.left_out;
                self.try_passphrase(number, secret, effort)?;
                if opens_some(self) {
                    return Ok(SecretKind::Passphrase);
                }
                if kind == SecretKind::RecoveryKey {
                    self.unlocked.left_out = left_out;
                }
                Ok(kind)
            }
            Err(fault @ RecoveryKeyFault::Empty) => {
                self.unlocked.unreadable.push(fault);
                Ok(SecretKind::Unknown)
            }
            Err(fault) => {
                let some = self.try_passphrase(number, secret, effort)?;
                let meant = typed::meant_as_recovery_key(secret);
                if opens_some(self) || some && !meant {
                    return Ok(SecretKind::Passphrase);
                }
                self.unlocked.no_passphrase_locks |= !meant;
                self.unlocked.unreadable.push(fault);
                Ok(SecretKind::Unknown)
            }
        }
    }

    fn try_key(&mut self, number: usize, key: &Secret32) {
        let from = Origin { secret: number, reading: Reading::Key, held_in: None };
        self.try_as_backup_key(key.duplicate(), &from, false);
        self.try_as_storage_key(key.expose(), &from);
    }

    /// Says whether there is a lock that was made from a passphrase.
    fn try_passphrase(
        &mut self,
        number: usize,
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
        for (recipe, (about, locks)) in made.iter().enumerate() {
            let outcome = match tried.untried.contains(&recipe) {
                true => Outcome::LeftOut { seconds: passphrase::seconds(about.work()) },
                false => Outcome::No,
            };
            for lock in locks {
                self.unlocked.table.note(number, lock.name(), Reading::Passphrase, outcome.clone());
            }
        }
        let from = Origin { secret: number, reading: Reading::Passphrase, held_in: None };
        for (_, key) in tried.opened {
            Secret32::from_slice(key.expose()).into_iter().for_each(|key| {
                self.try_as_backup_key(key, &from, false);
            });
            self.try_as_storage_key(key.expose(), &from);
        }
        Ok(!recipes.is_empty())
    }

    /// Notes what came of a key on a lock. What a passphrase does not open besides the locks that were made
    /// from it is not worth a word.
    fn note(&mut self, from: &Origin, lock: (LockKind, &str), outcome: Outcome) {
        if from.reading == Reading::Key || outcome.opens() {
            self.unlocked.table.note(from.secret, lock, from.reading, outcome);
        }
    }

    /// Returns the versions that the key opens. A key is `forgeable` where a server could have made it up.
    fn try_as_backup_key(&mut self, key: Secret32, from: &Origin, forgeable: bool) -> Vec<String> {
        let key = DecryptionKey::new(key);
        let public = key.public_key();
        let overview = self.place.overview;
        let mut opened = Vec::new();
        for version in &overview.versions {
            let id = &version.version;
            let lock = (LockKind::Backup, id.as_str());
            let (proof, sampled) = match self.place.standing(&key, version) {
                Standing::Opens(proof, sampled) => (proof, sampled),
                Standing::DoesNot => {
                    self.note(from, lock, Outcome::No);
                    continue;
                }
                Standing::NotKnown => {
                    self.note(from, lock, Outcome::Maybe);
                    continue;
                }
            };
            opened.push(id.clone());
            let held_in = from.held_in.clone();
            self.note(from, lock, Outcome::Opens { proof, held_in });
            self.unlocked.table.leads(lock, LeadsTo::Keys(version.count));
            if let Some((opened, tried)) = sampled {
                self.unlocked.table.sampled(id, opened, tried);
            }
            if !self.unlocked.opens.contains_key(id) {
                self.unlocked.opens.insert(id.clone(), public);
                let (kind, current) = (LockKind::Backup, overview.current.as_ref() == Some(id));
                self.unlocked.fits.push(Fit { kind, id: id.clone(), current, proof });
            }
        }
        let known = self.unlocked.backup_keys.iter().any(|known| known.public_key() == public);
        if !forgeable {
            self.unlocked.forgeable.remove(&public);
        } else if !known {
            self.unlocked.forgeable.insert(public);
        }
        if opened.is_empty() {
            self.unlocked.spare.push(Spare { key, from: from.clone(), forgeable });
        } else if !known {
            self.unlocked.backup_keys.push(key);
        }
        opened
    }

    /// Tries a key on every lock of secret storage, and what opens there on the backups.
    fn try_as_storage_key(&mut self, key: &[u8], from: &Origin) {
        let locks = &self.place.overview.locks;
        for id in locks.key_ids() {
            let lock = (LockKind::SecretStorage, id.as_str());
            let held = Origin { held_in: Some(id.clone()), ..from.clone() };
            let description = locks.description(&id);
            let check = description.map(|description| description.check(key));
            let own = self.open_backup_key(&id, key);
            let proven_by_secret = match &own {
                // Nothing but the backup itself tells whether this is the right key.
                Ok(secret) if locks.is_passthrough(&id) => {
                    check != Some(KeyCheck::DoesNotFit)
                        && !self.try_as_backup_key(secret.duplicate(), from, false).is_empty()
                }
                own => own.is_ok(),
            };
            if check != Some(KeyCheck::Fits) && !proven_by_secret {
                let unknown = check == Some(KeyCheck::Unverifiable);
                self.note(from, lock, if unknown { Outcome::Maybe } else { Outcome::No });
                if unknown && !self.unlocked.cannot_check.contains(&id) {
                    self.unlocked.cannot_check.push(id);
                }
                continue;
            }
            self.note_storage_key(&id, key, check == Some(KeyCheck::Fits), from);
            // A secret written under another id opens with this key all the same (SPEC §12.2).
            let others = || locks.key_ids().into_iter().filter(|other| *other != id);
            let crossed = || {
                others().find_map(|other| Some((self.open_backup_key(&other, key).ok()?, other)))
            };
            let stored = own.map(|secret| (secret, id.clone()));
            match stored.or_else(|fault| crossed().ok_or(fault)) {
                Err(fault) => {
                    self.unlocked.storage_fault = Some(fault);
                    let to = match fault {
                        StorageFault::WithoutKey => LeadsTo::NoKey,
                        StorageFault::Damaged => LeadsTo::Damaged,
                        StorageFault::ForAnother => LeadsTo::KeyOfAnother,
                    };
                    self.unlocked.table.leads(lock, to);
                }
                Ok((secret, under)) => {
                    let forgeable = !locks.is_authentic(&under);
                    let opened = self.try_as_backup_key(secret, &held, forgeable);
                    if opened.is_empty() {
                        self.unlocked.storage_fault = Some(StorageFault::ForAnother);
                        self.unlocked.table.leads(lock, LeadsTo::KeyOfAnother);
                    } else {
                        self.unlocked.table.leads(lock, LeadsTo::KeyOf(opened.clone()));
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

    fn note_storage_key(&mut self, id: &str, key: &[u8], checked: bool, from: &Origin) {
        let locks = &self.place.overview.locks;
        let public = checked && locks.description(id).is_some_and(KeyDescription::has_public_key);
        let proof = if public { Proof::PublicKey } else { Proof::Mac };
        let opens = Outcome::Opens { proof, held_in: None };
        self.note(from, (LockKind::SecretStorage, id), opens);
        // What is known to be a key of secret storage is none of a backup.
        self.unlocked.spare.retain(|spare| {
            spare.from.held_in.is_some() || spare.key.secret().expose().as_slice() != key
        });
        if self.unlocked.storage_keys.iter().any(|known| known.id == id) {
            return;
        }
        self.unlocked.fits.push(Fit {
            kind: LockKind::SecretStorage,
            id: id.to_owned(),
            current: locks.default_key().as_deref() == Some(id),
            proof,
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

    /// What a key is to a version.
    fn standing(&self, key: &DecryptionKey, version: &BackupVersion) -> Standing {
        let sample = self.samples.get(&version.version);
        match version.public_key() {
            Ok(public) if public == key.public_key() => Standing::Opens(Proof::PublicKey, None),
            Err(AuthDataFault::Algorithm { .. }) => Standing::DoesNot,
            Ok(_) if sample.is_none() => Standing::DoesNot,
            _ => match sample {
                Some(sample) => match sample.locked_for(key) {
                    0 => Standing::DoesNot,
                    opened => Standing::Opens(Proof::Entries, Some((opened, sample.len()))),
                },
                None => Standing::NotKnown,
            },
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
            Made::Backup(version) => Secret32::from_slice(key).is_some_and(|key| {
                let standing = self.standing(&DecryptionKey::new(key), version);
                matches!(standing, Standing::Opens(..))
            }),
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
