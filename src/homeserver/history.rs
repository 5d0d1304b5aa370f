//! The events of a room, page by page backwards (spec: getting events for a room).
//!
//! Each event is read on its own, so that an odd one never costs the others. Nothing is marked as read,
//! and nobody sees that it was asked for.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{
    answer,
    error::RequestError,
    request::Request,
    rooms::{Person, person},
    session::Session,
};
use crate::base::{cancel::Cancel, limits, shown::Shown};

const EXPECTED: &str = "a page of a room's history";

/// What is asked for: messages, locked or not, and who wrote them.
const FILTER: &str =
    r#"{"lazy_load_members":true,"types":["m.room.encrypted","m.room.message","m.sticker"]}"#;

/// A page of a room's history.
#[derive(Debug)]
pub struct Page {
    /// Its events, the newest first, as far as they can be told apart.
    pub events: Vec<Event>,
    /// Events without an id or a sender, far too large or far too many: nobody can show them.
    pub odd: usize,
    /// Who wrote them, as far as the server tells.
    pub people: Vec<Person>,
    /// Where the next page begins, further back; `None` at the beginning of what the account may see.
    /// A page can be empty and have one.
    pub next: Option<String>,
}

/// One event as the server shows it; all of it any text, checked by nobody.
#[derive(Clone)]
pub struct Event {
    /// Its id.
    pub event_id: String,
    /// Who sent it.
    pub sender: String,
    /// When, in milliseconds since 1970, as the sender's server says.
    pub at: Option<i64>,
    /// Its type.
    pub kind: String,
    /// Its content, as JSON. Of a message that was never locked it is the text itself.
    pub content: Box<RawValue>,
    /// Whether it was redacted.
    pub redacted: bool,
    /// How the account stood to the room when it was sent, where the server tells: `join`, `invite`, …
    pub membership: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    chunk: Vec<Box<RawValue>>,
    #[serde(default)]
    state: Value,
    #[serde(default)]
    end: Value,
}

#[derive(Deserialize)]
struct Raw {
    event_id: String,
    sender: String,
    r#type: String,
    #[serde(default)]
    origin_server_ts: Value,
    content: Box<RawValue>,
    #[serde(default)]
    state_key: Value,
    #[serde(default)]
    unsigned: Value,
}

/// The page that begins at `from`, or the newest one. `wanted` is the most events that are of use.
///
/// A room that the account is not in (any more) is [`RequestError::is_forbidden`].
pub async fn page(
    session: &Session,
    room: &str,
    from: Option<&str>,
    wanted: usize,
    cancel: &Cancel,
) -> Result<Page, RequestError> {
    let wanted = wanted.clamp(1, limits::HISTORY_EVENTS);
    let mut request = Request::get("/_matrix/client/v3/rooms/{}/messages", &[room])
        .query("dir", "b")
        .query("limit", &wanted.to_string())
        .query("filter", FILTER);
    if let Some(from) = from {
        request = request.query("from", from);
    }
    let parse = |answer: answer::Answer| {
        answer.json_within::<Answer>(limits::HISTORY_PAGE, EXPECTED, cancel)
    };
    let answer = session.ask(request, cancel, parse).await?;
    let mut events = Vec::with_capacity(answer.chunk.len());
    let mut odd = answer.chunk.len().saturating_sub(limits::HISTORY_CHUNK);
    for raw in answer.chunk.iter().take(limits::HISTORY_CHUNK) {
        match read(raw.get()) {
            Some(Read::Message(event)) => events.push(event),
            Some(Read::State) => {}
            None => odd += 1,
        }
    }
    let people = answer.state.as_array().into_iter().flatten().filter_map(member).collect();
    Ok(Page { events, odd, people, next: token(&answer.end)? })
}

enum Read {
    Message(Event),
    /// Not every server knows the filter.
    State,
}

fn read(json: &str) -> Option<Read> {
    // serde would take a list for the object, too.
    if json.len() > limits::EVENT || !json.starts_with('{') {
        return None;
    }
    let raw: Raw = serde_json::from_str(json).ok()?;
    if !raw.state_key.is_null() {
        return Some(Read::State);
    }
    let short = |text: &str| !text.is_empty() && text.len() <= limits::NAME;
    if ![&raw.event_id, &raw.sender, &raw.r#type].into_iter().all(|text| short(text)) {
        return None;
    }
    let told = |name: &str| raw.unsigned.get(name);
    let membership = told("membership").or_else(|| told("io.element.msc4115.membership"));
    Some(Read::Message(Event {
        at: raw.origin_server_ts.as_i64(),
        redacted: told("redacted_because").is_some_and(Value::is_object),
        membership: membership.and_then(Value::as_str).map(str::to_owned),
        event_id: raw.event_id,
        sender: raw.sender,
        kind: raw.r#type,
        content: raw.content,
    }))
}

fn member(event: &Value) -> Option<Person> {
    if event.get("type")?.as_str()? != "m.room.member" {
        return None;
    }
    let name = event.get("content").and_then(|content| content.get("displayname"));
    let user_id = event.get("state_key")?.as_str()?;
    (user_id.len() <= limits::NAME).then(|| person(user_id, name))
}

fn token(end: &Value) -> Result<Option<String>, RequestError> {
    match end.as_str() {
        None => Ok(None),
        Some(token) if (1..=limits::HISTORY_TOKEN).contains(&token.len()) => {
            Ok(Some(token.to_owned()))
        }
        Some(_) => {
            let got = Shown::new("a place that is empty or far too long");
            Err(RequestError::Odd { expected: EXPECTED, got })
        }
    }
}

impl std::fmt::Debug for Event {
    /// Without the content, which can be a text that was never locked.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event").field("kind", &self.kind).finish_non_exhaustive()
    }
}
