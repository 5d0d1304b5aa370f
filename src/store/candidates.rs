//! Which keys of one session are kept, and which of them is preferred (DESIGN §1, "Never worsen").
//!
//! Pure, and the same for every order of arrival: what is kept is a function of all keys ever seen.
//! - A key *covers* another if it is the same ratchet and reaches further back. That is exact: from an
//!   earlier ratchet the later one follows, but not the other way round.
//! - Backups and key files are judged apart, so that a server cannot push out what a file brought.
//!   On each side the keys stay that no other key of that side covers, at most
//!   [`limits::CANDIDATES`]: proven ones first, then lower first index, then SHA-256 of the export.
//!   A key that takes the place of one which it covers comes before it in this order, so a key that
//!   was once pushed out could never have stayed, whatever came before or after it.
//! - A key that a key of the other side covers stays, hidden: its provenance is worth keeping, and the
//!   one that covers it does not become more trusted by it.
//! - The proof by a message moves to whatever covers the proven key, which opens that message too. A
//!   proven key is never pushed out.

use std::cmp::Reverse;

use sha2::{Digest, Sha256};

use super::{
    record::{Record, Side},
    sources::Sources,
};
use crate::{base::limits, megolm::session_key::Standing};

/// The rank of a key that another one covers.
pub(super) const COVERED: u8 = u8::MAX;

/// What became of a key that was merged into the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Merged {
    /// The first key of its session.
    New,
    /// Reaches further back than a stored key of the same ratchet.
    Better,
    /// Adds nothing to what was stored: known, reaching less far, or one unproven candidate too many.
    Unchanged,
    /// Another ratchet than the stored ones; at most one of them is genuine.
    Candidate,
}

/// A key of the session at hand and the row it lies in.
pub(super) struct Candidate {
    pub(super) record: Record,
    /// Row and rank as stored; `None` for a key that is new.
    pub(super) stored: Option<(i64, u8)>,
    /// 0 is the preferred one, [`COVERED`] is hidden.
    pub(super) rank: u8,
    /// The record differs from what is stored.
    pub(super) changed: bool,
}

impl Candidate {
    /// Says whether some source still holds it; otherwise its row has to go.
    pub(super) fn stays(&self) -> bool {
        self.record.backup.is_some() || self.record.file.is_some()
    }
}

/// Takes a key in among those stored of the same session, and judges all of them anew.
pub(super) fn admit(candidates: &mut Vec<Candidate>, new: Record, sources: &Sources) -> Merged {
    let known = candidates.iter().position(|old| old.record.key.expose() == new.key.expose());
    match known.and_then(|place| candidates.get_mut(place)) {
        Some(old) => {
            for (side, held) in [(Side::Backup, new.backup), (Side::File, new.file)] {
                let Some(held) = held else { continue };
                old.changed |= match old.record.side_mut(side) {
                    Some(old) => old.absorb(held),
                    empty => empty.replace(held).is_none(),
                };
            }
        }
        None => {
            candidates.push(Candidate { record: new, stored: None, rank: COVERED, changed: true });
        }
    }
    let newest = candidates.len() - 1;
    let covers = Covers::among(candidates);
    move_proofs(candidates, &covers);
    for side in [Side::Backup, Side::File] {
        trim(candidates, side, &covers);
    }
    rank(candidates, &covers, sources);
    match candidates.get(newest) {
        _ if known.is_some() => Merged::Unchanged,
        Some(new) if new.rank == COVERED => Merged::Unchanged,
        _ if newest == 0 => Merged::New,
        _ if covers.below(newest).any(|old| was_shown(candidates, old)) => Merged::Better,
        _ => Merged::Candidate,
    }
}

/// Marks a stored key as proven by a message; `false` if it is not (or no longer) stored.
pub(super) fn prove(
    candidates: &mut [Candidate],
    is_it: impl Fn(&Record) -> bool,
    sources: &Sources,
) -> bool {
    let Some(proven) = candidates.iter_mut().find(|candidate| is_it(&candidate.record)) else {
        return false;
    };
    proven.changed |= !proven.record.proven;
    proven.record.proven = true;
    let covers = Covers::among(candidates);
    move_proofs(candidates, &covers);
    rank(candidates, &covers, sources);
    true
}

