//! A backup whose server cannot send it whole: room by room, and where even a room is too much, session
//! by session. No server lists the rooms of a backup, so they are those that anybody here knows of.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use serde::Deserialize;
use tokio::sync::mpsc::Sender;
use tracing::debug;

use super::{
    scan::{Standing, standing},
    sign_in::Account,
    snapshots::{Saver, in_folder},
    source::{Piece, Pumped, SourceFault, send, still_there},
};
use crate::{
    backup::scanner::{Scanner, Shape},
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        limits,
        progress::News,
        shown::grouped,
    },
    homeserver::{
        RequestError, history,
        room_keys::{KeysStream, Part, keys},
        rooms,
    },
    snapshot::{join::visit, reader::Snapshot},
    store::{folder::DataDir, names},
};

/// Times that a room's body may break before its sessions are asked for one by one.
const BREAKS: usize = 3;
/// Rooms, or keys of one room, that may fail one after the other before the others are not asked for.
const FAILURES: usize = 2;
/// Rooms between two looks at how many keys are still missing.
const ROOMS_BETWEEN: usize = 10;

/// What became of a backup that was read room by room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByRoom {
    /// Keys that came, those of the whole body before it broke included.
    pub keys: u64,
    /// Keys that the server counts, if it says so.
    pub all: Option<u64>,
    /// Rooms that could not be read.
    pub unread: u64,
}

impl ByRoom {
    /// Says whether it is all. Where the server does not count that cannot be known.
    pub fn is_whole(&self) -> bool {
        self.unread == 0 && self.all.is_some_and(|all| self.keys >= all)
    }

    /// Says in words why it is not all, if it is not known to be.
    pub(super) fn shortfall(&self) -> Option<Failure> {
        let all = self.all.map_or_else(|| "all".to_owned(), grouped);
        let failure = Failure::new(Code::RoomsMissing).with("m", grouped(self.keys));
        (!self.is_whole()).then(|| failure.with("all", all))
    }
}

/// Says whether a whole body that ended in this way is worth being asked for in parts.
pub(super) fn may_help(error: &RequestError) -> bool {
    matches!(
        error,
        RequestError::AnswerCut { .. }
            | RequestError::Silent { .. }
            | RequestError::ServerFault { .. }
            | RequestError::ConnectionLost { .. }
    )
}

/// A backup that is read in parts.
pub(super) struct Parts<'a> {
    pub(super) account: &'a Arc<Account>,
    pub(super) version: &'a str,
    /// Keys that the server counts.
    pub(super) all: Option<u64>,
    /// Where earlier visits left what they learnt of rooms.
    pub(super) data_dir: Option<&'a Path>,
    pub(super) to: &'a Sender<Piece>,
    pub(super) saver: Option<&'a mut Saver>,
    pub(super) cancel: &'a Cancel,
    /// What came so far.
    pub(super) pumped: Pumped,
}

/// What a room's keys came to.
enum Room {
    Read,
    Unread,
    /// Nobody hears any more.
    Closed,
}

