//! Looking after the store on this computer: what is in it, and is it whole? Needs no server.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Instant};

use super::{
    failures::IntoFailure,
    look::{Overview, Wanted},
    passphrase::Effort,
    typed::{self, Typed},
    unlock::{self, Unlocked},
    visit::Visit,
};
use crate::{
    backup::{decryption::DecryptionKey, recovery_key::RecoveryKeyFault, version::PublicKey},
    base::{
        base64,
        cancel::Cancel,
        failure::{Code, Failure},
        progress::Progress,
        random::SystemRandom,
        secret::{Secret32, SecretBytes, SecretText},
        shown::{Shown, waiting},
    },
    store::{
        check::{CheckReport, Info},
        error::StoreError,
        folder::{DataDir, Folder, FolderLock},
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
    /// What opened it, and the lock that it fits.
    key: SecretBytes,
    lock: Lock,
}

/// Where to look for a store, and how hard.
pub struct Finding<'a> {
    /// The folder with all accounts.
    pub data_dir: &'a Path,
    /// A snapshot that describes locks which a passphrase may open.
    pub snapshot: Option<&'a Path>,
    /// Do calculations beyond the budget, too.
    pub slow: bool,
}

impl Kept {
    /// Finds the store that one of these secrets opens, among all accounts of a data directory.
    ///
    /// How a passphrase becomes a key stands in account data, so a passphrase opens a store only where
    /// a snapshot of that account is at hand.
    pub async fn open(
        secrets: &[SecretText],
        finding: &Finding<'_>,
        progress: &Arc<dyn Progress>,
        cancel: &Cancel,
    ) -> Result<Self, Failure> {
        let secrets: Vec<_> = secrets.iter().map(SecretText::duplicate).collect();
        let (data_dir, slow) = (finding.data_dir.to_owned(), finding.slow);
        let snapshot = finding.snapshot.map(Path::to_owned);
        let (progress, cancel) = (Arc::clone(progress), cancel.clone());
        let found = tokio::task::spawn_blocking(move || {
            let effort = Effort { slow, progress: &*progress, cancel: &cancel };
            let search = Search { secrets: &secrets, snapshot: snapshot.as_deref(), effort };
            search.among(&data_dir)
        });
        super::joined(found.await)?
    }

    /// Opens the store of a visit's account with what the visit's secrets opened.
    pub fn of_visit(visit: &Visit, data_dir: &Path) -> Result<Self, Failure> {
        let unlocked = visit.unlocked.as_ref().ok_or_else(|| Failure::new(Code::SecretMissing))?;
        let folder = visit.overview.folder(data_dir);
        let folder = folder.ok_or_else(|| Failure::new(Code::StoreEmpty))?;
        let locks = Reader::locks(&folder).map_err(IntoFailure::into_failure)?.unwrap_or_default();
        match try_all(unlocked, &locks, &folder)? {
            Some(kept) => Ok(kept),
            None if locks.is_empty() => Err(Failure::new(Code::StoreEmpty)),
            None => Err(StoreError::OtherLock { locks }.into_failure()),
        }
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
        let mend = |mut store: Store| store.mend(&report, Instant::now());
        let mended = self.write().and_then(|(store, _lock)| mend(store));
        mended.map_err(IntoFailure::into_failure)?;
        Err(Failure::new(Code::StoreDamaged).with("n", report.damaged))
    }

    /// The open store, for reading, if it is the one of this account.
    pub(super) fn into_reader_of(self, user_id: &str, server: &str) -> Option<Reader> {
        let Self { folder, reader, .. } = self;
        folder.belongs_to(user_id, server).then_some(reader)
    }

    /// The open store, for reading.
    pub(super) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Opens it for writing; the right to write lasts as long as the second part.
    pub(super) fn write(self) -> Result<(Store, FolderLock), StoreError> {
        let Self { folder, reader, key, lock } = self;
        drop(reader);
        let held = folder.share()?;
        let secret = slot_secret(key.expose(), &lock);
        Ok((Store::open(&held, &[secret], &mut SystemRandom)?, held))
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

struct Search<'a> {
    secrets: &'a [SecretText],
    snapshot: Option<&'a Path>,
    effort: Effort<'a>,
}

/// What came of one folder.
enum Found {
    Open(Box<Kept>),
    /// The locks that stay closed, if there are any.
    Closed(Vec<Lock>),
}

impl Search<'_> {
    fn among(&self, data_dir: &Path) -> Result<Kept, Failure> {
        let accounts = || match DataDir::find(data_dir)? {
            Some(data_dir) => Ok::<_, StoreError>(data_dir.accounts()?),
            None => Ok(Vec::new()),
        };
        let mut closed = Vec::new();
        // One account's store that cannot be read must not stand before those of the others.
        let mut broken = None;
        for folder in accounts().map_err(IntoFailure::into_failure)? {
            match self.in_folder(&folder) {
                Ok(Found::Open(kept)) => return Ok(*kept),
                Ok(Found::Closed(locks)) => closed.extend(locks),
                Err(failure) if failure.code() == Code::Stopped => return Err(failure),
                Err(failure) => broken = broken.or(Some(failure)),
            }
        }
        Err(match broken.or_else(|| self.slip()) {
            Some(failure) => failure,
            None if closed.is_empty() => Failure::new(Code::StoreEmpty),
            None => StoreError::OtherLock { locks: closed }.into_failure(),
        })
    }

