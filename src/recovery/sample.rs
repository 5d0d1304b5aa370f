//! The third proof, where no public key tells whether a key fits: it opens entries (SPEC §5.7).

use std::{path::Path, sync::Arc};

use super::failures::IntoFailure;
use crate::{
    backup::{
        decryption::{DecryptionKey, Refusal, Workroom},
        entry::{EntryFault, RawEntry},
    },
    base::{failure::Failure, limits},
    snapshot::{join::visit, reader::Snapshot},
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
        let (mut firsts, mut others): (Vec<Entry>, Vec<Entry>) = Default::default();
        let give = |entry: RawEntry<'_>| {
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
        let read = Snapshot::open(file).and_then(|snapshot| Ok(visit(snapshot, give)?));
        read.map_err(IntoFailure::into_failure)?;
        firsts.append(&mut others);
        firsts.truncate(limits::SAMPLED_ENTRIES);
        Ok(Self(firsts))
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
