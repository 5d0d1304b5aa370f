//! Which name a new snapshot takes: an older one's only if it holds all sessions of that one. A server
//! that holds fewer than before (somebody deleted keys, or pressed "reset") costs nobody the others.

use std::{
    collections::HashSet,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::reader::Snapshot;
use crate::backup::{
    entry::RawEntry,
    scanner::{Scanner, Shape},
};

/// The first free name of `wanted.end`, `wanted-2.end`, `wanted-3.end`, …
///
/// A name is free where there is no file, or a snapshot whose sessions `new` holds all.
pub(super) fn find(new: &Path, wanted: &Path) -> io::Result<PathBuf> {
    let mut place = wanted.to_owned();
    let mut number = 1_u64;
    while place.try_exists()? && !covers(new, &place)? {
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
fn covers(new: &Path, old: &Path) -> io::Result<bool> {
    let (Ok(new), Ok(old)) = (Snapshot::open(new), Snapshot::open(old)) else { return Ok(false) };
    let digest = |snapshot: &Snapshot| Some(snapshot.trailer.as_ref()?.sha256.clone());
    if digest(&new).is_some_and(|new| digest(&old) == Some(new)) {
        return Ok(true);
    }
    let mut held = HashSet::new();
    visit(new, |session| {
        held.insert(session);
    })?;
    let mut all = true;
    visit(old, |session| all &= held.contains(&session))?;
    Ok(all)
}

/// Gives a hash of each session's room and id, as far as the snapshot can be read.
fn visit(snapshot: Snapshot, mut take: impl FnMut([u8; 16])) -> io::Result<()> {
    let mut give = |entry: RawEntry<'_>| {
        let named = Sha256::new().chain_update(entry.room_id).chain_update([0]);
        let hash = named.chain_update(entry.session_id).finalize();
        let mut start = [0; 16];
        start.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        take(start);
    };
    let mut scanner = Scanner::new(Shape::WholeBody);
    let mut body = snapshot.into_body()?;
    let mut piece = vec![0; 64 << 10];
    loop {
        let length = body.read(&mut piece)?;
        let readable = scanner.feed(piece.get(..length).unwrap_or_default(), &mut give).is_ok();
        if length == 0 || !readable {
            return Ok(());
        }
    }
}
