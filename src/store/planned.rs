//! What restoring several backup versions would do: a later one is weighed against what the earlier ones
//! would have brought, so that no key counts as new twice. Nothing is written.
//!
//! Of each key that would be written its 164 bytes are kept in memory, with about as much around them: some
//! 35 MB for 100 000 sessions. A plan of a single version keeps none.

use std::{collections::HashMap, sync::Arc};

use zeroize::Zeroizing;

use super::{
    candidates::{self, Candidate, Merged},
    error::StoreError,
    reader::Reader,
    record::{Held, Record},
    sources::Sources,
};
use crate::megolm::{
    room_key::{Claims, RoomKey},
    session_key::SessionId,
};

/// A plan over one or several versions.
pub struct Plan {
    reader: Option<Box<Reader>>,
    /// Only where several versions are planned.
    planned: Option<HashMap<(Arc<str>, SessionId), Planned>>,
    /// The names of the versions begun so far.
    versions: Vec<String>,
}

/// What a session would have by then.
#[derive(Default)]
struct Planned {
    /// Its keys with their ranks.
    keys: Vec<(Zeroizing<Box<[u8]>>, u8)>,
    /// The first version that would bring one, by its place.
    brought_by: usize,
}

impl Plan {
    /// A plan beside a store, if there is one.
    pub fn new(reader: Option<Reader>, several: bool) -> Self {
        let planned = several.then(HashMap::new);
        Self { reader: reader.map(Box::new), planned, versions: Vec::new() }
    }

    /// The store that it is weighed against.
    pub fn reader(&self) -> Option<&Reader> {
        self.reader.as_deref()
    }

    /// Goes on to a version.
    pub fn begin(&mut self, version: &str) {
        self.versions.push(version.to_owned());
    }

    /// What merging this key would give, after all that was weighed before.
    pub fn weigh(&mut self, room_id: &Arc<str>, key: RoomKey) -> Result<Merged, StoreError> {
        let Some(planned) = &mut self.planned else {
            return self.reader.as_ref().map_or(Ok(Merged::New), |reader| reader.weigh(key, false));
        };
        let place = (Arc::clone(room_id), key.session_id());
        let mut candidates = match (planned.get(&place), &self.reader) {
            (Some(planned), _) => planned.candidates(),
            (None, Some(reader)) => reader.candidates(&key.room_id, &key.session_id())?,
            (None, None) => Vec::new(),
        };
        let held = Held { sources: vec![0], claims: Claims::default() };
        let record = Record { key: key.key, proven: false, backup: Some(held), file: None };
        let merged = candidates::admit(&mut candidates, record, &Sources::default());
        if merged != Merged::Unchanged {
            let version = self.versions.len().saturating_sub(1);
            planned
                .entry(place)
                .or_insert_with(|| Planned { brought_by: version, ..Planned::default() })
                .keep(&candidates);
        }
        Ok(merged)
    }

    /// The version that would bring a session, if one would.
    pub fn brought_by(&self, room_id: &Arc<str>, session: SessionId) -> Option<&str> {
        let planned = self.planned.as_ref()?.get(&(Arc::clone(room_id), session))?;
        self.versions.get(planned.brought_by).map(String::as_str)
    }
}

impl Planned {
    /// As if all that was planned were stored.
    fn candidates(&self) -> Vec<Candidate> {
        let keys = self.keys.iter().enumerate();
        keys.filter_map(|(place, (record, rank))| {
            let stored = Some((i64::try_from(place).ok()?, *rank));
            Some(Candidate { record: Record::decode(record)?, stored, rank: *rank, changed: false })
        })
        .collect()
    }

    fn keep(&mut self, candidates: &[Candidate]) {
        let stay = candidates.iter().filter(|candidate| candidate.stays());
        // A record is made with room to grow, which would be as much again.
        let exact = |one: &Candidate| Zeroizing::new(Box::from(one.record.encode().as_slice()));
        self.keys = stay.map(|one| (exact(one), one.rank)).collect();
    }
}
