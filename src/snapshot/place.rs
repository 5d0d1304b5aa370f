//! Which name a new snapshot takes: an older one's only if it holds all sessions of that one. A server
//! that holds fewer than before (somebody deleted keys, or pressed "reset") costs nobody the others.

use std::{
    collections::HashSet,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    join::{first_half, visit},
    reader::Snapshot,
};

/// The first free name of `wanted.end`, `wanted-2.end`, `wanted-3.end`, …
///
/// A name is free where there is no file, or a snapshot whose sessions `new` holds all.
pub(super) fn find(new: &Path, wanted: &Path) -> io::Result<PathBuf> {
    let mut place = wanted.to_owned();
    let mut number = 1_u64;
    while place.symlink_metadata().is_ok() && !covers(new, &place)? {
        number += 1;
        place = numbered(wanted, number);
    }
    Ok(place)
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

/// Says whether a snapshot has every session of an older one. Of a file that is no snapshot, or one
/// of a newer keyhaul, nobody knows.
pub fn covers(new: &Path, old: &Path) -> io::Result<bool> {
    let (Ok(new), Ok(old)) = (Snapshot::open(new), Snapshot::open(old)) else { return Ok(false) };
    let digest = |snapshot: &Snapshot| Some(snapshot.trailer.as_ref()?.sha256.clone());
    if digest(&new).is_some_and(|new| digest(&old) == Some(new)) {
        return Ok(true);
    }
    let mut held = HashSet::new();
    visit(new, |entry| {
        held.insert(session(entry.room_id, entry.session_id));
    })?;
    let mut all = true;
    visit(old, |entry| all &= held.contains(&session(entry.room_id, entry.session_id)))?;
    Ok(all)
}

fn session(room_id: &str, session_id: &str) -> [u8; 16] {
    let named = Sha256::new().chain_update(room_id).chain_update([0]);
    first_half(&named.chain_update(session_id).finalize())
}

/// Says whether two snapshots are of the same backup of the same account.
pub fn same_backup(one: &Snapshot, other: &Snapshot) -> bool {
    let (one_of, other_of) = (&one.header, &other.header);
    one_of.user == other_of.user
        && one_of.server == other_of.server
        && one.version.version == other.version.version
        && one.version.public_key().ok() == other.version.public_key().ok()
}