impl Parts<'_> {
    /// Reads what the whole body left out. `error` is how that ended, and the answer where the server
    /// does not even tell which rooms the account is in.
    pub(super) async fn read(mut self, error: RequestError) -> Result<Pumped, SourceFault> {
        debug!(%error, "going on room by room");
        let Some(Standing { rooms: before, last, .. }) = standing(self.to).await else {
            return Ok(self.pumped);
        };
        let joined = match rooms::joined(self.account.session(), self.cancel).await {
            Ok(joined) => joined,
            Err(RequestError::Cancelled) => return Err(RequestError::Cancelled.into()),
            Err(_) => return Err(error.into()),
        };
        if let Some(saver) = &mut self.saver {
            saver.go_on_by_entries().map_err(SourceFault::Saving)?;
        }
        let known = self.known(&joined, &before);
        // The room in which the body broke comes first: its entries are known, and told apart.
        let mut wanted: Vec<&str> = last.as_deref().into_iter().collect();
        let left = known.keys().map(String::as_str);
        wanted
            .extend(left.filter(|room| !before.contains(*room) && Some(*room) != last.as_deref()));
        let count = wanted.len();
        let (mut unread, mut in_a_row) = (0, 0);
        for (place, room) in wanted.into_iter().enumerate() {
            let (done, all) = (place as u64, count as u64);
            self.cancel.tell(News::RoomByRoom { done, all });
            let sessions = known.get(room).map(Vec::as_slice).unwrap_or_default();
            match self.room(room, sessions).await? {
                Room::Read => in_a_row = 0,
                Room::Unread => {
                    unread += 1;
                    in_a_row += 1;
                }
                Room::Closed => return Ok(self.pumped),
            }
            if in_a_row == FAILURES {
                if unread == done + 1 {
                    // Parts help no more than the whole.
                    return Err(error.into());
                }
                unread += all - done - 1;
                break;
            }
            if place % ROOMS_BETWEEN == 0
                && let Some(all) = self.all
                && standing(self.to).await.is_none_or(|standing| standing.entries >= all)
            {
                break;
            }
        }
        let keys = standing(self.to).await.map_or(0, |standing| standing.entries);
        self.pumped.by_room = Some(ByRoom { keys, all: self.all, unread });
        Ok(self.pumped)
    }

    /// All rooms that anybody knows of, with the sessions that older snapshots hold of them.
    fn known(&self, joined: &[String], before: &BTreeSet<String>) -> BTreeMap<String, Vec<String>> {
        let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for room in joined.iter().chain(before) {
            known.entry(room.clone()).or_default();
        }
        let folder = self.data_dir.and_then(|data_dir| {
            let account = (self.account.user_id(), self.account.server());
            DataDir::find(data_dir).ok()??.find_account(account.0, &account.1).ok()?
        });
        let Some(folder) = folder else { return known };
        for room in names::remembered(&folder).unwrap_or_default().into_keys() {
            known.entry(room).or_default();
        }
        for file in in_folder(folder.path()) {
            let Ok(snapshot) = Snapshot::open(&file) else { continue };
            // One that cannot be read further has told what it could.
            let _ = visit(snapshot, |entry| {
                let sessions = known.entry(entry.room_id.to_owned()).or_default();
                sessions.push(entry.session_id.to_owned());
            });
        }
        known.retain(|room, _| (1..=limits::NAME).contains(&room.len()));
        known
    }

    async fn room(&mut self, room: &str, sessions: &[String]) -> Result<Room, SourceFault> {
        for _ in 0..BREAKS {
            let asked = self.ask(Part::Room(room)).await;
            let shape = Shape::Room { room_id: room.to_owned() };
            let drained = match asked {
                Ok(stream) => self.drain(stream, shape).await?,
                Err(error) => Err(error),
            };
            match drained {
                Ok(open) => return Ok(if open { Room::Read } else { Room::Closed }),
                // Some servers know no room without keys.
                Err(error) if error.is_missing() => {
                    still_there(self.account, self.version, error, self.cancel).await?;
                    return Ok(Room::Read);
                }
                Err(RequestError::ConnectionLost { received }) if received > 0 => {}
                Err(error) if may_help(&error) => break,
                Err(RequestError::Refused { .. } | RequestError::NameUnsendable) => {
                    return Ok(Room::Unread);
                }
                Err(error) => return Err(error.into()),
            }
            if standing(self.to).await.is_none() {
                return Ok(Room::Closed);
            }
        }
        self.by_session(room, sessions).await
    }

    /// The sessions of a room that anybody knows of: from older snapshots, and from the room's own
    /// messages, each of which names its session.
    async fn by_session(&mut self, room: &str, known: &[String]) -> Result<Room, SourceFault> {
        let mut wanted: BTreeSet<String> = known.iter().cloned().collect();
        let mut from = None;
        for _ in 0..limits::HISTORY_PAGES {
            let session = self.account.session();
            let page =
                history::page(session, room, from.as_deref(), limits::HISTORY_EVENTS, self.cancel);
            match page.await {
                Ok(page) => {
                    let named = page.events.iter().filter(|event| event.kind == ENCRYPTED);
                    wanted.extend(named.filter_map(|event| session_of(event.content.get())));
                    // A place that comes again leads nowhere.
                    if page.next.is_none() || page.next == from {
                        break;
                    }
                    from = page.next;
                }
                Err(RequestError::Cancelled) => return Err(RequestError::Cancelled.into()),
                Err(error) => {
                    debug!(%error, "a room's messages tell of no more sessions");
                    break;
                }
            }
        }
        let mut whole = !wanted.is_empty();
        let mut in_a_row = 0;
        for session in wanted {
            let shape = Shape::Session { room_id: room.to_owned(), session_id: session.clone() };
            let drained = match self.ask(Part::Session { room, session: &session }).await {
                Ok(stream) => self.drain(stream, shape).await?,
                Err(error) => Err(error),
            };
            match drained {
                Ok(true) => in_a_row = 0,
                Ok(false) => return Ok(Room::Closed),
                Err(RequestError::Cancelled) => return Err(RequestError::Cancelled.into()),
                Err(error) if error.is_missing() => {}
                Err(error) => {
                    debug!(%error, "one key left out");
                    whole = false;
                    in_a_row += 1;
                    if standing(self.to).await.is_none() {
                        return Ok(Room::Closed);
                    }
                    if in_a_row == FAILURES {
                        break;
                    }
                }
            }
        }
        Ok(if whole { Room::Read } else { Room::Unread })
    }

    async fn ask(&self, part: Part<'_>) -> Result<KeysStream, RequestError> {
        let left = limits::KEYS_BODY.saturating_sub(self.pumped.bytes);
        keys(self.account.session(), self.version, part, left, self.cancel).await
    }

    /// Hands a body on to its end; `false` inside when nobody hears. What broke in it is inside, too.
    async fn drain(
        &mut self,
        mut stream: KeysStream,
        shape: Shape,
    ) -> Result<Result<bool, RequestError>, SourceFault> {
        let mut scanner = Scanner::new(shape.clone());
        if self.to.send(Piece::Begin(shape)).await.is_err() {
            return Ok(Ok(false));
        }
        loop {
            let bytes = match stream.next().await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return Ok(Ok(true)),
                Err(error) => return Ok(Err(error)),
            };
            self.pumped.bytes += bytes.len() as u64;
            if let Some(saver) = &mut self.saver {
                // Where it makes no sense the other scanner tells it.
                let _ = scanner.feed(&bytes, &mut |entry| saver.add(&entry));
            }
            if !send(self.to, bytes).await {
                return Ok(Ok(false));
            }
        }
    }
}

const ENCRYPTED: &str = "m.room.encrypted";

/// The session that a locked message names.
fn session_of(content: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Locked {
        session_id: String,
    }
    let locked: Locked = serde_json::from_str(content).ok()?;
    (1..=limits::NAME).contains(&locked.session_id.len()).then_some(locked.session_id)
}
