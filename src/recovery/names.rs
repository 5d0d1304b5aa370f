//! What rooms are called, for people to find theirs, by the cheapest means: what is remembered, then
//! one answer for many rooms, then the rooms one by one.
//!
//! Nothing here ever fails. Names are asked for after the keys are safe, and a fault leaves rooms
//! without one. Logs say that there was a fault, but neither in which room nor in the server's words.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use futures_util::{StreamExt, stream};
use tracing::debug;

use super::{
    one_room::{Heard, ask_one, ask_summary, named, named_itself, people_of_direct_chats},
    snapshots,
    visit::{Place, Visit},
};
use crate::{
    base::{
        cancel::Cancel,
        limits,
        progress::{News, Progress, Stage},
        shown::Shown,
    },
    homeserver::{
        RequestError, Session, account_data,
        rooms::{self, Said},
        sliding_sync,
    },
    store::names::{self as memory, Remembered},
};

pub use super::one_room::RoomName;
pub use crate::store::names::Kind;

/// Finds out what rooms are called, and tells each name as soon as it is known. A room may be told
/// again when something better or newer is found; one without any name is told at the end.
///
/// What an earlier run or this visit heard comes first, and lasts where the server tells nothing more.
/// Offline there is only that, and the names that a snapshot brought along. `data_dir` is where names
/// are remembered: in the account's folder, if there is one.
pub async fn names(
    visit: &Visit,
    rooms: &[Arc<str>],
    data_dir: Option<&Path>,
    told: &mut (dyn FnMut(&Arc<str>, &RoomName) + Send),
    progress: &dyn Progress,
    cancel: &Cancel,
) {
    let cancel = &cancel.hurried();
    let folder = data_dir.and_then(|data_dir| visit.overview.folder(data_dir));
    let remembered = folder.as_ref().map(memory::remembered).and_then(Result::ok);
    let remembered = remembered.unwrap_or_default();
    let mut naming = Naming::new(rooms, told);
    let account = match &visit.place {
        Place::Server(account) => account,
        Place::Snapshot { file, .. } => {
            naming.brought_along(snapshots::names(file));
            naming.remembered(&remembered);
            naming.end();
            return;
        }
    };
    naming.heard_before(&visit.heard());
    naming.remembered(&remembered);
    if !naming.unheard().is_empty() {
        progress.tell(News::Began(Stage::Naming));
        let session = account.session();
        let mut asked = naming.ask_all(session, cancel).await;
        naming.name_direct_chats();
        if asked.is_ok() {
            asked = naming.ask_as_a_stranger(session, cancel).await;
        }
        if let Err(error) = &asked {
            debug!(why = kind_of(error), "not all rooms were asked for their names");
        }
        naming.end();
        visit.hear(naming.heard(asked.is_ok()));
        progress.finish();
    }
    let new = naming.to_remember(&remembered);
    if let (Some(folder), false) = (folder, new.is_empty())
        && let Err(error) = folder.share().and_then(|lock| memory::remember(&lock, &new))
    {
        debug!(%error, "names of rooms are not remembered");
    }
}

/// A room and what is known of its name.
#[derive(Default)]
struct Known {
    /// The best that was told.
    told: Option<RoomName>,
    /// Whether this visit heard it from the server, or asked in vain.
    heard: bool,
}

/// The work on one call's rooms.
struct Naming<'a> {
    rooms: BTreeMap<Arc<str>, Known>,
    told: &'a mut (dyn FnMut(&Arc<str>, &RoomName) + Send),
    /// The rooms that the account is in, if the server says.
    joined: Option<BTreeSet<String>>,
    /// The other person of direct chats, by room.
    direct: BTreeMap<String, String>,
    /// Rooms that the server kept from us in every way.
    refused: Vec<Arc<str>>,
    faults: usize,
}

impl<'a> Naming<'a> {
    fn new(rooms: &[Arc<str>], told: &'a mut (dyn FnMut(&Arc<str>, &RoomName) + Send)) -> Self {
        Self {
            rooms: rooms.iter().map(|room| (Arc::clone(room), Known::default())).collect(),
            told,
            joined: None,
            direct: BTreeMap::new(),
            refused: Vec::new(),
            faults: 0,
        }
    }

    /// Takes what is known now of a room, and tells it unless it was told already.
    fn take(&mut self, room: &Arc<str>, name: RoomName, heard: bool) {
        let Some(known) = self.rooms.get_mut(room) else { return };
        known.heard |= heard;
        if known.told.as_ref() != Some(&name) {
            (self.told)(room, &name);
            known.told = Some(name);
        }
    }

    fn brought_along(&mut self, names: BTreeMap<Arc<str>, Shown>) {
        for (room, name) in names {
            if !name.as_str().is_empty() {
                self.take(&room, RoomName::new(name, Kind::Named), false);
            }
        }
    }

