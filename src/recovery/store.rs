//! Looking after the store on this computer: what is in it, and is it whole? Needs no server.

use std::{path::Path, time::Instant};

use super::failures::IntoFailure;
use crate::{
    backup::{decryption::DecryptionKey, recovery_key},
    base::{
        failure::{Code, Failure},
        random::SystemRandom,
        secret::{Secret32, SecretText},
        shown::Shown,
    },
    store::{
        check::{CheckReport, Info},
        error::StoreError,
        folder::{DataDir, Folder},
        reader::Reader,
        slots::{Lock, LockKind, SlotSecret},
        writer::Store,
    },
};

pub use crate::store::sources::Source as Origin;

/// A store that a secret opened.
pub struct Kept {
    folder: Folder,
    reader: Reader,
    key: Secret32,
    lock: Lock,
}

impl Kept {
    /// Finds the store that one of these recovery keys opens, among all accounts of a data directory.
    pub fn open(secrets: &[SecretText], data_dir: &Path) -> Result<Self, Failure> {
        let mut keys = Vec::with_capacity(secrets.len());
        for secret in secrets {
            keys.push(recovery_key::parse(secret.expose()).map_err(IntoFailure::into_failure)?);
        }
        let found = search(&keys, data_dir).map_err(IntoFailure::into_failure)?;
        found.ok_or_else(|| Failure::new(Code::StoreEmpty))
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the store holds, in figures.
    pub fn info(&self) -> Result<Info, Failure> {
        self.reader.info().map_err(IntoFailure::into_failure)
    }

    /// Reads and checks every key. Rows that are damaged are of use to nobody: they are removed, and
    /// what is done is forgotten, so that the next restore brings back what is missing.
    pub fn check(self) -> Result<CheckReport, Failure> {
        let report = self.reader.check().map_err(IntoFailure::into_failure)?;
        if report.damaged == 0 {
            return Ok(report);
        }
        let Self { folder, reader, key, lock } = self;
        drop(reader);
        let mend = || {
            let held = folder.lock()?;
            let mut store = Store::open(&held, &[slot_secret(&key, &lock)], &mut SystemRandom)?;
            store.mend(&report, Instant::now())
        };
        mend().map_err(IntoFailure::into_failure)?;
        Err(Failure::new(Code::StoreDamaged).with("n", report.damaged))
    }
}

/// A lock of the store as people know it.
pub fn lock_name(lock: &Lock) -> String {
    match lock.kind {
        LockKind::BackupKey => {
            let begin = lock.id.get(..12).unwrap_or(&lock.id);
            format!("the key of the backup whose public key begins with {}", Shown::new(begin))
        }
        LockKind::StorageKey => {
            format!("the recovery key of secret storage {}", Shown::limited(&lock.id, 40))
        }
        LockKind::Passphrase => "its passphrase".to_owned(),
    }
}

fn search(keys: &[Secret32], data_dir: &Path) -> Result<Option<Kept>, StoreError> {
    let Some(data_dir) = DataDir::find(data_dir)? else { return Ok(None) };
    let mut closed = Vec::new();
    // One account's store that cannot be read must not stand before those of the others.
    let mut broken = None;
    for folder in data_dir.accounts()? {
        match search_one(keys, &folder) {
            Ok(Search::Open(kept)) => return Ok(Some(kept)),
            Ok(Search::Closed(locks)) => closed.extend(locks),
            Err(error) => broken = broken.or(Some(error)),
        }
    }
    match broken {
        Some(error) => Err(error),
        None if closed.is_empty() => Ok(None),
        None => Err(StoreError::OtherLock { locks: closed }),
    }
}

/// What came of one folder: an open store, or the locks that stay closed, if there are any.
enum Search {
    Open(Kept),
    Closed(Vec<Lock>),
}

fn search_one(keys: &[Secret32], folder: &Folder) -> Result<Search, StoreError> {
    let locks = Reader::locks(folder)?.unwrap_or_default();
    for key in keys {
        if let Some((reader, lock)) = try_key(key, &locks, folder)? {
            let (folder, key) = (folder.clone(), key.duplicate());
            return Ok(Search::Open(Kept { folder, reader, key, lock }));
        }
    }
    Ok(Search::Closed(locks))
}

/// Tries a key in both roles: as a backup's, and as that of every 4S lock.
fn try_key(
    key: &Secret32,
    locks: &[Lock],
    folder: &Folder,
) -> Result<Option<(Reader, Lock)>, StoreError> {
    let public_key = DecryptionKey::new(key.duplicate()).public_key().to_base64();
    let possible = locks.iter().filter(|lock| match lock.kind {
        LockKind::BackupKey => lock.id == public_key,
        LockKind::StorageKey => true,
        LockKind::Passphrase => false,
    });
    for lock in possible {
        match Reader::open(folder, &[slot_secret(key, lock)]) {
            Ok(reader) => return Ok(Some((reader, lock.clone()))),
            // The lock's id is right and the wrap is not: this key is another one.
            Err(StoreError::OtherLock { .. } | StoreError::Unreadable { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The key in the role of a lock: a 4S key, or else the private key of a backup.
fn slot_secret<'a>(key: &'a Secret32, lock: &'a Lock) -> SlotSecret<'a> {
    match lock.kind {
        LockKind::StorageKey => SlotSecret::StorageKey { secret: key.expose(), key_id: &lock.id },
        _ => {
            let public_key = DecryptionKey::new(key.duplicate()).public_key();
            SlotSecret::BackupKey { secret: key, public_key }
        }
    }
}
