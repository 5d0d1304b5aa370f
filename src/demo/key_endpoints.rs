//! The endpoints of a backup's keys: whole, of a room, and one by one. `tests/it/demo/writing.rs` holds them
//! against recordings of a real Synapse.

use std::collections::BTreeMap;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    account::{Account, Version},
    answers::{Denial, all_rooms, one_entry, one_room},
    endpoints::{Answer, Caller, Server},
    kinds::{Kind, WrongVersion},
    server::State as Memory,
    upload::Upload,
    version_endpoints::version_number,
};

pub(super) type Parameters = Query<BTreeMap<String, String>>;

const UNKNOWN: &str = "Unknown backup version";

/// The words of `?version=`.
fn asked(kind: Kind, parameters: &Parameters) -> Answer<&str> {
    let words = "Missing string query parameter 'version'";
    let missing = || Denial::Bad(kind.missing_version(), words.into());
    parameters.get("version").map(String::as_str).ok_or_else(missing)
}

/// The version that `?version=` names; `None` if there is none and the server says nothing of that.
fn named<'a>(
    account: &'a Account,
    kind: Kind,
    parameters: &Parameters,
) -> Answer<Option<&'a Version>> {
    let number = version_number(asked(kind, parameters)?)?;
    match number.and_then(|number| account.version(number)) {
        None if !kind.empty_for_unknown() => Err(Denial::NotFound(UNKNOWN.into())),
        version => Ok(version),
    }
}

pub(super) async fn keys(
    _: Caller,
    State(server): Server,
    parameters: Parameters,
) -> Answer<Response> {
    let kind = server.setting.kind;
    let state = server.lock();
    Ok(all_rooms(named(&state.account, kind, &parameters)?))
}

pub(super) async fn keys_of_room(
    _: Caller,
    State(server): Server,
    Path(room): Path<String>,
    parameters: Parameters,
) -> Answer<Response> {
    let state = server.lock();
    let version = named(&state.account, server.setting.kind, &parameters)?;
    Ok(one_room(version, &room))
}

pub(super) async fn key(
    _: Caller,
    State(server): Server,
    Path((room, session)): Path<(String, String)>,
    parameters: Parameters,
) -> Answer<Response> {
    let state = server.lock();
    let version = named(&state.account, server.setting.kind, &parameters)?;
    let sessions = version.and_then(|version| version.rooms.get(&room));
    let json = sessions.and_then(|sessions| sessions.get(&session)).cloned();
    let bulk = || version?.bulk.as_ref()?.find(&room, &session);
    let json = json.or_else(bulk).ok_or(Denial::NotFound("No room_keys found".into()));
    Ok(one_entry(json?))
}

pub(super) async fn put_keys(
    _: Caller,
    State(server): Server,
    parameters: Parameters,
    body: Bytes,
) -> Answer {
    let kind = server.setting.kind;
    let asked = asked(kind, &parameters)?;
    put(&server, kind, asked, true, || Upload::of_rooms(&body))
}

pub(super) async fn put_keys_of_room(
    _: Caller,
    State(server): Server,
    Path(room): Path<String>,
    parameters: Parameters,
    body: Bytes,
) -> Answer {
    let kind = server.setting.kind;
    let asked = asked(kind, &parameters)?;
    put(&server, kind, asked, true, || Upload::of_room(room, &body))
}

pub(super) async fn put_key(
    _: Caller,
    State(server): Server,
    Path((room, session)): Path<(String, String)>,
    parameters: Parameters,
    body: Bytes,
) -> Answer {
    let kind = server.setting.kind;
    let asked = asked(kind, &parameters)?;
    put(&server, kind, asked, false, || Upload::of_session(room, session, &body))
}