    fn heard_before(&mut self, heard: &BTreeMap<Arc<str>, RoomName>) {
        for room in self.all() {
            if let Some(name) = heard.get(&room) {
                self.take(&room, name.clone(), true);
            }
        }
    }

    fn remembered(&mut self, names: &BTreeMap<String, Remembered>) {
        for room in self.all() {
            let told = self.rooms.get(&room).is_some_and(|known| known.told.is_some());
            if let (Some(old), false) = (names.get(&*room), told) {
                let name = RoomName { left: old.left, ..RoomName::new(old.name.clone(), old.kind) };
                self.take(&room, name, false);
            }
        }
    }

    fn all(&self) -> Vec<Arc<str>> {
        self.rooms.keys().cloned().collect()
    }

    /// The rooms that this visit heard nothing of; those without any name first.
    fn unheard(&self) -> Vec<Arc<str>> {
        let unheard = self.rooms.iter().filter(|(_, known)| !known.heard);
        let (named, nameless): (Vec<_>, Vec<_>) =
            unheard.partition(|(_, known)| known.told.is_some());
        nameless.into_iter().chain(named).map(|(room, _)| Arc::clone(room)).collect()
    }

    /// The rooms to ask for. What is remembered of one that was left is not asked again.
    fn wanted(&self) -> Vec<Arc<str>> {
        let mut wanted = self.unheard();
        wanted.retain(|room| {
            let told = self.rooms.get(room).and_then(|known| known.told.as_ref());
            !(self.is_left(room) && told.is_some_and(RoomName::lasts))
        });
        wanted
    }

    fn is_left(&self, room: &str) -> bool {
        self.joined.as_ref().is_some_and(|joined| !joined.contains(room))
    }

    /// Asks an account's server. An error ends it: too many faults, a wish to stop, a server that asks
    /// to wait. What was heard before stays good.
    async fn ask_all(&mut self, session: &Session, cancel: &Cancel) -> Result<(), RequestError> {
        let joined = rooms::joined(session, cancel).await;
        self.joined = self.unless_fault(joined)?.map(|joined| joined.into_iter().collect());
        let direct = account_data::get(session, "m.direct", cancel).await;
        if let Some(Some(direct)) = self.unless_fault(direct)? {
            self.direct = people_of_direct_chats(direct.get(), session.user().as_str());
        }
        self.ask_many_at_once(session, cancel).await?;
        self.ask_each(session, cancel).await
    }

