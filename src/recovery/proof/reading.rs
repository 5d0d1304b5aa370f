//! Pages read one after the other and put together: how many messages there are, whose text was changed
//! later, where missing keys are, what people are called.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::{
    Answered, History, Message, elsewhere::look_for, opening::Opener, reason::Reason, said::Said,
    words::Words,
};
use crate::{
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        limits,
        progress::{News, Progress},
        shown::Shown,
    },
    homeserver::{
        RequestError, Session,
        history::{Event, Page, page},
    },
    megolm::session_key::SessionId,
    recovery::{failures::IntoFailure, joined, visit::Visit},
    store::error::StoreError,
};

/// A message on its way: what it refers to is not looked up yet.
pub(super) struct Row {
    pub(super) event_id: String,
    pub(super) sender: String,
    pub(super) at: Option<Timestamp>,
    pub(super) kind: String,
    pub(super) locked: bool,
    /// How the account stood to the room, where the server tells.
    pub(super) membership: Option<String>,
    pub(super) answers: Option<String>,
    pub(super) edits: Option<String>,
    pub(super) edited: bool,
    pub(super) said: Said,
    /// The key that is missing, and the message's number in it.
    pub(super) missing: Option<(SessionId, u32)>,
}

impl Row {
    pub(super) fn of(event: &Event) -> Self {
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

/// What was read so far.
pub(super) struct Reading<'a> {
    room_id: &'a str,
    limit: usize,
    /// The newest first.
    rows: Vec<Row>,
    ids: BTreeSet<String>,
    people: BTreeMap<String, Shown>,
    odd: usize,
    earlier: Option<String>,
    shortfall: Option<Failure>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(room_id: &'a str, from: Option<String>, limit: usize) -> Self {
        let (rows, ids, people) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
        let limit = limit.clamp(1, limits::HISTORY_MESSAGES);
        Self { room_id, limit, rows, ids, people, odd: 0, earlier: from, shortfall: None }
    }

    /// Reads page after page until there are enough messages or no more.
    pub(super) async fn read(
        &mut self,
        session: &Session,
        mut opener: Opener,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Opener, Failure> {
        let mut places = BTreeSet::new();
        let mut largest = limits::HISTORY_EVENTS;
        let mut begun = false;
        for _ in 0..limits::HISTORY_PAGES {
            let missing = self.limit.saturating_sub(self.count()).min(largest);
            if missing == 0 {
                break;
            }
            let from = self.earlier.take();
            places.extend(from.clone());
            progress.tell(News::Messages { read: self.rows.len() as u64 });
            let asked = page(session, self.room_id, from.as_deref(), missing, cancel).await;
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
    pub(super) async fn explain(&mut self, visit: &Visit, session: &Session, cancel: &Cancel) {
        let mut wanted: Vec<SessionId> = Vec::new();
        for (id, _) in self.rows.iter().filter_map(|row| row.missing) {
            if !wanted.contains(&id) {
                wanted.push(id);
            }
        }
        let found = look_for(visit, session, self.room_id, &wanted, cancel).await;
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

    pub(super) fn history(mut self, own: &str) -> History {
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
            room_id: self.room_id.to_owned(),
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
