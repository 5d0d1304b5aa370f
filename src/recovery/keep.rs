//! Looking after the store on this computer: what is in it, and is it whole? Needs no server.

use std::path::{Path, PathBuf};

use super::failures::IntoFailure;
use crate::{
    backup::{decryption::DecryptionKey, recovery_key},
    base::{
        failure::{Code, Failure},
        secret::{Secret32, SecretText},
    },
    store::{
        check::{CheckReport, Info},
        error::StoreError,
        folder::{DataDir, Folder},
        reader::Reader,
        slots::{Lock, LockKind, SlotSecret},
    },
};

pub use crate::store::sources::Source as Origin;

/// A store that a secret opened.
pub struct Kept {
    /// Its folder.
    pub folder: PathBuf,
    reader: Reader,
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

    /// What the store holds, in figures.
    pub fn info(&self) -> Result<Info, Failure> {
        self.reader.info().map_err(IntoFailure::into_failure)
    }

    /// Reads and checks every key.
    pub fn check(&self) -> Result<CheckReport, Failure> {
        self.reader.check().map_err(IntoFailure::into_failure)
    }
}

fn search(keys: &[Secret32], data_dir: &Path) -> Result<Option<Kept>, StoreError> {
    let Some(data_dir) = DataDir::find(data_dir)? else { return Ok(None) };
    let mut closed = Vec::new();
    for folder in data_dir.accounts()? {
        let Some(locks) = Reader::locks(&folder)? else { continue };
        for key in keys {
            if let Some(reader) = try_key(key, &locks, &folder)? {
                return Ok(Some(Kept { folder: folder.path().to_owned(), reader }));
            }
        }
        closed.extend(locks);
    }
    if closed.is_empty() { Ok(None) } else { Err(StoreError::OtherLock { locks: closed }) }
}

/// Tries a key in both roles: as a backup's, and as that of every 4S lock.
fn try_key(key: &Secret32, locks: &[Lock], folder: &Folder) -> Result<Option<Reader>, StoreError> {
    let public_key = DecryptionKey::new(key.duplicate()).public_key();
    let storage = locks.iter().filter(|lock| lock.kind == LockKind::StorageKey);
    let roles = std::iter::once(SlotSecret::BackupKey { secret: key, public_key })
        .filter(|role| locks.contains(&role.lock()))
        .chain(storage.map(|lock| SlotSecret::StorageKey { secret: key, key_id: &lock.id }));
    for role in roles {
        match Reader::open(folder, &[role]) {
            Ok(reader) => return Ok(Some(reader)),
            // The lock's id is right and the wrap is not: this key is another one.
            Err(StoreError::OtherLock { .. } | StoreError::Unreadable { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
