//! Which name a new snapshot takes: an older one's only if it holds all of that one. A server that holds
//! fewer keys than before (somebody deleted some, or pressed "reset"), or other ones, costs nobody those.

use std::{
    collections::HashSet,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use super::{
    join::{hash, visit},
    reader::Snapshot,
};
use crate::backup::version::BackupVersion;

/// The names that a snapshot may take, the wanted one first: `wanted.end`, `wanted-2.end`, …
pub(super) fn names(wanted: &Path) -> impl Iterator<Item = PathBuf> {
    let more = (2_u64..).map(|number| numbered(wanted, number));
    std::iter::once(wanted.to_owned()).chain(more)
}

/// Says whether there is nothing of this name.
pub(super) fn is_free(place: &Path) -> bool {
    place.symlink_metadata().is_err()
}

fn numbered(wanted: &Path, number: u64) -> PathBuf {
    let mut name = OsString::from(wanted.file_stem().unwrap_or_default());
    name.push(format!("-{number}"));
    if let Some(end) = wanted.extension() {
        name.push(".");
        name.push(end);
    }
    wanted.with_file_name(name)
}

/// Says whether a snapshot holds everything that an older one holds: it is of the same backup, and every
/// entry of the older one is in it, byte for byte. A key that a server changed could be a worse one. Of
/// a file that is no snapshot, or one of a newer keyhaul, or one that cannot be read, nobody knows.
pub fn covers(new: &Path, old: &Path) -> bool {
    let (Ok(new), Ok(old)) = (Snapshot::open(new), Snapshot::open(old)) else { return false };
    if !same_backup(&new, &old) {
        return false;
    }
    let digest = |snapshot: &Snapshot| Some(snapshot.trailer.as_ref()?.sha256.clone());
    if digest(&new).is_some_and(|new| digest(&old) == Some(new)) {
        return true;
    }
    let announced = old.trailer.as_ref().map_or(0, |trailer| trailer.entries);
    let mut held = HashSet::new();
    let (mut all, mut entries) = (true, 0);
    let read = visit(new, |entry| {
        held.insert(hash(&entry));
    });
    let read = read.and_then(|_| {
        visit(old, |entry| {
            entries += 1;
            all &= held.contains(&hash(&entry));
        })
    });
    // What cannot be found any more in a damaged one could be what the other lacks.
    all && entries >= announced && read.is_ok_and(|readable| readable)
}

/// How many entries of a snapshot can be read.
pub fn entries(snapshot: Snapshot) -> io::Result<u64> {
    let mut entries = 0;
    visit(snapshot, |_| entries += 1)?;
    Ok(entries)
}

/// Says whether two snapshots are of the same backup of the same account.
pub fn same_backup(one: &Snapshot, other: &Snapshot) -> bool {
    is_of(one, &other.header.user, &other.header.server, &other.version)
}

/// Says whether a snapshot is of this backup of this account.
pub fn is_of(snapshot: &Snapshot, user_id: &str, server: &str, version: &BackupVersion) -> bool {
    let key = match (snapshot.version.public_key(), version.public_key()) {
        (Ok(one), Ok(other)) => one == other,
        // Signatures may change, but nothing else tells what the keys are locked for.
        _ => snapshot.version.auth_data.get() == version.auth_data.get(),
    };
    key && snapshot.header.user == user_id
        && snapshot.header.server == server
        && snapshot.version.version == version.version
}
