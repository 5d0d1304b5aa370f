//! What stands on the screen that shows two places beside each other.

use std::{cmp::Reverse, sync::Arc};

use super::list::Cursor;
use crate::{
    base::failure::Failure,
    recovery::diff::{Diff, RoomDiff},
};

/// What a backup is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Another version.
    Backup(String),
    /// The store on this computer.
    Store,
}

/// The state of the screen.
#[derive(Default)]
pub(super) struct Compare {
    /// The version that is compared.
    pub(super) own: String,
    /// With what.
    pub(super) beside: Option<Beside>,
    /// What came of it.
    pub(super) diff: Option<Diff>,
    /// The rooms in which the two differ, those first of which the first one has most alone.
    pub(super) order: Vec<Arc<str>>,
    /// The focus.
    pub(super) cursor: Cursor,
    /// Keys read so far.
    pub(super) keys: u64,
    /// Why nothing came of it.
    pub(super) failed: Option<Failure>,
}

impl Compare {
    /// Takes a comparison, and puts its rooms in their order.
    pub(super) fn take(&mut self, diff: Diff) {
        let weight = |room: &RoomDiff| {
            let RoomDiff { only_a, earlier_a, only_b, earlier_b, .. } = *room;
            Reverse((only_a, earlier_a, only_b, earlier_b))
        };
        let mut rooms: Vec<_> = diff.rooms.iter().filter(|(_, room)| !room.is_same()).collect();
        rooms.sort_by(|(a_id, a), (b_id, b)| weight(a).cmp(&weight(b)).then(a_id.cmp(b_id)));
        self.order = rooms.into_iter().map(|(id, _)| Arc::clone(id)).collect();
        self.cursor = Cursor::default();
        self.diff = Some(diff);
    }
}
