//! Snapshots pile up. Those that hold nothing which another whole one lacks can go; nothing else ever
//! does.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{failures::IntoFailure, look::Overview, new_file::folder_name, snapshots::in_folder};
use crate::{
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
    },
    snapshot::{
        place::{covers, entries, same_backup},
        reader::{Snapshot, SnapshotFault},
        writer::BEGUN,
    },
    store::{
        error::StoreError,
        folder::{DataDir, Folder, FolderLock},
    },
};

/// One snapshot that was looked at.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The file.
    pub file: PathBuf,
    /// Its backup version.
    pub version: String,
    /// Its account.
    pub user_id: String,
    /// Its length, in bytes.
    pub bytes: u64,
    /// It has its last line.
    pub complete: bool,
    /// The snapshot that holds all of it and stays; then this one can go.
    pub held_by: Option<PathBuf>,
}

/// What can go, and whether it went.
#[derive(Debug, Default)]
pub struct Pruning {
    /// All snapshots that were looked at, by their names.
    pub snapshots: Vec<Looked>,
    /// What an interrupted run left unfinished, as far as the snapshots lack nothing of it; each with its
    /// length in bytes.
    pub left_over: Vec<(PathBuf, u64)>,
    /// Files called snapshots that cannot be read; they stay.
    pub unreadable: Vec<PathBuf>,
    /// Whether the files were removed.
    pub removed: bool,
}

impl Pruning {
    /// What a killed run left may be all that there is of what it read.
    fn add_unfinished(
        &mut self,
        file: PathBuf,
        bytes: u64,
        cancel: &Cancel,
    ) -> Result<(), Failure> {
        if let Ok(looked) = look(&file)
            && !is_empty(&file)?
            && holder(&self.snapshots, &file, cancel)?.is_none()
        {
            self.snapshots.push(Looked { complete: false, ..looked });
        } else {
            self.left_over.push((file, bytes));
        }
        Ok(())
    }

    /// Bytes of the files that can go.
    pub fn bytes(&self) -> u64 {
        let held = self.snapshots.iter().filter(|one| one.held_by.is_some());
        held.map(|one| one.bytes).chain(self.left_over.iter().map(|(_, bytes)| *bytes)).sum()
    }
}

/// Looks for snapshots that can go, among these files, or among all in keyhaul's own folder; removes
/// them if somebody agreed. Only a whole snapshot whose bytes are those that were written, and which
/// holds every key of another as it is there, lets that one go.
pub async fn prune(
    files: Vec<PathBuf>,
    data_dir: PathBuf,
    agreed: bool,
    cancel: Cancel,
) -> Result<Pruning, Failure> {
    let work = move || look_and_remove(&files, &data_dir, agreed, &cancel);
    super::joined(tokio::task::spawn_blocking(work).await)?
}

fn look_and_remove(
    files: &[PathBuf],
    data_dir: &Path,
    agreed: bool,
    cancel: &Cancel,
) -> Result<Pruning, Failure> {
    let locks = locked(data_dir).map_err(IntoFailure::into_failure)?;
    let named: Vec<PathBuf> = files.iter().map(|file| plain(file)).collect::<Result<_, _>>()?;
    let mut pruning = Pruning::default();
    let mut known = BTreeSet::new();
    for file in &named {
        if known.insert(identity(file)) {
            pruning.snapshots.push(look(file)?);
        }
    }
    for file in locks.iter().flat_map(|(folder, _)| in_folder(folder.path())) {
        match look(&file) {
            // The same file by another way holds nothing that the first one does not.
            _ if !known.insert(identity(&file)) => {}
            Ok(looked) => pruning.snapshots.push(looked),
            Err(_) => pruning.unreadable.push(file),
        }
    }
    let may_go = |file: &PathBuf| named.is_empty() || named.contains(file);
    judge(&mut pruning.snapshots, &may_go, cancel)?;
    if named.is_empty() {
        for (file, bytes) in unfinished(&locks) {
            pruning.add_unfinished(file, bytes, cancel)?;
        }
    }
    if agreed {
        let held = pruning.snapshots.iter().filter(|one| one.held_by.is_some());
        let left_over = pruning.left_over.iter().map(|(file, _)| file);
        for file in held.map(|one| &one.file).chain(left_over) {
            let failed = |error| super::failures::writing(&folder_name(file), &error);
            fs::remove_file(file).map_err(failed)?;
        }
        pruning.removed = true;
    }
    pruning.snapshots.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(pruning)
}

