//! Refused entries of which another place has a whole key: what is damaged in one backup version is often sound
//! in an older one, or on this computer already.

use std::{collections::BTreeMap, sync::Arc};

use super::{restore::Restored, target::Target};
use crate::{
    base::shown::{Shown, grouped},
    megolm::session_key::SessionId,
    store::{
        error::StoreError,
        planned::Plan,
        reader::Reader,
        sources::{Source, SourceId},
    },
};

/// Whole keys of refused entries, out of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spares {
    /// The other version; `None` for what is on this computer without one.
    pub version: Option<String>,
    /// How many. Only entries that are listed are counted.
    pub count: u64,
}

/// Looks for whole keys of what was refused in each version.
pub(super) fn find(runs: &mut [Restored], target: &Target) -> Result<(), StoreError> {
    if runs.iter().all(|run| run.tally.refused.is_empty()) {
        return Ok(());
    }
    target.look(|reader, plan| {
        let sources = reader.map_or(Ok(Vec::new()), Reader::sources)?;
        let shelf = Shelf { reader, plan, sources };
        for run in &mut *runs {
            let mut counts: BTreeMap<Option<String>, u64> = BTreeMap::new();
            for refused in &run.tally.refused {
                let Some(session) = SessionId::parse(&refused.session_id) else { continue };
                if let Some(place) = shelf.place_of(&refused.room_id, session, &run.version)? {
                    *counts.entry(place).or_default() += 1;
                }
            }
            let spares = counts.into_iter().map(|(version, count)| Spares { version, count });
            run.spares = spares.collect();
            run.spares.sort_by_key(|spares| (spares.version.is_none(), u64::MAX - spares.count));
        }
        Ok(())
    })
}

/// What there is.
struct Shelf<'a> {
    reader: Option<&'a Reader>,
    plan: Option<&'a Plan>,
    sources: Vec<(SourceId, Source)>,
}

impl Shelf<'_> {
    /// Where a whole key of a session is: `None` nowhere, else the version that has it besides this one.
    fn place_of(
        &self,
        room_id: &Arc<str>,
        session: SessionId,
        besides: &str,
    ) -> Result<Option<Option<String>>, StoreError> {
        if let Some(version) = self.plan.and_then(|plan| plan.brought_by(room_id, session)) {
            return Ok(Some(Some(version.to_owned())));
        }
        let Some(reader) = self.reader else { return Ok(None) };
        let keys = reader.keys_of(room_id, &session)?;
        let mut versions = keys.iter().flat_map(|key| &key.sources).filter_map(|id| {
            match self.sources.iter().find(|(known, _)| known == id) {
                Some((_, Source::Backup { version, .. })) if version != besides => Some(version),
                _ => None,
            }
        });
        Ok((!keys.is_empty()).then(|| versions.next().cloned()))
    }
}

impl Spares {
    /// How many of a version's refused keys are not missed, in words.
    pub fn words(&self, run: &Restored) -> String {
        let refused = grouped(run.tally.figures.refused);
        let (count, come) = match self.count {
            1 => ("1".to_owned(), "comes"),
            count => (grouped(count), "come"),
        };
        let least = (run.tally.refused.len() as u64) < run.tally.figures.refused;
        let least = if least { "at least " } else { "" };
        let version = Shown::limited(&run.version, 20);
        let of = format!("Of the {refused} refused keys of backup {version}, {least}{count}");
        match &self.version {
            Some(other) => {
                format!("{of} {come} whole out of backup {}.", Shown::limited(other, 20))
            }
            None if self.count == 1 => format!("{of} is on this computer already, whole."),
            None => format!("{of} are on this computer already, whole."),
        }
    }
}
