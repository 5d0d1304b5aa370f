//! What is on this computer: the account's folder and its store, opened with the secrets of a visit.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{
    failures::IntoFailure,
    look::Overview,
    pipeline::{Hand, Sink},
    store::Kept,
    tally::Tally,
    unlock::Unlocked,
};
use crate::{
    backup::{
        decryption::DecryptionKey,
        version::{BackupVersion, PublicKey},
    },
    base::{
        failure::{Code, Failure},
        random::SystemRandom,
    },
    store::{
        check::CheckReport,
        error::StoreError,
        folder::{DataDir, FolderLock},
        looks::{self, Look},
        planned::Plan,
        reader::Reader,
        slots::SlotSecret,
        sources::{Source, SourceId},
        writer::Store,
    },
};

/// Where restored keys go: into the store, or, for a plan, nowhere.
pub struct Target {
    pub(super) sink: Sink,
    /// Held until the last key is written; a plan needs none.
    lock: Option<FolderLock>,
    /// Sources that got a number in case their key opens something.
    hopeful: Vec<(PublicKey, SourceId)>,
}

impl Target {
    /// Opens the account's store for writing, or makes it. Every secret that was proven gets a lock
    /// of its own, but only once one of them has opened a store that was there before; one that a server
    /// could have made up gets none.
    pub(super) fn for_keys(
        overview: &Overview,
        unlocked: &Unlocked,
        data_dir: &Path,
    ) -> Result<Self, Failure> {
        if overview.user_id.is_empty() {
            return Err(Failure::new(Code::AccountUnknown));
        }
        let open = || {
            let folder = DataDir::open(data_dir)?.account(&overview.user_id, &overview.server)?;
            let lock = folder.share()?;
            let own = slot_secrets(unlocked, &|key| !unlocked.is_forgeable(key));
            let mut store = match Store::open(&lock, &own, &mut SystemRandom) {
                Err(StoreError::OtherLock { .. }) => {
                    Store::open(&lock, &slot_secrets(unlocked, &|_| true), &mut SystemRandom)?
                }
                opened => opened?,
            };
            let locks = store.slots()?;
            for secret in own.iter().filter(|secret| !locks.contains(&secret.lock())) {
                match store.add_slot(secret, &mut SystemRandom) {
                    Ok(()) | Err(StoreError::LockId { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            let sink = Sink::Store(Box::new(store));
            Ok::<_, StoreError>(Self { sink, lock: Some(lock), hopeful: Vec::new() })
        };
        open().map_err(IntoFailure::into_failure)
    }

    /// A store that was found, opened for writing.
    pub(super) fn of_kept(kept: Kept) -> Result<Self, Failure> {
        let (store, lock) = kept.write().map_err(IntoFailure::into_failure)?;
        Ok(Self { sink: Sink::Store(Box::new(store)), lock: Some(lock), hopeful: Vec::new() })
    }

    /// The store, where keys are written.
    pub(super) fn store(&mut self) -> Option<&mut Store> {
        match &mut self.sink {
            Sink::Store(store) => Some(store),
            Sink::Plan(_) => None,
        }
    }

    /// Opens the account's store for comparing, if there is one, with one version or with several that come
    /// one after the other; writes nothing.
    pub(super) fn for_plan(
        overview: &Overview,
        unlocked: &Unlocked,
        data_dir: &Path,
        several: bool,
    ) -> Result<Self, Failure> {
        let reader = find(overview, unlocked, data_dir).map_err(IntoFailure::into_failure)?;
        let sink = Sink::Plan(Box::new(Plan::new(reader, several)));
        Ok(Self { sink, lock: None, hopeful: Vec::new() })
    }

    /// The place of a version's own file in the account's folder, where keys are written. Its name
    /// has none of the server's own words.
    pub(super) fn place(&self, kind: &str, version: &str, ending: &str) -> Option<PathBuf> {
        Some(place(self.lock.as_ref()?, kind, version, ending))
    }

    /// What each of so many workers needs, for one version and the keys that are tried on it.
    pub(super) fn hands(
        &mut self,
        version: &BackupVersion,
        keys: &[DecryptionKey],
        count: usize,
    ) -> Result<Vec<Hand>, StoreError> {
        let version = &version.version;
        match &mut self.sink {
            Sink::Store(store) => {
                let mut sources = Vec::with_capacity(keys.len());
                for (number, key) in keys.iter().enumerate() {
                    let public_key = key.public_key();
                    let source = Source::Backup { version: version.clone(), public_key };
                    let is_new = !store.knows_source(&source);
                    let id = store.source_id(&source, &mut SystemRandom)?;
                    sources.push(id);
                    self.hopeful.extend((number > 0 && is_new).then_some((public_key, id)));
                }
                let hand = || {
                    let journal = Some(store.journal()?);
                    let sealing = Some((store.preparer(), sources.clone()));
                    Ok(Hand { version: version.clone(), journal, sealing })
                };
                (0..count).map(|_| hand()).collect()
            }
            Sink::Plan(plan) => {
                plan.begin(version);
                let hand = || {
                    let journal = plan.reader().map(Reader::journal).transpose()?;
                    Ok(Hand { version: version.clone(), journal, sealing: None })
                };
                (0..count).map(|_| hand()).collect()
            }
        }
    }

    /// Forgets the sources of keys that were tried and opened nothing.
    pub(super) fn settle(&mut self, tally: &Tally) -> Result<(), StoreError> {
        let hopeful = std::mem::take(&mut self.hopeful);
        let Sink::Store(store) = &mut self.sink else { return Ok(()) };
        let opened = |key: &PublicKey| tally.others.iter().any(|(known, _)| known == key);
        let unused = hopeful.into_iter().filter(|(key, _)| !opened(key));
        unused.into_iter().try_for_each(|(_, id)| store.forget_source(id))
    }

    /// Remembers how a version looked, for "changed since".
    pub(super) fn remember(&self, look: Look) -> Result<(), StoreError> {
        self.lock.as_ref().map_or(Ok(()), |lock| Ok(looks::remember(lock, &[look])?))
    }

    /// Reads every key of the store back.
    pub(super) fn check(&self) -> Result<CheckReport, StoreError> {
        match &self.sink {
            Sink::Store(store) => store.reader()?.check(),
            Sink::Plan(plan) => {
                plan.reader().map_or_else(|| Ok(CheckReport::default()), Reader::check)
            }
        }
    }

    /// Looks at what there is: the store, if there is one, and what a plan would bring.
    pub(super) fn look<T>(
        &self,
        look: impl FnOnce(Option<&Reader>, Option<&Plan>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match &self.sink {
            Sink::Store(store) => look(Some(&store.reader()?), None),
            Sink::Plan(plan) => look(plan.reader(), Some(plan)),
        }
    }

    /// How many sessions the store holds.
    pub(super) fn stored(&self) -> Result<u64, StoreError> {
        match &self.sink {
            Sink::Store(store) => store.reader()?.count(),
            Sink::Plan(plan) => plan.reader().map_or(Ok(0), Reader::count),
        }
    }
}

fn place(lock: &FolderLock, kind: &str, version: &str, ending: &str) -> PathBuf {
    let hash = Sha256::digest(version.as_bytes());
    let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    lock.folder().path().join(format!("{kind}-{hash}.{ending}"))
}

/// Where a version's snapshot is saved, with the right to write there.
pub(super) fn snapshot_place(
    overview: &Overview,
    version: &str,
    data_dir: &Path,
) -> Result<(PathBuf, FolderLock), Failure> {
    let lock = || {
        let data_dir = DataDir::open(data_dir)?;
        data_dir.account(&overview.user_id, &overview.server)?.share()
    };
    let lock = lock().map_err(IntoFailure::into_failure)?;
    Ok((place(&lock, "snapshot", version, "keyhaul"), lock))
}

/// A look into the account's store. `None` without a store, or where the secrets do not open it:
/// looking at a backup must work all the same.
pub(super) fn look_into(
    overview: &Overview,
    unlocked: &Unlocked,
    data_dir: &Path,
) -> Option<Reader> {
    find(overview, unlocked, data_dir).ok().flatten()
}

/// The account's store for reading messages; `None` without one. Secrets that open another lock are
/// told as a failure, because here nothing goes without it.
pub(super) fn open_to_read(
    overview: &Overview,
    unlocked: &Unlocked,
    data_dir: &Path,
) -> Result<Option<Reader>, Failure> {
    find(overview, unlocked, data_dir).map_err(IntoFailure::into_failure)
}

fn find(
    overview: &Overview,
    unlocked: &Unlocked,
    data_dir: &Path,
) -> Result<Option<Reader>, StoreError> {
    let Some(data_dir) = DataDir::find(data_dir)? else { return Ok(None) };
    let Some(folder) = data_dir.find_account(&overview.user_id, &overview.server)? else {
        return Ok(None);
    };
    match Reader::open(&folder, &slot_secrets(unlocked, &|_| true)) {
        Ok(reader) => Ok(Some(reader)),
        Err(StoreError::Missing) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The proven secrets, as keys to the store's locks: of the keys of backups only these.
fn slot_secrets<'a>(
    unlocked: &'a Unlocked,
    wanted: &dyn Fn(&DecryptionKey) -> bool,
) -> Vec<SlotSecret<'a>> {
    let backups = unlocked.backup_keys.iter().filter(|key| wanted(key));
    let backups = backups.map(|key| SlotSecret::BackupKey {
        secret: key.secret().expose(),
        public_key: key.public_key(),
    });
    let storage = unlocked
        .storage_keys
        .iter()
        .map(|known| SlotSecret::StorageKey { secret: known.key.expose(), key_id: &known.id });
    backups.chain(storage).collect()
}
