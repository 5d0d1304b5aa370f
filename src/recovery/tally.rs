//! What a restore counts: per room and in all, and every refused entry with its reason.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Serialize;

use crate::{
    backup::{decryption::Refusal, version::PublicKey},
    base::limits,
    store::Merged,
};

/// What entries came to. `entries` = `opened` + `refused`, and `opened` = `new` + `better` + `unchanged` +
/// `candidates`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Entries seen.
    pub entries: u64,
    /// Entries that opened and passed every check.
    pub opened: u64,
    /// Keys that were not in the store.
    pub new: u64,
    /// Keys that reach further back than the stored ones.
    pub better: u64,
    /// Keys that the store had, as good or better.
    pub unchanged: u64,
    /// Keys that disagree with stored ones; both are kept.
    pub candidates: u64,
    /// Refused entries.
    pub refused: u64,
    /// Of the refused ones those that are locked for another key than any that was tried.
    pub for_another: u64,
    /// Of the opened ones those that another key opened than the version's own.
    pub by_another: u64,
}

impl Figures {
    fn opened(&mut self, merged: Merged, by_another: bool) {
        self.entries += 1;
        self.opened += 1;
        self.by_another += u64::from(by_another);
        *match merged {
            Merged::New => &mut self.new,
            Merged::Better => &mut self.better,
            Merged::Unchanged => &mut self.unchanged,
            Merged::Candidate => &mut self.candidates,
        } += 1;
    }

    /// These and others together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            entries: self.entries + other.entries,
            opened: self.opened + other.opened,
            new: self.new + other.new,
            better: self.better + other.better,
            unchanged: self.unchanged + other.unchanged,
            candidates: self.candidates + other.candidates,
            refused: self.refused + other.refused,
            for_another: self.for_another + other.for_another,
            by_another: self.by_another + other.by_another,
        }
    }

    fn refused(&mut self, for_another: bool) {
        self.entries += 1;
        self.refused += 1;
        self.for_another += u64::from(for_another);
    }
}

/// Several versions room by room, as one.
pub fn by_room<'a>(tallies: impl Iterator<Item = &'a Tally>) -> BTreeMap<Arc<str>, RoomTally> {
    let mut sums: BTreeMap<Arc<str>, RoomTally> = BTreeMap::new();
    for (id, room) in tallies.flat_map(|tally| &tally.rooms) {
        let sum = sums.entry(Arc::clone(id)).or_default();
        *sum = sum.plus(room);
    }
    sums
}

/// The reason of entries that another key may open.
const FOR_ANOTHER: &str = "mac";

/// The figures of one room.
pub type RoomTally = Figures;

/// The figures of one restored version.
#[derive(Debug, Default)]
pub struct Tally {
    /// All of them together.
    pub figures: Figures,
    /// Refused entries, at most [`limits::REFUSED_LISTED`] of them.
    pub refused: Vec<RefusedEntry>,
    /// How many were refused, by the word of the reason.
    pub reason_counts: BTreeMap<&'static str, u64>,
    /// Other keys than the version's own that opened entries in this run, and how many.
    pub others: Vec<(PublicKey, u64)>,
    overflow: Overflow,
    /// Per room, by id.
    pub rooms: BTreeMap<Arc<str>, RoomTally>,
    /// The rooms that changed since somebody last asked.
    touched: Vec<Arc<str>>,
}

/// What a reason for refusing a key is called on the screen, and its sentence (SCREENS §7).
pub fn reason_words(reason: &str) -> (&'static str, &'static str) {
    match reason {
        "mac" => ("for another recovery key", "Locked for another key than this backup's."),
        "corrupt" => ("damaged", "The lock opens, but the contents are broken."),
        "malformed" => ("not a key", "The entry has no readable parts."),
        "ephemeral" => ("not a key", "One of its parts has an impossible form."),
        "algorithm" => ("unknown kind", "For a room lock that keyhaul does not know."),
        "missing_field" => ("incomplete", "A part is missing that no key can do without."),
        "session_key" => ("damaged inside", "The key inside is broken or impossible."),
        "id_mismatch" => ("under a wrong name", "The key inside has another name."),
        "room_mismatch" => ("in a wrong room", "The key says that it is for another room."),
        "too_large" => ("too large", "The entry is larger than any real key."),
        _ => ("other", "See the detail in --json."),
    }
}

