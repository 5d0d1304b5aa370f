//! The proof: messages of a room, opened with what was restored, and why the others stay closed.
//!
//! - [`history`] reads pages backwards and puts them together; `opening` opens each message with the
//!   keys of the store; [`said`] has what a message says, [`reason`] why it says nothing.
//! - `elsewhere` asks the backups for keys that are missing here; [`words`] is a text that is private.
//!
//! Nothing is marked as read, nobody sees that it was asked for, and messages are kept nowhere. A
//! message that opens proves its key, which the store remembers. It does not prove who wrote it.

mod elsewhere;
mod opening;
pub mod reason;
pub mod said;
pub mod words;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
    time::Instant,
};

use jiff::Timestamp;
use tracing::debug;

use self::{elsewhere::look_for, opening::Opener, reason::Reason, said::Said, words::Words};
use super::{
    failures::IntoFailure,
    joined,
    store::Kept,
    target,
    visit::{Place, Visit},
};
use crate::{
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        limits,
        progress::{News, Progress},
        random::SystemRandom,
        shown::Shown,
    },
    homeserver::{
        RequestError, Session,
        history::{Event, Page, page},
    },
    megolm::session_key::{SessionId, SessionKey},
    store::error::StoreError,
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
    /// Most messages wanted, at most [`limits::HISTORY_MESSAGES`].
    pub limit: usize,
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

/// A message on its way: what it refers to is not looked up yet.
struct Row {
    event_id: String,
    sender: String,
    at: Option<Timestamp>,
    kind: String,
    locked: bool,
    /// How the account stood to the room, where the server tells.
    membership: Option<String>,
    answers: Option<String>,
    edits: Option<String>,
    edited: bool,
    said: Said,
    /// The key that is missing, and the message's number in it.
    missing: Option<(SessionId, u32)>,
}

impl Row {
    fn of(event: &Event) -> Self {
        Self {
            event_id: event.event_id.clone(),
            sender: event.sender.clone(),
            at: event.at.and_then(|at| Timestamp::from_millisecond(at).ok()),
            kind: event.kind.clone(),
            locked: true,
            membership: event.membership.clone(),
            answers: None,
            edits: None,
            edited: false,
            said: Said::Other(None),
            missing: None,
        }
    }
}

/// Reads messages of a room, the newest or those before an earlier place, and opens them with the keys
/// of the store. `kept` is a store that a secret opened by itself, for accounts whose locks on the server
/// are others by now.
///
/// Once something was read, what goes wrong after it is told beside it.
pub async fn history(
    visit: &Visit,
    wish: Wish,
    kept: Option<Kept>,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<History, Failure> {
    let Place::Server(account) = &visit.place else {
        return Err(Failure::new(Code::HistoryOffline));
    };
    let session = account.session();
    let unlocked = visit.unlocked.as_ref().ok_or_else(|| Failure::new(Code::SecretMissing))?;
    let (user_id, server) = (&visit.overview.user_id, &visit.overview.server);
    let kept = kept.and_then(|kept| kept.into_reader_of(user_id, server));
    let found = match kept {
        Some(reader) => Some(reader),
        None if unlocked.fits.is_empty() => return Err(visit.closed()),
        None => target::open_to_read(&visit.overview, unlocked, &wish.data_dir)?,
    };
    let reader = found.ok_or_else(|| Failure::new(Code::StoreEmpty))?;
    let opener = Opener::new(reader, &wish.room_id, visit.sightings());
    let mut reading = Reading::new(&wish);
    let opener = reading.read(session, opener, progress, cancel).await?;
    remember_proofs(visit, &wish, opener.into_proven());
    reading.explain(visit, session, cancel).await;
    Ok(reading.history(account.user_id()))
}

/// What was read so far.
struct Reading<'a> {
    wish: &'a Wish,
    /// The newest first.
    rows: Vec<Row>,
    ids: BTreeSet<String>,
    people: BTreeMap<String, Shown>,
    odd: usize,
    earlier: Option<String>,
    shortfall: Option<Failure>,
}

impl<'a> Reading<'a> {
    fn new(wish: &'a Wish) -> Self {
        let (rows, ids, people) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
        let earlier = wish.from.clone();
        Self { wish, rows, ids, people, odd: 0, earlier, shortfall: None }
    }

