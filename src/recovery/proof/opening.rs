//! Opens the events of a page with the keys of the store.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    reading::Row,
    reason::Reason,
    said::{Said, read},
};
use crate::{
    base::limits,
    homeserver::history::Event,
    megolm::{
        message::{EncryptedMessage, MessageFault, OpenedMessage},
        session_key::{SessionId, SessionKey},
    },
    store::{error::StoreError, reader::Reader, sessions::StoredKey},
};

const ENCRYPTED: &str = "m.room.encrypted";

/// Which event had which number of which session, so that one sent a second time is noticed.
#[derive(Default)]
pub(in crate::recovery) struct Sightings(Mutex<HashMap<(SessionId, u32), String>>);

impl Sightings {
    /// Notes an opened message; `false` if another event had its number before.
    fn is_first(&self, session: SessionId, index: u32, event_id: &str) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get(&(session, index)) {
            Some(known) => known == event_id,
            None => {
                if seen.len() < limits::MESSAGES_REMEMBERED {
                    seen.insert((session, index), event_id.to_owned());
                }
                true
            }
        }
    }
}

/// Opens messages of one room, on a thread of its own.
pub(super) struct Opener {
    reader: Reader,
    room_id: String,
    sightings: Arc<Sightings>,
    /// The candidates of each session that was needed.
    keys: HashMap<SessionId, Vec<StoredKey>>,
    /// Keys that were not proven before, and opened a message now.
    proven: HashMap<SessionId, SessionKey>,
}

impl Opener {
    pub(super) fn new(reader: Reader, room_id: &str, sightings: Arc<Sightings>) -> Self {
        let (keys, proven) = (HashMap::new(), HashMap::new());
        Self { reader, room_id: room_id.to_owned(), sightings, keys, proven }
    }

    /// How many keys of the room are here.
    pub(super) fn count(&self) -> Result<u64, StoreError> {
        let rooms = self.reader.rooms()?;
        Ok(rooms.iter().find(|room| room.room_id == self.room_id).map_or(0, |room| room.keys))
    }

    /// The keys that messages proved.
    pub(super) fn into_proven(self) -> Vec<SessionKey> {
        self.proven.into_values().collect()
    }

    /// One event as a row, or nothing if it is no message of its own.
    pub(super) fn row(&mut self, event: Event) -> Result<Option<Row>, StoreError> {
        let content = event.content.get();
        let mut row = Row::of(&event);
        if event.redacted || is_empty(content) {
            row.said = Said::Deleted;
            return Ok(Some(row));
        }
        if event.kind != ENCRYPTED {
            row.locked = false;
            return Ok(row.saying(&event.kind, content, None));
        }
        let message = match EncryptedMessage::parse(content) {
            Ok(message) => message,
            Err(fault) => {
                row.said = Said::Closed(Reason::of_fault(&fault));
                return Ok(Some(row));
            }
        };
        match self.open(&message)? {
            Ok(opened) => {
                let (session, index) = (message.session(), message.index());
                if !self.sightings.is_first(session, index, &event.event_id) {
                    row.said = Said::Closed(Reason::Replay);
                    return Ok(Some(row));
                }
                Ok(row.saying(&opened.kind, opened.content.expose(), Some(content)))
            }
            Err(reason) => {
                row.missing =
                    (reason == Reason::NoKey).then(|| (message.session(), message.index()));
                row.said = Said::Closed(reason);
                Ok(Some(row))
            }
        }
    }

    /// Tries every candidate. Of several faults the one counts that tells most: a key that should fit
    /// and does not, then the one that begins first.
    fn open(
        &mut self,
        message: &EncryptedMessage,
    ) -> Result<Result<OpenedMessage, Reason>, StoreError> {
        let session = message.session();
        if !self.keys.contains_key(&session) {
            let keys = self.reader.keys_of(&self.room_id, &session)?;
            self.keys.insert(session, keys);
        }
        let mut reason = Reason::NoKey;
        for stored in self.keys.get(&session).into_iter().flatten() {
            let fault = match message.open(&stored.key.key, &self.room_id) {
                Ok(opened) => {
                    if !stored.proven {
                        self.proven.entry(session).or_insert_with(|| stored.key.key.duplicate());
                    }
                    return Ok(Ok(opened));
                }
                Err(fault) => fault,
            };
            reason = match (reason, fault) {
                (
                    Reason::StartsLater { first: known, index },
                    MessageFault::StartsLater { first, .. },
                ) => Reason::StartsLater { first: known.min(first), index },
                (Reason::Mac, MessageFault::StartsLater { .. }) => Reason::Mac,
                (_, fault) => Reason::of_fault(&fault),
            };
        }
        Ok(Err(reason))
    }
}

/// What is left of an event that was redacted.
fn is_empty(content: &str) -> bool {
    content.strip_prefix('{').is_some_and(|rest| rest.trim_start() == "}")
}

impl Row {
    fn saying(mut self, kind: &str, content: &str, outside: Option<&str>) -> Option<Self> {
        let contents = read(kind, content, outside);
        self.kind = kind.to_owned();
        self.answers = contents.answers;
        self.edits = contents.edits;
        self.said = contents.said?;
        Some(self)
    }
}