fn was_shown(candidates: &[Candidate], place: usize) -> bool {
    let stored = candidates.get(place).and_then(|candidate| candidate.stored);
    stored.is_some_and(|(_, rank)| rank != COVERED)
}

/// Pairs of places: the first covers the second.
struct Covers(Vec<(usize, usize)>);

impl Covers {
    fn among(candidates: &[Candidate]) -> Self {
        let mut pairs = Vec::new();
        for (b, later) in candidates.iter().enumerate() {
            for (a, earlier) in candidates.iter().enumerate().take(b) {
                match earlier.record.key.compare(&later.record.key) {
                    Standing::Better => pairs.push((a, b)),
                    Standing::Worse => pairs.push((b, a)),
                    Standing::Equal | Standing::Unconnected => {}
                }
            }
        }
        Self(pairs)
    }

    fn above(&self, place: usize) -> impl Iterator<Item = usize> {
        self.0.iter().filter(move |(_, below)| *below == place).map(|(above, _)| *above)
    }

    fn below(&self, place: usize) -> impl Iterator<Item = usize> {
        self.0.iter().filter(move |(above, _)| *above == place).map(|(_, below)| *below)
    }
}

fn move_proofs(candidates: &mut [Candidate], covers: &Covers) {
    let proven: Vec<usize> = places(candidates, |candidate| candidate.record.proven);
    for (place, candidate) in candidates.iter_mut().enumerate() {
        let own = proven.contains(&place) || covers.below(place).any(|n| proven.contains(&n));
        let proven = own && covers.above(place).next().is_none();
        candidate.changed |= proven != candidate.record.proven;
        candidate.record.proven = proven;
    }
}

/// Keeps what may stay on one side, and takes the others off it.
fn trim(candidates: &mut [Candidate], side: Side, covers: &Covers) {
    let members = places(candidates, |candidate| candidate.record.side(side).is_some());
    let mut kept: Vec<_> = members
        .iter()
        .filter(|member| !covers.above(**member).any(|above| members.contains(&above)))
        .filter_map(|member| Some((*member, candidates.get(*member)?)))
        .map(|(member, Candidate { record, .. })| {
            (!record.proven, record.key.first_known_index(), hash(record), member)
        })
        .collect();
    kept.sort_unstable();
    kept.truncate(limits::CANDIDATES);
    for (place, candidate) in candidates.iter_mut().enumerate() {
        let stays = candidate.record.proven || kept.iter().any(|(.., kept)| *kept == place);
        if !stays && candidate.record.side_mut(side).take().is_some() {
            candidate.changed = true;
        }
    }
}

/// Numbers what is shown, the preferred one first: proven, then from a key file (itself or a key that
/// it covers), then of the newest version, then by hash.
fn rank(candidates: &mut [Candidate], covers: &Covers, sources: &Sources) {
    let staying = places(candidates, Candidate::stays);
    let from_file = places(candidates, |candidate| candidate.record.file.is_some());
    let mut shown: Vec<_> = staying
        .iter()
        .filter(|place| !covers.above(**place).any(|above| staying.contains(&above)))
        .filter_map(|place| Some((*place, candidates.get(*place)?)))
        .map(|(place, Candidate { record, .. })| {
            let versions = record.backup.iter().flat_map(|held| &held.sources);
            let newest = versions.filter_map(|source| sources.age(*source)).max();
            let file =
                from_file.contains(&place) || covers.below(place).any(|n| from_file.contains(&n));
            let preference = (record.proven, file, newest);
            (Reverse(preference), hash(record), place)
        })
        .collect();
    shown.sort_unstable();
    for (place, candidate) in candidates.iter_mut().enumerate() {
        let rank = shown.iter().position(|(.., shown)| *shown == place);
        candidate.rank = rank.and_then(|rank| u8::try_from(rank).ok()).unwrap_or(COVERED);
    }
}

fn places(candidates: &[Candidate], is_one: impl Fn(&Candidate) -> bool) -> Vec<usize> {
    let numbered = candidates.iter().enumerate();
    numbered.filter(|(_, candidate)| is_one(candidate)).map(|(place, _)| place).collect()
}

fn hash(record: &Record) -> [u8; 32] {
    Sha256::digest(record.key.expose()).into()
}
