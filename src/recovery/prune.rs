//! Snapshots pile up. Those that hold nothing which another whole one lacks can go; nothing else ever
//! does.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{failures::IntoFailure, look::Overview, new_file::folder_name, snapshots::in_folder};
use crate::{
    base::failure::Failure,
    snapshot::{
        place::{covers, same_backup},
        reader::Snapshot,
        writer::BEGUN,
    },
    store::folder::{DataDir, Folder, FolderLock},
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
    /// The snapshot that holds all of it; then this one can go.
    pub held_by: Option<PathBuf>,
}

/// What can go, and whether it went.
#[derive(Debug, Default)]
pub struct Pruning {
    /// All snapshots that were looked at, by their names.
    pub snapshots: Vec<Looked>,
    /// Snapshots that an interrupted run left unfinished.
    pub left_over: Vec<PathBuf>,
    /// Whether the files were removed.
    pub removed: bool,
}

impl Pruning {
    /// Bytes of the snapshots that can go.
    pub fn bytes(&self) -> u64 {
        self.snapshots.iter().filter(|one| one.held_by.is_some()).map(|one| one.bytes).sum()
    }
}

/// Looks for snapshots that can go, among these files, or among all in keyhaul's own folder; removes
/// them if somebody agreed. Only a whole snapshot whose bytes are those that were written, and which
/// holds every session of another, lets that one go.
pub fn prune(files: &[PathBuf], data_dir: &Path, agreed: bool) -> Result<Pruning, Failure> {
    let folders = || match DataDir::find(data_dir)? {
        Some(data_dir) => data_dir.accounts(),
        None => Ok(Vec::new()),
    };
    let folders = folders().map_err(IntoFailure::into_failure)?;
    // Nobody may write a snapshot while others are judged by it.
    let locks: Vec<(Folder, FolderLock)> = folders
        .into_iter()
        .filter_map(|folder| Some((folder.clone(), folder.lock().ok()?)))
        .collect();
    let own: Vec<PathBuf> = locks.iter().flat_map(|(folder, _)| in_folder(folder.path())).collect();
    let named = files.iter().map(|file| fs::canonicalize(file).unwrap_or_else(|_| file.clone()));
    let named: Vec<PathBuf> = named.collect();
    let mut all: Vec<Looked> = Vec::new();
    for file in named.iter().chain(&own) {
        if !all.iter().any(|known| known.file == *file) {
            all.push(look(file)?);
        }
    }
    let may_go = |file: &PathBuf| named.is_empty() || named.contains(file);
    judge(&mut all, &may_go)?;
    let left_over = if named.is_empty() { unfinished(&locks) } else { Vec::new() };
    let mut pruning = Pruning { snapshots: all, left_over, removed: false };
    if agreed {
        let gone = pruning.snapshots.iter().filter(|one| one.held_by.is_some());
        for file in gone.map(|one| &one.file).chain(&pruning.left_over) {
            let failed = |error| super::failures::writing(&folder_name(file), &error);
            fs::remove_file(file).map_err(failed)?;
        }
        pruning.removed = true;
    }
    pruning.snapshots.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(pruning)
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
fn judge(all: &mut [Looked], may_go: &dyn Fn(&PathBuf) -> bool) -> Result<(), Failure> {
    let started = |file: &PathBuf| Snapshot::open(file).map(|one| one.header.started).ok();
    all.sort_by_cached_key(|one| (started(&one.file), one.file.clone()));
    for place in 0..all.len() {
        let Some(one) = all.get(place).filter(|one| may_go(&one.file)) else { continue };
        let others = all.iter().enumerate().rev();
        let others = others
            .filter(|(other, held)| *other != place && held.held_by.is_none() && held.complete);
        let mut holder = None;
        for (_, other) in others {
            if holds(&other.file, &one.file)? {
                holder = Some(other.file.clone());
                break;
            }
        }
        if let Some(one) = all.get_mut(place) {
            one.held_by = holder;
        }
    }
    Ok(())
}

/// Says whether a whole snapshot of the same backup holds all of another one.
fn holds(file: &Path, other: &Path) -> Result<bool, Failure> {
    let open = |file| Snapshot::open(file).map_err(IntoFailure::into_failure);
    if !same_backup(&open(file)?, &open(other)?) {
        return Ok(false);
    }
    let failed = |error| super::failures::writing(&folder_name(file), &error);
    Ok(is_intact(open(file)?).map_err(failed)? && covers(file, other).map_err(failed)?)
}

fn is_intact(snapshot: Snapshot) -> std::io::Result<bool> {
    let mut body = snapshot.into_body()?;
    let mut piece = vec![0; 64 << 10];
    while body.read(&mut piece)? > 0 {}
    Ok(body.is_intact())
}

/// What a killed run left: nobody writes these files now, because their folders are locked by us.
fn unfinished(locks: &[(Folder, FolderLock)]) -> Vec<PathBuf> {
    let entries = locks.iter().filter_map(|(folder, _)| fs::read_dir(folder.path()).ok());
    let entries = entries.flatten().flatten();
    let begun = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(BEGUN)));
    begun.map(|entry| entry.path()).collect()
}
