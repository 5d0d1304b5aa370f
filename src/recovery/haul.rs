//! Haul first, open later: a version is read, counted room by room, and saved on the way where keyhaul
//! keeps its files, still locked.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    contents::{Contents, Glances, contents},
    look::{Overview, etag_now, version_now},
    looks,
    snapshots::Saver,
    source::Source,
    target,
    visit::{Place, Visit},
};
use crate::{
    backup::version::BackupVersion,
    base::{cancel::Cancel, failure::Failure, progress::Progress},
    snapshot::{place::is_of, reader::Snapshot},
    store::reader::Reader,
};

/// A version that was read.
#[derive(Clone, Debug)]
pub struct Hauled {
    /// The version as it was when the reading began.
    pub version: BackupVersion,
    /// Its rooms and counts.
    pub contents: Contents,
    /// Where its snapshot is, `None` where none was wanted, or why none could be saved: a folder that
    /// cannot be written keeps nobody from looking.
    pub saved: Result<Option<Saved>, Failure>,
    /// Why it is not all, if it is not.
    pub broken: Option<Failure>,
    /// Whether the version changed while it was read.
    pub changed: bool,
}

/// The snapshot of a version that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The file.
    pub file: PathBuf,
    /// When reading it from the server began.
    pub read: Timestamp,
    /// Its length, in bytes.
    pub bytes: u64,
}

/// Where a version is read, and where its snapshot goes.
pub struct Hauling<'a> {
    /// The visit to the backup.
    pub visit: &'a Visit,
    /// The version.
    pub version: &'a BackupVersion,
    /// Folder for keys and snapshots.
    pub data_dir: &'a Path,
    /// Save a snapshot.
    pub save: bool,
    /// Ask the server even if a snapshot of this very state is at hand.
    pub afresh: bool,
    /// Count this snapshot, whatever the server holds by now.
    pub from: Option<PathBuf>,
}

/// Reads a version and counts it. A snapshot of the same state that is at hand spares the server the
/// question; what a broken connection left is counted as far as it is saved.
pub async fn haul(
    hauling: Hauling<'_>,
    glances: Glances,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
) -> Result<Hauled, Failure> {
    let Hauling { visit, version, data_dir, save, afresh, ref from } = hauling;
    let account = match (&visit.place, from) {
        (Place::Server(account), None) => account,
        (_, Some(file)) | (Place::Snapshot { file, .. }, None) => {
            let store = visit.store(data_dir);
            return read_file(file, version, Some(glances), store, progress, cancel).await;
        }
    };
    // The look may have been hours ago, and apps write all the time.
    let version = &version_now(account, version, &cancel).await;
    let hauling = Hauling { version, ..hauling };
    let overview = &visit.overview;
    let place = save.then(|| target::snapshot_place(overview, &version.version, data_dir));
    if let Some(Ok((file, _))) = &place
        && !afresh
        && is_current(file, overview, version)
    {
        let store = visit.store(data_dir);
        let read = read_file(file, version, None, store, progress.clone(), cancel.clone()).await;
        if let Some(read) = read.ok().filter(|read| read.contents.whole) {
            return Ok(read);
        }
    }
    // The lock is held until the snapshot has its name.
    let begun = place.map(|place| {
        let (file, lock) = place?;
        Ok((Saver::begin(&file, overview, version)?, lock))
    });
    let (saver, lock) = match begun.transpose() {
        Ok(begun) => begun.map_or((Ok(None), None), |(saver, lock)| (Ok(Some(saver)), Some(lock))),
        Err(failure) => (Err(failure), None),
    };
    let hauled = from_server(hauling, saver, glances, progress, cancel).await?;
    if let Some(lock) = &lock {
        looks::note(lock, version, hauled.broken.is_none().then_some(hauled.contents.sessions));
    }
    Ok(hauled)
}

/// Reads a version from its server; `saver` is why nothing can be saved, where that is so.
async fn from_server(
    Hauling { visit, version, data_dir, .. }: Hauling<'_>,
    mut saver: Result<Option<Saver>, Failure>,
    glances: Glances,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
) -> Result<Hauled, Failure> {
    let source = visit.whole(version, Some(data_dir));
    let account = source.whole_account();
    let (store, teller, stop) = (visit.store(data_dir), Arc::clone(&progress), cancel.clone());
    let saving = saver.as_mut().ok().and_then(Option::as_mut);
    let counted = contents(source, saving, store, Some(glances), teller, stop).await;
    let whole = counted.as_ref().is_ok_and(|contents| contents.whole);
    let entries = counted.as_ref().map_or(0, |contents| contents.sessions);
    let etag_after = etag_now(account.filter(|_| whole), version, &cancel).await;
    let changed = whole && etag_after != version.etag;
    let saved = saver.and_then(|saver| {
        let file = saver.map(|saver| saver.end(version, etag_after, entries, whole)).transpose()?;
        Ok(file.map(settled))
    });
    match (counted, &saved) {
        (Ok(contents), _) => {
            let broken = contents.by_room.and_then(|by_room| by_room.shortfall());
            Ok(Hauled { version: version.clone(), contents, saved, broken, changed })
        }
        (Err(failure), Ok(Some(one))) => {
            // What was saved is what can be restored; an older snapshot may hold more than came now.
            let left = read_file(&one.file, version, None, None, progress, Cancel::default()).await;
            let left = left.map_err(|_| failure.clone())?;
            if left.contents.sessions == 0 {
                return Err(failure);
            }
            Ok(Hauled { broken: Some(failure), saved, ..left })
        }
        (Err(failure), _) => Err(failure),
    }
}

/// Counts what a snapshot holds.
async fn read_file(
    file: &Path,
    version: &BackupVersion,
    glances: Option<Glances>,
    store: Option<Reader>,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
) -> Result<Hauled, Failure> {
    let source = Source::Snapshot { file: file.to_owned() };
    let contents = contents(source, None, store, glances, progress, cancel).await?;
    let saved = Ok(Some(settled(file.to_owned())));
    Ok(Hauled { version: version.clone(), contents, saved, broken: None, changed: false })
}

/// Where a snapshot is now, and what it is: an older one may have been kept in place of the one that was read.
fn settled(file: PathBuf) -> Saved {
    let bytes = std::fs::metadata(&file).map_or(0, |about| about.len());
    let read = Snapshot::open(&file).map_or_else(|_| Timestamp::now(), |one| one.header.started);
    Saved { file, read, bytes }
}

/// Says whether a snapshot is of this version as it is now: etags change with every writing, and one that
/// changed while it was read tells that, too.
pub(super) fn is_current(file: &Path, overview: &Overview, version: &BackupVersion) -> bool {
    let Ok(snapshot) = Snapshot::open(file) else { return false };
    let same = is_of(&snapshot, &overview.user_id, &overview.server, version);
    let Some(trailer) = &snapshot.trailer else { return false };
    let unchanged = trailer.etag_before == trailer.etag_after;
    same && unchanged && trailer.etag_after.is_some() && trailer.etag_after == version.etag
}