/// One refused entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedEntry {
    /// The room of its map key.
    pub room_id: Arc<str>,
    /// The session of its map key.
    pub session_id: String,
    /// The stable word of the reason (DESIGN §5).
    pub reason: &'static str,
    /// The reason in detail.
    pub detail: String,
}

impl Tally {
    /// Counts an entry that opened, perhaps by another key than the version's own.
    pub(super) fn opened(&mut self, room_id: &Arc<str>, merged: Merged, by: Option<PublicKey>) {
        self.figures.opened(merged, by.is_some());
        self.room(room_id).opened(merged, by.is_some());
        let Some(by) = by else { return };
        match self.others.iter_mut().find(|(key, _)| *key == by) {
            Some((_, count)) => *count += 1,
            None => self.others.push((by, 1)),
        }
    }

    /// Counts an entry that an earlier run put into the store.
    pub(super) fn known(&mut self, room_id: &Arc<str>, by_another: bool) {
        self.figures.opened(Merged::Unchanged, by_another);
        self.room(room_id).opened(Merged::Unchanged, by_another);
    }

    /// Counts a refused entry; where the list grows too long, all go into the file of the overflow.
    pub(super) fn refused(&mut self, entry: RefusedEntry) {
        let for_another = entry.reason == FOR_ANOTHER;
        self.figures.refused(for_another);
        *self.reason_counts.entry(entry.reason).or_default() += 1;
        self.room(&entry.room_id).refused(for_another);
        if self.refused.len() < limits::REFUSED_LISTED {
            self.refused.push(entry);
        } else {
            self.overflow.add(&self.refused, &entry);
        }
    }

    /// Ends the count. The refused entries are put in the order of their rooms and sessions: they came
    /// in the order in which threads happened to finish, and two runs must be comparable.
    pub(super) fn ended(mut self) -> Self {
        self.overflow.end();
        let place = |entry: &RefusedEntry| (Arc::clone(&entry.room_id), entry.session_id.clone());
        self.refused.sort_by_cached_key(place);
        self
    }

    /// The rooms with entries that are locked for another recovery key, the one with the most first.
    pub fn rooms_for_another(&self) -> Vec<(&Arc<str>, u64)> {
        let rooms = self.rooms.iter().map(|(id, room)| (id, room.for_another));
        let mut rooms: Vec<_> = rooms.filter(|(_, count)| *count > 0).collect();
        rooms.sort_by_key(|(id, count)| (std::cmp::Reverse(*count), Arc::clone(id)));
        rooms
    }

    /// How many were refused for each reason, the commonest first.
    pub fn reasons(&self) -> Vec<(&'static str, u64)> {
        let mut counts: Vec<_> =
            self.reason_counts.iter().map(|(reason, count)| (*reason, *count)).collect();
        counts.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
        counts
    }

    /// A tally that writes the full list of refused entries into `file` once it grows too long.
    pub(super) fn with_overflow(file: Option<PathBuf>) -> Self {
        Self { overflow: Overflow { file, open: None }, ..Self::default() }
    }

    /// The file with the full list, if it was needed and could be written.
    pub fn refused_file(&self) -> Option<&Path> {
        self.overflow.open.as_ref().and(self.overflow.file.as_deref())
    }

    /// The figures of the rooms that changed since this was last asked.
    pub(super) fn touched(&mut self) -> Vec<(Arc<str>, RoomTally)> {
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        let figures = |id: Arc<str>| self.rooms.get(&id).map(|room| (id, *room));
        touched.into_iter().filter_map(figures).collect()
    }

    fn room(&mut self, room_id: &Arc<str>) -> &mut RoomTally {
        // Entries of one room come one after the other, so this list stays short.
        if self.touched.last().is_none_or(|last| !Arc::ptr_eq(last, room_id)) {
            self.touched.push(Arc::clone(room_id));
        }
        self.rooms.entry(Arc::clone(room_id)).or_default()
    }
}

