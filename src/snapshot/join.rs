//! Continues a snapshot that was cut: what another reading brought is added after its last whole entry,
//! as far as it is new.

use std::{
    collections::HashSet,
    io::{self, Write},
};

use sha2::{Digest, Sha256};

use super::reader::Snapshot;
use crate::backup::{
    entry::{EntryFault, RawEntry},
    scanner::{Scanner, Shape},
};

/// Writes the entries of both bodies, the older one's first, each once. The result stays open at its
/// end, as a cut body does. Of one session with two keys both are kept: nobody knows here which of them
/// is better.
pub(super) fn join(older: Snapshot, newer: Snapshot, to: &mut dyn Write) -> io::Result<()> {
    let mut entries = Entries::begin(&mut *to)?;
    for snapshot in [older, newer] {
        visit(snapshot, |entry| entries.add(&entry))?;
    }
    // A number or a word ends only where something follows.
    entries.end(false)?.write_all(b"\n")
}

/// A body that is written entry by entry, each once.
pub struct Entries<W> {
    to: W,
    /// Hashes of the entries that are written.
    known: HashSet<[u8; 16]>,
    /// The room that is open.
    room: Option<String>,
    failed: io::Result<()>,
}

impl<W: Write> Entries<W> {
    /// Begins the body.
    pub fn begin(mut to: W) -> io::Result<Self> {
        to.write_all(b"{\"rooms\":{")?;
        Ok(Self { to, known: HashSet::new(), room: None, failed: Ok(()) })
    }

    /// Adds an entry that is not there yet; an error is told at the end.
    pub fn add(&mut self, entry: &RawEntry<'_>) {
        // The bytes of an entry that is too large were not kept, and nobody could use them.
        let lost = entry.fault == Some(EntryFault::TooLarge);
        if lost || self.failed.is_err() || !self.known.insert(hash(entry)) {
            return;
        }
        self.failed = self.write(entry);
    }

    /// Ends the body: closed where it is whole, else open as a cut one is.
    pub fn end(mut self, whole: bool) -> io::Result<W> {
        self.failed?;
        if whole {
            self.to.write_all(if self.room.is_some() { b"}}}}" } else { b"}}" })?;
        }
        Ok(self.to)
    }

    fn write(&mut self, entry: &RawEntry<'_>) -> io::Result<()> {
        let same = self.room.as_deref() == Some(entry.room_id);
        match (&self.room, same) {
            (Some(_), true) => self.to.write_all(b",")?,
            (before, _) => {
                self.to.write_all(if before.is_some() { b"}},\n" } else { b"" })?;
                serde_json::to_writer(&mut self.to, entry.room_id)?;
                self.to.write_all(b":{\"sessions\":{")?;
                self.room = Some(entry.room_id.to_owned());
            }
        }
        serde_json::to_writer(&mut self.to, entry.session_id)?;
        self.to.write_all(b":")?;
        self.to.write_all(entry.json)
    }
}

/// The first 16 bytes of an entry's hash: enough to tell entries apart, and half the memory.
pub(super) fn hash(entry: &RawEntry<'_>) -> [u8; 16] {
    let named = Sha256::new().chain_update(entry.room_id).chain_update([0]);
    let hash = named.chain_update(entry.session_id).chain_update([0]).chain_update(entry.json);
    let mut half = [0; 16];
    half.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    half
}

/// Gives every entry of a snapshot, as far as it can be read; says whether that is to its last byte.
pub fn visit(snapshot: Snapshot, mut give: impl FnMut(RawEntry<'_>)) -> io::Result<bool> {
    let mut scanner = Scanner::new(Shape::WholeBody);
    let mut body = snapshot.into_body()?;
    let mut piece = vec![0; 64 << 10];
    loop {
        let length = body.read(&mut piece)?;
        let readable = scanner.feed(piece.get(..length).unwrap_or_default(), &mut give).is_ok();
        if length == 0 || !readable {
            return Ok(readable);
        }
    }
}
