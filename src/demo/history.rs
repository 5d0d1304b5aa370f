//! The endpoint of a room's history, in the words of Synapse; `tests/it/demo/history.rs` holds it against
//! a real one.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    answers::Denial,
    endpoints::{Answer, Caller, Server},
    room_endpoints::{member, own, readable},
};

/// Events on a page, unless another number is asked for; and never more.
const PAGE: usize = 10;
const LARGEST_PAGE: usize = 1_000;

const NO_FILTER: &str = "Query parameter filter must be a valid JSON object";

/// Of filters the server knows what a person's apps ask for here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Filter {
    types: Option<Vec<String>>,
    lazy_load_members: bool,
}

pub(super) async fn messages(
    _: Caller,
    State(server): Server,
    Path(id): Path<String>,
    Query(parameters): Query<BTreeMap<String, String>>,
) -> Answer {
    let parameter = |name: &str| parameters.get(name).map(String::as_str);
    let backwards = match parameter("dir") {
        Some("b") => true,
        Some("f") | None => false,
        Some(_) => {
            let words = "Query parameter 'dir' must be one of ['b', 'f']";
            return Err(Denial::Bad("M_INVALID_PARAM", words.into()));
        }
    };
    let limit = parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(PAGE);
    let limit = limit.min(LARGEST_PAGE);
    let filter: Filter = match parameter("filter") {
        Some(json) => {
            serde_json::from_str(json).map_err(|_| Denial::Bad("M_NOT_JSON", NO_FILTER.into()))?
        }
        None => Filter::default(),
    };
    let timeline = {
        let state = server.lock();
        readable(&state.account, &id)?;
        state.account.timelines.get(&id).cloned()
    };
    // Without holding up others: the first to ask has it locked.
    let events = timeline.as_ref().map(|timeline| timeline.events()).unwrap_or_default();
    let from = match parameter("from") {
        Some(token) => place(token).filter(|place| *place <= events.len()),
        None => Some(if backwards { events.len() } else { 0 }),
    };
    let from = from.ok_or(Denial::Bad("M_UNKNOWN", "'from' parameter is invalid".into()))?;

    let wanted = |event: &&Value| match (&filter.types, event["type"].as_str()) {
        (Some(types), Some(kind)) => types.iter().any(|wanted| wanted == kind),
        _ => true,
    };
    let (before, after) = events.split_at(from);
    let chunk: Vec<&Value> = match backwards {
        true => before.iter().rev().filter(wanted).take(limit).collect(),
        false => after.iter().filter(wanted).take(limit).collect(),
    };
    let last = chunk.last().and_then(|last| events.iter().position(|event| event == *last));
    let end = last.map(|last| if backwards { last } else { last + 1 });

    let mut page = json!({ "chunk": chunk, "start": token(from) });
    if let (Some(end), Value::Object(page)) = (end, &mut page) {
        page.insert("end".to_owned(), token(end).into());
    }
    if filter.lazy_load_members
        && let Value::Object(page) = &mut page
    {
        let senders: BTreeSet<&str> =
            chunk.iter().filter_map(|event| event["sender"].as_str()).collect();
        let state = server.lock();
        let room = readable(&state.account, &id)?;
        let own = own(&state.account);
        let people = std::iter::once(&own).chain(&room.people);
        let written = people.filter(|person| senders.contains(person.user_id.as_str()));
        let members: Vec<_> = written.map(|person| member(room, person, "join")).collect();
        if !members.is_empty() {
            page.insert("state".to_owned(), members.into());
        }
    }
    Ok(Json(page))
}

/// A place is told by how many events are before it.
fn token(place: usize) -> String {
    format!("t{place}")
}

fn place(token: &str) -> Option<usize> {
    token.strip_prefix('t')?.parse().ok()
}