impl RefusedEntry {
    /// The report of a refusal.
    pub(super) fn new(room_id: &Arc<str>, session_id: &str, refusal: &Refusal) -> Self {
        Self {
            room_id: Arc::clone(room_id),
            session_id: session_id.to_owned(),
            reason: refusal.reason(),
            detail: refusal.to_string(),
        }
    }

    /// The report of an entry that an earlier run refused: its reason is remembered, no more.
    pub(super) fn known(room_id: &Arc<str>, session_id: String, reason: &'static str) -> Self {
        let detail = "refused in an earlier run".to_owned();
        Self { room_id: Arc::clone(room_id), session_id, reason, detail }
    }
}

/// The full list of refused entries, one JSON object a line, in a file only its owner reads.
#[derive(Debug, Default)]
struct Overflow {
    file: Option<PathBuf>,
    open: Option<BufWriter<File>>,
}

impl Overflow {
    /// Adds an entry; the first one brings those that were listed before. A file that cannot be
    /// written is given up: the keys matter more than the list.
    fn add(&mut self, listed: &[RefusedEntry], entry: &RefusedEntry) {
        let Some(file) = &self.file else { return };
        let written = match &mut self.open {
            Some(open) => line(open, entry),
            None => begin(file, listed).and_then(|mut open| {
                line(&mut open, entry)?;
                self.open = Some(open);
                Ok(())
            }),
        };
        self.keep_if(written);
    }

    /// Writes what is still in memory: only a whole list is told of.
    fn end(&mut self) {
        let written = self.open.as_mut().map_or(Ok(()), Write::flush);
        self.keep_if(written);
    }

    fn keep_if(&mut self, written: io::Result<()>) {
        if written.is_err() {
            self.file = None;
            self.open = None;
        }
    }
}

fn begin(file: &Path, listed: &[RefusedEntry]) -> io::Result<BufWriter<File>> {
    if file.exists() {
        std::fs::remove_file(file)?;
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    let mut open = BufWriter::new(file);
    listed.iter().try_for_each(|entry| line(&mut open, entry))?;
    Ok(open)
}

fn line(to: &mut BufWriter<File>, entry: &RefusedEntry) -> io::Result<()> {
    serde_json::to_writer(&mut *to, entry)?;
    to.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_key_may_open_is_counted_by_room() {
        let mut tally = Tally::default();
        let rooms: Vec<Arc<str>> = ["!a:x", "!b:x", "!c:x"].map(Arc::from).to_vec();
        let key = PublicKey([1; 32]);
        for (room, reason) in [(0, "mac"), (1, "mac"), (1, "mac"), (2, "corrupt")] {
            tally.refused(RefusedEntry::known(&rooms[room], "s".to_owned(), reason));
        }
        tally.opened(&rooms[2], Merged::New, None);
        tally.opened(&rooms[2], Merged::New, Some(key));
        tally.known(&rooms[2], true);
        assert_eq!(tally.rooms_for_another(), [(&rooms[1], 2), (&rooms[0], 1)]);
        assert_eq!((tally.figures.for_another, tally.figures.by_another), (3, 2));
        assert_eq!((tally.figures.opened, tally.figures.refused), (3, 4));
        assert_eq!(tally.others, [(key, 1)]);
        let twice = tally.figures.plus(&tally.figures);
        assert_eq!((twice.for_another, twice.by_another), (6, 4));
    }

    #[test]
    fn list_that_grew_too_long_is_whole_in_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("refused.jsonl");
        let mut tally = Tally::with_overflow(Some(file.clone()));
        let room = Arc::from("!r:x");
        let count = limits::REFUSED_LISTED + 3;
        for number in 0..count {
            tally.refused(RefusedEntry::known(&room, number.to_string(), "mac"));
        }
        let tally = tally.ended();
        assert_eq!(tally.refused_file(), Some(&*file));
        assert_eq!(tally.refused.len(), limits::REFUSED_LISTED);
        assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), count);
    }
}