/// Text that is no JSON is refused first, then a wrong version, then what is wrong with the entries.
fn put(
    server: &super::server::Shared,
    kind: Kind,
    asked: &str,
    several: bool,
    upload: impl FnOnce() -> Answer<Upload>,
) -> Answer {
    let upload = match upload() {
        Err(denial @ Denial::Bad(..)) => return Err(denial),
        upload => upload,
    };
    let rule = server.setting.rule.unwrap_or(kind.replacement(several));
    let mut state = server.lock();
    let version = writable(&mut state, kind, asked)?;
    let upload = upload?;
    if upload.is_empty() && kind.empty_upload_spoils() {
        version.auth_data = json!({});
    }
    let changed = upload.put(version, rule)?;
    version.etag += kind.raise(changed);
    Ok(tally(kind, version))
}

/// The version to write to, if it is the current one.
fn writable<'a>(state: &'a mut Memory, kind: Kind, asked: &str) -> Answer<&'a mut Version> {
    let versions = &mut state.account.versions;
    let not_found = || Denial::NotFound(format!("Version '{asked}' not found").into());
    let current = kind.current(versions).ok_or_else(not_found)?;
    if current.to_string() != asked {
        let number = version_number(asked)?;
        let exists =
            number.is_some_and(|number| versions.get(&number).is_some_and(Option::is_some));
        let wrong = |status, told: String| Err(Denial::WrongVersion { status, current: told });
        return match kind.wrong_version() {
            WrongVersion::RepeatsAsked if exists => wrong(403, asked.to_owned()),
            WrongVersion::NamesCurrent if exists => wrong(403, current.to_string()),
            WrongVersion::RepeatsAsked | WrongVersion::NamesCurrent => Err(not_found()),
            WrongVersion::BadParameter => {
                let words =
                    "You may only manipulate the most recently created version of the backup.";
                Err(Denial::Bad("M_INVALID_PARAM", words.into()))
            }
            WrongVersion::BadNamesCurrent => wrong(400, current.to_string()),
        };
    }
    versions.get_mut(&current).and_then(Option::as_mut).ok_or_else(not_found)
}

pub(super) async fn delete_keys(
    _: Caller,
    State(server): Server,
    parameters: Parameters,
) -> Answer {
    delete(&server, &parameters, |version| version.rooms.clear())
}

pub(super) async fn delete_keys_of_room(
    _: Caller,
    State(server): Server,
    Path(room): Path<String>,
    parameters: Parameters,
) -> Answer {
    delete(&server, &parameters, |version| drop(version.rooms.remove(&room)))
}

pub(super) async fn delete_key(
    _: Caller,
    State(server): Server,
    Path((room, session)): Path<(String, String)>,
    parameters: Parameters,
) -> Answer {
    delete(&server, &parameters, |version| {
        if let Some(sessions) = version.rooms.get_mut(&room) {
            sessions.remove(&session);
            if sessions.is_empty() {
                version.rooms.remove(&room);
            }
        }
    })
}

/// Also keys of older versions can be deleted, and the etag is raised even if there were none.
fn delete(
    server: &super::server::Shared,
    parameters: &Parameters,
    remove: impl FnOnce(&mut Version),
) -> Answer {
    let kind = server.setting.kind;
    if !kind.deletes_keys() {
        return Err(Denial::Method);
    }
    let number = version_number(asked(kind, parameters)?)?;
    let mut state = server.lock();
    let version = number.and_then(|number| state.account.versions.get_mut(&number)?.as_mut());
    let version = version.ok_or(match kind.stumbles_deleting() {
        true => Denial::Internal,
        false => Denial::NotFound(UNKNOWN.into()),
    })?;
    remove(version);
    let Version { rooms, damaged, .. } = version;
    damaged.retain(|(room, session), _| {
        rooms.get(room).is_some_and(|sessions| sessions.contains_key(session))
    });
    version.etag += 1;
    Ok(tally(kind, version))
}

fn tally(kind: Kind, version: &Version) -> Json<Value> {
    Json(json!({ "etag": kind.etag(version.etag), "count": version.count() }))
}
