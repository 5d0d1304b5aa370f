//! Reads a source entry by entry and opens each on all cores, for whoever only wants to know: nothing is
//! kept and nothing written.

use std::{num::NonZero, sync::Arc, thread};

use super::{
    batch::Batch,
    contents::{self, Read},
    source::Source,
};
use crate::{
    backup::{
        decryption::{DecryptionKey, Refusal, Workroom},
        entry::{EntryFault, Metadata, RawEntry},
    },
    base::{
        cancel::Cancel,
        failure::Failure,
        progress::{News, Progress},
    },
    megolm::session_key::SessionId,
};

/// Entries between two pieces of news.
const NEWS: u64 = 500;

/// What an entry comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A key: opened, or, where no key opens it, what the entry says of itself.
    Key {
        /// The session.
        session: SessionId,
        /// The first message that it opens; `None` where nobody says.
        first: Option<u32>,
    },
    /// It is of no use, with the stable word of the reason (DESIGN §5).
    Refused(&'static str),
}

/// Hears of each entry: its room, and what it comes to.
pub(super) type Hears<T> = fn(&mut T, &Arc<str>, Verdict);

/// Reads a source to its end. With keys each entry is opened by the first of them; the others are tried on what
/// is locked for another one. Without any, only what is readable beside the locks is looked at. Entries come in
/// the order of the source.
pub(super) async fn read<T: Send + 'static>(
    source: Source,
    keys: Vec<DecryptionKey>,
    gathered: T,
    hears: Hears<T>,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
) -> Result<(T, Read), Failure> {
    let teller = Arc::clone(&progress);
    let bench = Bench::new(keys, gathered, hears);
    let (mut entries, mut bytes) = (0, 0);
    let visit = move |bench: &mut Bench<T>, entry: RawEntry<'_>| {
        bench.take(entry);
        entries += 1;
        bytes += entry.json.len() as u64;
        if entries % NEWS == 0 {
            teller.tell(News::Reading { bytes, entries });
        }
    };
    let (mut bench, read) = contents::visit(source, None, progress, cancel, bench, visit).await?;
    bench.clear();
    Ok((bench.gathered, read))
}

/// Where entries lie until there are enough of them for all cores.
struct Bench<T> {
    keys: Vec<DecryptionKey>,
    gathered: T,
    hears: Hears<T>,
    /// One batch for each core; those before `filling` are full.
    batches: Vec<Batch>,
    filling: usize,
    last_room: Arc<str>,
}

impl<T> Bench<T> {
    fn new(keys: Vec<DecryptionKey>, gathered: T, hears: Hears<T>) -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let batches = (0..cores).map(|_| Batch::default()).collect();
        Self { keys, gathered, hears, batches, filling: 0, last_room: Arc::from("") }
    }

    fn take(&mut self, entry: RawEntry<'_>) {
        let Some(batch) = self.batches.get_mut(self.filling) else { return };
        batch.push(entry, &mut self.last_room);
        if batch.is_full() {
            self.filling += 1;
        }
        if self.filling == self.batches.len() {
            self.clear();
        }
    }

    /// Opens all that lies here.
    fn clear(&mut self) {
        let (keys, batches) = (self.keys.as_slice(), &self.batches);
        let judged: Vec<Vec<Verdict>> = thread::scope(|scope| {
            let work = |batch| scope.spawn(move || judge_all(keys, batch));
            let threads: Vec<_> =
                batches.iter().filter(|batch| batch.len() > 0).map(work).collect();
            let done = threads.into_iter().map(thread::ScopedJoinHandle::join);
            done.map(|one| one.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        for (batch, verdicts) in self.batches.iter().zip(judged) {
            for ((room, _), verdict) in batch.entries().zip(verdicts) {
                (self.hears)(&mut self.gathered, room, verdict);
            }
        }
        self.batches.iter_mut().for_each(Batch::clear);
        self.filling = 0;
    }
}

fn judge_all(keys: &[DecryptionKey], batch: &Batch) -> Vec<Verdict> {
    let mut room = Workroom::default();
    batch.entries().map(|(_, entry)| judge(keys, &entry, &mut room)).collect()
}

fn judge(keys: &[DecryptionKey], entry: &RawEntry<'_>, room: &mut Workroom) -> Verdict {
    let mut verdict = by_itself(entry);
    for key in keys {
        verdict = match key.open(entry, room) {
            Ok(key) => {
                let first = Some(key.key.first_known_index());
                return Verdict::Key { session: key.session_id(), first };
            }
            Err(refusal @ Refusal::Mac) => Verdict::Refused(refusal.reason()),
            Err(refusal) => return Verdict::Refused(refusal.reason()),
        };
    }
    verdict
}

/// What an entry says of itself; an id that can be no session's is of no use with a key either.
fn by_itself(entry: &RawEntry<'_>) -> Verdict {
    match (entry.fault, SessionId::parse(entry.session_id)) {
        (Some(EntryFault::TooLarge), _) => Verdict::Refused("too_large"),
        (Some(_), _) => Verdict::Refused("malformed"),
        (None, None) => Verdict::Refused("id_mismatch"),
        (None, Some(session)) => {
            let first = Metadata::parse(entry.json).first_message_index;
            Verdict::Key { session, first: first.and_then(|first| first.try_into().ok()) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However many batches there are, every entry is heard of once and in its place.
    #[test]
    fn entries_come_in_their_order() {
        let mut bench = Bench::new(
            Vec::new(),
            Vec::new(),
            |seen: &mut Vec<(String, Verdict)>, room, verdict| {
                seen.push((room.to_string(), verdict));
            },
        );
        let id = crate::base::base64::encode(&[7; 32]);
        let all = 1_000;
        for number in 0..all {
            let (room, json) =
                (format!("!{}", number / 3), format!(r#"{{"first_message_index":{number}}}"#));
            let entry =
                RawEntry { room_id: &room, session_id: &id, json: json.as_bytes(), fault: None };
            bench.take(entry);
        }
        bench.clear();
        assert_eq!(bench.gathered.len(), all);
        for (number, (room, verdict)) in bench.gathered.iter().enumerate() {
            assert_eq!(*room, format!("!{}", number / 3));
            let first = Some(number as u32);
            assert_eq!(*verdict, Verdict::Key { session: SessionId::from_bytes([7; 32]), first });
        }
    }

    #[test]
    fn what_can_be_no_key_is_refused_without_one() {
        let entry = RawEntry { room_id: "!a", session_id: "short", json: b"{}", fault: None };
        assert_eq!(by_itself(&entry), Verdict::Refused("id_mismatch"));
        for (fault, reason) in [
            (EntryFault::TooLarge, "too_large"),
            (EntryFault::TooDeep, "malformed"),
            (EntryFault::BadName, "malformed"),
        ] {
            let entry = RawEntry { fault: Some(fault), ..entry };
            assert_eq!(by_itself(&entry), Verdict::Refused(reason));
        }
    }
}
