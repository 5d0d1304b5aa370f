//! The proof: messages of a room, opened with what was restored, and why the others stay closed.
//!
//! - [`history`] is the way in; `reading` reads pages backwards and puts them together, `opening` opens each
//!   message with the keys of the store; [`said`] has what a message says, [`reason`] why it says nothing.
//! - `elsewhere` asks the backups for keys that are missing here; [`words`] is a text that is private.
//!
//! Nothing is marked as read, nobody sees that it was asked for, and messages are kept nowhere. A
//! message that opens proves its key, which the store remembers. It does not prove who wrote it.

mod elsewhere;
mod opening;
mod reading;
pub mod reason;
pub mod said;
pub mod words;

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use jiff::Timestamp;
use tracing::debug;

use self::{opening::Opener, reading::Reading, said::Said, words::Words};
use super::{
    failures::IntoFailure,
    store::Kept,
    target,
    visit::{Place, Visit},
};
use crate::{
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        progress::Progress,
        random::SystemRandom,
        shown::Shown,
    },
    megolm::session_key::SessionKey,
};
pub(super) use opening::Sightings;

/// What somebody wants to read.
pub struct Wish {
    /// The folder with all accounts.
    pub data_dir: PathBuf,
    /// The room's id.
    pub room_id: String,
    /// Where to go on, as an earlier [`History::earlier`] said; `None` for the newest messages.
    pub from: Option<String>,
    /// Most messages wanted, at most [`crate::base::limits::HISTORY_MESSAGES`].
    pub limit: usize,
    /// A store that a secret opened by itself, for accounts whose locks on the server are others by now.
    pub kept: Option<Kept>,
}

/// A part of a room's history.
#[derive(Debug)]
pub struct History {
    /// The room.
    pub room_id: String,
    /// The messages, the oldest first.
    pub messages: Vec<Message>,
    /// Where older ones begin, if there are any.
    pub earlier: Option<String>,
    /// Messages that say something.
    pub readable: usize,
    /// Messages that stay closed.
    pub unreadable: usize,
    /// Messages that were deleted.
    pub deleted: usize,
    /// Events that could not be told apart at all, and are not among the messages.
    pub odd: usize,
    /// Why fewer were read than wanted, where something went wrong on the way.
    pub shortfall: Option<Failure>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The event's id; any text, checked by nobody.
    pub event_id: String,
    /// The Matrix id of who sent it, as the server says; any text, checked by nobody.
    pub sender: String,
    /// What they are called: their display name where it tells them apart, else their id.
    pub name: Shown,
    /// Whether it is the account's own.
    pub own: bool,
    /// When, as the sender's server says; `None` where that makes no sense.
    pub at: Option<Timestamp>,
    /// The type of the event, of the inner one where it opened; any text.
    pub kind: String,
    /// Whether it was locked. What was not could be read by everybody on the server.
    pub locked: bool,
    /// Whether its author changed it later; then this is what it says now.
    pub edited: bool,
    /// The message that it answers.
    pub answers: Option<Answered>,
    /// What it says, or why it says nothing.
    pub said: Said,
}

/// A message that is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The event's id; any text, checked by nobody.
    pub event_id: String,
    /// What it says, where it is among those that were read.
    pub words: Option<Words>,
}

impl Message {
    /// Its words, if it has any: of a file the text beside it or its name.
    pub fn words(&self) -> Option<&Words> {
        match &self.said {
            Said::Text(words) | Said::Other(Some(words)) => Some(words),
            Said::File(file) => Some(file.caption.as_ref().unwrap_or(&file.name)),
            Said::Other(None) | Said::Deleted | Said::Closed(_) => None,
        }
    }

    /// The stable word for why it says nothing (DESIGN §5).
    pub fn reason(&self) -> Option<&'static str> {
        match &self.said {
            Said::Deleted => Some("redacted"),
            Said::Closed(reason) => Some(reason.word()),
            _ => None,
        }
    }
}

/// Reads messages of a room, the newest or those before an earlier place, and opens them with the keys
/// of the store.
///
/// Once something was read, what goes wrong after it is told beside it.
pub async fn history(
    visit: &Visit,
    wish: Wish,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<History, Failure> {
    let Place::Server(account) = &visit.place else {
        return Err(Failure::new(Code::HistoryOffline));
    };
    let session = account.session();
    let unlocked = visit.unlocked.as_ref().ok_or_else(|| Failure::new(Code::SecretMissing))?;
    let (user_id, server) = (&visit.overview.user_id, &visit.overview.server);
    let Wish { data_dir, room_id, from, limit, kept } = wish;
    let kept = kept.and_then(|kept| kept.into_reader_of(user_id, server));
    let found = match kept {
        Some(reader) => Some(reader),
        None if unlocked.fits.is_empty() => return Err(visit.closed()),
        None => target::open_to_read(&visit.overview, unlocked, &data_dir)?,
    };
    let reader = found.ok_or_else(|| Failure::new(Code::StoreEmpty))?;
    let opener = Opener::new(reader, &room_id, visit.sightings());
    let mut reading = Reading::new(&room_id, from, limit);
    let opener = reading.read(session, opener, progress, cancel).await?;
    remember_proofs(visit, &data_dir, &room_id, &opener.into_proven());
    reading.explain(visit, session, cancel).await;
    Ok(reading.history(account.user_id()))
}

/// Notes in the store which keys are proven now. It is no reason to fail if that is not possible:
/// another run may be writing.
fn remember_proofs(visit: &Visit, data_dir: &Path, room_id: &str, proven: &[SessionKey]) {
    let Some(unlocked) = visit.unlocked.as_ref().filter(|_| !proven.is_empty()) else { return };
    let note = || {
        let mut target = target::Target::for_keys(&visit.overview, unlocked, data_dir)?;
        let Some(store) = target.store() else { return Ok(()) };
        let mut write = || {
            let mut batch = store.begin(Instant::now())?;
            for key in proven {
                batch.prove(room_id, key, &mut SystemRandom)?;
            }
            batch.commit()
        };
        write().map_err(IntoFailure::into_failure)
    };
    if let Err(failure) = note() {
        debug!(code = failure.code().word(), "proofs of keys are not remembered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A face with a window starts it as a task that any thread may go on with. Compiling is the test.
    const _: fn(&Visit, Wish, &dyn Progress, &Cancel) = |visit, wish, progress, cancel| {
        fn task(_: impl Send) {}
        task(history(visit, wish, progress, cancel));
    };
}