    /// What is wrong with a secret that was meant to be a recovery key, or with one that is empty.
    fn slip(&self) -> Option<Failure> {
        self.secrets.iter().find_map(|secret| match typed::read(secret) {
            Typed::Words(fault)
                if fault == RecoveryKeyFault::Empty || typed::meant_as_recovery_key(secret) =>
            {
                Some(fault.into_failure())
            }
            _ => None,
        })
    }

    fn in_folder(&self, folder: &Folder) -> Result<Found, Failure> {
        let locks = Reader::locks(folder).map_err(IntoFailure::into_failure)?.unwrap_or_default();
        if locks.is_empty() {
            return Ok(Found::Closed(locks));
        }
        for secret in self.secrets {
            if let Typed::RecoveryKey(key) | Typed::RawKey(key) = typed::read(secret)
                && let Some(kept) = try_key(key.expose(), &locks, folder)?
            {
                return Ok(Found::Open(Box::new(kept)));
            }
        }
        match self.by_snapshots(folder, &locks)? {
            Some(kept) => Ok(Found::Open(Box::new(kept))),
            None => Ok(Found::Closed(locks)),
        }
    }

    /// Opens what the account's snapshots describe: a passphrase becomes a key there, and the key of
    /// secret storage leads to that of a backup.
    fn by_snapshots(&self, folder: &Folder, locks: &[Lock]) -> Result<Option<Kept>, Failure> {
        let overviews = overviews(folder, self.snapshot);
        let Some(overview) = Overview::merged(overviews) else { return Ok(None) };
        let place = unlock::Place { overview: &overview, samples: &BTreeMap::new() };
        let unlocked = unlock::unlock(self.secrets, &place, &self.effort)?;
        if let Some(kept) = try_all(&unlocked, locks, folder)? {
            return Ok(Some(kept));
        }
        match unlocked.left_out_seconds() {
            // A recovery key with a slip in it opens nothing however long it is tried.
            Some(seconds) if self.slip().is_none() => {
                let time = waiting(Some(seconds));
                Err(Failure::new(Code::PassphraseSlow).with("time", time))
            }
            _ => Ok(None),
        }
    }
}

/// What the snapshots in an account's folder tell, and one more if that is the account's.
fn overviews(folder: &Folder, more: Option<&Path>) -> Vec<Overview> {
    let own = super::snapshots::in_folder(folder.path());
    let files = own.into_iter().chain(more.map(Path::to_owned));
    let overviews = files.filter_map(|file| Overview::of_snapshot(&file, &Wanted::Current).ok());
    overviews.filter(|overview| folder.belongs_to(&overview.user_id, &overview.server)).collect()
}

/// Tries every key that was proven.
fn try_all(unlocked: &Unlocked, locks: &[Lock], folder: &Folder) -> Result<Option<Kept>, Failure> {
    let storage = unlocked.storage_keys.iter().map(|known| known.key.expose());
    let backups = unlocked.backup_keys.iter().map(|key| key.secret().expose().as_slice());
    for key in storage.chain(backups) {
        if let Some(kept) = try_key(key, locks, folder)? {
            return Ok(Some(kept));
        }
    }
    Ok(None)
}

/// Tries a key in both roles: as a backup's, and as that of every 4S lock.
fn try_key(key: &[u8], locks: &[Lock], folder: &Folder) -> Result<Option<Kept>, Failure> {
    let public_key = Secret32::from_slice(key).map(|key| DecryptionKey::new(key).public_key());
    let public_key = public_key.map(PublicKey::to_base64);
    let possible = locks.iter().filter(|lock| match lock.kind {
        LockKind::BackupKey => Some(&lock.id) == public_key.as_ref(),
        LockKind::StorageKey => true,
        LockKind::Passphrase => false,
    });
    for lock in possible {
        match Reader::open(folder, &[slot_secret(key, lock)]) {
            Ok(reader) => {
                let (key, lock) = (SecretBytes::new(key.to_vec()), lock.clone());
                return Ok(Some(Kept { folder: folder.clone(), reader, key, lock }));
            }
            // The lock's id is right and the wrap is not: this key is another one.
            Err(StoreError::OtherLock { .. } | StoreError::Unreadable { .. }) => {}
            Err(error) => return Err(error.into_failure()),
        }
    }
    Ok(None)
}

/// The key in the role of a lock: a 4S key, or else the private key of a backup.
fn slot_secret<'a>(key: &'a [u8], lock: &'a Lock) -> SlotSecret<'a> {
    match lock.kind {
        LockKind::StorageKey => SlotSecret::StorageKey { secret: key, key_id: &lock.id },
        // Such a lock is named by its public key.
        _ => SlotSecret::BackupKey {
            secret: key,
            public_key: PublicKey(base64::decode_exact(&lock.id).unwrap_or_default()),
        },
    }
}
