//! The third proof, where no public key tells whether a key fits: it opens entries (SPEC §5.7).

use std::{path::Path, sync::Arc};

use tracing::debug;

use super::{failures::IntoFailure, sign_in::Account};
use crate::{
    backup::{
        decryption::{DecryptionKey, Refusal, Workroom},
        entry::{EntryFault, RawEntry},
        scanner::{Scanner, Shape},
    },
    base::{cancel::Cancel, failure::Failure, limits},
    homeserver::{
        RequestError,
        room_keys::{Part, keys},
        rooms,
    },
    snapshot::{join::visit, reader::Snapshot},
};

/// Rooms without any entry that may follow one another before the whole body is asked for.
const EMPTY_ROOMS: usize = 4;

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
                list.push(Entry::of(&entry));
            }
        };
        let read = Snapshot::open(file).and_then(|snapshot| Ok(visit(snapshot, give)?));
        read.map_err(IntoFailure::into_failure)?;
        firsts.append(&mut others);
        firsts.truncate(limits::SAMPLED_ENTRIES);
        Ok(Self(firsts))
    }

    /// Asks a server for some entries of a version: some of the rooms that the account is in, and where
    /// these have none the beginning of the whole body. Reads no further than it has to; what a server
    /// refuses is left out.
    pub(super) async fn of_server(
        account: &Account,
        version: &str,
        cancel: &Cancel,
    ) -> Result<Self, Failure> {
        let asking = Asking { account, version, cancel };
        asking.entries().await.map_err(IntoFailure::into_failure)
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

impl Entry {
    fn of(entry: &RawEntry<'_>) -> Self {
        Self {
            room_id: Arc::from(entry.room_id),
            session_id: entry.session_id.to_owned(),
            json: entry.json.to_vec(),
            fault: entry.fault,
        }
    }
}

/// A version of which a server is asked for some entries.
struct Asking<'a> {
    account: &'a Account,
    version: &'a str,
    cancel: &'a Cancel,
}

impl Asking<'_> {
    /// Fails only after a wish to stop.
    async fn entries(&self) -> Result<Sample, RequestError> {
        let joined = self.or_none(rooms::joined(self.account.session(), self.cancel).await)?;
        let joined = joined.unwrap_or_default();
        let each = limits::SAMPLED_ENTRIES / limits::SAMPLED_ROOMS;
        let step = joined.len().div_ceil(limits::SAMPLED_ROOMS).max(1);
        let (mut entries, mut empty) = (Vec::new(), 0);
        for room in joined.iter().step_by(step) {
            let shape = Shape::Room { room_id: room.clone() };
            match self.or_none(self.some(Part::Room(room), shape, each).await)? {
                Some(some) if !some.is_empty() => {
                    empty = 0;
                    entries.extend(some);
                }
                Some(_) => empty += 1,
                None => break,
            }
            if empty == EMPTY_ROOMS {
                break;
            }
        }
        if entries.is_empty() {
            let whole = self.some(Part::Whole, Shape::WholeBody, limits::SAMPLED_ENTRIES).await;
            entries = self.or_none(whole)?.unwrap_or_default();
        }
        Ok(Sample(entries))
    }

    /// The first entries of an answer; the rest of it is not read.
    async fn some(
        &self,
        part: Part<'_>,
        shape: Shape,
        most: usize,
    ) -> Result<Vec<Entry>, RequestError> {
        let asked =
            keys(self.account.session(), self.version, part, limits::KEYS_BODY, self.cancel);
        let mut stream = match asked.await {
            // Some servers know no room without keys.
            Err(error) if error.is_missing() => return Ok(Vec::new()),
            stream => stream?,
        };
        let mut scanner = Scanner::new(shape);
        let mut entries = Vec::new();
        while entries.len() < most && stream.received() < limits::SAMPLED_BYTES {
            let piece = match stream.next().await {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(RequestError::Cancelled) => return Err(RequestError::Cancelled),
                // What came before is good.
                Err(_) if !entries.is_empty() => break,
                Err(error) => return Err(error),
            };
            let fed = scanner.feed(&piece, &mut |entry| {
                if entries.len() < most {
                    entries.push(Entry::of(&entry));
                }
            });
            if fed.is_err() {
                break;
            }
        }
        Ok(entries)
    }

    fn or_none<T>(&self, asked: Result<T, RequestError>) -> Result<Option<T>, RequestError> {
        match asked {
            Ok(answer) => Ok(Some(answer)),
            Err(RequestError::Cancelled) => Err(RequestError::Cancelled),
            Err(error) => {
                debug!(%error, "no entries to try keys on");
                Ok(None)
            }
        }
    }
}