/// The folders of all accounts; nobody may write a snapshot while others are judged by it.
fn locked(data_dir: &Path) -> Result<Vec<(Folder, FolderLock)>, StoreError> {
    let Some(data_dir) = DataDir::find(data_dir)? else { return Ok(Vec::new()) };
    let folders = data_dir.accounts()?.into_iter();
    folders.map(|folder| Ok((folder.clone(), folder.lock()?))).collect()
}

/// Where a file that somebody named really is. A link is refused: what it leads to may be all there is.
fn plain(file: &Path) -> Result<PathBuf, Failure> {
    let failed = |error| IntoFailure::into_failure(SnapshotFault::Io(error));
    if !fs::symlink_metadata(file).map_err(failed)?.is_file() {
        return Err(Failure::new(Code::FileNotPlain).with("name", &*file.to_string_lossy()));
    }
    fs::canonicalize(file).map_err(failed)
}

/// What tells a file from all others, whatever it is called.
fn identity(file: &Path) -> Option<(u64, u64)> {
    fs::metadata(file).map(|about| (about.dev(), about.ino())).ok()
}

fn look(file: &Path) -> Result<Looked, Failure> {
    let snapshot = Snapshot::open(file).map_err(IntoFailure::into_failure)?;
    let overview = Overview::in_snapshot(&snapshot);
    Ok(Looked {
        file: file.to_owned(),
        version: snapshot.version.version.clone(),
        user_id: overview.user_id,
        bytes: fs::metadata(file).map_or(0, |about| about.len()),
        complete: snapshot.trailer.is_some(),
        held_by: None,
    })
}

/// Goes from the oldest to the newest, so that of equal ones the newest stays.
fn judge(
    all: &mut [Looked],
    may_go: &dyn Fn(&PathBuf) -> bool,
    cancel: &Cancel,
) -> Result<(), Failure> {
    let started = |file: &PathBuf| Snapshot::open(file).map(|one| one.header.started).ok();
    all.sort_by_cached_key(|one| (started(&one.file), one.file.clone()));
    for place in 0..all.len() {
        let file = all.get(place).map(|one| one.file.clone());
        let Some(file) = file.filter(may_go) else { continue };
        let Some(holder) = holder(all, &file, cancel)? else { continue };
        for one in all.iter_mut() {
            // What is in one that goes itself is in the one that stays, too.
            if one.file == file || one.held_by.as_ref() == Some(&file) {
                one.held_by = Some(holder.clone());
            }
        }
    }
    Ok(())
}

/// The newest one that stays of those which hold all of a file.
fn holder(all: &[Looked], file: &Path, cancel: &Cancel) -> Result<Option<PathBuf>, Failure> {
    let stays = |other: &&Looked| other.file != file && other.held_by.is_none() && other.complete;
    for other in all.iter().rev().filter(stays) {
        if cancel.is_cancelled() {
            return Err(Failure::new(Code::Stopped).with("n", 0));
        }
        if holds(&other.file, file)? {
            return Ok(Some(other.file.clone()));
        }
    }
    Ok(None)
}

/// Says whether a whole snapshot of the same backup holds all of another one.
fn holds(file: &Path, other: &Path) -> Result<bool, Failure> {
    let open = |file| Snapshot::open(file).map_err(IntoFailure::into_failure);
    if !same_backup(&open(file)?, &open(other)?) {
        return Ok(false);
    }
    let failed = |error| super::failures::writing(&folder_name(file), &error);
    Ok(covers(file, other) && is_intact(open(file)?).map_err(failed)?)
}

/// Says whether nothing can be read from a file that begins as a snapshot does.
fn is_empty(file: &Path) -> Result<bool, Failure> {
    let snapshot = Snapshot::open(file).map_err(IntoFailure::into_failure)?;
    let failed = |error| super::failures::writing(&folder_name(file), &error);
    Ok(entries(snapshot).map_err(failed)? == 0)
}

fn is_intact(snapshot: Snapshot) -> std::io::Result<bool> {
    let mut body = snapshot.into_body()?;
    let mut piece = vec![0; 64 << 10];
    while body.read(&mut piece)? > 0 {}
    Ok(body.is_intact())
}

/// What a killed run left: nobody writes these files now, because their folders are locked by us.
fn unfinished(locks: &[(Folder, FolderLock)]) -> Vec<(PathBuf, u64)> {
    let entries = locks.iter().filter_map(|(folder, _)| fs::read_dir(folder.path()).ok());
    let begun = entries
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(BEGUN)));
    begun.map(|entry| (entry.path(), entry.metadata().map_or(0, |about| about.len()))).collect()
}
