//! The third proof, where no public key tells whether a key fits: it opens entries (SPEC §5.7).

use std::{path::Path, sync::Arc};

use super::failures::IntoFailure;
use crate::{
    backup::{
        decryption::{DecryptionKey, Refusal, Workroom},
        entry::{EntryFault, RawEntry},
        scanner::{Scanner, Shape},
    },
    base::{failure::Failure, limits},
    snapshot::reader::{Snapshot, SnapshotFault},
};

/// Some entries of one version, spread over its rooms.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    room_id: Arc<str>,
    session_id: String,
    json: Vec<u8>,
    fault: Option<EntryFault>,
}

impl Sample {
    /// Reads a snapshot for at most [`limits::SAMPLED_ENTRIES`] entries: the first of each room, then
    /// others, as far as the snapshot can be read.
    pub(super) fn of_snapshot(file: &Path) -> Result<Self, Failure> {
        let read = || {
            let mut body = Snapshot::open(file)?.into_body()?;
            let (mut firsts, mut others): (Vec<Entry>, Vec<Entry>) = Default::default();
            let mut give = |entry: RawEntry<'_>| {
                let known = firsts.last().is_some_and(|last| *last.room_id == *entry.room_id);
                let list = if known { &mut others } else { &mut firsts };
                if list.len() < limits::SAMPLED_ENTRIES {
                    list.push(Entry {
                        room_id: Arc::from(entry.room_id),
                        session_id: entry.session_id.to_owned(),
                        json: entry.json.to_vec(),
                        fault: entry.fault,
                    });
                }
            };
            let mut scanner = Scanner::new(Shape::WholeBody);
            let mut piece = vec![0; 64 << 10];
            loop {
                let length = body.read(&mut piece)?;
                let bytes = piece.get(..length).unwrap_or_default();
                if length == 0 || scanner.feed(bytes, &mut give).is_err() {
                    break;
                }
            }
            firsts.append(&mut others);
            firsts.truncate(limits::SAMPLED_ENTRIES);
            Ok::<_, SnapshotFault>(Self(firsts))
        };
        read().map_err(IntoFailure::into_failure)
    }

    /// How many of these entries are locked for this key. One is proof enough: its tag is eight bytes.
    pub(super) fn locked_for(&self, key: &DecryptionKey) -> usize {
        let mut room = Workroom::default();
        let fits = |entry: &&Entry| {
            let entry = RawEntry {
                room_id: &entry.room_id,
                session_id: &entry.session_id,
                json: &entry.json,
                fault: entry.fault,
            };
            // Behind a right tag even a broken key proves the lock.
            match key.open(&entry, &mut room) {
                Ok(_) | Err(Refusal::Padding | Refusal::RoomKey(_)) => true,
                Err(_) => false,
            }
        };
        self.0.iter().filter(fits).count()
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