    /// One answer for many rooms, where the server knows how.
    async fn ask_many_at_once(
        &mut self,
        session: &Session,
        cancel: &Cancel,
    ) -> Result<(), RequestError> {
        let wanted = self.wanted();
        if wanted.is_empty() {
            return Ok(());
        }
        let offered = sliding_sync::is_offered(session, cancel).await;
        if self.unless_fault(offered)? != Some(true) {
            return Ok(());
        }
        let (mut rest, mut page) = (wanted.as_slice(), limits::NAMES_ON_A_PAGE);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(page));
            let ids: Vec<&str> = now.iter().map(|room| &**room).collect();
            let answer = match sliding_sync::rooms(session, &ids, cancel).await {
                Err(RequestError::TooLarge { .. }) => {
                    page = now.len() / 2;
                    if page < limits::NAMES_ON_THE_SHORTEST_PAGE {
                        return Ok(());
                    }
                    continue;
                }
                answer => answer,
            };
            let Some(answer) = self.unless_fault(answer)? else { return Ok(()) };
            for room in now {
                if let Some(name) = answer.get(&**room).and_then(|told| named(told, session)) {
                    self.take_heard(room, name);
                }
            }
            rest = later;
        }
        Ok(())
    }

    /// The rooms one by one, a few at a time.
    async fn ask_each(&mut self, session: &Session, cancel: &Cancel) -> Result<(), RequestError> {
        let wanted = self.wanted().into_iter();
        let wanted: Vec<_> = wanted.map(|room| (self.is_left(&room), room)).collect();
        let asked = wanted.into_iter().map(|(left, room)| ask_one(session, room, left, cancel));
        let mut answers = stream::iter(asked).buffer_unordered(limits::NAMES_AT_A_TIME);
        while let Some((room, answer)) = answers.next().await {
            match self.unless_fault(answer)? {
                Some(Heard::Name(name)) => self.take_heard(&room, name),
                Some(Heard::Refused) => self.refused.push(room),
                Some(Heard::Nothing) | None => {}
            }
        }
        Ok(())
    }

    /// Takes what the server says. That a room is empty is no reason to forget who was in it.
    fn take_heard(&mut self, room: &Arc<str>, heard: RoomName) {
        let left = self.is_left(room);
        let told = self.rooms.get(room).and_then(|known| known.told.clone());
        let name = match told {
            Some(told) if heard.gives_way() && !told.gives_way() => {
                RoomName { people: heard.people, ..told }
            }
            _ => heard,
        };
        self.take(room, RoomName { left, ..name }, true);
    }

    /// Names direct chats that nobody else names after the other person's id.
    fn name_direct_chats(&mut self) {
        for (room, person) in std::mem::take(&mut self.direct) {
            let room: Arc<str> = Arc::from(room);
            let Some(Known { told, .. }) = self.rooms.get(&room) else { continue };
            let people = told.as_ref().and_then(|told| told.people);
            let person = Shown::limited(&person, limits::ROOM_NAME);
            if told.as_ref().is_none_or(RoomName::gives_way) && !person.as_str().is_empty() {
                self.take_heard(&room, RoomName { people, ..RoomName::new(person, Kind::Direct) });
            }
        }
    }

    /// Asks what strangers may know of rooms that the server keeps from us. It may ask other servers
    /// for it, so there is an end to it in number and in time.
    async fn ask_as_a_stranger(
        &mut self,
        session: &Session,
        cancel: &Cancel,
    ) -> Result<(), RequestError> {
        let mut wanted = std::mem::take(&mut self.refused);
        wanted.retain(|room| self.rooms.get(room).is_some_and(|known| known.told.is_none()));
        wanted.sort();
        wanted.truncate(limits::SUMMARIES);
        let asked = wanted.into_iter().map(|room| ask_summary(session, room, cancel));
        let mut answers = stream::iter(asked).buffer_unordered(limits::NAMES_AT_A_TIME);
        let all = async {
            while let Some((room, answer)) = answers.next().await {
                match answer {
                    // A server that has no such endpoint has no fault.
                    Err(error) if error.is_unrecognized() => return Ok(()),
                    answer => {
                        if let Some(Said::That(told)) = self.unless_fault(answer)?
                            && let Some(name) = named_itself(&told)
                        {
                            self.take_heard(&room, name);
                        }
                    }
                }
            }
            Ok(())
        };
        tokio::time::timeout(limits::SUMMARIES_TIME, all).await.unwrap_or(Ok(()))
    }

    /// The answer, or nothing after a fault that others need not have. An error is the reason to ask
    /// for nothing more.
    fn unless_fault<T>(
        &mut self,
        answer: Result<T, RequestError>,
    ) -> Result<Option<T>, RequestError> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(RequestError::Odd { .. } | RequestError::TooLarge { .. }) => Ok(None),
            Err(
                error @ (RequestError::Refused { .. }
                | RequestError::ServerFault { .. }
                | RequestError::AnswerCut { .. }
                | RequestError::NotMatrix { .. }
                | RequestError::Silent { .. }
                | RequestError::ConnectionLost { .. }),
            ) => {
                self.faults += 1;
                if self.faults < limits::NAMES_FAULTS { Ok(None) } else { Err(error) }
            }
            Err(error) => Err(error),
        }
    }

    /// Tells of every room what stands at last: where the account has left meanwhile, and where there
    /// is no name.
    fn end(&mut self) {
        for room in self.all() {
            let told = self.rooms.get(&room).and_then(|known| known.told.clone());
            let left = match (&self.joined, &told) {
                (None, Some(told)) => told.left,
                _ => self.is_left(&room),
            };
            self.take(&room, RoomName { left, ..told.unwrap_or_default() }, false);
        }
    }

    /// What need not be asked again: all that was heard, and if nothing kept us from asking, all.
    fn heard(&self, all: bool) -> BTreeMap<Arc<str>, RoomName> {
        let heard = self.rooms.iter().filter(|(_, known)| all || known.heard);
        let heard = heard.filter_map(|(room, known)| Some((Arc::clone(room), known.told.clone()?)));
        heard.collect()
    }

    /// The names that are not remembered yet, or differently.
    fn to_remember(&self, old: &BTreeMap<String, Remembered>) -> BTreeMap<String, Remembered> {
        let told = self.rooms.iter().filter_map(|(room, known)| {
            let RoomName { name, kind, left, .. } = known.told.clone()?;
            Some((room.to_string(), Remembered { name: name?, kind, left }))
        });
        told.filter(|(room, name)| old.get(room) != Some(name)).collect()
    }
}

/// What kind of error it is, in our own words: the server's could name a room.
fn kind_of(error: &RequestError) -> &'static str {
    match error {
        RequestError::AskedToWait { .. } => "the server asks to wait",
        RequestError::Cancelled => "stopped",
        RequestError::TokenUnknown { .. } => "the session is over",
        _ => "too many faults",
    }
}
