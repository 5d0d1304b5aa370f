//! What stands on the sixth screen: messages of one room, opened with what was restored.

use std::sync::Arc;

use super::{list::Cursor, message::Moment};
use crate::{
    base::failure::Failure,
    recovery::proof::{History, Message, said::Said},
};

/// Most messages that are kept in sight at once.
const MOST: usize = 2_000;

/// The state of the screen.
#[derive(Default)]
pub(super) struct ProofStep {
    /// The room.
    pub(super) room: Option<Arc<str>>,
    /// Its messages, the oldest first.
    pub(super) messages: Vec<Message>,
    /// Where older ones begin, if there are any.
    pub(super) earlier: Option<String>,
    /// There are more, but so many are enough for one look.
    pub(super) is_full: bool,
    /// The server was asked, and answered.
    pub(super) read: bool,
    /// Since when it is asked, while that lasts.
    pub(super) reading: Option<Moment>,
    /// Why nothing, or not all, was read.
    pub(super) failed: Option<Failure>,
    /// The focus, among the messages.
    pub(super) cursor: Cursor,
    /// The focus in the list of rooms.
    pub(super) rooms: Cursor,
}

/// How many messages say something, stay closed, and were deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) opened: usize,
    pub(super) closed: usize,
    pub(super) deleted: usize,
}

impl ProofStep {
    /// Another room.
    pub(super) fn of(room: Arc<str>) -> Self {
        Self { room: Some(room), ..Self::default() }
    }

    /// Takes messages: the newest ones, or those before the ones that are there.
    pub(super) fn take(&mut self, history: History) {
        let History { mut messages, earlier, shortfall, .. } = history;
        let older = messages.len();
        let first = self.messages.is_empty();
        self.failed = shortfall;
        messages.append(&mut self.messages);
        self.messages = messages;
        self.is_full = earlier.is_some() && self.messages.len() >= MOST;
        self.earlier = earlier.filter(|_| !self.is_full);
        // The focus stays on its message; at first it is on the newest.
        self.cursor.at = match first {
            true => self.messages.len().saturating_sub(1),
            false => self.cursor.at + older,
        };
        self.read = true;
    }

    /// The message in focus.
    pub(super) fn focus(&self) -> Option<&Message> {
        self.messages.get(self.cursor.at)
    }

    /// Goes to the next closed message, upwards, and from the oldest on to the newest.
    pub(super) fn go_to_closed(&mut self) -> bool {
        let closed = |place: &usize| {
            self.messages.get(*place).is_some_and(|one| matches!(one.said, Said::Closed(_)))
        };
        let above = (0..self.cursor.at).rev().find(closed);
        let found = above.or_else(|| (self.cursor.at..self.messages.len()).rev().find(closed));
        self.cursor.at = found.unwrap_or(self.cursor.at);
        found.is_some()
    }

    /// How many messages opened.
    pub(super) fn sum(&self) -> Sum {
        let mut sum = Sum::default();
        for message in &self.messages {
            *match message.said {
                Said::Closed(_) => &mut sum.closed,
                Said::Deleted => &mut sum.deleted,
                Said::Text(_) | Said::File(_) | Said::Other(_) => &mut sum.opened,
            } += 1;
        }
        sum
    }
}