    /// Reads page after page until there are enough messages or no more.
    async fn read(
        &mut self,
        session: &Session,
        mut opener: Opener,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Opener, Failure> {
        let limit = self.wish.limit.clamp(1, limits::HISTORY_MESSAGES);
        let mut places = BTreeSet::new();
        let mut largest = limits::HISTORY_EVENTS;
        let mut begun = false;
        for _ in 0..limits::HISTORY_PAGES {
            let missing = limit.saturating_sub(self.count()).min(largest);
            if missing == 0 {
                break;
            }
            let from = self.earlier.take();
            places.extend(from.clone());
            progress.tell(News::Messages { read: self.rows.len() as u64 });
            let asked = page(session, &self.wish.room_id, from.as_deref(), missing, cancel).await;
            let Page { events, odd, people, next } = match asked {
                Ok(page) => page,
                Err(RequestError::TooLarge { .. }) if largest > 1 => {
                    self.earlier = from;
                    largest /= 2;
                    continue;
                }
                Err(error) if !begun => return Err(no_history(error, &opener)),
                Err(error) => {
                    self.earlier = from;
                    self.shortfall = Some(error.into_failure());
                    break;
                }
            };
            begun = true;
            self.odd += odd;
            self.people.extend(people.into_iter().map(|person| (person.user_id, person.name)));
            let new: Vec<_> = events
                .into_iter()
                .filter(|event| self.ids.insert(event.event_id.clone()))
                .collect();
            let (given_back, rows) = open_all(opener, new).await?;
            opener = given_back;
            self.rows.extend(rows);
            match next {
                None => break,
                Some(next) if places.contains(&next) => {
                    self.shortfall = Some(Failure::new(Code::HistoryInCircles));
                    break;
                }
                Some(next) => self.earlier = Some(next),
            }
        }
        Ok(opener)
    }

    /// How many messages there are: what only changes another one of them is none.
    fn count(&self) -> usize {
        let edits = self.rows.iter().filter(|row| self.is_folded(row)).count();
        self.rows.len() - edits
    }

    fn is_folded(&self, row: &Row) -> bool {
        row.edits.as_ref().is_some_and(|edited| self.ids.contains(edited))
    }

    /// Finds out where missing keys are, and tells what was sent before the account came.
    async fn explain(&mut self, visit: &Visit, session: &Session, cancel: &Cancel) {
        let mut wanted: Vec<SessionId> = Vec::new();
        for (id, _) in self.rows.iter().filter_map(|row| row.missing) {
            if !wanted.contains(&id) {
                wanted.push(id);
            }
        }
        let found = look_for(visit, session, &self.wish.room_id, &wanted, cancel).await;
        for row in &mut self.rows {
            let Some((id, index)) = row.missing else { continue };
            let was_away = row.membership.as_deref().is_some_and(|stood| stood != "join");
            if let Some(found) = found.get(&id) {
                row.said = Said::Closed(found.reason(index));
            } else if was_away {
                row.said = Said::Closed(Reason::BeforeJoin);
            }
        }
    }

    fn history(mut self, own: &str) -> History {
        self.fold_edits();
        self.rows.reverse();
        let called = called(&self.people, own);
        let words: HashMap<String, Words> = self
            .rows
            .iter()
            .filter_map(|row| match &row.said {
                Said::Text(words) => Some((row.event_id.clone(), words.clone())),
                Said::File(file) => Some((row.event_id.clone(), file.name.clone())),
                _ => None,
            })
            .collect();
        let messages: Vec<Message> = self
            .rows
            .into_iter()
            .map(|row| Message {
                name: called(&row.sender),
                own: row.sender == own,
                answers: row
                    .answers
                    .map(|event_id| Answered { words: words.get(&event_id).cloned(), event_id }),
                event_id: row.event_id,
                sender: row.sender,
                at: row.at,
                kind: row.kind,
                locked: row.locked,
                edited: row.edited,
                said: row.said,
            })
            .collect();
        let count = |is_one: fn(&Said) -> bool| {
            messages.iter().filter(|message| is_one(&message.said)).count()
        };
        let unreadable = count(|said| matches!(said, Said::Closed(_)));
        let deleted = count(|said| matches!(said, Said::Deleted));
        History {
            room_id: self.wish.room_id.clone(),
            readable: messages.len() - unreadable - deleted,
            unreadable,
            deleted,
            messages,
            earlier: self.earlier,
            odd: self.odd,
            shortfall: self.shortfall,
        }
    }

    /// Puts the newest text of a message in place of its first one. Only its author can change it, and
    /// a message that was deleted or stays closed is not brought back by it.
    fn fold_edits(&mut self) {
        let (edits, mut rows): (Vec<Row>, Vec<Row>) =
            std::mem::take(&mut self.rows).into_iter().partition(|row| self.is_folded(row));
        // The newest first, as all rows.
        for edit in edits {
            let changed = rows.iter_mut().find(|row| Some(&row.event_id) == edit.edits.as_ref());
            let Some(row) = changed.filter(|row| row.sender == edit.sender && !row.edited) else {
                continue;
            };
            if row.locked && !edit.locked {
                // It could be read by the server, so the server could have made it up.
                continue;
            }
            if matches!(row.said, Said::Text(_) | Said::File(_) | Said::Other(_)) {
                row.said = edit.said;
                row.edited = true;
            }
        }
        // What changes a message further back stands for it.
        rows.iter_mut().filter(|row| row.edits.is_some()).for_each(|row| row.edited = true);
        self.rows = rows;
    }
}

/// Opens a page's events on a thread of its own, because that is calculation.
async fn open_all(mut opener: Opener, events: Vec<Event>) -> Result<(Opener, Vec<Row>), Failure> {
    let opened = tokio::task::spawn_blocking(move || {
        let mut rows = Vec::with_capacity(events.len());
        // The oldest first: of two with the same number it is more likely the first.
        for event in events.into_iter().rev() {
            rows.extend(opener.row(event)?);
        }
        rows.reverse();
        Ok::<_, StoreError>((opener, rows))
    });
    joined(opened.await)?.map_err(IntoFailure::into_failure)
}

/// Why there is not even a first page.
fn no_history(error: RequestError, opener: &Opener) -> Failure {
    if error.is_forbidden() || error.is_missing() {
        let keys = opener.count().unwrap_or_default();
        return Failure::new(Code::NotInRoom).with("n", keys).because(&error.to_string());
    }
    error.into_failure()
}

/// What people are called in a list of messages: those with the name of somebody else have their id
/// beside it, and those without a name have it alone. Nobody else is called “you”.
fn called<'a>(people: &'a BTreeMap<String, Shown>, own: &'a str) -> impl Fn(&str) -> Shown + 'a {
    let mut times: BTreeMap<&Shown, usize> = BTreeMap::new();
    for name in people.values() {
        *times.entry(name).or_default() += 1;
    }
    move |user_id| {
        let id = Shown::limited(user_id, limits::PERSON_NAME);
        match people.get(user_id) {
            None => id,
            Some(name) if name.as_str().is_empty() => id,
            Some(name) => {
                let several = times.get(name).is_some_and(|times| *times > 1);
                let pretends = name.as_str().eq_ignore_ascii_case("you") && user_id != own;
                match several || pretends {
                    true => Shown::new(&format!("{name} ({id})")),
                    false => name.clone(),
                }
            }
        }
    }
}

/// Notes in the store which keys are proven now. It is no reason to fail if that is not possible:
/// another run may be writing.
fn remember_proofs(visit: &Visit, wish: &Wish, proven: Vec<SessionKey>) {
    let Some(unlocked) = visit.unlocked.as_ref().filter(|_| !proven.is_empty()) else { return };
    let note = || {
        let mut target = target::Target::for_keys(&visit.overview, unlocked, &wish.data_dir)?;
        let Some(store) = target.store() else { return Ok(()) };
        let mut write = || {
            let mut batch = store.begin(Instant::now())?;
            for key in &proven {
                batch.prove(&wish.room_id, key, &mut SystemRandom)?;
            }
            batch.commit()
        };
        write().map_err(IntoFailure::into_failure)
    };
    if let Err(failure) = note() {
        debug!(code = failure.code().word(), "proofs of keys are not remembered");
    }
}
