//! The search for a slip, as a screen above step 4 holds it.

use super::{list::Cursor, message::Moment};
use crate::{
    backup::repair::Slips,
    recovery::{repair::Repaired, slips::searched},
};

/// Possibilities that are tried in a second, until it is known better.
const USUAL: f64 = 2e7;
/// So long a search must have gone on before it tells how fast it is.
const TELLING: f64 = 0.5;

/// The screen: what it shows, and the first differing cell that is seen in a small window.
pub(super) struct Mend {
    pub(super) state: State,
    pub(super) cursor: Cursor,
}

/// How far the search is.
pub(super) enum State {
    /// It goes on.
    Searching(Searching),
    /// Answers, each proven.
    Found(Box<Repaired>),
    /// Nothing was found.
    Nothing {
        /// Possibilities that were tried.
        tried: u64,
        /// How long that took.
        took: Moment,
    },
}

/// A search that goes on.
pub(super) struct Searching {
    /// What is searched for, in this order, and how many possibilities each kind has.
    pub(super) stages: Vec<(Slips, u64)>,
    /// The kind that is being searched for.
    pub(super) now: usize,
    /// Possibilities of it that were tried.
    pub(super) tried: u64,
    /// Seconds left for it, once that can be told.
    pub(super) left: Option<u64>,
    begun: Moment,
}

impl Mend {
    /// A search that begins.
    pub(super) fn begun(now: Moment) -> Self {
        let searching = Searching { stages: Vec::new(), now: 0, tried: 0, left: None, begun: now };
        Self { state: State::Searching(searching), cursor: Cursor::default() }
    }

    /// Since when it searches, if it does.
    pub(super) fn since(&self) -> Option<Moment> {
        match &self.state {
            State::Searching(searching) => Some(searching.begun),
            _ => None,
        }
    }

    /// The search tells what it is at.
    pub(super) fn tells(&mut self, stage: &'static str, tried: u64, left: Option<u64>) {
        if let State::Searching(searching) = &mut self.state {
            let place = searching.stages.iter().position(|(slips, _)| searched(*slips) == stage);
            // Those before it have been gone through.
            searching.now = place.unwrap_or(searching.now).max(searching.now);
            (searching.tried, searching.left) = (tried, left);
        }
    }
}

impl Searching {
    /// All possibilities that were tried so far.
    pub(super) fn all_tried(&self) -> u64 {
        let before = self.stages.iter().take(self.now).map(|(_, of)| *of);
        before.fold(self.tried, u64::saturating_add)
    }

    /// About how many seconds so many possibilities take.
    pub(super) fn seconds(&self, of: u64, now: Moment) -> u64 {
        let since = now.saturating_sub(self.begun).as_secs_f64();
        let tried = self.all_tried() as f64;
        let each_second =
            if since > TELLING && tried > USUAL / 10.0 { tried / since } else { USUAL };
        (of as f64 / each_second) as u64
    }
}
